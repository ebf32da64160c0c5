//! The metadata of a CR3: blocks for the camera, the exposure and the position, each a TIFF of its own.

use ::exif::{Context, Field, In, Reader, Tag, Value, experimental::Writer};

use super::Blocks;

/// The identifiers of `uuid` boxes: Canon's block in `moov` and, below, an XMP packet.
const CANON: &[u8; 16] = b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";
const XMP: &[u8; 16] = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";

/// The EXIF block, assembled from its three parts, and the XMP packet.
pub(super) fn blocks(bytes: &[u8]) -> Blocks {
    let of_type = |bytes, wanted: &[u8; 16]| {
        boxes(bytes)
            .find_map(|(kind, data)| (&kind == b"uuid").then(|| data.strip_prefix(wanted))?)
    };
    let movie = boxes(bytes).find(|(kind, _)| kind == b"moov");
    let canon = movie.and_then(|(_, movie)| of_type(movie, CANON));
    Blocks {
        exif: canon.and_then(joined),
        xmp: of_type(bytes, XMP).map(<[u8]>::to_vec),
    }
}

/// Assembles one EXIF block from the three.
fn joined(canon: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Vec::new();
    for (kind, context) in [
        (b"CMT1", Context::Tiff),
        (b"CMT2", Context::Exif),
        (b"CMT4", Context::Gps),
    ] {
        let block = boxes(canon).find(|(found, _)| found == kind);
        let parsed = block.and_then(|(_, block)| Reader::new().read_raw(block.to_vec()).ok());
        for field in parsed.iter().flat_map(::exif::Exif::fields) {
            // The writer adds the pointers between the blocks itself, and cannot write what has no type.
            let is_plain = field.tag.context() == Context::Tiff && field.ifd_num == In::PRIMARY;
            if is_plain && !matches!(field.value, Value::Unknown(..)) {
                fields.push(Field {
                    tag: Tag(context, field.tag.number()),
                    ifd_num: In::PRIMARY,
                    value: field.value.clone(),
                });
            }
        }
    }
    let mut writer = Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    let mut block = std::io::Cursor::new(Vec::new());
    writer.write(&mut block, false).ok()?;
    Some(block.into_inner())
}

/// The boxes in a part of a file, each as its type and its content; ends at one that is cut off.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (size, rest) = bytes.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let (length, rest) = match u32::from_be_bytes(*size) {
            0 => (rest.len(), rest),
            1 => {
                let (size, rest) = rest.split_first_chunk()?;
                let size = usize::try_from(u64::from_be_bytes(*size)).ok()?;
                (size.checked_sub(16)?, rest)
            }
            size => ((size as usize).checked_sub(8)?, rest),
        };
        let (content, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some((*kind, content))
    })
}
