//! Converts unpacked samples to RGB.

use std::io::Read;

use image::RgbImage;

use super::lab::Lab;
use super::numbers::{Kind, Numbers};
use super::pieces::Place;
use super::tag;
use crate::error::Skip;
use crate::imaging::common_formats::blended;
use crate::imaging::inks::Inks;
use crate::imaging::limits::Task;
use crate::imaging::tiff_structure::Directory;

/// The colour model of a pixel's samples.
enum Colours {
    /// `true` if zero is white.
    Grey(bool),
    Rgb,
    Palette(Vec<[u8; 3]>),
    Cmyk(Option<Inks>),
    Lab(Lab),
    YCbCr {
        /// Luma samples per pair of colour differences, horizontally and vertically.
        unit: (usize, usize),
        /// For each component, the sample that means zero and the difference to that of its highest value.
        range: [(f32, f32); 3],
    },
}

impl Colours {
    /// As what kind of numbers samples of this many bits are read; `None` if these colours do not have them.
    fn kind(&self, kind: Kind, bits: usize) -> Option<Kind> {
        let is_unsigned = kind == Kind::Unsigned;
        let has = match self {
            Self::Grey(_) | Self::Rgb => true,
            Self::Cmyk(_) => is_unsigned,
            Self::Palette(_) => is_unsigned && bits <= 16,
            Self::YCbCr { .. } => is_unsigned && bits == 8,
            Self::Lab(_) => kind != Kind::Floating && matches!(bits, 8 | 16),
        };
        let kind = match self {
            // Whether a* and b* are signed is a matter of the colours, and L* is not.
            Self::Lab(_) => Kind::Unsigned,
            _ => kind,
        };
        (has && kind.has(bits)).then_some(kind)
    }
}

/// How the unpacked data of a piece become pixels.
pub(super) struct Converter {
    colours: Colours,
    numbers: Numbers,
    samples: usize,
    is_planar: bool,
    /// The index of the sample with the opacity, and whether the colours are multiplied by it.
    alpha: Option<(usize, bool)>,
}

impl Converter {
    pub fn of(task: &Task<'_>, directory: &Directory<'_>) -> Result<Self, Skip> {
        let samples = directory.number(tag::SAMPLES).unwrap_or(1);
        let bits = directory.number(tag::BITS).unwrap_or(1);
        for tag in [tag::BITS, tag::SAMPLE_FORMAT] {
            if directory
                .numbers(tag)
                .windows(2)
                .any(|pair| pair[0] != pair[1])
            {
                return Err(task.unsupported("samples of several kinds in one pixel"));
            }
        }
        let is_planar = directory.number(tag::PLANAR) == Some(2) && samples > 1;
        let photometric = directory.number(tag::PHOTOMETRIC).unwrap_or(1);
        let (colours, needed) = match photometric {
            0 | 1 => (Colours::Grey(photometric == 0), 1),
            2 => (Colours::Rgb, 3),
            3 => (Colours::Palette(palette(directory)), 1),
            5 => (Colours::Cmyk(super::inks(directory)), 4),
            6 => (differences(directory), 3),
            8 | 9 => (Colours::Lab(Lab::new(photometric == 9, bits)), 3),
            other => return Err(task.unsupported(format!("colours of kind {other}"))),
        };
        let is_subsampled = matches!(colours, Colours::YCbCr { .. });
        let is_predicted = directory
            .number(tag::PREDICTOR)
            .is_some_and(|kind| kind != 1);
        if matches!(colours, Colours::YCbCr { unit, .. } if unit != (1, 1)) && is_predicted {
            return Err(task.unsupported("a predictor of subsampled colours"));
        }
        let kind = Kind::of(directory).and_then(|kind| colours.kind(kind, bits));
        let Some(kind) = kind.filter(|_| !is_subsampled || !is_planar && samples == 3) else {
            return Err(task.unsupported(format!("{bits} bits a sample of these colours")));
        };
        if samples < needed || samples > 16 {
            return Err(task.damaged("it has another number of samples than its colours need"));
        }
        Ok(Self {
            colours,
            numbers: Numbers::of(task, directory, kind, bits)?,
            samples,
            is_planar,
            alpha: match directory.number(tag::EXTRA_SAMPLES) {
                Some(kind @ (1 | 2)) if samples > needed => Some((needed, kind == 1)),
                _ => None,
            },
        })
    }

