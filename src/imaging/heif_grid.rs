//! The pixels of a HEIC or AVIF, which are decoded in parts: tile by tile of a grid, as phones write it, and some rows
//! of each tile or picture at a time.
//!
//! Each part is cropped, rotated, mirrored and written to its place in the picture as soon as it is decoded, so that
//! besides the picture only a few rows are in memory.

use heic_rs::grid::Grid;
use heic_rs::{Error, Image, Mirror, PixelLayout, Rotation, Transform, transform};

use super::common_formats::on_white;

/// A tile of a grid. A picture without a grid counts as a grid of one tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile {
    pub(super) grid: Grid,
    /// Its number, in the order of the rows of tiles.
    pub(super) index: u32,
    /// Width and height of all tiles. Those of the last column and row may extend beyond the edge.
    pub(super) size: (u32, u32),
}

/// A rectangle of a picture: its left and upper edge, its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Tile {
    /// Width and height of the picture before its transforms.
    pub(super) const fn whole(&self) -> (u32, u32) {
        (self.grid.output_width, self.grid.output_height)
    }

    /// Whether tiles of this size cover the whole picture.
    pub(super) fn covers(&self) -> bool {
        let covers = |tile: u32, number: u32, all: u32| {
            u64::from(tile) * u64::from(number) >= u64::from(all)
        };
        covers(self.size.0, self.grid.columns, self.grid.output_width)
            && covers(self.size.1, self.grid.rows, self.grid.output_height)
    }

    /// Some rows of this tile, from its row `top` on, and their position in the picture after its transforms; `None` if
    /// they are outside it.
    fn placed(
        &self,
        transforms: &[Transform],
        rows: Image,
        top: u32,
    ) -> Result<Option<(Image, Part)>, Error> {
        let (column, row) = (
            self.index % self.grid.columns,
            self.index / self.grid.columns,
        );
        let part = Part {
            x: column.saturating_mul(self.size.0),
            y: row.saturating_mul(self.size.1).saturating_add(top),
            width: rows.width,
            height: rows.height,
        };
        let (mut width, mut height) = self.whole();
        let whole = Part {
            x: 0,
            y: 0,
            width,
            height,
        };
        let Some((mut rows, mut part)) = cut(rows, part, whole) else {
            return Ok(None);
        };
        for &each in transforms {
            match each {
                Transform::Crop(crop) => {
                    let (x, y, wide, high) = transform::crop_rect(width, height, crop)?;
                    let window = Part {
                        x,
                        y,
                        width: wide,
                        height: high,
                    };
                    let Some(inside) = cut(rows, part, window) else {
                        return Ok(None);
                    };
                    (rows, part) = inside;
                    (width, height) = (wide, high);
                }
                Transform::Rotate(turn) => {
                    rows = transform::rotate(rows, turn);
                    part = turned(part, (width, height), turn);
                    if turn.swaps_axes() {
                        (width, height) = (height, width);
                    }
                }
                Transform::Mirror(mirror) => {
                    rows = transform::mirror(rows, mirror);
                    match mirror {
                        Mirror::LeftRight => part.x = width - part.x - part.width,
                        Mirror::TopBottom => part.y = height - part.y - part.height,
                    }
                }
            }
        }
        Ok(Some((rows, part)))
    }
}

/// A picture to which decoded parts are written.
pub(super) struct Canvas<'a> {
    pub(super) picture: Image,
    /// Width and height before the transforms.
    pub(super) untransformed: (u32, u32),
    transforms: &'a [Transform],
    /// Whether the colours have been multiplied by the opacity.
    pub(super) is_premultiplied: bool,
}

impl<'a> Canvas<'a> {
    /// An empty picture with this width and height before its transforms.
    pub(super) fn new(
        untransformed: (u32, u32),
        transforms: &'a [Transform],
        layout: PixelLayout,
    ) -> Result<Self, Error> {
        let (width, height) = untransformed;
        let (width, height) = transform::transformed_size(width, height, transforms)?;
        Ok(Self {
            picture: Image::zeroed(width, height, layout, u64::MAX)?,
            untransformed,
            transforms,
            is_premultiplied: false,
        })
    }

