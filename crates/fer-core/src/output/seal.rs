//! Seals: marks inside files by which fer-index recognises files that it wrote and nobody has changed.
//!
//! A seal is a note in a part of the file that readers ignore: a comment, a text chunk, an entry of the metadata. It
//! contains the BLAKE3 hash of the file, computed with zeros in place of the hash itself. If anybody changes the file,
//! or another program saves it, the hash no longer matches. An intact seal thus means that fer-index wrote everything
//! in the file.

/// The text before the hash.
const NOTE: &str = "made by fer-index, seal ";

/// Number of hexadecimal digits of the hash.
const DIGITS: usize = 64;

/// A seal is within this many bytes of the start or the end of the file.
const REACH: usize = 512;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The format of a file, which determines where its seal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A text chunk after the first chunk.
    Png,
    /// A comment after the first marker.
    Jpeg,
    /// HTML, SVG or XML: a comment at the end.
    Markup,
    /// TOML or a systemd unit: a comment line at the end.
    Lines,
    /// One JSON object, or several, one per line: the entry `seal`, first in the first object.
    Json,
    /// safetensors: an entry of the metadata.
    Tensors,
    /// ONNX: an entry of the metadata at the end.
    Onnx,
}

/// The file with a seal. Content in another format is returned unchanged, without a seal.
pub(super) fn seal(form: Form, content: &[u8]) -> Vec<u8> {
    let blank = format!("{NOTE}{}", "0".repeat(DIGITS));
    let mut file = match form {
        Form::Png => with_chunk(content, &blank),
        Form::Jpeg => with_comment(content, &blank),
        Form::Markup => [content, format!("<!-- {blank} -->\n").as_bytes()].concat(),
        Form::Lines => [content, format!("# {blank}\n").as_bytes()].concat(),
        Form::Json => with_entry(content, &blank),
        Form::Tensors => with_metadata(content, &blank),
        Form::Onnx => [content, &onnx_entry(&blank)].concat(),
    };
    let Some(at) = digits(&file) else { return file };
    let hash = blake3::hash(&file).to_hex();
    file[at..at + DIGITS].copy_from_slice(hash.as_bytes());
    if file.starts_with(PNG) {
        // The checksum covers the chunk from its name on, which is the four bytes before "Comment" and its zero.
        let start = at - NOTE.len() - KEYWORD.len() - 4;
        let sum = checksum(&file[start..at + DIGITS]);
        file[at + DIGITS..at + DIGITS + 4].copy_from_slice(&sum);
    }
    file
}

/// Whether a file has a seal and has not changed since it was sealed.
pub(super) fn is_intact(file: &[u8]) -> bool {
    let Some(at) = digits(file) else {
        return false;
    };
    let end = at + DIGITS;
    // In a PNG the checksum of the chunk follows, and depends on the hash.
    let after = if file.starts_with(PNG) { end + 4 } else { end };
    let mut hasher = blake3::Hasher::new();
    hasher.update(&file[..at]).update(&[b'0'; DIGITS]);
    hasher.update(&[0; 4][..after - end]).update(&file[after..]);
    hasher.finalize().to_hex().as_bytes() == &file[at..end]
}

/// The position of the hash.
fn digits(file: &[u8]) -> Option<usize> {
    let head = &file[..file.len().min(REACH)];
    let rest = file.len().saturating_sub(REACH);
    let is_note = |window: &[u8]| window == NOTE.as_bytes();
    let last = file[rest..].windows(NOTE.len()).rposition(is_note);
    let first = || head.windows(NOTE.len()).position(is_note);
    let at = last.map(|at| rest + at).or_else(first)? + NOTE.len();
    let checksum = if file.starts_with(PNG) { 4 } else { 0 };
    (at + DIGITS + checksum <= file.len()).then_some(at)
}

/// The keyword of the PNG text chunk, with its terminating zero.
const KEYWORD: &[u8] = b"Comment\0";

/// A PNG with a `tEXt` chunk after `IHDR`; the checksum of the chunk is zero.
fn with_chunk(png: &[u8], note: &str) -> Vec<u8> {
    // Signature, and length, name, 13 bytes and checksum of IHDR.
    const HEAD: usize = 8 + 4 + 4 + 13 + 4;
    if !png.starts_with(PNG) || png.len() < HEAD {
        return png.to_vec();
    }
    let (head, rest) = png.split_at(HEAD);
    let length = ((KEYWORD.len() + note.len()) as u32).to_be_bytes();
    [
        head,
        &length,
        b"tEXt",
        KEYWORD,
        note.as_bytes(),
        &[0; 4],
        rest,
    ]
    .concat()
}

/// An entry of `metadata_props`, field 14 of ONNX's `ModelProto`; protobuf's fields may follow in any order.
fn onnx_entry(note: &str) -> Vec<u8> {
    let field = |tag: u8, value: &[u8]| [&[tag, value.len() as u8], value].concat();
    let entry = [field(0x0a, b"seal"), field(0x12, note.as_bytes())].concat();
    field(0x72, &entry)
}

/// CRC-32 of a chunk's name and content, as PNG stores it.
fn checksum(chunk: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(chunk);
    crc.sum().to_be_bytes()
}

