//! Grids of HEIC and AVIF: one picture in tiles, as phones write it.
//!
//! Each tile is converted and brought to its place as soon as it is decoded, rotated and mirrored, so that besides the
//! picture only one tile is in memory.

use heic_rs::grid::Grid;
use heic_rs::{Error, Image, Mirror, PixelLayout, Rotation, Transform, transform};

/// A picture of which tiles arrive in the order of their rows.
pub(super) struct Canvas<'a> {
    grid: Grid,
    transforms: &'a [Transform],
    picture: Image,
    tile: Option<(u32, u32)>,
    arrived: u32,
}

/// A rectangle of a picture: its left and upper edge, its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl<'a> Canvas<'a> {
    /// A picture without tiles yet; `None` if it is also cropped, which is not done tile by tile.
    pub(super) fn new(grid: Grid, transforms: &'a [Transform]) -> Option<Self> {
        let is_cropped = |each: &Transform| matches!(each, Transform::Crop(_));
        if transforms.iter().any(is_cropped) {
            return None;
        }
        let (width, height) = (grid.output_width, grid.output_height);
        let (width, height) = transform::transformed_size(width, height, transforms).ok()?;
        Some(Self {
            grid,
            transforms,
            picture: Image::zeroed(width, height, PixelLayout::Rgb8, u64::MAX).ok()?,
            tile: None,
            arrived: 0,
        })
    }

    /// Puts the next tile to its place.
    pub(super) fn add(&mut self, tile: Image) -> Result<(), Error> {
        let (width, height) = *self.tile.get_or_insert((tile.width, tile.height));
        if (width, height) != (tile.width, tile.height) {
            return Err(Error::Malformed("grid tiles are not all the same size"));
        }
        let (column, row) = (
            self.arrived % self.grid.columns,
            self.arrived / self.grid.columns,
        );
        self.arrived += 1;
        // Tiles of the last column and row may extend beyond the edge.
        let inside = |place: u32, side: u32, all: u32| all.saturating_sub(place).min(side);
        let (x, y) = (column.saturating_mul(width), row.saturating_mul(height));
        let part = Part {
            x,
            y,
            width: inside(x, width, self.grid.output_width),
            height: inside(y, height, self.grid.output_height),
        };
        if part.width == 0 || part.height == 0 {
            return Ok(());
        }
        let tile = transform::apply_all(cut(tile, part), self.transforms)?;
        let size = (self.grid.output_width, self.grid.output_height);
        let place = moved(part, size, self.transforms);
        let bytes = tile.row_bytes();
        let across = self.picture.row_bytes();
        for (row, samples) in tile.data.chunks_exact(bytes).enumerate() {
            let start = (place.y as usize + row) * across + 3 * place.x as usize;
            self.picture.data[start..start + bytes].copy_from_slice(samples);
        }
        Ok(())
    }

    /// The picture, once all tiles have arrived.
    pub(super) fn finished(self) -> Result<Image, Error> {
        let (width, height) = self.tile.unwrap_or_default();
        let covers = |tile: u32, number: u32, all: u32| {
            u64::from(tile) * u64::from(number) >= u64::from(all)
        };
        if covers(width, self.grid.columns, self.grid.output_width)
            && covers(height, self.grid.rows, self.grid.output_height)
        {
            Ok(self.picture)
        } else {
            Err(Error::Malformed(
                "grid tiles do not cover the declared output size",
            ))
        }
    }
}

/// The upper left corner of a tile, of the size of `part`.
fn cut(mut tile: Image, part: Part) -> Image {
    if (tile.width, tile.height) != (part.width, part.height) {
        let (bytes, kept) = (tile.row_bytes(), 3 * part.width as usize);
        for row in 0..part.height as usize {
            tile.data
                .copy_within(row * bytes..row * bytes + kept, row * kept);
        }
        tile.data.truncate(kept * part.height as usize);
        (tile.width, tile.height) = (part.width, part.height);
    }
    tile
}

/// Where a part of a picture of this size lies after transforms without a crop.
fn moved(mut part: Part, (mut width, mut height): (u32, u32), transforms: &[Transform]) -> Part {
    for transform in transforms {
        let Part { x, y, .. } = part;
        let (from_right, from_below) = (width - x - part.width, height - y - part.height);
        (part.x, part.y) = match transform {
            Transform::Rotate(Rotation::Ccw90) => (y, from_right),
            Transform::Rotate(Rotation::Ccw180) => (from_right, from_below),
            Transform::Rotate(Rotation::Ccw270) => (from_below, x),
            Transform::Mirror(Mirror::LeftRight) => (from_right, y),
            Transform::Mirror(Mirror::TopBottom) => (x, from_below),
            Transform::Rotate(Rotation::None) | Transform::Crop(_) => (x, y),
        };
        if matches!(transform, Transform::Rotate(turn) if turn.swaps_axes()) {
            (part.width, part.height) = (part.height, part.width);
            (width, height) = (height, width);
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tile whose pixels each have a value of their own in a picture of seven columns.
    fn tile(x: u8, y: u8) -> Image {
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
        for turn in turns.map(Transform::Rotate) {
            for mirror in mirrors.map(Transform::Mirror) {
                for transforms in [vec![], vec![turn], vec![turn, mirror], vec![mirror, turn]] {
                    let mut canvas = Canvas::new(grid, &transforms).unwrap();
                    for (x, y) in [(0, 0), (4, 0), (0, 3), (4, 3)] {
                        canvas.add(tile(x, y)).unwrap();
                    }
                    let expected = transform::apply_all(whole.clone(), &transforms).unwrap();
                    assert_eq!(canvas.finished().unwrap(), expected, "{transforms:?}");
                }
            }
        }
    }

    #[test]
    fn tiles_of_different_sizes_and_too_few_are_refused() {
        let grid = Grid {
            rows: 1,
            columns: 1,
            output_width: 7,
            output_height: 3,
        };
        let mut canvas = Canvas::new(grid, &[]).unwrap();
        canvas.add(tile(0, 0)).unwrap();
        let mut other = tile(0, 0);
        other.height = 2;
        assert!(canvas.add(other).is_err());
        assert!(canvas.finished().is_err(), "three columns are missing");
    }
}
