//! The segments of a JPEG: frame, scans, tables (ITU-T T.81, annex B).
//!
//! The reader is strict: whatever another decoder might interpret differently is an error here.

use crate::error::{Error, Result};
use crate::huffman::Table;

/// Most components of a supported picture: luma and two of chroma.
pub const COMPONENTS: usize = 3;

/// The natural position (row × 8 + column) of each coefficient in the order in which it is coded.
pub const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A component of the picture.
#[derive(Debug, Clone, Copy)]
pub struct Component {
    id: u8,
    /// Blocks of a minimum coded unit (MCU), across and down.
    pub blocks: (usize, usize),
    /// How many pixels of the picture a sample covers, across and down.
    pub subsampling: (usize, usize),
    /// The number of its quantisation table.
    quantisation: usize,
}

/// The frame header.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Whether the coefficients come in several scans.
    pub is_progressive: bool,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Its components: luma alone, or luma, blue difference and red difference.
    pub components: Vec<Component>,
    /// MCUs of an interleaved scan, across and down.
    pub mcus: (usize, usize),
}

impl Frame {
    /// Pixels of an MCU, across and down.
    pub fn mcu_size(&self) -> (usize, usize) {
        let luma = &self.components[0];
        (
            8 * luma.blocks.0 * luma.subsampling.0,
            8 * luma.blocks.1 * luma.subsampling.1,
        )
    }

    /// Blocks of a component that show a part of the picture, across and down: the MCUs of a scan with only this
    /// component.
    pub fn shown_blocks(&self, component: usize) -> (usize, usize) {
        let (across, down) = self.components[component].subsampling;
        (
            self.width.div_ceil(8 * across),
            self.height.div_ceil(8 * down),
        )
    }
}

/// The tables in force at a scan.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    quantisation: [Option<Box<[u16; 64]>>; 4],
    dc: [Option<Box<Table>>; 4],
    ac: [Option<Box<Table>>; 4],
    /// MCUs between two restart markers; 0 without them.
    pub restart_interval: usize,
}

impl Tables {
    /// The table of a scan's component for its DC coefficients.
    pub fn dc(&self, of: &ScanComponent) -> Result<&Table> {
        table(&self.dc, of.dc)
    }

    /// The table of a scan's component for its other coefficients.
    pub fn ac(&self, of: &ScanComponent) -> Result<&Table> {
        table(&self.ac, of.ac)
    }

    /// The quantisation table of a component, in natural order.
    pub fn quantisation(&self, component: &Component) -> Result<[u16; 64]> {
        let table = self.quantisation.get(component.quantisation);
        let table = table.and_then(Option::as_deref).copied();
        table.ok_or(Error::Irregular("a quantisation table is missing"))
    }
}

fn table(tables: &[Option<Box<Table>>; 4], index: usize) -> Result<&Table> {
    let table = tables.get(index).and_then(Option::as_deref);
    table.ok_or(Error::Irregular("a Huffman table is missing"))
}

/// A component in a scan.
#[derive(Debug, Clone, Copy)]
pub struct ScanComponent {
    /// Its index in the frame.
    pub index: usize,
    dc: usize,
    ac: usize,
}

/// The header of a scan.
#[derive(Debug, Clone)]
pub struct ScanHeader {
    /// The components, in the order of the frame.
    pub components: Vec<ScanComponent>,
    /// First and last coefficient, in the order in which they are coded.
    pub band: (usize, usize),
    /// The lowest bit position that earlier scans decoded (`Ah`); 0 in the first scan of the coefficients.
    pub high: u32,
    /// The lowest bit position that this scan decodes (`Al`).
    pub low: u32,
}

/// What follows in a file.
pub enum Next {
    /// The data of a scan.
    Scan(ScanHeader),
    /// The end-of-image marker.
    End,
}

/// Reads a file's segments.
pub struct Segments<'a> {
    bytes: &'a [u8],
    /// The offset of the next marker.
    pub at: usize,
    /// The frame, after it was read.
    pub frame: Option<Frame>,
    /// The tables read so far.
    pub tables: Tables,
    /// The colour transform that an Adobe segment names.
    transform: Option<u8>,
}

