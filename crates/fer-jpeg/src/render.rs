//! Makes pixels from blocks, row of units by row of units.

use std::ops::Range;

use pulp::NullaryFnOnce;

use crate::colour;
use crate::error::Result;
use crate::header::Frame;
use crate::sequential::{Block, Sink};
use crate::transform::{SPILL, Transform};
use crate::upsample::{Vertical, row_of};
use crate::{Channels, Pixels};

/// Makes the pixels of a rectangle of units, at n/8 of the full size.
pub struct Renderer {
    channels: Channels,
    columns: Range<usize>,
    rows: Range<usize>,
    components: Vec<Part>,
    /// Pixels of a unit, across and down, in the output.
    unit: (usize, usize),
    pixels: Pixels,
    /// Rows of chroma in the output's width.
    chroma: [Vec<u8>; 2],
}

/// A component of the picture.
struct Part {
    transform: Transform,
    /// Samples of a transformed block, across and down.
    size: (usize, usize),
    /// Blocks of a unit, across and down.
    blocks: (usize, usize),
    /// How many pixels of the output a sample covers, across and down.
    covers: (usize, usize),
    /// Samples of the rectangle that show a part of the picture, across and down.
    shown: (usize, usize),
    /// The samples of the last row of units that was passed and, below, of the previous one.
    now: Vec<u8>,
    before: Vec<u8>,
    /// The last row of samples before these.
    above: Vec<u8>,
    /// Distance of rows in `now`, `before`.
    stride: usize,
}

impl Part {
    /// Rows of samples in a row of units.
    const fn height(&self) -> usize {
        self.blocks.1 * self.size.1
    }
}

impl Renderer {
    /// A renderer for some columns and rows of units.
    pub fn new(
        frame: &Frame,
        eighths: usize,
        channels: Channels,
        columns: Range<usize>,
        rows: Range<usize>,
    ) -> Self {
        let count = match channels {
            Channels::Grey => 1,
            Channels::Colour => frame.components.len(),
        };
        let scaled = |pixels: usize| (pixels * eighths).div_ceil(8);
        let luma = frame.components[0].blocks;
        let unit = (luma.0 * eighths, luma.1 * eighths);
        let components = frame.components[..count].iter().map(|component| {
            let (across, covers_x) = share(eighths, component.covers.0);
            let (down, covers_y) = share(eighths, component.covers.1);
            let blocks = component.blocks;
            let stride = columns.len() * blocks.0 * across + SPILL;
            let rows_of_unit = blocks.1 * down;
            let shown =
                |full: usize, covers: usize, before: usize, count: usize, of_unit: usize| {
                    let all = scaled(full).div_ceil(covers);
                    (count * of_unit).min(all.saturating_sub(before * of_unit))
                };
            Part {
                transform: Transform::new((across, down)),
                size: (across, down),
                blocks,
                covers: (covers_x, covers_y),
                shown: (
                    shown(
                        frame.width,
                        covers_x,
                        columns.start,
                        columns.len(),
                        blocks.0 * across,
                    ),
                    shown(frame.height, covers_y, rows.start, rows.len(), rows_of_unit),
                ),
                now: vec![0; stride * rows_of_unit],
                before: vec![
                    0;
                    if covers_y == 1 {
                        0
                    } else {
                        stride * rows_of_unit
                    }
                ],
                above: Vec::new(),
                stride,
            }
        });
        let components: Vec<_> = components.collect();
        let (width, height) = components[0].shown;
        let is_delayed = components.iter().any(|part| part.covers.1 > 1);
        let mut components = components;
        if is_delayed {
            for part in &mut components {
                part.before.resize(part.now.len(), 0);
            }
        }
        Self {
            channels,
            unit,
            pixels: Pixels {
                x: columns.start * unit.0,
                y: rows.start * unit.1,
                width,
                height,
                channels,
                data: vec![0; width * height * channels.count()],
            },
            chroma: [vec![0; width + SPILL], vec![0; width + SPILL]],
            components,
            columns,
            rows,
        }
    }

    /// Completes the row of units whose blocks were passed to [`Sink::take`].
    pub fn finish_row(&mut self, row: usize) {
        let row = row - self.rows.start;
        if self.components.iter().all(|part| part.covers.1 == 1) {
            self.emit(row, false);
            return;
        }
        // Interpolating the last rows of a row of units needs the first one of the next, so the row is written only
        // when the next one is complete.
        if row > 0 {
            self.swap();
            self.emit(row - 1, true);
            self.swap();
        }
        for part in &mut self.components {
            if row > 0 {
                let last = part.stride * (part.height() - 1);
                part.above = part.before[last..].to_vec();
            }
            std::mem::swap(&mut part.now, &mut part.before);
        }
        if row + 1 == self.rows.len() {
            self.swap();
            self.emit(row, false);
        }
    }

