//! The segments of a JPEG: tables, the frame header, and scan headers.

use super::arithmetic::Conditioning;
use super::huffman::Table;
use super::picture::{Component, Picture, Process, UNKNOWN};
use super::{Colour, Fault, Options};

/// The order in which the coefficients of a block are coded (T.81, figure A.6).
#[rustfmt::skip]
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61,
    54, 47, 55, 62, 63,
];

/// A component in a scan.
pub(super) struct Part {
    pub component: usize,
    pub dc: usize,
    pub ac: usize,
}

/// The header of a scan.
pub(super) struct ScanHeader {
    pub parts: Vec<Part>,
    pub first: usize,
    pub last: usize,
    /// Number of low bits that earlier scans left undecoded and, below, that this one leaves.
    pub high: u32,
    pub low: u32,
}

/// Reads the segments of a file in order.
pub(super) struct Reader<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub options: &'a Options<'a>,
    quantisation: [Option<[u16; 64]>; 4],
    pub dc: [Option<Table>; 4],
    pub ac: [Option<Table>; 4],
    pub conditioning: Conditioning,
    pub restart: usize,
    is_jfif: bool,
    adobe: Option<u8>,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], options: &'a Options<'a>) -> Self {
        Self {
            bytes,
            at: 0,
            options,
            quantisation: [None; 4],
            dc: [const { None }; 4],
            ac: [const { None }; 4],
            conditioning: Conditioning::default(),
            restart: 0,
            is_jfif: false,
            adobe: None,
        }
    }

    /// Reads the tables of an abbreviated file.
    pub fn tables(&mut self, bytes: &'a [u8]) -> Result<(), Fault> {
        let mut tables = Reader::new(bytes, self.options);
        while let Some((code, payload)) = tables.segment()? {
            self.read_segment(code, payload)?;
        }
        Ok(())
    }

    /// The next marker with its payload; `None` at the end of the image or of the file.
    fn segment(&mut self) -> Result<Option<(u8, &'a [u8])>, Fault> {
        loop {
            let Some(rest) = self.bytes.get(self.at..) else {
                return Ok(None);
            };
            let Some(marker) = memchr::memchr(0xff, rest) else {
                return Ok(None);
            };
            self.at += marker;
            match self.bytes.get(self.at + 1) {
                None | Some(0xd9) => return Ok(None),
                Some(0xff) => self.at += 1,
                // Stuffed bytes, restart markers and start-of-image markers mean nothing here.
                Some(0x00 | 0x01 | 0xd0..=0xd8) => self.at += 2,
                Some(&code) => {
                    let start = self.at + 2;
                    let length = match self.bytes.get(start..start + 2) {
                        Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
                        _ => return Ok(None),
                    };
                    let payload = self
                        .bytes
                        .get(start + 2..start + length)
                        .ok_or(Fault::Damaged("a segment is cut off"))?;
                    self.at = start + length;
                    return Ok(Some((code, payload)));
                }
            }
        }
    }

    fn read_segment(&mut self, code: u8, payload: &[u8]) -> Result<(), Fault> {
        match code {
            0xdb => self.quantisation_tables(payload),
            0xc4 => self.huffman_tables(payload),
            0xcc => self.conditioning_tables(payload),
            0xdd => match payload {
                [high, low, ..] => {
                    self.restart = usize::from(u16::from_be_bytes([*high, *low]));
                    Ok(())
                }
                _ => Err(SHORT),
            },
            0xe0 => {
                self.is_jfif |= payload.starts_with(b"JFIF\0");
                Ok(())
            }
            0xee => {
                if payload.starts_with(b"Adobe") {
                    self.adobe = payload.get(11).copied();
                }
                Ok(())
            }
            0xde | 0xdf => Err(Fault::Unsupported("hierarchical coding")),
            _ => Ok(()),
        }
    }

    fn quantisation_tables(&mut self, mut payload: &[u8]) -> Result<(), Fault> {
        while let Some((&head, rest)) = payload.split_first() {
            let is_wide = head >> 4 != 0;
            let length = if is_wide { 128 } else { 64 };
            let (values, rest) = rest.split_at_checked(length).ok_or(SHORT)?;
            let mut table = [0; 64];
            for (k, &index) in ZIGZAG.iter().enumerate() {
                table[usize::from(index)] = if is_wide {
                    u16::from_be_bytes([values[2 * k], values[2 * k + 1]])
                } else {
                    u16::from(values[k])
                };
            }
            *self
                .quantisation
                .get_mut(usize::from(head & 15))
                .ok_or(SHORT)? = Some(table);
            payload = rest;
        }
        Ok(())
    }

    fn huffman_tables(&mut self, mut payload: &[u8]) -> Result<(), Fault> {
        while let Some((&head, rest)) = payload.split_first() {
            let (counts, rest) = rest.split_first_chunk().ok_or(SHORT)?;
            let number = counts.iter().map(|&count| usize::from(count)).sum();
            let (values, rest) = rest.split_at_checked(number).ok_or(SHORT)?;
            let tables = if head >> 4 == 0 {
                &mut self.dc
            } else {
                &mut self.ac
            };
            let table = tables.get_mut(usize::from(head & 15)).ok_or(SHORT)?;
            *table = Some(Table::new(*counts, values)?);
            payload = rest;
        }
        Ok(())
    }

    fn conditioning_tables(&mut self, payload: &[u8]) -> Result<(), Fault> {
        for pair in payload.chunks_exact(2) {
            let (table, value) = (usize::from(pair[0] & 15), pair[1]);
            let conditioning = &mut self.conditioning;
            if table > 3 {
                return Err(SHORT);
            }
            if pair[0] >> 4 == 0 {
                let (lower, upper) = (value & 15, value >> 4);
                conditioning.lower[table] = lower;
                conditioning.upper[table] = upper.max(lower);
            } else {
                conditioning.kx[table] = value;
            }
        }
        Ok(())
    }

    /// Reads everything up to the frame header. The picture has no memory for its rows yet.
    pub fn frame(&mut self) -> Result<Picture, Fault> {
        loop {
            let (code, payload) = self
                .segment()?
                .ok_or(Fault::Damaged("it has no frame header"))?;
            let process = |is_progressive, is_arithmetic| Process {
                is_progressive,
                is_arithmetic,
            };
            let process = match code {
                0xc0 | 0xc1 => process(false, false),
                0xc2 => process(true, false),
                0xc9 => process(false, true),
                0xca => process(true, true),
                0xc3 | 0xc7 | 0xcb | 0xcf => return Err(Fault::Unsupported("lossless coding")),
                0xc5 | 0xc6 | 0xcd | 0xce => {
                    return Err(Fault::Unsupported("hierarchical coding"));
                }
                0xf7 => return Err(Fault::Unsupported("JPEG-LS")),
                0xda => return Err(Fault::Damaged("it has no frame header")),
                _ => {
                    self.read_segment(code, payload)?;
                    continue;
                }
            };
            return self.picture(process, payload);
        }
    }

    fn picture(&self, process: Process, payload: &[u8]) -> Result<Picture, Fault> {
        let (&[bits, y0, y1, x0, x1, number], parts) = payload.split_first_chunk().ok_or(SHORT)?;
        if bits != 8 && bits != 12 {
            return Err(Fault::Unsupported("other than 8 or 12 bits a sample"));
        }
        let width = u32::from(u16::from_be_bytes([x0, x1]));
        let height = match u32::from(u16::from_be_bytes([y0, y1])) {
            0 => self
                .height_behind_scan()
                .ok_or(Fault::Damaged("its height is nowhere"))?,
            height => height,
        };
        if !(self.options.accepts_size)(width, height) {
            return Err(Fault::Refused);
        }
        let number = usize::from(number);
        let parts = parts.get(..3 * number).ok_or(SHORT)?;
        let sampling = |part: &[u8]| (usize::from(part[1] >> 4), usize::from(part[1] & 15));
        let mut factors = parts.chunks_exact(3).map(sampling);
        if !matches!(number, 1..=4)
            || width == 0
            || !factors.all(|(h, v)| (1..=4).contains(&h) && (1..=4).contains(&v))
        {
            return Err(Fault::Damaged("its frame header is invalid"));
        }
        let largest = |of: fn((usize, usize)) -> usize| {
            let factors = parts.chunks_exact(3).map(sampling);
            factors.map(of).max().unwrap_or(1)
        };
        let (h, v) = (largest(|(h, _)| h), largest(|(_, v)| v));
        let (mcus_wide, mcus_high) = (
            (width as usize).div_ceil(8 * h),
            (height as usize).div_ceil(8 * v),
        );
        let mut components = Vec::with_capacity(number);
        for part in parts.chunks_exact(3) {
            let (part_h, part_v) = sampling(part);
            components.push(Component {
                id: part[0],
                h: part_h,
                v: part_v,
                quantisation: usize::from(part[2]),
                table: None,
                width: (width as usize * part_h).div_ceil(h),
                height: (height as usize * part_v).div_ceil(v),
                blocks_wide: mcus_wide * part_h,
                coefficients: Vec::new(),
                nonzero: Vec::new(),
                samples: Vec::new(),
                known: vec![[UNKNOWN; 64]; mcus_high],
            });
        }
        Ok(Picture {
            process,
            bits: u32::from(bits),
            width,
            height,
            components,
            h,
            v,
            mcus_wide,
            mcus_high,
            held: 0..0,
        })
    }

    /// The height that a DNL segment after the first scan states.
    fn height_behind_scan(&self) -> Option<u32> {
        let mut at = self.at;
        loop {
            at += memchr::memmem::find(self.bytes.get(at..)?, b"\xff\xdc\0\x04")?;
            match self.bytes.get(at + 4..at + 6)? {
                [0, 0] => at += 4,
                height => return Some(u32::from(u16::from_be_bytes([height[0], height[1]]))),
            }
        }
    }

    /// Reads everything up to the next scan, and its header; `None` at the end of the picture.
    pub fn next_scan(&mut self, picture: &Picture) -> Result<Option<ScanHeader>, Fault> {
        while let Some((code, payload)) = self.segment()? {
            match code {
                0xda => return Self::scan_header(picture, payload).map(Some),
                0xc0..=0xcf if !matches!(code, 0xc4 | 0xc8 | 0xcc) => {
                    return Err(Fault::Damaged("it has two frame headers"));
                }
                _ => self.read_segment(code, payload)?,
            }
        }
        Ok(None)
    }

    fn scan_header(picture: &Picture, payload: &[u8]) -> Result<ScanHeader, Fault> {
        let (&number, rest) = payload.split_first().ok_or(SHORT)?;
        let (pairs, rest) = rest
            .split_at_checked(2 * usize::from(number))
            .ok_or(SHORT)?;
        let &[first, last, bits, ..] = rest else {
            return Err(SHORT);
        };
        let mut parts = Vec::new();
        for pair in pairs.chunks_exact(2) {
            let component = picture
                .components
                .iter()
                .position(|component| component.id == pair[0])
                .ok_or(INVALID_SCAN)?;
            let (dc, ac) = (usize::from(pair[1] >> 4), usize::from(pair[1] & 15));
            let is_twice = parts.iter().any(|part: &Part| part.component == component);
            if dc > 3 || ac > 3 || is_twice {
                return Err(INVALID_SCAN);
            }
            parts.push(Part { component, dc, ac });
        }
        let mut header = ScanHeader {
            parts,
            first: usize::from(first),
            last: usize::from(last),
            high: u32::from(bits >> 4),
            low: u32::from(bits & 15),
        };
        if !picture.process.is_progressive {
            (header.first, header.last, header.high, header.low) = (0, 63, 0, 0);
        }
        let is_dc = header.first == 0;
        let is_valid = !header.parts.is_empty()
            && header.last < 64
            && header.first <= header.last
            && header.low < 14
            && (header.high == 0 || header.high == header.low + 1)
            && (!picture.process.is_progressive
                || if is_dc {
                    header.last == 0
                } else {
                    header.parts.len() == 1
                });
        if is_valid {
            Ok(header)
        } else {
            Err(INVALID_SCAN)
        }
    }

    /// The quantisation table of a component that is in force at this point of the file.
    pub fn table_of(&self, component: &Component) -> Result<[u16; 64], Fault> {
        self.quantisation
            .get(component.quantisation)
            .copied()
            .flatten()
            .ok_or(Fault::Damaged("a quantisation table is missing"))
    }

    /// The colour model of the components, by the rules of libjpeg.
    pub fn colour(&self, picture: &Picture) -> Colour {
        let ids: Vec<u8> = picture.components.iter().map(|part| part.id).collect();
        match (ids.len(), self.adobe) {
            (1 | 2, _) => Colour::Grey,
            (3, _) if self.is_jfif => Colour::YCbCr,
            (3, Some(0)) => Colour::Rgb,
            (3, None) if ids == *b"RGB" => Colour::Rgb,
            (3, _) => Colour::YCbCr,
            (_, Some(2)) => Colour::Ycck(true),
            (_, adobe) => Colour::Cmyk(adobe.is_some()),
        }
    }
}

const SHORT: Fault = Fault::Damaged("a segment is too short");
const INVALID_SCAN: Fault = Fault::Damaged("the header of a scan is invalid");
