//! Borders of countries, regions, islands and natural regions: finds those that contain a point. See
//! `assets/places/README.md` for the data.
//!
//! Countries and regions are one *coverage*: their areas, the *units*, do not overlap, and each border is stored once,
//! with the unit on either side. So the unit of a point is the one on the near side of the first border that a ray from
//! the point meets. Enclaves and very small countries have separate outlines, which are tested first. Islands and
//! natural regions may overlap, and are separate rings.

mod lines;
mod reader;

#[cfg(test)]
mod tests;

use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;

use crate::photo::GeoPoint;

use lines::{Lines, Near};
use reader::Reader;

const DATA: &[u8] = include_bytes!("../assets/places/borders.bin.gz");

/// Largest distance in km from a coast at which a point at sea belongs to it: twelve nautical miles, the breadth of the
/// territorial sea.
const AT_SEA: f64 = 22.224;

/// The number of the side of a border on which is the sea instead of a unit.
const SEA: u32 = 0;

/// All borders.
#[derive(Debug)]
pub struct Borders {
    /// The codes of each unit, separated by spaces; the first unit has the number 1.
    units: Vec<String>,
    /// The borders between units, and the coasts.
    between: Lines,
    /// The units on the left and the right of each line of `between`.
    sides: Vec<[u32; 2]>,
    /// The outlines of enclaves and very small countries, which are inside units.
    enclaves: Lines,
    /// The unit of each enclave.
    enclave_of: Vec<u32>,
    /// The codes of the islands and natural regions.
    natural: Vec<String>,
    /// Their rings.
    rings: Lines,
    /// The region to which each ring belongs, an index into `natural`.
    ring_of: Vec<u32>,
}

impl Borders {
    /// The borders that are embedded in the binary. The first call in a process unpacks them.
    pub fn get() -> &'static Self {
        static BORDERS: LazyLock<Borders> = LazyLock::new(Borders::unpack);
        &BORDERS
    }

    fn unpack() -> Self {
        let mut bytes = Vec::new();
        GzDecoder::new(DATA)
            .read_to_end(&mut bytes)
            .expect("the embedded data are valid");
        let mut reader = Reader::new(&bytes);
        let units = (0..reader.number()).map(|_| reader.text()).collect();
        let (mut between, mut sides) = (Lines::default(), Vec::new());
        for _ in 0..reader.number() {
            sides.push([reader.number(), reader.number()]);
            between.push(&reader.line());
        }
        let (mut enclaves, mut enclave_of) = (Lines::default(), Vec::new());
        for _ in 0..reader.number() {
            enclave_of.push(reader.number());
            enclaves.push(&reader.line());
        }
        let (mut natural, mut rings, mut ring_of) = (Vec::new(), Lines::default(), Vec::new());
        for number in 0..reader.number() {
            natural.push(reader.text());
            for _ in 0..reader.number() {
                ring_of.push(number);
                rings.push(&reader.line());
            }
        }
        Self {
            units,
            between,
            sides,
            enclaves,
            enclave_of,
            natural,
            rings,
            ring_of,
        }
    }

    /// The codes of all areas that contain a point, separated by spaces: first its region, the region around that one
    /// and the country, then continents and other unions, then islands and natural regions. A point at sea belongs to
    /// the nearest coast within twelve nautical miles. Empty on the high seas.
    pub fn areas(&self, at: GeoPoint) -> String {
        let mut ashore = at;
        let mut unit = self.unit_at(at);
        if unit == SEA
            && let Some(coast) = self.between.nearest(at, AT_SEA)
        {
            let [left, right] = self.sides[coast.line];
            unit = left.max(right);
            ashore = coast.at;
        }
        let mut codes = match unit {
            SEA => String::new(),
            number => self.units[number as usize - 1].clone(),
        };
        for natural in self.natural_at(ashore) {
            if !codes.is_empty() {
                codes.push(' ');
            }
            codes.push_str(natural);
        }
        codes
    }

    /// The codes of every unit, and of every island and natural region; those of a unit are separated by spaces.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.units.iter().chain(&self.natural).map(String::as_str)
    }

    /// The number of the unit that contains a point.
    fn unit_at(&self, at: GeoPoint) -> u32 {
        let mut inside = Vec::new();
        self.enclaves.crossed_to_the_east(at, |line| {
            match inside.iter().position(|other| *other == line) {
                Some(known) => _ = inside.swap_remove(known),
                None => inside.push(line),
            }
        });
        if let Some(enclave) = inside.first() {
            return self.enclave_of[*enclave];
        }
        let border = self.between.first_to_the_east(at);
        border.map_or(SEA, |Near { line, is_left, .. }| {
            self.sides[line][usize::from(!is_left)]
        })
    }

    /// The islands and natural regions that contain a point, by the even-odd rule.
    fn natural_at(&self, at: GeoPoint) -> Vec<&str> {
        let mut crossed = vec![false; self.natural.len()];
        self.rings.crossed_to_the_east(at, |line| {
            let region = &mut crossed[self.ring_of[line] as usize];
            *region = !*region;
        });
        let inside = crossed.iter().zip(&self.natural);
        inside
            .filter(|(is_inside, _)| **is_inside)
            .map(|(_, code)| code.as_str())
            .collect()
    }
}

/// The country among the codes of [`Borders::areas`], by its ISO 3166 code.
pub fn country_in(codes: &str) -> Option<&str> {
    codes
        .split(' ')
        .find(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
}
