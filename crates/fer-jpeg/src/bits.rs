//! Reads the bits of a scan.

/// The entropy-coded data of a scan without stuffed bytes and restart markers.
#[derive(Debug, Clone)]
pub struct ScanData {
    bytes: Vec<u8>,
    /// The offset of each restart interval; that of the first one is 0.
    interval_starts: Vec<usize>,
}

/// Zeros after the data, so that whole words can be read up to the end of the data.
const PADDING: usize = 8;

impl ScanData {
    /// Copies the data of the scan at the start of `bytes`, and returns them with the offset of the marker that ends
    /// them. `None` if there is no such marker, or a restart marker is out of order.
    pub fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut data = Self {
            bytes: Vec::with_capacity(bytes.len() + PADDING),
            interval_starts: vec![0],
        };
        let mut at = 0;
        loop {
            let rest = bytes.get(at..)?;
            let ff = memchr::memchr(0xff, rest)?;
            data.bytes.extend_from_slice(&rest[..ff]);
            at += ff;
            match *bytes.get(at + 1)? {
                0 => data.bytes.push(0xff),
                code @ 0xd0..=0xd7 => {
                    if usize::from(code & 7) != (data.interval_starts.len() - 1) & 7 {
                        return None;
                    }
                    data.interval_starts.push(data.bytes.len());
                }
                _ => break,
            }
            at += 2;
        }
        data.bytes.extend([0; PADDING]);
        data.bytes.shrink_to_fit();
        Some((data, at))
    }

    /// Number of restart intervals.
    pub fn intervals(&self) -> usize {
        self.interval_starts.len()
    }

    /// The bit at which an interval begins. If `interval` is the number of intervals, the bit after the last one.
    pub fn interval_start(&self, interval: usize) -> u64 {
        let end = self.bytes.len() - PADDING;
        8 * self.interval_starts.get(interval).copied().unwrap_or(end) as u64
    }

    /// A reader that starts at a bit of the data.
    pub fn reader_at(&self, bit: u64) -> BitReader<'_> {
        let mut bits = BitReader {
            bytes: &self.bytes,
            next: (bit / 8) as usize,
            word: 0,
            left: 0,
        };
        bits.refill();
        bits.consume((bit % 8) as u32);
        bits
    }
}

/// Reads bits, the most significant first, and zeros after the end of the data.
#[derive(Debug, Clone)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    /// The offset of the next byte to be read.
    next: usize,
    /// The bits that were read but not consumed, from the highest bit on.
    word: u64,
    /// The number of these bits. Below them, `word` may have further bits of the next byte.
    left: u32,
}

impl BitReader<'_> {
    /// Reads bytes until `word` has at least 56 bits.
    #[inline(always)]
    pub fn refill(&mut self) {
        let word = match self.bytes.get(self.next..) {
            Some([a, b, c, d, e, f, g, h, ..]) => {
                u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])
            }
            _ => 0,
        };
        self.word |= word >> self.left;
        self.next += ((63 - self.left) >> 3) as usize;
        // Equal to adding eight times the number of whole bytes that fit.
        self.left |= 0x38;
    }

    /// Reads bytes if `word` has fewer than 32 bits.
    #[inline(always)]
    pub fn refill_if_low(&mut self) {
        if self.left < 32 {
            self.refill();
        }
    }

    /// The next `count` bits, 1 to 32, which must have been read.
    #[inline(always)]
    pub const fn peek(&self, count: u32) -> u32 {
        (self.word >> (64 - count)) as u32
    }

    /// The bits after the next `count` bits, from the highest bit of the word on. Only the low six bits of `count` are
    /// used.
    #[inline(always)]
    pub const fn peek_after(&self, count: u32) -> u64 {
        self.word << (count & 63)
    }

    /// Removes `count` bits, which must have been read. Only the low six bits of `count` are used.
    #[inline(always)]
    pub const fn consume(&mut self, count: u32) {
        self.word <<= count & 63;
        self.left = self.left.wrapping_sub(count) & 63;
    }

    /// Removes and returns `count` bits, 1 to 32, which must have been read.
    #[inline(always)]
    pub const fn take(&mut self, count: u32) -> u32 {
        let bits = self.peek(count);
        self.consume(count);
        bits
    }

    /// The position of the next bit.
    #[inline(always)]
    pub const fn position(&self) -> u64 {
        8 * self.next as u64 - self.left as u64
    }
}