    /// Writes some rows of a tile, from its row `top` on, to their place.
    pub(super) fn add(&mut self, tile: &Tile, rows: Image, top: u32) -> Result<(), Error> {
        if let Some((part, place)) = tile.placed(self.transforms, rows, top)? {
            let lines = lines(&mut self.picture, place);
            for (samples, to) in part.data.chunks_exact(part.row_bytes()).zip(lines) {
                to.copy_from_slice(samples);
            }
        }
        Ok(())
    }

    /// Applies the opacity of some rows of a tile: stores it if the picture has an alpha channel, and otherwise blends
    /// the pixels onto white.
    pub(super) fn add_opacity(&mut self, tile: &Tile, rows: Image, top: u32) -> Result<(), Error> {
        let Some((part, place)) = tile.placed(self.transforms, rows, top)? else {
            return Ok(());
        };
        let (has_opacity, is_premultiplied) = (
            self.picture.layout == PixelLayout::Rgba8,
            self.is_premultiplied,
        );
        let lines = lines(&mut self.picture, place);
        for (samples, to) in part.data.chunks_exact(part.row_bytes()).zip(lines) {
            if has_opacity {
                for (pixel, &alpha) in to.as_chunks_mut::<4>().0.iter_mut().zip(samples) {
                    if is_premultiplied {
                        pixel[..3].iter_mut().for_each(|channel| {
                            *channel = divided(*channel, alpha);
                        });
                    }
                    pixel[3] = alpha;
                }
            } else {
                for (pixel, &alpha) in to.as_chunks_mut::<3>().0.iter_mut().zip(samples) {
                    *pixel = if is_premultiplied {
                        pixel.map(|channel| channel.saturating_add(255 - alpha))
                    } else {
                        on_white(*pixel, alpha)
                    };
                }
            }
        }
        Ok(())
    }
}

/// Divides a colour by the opacity by which it was multiplied.
fn divided(channel: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha);
    let value = (u32::from(channel) * 255 + alpha / 2).checked_div(alpha);
    value.unwrap_or_default().min(255) as u8
}

/// The lines of a part of a picture.
fn lines(picture: &mut Image, place: Part) -> impl Iterator<Item = &mut [u8]> {
    let bytes = picture.layout.bytes_per_pixel();
    let (start, end) = (
        bytes * place.x as usize,
        bytes * (place.x + place.width) as usize,
    );
    let lines = picture
        .data
        .chunks_exact_mut(bytes * picture.width as usize);
    lines
        .skip(place.y as usize)
        .take(place.height as usize)
        .map(move |line| &mut line[start..end])
}

/// Crops a part to a window; returns it with its place in the window, or `None` if nothing is left.
fn cut(mut rows: Image, part: Part, window: Part) -> Option<(Image, Part)> {
    let overlap = |start: u32, length: u32, first: u32, all: u32| {
        let from = start.max(first);
        let to = start.saturating_add(length).min(first + all);
        (from < to).then_some((from, to))
    };
    let (left, right) = overlap(part.x, part.width, window.x, window.width)?;
    let (top, bottom) = overlap(part.y, part.height, window.y, window.height)?;
    let kept = Part {
        x: left - window.x,
        y: top - window.y,
        width: right - left,
        height: bottom - top,
    };
    if (kept.width, kept.height) != (part.width, part.height) {
        let bytes = rows.layout.bytes_per_pixel();
        let (across, line) = (rows.row_bytes(), bytes * kept.width as usize);
        let first = (top - part.y) as usize * across + bytes * (left - part.x) as usize;
        for row in 0..kept.height as usize {
            let start = first + row * across;
            rows.data.copy_within(start..start + line, row * line);
        }
        rows.data.truncate(line * kept.height as usize);
        (rows.width, rows.height) = (kept.width, kept.height);
    }
    Some((rows, kept))
}

