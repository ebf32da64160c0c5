//! Looks at the first bytes of files whose names do not say what they are.

use std::path::Path;

use crate::error::{Skip, SkipReason};
use crate::file::{FileMeta, read_start};
use crate::imaging::Format;

/// How many bytes are read; no signature of a format that is decoded needs more.
const FIRST_BYTES: usize = 64;

/// What the first bytes of a file say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It has a format that is decoded.
    Photo,
    /// It is no photo, for this reason. The file had this metadata.
    Other(FileMeta, Skip),
    /// It no longer exists.
    Vanished,
}

/// Reads the first bytes of a file. Formats without a decoder, such as videos, are no photos: unlike a file
/// that has the extension of a photo, such a file is not read any further.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn look(path: &Path) -> Result<Look, Skip> {
    let Some((meta, bytes)) = read_start(path, FIRST_BYTES)? else {
        return Ok(Look::Vanished);
    };
    if bytes.is_empty() {
        let skip = Skip::new(SkipReason::Empty, "the file has no bytes");
        return Ok(Look::Other(meta, skip));
    }
    Ok(match Format::sniff(&bytes) {
        Ok(_) => Look::Photo,
        Err(skip) => Look::Other(meta, skip),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert_eq!(look(&path), Ok(Look::Vanished));
        for (content, expected) in [
            (&b"\xff\xd8\xff\xe0 and so on"[..], None),
            (b"", Some(SkipReason::Empty)),
            (b"Dear diary", Some(SkipReason::NotAnImage)),
            (
                b"\0\0\0\x14ftypisom\0\0\x02\0mp41",
                Some(SkipReason::UnsupportedFormat),
            ),
        ] {
            fs::write(&path, content).unwrap();
            let reason = match look(&path).unwrap() {
                Look::Photo => None,
                Look::Other(meta, skip) => {
                    assert_eq!(meta, FileMeta::of(&path.metadata().unwrap()));
                    Some(skip.reason)
                }
                Look::Vanished => panic!("it exists"),
            };
            assert_eq!(reason, expected);
        }
        let refused = look(dir.path()).unwrap_err();
        assert_eq!(refused.reason, SkipReason::Unreadable);
    }
}
