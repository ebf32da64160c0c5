//! Pixels that are partly unknown because the file is truncated or damaged.

use std::ops::Range;

use image::RgbImage;

use crate::face::{BoundingBox, Point};
use crate::raster::Raster;

/// Stored pixels, and which of them are unknown.
#[derive(Debug)]
pub(super) struct Pixels {
    pub pixels: RgbImage,
    pub lost: Option<Lost>,
}

impl Pixels {
    /// Pixels that are all decoded.
    pub const fn whole(pixels: RgbImage) -> Self {
        Self { pixels, lost: None }
    }
}

/// The part of a picture that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The unknown rows of the stored pixels, from the top; empty if only the finest details are unknown.
    pub(super) rows: Vec<Range<u32>>,
    /// One sentence on what is wrong with the file.
    pub problem: String,
}

impl Lost {
    /// Whether a box, in pixels of the upright photo, touches unknown rows.
    pub fn touches(&self, raster: &Raster, at: &BoundingBox) -> bool {
        let map = raster.upright_to_stored();
        let stored = |x: f32, y: f32| map.apply(Point { x, y }).y;
        let (one, other) = (
            stored(at.x, at.y),
            stored(at.x + at.width, at.y + at.height),
        );
        let (top, bottom) = (one.min(other), one.max(other));
        self.rows
            .iter()
            .any(|rows| bottom > rows.start as f32 && top < rows.end as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Orientation;

    #[test]
    fn a_box_touches_lost_rows_in_every_orientation() {
        let lost = Lost {
            rows: vec![0..5, 70..100],
            problem: String::new(),
        };
        let stored = BoundingBox {
            x: 10.0,
            y: 30.0,
            width: 20.0,
            height: 30.0,
        };
        for orientation in Orientation::ALL {
            let raster = Raster::new(RgbImage::new(50, 100), orientation);
            let turned = |at: &BoundingBox| {
                let turn =
                    crate::raster::Turn::between(Orientation::Upright, orientation, (50, 100));
                turn.map_or(*at, |turn| turn.bounding_box(at))
            };
            assert!(!lost.touches(&raster, &turned(&stored)), "{orientation:?}");
            let lower = BoundingBox { y: 45.0, ..stored };
            assert!(lost.touches(&raster, &turned(&lower)), "{orientation:?}");
        }
    }
}
