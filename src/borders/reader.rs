//! Reads the program's own data, see `Writer` in `assets/places/make_borders.py`.

/// Reads numbers of variable length, texts and lines.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// A number: seven bits per byte, the lowest first; the highest bit of a byte is set if another one follows.
    pub fn number(&mut self) -> u32 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = self.rest[0];
            self.rest = &self.rest[1..];
            number |= u32::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        number
    }

    /// A signed number: 0, −1, 1, −2 and so on.
    fn signed(&mut self) -> i32 {
        let number = self.number();
        (number >> 1) as i32 ^ -((number & 1) as i32)
    }

    /// A text, after its length in bytes.
    pub fn text(&mut self) -> String {
        let length = self.number() as usize;
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    /// A line, after its number of points: longitude and latitude of each, as the difference from the one before.
    pub fn line(&mut self) -> Vec<[i32; 2]> {
        let mut point = [0, 0];
        let length = self.number();
        let points = (0..length).map(|_| {
            point = [point[0] + self.signed(), point[1] + self.signed()];
            point
        });
        points.collect()
    }
}