/// A JPEG with a segment `COM` after `SOI`.
fn with_comment(jpeg: &[u8], note: &str) -> Vec<u8> {
    let Some(rest) = jpeg.strip_prefix(b"\xff\xd8") else {
        return jpeg.to_vec();
    };
    let length = ((note.len() + 2) as u16).to_be_bytes();
    [b"\xff\xd8\xff\xfe", &length[..], note.as_bytes(), rest].concat()
}

/// JSON with the entry `seal` at the start of its first object.
fn with_entry(json: &[u8], note: &str) -> Vec<u8> {
    let Some(rest) = json.strip_prefix(b"{") else {
        return json.to_vec();
    };
    let comma = if rest.starts_with(b"}") { "" } else { "," };
    [format!("{{\"seal\":\"{note}\"{comma}").as_bytes(), rest].concat()
}

/// A safetensors file with an additional entry of the metadata. The format is: length of the JSON (eight bytes), JSON
/// padded with spaces to a multiple of eight bytes, tensors, whose offsets count from the end of the JSON.
fn with_metadata(file: &[u8], note: &str) -> Vec<u8> {
    const METADATA: &[u8] = b"{\"__metadata__\":";
    let parts = file.split_first_chunk().and_then(|(length, rest)| {
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
    });
    let Some((json, tensors)) = parts else {
        return file.to_vec();
    };
    let mut json = match json.trim_ascii_end().strip_prefix(METADATA) {
        Some(rest) => [METADATA, &with_entry(rest, note)].concat(),
        None => return file.to_vec(),
    };
    json.resize(json.len().next_multiple_of(8), b' ');
    [&(json.len() as u64).to_le_bytes(), json.as_slice(), tensors].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io::Cursor;

    use image::{ImageFormat, RgbImage};
    use safetensors::tensor::{Dtype, SafeTensors, TensorView};

    use super::*;

    fn picture(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8, y as u8, 9]));
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn tensors() -> Vec<u8> {
        let view = TensorView::new(Dtype::U8, vec![3], &[1, 2, 3]).unwrap();
        let metadata = HashMap::from([("name".to_owned(), "mine".to_owned())]);
        safetensors::serialize([("t", view)], Some(metadata)).unwrap()
    }

    #[test]
    fn a_change_of_any_byte_breaks_the_seal() {
        for (form, content) in [
            (Form::Png, picture(ImageFormat::Png)),
            (Form::Jpeg, picture(ImageFormat::Jpeg)),
            (Form::Markup, b"<!doctype html>\n<p>x\n".to_vec()),
            (Form::Lines, b"a = 1\n".to_vec()),
            (Form::Json, b"{\"epoch\":1}\n{\"epoch\":2}\n".to_vec()),
            (Form::Json, b"{}".to_vec()),
            (Form::Tensors, tensors()),
            (Form::Onnx, b"\x08\x07".to_vec()),
        ] {
            assert!(!is_intact(&content), "{form:?}");
            let sealed = seal(form, &content);
            assert!(is_intact(&sealed), "{form:?}");
            let checksum = digits(&sealed).unwrap() + DIGITS;
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                // The checksum is not protected, but a PNG with a wrong checksum is unreadable anyway.
                let free = form == Form::Png && (checksum..checksum + 4).contains(&at);
                assert_eq!(is_intact(&changed), free, "{form:?} at {at}");
            }
            assert!(!is_intact(&[&sealed[..], b"\n"].concat()), "{form:?}");
            assert!(!is_intact(&sealed[..sealed.len() - 1]), "{form:?}");
            assert_eq!(seal(form, &content), sealed, "sealing is deterministic");
        }
    }

    #[test]
    fn sealed_files_can_be_read_as_before() {
        for (form, format) in [
            (Form::Png, ImageFormat::Png),
            (Form::Jpeg, ImageFormat::Jpeg),
        ] {
            let plain = picture(format);
            let sealed = seal(form, &plain);
            let decoded = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().into_rgb8();
            assert_eq!(decoded(&sealed), decoded(&plain));
        }
        let sealed = seal(Form::Tensors, &tensors());
        let (_, header) = SafeTensors::read_metadata(&sealed).unwrap();
        let metadata = header.metadata().clone().unwrap();
        assert_eq!(metadata["name"], "mine");
        assert!(metadata["seal"].starts_with(NOTE));
        let read = SafeTensors::deserialize(&sealed).unwrap();
        assert_eq!(read.tensor("t").unwrap().data(), [1, 2, 3]);
        let json: serde_json::Value =
            serde_json::from_slice(&seal(Form::Json, b"{\"epoch\":1}")).unwrap();
        assert_eq!(json["epoch"], 1);
    }

    #[test]
    fn content_in_another_format_gets_no_seal() {
        for form in [Form::Png, Form::Jpeg, Form::Json, Form::Tensors] {
            for content in [&b""[..], b"hello", b"\xff\xff\xff\xff\xff\xff\xff\xff{"] {
                assert_eq!(seal(form, content), content, "{form:?}");
            }
        }
    }
}
