//! Decodes the text of a packet in UTF-8, UTF-16 or UTF-32.

use std::borrow::Cow;

/// Decodes a packet in UTF-8, UTF-16 or UTF-32 of either byte order, with or without a byte order mark. Invalid bytes
/// become replacement characters.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0, 0, 0xfe, 0xff, rest @ ..] | rest @ [0, 0, 0, b'<', ..] => {
            wide::<4>(rest, u32::from_be_bytes)
        }
        [0xff, 0xfe, 0, 0, rest @ ..] | rest @ [b'<', 0, 0, 0, ..] => {
            wide::<4>(rest, u32::from_le_bytes)
        }
        [0xfe, 0xff, rest @ ..] | rest @ [0, b'<', ..] => double(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] | rest @ [b'<', 0, ..] => double(rest, u16::from_le_bytes),
        _ => String::from_utf8_lossy(bytes),
    }
}

fn double(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'static, str> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let characters = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Cow::Owned(characters.collect())
}

fn wide<const N: usize>(bytes: &[u8], unit: fn([u8; N]) -> u32) -> Cow<'static, str> {
    let (units, _) = bytes.as_chunks::<N>();
    let character = |bytes: &[u8; N]| char::from_u32(unit(*bytes));
    let characters = units.iter().map(character);
    let characters = characters.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Cow::Owned(characters.collect())
}