    fn swap(&mut self) {
        for part in &mut self.components {
            std::mem::swap(&mut part.now, &mut part.before);
        }
    }

    /// Writes the pixels of the row of units that `now` holds; `before` holds the next one if it `has_next`.
    fn emit(&mut self, row: usize, has_next: bool) {
        let Self {
            pixels,
            components,
            chroma,
            ..
        } = self;
        let width = pixels.width;
        let from = row * self.unit.1;
        let rows = pixels.height.min(from + self.unit.1).saturating_sub(from);
        let bytes = width * self.channels.count();
        let out = &mut pixels.data[from * bytes..(from + rows) * bytes];
        pulp::Arch::new().dispatch(Rows {
            row,
            has_next,
            width,
            channels: self.channels,
            components,
            chroma,
            out,
        });
    }

    /// The pixels, after the last row.
    pub fn into_pixels(self) -> Pixels {
        self.pixels
    }
}

/// Makes the rows of pixels of a row of units. A struct and not a closure: a closure that may be called again would not
/// be inlined into the function that is compiled for an instruction set.
struct Rows<'a> {
    row: usize,
    has_next: bool,
    width: usize,
    channels: Channels,
    components: &'a [Part],
    chroma: &'a mut [Vec<u8>; 2],
    out: &'a mut [u8],
}

impl NullaryFnOnce for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            row,
            has_next,
            width,
            ..
        } = self;
        let [blue_row, red_row] = self.chroma;
        let (luma, others) = self.components.split_first().expect("a picture has luma");
        let rows = self.out.chunks_exact_mut(width * self.channels.count());
        for (y, out) in rows.enumerate() {
            let luma = &luma.now[y * luma.stride..][..width];
            match (self.channels, others) {
                (Channels::Grey, _) => out.copy_from_slice(luma),
                (Channels::Colour, [blue, red]) => {
                    chroma_row(blue, row, y, has_next, blue_row);
                    chroma_row(red, row, y, has_next, red_row);
                    colour::to_rgb(luma, &blue_row[..width], &red_row[..width], out);
                }
                (Channels::Colour, _) => colour::grey_to_rgb(luma, out),
            }
        }
    }
}

/// Samples of a transformed block along one side, and how many pixels of the output each covers, for a component whose
/// samples cover `covers` pixels at full size. A component with a lower resolution is transformed to a larger size
/// instead of being interpolated, as in libjpeg.
const fn share(eighths: usize, covers: usize) -> (usize, usize) {
    let (mut size, mut covers) = (eighths, covers);
    while covers > 1 && 2 * size <= 8 {
        size *= 2;
        covers /= 2;
    }
    (size, covers)
}

/// A row of chroma in the output's width.
#[inline(always)]
fn chroma_row(part: &Part, unit: usize, y: usize, has_next: bool, out: &mut [u8]) {
    let (width, height) = part.shown;
    let down = part.covers.1;
    let row = y / down;
    let at = |row: usize| &part.now[row * part.stride..][..width];
    let shown = part.height().min(height - unit * part.height());
    // The rows around this one; at the edges of the picture it is repeated.
    let near = if down == 1 {
        at(row)
    } else if y.is_multiple_of(2) {
        match row.checked_sub(1) {
            Some(above) => at(above),
            None => part
                .above
                .get(..width)
                .filter(|_| unit > 0)
                .unwrap_or(at(0)),
        }
    } else if row + 1 < shown {
        at(row + 1)
    } else if has_next {
        &part.before[..width]
    } else {
        at(row)
    };
    let vertical = Vertical {
        row: at(row),
        near,
        is_lower: y % 2 == 1,
    };
    row_of(&vertical, part.covers, out);
}

impl Sink for Renderer {
    #[inline(always)]
    fn needed(&self, component: usize) -> usize {
        self.components
            .get(component)
            .map_or(0, |part| part.transform.needed)
    }

    #[inline(always)]
    fn take(&mut self, component: usize, (x, y): (usize, usize), block: &Block, last: usize) {
        let part = &mut self.components[component];
        let x = x - self.columns.start * part.blocks.0;
        let at = y * part.size.1 * part.stride + x * part.size.0;
        part.transform
            .run(block, last, &mut part.now[at..], part.stride);
    }
}

/// Renders with a function that passes each row of units to the renderer.
pub fn render(
    mut renderer: Renderer,
    mut pass: impl FnMut(usize, Range<usize>, &mut Renderer) -> Result<()>,
) -> Pixels {
    for row in renderer.rows.clone() {
        let columns = renderer.columns.clone();
        // The same data have been decoded without an error before.
        let _ = pass(row, columns, &mut renderer);
        renderer.finish_row(row);
    }
    renderer.into_pixels()
}
