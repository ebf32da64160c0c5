//! The binary arithmetic decoder of ITU-T T.81, annex D, and the statistics of annexes F and G.

use super::Fault;

/// A statistics bin: the index of its probability state, and in the highest bit the more probable symbol.
pub(super) type Bin = u8;

/// A bin whose probability stays one half.
pub(super) const EVEN: Bin = 113;

/// Probability of the less probable symbol, next state after it and after the more probable one, and whether the
/// symbols exchange their roles (table D.3).
#[rustfmt::skip]
const STATES: [(u16, u8, u8, bool); 114] = [
    (0x5a1d, 1, 1, true), (0x2586, 14, 2, false), (0x1114, 16, 3, false), (0x080b, 18, 4, false),
    (0x03d8, 20, 5, false), (0x01da, 23, 6, false), (0x00e5, 25, 7, false), (0x006f, 28, 8, false),
    (0x0036, 30, 9, false), (0x001a, 33, 10, false), (0x000d, 35, 11, false), (0x0006, 9, 12, false),
    (0x0003, 10, 13, false), (0x0001, 12, 13, false), (0x5a7f, 15, 15, true), (0x3f25, 36, 16, false),
    (0x2cf2, 38, 17, false), (0x207c, 39, 18, false), (0x17b9, 40, 19, false), (0x1182, 42, 20, false),
    (0x0cef, 43, 21, false), (0x09a1, 45, 22, false), (0x072f, 46, 23, false), (0x055c, 48, 24, false),
    (0x0406, 49, 25, false), (0x0303, 51, 26, false), (0x0240, 52, 27, false), (0x01b1, 54, 28, false),
    (0x0144, 56, 29, false), (0x00f5, 57, 30, false), (0x00b7, 59, 31, false), (0x008a, 60, 32, false),
    (0x0068, 62, 33, false), (0x004e, 63, 34, false), (0x003b, 32, 35, false), (0x002c, 33, 9, false),
    (0x5ae1, 37, 37, true), (0x484c, 64, 38, false), (0x3a0d, 65, 39, false), (0x2ef1, 67, 40, false),
    (0x261f, 68, 41, false), (0x1f33, 69, 42, false), (0x19a8, 70, 43, false), (0x1518, 72, 44, false),
    (0x1177, 73, 45, false), (0x0e74, 74, 46, false), (0x0bfb, 75, 47, false), (0x09f8, 77, 48, false),
    (0x0861, 78, 49, false), (0x0706, 79, 50, false), (0x05cd, 48, 51, false), (0x04de, 50, 52, false),
    (0x040f, 50, 53, false), (0x0363, 51, 54, false), (0x02d4, 52, 55, false), (0x025c, 53, 56, false),
    (0x01f8, 54, 57, false), (0x01a4, 55, 58, false), (0x0160, 56, 59, false), (0x0125, 57, 60, false),
    (0x00f6, 58, 61, false), (0x00cb, 59, 62, false), (0x00ab, 61, 63, false), (0x008f, 61, 32, false),
    (0x5b12, 65, 65, true), (0x4d04, 80, 66, false), (0x412c, 81, 67, false), (0x37d8, 82, 68, false),
    (0x2fe8, 83, 69, false), (0x293c, 84, 70, false), (0x2379, 86, 71, false), (0x1edf, 87, 72, false),
    (0x1aa9, 87, 73, false), (0x174e, 72, 74, false), (0x1424, 72, 75, false), (0x119c, 74, 76, false),
    (0x0f6b, 74, 77, false), (0x0d51, 75, 78, false), (0x0bb6, 77, 79, false), (0x0a40, 77, 48, false),
    (0x5832, 80, 81, true), (0x4d1c, 88, 82, false), (0x438e, 89, 83, false), (0x3bdd, 90, 84, false),
    (0x34ee, 91, 85, false), (0x2eae, 92, 86, false), (0x299a, 93, 87, false), (0x2516, 86, 71, false),
    (0x5570, 88, 89, true), (0x4ca9, 95, 90, false), (0x44d9, 96, 91, false), (0x3e22, 97, 92, false),
    (0x3824, 99, 93, false), (0x32b4, 99, 94, false), (0x2e17, 93, 86, false), (0x56a8, 95, 96, true),
    (0x4f46, 101, 97, false), (0x47e5, 102, 98, false), (0x41cf, 103, 99, false), (0x3c3d, 104, 100, false),
    (0x375e, 99, 93, false), (0x5231, 105, 102, false), (0x4c0f, 106, 103, false), (0x4639, 107, 104, false),
    (0x415e, 103, 99, false), (0x5627, 105, 106, true), (0x50e7, 108, 107, false), (0x4b85, 109, 103, false),
    (0x5597, 110, 109, false), (0x504f, 111, 107, false), (0x5a10, 110, 111, true), (0x5522, 112, 109, false),
    (0x59eb, 112, 111, true), (0x5a1d, 113, 113, false),
];

