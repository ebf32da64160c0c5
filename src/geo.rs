//! Geometry on the globe: distances, circles, and the grid of cells by which photos are indexed.

use std::ops::RangeInclusive;

use crate::photo::GeoPoint;

/// Mean radius of the Earth in km (IUGG).
const EARTH_RADIUS: f64 = 6371.0088;

/// Cells per degree.
const PER_DEGREE: f64 = 10.0;

/// Distance from the middle of a cell to its corner at the equator, in km.
const HALF_DIAGONAL: f64 = 7.9;

const ROWS: i64 = 1800;
const COLUMNS: i64 = 3600;

/// Great-circle distance in km (haversine formula).
pub fn distance(a: GeoPoint, b: GeoPoint) -> f64 {
    let (lat_a, lat_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let half_chord = |angle: f64| (angle / 2.0).sin().powi(2);
    let h = half_chord(lat_b - lat_a)
        + lat_a.cos() * lat_b.cos() * half_chord((b.longitude - a.longitude).to_radians());
    2.0 * EARTH_RADIUS * h.min(1.0).sqrt().asin()
}

/// A grid cell of a tenth of a degree in latitude and longitude: at most 11 km each way. Cells are numbered
/// row by row from the South Pole, each row eastwards from longitude −180; the column `photos.cell` computes
/// the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(pub i64);

impl Cell {
    /// The cell that contains a point.
    pub fn of(point: GeoPoint) -> Self {
        let row = ((point.latitude + 90.0) * PER_DEGREE) as i64;
        let column = ((point.longitude + 180.0) * PER_DEGREE) as i64;
        Self(row.min(ROWS - 1) * COLUMNS + column % COLUMNS)
    }

    /// The middle of the cell.
    pub fn centre(self) -> GeoPoint {
        let (row, column) = (self.0 / COLUMNS, self.0 % COLUMNS);
        GeoPoint {
            latitude: (row as f64 + 0.5) / PER_DEGREE - 90.0,
            longitude: (column as f64 + 0.5) / PER_DEGREE - 180.0,
        }
    }

    /// The cell and its neighbours, at most nine.
    pub fn block(self) -> impl Iterator<Item = Self> {
        let (row, column) = (self.0 / COLUMNS, self.0 % COLUMNS);
        let rows = (row - 1).max(0)..=(row + 1).min(ROWS - 1);
        rows.flat_map(move |row| {
            (column - 1..=column + 1)
                .map(move |column| Self(row * COLUMNS + column.rem_euclid(COLUMNS)))
        })
    }
}

/// All points within some distance of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    /// Its centre.
    pub centre: GeoPoint,
    /// Its radius in km.
    pub km: f64,
}

impl Circle {
    /// Whether a point is in the circle.
    pub fn contains(&self, point: GeoPoint) -> bool {
        distance(self.centre, point) <= self.km
    }

    /// Whether all points of a cell are certainly in the circle; `false` also for some such cells at its edge.
    pub fn holds_all_of(&self, cell: Cell) -> bool {
        distance(self.centre, cell.centre()) <= self.km - HALF_DIAGONAL
    }

    /// Whether certainly no point of a cell is in the circle; `false` also for some such cells at its edge.
    pub fn holds_none_of(&self, cell: Cell) -> bool {
        distance(self.centre, cell.centre()) > self.km + HALF_DIAGONAL
    }

