//! Hashes the picture data of a file without its metadata, so that a photo is recognised after a program has
//! written keywords, a date or an orientation into it.
//!
//! Two files with the same hash decode to the same stored pixels. To be sure of that, each format omits a list of parts
//! that its decoder does not use for the pixels, and hashes all others, also unknown ones. If a file does not have the
//! expected structure, all of its bytes are hashed.

mod gif;
mod heif;
mod jpeg;
mod jxl;
mod png;
mod tiff;
mod webp;

use super::format::Format;
use super::limits::{Limits, Task};
use super::raw;
use crate::photo::PictureHash;

/// The hash of the picture data in the bytes of a file. Does not fail, even for a damaged file.
pub(super) fn hash(format: Format, bytes: &[u8]) -> PictureHash {
    let mut parts = Parts::new(format, bytes);
    let added = match format {
        Format::Jpeg => jpeg::add(&mut parts, bytes),
        Format::Png => png::add(&mut parts, bytes),
        Format::WebP => webp::add(&mut parts, bytes),
        Format::Gif => gif::add(&mut parts, bytes),
        Format::Tiff => tiff::add(&mut parts, bytes),
        Format::Heic | Format::Avif => heif::add(&mut parts, bytes),
        Format::Raw(raw) => {
            let limits = Limits::default();
            let preview = raw::preview(&Task::new(bytes, format, &limits), raw).ok();
            preview.and_then(|preview| {
                if raw::is_jxl(preview) {
                    jxl::add(&mut parts, preview)
                } else {
                    jpeg::add(&mut parts, preview)
                }
            })
        }
        Format::Jxl => jxl::add(&mut parts, bytes),
        // BMP has no metadata.
        Format::Bmp => None,
    };
    if added.is_none() {
        parts = Parts::whole(format, bytes);
    }
    parts.finish()
}

/// The parts of a picture's data that are hashed, each with its kind and its length, so that different parts
/// never give the same sequence of bytes.
struct Parts {
    hasher: blake3::Hasher,
    /// How many bytes may still be added. Limits the time, since a file may refer to the same bytes many times.
    left: usize,
}

/// Bytes of small parts, such as sizes, that may be added beyond the length of the file.
const SMALL_PARTS: usize = 1 << 16;

impl Parts {
    /// Starts without parts. The hashes of different formats differ.
    fn new(format: Format, bytes: &[u8]) -> Self {
        let context = match format {
            Format::Jpeg => "fer-index picture 1 JPEG",
            Format::Png => "fer-index picture 1 PNG",
            Format::WebP => "fer-index picture 1 WebP",
            Format::Gif => "fer-index picture 1 GIF",
            Format::Tiff => "fer-index picture 1 TIFF",
            Format::Bmp => "fer-index picture 1 BMP",
            Format::Heic => "fer-index picture 1 HEIC",
            Format::Avif => "fer-index picture 1 AVIF",
            Format::Jxl => "fer-index picture 1 JPEG XL",
            // All raw formats hash their preview only.
            Format::Raw(_) => "fer-index picture 1 raw",
        };
        Self {
            hasher: blake3::Hasher::new_derive_key(context),
            left: bytes.len().saturating_add(SMALL_PARTS),
        }
    }

    /// The whole file as the only part.
    fn whole(format: Format, bytes: &[u8]) -> Self {
        let mut parts = Self::new(format, bytes);
        let added = parts.add(b"whole file", bytes);
        debug_assert!(added.is_some(), "the budget admits every byte once");
        parts
    }

    /// Adds a part; `None` if that exceeds what a well-formed file can have.
    fn add(&mut self, kind: &[u8], data: &[u8]) -> Option<()> {
        self.left = self.left.checked_sub(kind.len() + 16 + data.len())?;
        self.hasher.update(&(kind.len() as u64).to_le_bytes());
        self.hasher.update(kind);
        self.hasher.update(&(data.len() as u64).to_le_bytes());
        self.hasher.update(data);
        Some(())
    }

    /// Adds numbers as a part.
    fn add_numbers(&mut self, kind: &[u8], numbers: &[u64]) -> Option<()> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.add(kind, &bytes)
    }

    fn finish(&self) -> PictureHash {
        PictureHash::from_bytes(*self.hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_with_the_same_bytes_in_sequence_have_different_hashes() {
        let hash = |format, added: &[(&str, &str)]| {
            let mut parts = Parts::new(format, &[0; 100]);
            for (kind, data) in added {
                parts.add(kind.as_bytes(), data.as_bytes()).unwrap();
            }
            parts.finish()
        };
        let hashes = [
            hash(Format::Png, &[("ab", "cd")]),
            hash(Format::Png, &[("a", "bcd")]),
            hash(Format::Png, &[("ab", "c"), ("", "d")]),
            hash(Format::Png, &[("ab", "cd"), ("", "")]),
            hash(Format::Jpeg, &[("ab", "cd")]),
        ];
        for (index, one) in hashes.iter().enumerate() {
            assert!(!hashes[..index].contains(one));
        }
    }

    #[test]
    fn a_file_that_repeats_itself_is_hashed_as_a_whole() {
        let bytes = [7; 1000];
        let mut parts = Parts::new(Format::Tiff, &bytes);
        let many = (0..1_000_000).try_for_each(|_| parts.add(b"strip", &bytes));
        assert!(many.is_none());
        assert!(hash(Format::Tiff, &bytes) == Parts::whole(Format::Tiff, &bytes).finish());
    }
}
