//! Finds the XMP packet inside a photo without decoding its pixels.

use std::io::Cursor;

use image::{ImageDecoder as _, ImageFormat, ImageReader};

use super::containment;
use super::format::Format;

/// The name that begins a JPEG segment with an XMP packet.
const NAMESPACE: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// The XMP packet of a photo as text; `None` if it has none, or none that can be read.
pub fn embedded_xmp(bytes: &[u8]) -> Option<String> {
    let format = match Format::sniff(bytes).ok()? {
        Format::Jpeg => return text(jpeg(bytes)?.to_vec()),
        Format::Png => ImageFormat::Png,
        Format::WebP => ImageFormat::WebP,
        Format::Gif => ImageFormat::Gif,
        Format::Tiff => ImageFormat::Tiff,
        Format::Bmp | Format::Heic | Format::Avif => return None,
    };
    // A panic of a decoder counts as no packet.
    let packet = containment::contain(|| {
        let mut decoder = ImageReader::with_format(Cursor::new(bytes), format)
            .into_decoder()
            .ok()?;
        decoder.xmp_metadata().ok()?
    });
    text(packet.ok()??)
}

fn text(packet: Vec<u8>) -> Option<String> {
    String::from_utf8(packet).ok()
}

/// The packet of a JPEG: the segments before the picture are read one after the other.
fn jpeg(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        // A marker may be preceded by any number of fill bytes.
        rest = rest.strip_prefix(b"\xff")?;
        let (&marker, after) = rest.split_first()?;
        match marker {
            0xff => continue,
            // Start of the picture's data, end of the file.
            0xda | 0xd9 => return None,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*after.first()?, *after.get(1)?]));
        let segment = after.get(2..length)?;
        if marker == 0xe1
            && let Some(packet) = segment.strip_prefix(NAMESPACE)
        {
            return Some(packet);
        }
        rest = after.get(length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker][..], &length, content].concat()
    }

    #[test]
    fn the_packet_of_a_jpeg_is_found_among_its_segments() {
        let packet = [NAMESPACE, b"<x/>"].concat();
        let mut jpeg = b"\xff\xd8".to_vec();
        jpeg.extend(segment(0xe0, b"JFIF\0"));
        jpeg.extend(segment(0xe1, b"Exif\0\0MM"));
        jpeg.push(0xff); // a fill byte
        jpeg.extend(segment(0xe1, &packet));
        jpeg.extend(segment(0xda, b""));
        assert_eq!(embedded_xmp(&jpeg).as_deref(), Some("<x/>"));
        for end in 0..jpeg.len() - 5 {
            let cut = embedded_xmp(&jpeg[..end]);
            assert!(cut.is_none(), "{end}: {cut:?}");
        }
        let mut late = b"\xff\xd8".to_vec();
        late.extend(segment(0xda, b""));
        late.extend(segment(0xe1, &packet));
        assert_eq!(embedded_xmp(&late), None);
        assert_eq!(embedded_xmp(b"\xff\xd8\xff\xe1\0\0"), None);
        assert_eq!(embedded_xmp(b"no picture"), None);
    }
}
