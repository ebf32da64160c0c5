//! Points in pixels, and affine maps of the plane, from the coordinates of one picture to those of another.

use serde::{Deserialize, Serialize};

/// A point in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Distance from the left edge.
    pub x: f32,
    /// Distance from the upper edge.
    pub y: f32,
}

/// An affine map: `x' = a x + b y + tx`, `y' = c x + d y + ty`, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Row 1: `a`, `b`, `tx`.
    pub x: [f32; 3],
    /// Row 2: `c`, `d`, `ty`.
    pub y: [f32; 3],
}

impl Affine {
    /// The map that scales by `x` horizontally and by `y` vertically.
    pub const fn stretch(x: f32, y: f32) -> Self {
        Self {
            x: [x, 0.0, 0.0],
            y: [0.0, y, 0.0],
        }
    }

    /// Maps a point.
    #[inline]
    pub fn apply(&self, p: Point) -> Point {
        Point {
            x: self.x[0] * p.x + self.x[1] * p.y + self.x[2],
            y: self.y[0] * p.x + self.y[1] * p.y + self.y[2],
        }
    }

    /// The map that applies `self` first and `next` after it.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let row = |r: [f32; 3]| {
            [
                r[0] * self.x[0] + r[1] * self.y[0],
                r[0] * self.x[1] + r[1] * self.y[1],
                r[0] * self.x[2] + r[1] * self.y[2] + r[2],
            ]
        };
        Self {
            x: row(next.x),
            y: row(next.y),
        }
    }

    /// The similarity (rotation, uniform scale, shift) that maps `from` to `to` with least squared error, with points
    /// paired by index; `None` if all points of either set coincide.
    ///
    /// Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    /// PAMI 1991; in two dimensions the solution has a closed form.
    pub fn similarity(from: &[Point], to: &[Point]) -> Option<Self> {
        let mean = |points: &[Point]| {
            let n = points.len() as f32;
            let sum = points
                .iter()
                .fold((0.0, 0.0), |s, p| (s.0 + p.x, s.1 + p.y));
            Point {
                x: sum.0 / n,
                y: sum.1 / n,
            }
        };
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut dot, mut cross, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (p.x - from_mean.x, p.y - from_mean.y);
            let (qx, qy) = (q.x - to_mean.x, q.y - to_mean.y);
            dot += px * qx + py * qy;
            cross += px * qy - py * qx;
            spread += px * px + py * py;
        }
        if !(spread > f32::EPSILON && dot.hypot(cross) > f32::EPSILON) {
            return None;
        }
        let (a, c) = (dot / spread, cross / spread);
        Some(Self {
            x: [a, -c, to_mean.x - a * from_mean.x + c * from_mean.y],
            y: [c, a, to_mean.y - c * from_mean.x - a * from_mean.y],
        })
    }

    /// The inverse map; `None` if there is none, because the map sends the plane to a line or a point.
    pub fn inverse(&self) -> Option<Self> {
        let det = self.x[0] * self.y[1] - self.x[1] * self.y[0];
        if !det.is_finite() || det.abs() < 1e-12 {
            return None;
        }
        let (a, b, c, d) = (
            self.y[1] / det,
            -self.x[1] / det,
            -self.y[0] / det,
            self.x[0] / det,
        );
        Some(Self {
            x: [a, b, -(a * self.x[2] + b * self.y[2])],
            y: [c, d, -(c * self.x[2] + d * self.y[2])],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(p: Point, q: Point) -> bool {
        (p.x - q.x).abs() < 1e-3 && (p.y - q.y).abs() < 1e-3
    }

    #[test]
    fn similarity_recovers_rotation_scale_and_shift() {
        let truth = Affine {
            x: [1.2, -0.9, 3.0],
            y: [0.9, 1.2, -7.0],
        };
        let from = [(0.0, 0.0), (10.0, 1.0), (4.0, 8.0)].map(|(x, y)| Point { x, y });
        let found = Affine::similarity(&from, &from.map(|p| truth.apply(p))).unwrap();
        for p in from {
            assert!(close(found.apply(p), truth.apply(p)));
            assert!(close(found.then(&found.inverse().unwrap()).apply(p), p));
        }
    }

    #[test]
    fn coinciding_points_have_no_similarity() {
        let p = [Point { x: 1.0, y: 1.0 }; 5];
        assert_eq!(Affine::similarity(&p, &p), None);
    }
}
