//! JPEG XL: the codestream, which has the orientation in its header, alone or in the boxes of a container.

use super::Parts;

/// Adds the codestream of a file; a container without metadata has the same parts as the codestream alone.
pub(super) fn add(parts: &mut Parts, bytes: &[u8]) -> Option<()> {
    if bytes.starts_with(b"\xff\x0a") {
        return parts.add(b"codestream", bytes);
    }
    let mut codestream: Vec<u8> = Vec::new();
    let mut rest = bytes;
    while let Some((size, after)) = rest.split_first_chunk() {
        let (kind, after) = after.split_first_chunk()?;
        let (length, after) = match u32::from_be_bytes(*size) {
            0 => (after.len(), after),
            1 => {
                let (size, after) = after.split_first_chunk()?;
                let size = usize::try_from(u64::from_be_bytes(*size)).ok()?;
                (size.checked_sub(16)?, after)
            }
            size => ((size as usize).checked_sub(8)?, after),
        };
        let (content, after) = after.split_at_checked(length)?;
        match kind {
            b"jxlc" => codestream.extend_from_slice(content),
            // A part of the codestream, after its number.
            b"jxlp" => codestream.extend_from_slice(content.get(4..)?),
            _ => {}
        }
        rest = after;
    }
    (rest.is_empty() && !codestream.is_empty()).then_some(())?;
    parts.add(b"codestream", &codestream)
}
