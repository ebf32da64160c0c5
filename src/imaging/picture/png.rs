//! PNG: all chunks up to the last one with pixels, except those with metadata.

use super::Parts;
use crate::imaging::png_chunks::Chunks;

/// Chunks that the decoder does not use for the pixels: metadata, texts, times, and colour spaces, which it
/// does not convert.
const NOT_READ: [&[u8; 4]; 10] = [
    b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs", b"iCCP", b"cHRM", b"gAMA", b"sRGB",
];

/// Adds the chunks with their checksums, without which a damaged file could have the hash of a whole one.
pub(super) fn add(parts: &mut Parts, bytes: &[u8]) -> Option<()> {
    let (mut in_pixels, mut behind_pixels) = (false, false);
    for chunk in Chunks::of(bytes) {
        let has_pixels = &chunk.kind == b"IDAT";
        if has_pixels && behind_pixels {
            return None; // all chunks of pixels must follow each other
        }
        behind_pixels |= in_pixels && !has_pixels;
        in_pixels |= has_pixels;
        if !behind_pixels && !NOT_READ.contains(&&chunk.kind) {
            parts.add(&chunk.kind, chunk.checked)?;
        }
    }
    // If no chunk follows the pixels, they may be truncated.
    behind_pixels.then_some(())
}