/// The decoder of one restart interval.
pub(super) struct Decoder<'a> {
    bytes: &'a [u8],
    pub at: usize,
    /// The offset in the interval, with bits below it that are not yet used.
    code: u32,
    interval: u32,
    /// Number of unused bits; negative at the start.
    bits: i32,
    /// Zero bytes that were supplied after the end of a file that has no marker there.
    beyond: u32,
}

impl<'a> Decoder<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            code: 0,
            interval: 0,
            bits: -16,
            beyond: 0,
        }
    }

    /// Whether the file ended before the picture. An encoder may leave out zeros before a marker, but not
    /// before the end of the file.
    pub fn is_cut_off(&self) -> bool {
        self.beyond > 4
    }

    /// The next byte of coded data; zeros from the next marker on.
    fn byte(&mut self) -> u32 {
        match self.bytes.get(self.at..) {
            Some([0xff, 0, ..]) => {
                self.at += 2;
                0xff
            }
            Some([0xff, 0xff, ..]) => {
                // Fill bytes before a marker.
                self.at += 1;
                self.byte_behind_fill()
            }
            Some([0xff, _, ..]) => 0,
            Some([byte, ..]) if *byte != 0xff => {
                self.at += 1;
                u32::from(*byte)
            }
            _ => {
                self.beyond += 1;
                0
            }
        }
    }

    #[cold]
    fn byte_behind_fill(&mut self) -> u32 {
        while let Some([0xff, 0xff, ..]) = self.bytes.get(self.at..) {
            self.at += 1;
        }
        self.byte()
    }

    /// Decodes one binary decision.
    pub fn decide(&mut self, bin: &mut Bin) -> bool {
        while self.interval < 0x8000 {
            self.bits -= 1;
            if self.bits < 0 {
                self.code = (self.code << 8) | self.byte();
                self.bits += 8;
                if self.bits < 0 {
                    // The first two bytes.
                    self.bits += 1;
                    if self.bits == 0 {
                        self.interval = 0x8000;
                    }
                }
            }
            self.interval <<= 1;
        }
        let (probability, after_less, after_more, exchanges) = STATES[usize::from(*bin & 0x7f)];
        let symbol = *bin & 0x80;
        let probability = u32::from(probability);
        self.interval -= probability;
        let threshold = self.interval << self.bits;
        let is_lower = self.code < threshold;
        if !is_lower {
            self.code -= threshold;
        } else if self.interval >= 0x8000 {
            return symbol != 0;
        }
        // The larger part of the interval belongs to the more probable symbol, even if it is the upper one.
        let is_more_probable = is_lower != (self.interval < probability);
        if !is_lower {
            self.interval = probability;
        }
        if is_more_probable {
            *bin = symbol | after_more;
            symbol != 0
        } else {
            *bin = (symbol ^ (u8::from(exchanges) << 7)) | after_less;
            symbol == 0
        }
    }
}

/// The conditioning of a DAC segment: L and U of DC tables, K of AC tables.
#[derive(Clone, Copy)]
pub(super) struct Conditioning {
    pub lower: [u8; 4],
    pub upper: [u8; 4],
    pub kx: [u8; 4],
}

impl Default for Conditioning {
    fn default() -> Self {
        Self {
            lower: [0; 4],
            upper: [1; 4],
            kx: [5; 4],
        }
    }
}

/// The statistics of one restart interval.
pub(super) struct Statistics {
    dc: [[Bin; 64]; 4],
    ac: [[Bin; 256]; 4],
    even: Bin,
    pub conditioning: Conditioning,
}

impl Statistics {
    pub fn new(conditioning: Conditioning) -> Self {
        Self {
            dc: [[0; 64]; 4],
            ac: [[0; 256]; 4],
            even: EVEN,
            conditioning,
        }
    }