    /// Whether a pixel of a piece is one bit.
    pub fn is_bits(&self) -> bool {
        self.numbers.stored_bits() * self.samples_of_plane() == 1
    }

    /// The number of planes, each with pieces of its own.
    pub fn planes(&self) -> usize {
        if self.is_planar { self.samples } else { 1 }
    }

    fn samples_of_plane(&self) -> usize {
        if self.is_planar { 1 } else { self.samples }
    }

    /// The length in bytes of a line of the data of a piece.
    pub fn row_bytes(&self, width: usize) -> usize {
        if let Colours::YCbCr { unit: (h, v), .. } = self.colours {
            return width.div_ceil(h) * (h * v + 2);
        }
        (width * self.numbers.stored_bits() * self.samples_of_plane()).div_ceil(8)
    }

    /// The number of lines of data for this number of rows.
    pub fn lines(&self, rows: usize) -> usize {
        rows.div_ceil(self.rows_of_line())
    }

    /// The number of rows in a line of data.
    fn rows_of_line(&self) -> usize {
        match self.colours {
            Colours::YCbCr { unit: (_, v), .. } => v,
            _ => 1,
        }
    }

    /// Writes the pixels of a piece of `width` × `rows` at its place; what extends beyond the picture is left out.
    pub fn paste(
        &self,
        task: &Task<'_>,
        planes: &mut [Box<dyn Read + '_>],
        place: &Place,
        (width, rows): (usize, usize),
        pixels: &mut RgbImage,
    ) -> Result<(), Skip> {
        let right = (pixels.width() - place.x).min(width as u32) as usize;
        let below = (pixels.height() - place.y).min(rows as u32) as usize;
        let stride = 3 * pixels.width() as usize;
        let start = 3 * place.x as usize;
        let high = self.rows_of_line();
        let mut lines = vec![vec![0; self.row_bytes(width)]; planes.len()];
        let mut samples = vec![Vec::new(); planes.len()];
        for line in 0..self.lines(rows) {
            task.check_time()?;
            for (plane, line) in planes.iter_mut().zip(&mut lines) {
                plane
                    .read_exact(line)
                    .map_err(|_| task.damaged("its data end before the picture is complete"))?;
            }
            for y in line * high..((line + 1) * high).min(below) {
                let at = (place.y as usize + y) * stride + start;
                let row = (**pixels)[at..at + 3 * right].as_chunks_mut().0;
                self.convert(&mut lines, &mut samples, y % high, row);
            }
        }
        Ok(())
    }

    /// The pixels of a row from the lines of data that contain it; it is `below` rows below their first.
    fn convert(
        &self,
        lines: &mut [Vec<u8>],
        samples: &mut [Vec<u32>],
        below: usize,
        row: &mut [[u8; 3]],
    ) {
        if let Colours::YCbCr { unit, range } = &self.colours {
            // The predictor is undone in place. Only colours without subsampling have one, so each line is converted
            // once.
            self.numbers.undo_before(&mut lines[0], self.samples);
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = of_differences(&lines[0], *unit, range, (x, below));
            }
            return;
        }
        if matches!(self.colours, Colours::Rgb)
            && self.numbers.are_bytes()
            && (self.is_planar, self.alpha) == (false, None)
        {
            let line = &mut lines[0];
            self.numbers.undo_before(line, self.samples);
            for (pixel, samples) in row.iter_mut().zip(line.chunks_exact(self.samples)) {
                pixel.copy_from_slice(&samples[..3]);
            }
            return;
        }
        for (line, samples) in lines.iter_mut().zip(&mut *samples) {
            self.numbers.read(line, self.samples_of_plane(), samples);
        }
        let sample = |x: usize, index: usize| {
            if self.is_planar {
                samples[index][x]
            } else {
                samples[0][x * self.samples + index]
            }
        };
        if let Colours::Cmyk(Some(inks)) = &self.colours {
            let level = |x, index| self.level(sample(x, index));
            let amounts = (0..row.len()).map(|x| [0, 1, 2, 3].map(|ink| level(x, ink)));
            inks.convert(&amounts.collect::<Vec<_>>(), row);
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = self.on_white(*pixel, |index| sample(x, index));
            }
            return;
        }
        for (x, pixel) in row.iter_mut().enumerate() {
            *pixel = self.colour(|index| sample(x, index));
        }
    }

    /// A sample as one of 8 bits.
    fn level(&self, sample: u32) -> u8 {
        let highest = (1_u32 << self.numbers.bits()) - 1;
        ((sample * 255 + highest / 2) / highest) as u8
    }

    fn colour(&self, sample: impl Fn(usize) -> u32) -> [u8; 3] {
        let colour = self.opaque(&sample, |index| self.level(sample(index)));
        self.on_white(colour, sample)
    }

    /// The colour of a pixel, which may be transparent.
    fn on_white(&self, colour: [u8; 3], sample: impl Fn(usize) -> u32) -> [u8; 3] {
        let Some((index, is_multiplied)) = self.alpha else {
            return colour;
        };
        blended(colour, self.level(sample(index)), is_multiplied)
    }

    fn opaque(&self, sample: impl Fn(usize) -> u32, level: impl Fn(usize) -> u8) -> [u8; 3] {
        match &self.colours {
            Colours::Grey(true) => [255 - level(0); 3],
            // The differences are converted line by line.
            Colours::Grey(false) | Colours::YCbCr { .. } => [level(0); 3],
            Colours::Rgb => [level(0), level(1), level(2)],
            Colours::Palette(colours) => {
                colours.get(sample(0) as usize).copied().unwrap_or_default()
            }
            Colours::Lab(lab) => lab.rgb([0, 1, 2].map(sample)),
            Colours::Cmyk(_) => {
                let light = |index: usize| u32::from(255 - level(index));
                [0, 1, 2].map(|ink| ((light(ink) * light(3) + 127) / 255) as u8)
            }
        }
    }
}

