//! Decides by the first bytes of a file whether it is a photo, if its name does not say what it is.

use std::path::Path;

use crate::error::{Skip, SkipReason};
use crate::file::{FileMeta, read_start};
use crate::imaging::Format;

/// How many bytes are read; no signature of a format that is decoded needs more.
const FIRST_BYTES: usize = 64;

/// What the first bytes of a file show about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstBytes {
    /// It has a format that is decoded.
    Photo,
    /// It is not a photo, for this reason. The metadata are those of the file when it was read.
    Other(FileMeta, Skip),
    /// It no longer exists.
    Vanished,
}

impl FirstBytes {
    /// Reads the first bytes of a file. Formats without a decoder, such as videos, are no photos: unlike a file
    /// that has the extension of a photo, such a file is not read any further.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Skip> {
        let Some((meta, bytes)) = read_start(path, FIRST_BYTES)? else {
            return Ok(Self::Vanished);
        };
        if bytes.is_empty() {
            let skip = Skip::new(SkipReason::Empty, "the file has no bytes");
            return Ok(Self::Other(meta, skip));
        }
        Ok(match Format::sniff(&bytes) {
            Ok(_) => Self::Photo,
            Err(skip) => Self::Other(meta, skip),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert_eq!(FirstBytes::read(&path), Ok(FirstBytes::Vanished));
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
            let reason = match FirstBytes::read(&path).unwrap() {
                FirstBytes::Photo => None,
                FirstBytes::Other(meta, skip) => {
                    assert_eq!(meta, FileMeta::of(&path.metadata().unwrap()));
                    Some(skip.reason)
                }
                FirstBytes::Vanished => panic!("it exists"),
            };
            assert_eq!(reason, expected);
        }
        let refused = FirstBytes::read(dir.path()).unwrap_err();
        assert_eq!(refused.reason, SkipReason::Unreadable);
    }
}
