//! The chunks of a PNG, and metadata that follow the pixels.

/// The chunks of a PNG in their order; ends at the end of the file or at a chunk that is cut off.
pub(super) struct Chunks<'a>(&'a [u8]);

/// A chunk of a PNG.
pub(super) struct Chunk<'a> {
    pub kind: [u8; 4],
    pub data: &'a [u8],
    /// The data with the checksum that follows them.
    pub checked: &'a [u8],
}

impl<'a> Chunks<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes.get(8..).unwrap_or_default())
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let (kind, rest) = rest.split_first_chunk()?;
        let (checked, rest) = rest.split_at_checked(length.checked_add(4)?)?;
        self.0 = rest;
        Some(Chunk {
            kind: *kind,
            data: &checked[..length],
            checked,
        })
    }
}

/// The EXIF block of a file, also if it follows the pixels.
pub(super) fn late_exif(bytes: &[u8]) -> Option<Vec<u8>> {
    let chunk = Chunks::of(bytes).find(|chunk| &chunk.kind == b"eXIf")?;
    Some(chunk.data.to_vec())
}

/// The XMP packet of a file, also if it follows the pixels; `None` if it is compressed.
pub(super) fn late_xmp(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut texts = Chunks::of(bytes).filter(|chunk| &chunk.kind == b"iTXt");
    texts.find_map(|chunk| {
        // Keyword, whether and how the text is compressed, language, translated keyword, text.
        let rest = chunk.data.strip_prefix(b"XML:com.adobe.xmp\0\0\0")?;
        let mut fields = rest.splitn(3, |&byte| byte == 0);
        fields.nth(2).map(<[u8]>::to_vec)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
        let length = (data.len() as u32).to_be_bytes();
        [&length, kind, data, b"crc."].concat()
    }

    #[test]
    fn metadata_after_the_pixels_are_read() {
        let file = [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IDAT", b"pixels"),
            chunk(b"iTXt", b"Comment\0\0\0\0\0hello"),
            chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0en\0\0<x/>"),
            chunk(b"eXIf", b"MM"),
            b"\0\0\0\x09cut".to_vec(),
        ]
        .concat();
        assert_eq!(late_xmp(&file).unwrap(), b"<x/>");
        assert_eq!(late_exif(&file).unwrap(), b"MM");
        assert_eq!(Chunks::of(&file).count(), 4);
        for end in 0..file.len() {
            let _ = (late_xmp(&file[..end]), late_exif(&file[..end]));
        }
        let compressed = chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0x");
        assert_eq!(late_xmp(&[b"12345678".to_vec(), compressed].concat()), None);
    }
}
