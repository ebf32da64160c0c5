//! File metadata, and reading a whole file up to a size limit.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Skip, SkipReason};

/// The metadata that distinguishes a changed file from an unchanged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMeta {
    /// Length in bytes.
    pub size: u64,
    /// Modification time in ns since 1970, negative before.
    pub mtime_ns: i64,
    /// Inode number; 0 where the platform has none.
    pub inode: u64,
    /// The device that holds the inode; 0 where the platform has none.
    pub device: u64,
}

impl FileMeta {
    /// Takes the metadata from a `stat`.
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            size: metadata.size(),
            mtime_ns: metadata
                .mtime()
                .saturating_mul(1_000_000_000)
                .saturating_add(metadata.mtime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }

    /// Takes the metadata from a `stat`.
    #[cfg(not(unix))]
    pub fn of(metadata: &Metadata) -> Self {
        let mtime_ns = metadata.modified().map_or(0, |time| {
            time.duration_since(UNIX_EPOCH).map_or_else(
                |before| -(before.duration().as_nanos() as i64),
                |since| since.as_nanos() as i64,
            )
        });
        Self {
            size: metadata.len(),
            mtime_ns,
            inode: 0,
            device: 0,
        }
    }

    /// The modification time; `None` if the platform cannot represent it.
    pub fn modified(&self) -> Option<SystemTime> {
        let distance = Duration::from_nanos(self.mtime_ns.unsigned_abs());
        if self.mtime_ns < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        }
    }
}

/// Reads a whole file of at most `limit` bytes, with the metadata it was read under; `None` if
/// there is no such file.
///
/// # Errors
/// [`SkipReason::PermissionDenied`], [`SkipReason::Unreadable`] or [`SkipReason::TooLarge`].
pub fn read_file(path: &Path, limit: u64) -> Result<Option<(FileMeta, Vec<u8>)>, Skip> {
    read_regular(path, |file, metadata| {
        if metadata.len() > limit {
            let detail = format!("{} bytes, and the limit is {limit}", metadata.len());
            return Ok(Err(Skip::new(SkipReason::TooLarge, detail)));
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        // One more byte than allowed detects a file that grew past the limit meanwhile.
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Ok(Err(Skip::new(
                SkipReason::TooLarge,
                format!("the limit is {limit} bytes"),
            )));
        }
        Ok(Ok(bytes))
    })
}

/// Reads the first bytes of a file, at most `limit`, with the metadata they were read under; `None` if
/// there is no such file.
///
/// # Errors
/// [`SkipReason::PermissionDenied`] or [`SkipReason::Unreadable`].
pub fn read_start(path: &Path, limit: usize) -> Result<Option<(FileMeta, Vec<u8>)>, Skip> {
    read_regular(path, |file, _| {
        let mut bytes = Vec::with_capacity(limit);
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Ok(bytes))
    })
}

/// Opens a regular file and lets `read` read its bytes; `None` if there is no such file.
fn read_regular(
    path: &Path,
    read: impl FnOnce(File, &Metadata) -> io::Result<Result<Vec<u8>, Skip>>,
) -> Result<Option<(FileMeta, Vec<u8>)>, Skip> {
    let attempt = || -> io::Result<Result<(FileMeta, Vec<u8>), Skip>> {
        // Checked before opening, since opening a pipe blocks until another process writes to it.
        if !path.metadata()?.is_file() {
            return Ok(Err(Skip::new(
                SkipReason::Unreadable,
                "it is not a regular file",
            )));
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let bytes = read(file, &metadata)?;
        Ok(bytes.map(|bytes| (FileMeta::of(&metadata), bytes)))
    };
    match attempt() {
        Ok(read) => read.map(Some),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Ok(None),
            ErrorKind::PermissionDenied => Err(Skip::new(
                SkipReason::PermissionDenied,
                "the file may not be read",
            )),
            _ => Err(Skip::new(SkipReason::Unreadable, error.to_string())),
        },
    }
}

/// Reads the bytes of a file that is expected to exist, see [`read_file`].
///
/// # Errors
/// Those of [`read_file`], and [`SkipReason::Unreadable`] if there is no such file.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, Skip> {
    match read_file(path, limit)? {
        Some((_, bytes)) => Ok(bytes),
        None => Err(Skip::new(SkipReason::Unreadable, "there is no such file")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn times_before_1970_are_negative() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), b"abc").unwrap();
        let time = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        File::options()
            .write(true)
            .open(file.path())
            .unwrap()
            .set_modified(time)
            .unwrap();
        let meta = FileMeta::of(&fs::metadata(file.path()).unwrap());
        assert_eq!((meta.size, meta.mtime_ns), (3, -1_500_000_000));
        assert_eq!(meta.modified(), Some(time));
    }

    #[test]
    fn a_file_over_the_limit_is_skipped_and_a_missing_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, b"12345").unwrap();
        assert_eq!(read_file(&path, 5).unwrap().unwrap().1, b"12345");
        assert_eq!(
            read_file(&path, 4).unwrap_err().reason,
            SkipReason::TooLarge
        );
        assert_eq!(read_file(&dir.path().join("b"), 4), Ok(None));
        assert_eq!(read_start(&path, 4).unwrap().unwrap().1, b"1234");
        assert_eq!(read_start(&dir.path().join("b"), 4), Ok(None));
    }
}
