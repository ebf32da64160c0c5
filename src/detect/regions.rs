//! Covers the marked cells of a picture with few rectangles, so that the rest of the picture need not be searched.

use std::ops::Range;

use image::RgbImage;

use crate::face::BoundingBox;

/// Side of a cell in pixels.
pub(super) const CELL: u32 = 16;

/// Rectangles begin and end at multiples of this, the network's largest stride.
const GRID: u32 = 32;

/// Least distance of a box from the border of its region, as a share of the box's sides.
const CLEARANCE: f32 = 0.15;

/// Marked cells of a picture.
#[derive(Debug)]
pub(super) struct Marks {
    width: u32,
    height: u32,
    columns: u32,
    marked: Vec<bool>,
}

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub left: u32,
    pub upper: u32,
    /// The first column to the right of the region and, below, the first row under it.
    pub right: u32,
    pub lower: u32,
}

impl Region {
    /// The number of pixels in the region.
    pub const fn area(&self) -> u64 {
        (self.right - self.left) as u64 * (self.lower - self.upper) as u64
    }

    /// The pixels of a picture in the region.
    pub fn part_of(&self, picture: &RgbImage) -> RgbImage {
        let (width, height) = (self.right - self.left, self.lower - self.upper);
        let mut part = RgbImage::new(width, height);
        let rows = picture.as_raw().chunks_exact(3 * picture.width() as usize);
        let rows = rows.skip(self.upper as usize);
        for (to, from) in part.chunks_exact_mut(3 * width as usize).zip(rows) {
            to.copy_from_slice(&from[3 * self.left as usize..][..to.len()]);
        }
        part
    }

    /// Whether a border of this region may cut a face with this box, because it is nearer to the box than
    /// [`CLEARANCE`]. Borders of the picture do not count. The network detects a face that is cut as a smaller one.
    pub fn cuts(&self, at: &BoundingBox, (width, height): (u32, u32)) -> bool {
        let (across, down) = (CLEARANCE * at.width, CLEARANCE * at.height);
        self.left > 0 && at.x - across < self.left as f32
            || self.upper > 0 && at.y - down < self.upper as f32
            || self.right < width && at.x + at.width + across > self.right as f32
            || self.lower < height && at.y + at.height + down > self.lower as f32
    }

    fn around(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            upper: self.upper.min(other.upper),
            right: self.right.max(other.right),
            lower: self.lower.max(other.lower),
        }
    }
}

impl Marks {
    /// No marks in a picture of this size.
    pub fn new(width: u32, height: u32) -> Self {
        let (columns, rows) = (width.div_ceil(CELL), height.div_ceil(CELL));
        Self {
            width,
            height,
            columns,
            marked: vec![false; (columns * rows) as usize],
        }
    }

    /// Marks a cell; ignores one outside the picture.
    pub fn mark(&mut self, column: u32, row: u32) {
        let rows = self.height.div_ceil(CELL);
        if column < self.columns && row < rows {
            self.marked[(row * self.columns + column) as usize] = true;
        }
    }

    /// Marks all cells of a box that is enlarged by `around` on each side, a share of its sides, as far as they are in
    /// the picture.
    pub fn mark_box(&mut self, at: &BoundingBox, around: f32) {
        let [columns, rows] = self.cells(at, around);
        for row in rows {
            for column in columns.clone() {
                self.mark(column, row);
            }
        }
    }

    /// Whether a cell is marked that [`Marks::mark_box`] would mark.
    pub fn has(&self, at: &BoundingBox, around: f32) -> bool {
        let [columns, mut rows] = self.cells(at, around);
        rows.any(|row| {
            let cells = &self.marked[(row * self.columns) as usize..];
            cells[columns.start as usize..columns.end.max(columns.start) as usize].contains(&true)
        })
    }

    /// Columns and rows of the picture's cells that a box covers, enlarged by `around` on each side.
    fn cells(&self, at: &BoundingBox, around: f32) -> [Range<u32>; 2] {
        let cells = |from: f32, length: f32, cells: u32| {
            let (from, end) = (from - around * length, from + (1.0 + around) * length);
            let cell = |value: f32| (value / CELL as f32).clamp(0.0, cells as f32) as u32;
            cell(from)..(cell(end) + u32::from(end > 0.0)).min(cells)
        };
        let rows = self.height.div_ceil(CELL);
        [
            cells(at.x, at.width, self.columns),
            cells(at.y, at.height, rows),
        ]
    }

    /// Rectangles that contain every marked cell with `margin` pixels around it, as far as the picture has them. If
    /// they would cover more than `most` of the picture, one rectangle covers all of it.
    pub fn regions(&self, margin: u32, most: f32) -> Vec<Region> {
        let whole = Region {
            left: 0,
            upper: 0,
            right: self.width,
            lower: self.height,
        };
        let mut regions: Vec<Region> = Vec::new();
        for (row, cells) in (0..).zip(self.marked.chunks_exact(self.columns.max(1) as usize)) {
            for (column, _) in (0..).zip(cells).filter(|(_, marked)| **marked) {
                let cell = self.with_margin(column, row, margin);
                let rows = |region: &Region| (region.upper, region.lower);
                match regions.last_mut() {
                    Some(last) if rows(last) == rows(&cell) && last.right >= cell.left => {
                        *last = last.around(&cell);
                    }
                    _ => regions.push(cell),
                }
            }
        }
        merge(&mut regions);
        for region in &mut regions {
            (region.left, region.right) = even(region.left, region.right, self.width);
            (region.upper, region.lower) = even(region.upper, region.lower, self.height);
        }
        let area: u64 = regions.iter().map(Region::area).sum();
        if area as f32 > most * whole.area() as f32 {
            vec![whole]
        } else {
            regions
        }
    }

