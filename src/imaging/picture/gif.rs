//! GIF: everything up to the end of the first frame, except comments and the blocks of applications, which
//! contain XMP.

use super::Parts;

const COMMENT: u8 = 0xfe;
const APPLICATION: u8 = 0xff;

pub(super) fn add(parts: &mut Parts, bytes: &[u8]) -> Option<()> {
    // The version changes when a comment is added, and does not change the pixels.
    let screen = bytes.get(6..13)?;
    parts.add(b"screen", screen)?;
    let mut at = 13;
    add_colours(parts, bytes, &mut at, screen[4])?;
    loop {
        let start = at;
        at += 1;
        match bytes.get(start)? {
            b'!' => {
                let label = *bytes.get(at)?;
                at += 1;
                skip_blocks(bytes, &mut at)?;
                if !matches!(label, COMMENT | APPLICATION) {
                    parts.add(b"extension", &bytes[start..at])?;
                }
            }
            b',' => {
                let frame = bytes.get(at..at + 9)?;
                parts.add(b"frame", frame)?;
                at += 9;
                add_colours(parts, bytes, &mut at, frame[8])?;
                let pixels = at;
                at += 1; // length of a code
                skip_blocks(bytes, &mut at)?;
                return parts.add(b"pixels", &bytes[pixels..at]);
            }
            _ => return None,
        }
    }
}

/// Adds the colour table of the screen or of a frame, if its flags say that it has one.
fn add_colours(parts: &mut Parts, bytes: &[u8], at: &mut usize, flags: u8) -> Option<()> {
    let length = if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    };
    parts.add(b"colours", bytes.get(*at..*at + length)?)?;
    *at += length;
    Some(())
}

/// Skips a sequence of data sub-blocks and the empty one that ends it.
fn skip_blocks(bytes: &[u8], at: &mut usize) -> Option<()> {
    loop {
        let length = usize::from(*bytes.get(*at)?);
        *at += 1 + length;
        if length == 0 {
            return Some(());
        }
    }
}
