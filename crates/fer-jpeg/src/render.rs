//! Makes pixels from blocks, row of MCUs by row of MCUs.

use std::ops::Range;

use pulp::NullaryFnOnce;

use crate::colour;
use crate::error::Result;
use crate::header::Frame;
use crate::sequential::{Block, Sink};
use crate::transform::{ROW_OVERRUN, Transform};
use crate::upsample::{RowPair, upsample_row};
use crate::{Channels, Pixels};

/// Makes the pixels of a rectangle of MCUs, at n/8 of the full size.
pub struct Renderer {
    channels: Channels,
    columns: Range<usize>,
    rows: Range<usize>,
    components: Vec<ComponentPlane>,
    /// Pixels of an MCU, across and down, in the output.
    mcu: (usize, usize),
    pixels: Pixels,
    /// Rows of chroma in the output's width.
    chroma: [Vec<u8>; 2],
}

/// A component of the picture.
struct ComponentPlane {
    transform: Transform,
    /// Samples of a transformed block, across and down.
    size: (usize, usize),
    /// Blocks of an MCU, across and down.
    blocks: (usize, usize),
    /// How many pixels of the output a sample covers, across and down.
    subsampling: (usize, usize),
    /// Samples of the rectangle that show a part of the picture, across and down.
    visible: (usize, usize),
    /// The samples of the last row of MCUs that was passed and, below, of the previous one.
    current: Vec<u8>,
    previous: Vec<u8>,
    /// The last row of samples before these.
    above: Vec<u8>,
    /// Distance of rows in `current`, `before`.
    stride: usize,
}

impl ComponentPlane {
    /// Rows of samples in a row of MCUs.
    const fn height(&self) -> usize {
        self.blocks.1 * self.size.1
    }
}