/// The place of a part after the picture, which has this size, is rotated.
const fn turned(part: Part, (width, height): (u32, u32), turn: Rotation) -> Part {
    let Part { x, y, .. } = part;
    let (from_right, from_below) = (width - x - part.width, height - y - part.height);
    let (x, y) = match turn {
        Rotation::None => (x, y),
        Rotation::Ccw90 => (y, from_right),
        Rotation::Ccw180 => (from_right, from_below),
        Rotation::Ccw270 => (from_below, x),
    };
    let (width, height) = if turn.swaps_axes() {
        (part.height, part.width)
    } else {
        (part.width, part.height)
    };
    Part {
        x,
        y,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use heic_rs::props::simple::Clap;

    use super::*;

    /// A tile whose pixels each have a value of their own in a picture of seven columns.
    fn pixels(x: u8, y: u8) -> Image {
        let value = |at: u8| [x + at % 4 + 7 * (y + at / 4); 3];
        Image {
            width: 4,
            height: 3,
            layout: PixelLayout::Rgb8,
            data: (0..12).flat_map(value).collect(),
        }
    }

    #[test]
    fn tiles_are_where_they_are_if_the_whole_is_turned() {
        let turns = [
            Rotation::None,
            Rotation::Ccw90,
            Rotation::Ccw180,
            Rotation::Ccw270,
        ];
        let mirrors = [Mirror::LeftRight, Mirror::TopBottom];
        let grid = Grid {
            rows: 2,
            columns: 2,
            output_width: 7,
            output_height: 5,
        };
        let whole = Image {
            width: 7,
            height: 5,
            layout: PixelLayout::Rgb8,
            data: (0..35).flat_map(|value| [value; 3]).collect(),
        };
        let clap = Transform::Crop(Clap {
            width: (5, 1),
            height: (4, 1),
            horiz_off: (1, 1),
            vert_off: (-1, 2),
        });
        for turn in turns.map(Transform::Rotate) {
            for mirror in mirrors.map(Transform::Mirror) {
                for transforms in [
                    vec![],
                    vec![turn],
                    vec![turn, mirror],
                    vec![mirror, turn],
                    vec![clap, turn, mirror],
                    vec![Transform::Rotate(Rotation::Ccw180), clap, turn],
                ] {
                    let mut canvas = Canvas::new((7, 5), &transforms, PixelLayout::Rgb8).unwrap();
                    for (index, (x, y)) in [(0, 0), (4, 0), (0, 3), (4, 3)].into_iter().enumerate()
                    {
                        let (mut upper, mut lower) = (pixels(x, y), pixels(x, y));
                        (upper.height, lower.height) = (2, 1);
                        upper.data.truncate(24);
                        lower.data.drain(..24);
                        let tile = Tile {
                            grid,
                            index: index as u32,
                            size: (4, 3),
                        };
                        canvas.add(&tile, upper, 0).unwrap();
                        canvas.add(&tile, lower, 2).unwrap();
                    }
                    let expected = transform::apply_all(whole.clone(), &transforms).unwrap();
                    assert_eq!(canvas.picture, expected, "{transforms:?}");
                }
            }
        }
    }

    #[test]
    fn opacity_turns_with_the_picture() {
        let grid = Grid {
            rows: 1,
            columns: 1,
            output_width: 2,
            output_height: 1,
        };
        let transforms = [Transform::Rotate(Rotation::Ccw90)];
        for (layout, expected) in [
            (PixelLayout::Rgb8, vec![255, 255, 255, 10, 20, 30]),
            (PixelLayout::Rgba8, vec![10, 20, 30, 0, 10, 20, 30, 255]),
        ] {
            let mut canvas = Canvas::new((2, 1), &transforms, layout).unwrap();
            let tile = Tile {
                grid,
                index: 0,
                size: (2, 1),
            };
            let pixel = [10, 20, 30, 255];
            let rows = |layout, data| Image {
                width: 2,
                height: 1,
                layout,
                data,
            };
            let colours = rows(layout, pixel[..layout.bytes_per_pixel()].repeat(2));
            canvas.add(&tile, colours, 0).unwrap();
            let opacity = rows(PixelLayout::Gray8, vec![255, 0]);
            canvas.add_opacity(&tile, opacity, 0).unwrap();
            assert_eq!(canvas.picture.data, expected);
        }
    }

    #[test]
    fn tiles_cover_a_picture_or_do_not() {
        let tile = |columns, output_width| Tile {
            grid: Grid {
                rows: 1,
                columns,
                output_width,
                output_height: 3,
            },
            index: 0,
            size: (4, 3),
        };
        assert!(tile(2, 8).covers());
        assert!(tile(2, 7).covers());
        assert!(!tile(1, 7).covers(), "three columns are missing");
    }
}
