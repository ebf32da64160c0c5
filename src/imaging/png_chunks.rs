//! The chunks of a PNG, and the metadata in them, before the pixels or after them.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::metadata::Parts;

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

/// Most bytes of all texts that are decompressed.
const MAX_INFLATED: u64 = 32 << 20;

/// Reads the metadata of a PNG, wherever they are. `ImageMagick` and others keep the blocks of other formats as
/// hexadecimal texts, `Raw profile type …`, which count if the chunk defined for the block is absent.
pub(super) fn parts(bytes: &[u8]) -> Parts {
    let mut parts = Parts::default();
    let (mut raw_exif, mut named_xmp) = (None, None);
    let mut left = MAX_INFLATED;
    for chunk in Chunks::of(bytes) {
        match &chunk.kind {
            b"eXIf" if parts.exif.is_none() => parts.exif = Some(without_prefix(chunk.data)),
            b"tIME" => parts.png_time = parts.png_time.or(time(chunk.data)),
            b"tEXt" | b"zTXt" | b"iTXt" => {
                let Some((key, text)) = text(&chunk, &mut left) else {
                    continue;
                };
                match key.strip_prefix("Raw profile type ") {
                    Some("exif" | "APP1" | "app1") => match profile(&text) {
                        Some(block) if block.starts_with(XMP) => {
                            if parts.xmp.is_empty() {
                                parts.xmp.push(block[XMP.len()..].to_vec());
                            }
                        }
                        block => raw_exif = raw_exif.or(block),
                    },
                    Some("iptc" | "8bim") => parts.iptc = parts.iptc.or_else(|| iptc(&text)),
                    Some("xmp") if parts.xmp.is_empty() => parts.xmp.extend(profile(&text)),
                    Some(_) => {}
                    None if key == "XML:com.adobe.xmp" => named_xmp = Some(text),
                    None => {
                        let text = String::from_utf8(text);
                        parts.texts.extend(text.ok().map(|text| (key, text)));
                    }
                }
            }
            _ => {}
        }
    }
    if let Some(packet) = named_xmp {
        parts.xmp = vec![packet];
    }
    parts.exif = parts.exif.or(raw_exif.map(|block| without_prefix(&block)));
    parts
}

/// The prefix of XMP in a JPEG, which programs keep in the text chunk.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

fn without_prefix(block: &[u8]) -> Vec<u8> {
    block.strip_prefix(b"Exif\0\0").unwrap_or(block).to_vec()
}

/// The IPTC-IIM block in a raw profile, by itself or among Photoshop's image resources.
fn iptc(text: &[u8]) -> Option<Vec<u8>> {
    let block = profile(text)?;
    let inner = super::jpeg_segments::iptc_of_photoshop(&block);
    Some(inner.unwrap_or(&block).to_vec())
}

/// The block in a raw profile: a line with a name, such as `iptc` or `IPTC profile`, the length, and the bytes in
/// hexadecimal digits, with line breaks.
fn profile(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_name, rest) = text.trim_ascii_start().split_once('\n')?;
    let mut words = rest.split_ascii_whitespace();
    let length: usize = words.next()?.parse().ok()?;
    let digits: Vec<u8> = words
        .flat_map(str::bytes)
        .map_while(|digit| Some(char::from(digit).to_digit(16)? as u8))
        .collect();
    let (pairs, _) = digits.as_chunks::<2>();
    let block: Vec<u8> = pairs.iter().map(|[high, low]| 16 * high + low).collect();
    (block.len() == length).then_some(block)
}

/// The keyword and the text of a text chunk, decompressed and, if it is Latin-1, as UTF-8; `None` if it is damaged, or
/// if `left` is too small. `left` is the number of bytes that may still be decompressed.
fn text(chunk: &Chunk<'_>, left: &mut u64) -> Option<(String, Vec<u8>)> {
    let (key, rest) = split(chunk.data)?;
    let key = key.iter().copied().map(char::from).collect();
    let text = match &chunk.kind {
        b"tEXt" => utf8(rest),
        b"zTXt" => utf8(&inflated(rest.get(1..)?, left)?),
        _ => {
            // Compression flag and method, language, translated keyword, text.
            let [is_compressed, _method, rest @ ..] = rest else {
                return None;
            };
            let (_language, rest) = split(rest)?;
            let (_translated, text) = split(rest)?;
            if *is_compressed == 1 {
                inflated(text, left)?
            } else {
                text.to_vec()
            }
        }
    };
    Some((key, text))
}

/// Latin-1, as the standard has it, or UTF-8, as many programs write.
fn utf8(text: &[u8]) -> Vec<u8> {
    crate::facts::latin1_or_utf8(text).into_bytes()
}

fn split(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(0, data)?;
    Some((&data[..end], &data[end + 1..]))
}

/// Decompresses at most `left` bytes and subtracts their number from `left`, also if the data are damaged.
fn inflated(data: &[u8], left: &mut u64) -> Option<Vec<u8>> {
    (*left > 0).then_some(())?;
    let mut text = Vec::new();
    let read = ZlibDecoder::new(data).take(*left).read_to_end(&mut text);
    *left -= text.len() as u64;
    read.ok()?;
    Some(text)
}

