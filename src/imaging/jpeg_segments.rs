//! The metadata in the segments of a JPEG before its picture.
//!
//! Of several EXIF blocks, and of several XMP packets, the first counts: both standards put the block directly after
//! the start of the file and allow only one, so a second one was left by a program that overlooked the first.

use super::metadata::Parts;

const EXIF: &[u8] = b"Exif\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";

/// Most bytes of extended XMP that are put together.
const MAX_EXTENDED_XMP: usize = 32 << 20;

/// Most comments that are kept.
const MAX_COMMENTS: usize = 4;

/// Reads the metadata of a JPEG, up to the first scan.
pub(super) fn parts(bytes: &[u8]) -> Parts {
    let mut parts = Parts::default();
    let mut extended: Vec<&[u8]> = Vec::new();
    let mut photoshop = Vec::new();
    for (code, data) in (Segments { bytes, at: 2 }) {
        if code == 0xe1 {
            if let Some(block) = data.strip_prefix(EXIF) {
                // The prefix ends with a second zero, or by mistake with another byte.
                let block = block.get(1..).unwrap_or_default();
                if parts.exif.is_none() && is_tiff(block) {
                    parts.exif = Some(block.to_vec());
                }
            } else if let Some(packet) = data.strip_prefix(XMP) {
                if parts.xmp.is_empty() {
                    parts.xmp.push(packet.to_vec());
                }
            } else if let Some(piece) = data.strip_prefix(EXTENDED_XMP) {
                extended.push(piece);
            }
        } else if code == 0xed
            && let Some(resources) = data.strip_prefix(PHOTOSHOP)
        {
            photoshop.extend_from_slice(resources);
        } else if code == 0xfe && parts.comments.len() < MAX_COMMENTS {
            parts.comments.push(data.to_vec());
        }
    }
    parts.iptc = iptc_of_photoshop(&photoshop).map(<[u8]>::to_vec);
    if let Some(whole) = parts.xmp.first().and_then(|main| joined(main, &extended)) {
        parts.xmp.push(whole);
    }
    parts
}

/// The ICC profile of a JPEG, assembled from its pieces. Each begins with its number, counted from one, and the number
/// of pieces.
pub(super) fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut pieces: Vec<_> = Segments { bytes, at: 2 }
        .filter(|(code, _)| *code == 0xe2)
        .filter_map(|(_, data)| data.strip_prefix(ICC)?.split_first_chunk())
        .collect();
    pieces.sort_by_key(|([number, _], _)| *number);
    let numbers = pieces.iter().map(|([number, _], _)| *number);
    let ([_, of], _) = pieces.first()?;
    numbers.eq(1..=*of).then(|| {
        let parts: Vec<_> = pieces.iter().map(|(_, data)| *data).collect();
        parts.concat()
    })
}

fn is_tiff(block: &[u8]) -> bool {
    block.starts_with(b"II*\0") || block.starts_with(b"MM\0*")
}

/// The extended XMP packet to which the main one refers, assembled from its pieces: each begins with the identity of
/// the packet (32 characters), the length of the whole, and the offset of the piece.
fn joined(main: &[u8], pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let (main, _) = crate::xmp::Packet::parse(main);
    let identity = main.text(crate::xmp::namespace::NOTE, "HasExtendedXMP")?;
    let mut whole: Vec<u8> = Vec::new();
    let (mut filled, mut stated) = (0, None);
    for piece in pieces {
        let (head, data) = piece.split_at_checked(40)?;
        if !head[..32].eq_ignore_ascii_case(identity.trim().as_bytes()) {
            continue;
        }
        let number = |at: usize| {
            let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            u32::from_be_bytes(bytes) as usize
        };
        let (length, offset) = (number(32), number(36));
        // All pieces state the same length. If each could change it, each could have the whole buffer filled again.
        let is_same = *stated.get_or_insert(length) == length;
        (length <= MAX_EXTENDED_XMP && is_same).then_some(())?;
        whole.resize(length, b' ');
        whole
            .get_mut(offset..offset.checked_add(data.len())?)?
            .copy_from_slice(data);
        filled += data.len();
    }
    (filled > 0 && filled >= whole.len()).then_some(whole)
}

