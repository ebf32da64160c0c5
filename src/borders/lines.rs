//! Lines on the map: finds the first one to the east of a point, and the nearest one.

use crate::photo::GeoPoint;

/// Units of the stored coordinates in a degree; 44 m from south to north.
const PER_DEGREE: f64 = 2500.0;

/// Kilometres in a degree of latitude.
const KM_PER_DEGREE: f64 = 111.195;

/// Points in a piece of a line. A search tests the bounds of all pieces in a band, and the points of few of them.
const PIECE: usize = 24;

/// Lines, cut into pieces with bounds.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Longitude and latitude of the points of all pieces.
    points: Vec<[i32; 2]>,
    bounds: Vec<Bounds>,
    pieces: Vec<Piece>,
    /// The pieces in each degree of latitude, from the South Pole on.
    bands: Vec<Vec<u32>>,
    /// The number of lines.
    count: u32,
}

/// A part of a line; it shares its end points with its neighbours.
#[derive(Debug)]
struct Piece {
    line: u32,
    start: u32,
    end: u32,
}

/// The least and the greatest coordinates of a piece.
#[derive(Debug)]
struct Bounds {
    west: i32,
    east: i32,
    south: i32,
    north: i32,
}

/// A line near a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Near {
    /// Its number, in the order in which the lines were added.
    pub line: usize,
    /// Whether the point is on its left.
    pub is_left: bool,
    /// The point on the line.
    pub at: GeoPoint,
}

impl Lines {
    /// Adds a line.
    pub fn push(&mut self, line: &[[i32; 2]]) {
        let number = self.count;
        self.count += 1;
        let mut start = 0;
        while start + 1 < line.len() {
            let end = (start + PIECE).min(line.len() - 1);
            let points = &line[start..=end];
            let of = |axis: usize| points.iter().map(move |point| point[axis]);
            let south = of(1).min().unwrap_or_default();
            let north = of(1).max().unwrap_or_default();
            self.bounds.push(Bounds {
                west: of(0).min().unwrap_or_default(),
                east: of(0).max().unwrap_or_default(),
                south,
                north,
            });
            for band in band(f64::from(south))..=band(f64::from(north)) {
                if self.bands.len() <= band {
                    self.bands.resize(band + 1, Vec::new());
                }
                self.bands[band].push(self.pieces.len() as u32);
            }
            self.pieces.push(Piece {
                line: number,
                start: self.points.len() as u32,
                end: (self.points.len() + points.len()) as u32,
            });
            self.points.extend_from_slice(points);
            start = end;
        }
    }

    fn piece(&self, number: u32) -> (&Bounds, &Piece) {
        (&self.bounds[number as usize], &self.pieces[number as usize])
    }

    /// The first line that a ray from a point to the east meets.
    pub fn first_to_the_east(&self, at: GeoPoint) -> Option<Near> {
        let mut first: Option<(f64, Near)> = None;
        self.crossings(at, |piece, longitude, is_upwards| {
            if first.is_none_or(|(before, _)| longitude < before) {
                let near = Near {
                    line: piece.line as usize,
                    // West of a line that goes north is its left.
                    is_left: is_upwards,
                    at: GeoPoint {
                        latitude: at.latitude,
                        longitude: longitude / PER_DEGREE,
                    },
                };
                first = Some((longitude, near));
            }
        });
        first.map(|(_, near)| near)
    }

    /// Calls `crossed` with the number of a line for each crossing of a line with the ray from a point to the east.
    pub fn crossed_to_the_east(&self, at: GeoPoint, mut crossed: impl FnMut(usize)) {
        self.crossings(at, |piece, _, _| crossed(piece.line as usize));
    }

    /// Finds the crossings of lines with a ray from a point to the east: the piece, the longitude, and whether the
    /// line goes north. A point between two edges counts for the one above it, so that none is crossed twice.
    fn crossings(&self, at: GeoPoint, mut found: impl FnMut(&Piece, f64, bool)) {
        let (x, y) = (at.longitude * PER_DEGREE, at.latitude * PER_DEGREE);
        for number in self.bands.get(band(y)).into_iter().flatten() {
            let (bounds, piece) = self.piece(*number);
            if f64::from(bounds.south) > y
                || f64::from(bounds.north) <= y
                || f64::from(bounds.east) < x
            {
                continue;
            }
            for edge in self.points[piece.start as usize..piece.end as usize].windows(2) {
                let [[ax, ay], [bx, by]] = [edge[0], edge[1]].map(|point| point.map(f64::from));
                if (ay <= y) == (by <= y) {
                    continue;
                }
                let crossing = ax + (y - ay) / (by - ay) * (bx - ax);
                if crossing > x {
                    found(piece, crossing, by > ay);
                }
            }
        }
    }

    /// The line that is nearest to a point, if it is not farther than `km`.
    pub fn nearest(&self, at: GeoPoint, km: f64) -> Option<Near> {
        // The map near the point is flat enough: a degree of longitude is as long as at its latitude.
        let narrow = at.latitude.to_radians().cos().max(0.01);
        let (x, y) = (at.longitude * PER_DEGREE, at.latitude * PER_DEGREE);
        let reach = km / KM_PER_DEGREE * PER_DEGREE;
        let mut best: Option<(f64, Near)> = None;
        let mut least = reach * reach;
        // Beyond the date line is the other end of the map.
        for x in [x, x - 360.0 * PER_DEGREE, x + 360.0 * PER_DEGREE] {
            let bands = band(y - reach)..=band(y + reach);
            let bands = bands.filter_map(|band| self.bands.get(band));
            for number in bands.flatten() {
                let (bounds, piece) = self.piece(*number);
                let beyond = |low: i32, high: i32, value: f64| {
                    (f64::from(low) - value)
                        .max(value - f64::from(high))
                        .max(0.0)
                };
                let east = beyond(bounds.west, bounds.east, x) * narrow;
                let north = beyond(bounds.south, bounds.north, y);
                if east * east + north * north >= least {
                    continue;
                }
                for edge in self.points[piece.start as usize..piece.end as usize].windows(2) {
                    let [[ax, ay], [bx, by]] = [edge[0], edge[1]].map(|point| point.map(f64::from));
                    let (dx, dy) = ((bx - ax) * narrow, by - ay);
                    let (px, py) = ((x - ax) * narrow, y - ay);
                    let along = ((px * dx + py * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
                    let (ex, ey) = (px - along * dx, py - along * dy);
                    let distance = ex * ex + ey * ey;
                    if distance < least {
                        least = distance;
                        let near = Near {
                            line: piece.line as usize,
                            is_left: dx * py - dy * px > 0.0,
                            at: GeoPoint {
                                latitude: (ay + along * (by - ay)) / PER_DEGREE,
                                longitude: (ax + along * (bx - ax)) / PER_DEGREE,
                            },
                        };
                        best = Some((distance, near));
                    }
                }
            }
        }
        best.map(|(_, near)| near)
    }
}

/// The number of the degree of latitude, counted from the South Pole, that contains a stored latitude.
fn band(latitude: f64) -> usize {
    // A number below zero becomes zero.
    (latitude / PER_DEGREE + 90.0) as usize
}