    fn with_margin(&self, column: u32, row: u32, margin: u32) -> Region {
        Region {
            left: (column * CELL).saturating_sub(margin),
            upper: (row * CELL).saturating_sub(margin),
            right: ((column + 1) * CELL + margin).min(self.width),
            lower: ((row + 1) * CELL + margin).min(self.height),
        }
    }
}

/// Replaces two rectangles by the one around both while that has no more pixels than the two together.
fn merge(regions: &mut Vec<Region>) {
    let mut before = usize::MAX;
    while regions.len() < before {
        before = regions.len();
        let mut index = 0;
        while index < regions.len() {
            let mut other = index + 1;
            while other < regions.len() {
                let (this, that) = (regions[index], regions[other]);
                let around = this.around(&that);
                if around.area() <= this.area() + that.area() {
                    regions[index] = around;
                    regions.swap_remove(other);
                } else {
                    other += 1;
                }
            }
            index += 1;
        }
    }
}

/// A span extended to multiples of the grid, as far as the picture has them, so that the cells of the network have the
/// same positions as in the whole picture: the score of a face depends on them.
fn even(from: u32, end: u32, length: u32) -> (u32, u32) {
    (from / GRID * GRID, end.next_multiple_of(GRID).min(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The regions of a picture in which some cells are marked.
    fn regions(size: (u32, u32), cells: &[(u32, u32)]) -> Vec<Region> {
        let mut marks = Marks::new(size.0, size.1);
        for (column, row) in cells {
            marks.mark(*column, *row);
        }
        marks.regions(40, 0.8)
    }

    #[test]
    fn a_mark_has_its_margin_and_lies_on_the_grid() {
        let region = Region {
            left: 256,
            upper: 96,
            right: 384,
            lower: 224,
        };
        assert_eq!(regions((1000, 600), &[(20, 10)]), [region]);
        assert_eq!(regions((1000, 600), &[]), []);
    }

    #[test]
    fn every_mark_lies_in_a_region_with_its_margin() {
        let size = (1003, 611);
        for seed in 0..50_u32 {
            let place = |n: u32| {
                let value = (seed * 131 + n).wrapping_mul(2_654_435_761) >> 8;
                (value % 63, value / 63 % 39)
            };
            let cells: Vec<_> = (0..seed % 12).map(place).collect();
            let found = regions(size, &cells);
            for (column, row) in cells {
                let holds = |region: &Region| {
                    region.left <= (column * CELL).saturating_sub(40)
                        && region.upper <= (row * CELL).saturating_sub(40)
                        && region.right >= (column * CELL + CELL + 40).min(size.0)
                        && region.lower >= (row * CELL + CELL + 40).min(size.1)
                };
                assert!(found.iter().any(holds), "{seed}: {column} {row} {found:?}");
            }
        }
    }

    #[test]
    fn neighbours_are_one_region_and_many_regions_are_the_whole() {
        assert_eq!(
            regions((1000, 600), &[(20, 10), (21, 10), (20, 11)]).len(),
            1
        );
        assert_eq!(regions((1000, 600), &[(5, 10), (50, 10)]).len(), 2);
        let all: Vec<_> = (0..63).flat_map(|x| (0..38).map(move |y| (x, y))).collect();
        let whole = regions((1000, 600), &all);
        assert_eq!(whole[0].area(), 600_000);
        assert_eq!(regions((20, 9), &[(0, 0)])[0].area(), 180);
    }

    #[test]
    fn a_region_has_the_pixels_of_the_picture_and_tells_what_its_borders_cut() {
        let picture = RgbImage::from_fn(300, 200, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let region = Region {
            left: 64,
            upper: 8,
            right: 160,
            lower: 200,
        };
        let part = region.part_of(&picture);
        assert_eq!(part.dimensions(), (96, 192));
        assert_eq!(part.get_pixel(3, 5), picture.get_pixel(67, 13));
        let cuts = |x, y| {
            let at = BoundingBox {
                x,
                y,
                width: 40.0,
                height: 40.0,
            };
            region.cuts(&at, picture.dimensions())
        };
        assert!(!cuts(80.0, 40.0));
        assert!(cuts(65.0, 40.0) && cuts(118.0, 40.0) && cuts(80.0, 9.0));
        // That border is one of the picture.
        assert!(!cuts(80.0, 180.0));
    }

    #[test]
    fn a_box_marks_what_it_covers_of_the_picture() {
        let mut marks = Marks::new(100, 100);
        let at = |x, y, side| BoundingBox {
            x,
            y,
            width: side,
            height: side,
        };
        marks.mark_box(&at(-30.0, 20.0, 40.0), 0.0);
        assert_eq!(marks.marked.iter().filter(|marked| **marked).count(), 3);
        assert!(!marks.has(&at(0.0, 70.0, 5.0), 0.0) && marks.has(&at(4.0, 4.0, 20.0), 0.0));

        marks.mark_box(&at(-500.0, -500.0, 2000.0), 0.0);
        assert!(marks.marked.iter().all(|marked| *marked));
        let mut marks = Marks::new(100, 100);
        marks.mark_box(&at(-300.0, 20.0, 40.0), 0.25);
        marks.mark_box(&at(300.0, 20.0, 40.0), 0.25);
        assert_eq!(marks.marked.iter().filter(|marked| **marked).count(), 0);
    }
}