    /// Ranges of cell numbers that cover the circle, also across the date line and the poles.
    fn cells(&self) -> Vec<RangeInclusive<i64>> {
        let angle = self.km.max(0.0) / EARTH_RADIUS;
        let degrees = angle.to_degrees();
        let row =
            |latitude: f64| (((latitude + 90.0) * PER_DEGREE).floor() as i64).clamp(0, ROWS - 1);
        let (south, north) = (
            self.centre.latitude - degrees,
            self.centre.latitude + degrees,
        );
        let rows = row(south)..=row(north);
        // Half the circle's extent in longitude; a circle that contains a pole spans all longitudes.
        let ratio = angle.sin() / self.centre.latitude.to_radians().cos();
        let columns = if south <= -90.0 || north >= 90.0 || ratio >= 1.0 {
            None
        } else {
            let half = ratio.asin().to_degrees();
            let column = |longitude: f64| ((longitude + 180.0) * PER_DEGREE).floor() as i64;
            Some((
                column(self.centre.longitude - half),
                column(self.centre.longitude + half),
            ))
        };
        let mut ranges = Vec::new();
        for row in rows {
            let first = row * COLUMNS;
            match columns {
                Some((west, east)) if east - west < COLUMNS - 1 => {
                    let (west, east) = (west.rem_euclid(COLUMNS), east.rem_euclid(COLUMNS));
                    if west <= east {
                        ranges.push(first + west..=first + east);
                    } else {
                        ranges.push(first..=first + east);
                        ranges.push(first + west..=first + COLUMNS - 1);
                    }
                }
                _ => ranges.push(first..=first + COLUMNS - 1),
            }
        }
        ranges
    }
}

/// An area in which a photo may have been taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Region {
    /// A circle.
    Circle(Circle),
    /// Cells in ascending order.
    Cells(Vec<Cell>),
    /// A country, a region, an island and the like, by its code among those of
    /// [`Borders::areas`](crate::borders::Borders::areas).
    Area(String),
    /// One of several.
    Any(Vec<Self>),
}

impl Region {
    /// Whether a point is in a circle or a cell of the region. Areas are not tested here, since the index has those of
    /// each photo.
    pub fn contains(&self, point: GeoPoint) -> bool {
        match self {
            Self::Circle(circle) => circle.contains(point),
            Self::Cells(cells) => cells.binary_search(&Cell::of(point)).is_ok(),
            Self::Area(_) => false,
            Self::Any(regions) => regions.iter().any(|region| region.contains(point)),
        }
    }

    /// The codes of the areas in it.
    pub fn areas(&self) -> Vec<&str> {
        match self {
            Self::Circle(_) | Self::Cells(_) => Vec::new(),
            Self::Area(code) => vec![code],
            Self::Any(regions) => regions.iter().flat_map(Self::areas).collect(),
        }
    }

    /// Ranges of cell numbers, in ascending order, that cover the circles and cells of the region.
    pub fn cells(&self) -> Vec<RangeInclusive<i64>> {
        match self {
            Self::Circle(circle) => circle.cells(),
            Self::Area(_) => Vec::new(),
            Self::Cells(cells) => cells
                .chunk_by(|a, b| a.0 + 1 == b.0)
                .map(|run| run[0].0..=run[run.len() - 1].0)
                .collect(),
            Self::Any(regions) => {
                let mut ranges: Vec<_> = regions.iter().flat_map(Self::cells).collect();
                ranges.sort_by_key(|range| *range.start());
                ranges.dedup_by(|next, range| {
                    let is_joined = *next.start() <= *range.end() + 1;
                    if is_joined {
                        *range = *range.start()..=*range.end().max(next.end());
                    }
                    is_joined
                });
                ranges
            }
        }
    }