/// The IPTC-IIM block among Photoshop's image resources.
pub(super) fn iptc_of_photoshop(mut resources: &[u8]) -> Option<&[u8]> {
    const IPTC: u16 = 0x0404;
    while let Some(rest) = resources.strip_prefix(b"8BIM") {
        let (number, rest) = rest.split_first_chunk()?;
        // A Pascal string padded to an even length, and the length of the data, which are padded as well.
        let name = usize::from(*rest.first()?) + 1;
        let rest = rest.get(name + name % 2..)?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let data = rest.get(..length)?;
        if u16::from_be_bytes(*number) == IPTC {
            return Some(data);
        }
        resources = rest.get(length + length % 2..).unwrap_or_default();
    }
    None
}

/// The segments of a JPEG before its first scan: their markers' codes and data.
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // Some cameras write garbage between segments.
            let rest = self.bytes.get(self.at..)?;
            self.at += memchr::memchr(0xff, rest)?;
            let code = *self.bytes.get(self.at + 1)?;
            match code {
                0xff => self.at += 1,
                0x00 | 0x01 | 0xd0..=0xd8 => self.at += 2,
                0xd9 | 0xda => return None,
                _ => {
                    let rest = self.bytes.get(self.at + 2..)?;
                    let (length, _) = rest.split_first_chunk()?;
                    let length = usize::from(u16::from_be_bytes(*length)).max(2);
                    let data = rest.get(2..length)?;
                    self.at += 2 + length;
                    return Some((code, data));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(code: u8, parts: &[&[u8]]) -> Vec<u8> {
        let data = parts.concat();
        let length = (data.len() as u16 + 2).to_be_bytes();
        [&[0xff, code], &length[..], &data].concat()
    }

    fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
        let scan = b"\xff\xda\0\x02\x12\xff\xe1\0\x0aExif\0\0II\xff\xd9";
        [b"\xff\xd8", &segments.concat()[..], scan].concat()
    }

    #[test]
    fn of_two_blocks_the_first_counts() {
        let exif = |text: &[u8]| segment(0xe1, &[b"Exif\0\0", b"MM\0*", text]);
        let xmp = |text: &[u8]| segment(0xe1, &[XMP, text]);
        let broken = segment(0xe1, &[b"Exif\0\0", b"nothing"]);
        let comment = segment(0xfe, &[b"smoke"]);
        let file = jpeg(&[
            broken,
            exif(b"1"),
            comment,
            xmp(b"one"),
            xmp(b"two"),
            exif(b"2"),
        ]);
        let parts = parts(&file);
        assert_eq!(parts.comments, [b"smoke"]);
        assert_eq!(parts.exif.unwrap(), b"MM\0*1");
        assert_eq!(parts.xmp, [b"one"]);
        for end in 0..file.len() {
            let _ = super::parts(&file[..end]);
        }
    }

    #[test]
    fn extended_xmp_is_put_together() {
        let identity = b"0123456789ABCDEF0123456789ABCDEF";
        let main = br#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
            xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF"/></rdf:RDF>"#;
        let piece = |identity: &[u8], length: u32, offset: u32, data: &[u8]| {
            let numbers = [length.to_be_bytes(), offset.to_be_bytes()].concat();
            segment(0xe1, &[EXTENDED_XMP, identity, &numbers, data])
        };
        let other = piece(b"ffffffffffffffffffffffffffffffff", 3, 0, b"xyz");
        let (late, early) = (piece(identity, 6, 3, b"def"), piece(identity, 6, 0, b"abc"));
        let main = segment(0xe1, &[XMP, main]);
        let whole = parts(&jpeg(&[main.clone(), other, late.clone(), early]));
        assert_eq!(whole.xmp[1], b"abcdef");
        let half = parts(&jpeg(&[main.clone(), late]));
        assert_eq!(half.xmp.len(), 1);
        let huge = piece(identity, u32::MAX, 0, b"abc");
        assert_eq!(parts(&jpeg(&[main.clone(), huge])).xmp.len(), 1);
        let (first, other) = (piece(identity, 3, 0, b"abc"), piece(identity, 6, 3, b"def"));
        assert_eq!(parts(&jpeg(&[main, first, other])).xmp.len(), 1);
    }

    #[test]
    fn iptc_is_found_among_the_resources_of_several_segments() {
        let resources = b"8BIM\x04\x25\0\0\0\0\0\x03abc\08BIM\x04\x04\x03abc\0\0\0\x04iptc";
        let (first, second) = resources.split_at(14);
        let file = jpeg(&[
            segment(0xed, &[PHOTOSHOP, first]),
            segment(0xed, &[PHOTOSHOP, second]),
        ]);
        assert_eq!(parts(&file).iptc.unwrap(), b"iptc");
        for end in 0..resources.len() {
            assert_eq!(iptc_of_photoshop(&resources[..end]), None);
        }
    }
}