impl<'a> Segments<'a> {
    /// A reader of a file, which must begin with a start-of-image marker.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        if !bytes.starts_with(b"\xff\xd8") {
            return Err(Error::Irregular("it does not begin as a JPEG"));
        }
        Ok(Self {
            bytes,
            at: 2,
            frame: None,
            tables: Tables::default(),
            transform: None,
        })
    }

    /// Reads up to the data of the next scan, or the end of the image.
    pub fn next(&mut self) -> Result<Next> {
        loop {
            let code = self.marker()?;
            if code == 0xd9 {
                return Ok(Next::End);
            }
            if matches!(code, 0x00..=0xbf | 0xd0..=0xd8) {
                return Err(Error::Irregular("a marker is where a segment should be"));
            }
            let segment = self.segment()?;
            match code {
                0xc0..=0xc2 => self.read_frame(code, segment)?,
                0xc4 => self.read_huffman(segment)?,
                0xc3 | 0xc5..=0xcf => return Err(Error::Unsupported("this coding process")),
                0xda => return self.scan_header(segment).map(Next::Scan),
                0xdb => self.read_quantisation(segment)?,
                0xdd => {
                    let Ok(interval) = <[u8; 2]>::try_from(segment) else {
                        return Err(Error::Irregular("the restart interval has another length"));
                    };
                    self.tables.restart_interval = usize::from(u16::from_be_bytes(interval));
                }
                0xdc => return Err(Error::Unsupported("a height that follows the first scan")),
                0xe0 if segment.starts_with(b"AVI1") => {
                    return Err(Error::Unsupported("a frame of a video"));
                }
                0xee => self.read_adobe(segment)?,
                // Other application segments and comments do not affect the pixels.
                0xe0..=0xef | 0xfe => {}
                _ => return Err(Error::Unsupported("a segment of an extension")),
            }
        }
    }

    /// Returns the code of the marker at the position, and moves past it.
    fn marker(&mut self) -> Result<u8> {
        let missing = Error::Irregular("a marker is missing");
        if self.bytes.get(self.at) != Some(&0xff) {
            return Err(missing);
        }
        // Any number of fill bytes may precede the code.
        let rest = &self.bytes[self.at..];
        let fill = rest.iter().position(|&byte| byte != 0xff).ok_or(missing)?;
        self.at += fill + 1;
        Ok(rest[fill])
    }

    /// Returns the content of the segment at the position, and moves past it.
    fn segment(&mut self) -> Result<&'a [u8]> {
        let cut = Error::Irregular("a segment ends beyond the file");
        let rest = self.bytes.get(self.at..).ok_or(cut)?;
        let (length, _) = rest.split_first_chunk::<2>().ok_or(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let segment = rest.get(2..length).ok_or(cut)?;
        self.at += length;
        Ok(segment)
    }

    fn read_frame(&mut self, code: u8, segment: &[u8]) -> Result<()> {
        let bad = Error::Irregular("the frame header is inconsistent");
        if self.frame.is_some() {
            return Err(Error::Irregular("it has two frame headers"));
        }
        let ([bits, h1, h0, w1, w0, count], parts) = segment.split_first_chunk().ok_or(bad)?;
        if *bits != 8 {
            return Err(Error::Unsupported("more than eight bits per sample"));
        }
        let height = usize::from(u16::from_be_bytes([*h1, *h0]));
        let width = usize::from(u16::from_be_bytes([*w1, *w0]));
        if width == 0 || height == 0 {
            return Err(Error::Unsupported("a height that follows the first scan"));
        }
        if parts.len() != 3 * usize::from(*count) {
            return Err(bad);
        }
        if !matches!(count, 1 | 3) {
            return Err(Error::Unsupported("this number of components"));
        }
        let mut components: Vec<_> = parts
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&[id, sampling, quantisation]| Component {
                id,
                blocks: (usize::from(sampling >> 4), usize::from(sampling & 15)),
                subsampling: (1, 1),
                quantisation: usize::from(quantisation),
            })
            .collect();
        if components.iter().map(|c| c.id).eq(*b"RGB") {
            return Err(Error::Unsupported("a picture coded as red, green and blue"));
        }
        for (index, component) in components.iter().enumerate() {
            if component.blocks.0 == 3 || component.blocks.1 == 3 {
                return Err(Error::Unsupported("this sampling"));
            }
            let is_valid = |factor: usize| (1..=4).contains(&factor);
            let is_repeated = components[..index].iter().any(|c| c.id == component.id);
            if !is_valid(component.blocks.0) || !is_valid(component.blocks.1) || is_repeated {
                return Err(bad);
            }
        }
        if let [only] = &mut components[..] {
            // Sampling factors are relative to other components, so those of a single one have no meaning.
            only.blocks = (1, 1);
        }
        let (across, down) = components[0].blocks;
        for component in &mut components {
            let (h, v) = component.blocks;
            if !matches!(across.checked_rem(h), Some(0)) || !matches!(down.checked_rem(v), Some(0))
            {
                return Err(Error::Unsupported("this sampling"));
            }
            component.subsampling = (across / h, down / v);
            if !matches!(component.subsampling, (1 | 2 | 4, 1 | 2 | 4)) {
                return Err(Error::Unsupported("this sampling"));
            }
        }
        if components
            .iter()
            .map(|c| c.blocks.0 * c.blocks.1)
            .sum::<usize>()
            > 10
        {
            return Err(bad);
        }
        self.frame = Some(Frame {
            is_progressive: code == 0xc2,
            width,
            height,
            components,
            mcus: (width.div_ceil(8 * across), height.div_ceil(8 * down)),
        });
        Ok(())
    }

    fn read_quantisation(&mut self, mut segment: &[u8]) -> Result<()> {
        let bad = Error::Irregular("a quantisation table is inconsistent");
        while let Some((&head, rest)) = segment.split_first() {
            let values: Vec<u16>;
            (values, segment) = match head >> 4 {
                0 => {
                    let (bytes, rest) = rest.split_at_checked(64).ok_or(bad)?;
                    (bytes.iter().map(|&byte| u16::from(byte)).collect(), rest)
                }
                1 => {
                    let (bytes, rest) = rest.split_at_checked(128).ok_or(bad)?;
                    let words = bytes.as_chunks().0.iter();
                    (words.map(|word| u16::from_be_bytes(*word)).collect(), rest)
                }
                _ => return Err(bad),
            };
            let mut table = Box::new([0; 64]);
            for (value, &position) in values.into_iter().zip(&ZIGZAG) {
                table[usize::from(position)] = value;
            }
            let slot = self.tables.quantisation.get_mut(usize::from(head & 15));
            *slot.ok_or(bad)? = Some(table);
        }
        Ok(())
    }

    fn read_huffman(&mut self, mut segment: &[u8]) -> Result<()> {
        let bad = Error::Irregular("a Huffman table is inconsistent");
        while let Some((&head, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(bad)?;
            let symbols = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(symbols).ok_or(bad)?;
            segment = rest;
            let (tables, table) = match head >> 4 {
                0 => (&mut self.tables.dc, Table::dc(counts, symbols)?),
                1 => (&mut self.tables.ac, Table::ac(counts, symbols)?),
                _ => return Err(bad),
            };
            *tables.get_mut(usize::from(head & 15)).ok_or(bad)? = Some(Box::new(table));
        }
        Ok(())
    }

    fn read_adobe(&mut self, segment: &[u8]) -> Result<()> {
        if segment.starts_with(b"Adobe") {
            let transform = segment.get(11);
            self.transform = Some(*transform.ok_or(Error::Irregular("the Adobe segment is cut"))?);
        }
        Ok(())
    }

    fn scan_header(&self, segment: &[u8]) -> Result<ScanHeader> {
        let bad = Error::Irregular("a scan header is inconsistent");
        let frame = self.frame.as_ref().ok_or(bad)?;
        if self.transform.is_some_and(|transform| transform != 1) {
            return Err(Error::Unsupported("this colour transform"));
        }
        let (&count, rest) = segment.split_first().ok_or(bad)?;
        let count = usize::from(count);
        let (parts, rest) = rest.split_at_checked(2 * count).ok_or(bad)?;
        let &[first, last, approximation] = rest else {
            return Err(bad);
        };
        let mut components = Vec::with_capacity(count);
        for &[id, tables] in parts.as_chunks::<2>().0 {
            // Checked even if the scan does not need the table.
            if tables & 0xcc != 0 {
                return Err(Error::Irregular("a Huffman table is missing"));
            }
            let index = frame.components.iter().position(|c| c.id == id);
            components.push(ScanComponent {
                index: index.ok_or(bad)?,
                dc: usize::from(tables >> 4),
                ac: usize::from(tables & 15),
            });
        }
        let in_order = components.is_sorted_by(|a, b| a.index < b.index);
        if components.is_empty() || !in_order {
            return Err(bad);
        }
        let (first, last) = (usize::from(first), usize::from(last));
        let (high, low) = (u32::from(approximation >> 4), u32::from(approximation & 15));
        let is_whole = (first, last, high, low) == (0, 63, 0, 0);
        let is_part = if first == 0 {
            last == 0
        } else {
            first <= last && last < 64 && components.len() == 1
        };
        let is_refined = low <= 13 && (high == 0 || high == low + 1);
        if !(if frame.is_progressive {
            is_part && is_refined
        } else {
            is_whole
        }) {
            return Err(bad);
        }
        Ok(ScanHeader {
            components,
            band: (first, last),
            high,
            low,
        })
    }
}