impl Renderer {
    /// A renderer for some columns and rows of MCUs.
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
        let mcu = (luma.0 * eighths, luma.1 * eighths);
        let components = frame.components[..count].iter().map(|component| {
            let (across, subsampling_x) = transform_size(eighths, component.subsampling.0);
            let (down, subsampling_y) = transform_size(eighths, component.subsampling.1);
            let blocks = component.blocks;
            let stride = columns.len() * blocks.0 * across + ROW_OVERRUN;
            let rows_of_mcu = blocks.1 * down;
            let visible =
                |full: usize, subsampling: usize, before: usize, count: usize, of_mcu: usize| {
                    let all = scaled(full).div_ceil(subsampling);
                    (count * of_mcu).min(all.saturating_sub(before * of_mcu))
                };
            ComponentPlane {
                transform: Transform::new((across, down)),
                size: (across, down),
                blocks,
                subsampling: (subsampling_x, subsampling_y),
                visible: (
                    visible(
                        frame.width,
                        subsampling_x,
                        columns.start,
                        columns.len(),
                        blocks.0 * across,
                    ),
                    visible(
                        frame.height,
                        subsampling_y,
                        rows.start,
                        rows.len(),
                        rows_of_mcu,
                    ),
                ),
                current: vec![0; stride * rows_of_mcu],
                previous: vec![
                    0;
                    if subsampling_y == 1 {
                        0
                    } else {
                        stride * rows_of_mcu
                    }
                ],
                above: Vec::new(),
                stride,
            }
        });
        let components: Vec<_> = components.collect();
        let (width, height) = components[0].visible;
        let is_delayed = components.iter().any(|part| part.subsampling.1 > 1);
        let mut components = components;
        if is_delayed {
            for part in &mut components {
                part.previous.resize(part.current.len(), 0);
            }
        }
        Self {
            channels,
            mcu,
            pixels: Pixels {
                x: columns.start * mcu.0,
                y: rows.start * mcu.1,
                width,
                height,
                channels,
                data: vec![0; width * height * channels.count()],
            },
            chroma: [vec![0; width + ROW_OVERRUN], vec![0; width + ROW_OVERRUN]],
            components,
            columns,
            rows,
        }
    }

    /// Completes the row of MCUs whose blocks were passed to [`Sink::put_block`].
    pub fn finish_row(&mut self, row: usize) {
        let row = row - self.rows.start;
        if self.components.iter().all(|part| part.subsampling.1 == 1) {
            self.write_row(row, false);
            return;
        }
        // Interpolating the last rows of a row of MCUs needs the first one of the next, so the row is written only
        // when the next one is complete.
        if row > 0 {
            self.swap_rows();
            self.write_row(row - 1, true);
            self.swap_rows();
        }
        for part in &mut self.components {
            if row > 0 {
                let last = part.stride * (part.height() - 1);
                part.above = part.previous[last..].to_vec();
            }
            std::mem::swap(&mut part.current, &mut part.previous);
        }
        if row + 1 == self.rows.len() {
            self.swap_rows();
            self.write_row(row, false);
        }
    }

    fn swap_rows(&mut self) {
        for part in &mut self.components {
            std::mem::swap(&mut part.current, &mut part.previous);
        }
    }

    /// Writes the pixels of the row of MCUs that `current` holds; `before` holds the next one if it `has_next`.
    fn write_row(&mut self, row: usize, has_next: bool) {
        let Self {
            pixels,
            components,
            chroma,
            ..
        } = self;
        let width = pixels.width;
        let from = row * self.mcu.1;
        let rows = pixels.height.min(from + self.mcu.1).saturating_sub(from);
        let bytes = width * self.channels.count();
        let out = &mut pixels.data[from * bytes..(from + rows) * bytes];
        pulp::Arch::new().dispatch(WriteRows {
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

/// Makes the rows of pixels of a row of MCUs. A struct and not a closure: a closure that may be called again would not
/// be inlined into the function that is compiled for an instruction set.
struct WriteRows<'a> {
    row: usize,
    has_next: bool,
    width: usize,
    channels: Channels,
    components: &'a [ComponentPlane],
    chroma: &'a mut [Vec<u8>; 2],
    out: &'a mut [u8],
}

impl NullaryFnOnce for WriteRows<'_> {
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
            let luma = &luma.current[y * luma.stride..][..width];
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
/// samples cover `subsampling` pixels at full size. A component with a lower resolution is transformed to a larger size
/// instead of being interpolated, as in libjpeg.
const fn transform_size(eighths: usize, subsampling: usize) -> (usize, usize) {
    let (mut size, mut subsampling) = (eighths, subsampling);
    while subsampling > 1 && 2 * size <= 8 {
        size *= 2;
        subsampling /= 2;
    }
    (size, subsampling)
}

/// A row of chroma in the output's width.
#[inline(always)]
fn chroma_row(part: &ComponentPlane, mcu: usize, y: usize, has_next: bool, out: &mut [u8]) {
    let (width, height) = part.visible;
    let down = part.subsampling.1;
    let row = y / down;
    let at = |row: usize| &part.current[row * part.stride..][..width];
    let visible = part.height().min(height - mcu * part.height());
    // The rows around this one; at the edges of the picture it is repeated.
    let neighbour = if down == 1 {
        at(row)
    } else if y.is_multiple_of(2) {
        match row.checked_sub(1) {
            Some(above) => at(above),
            None => part.above.get(..width).filter(|_| mcu > 0).unwrap_or(at(0)),
        }
    } else if row + 1 < visible {
        at(row + 1)
    } else if has_next {
        &part.previous[..width]
    } else {
        at(row)
    };
    let vertical = RowPair {
        row: at(row),
        neighbour,
        is_lower: y % 2 == 1,
    };
    upsample_row(&vertical, part.subsampling, out);
}

impl Sink for Renderer {
    #[inline(always)]
    fn needed_coefficients(&self, component: usize) -> usize {
        self.components
            .get(component)
            .map_or(0, |part| part.transform.needed_coefficients)
    }

    #[inline(always)]
    fn put_block(&mut self, component: usize, (x, y): (usize, usize), block: &Block, last: usize) {
        let part = &mut self.components[component];
        let x = x - self.columns.start * part.blocks.0;
        let at = y * part.size.1 * part.stride + x * part.size.0;
        part.transform
            .run(block, last, &mut part.current[at..], part.stride);
    }
}

/// Renders with a function that passes each row of MCUs to the renderer.
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
