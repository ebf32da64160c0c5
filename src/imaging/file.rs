//! Reading a photo's bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Limits;
use crate::error::{Skip, SkipReason};

/// Reads a whole file of at most [`Limits::max_bytes`].
///
/// # Errors
/// [`SkipReason::PermissionDenied`], [`SkipReason::Unreadable`] (also for what is no file, such as
/// a pipe), [`SkipReason::Empty`] or [`SkipReason::TooLarge`].
pub fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>, Skip> {
    // Asked before opening: to open a pipe is to wait for whoever writes to it.
    let metadata = path.metadata().map_err(|error| explain(&error))?;
    if !metadata.is_file() {
        return Err(Skip::new(
            SkipReason::Unreadable,
            "it is not a regular file",
        ));
    }
    limits.check_bytes(metadata.len())?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // The file may be growing: one byte more than allowed is enough to know.
    File::open(path)
        .and_then(|file| file.take(limits.max_bytes + 1).read_to_end(&mut bytes))
        .map_err(|error| explain(&error))?;
    limits.check_bytes(bytes.len() as u64)?;
    if bytes.is_empty() {
        return Err(Skip::new(SkipReason::Empty, "the file has no bytes"));
    }
    Ok(bytes)
}

fn explain(error: &io::Error) -> Skip {
    let reason = match error.kind() {
        io::ErrorKind::PermissionDenied => SkipReason::PermissionDenied,
        _ => SkipReason::Unreadable,
    };
    Skip::new(reason, format!("the system says: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(path: &Path, limits: &Limits) -> SkipReason {
        read(path, limits).unwrap_err().reason
    }

    #[test]
    fn files_are_read_within_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo.jpg");
        std::fs::write(&path, [7; 100]).unwrap();
        let limits = |max_bytes| Limits {
            max_bytes,
            ..Limits::default()
        };
        assert_eq!(read(&path, &limits(100)).unwrap(), [7; 100]);
        assert_eq!(reason(&path, &limits(99)), SkipReason::TooLarge);
        std::fs::write(&path, []).unwrap();
        assert_eq!(reason(&path, &limits(100)), SkipReason::Empty);
    }

    #[test]
    fn what_is_no_file_is_unreadable() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits::default();
        assert_eq!(reason(folder.path(), &limits), SkipReason::Unreadable);
        let gone = folder.path().join("gone");
        assert_eq!(reason(&gone, &limits), SkipReason::Unreadable);
    }
}
