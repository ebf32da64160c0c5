//! JPEG: everything from the first marker to the end-of-image marker, except application segments and
//! comments.

use super::Parts;
use crate::imaging::jpeg_any::profile_of_inks;
use crate::imaging::jpeg_source::end_of_image_after;

const START_OF_SCAN: u8 = 0xda;

/// Adds the segments before the first scan that the decoder reads, and everything from there to the end of
/// the picture.
pub(super) fn add(parts: &mut Parts, bytes: &[u8]) -> Option<()> {
    if let Some(icc) = profile_of_inks(bytes) {
        // The profile determines the colours of inks.
        parts.add(b"inks", &icc)?;
    }
    let mut at = bytes.strip_prefix(b"\xff\xd8").map(|_| 2)?;
    loop {
        (*bytes.get(at)? == 0xff).then_some(())?;
        // A marker may be preceded by any number of fill bytes.
        at += bytes.get(at..)?.iter().position(|&byte| byte != 0xff)?;
        let code = bytes[at];
        at += 1;
        if matches!(code, 0x00 | 0x01 | 0xd0..=0xd9) {
            return None; // not a segment of a header
        }
        let (length, _) = bytes.get(at..)?.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let payload = bytes.get(at..at + length)?.get(2..)?;
        if code == START_OF_SCAN {
            // Later segments, between scans, are rare and stay as they are when metadata are written.
            return parts.add(&[code], &bytes[at..end_of_image_after(bytes, at + length)]);
        }
        if is_read(code, payload) {
            parts.add(&[code], payload)?;
        }
        at += length;
    }
}

/// Whether the decoder reads a segment for the pixels. Of the application segments it reads that of Adobe,
/// which names the colour transform, and that which marks a frame of an AVI video, which omits its tables.
fn is_read(code: u8, payload: &[u8]) -> bool {
    match code {
        0xe0 => payload.starts_with(b"AVI1"),
        0xee => true,
        0xe1..=0xef | 0xfe => false,
        _ => true,
    }
}
