//! The headers of BMP: those of Windows, and those of OS/2 2.x, which are nearly the same and may end after any field.

/// Length in bytes of the file header and, below, of the oldest header of Windows (`BITMAPINFOHEADER`).
pub(super) const FILE_HEADER: usize = 14;
pub(super) const INFO_HEADER: usize = 40;

/// What a header says.
pub(super) struct Header {
    pub width: u32,
    pub height: u32,
    /// Whether the first row of the file is the upper one.
    pub is_top_down: bool,
    /// Bits per pixel.
    pub bits: u16,
    /// The number of the compression, which means something else in OS/2.
    pub compression: u32,
    pub is_of_os2: bool,
    /// The offset of what follows the header: masks or the palette.
    pub end: usize,
    /// The offset of the rows.
    pub rows: usize,
    /// How many colours the palette has; 0 for as many as there can be.
    colours: u32,
}

impl Header {
    /// The header of a file; `None` if there is none, or the shortest one of all, whose fields are different.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            let four = bytes.get(at..)?.first_chunk()?;
            Some(u32::from_le_bytes(*four))
        };
        let length = usize::try_from(number(FILE_HEADER)?).ok()?;
        (16..=4096).contains(&length).then_some(())?;
        let end = FILE_HEADER + length;
        let field = |at: usize| if at + 4 <= end { number(at) } else { Some(0) };
        let height = field(22)?.cast_signed();
        Some(Self {
            width: field(18)?,
            height: height.unsigned_abs(),
            is_top_down: height < 0,
            bits: (number(26)? >> 16) as u16,
            compression: field(30)?,
            // These lengths are those of later headers of Windows.
            is_of_os2: length <= 64 && ![INFO_HEADER, 52, 56].contains(&length),
            end,
            rows: usize::try_from(number(10)?).ok()?,
            colours: field(46)?,
        })
    }

    /// The bytes of the palette: blue, green, red and nothing for each colour.
    pub fn palette<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let most = 1 << self.bits.min(8);
        let number = match self.colours as usize {
            0 => most,
            number => number.min(most),
        };
        let end = (self.end + 4 * number).min(self.rows).min(bytes.len());
        bytes.get(self.end..end).unwrap_or_default()
    }
}