    /// Decodes the difference of a DC coefficient (F.2.4.1); `context` is that of the component's last one.
    pub fn dc_difference(
        &mut self,
        decoder: &mut Decoder<'_>,
        table: usize,
        context: &mut usize,
    ) -> Result<i32, Fault> {
        let bins = &mut self.dc[table];
        let at = *context;
        if !decoder.decide(&mut bins[at]) {
            *context = 0;
            return Ok(0);
        }
        let is_negative = decoder.decide(&mut bins[at + 1]);
        let mut bin = at + 2 + usize::from(is_negative);
        let mut magnitude = i32::from(decoder.decide(&mut bins[bin]));
        if magnitude != 0 {
            bin = 20;
            while decoder.decide(&mut bins[bin]) {
                magnitude <<= 1;
                if magnitude == 0x8000 {
                    return Err(DAMAGED);
                }
                bin += 1;
            }
        }
        let Conditioning { lower, upper, .. } = self.conditioning;
        *context = if magnitude < (1 << lower[table]) >> 1 {
            0
        } else if magnitude > (1 << upper[table]) >> 1 {
            12 + 4 * usize::from(is_negative)
        } else {
            4 + 4 * usize::from(is_negative)
        };
        let value = 1 + bits_below(decoder, magnitude, &mut bins[bin + 14]);
        Ok(if is_negative { -value } else { value })
    }

    /// Decodes the AC coefficients of a band that are not zero (F.2.4.2), and passes each with its index.
    pub fn ac(
        &mut self,
        decoder: &mut Decoder<'_>,
        table: usize,
        band: (usize, usize),
        mut set: impl FnMut(usize, i32),
    ) -> Result<(), Fault> {
        let (first, last) = band;
        let bins = &mut self.ac[table];
        let mut k = first;
        while k <= last {
            let mut bin = 3 * (k - 1);
            if decoder.decide(&mut bins[bin]) {
                break; // end of block
            }
            while !decoder.decide(&mut bins[bin + 1]) {
                bin += 3;
                k += 1;
                if k > last {
                    return Err(DAMAGED);
                }
            }
            let is_negative = decoder.decide(&mut self.even);
            bin += 2;
            let mut magnitude = i32::from(decoder.decide(&mut bins[bin]));
            if magnitude != 0 && decoder.decide(&mut bins[bin]) {
                magnitude = 2;
                let is_low = k <= usize::from(self.conditioning.kx[table]);
                bin = if is_low { 189 } else { 217 };
                while decoder.decide(&mut bins[bin]) {
                    magnitude <<= 1;
                    if magnitude == 0x8000 {
                        return Err(DAMAGED);
                    }
                    bin += 1;
                }
            }
            let value = 1 + bits_below(decoder, magnitude, &mut bins[bin + 14]);
            set(k, if is_negative { -value } else { value });
            k += 1;
        }
        Ok(())
    }

    /// Refines the AC coefficients of a band by one bit (G.1.3.3). The coefficients of `block` are in the order of
    /// their rows; `order` maps the index in the band to that.
    pub fn refine_ac(
        &mut self,
        decoder: &mut Decoder<'_>,
        table: usize,
        band: (usize, usize),
        bit: i16,
        block: &mut [i16; 64],
        order: &[u8; 64],
    ) -> Result<(), Fault> {
        let (first, last) = band;
        let index = |k: usize| usize::from(order[k]);
        let bins = &mut self.ac[table];
        let end = (first..=last).rev().find(|&k| block[index(k)] != 0);
        let mut k = first;
        while k <= last {
            let mut bin = 3 * (k - 1);
            if end.is_none_or(|end| k > end) && decoder.decide(&mut bins[bin]) {
                break; // end of block
            }
            loop {
                let value = &mut block[index(k)];
                if *value != 0 {
                    if decoder.decide(&mut bins[bin + 2]) {
                        *value = value.wrapping_add(if *value < 0 { -bit } else { bit });
                    }
                    break;
                }
                if decoder.decide(&mut bins[bin + 1]) {
                    let is_negative = decoder.decide(&mut self.even);
                    *value = if is_negative { -bit } else { bit };
                    break;
                }
                bin += 3;
                k += 1;
                if k > last {
                    return Err(DAMAGED);
                }
            }
            k += 1;
        }
        Ok(())
    }

    /// Decodes a bit of probability one half.
    pub fn even_bit(&mut self, decoder: &mut Decoder<'_>) -> bool {
        decoder.decide(&mut self.even)
    }
}

/// The bits of a magnitude below its highest one, all with the same bin.
fn bits_below(decoder: &mut Decoder<'_>, magnitude: i32, bin: &mut Bin) -> i32 {
    let mut value = magnitude;
    let mut bit = magnitude >> 1;
    while bit != 0 {
        if decoder.decide(bin) {
            value |= bit;
        }
        bit >>= 1;
    }
    value
}

const DAMAGED: Fault = Fault::Damaged("a coefficient is out of range");
