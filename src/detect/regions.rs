//! Covers marked places of a picture with few rectangles, so that the rest of it need not be searched.

use crate::face::BoundingBox;

/// Side of a cell in pixels, in which places are marked.
pub(super) const CELL: u32 = 16;

/// Sides of rectangles are multiples of this, the network's largest stride: it would pad them to such sides.
const GRID: u32 = 32;

/// What must be around a box in a region, as a share of its sides.
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
    /// The first column to the right of it, and the first row below it.
    pub right: u32,
    pub lower: u32,
}

impl Region {
    /// Pixels in it.
    pub const fn area(&self) -> u64 {
        (self.right - self.left) as u64 * (self.lower - self.upper) as u64
    }

    /// Whether a border of this region of a picture, which is none of the picture's, may cut a face with this box: it is nearer
    /// than a share of the box's sides. Of a face that is cut, the network sees a smaller one in what is left.
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

    /// Marks a cell; one outside the picture is left out.
    pub fn mark(&mut self, column: u32, row: u32) {
        let rows = self.height.div_ceil(CELL);
        if column < self.columns && row < rows {
            self.marked[(row * self.columns + column) as usize] = true;
        }
    }

    /// Marks all cells of a box, and `around` it on each side, a share of its sides, as far as they are in the picture.
    pub fn mark_box(&mut self, at: &BoundingBox, around: f32) {
        let at = BoundingBox {
            x: at.x - around * at.width,
            y: at.y - around * at.height,
            width: (1.0 + 2.0 * around) * at.width,
            height: (1.0 + 2.0 * around) * at.height,
        };
        let cells = |from: f32, length: f32, cells: u32| {
            let at = |value: f32| (value / CELL as f32).clamp(0.0, cells as f32) as u32;
            at(from)..(at(from + length) + u32::from(from + length > 0.0)).min(cells)
        };
        let rows = self.height.div_ceil(CELL);
        for row in cells(at.y, at.height, rows) {
            for column in cells(at.x, at.width, self.columns) {
                self.mark(column, row);
            }
        }
    }

    /// Rectangles that hold every marked cell with `margin` pixels around it, as far as the picture has them. Where they
    /// would cover more than `most` of the picture, it is one rectangle.
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
                match regions.last_mut() {
                    Some(last) if last.upper == cell.upper && last.right >= cell.left => {
                        last.right = cell.right;
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

/// Replaces rectangles by those around two, as long as these have no more pixels than both.
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

/// A span whose length is a multiple of the grid, if there is room for it.
fn even(from: u32, end: u32, length: u32) -> (u32, u32) {
    let wanted = (end - from).next_multiple_of(GRID).min(length);
    let from = from.min(length - wanted);
    // The cells of the network stay where they are in the whole picture.
    let from = from / 8 * 8;
    (from, (from + wanted).min(length))
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
    fn a_mark_has_its_margin_and_sides_that_the_network_needs() {
        let region = Region {
            left: 280,
            upper: 120,
            right: 376,
            lower: 216,
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
        marks.mark_box(&at(-500.0, -500.0, 2000.0), 0.0);
        assert!(marks.marked.iter().all(|marked| *marked));
        let mut marks = Marks::new(100, 100);
        marks.mark_box(&at(-300.0, 20.0, 40.0), 0.25);
        marks.mark_box(&at(300.0, 20.0, 40.0), 0.25);
        assert_eq!(marks.marked.iter().filter(|marked| **marked).count(), 0);
    }
}