    /// The circles in it.
    pub fn circles(&self) -> Vec<Circle> {
        match self {
            Self::Circle(circle) => vec![*circle],
            Self::Cells(_) | Self::Area(_) => Vec::new(),
            Self::Any(regions) => regions.iter().flat_map(Self::circles).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn point(latitude: f64, longitude: f64) -> GeoPoint {
        GeoPoint {
            latitude,
            longitude,
        }
    }

    const PARIS: GeoPoint = point(48.8566, 2.3522);

    #[test]
    fn distances_equal_known_values() {
        // Great-circle distances on a sphere of the mean radius.
        assert!((distance(PARIS, point(51.5074, -0.1278)) - 343.6).abs() < 0.5);
        assert!((distance(point(0.0, 179.9), point(0.0, -179.9)) - 22.24).abs() < 0.01);
        assert!((distance(point(90.0, 12.0), point(-90.0, 77.0)) - 20_015.1).abs() < 0.1);
        assert!(distance(PARIS, PARIS).abs() < 1e-9);
    }

    #[test]
    fn a_cell_contains_its_centre_and_points_at_the_poles_have_a_cell() {
        for cell in [0, 1, 3599, 3600, 1800 * 3600 - 1, 1_234_567] {
            assert_eq!(Cell::of(Cell(cell).centre()), Cell(cell));
        }
        assert_eq!(Cell::of(point(90.0, 180.0)), Cell(1799 * 3600));
        assert_eq!(Cell::of(point(-90.0, -180.0)), Cell(0));
        assert_eq!(Cell(0).block().count(), 6);
        assert!(
            Cell(0).block().any(|cell| cell == Cell(3599)),
            "the date line"
        );
    }

    #[test]
    fn the_cells_of_a_circle_cover_all_its_points() {
        for centre in [
            PARIS,
            point(0.0, 179.99),
            point(-17.7, -179.95),
            point(89.95, 10.0),
            point(-89.0, -120.0),
        ] {
            for km in [0.0, 3.0, 80.0, 1500.0, 30_000.0] {
                let region = Region::Circle(Circle { centre, km });
                let cells = region.cells();
                assert!(
                    cells.is_sorted_by(|a, b| a.end() < b.start()),
                    "{centre:?} {km}"
                );
                for step in 0..720_u32 {
                    let at = point(
                        f64::from(step % 61) * 180.0 / 60.0 - 90.0,
                        f64::from(step) / 2.0 - 180.0,
                    );
                    let near = point(
                        (centre.latitude + f64::from(step % 61) / 20.0 - 1.5).clamp(-90.0, 90.0),
                        (centre.longitude + f64::from(step) / 90.0 - 4.0 + 540.0).rem_euclid(360.0)
                            - 180.0,
                    );
                    for at in [centre, at, near] {
                        let cell = Cell::of(at).0;
                        assert!(
                            !region.contains(at) || cells.iter().any(|range| range.contains(&cell)),
                            "{at:?} lies within {km} km of {centre:?}"
                        );
                    }
                }
            }
        }
        let small = Region::Circle(Circle {
            centre: PARIS,
            km: 10.0,
        });
        let count: i64 = small
            .cells()
            .iter()
            .map(|range| range.end() - range.start() + 1)
            .sum();
        assert!(count <= 15, "{count} cells for ten kilometres");
    }

    #[test]
    fn a_region_of_cells_contains_their_points() {
        let region = Region::Cells(vec![Cell(5), Cell(6), Cell(9)]);
        assert_eq!(region.cells(), [5..=6, 9..=9]);
        let other = Region::Cells(vec![Cell(2), Cell(7)]);
        let both = Region::Any(vec![region.clone(), other]);
        assert_eq!(both.cells(), [2..=2, 5..=7, 9..=9]);
        assert!(both.contains(Cell(7).centre()) && !both.contains(Cell(8).centre()));
        assert!(region.contains(Cell(9).centre()) && !region.contains(Cell(7).centre()));
    }

    #[test]
    fn a_cell_at_the_edge_is_neither_inside_nor_outside() {
        let circle = Circle {
            centre: point(0.0, 0.0),
            km: 100.0,
        };
        for (at, is_in, is_out) in [
            (point(0.05, 0.05), true, false),
            (point(0.0, 0.85), false, false),
            (point(0.0, 5.0), false, true),
        ] {
            let cell = Cell::of(at);
            let holds = (circle.holds_all_of(cell), circle.holds_none_of(cell));
            assert_eq!(holds, (is_in, is_out), "{at:?}");
        }
    }
}