/// The colours of a palette: all reds, all greens, all blues, of 16 bits each.
fn palette(directory: &Directory<'_>) -> Vec<[u8; 3]> {
    let values = directory.numbers(tag::COLOUR_MAP);
    let number = values.len() / 3;
    // Some programs write values of eight bits.
    let shift = if values.iter().all(|&value| value < 256) {
        0
    } else {
        8
    };
    (0..number)
        .map(|index| [0, 1, 2].map(|plane| (values[plane * number + index] >> shift) as u8))
        .collect()
}

/// What the tags say about luma and colour differences.
fn differences(directory: &Directory<'_>) -> Colours {
    let unit = match directory.numbers(tag::SUBSAMPLING)[..] {
        [h @ (1 | 2 | 4), v @ (1 | 2 | 4)] => (h, v),
        _ => (2, 2),
    };
    let mut range = [(0.0, 255.0), (128.0, 127.0), (128.0, 127.0)];
    let values = directory.rationals(tag::REFERENCE_BLACK_WHITE);
    if let [y0, y1, cb0, cb1, cr0, cr1] = values[..]
        && y1 > y0
        && cb1 > cb0
        && cr1 > cr0
    {
        range = [(y0, y1 - y0), (cb0, cb1 - cb0), (cr0, cr1 - cr0)];
    }
    Colours::YCbCr { unit, range }
}

/// A pixel of a line of units, each of which is its luma samples and one pair of differences.
fn of_differences(
    line: &[u8],
    (h, v): (usize, usize),
    range: &[(f32, f32); 3],
    (x, y): (usize, usize),
) -> [u8; 3] {
    let unit = &line[x / h * (h * v + 2)..][..h * v + 2];
    let sample =
        |value: u8, (zero, span): (f32, f32), scale: f32| (f32::from(value) - zero) * scale / span;
    let luma = sample(unit[y * h + x % h], range[0], 255.0);
    let blue = sample(unit[h * v], range[1], 127.0);
    let red = sample(unit[h * v + 1], range[2], 127.0);
    // ITU-R BT.601, which all writers use.
    [
        luma + 1.402 * red,
        luma - 0.344_136 * blue - 0.714_136 * red,
        luma + 1.772 * blue,
    ]
    .map(|value| value.round().clamp(0.0, 255.0) as u8)
}