/// The time of the last change of the picture, in Coordinated Universal Time.
fn time(data: &[u8]) -> Option<jiff::civil::DateTime> {
    let [high, low, month, day, hour, minute, second] = *data else {
        return None;
    };
    let year = i16::from_be_bytes([high, low]);
    let small = |byte: u8| i8::try_from(byte).ok();
    let second = small(second)?.min(59);
    let (month, day, hour, minute) = (small(month)?, small(day)?, small(hour)?, small(minute)?);
    jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
        let length = (data.len() as u32).to_be_bytes();
        [&length, kind, data, b"crc."].concat()
    }

    fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
        [b"\x89PNG\r\n\x1a\n", &chunks.concat()[..]].concat()
    }

    fn deflated(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn metadata_after_the_pixels_are_read() {
        let file = png(&[
            chunk(b"IDAT", b"pixels"),
            chunk(b"iTXt", b"Comment\0\0\0\0\0hello"),
            chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0en\0\0<x/>"),
            chunk(b"eXIf", b"MM"),
            chunk(b"tIME", &[0x07, 0xe3, 7, 14, 15, 30, 60]),
            b"\0\0\0\x09cut".to_vec(),
        ]);
        let read = parts(&file);
        assert_eq!(read.xmp, [b"<x/>"]);
        assert_eq!(read.exif.unwrap(), b"MM");
        assert_eq!(read.texts, [("Comment".to_owned(), "hello".to_owned())]);
        assert_eq!(read.png_time.unwrap().to_string(), "2019-07-14T15:30:59");
        assert_eq!(Chunks::of(&file).count(), 5);
        for end in 0..file.len() {
            let _ = parts(&file[..end]);
        }
    }

    #[test]
    fn a_text_is_inflated_to_32_mebibytes_and_then_cut() {
        for (length, kept) in [
            (MAX_INFLATED - 1, MAX_INFLATED - 1),
            (MAX_INFLATED, MAX_INFLATED),
            (MAX_INFLATED + 1, MAX_INFLATED),
        ] {
            let (data, mut left) = (deflated(&vec![b'a'; length as usize]), MAX_INFLATED);
            let text = inflated(&data, &mut left).unwrap();
            assert_eq!((text.len() as u64, left), (kept, MAX_INFLATED - kept));
        }
    }

    #[test]
    fn all_texts_together_are_inflated_to_32_mebibytes() {
        let third = deflated(&vec![b'a'; MAX_INFLATED as usize / 3]);
        let text = chunk(b"zTXt", &[b"Comment\0\0", &third[..]].concat());
        let mut damaged = text.clone();
        let checksum = damaged.len() - b".crc.".len();
        damaged[checksum] ^= 1;
        let lengths = |chunks: &[&Vec<u8>]| {
            let file = png(&chunks
                .iter()
                .map(|&chunk| chunk.clone())
                .collect::<Vec<_>>());
            let texts = parts(&file).texts;
            texts
                .iter()
                .map(|(_, text)| text.len() as u64)
                .collect::<Vec<_>>()
        };
        let part = MAX_INFLATED / 3;
        assert_eq!(
            lengths(&[&text; 6]),
            [part, part, part, MAX_INFLATED - 3 * part]
        );
        let used = lengths(&[&damaged, &damaged, &damaged, &text]);
        assert!(
            used.iter().sum::<u64>() < part,
            "what is damaged counts: {used:?}"
        );
    }

    #[test]
    fn of_many_xmp_packets_the_last_named_one_counts() {
        let named = |text: &str| {
            chunk(
                b"iTXt",
                format!("XML:com.adobe.xmp\0\0\0\0\0{text}").as_bytes(),
            )
        };
        let mut chunks: Vec<_> = (0..100).map(|number| named(&number.to_string())).collect();
        chunks.push(chunk(
            b"tEXt",
            b"Raw profile type xmp\0\nxmp\n 4\n3c782f3e\n",
        ));
        assert_eq!(parts(&png(&chunks)).xmp, [b"99"]);
        assert_eq!(parts(&png(&chunks[100..])).xmp, [b"<x/>"]);
    }

    #[test]
    fn blocks_of_other_formats_are_read_from_text_chunks() {
        let hex = |name: &str, block: &[u8]| {
            let digits = block.iter().map(|byte| format!("{byte:02x}"));
            let digits = digits.collect::<Vec<_>>().join("\n");
            format!("\n{name}\n{:8}\n{digits}\n", block.len())
        };
        let ztxt = |name: &str, text: &str| {
            let head = format!("Raw profile type {name}\0\0");
            chunk(
                b"zTXt",
                &[head.as_bytes(), &deflated(text.as_bytes())].concat(),
            )
        };
        let file = png(&[
            ztxt("exif", &hex("exif", b"Exif\0\0MM\0*block")),
            ztxt(
                "iptc",
                &hex("IPTC profile", b"8BIM\x04\x04\0\0\0\0\0\x04iptc"),
            ),
            ztxt("xmp", &hex("xmp", b"<x/>")),
        ]);
        let read = parts(&file);
        assert_eq!(read.exif.unwrap(), b"MM\0*block");
        assert_eq!(read.iptc.unwrap(), b"iptc");
        assert_eq!(read.xmp, [b"<x/>"]);
        let compressed = [b"XML:com.adobe.xmp\0\x01\0\0\0", &deflated(b"<y/>")[..]].concat();
        assert_eq!(parts(&png(&[chunk(b"iTXt", &compressed)])).xmp, [b"<y/>"]);
        let in_app1 = hex("app1", b"http://ns.adobe.com/xap/1.0/\0<z/>");
        assert_eq!(parts(&png(&[ztxt("APP1", &in_app1)])).xmp, [b"<z/>"]);
        let wrong = ztxt("exif", "\nexif\n 9\n4d4d\n");
        assert_eq!(parts(&png(&[wrong])).exif, None);
    }
}
