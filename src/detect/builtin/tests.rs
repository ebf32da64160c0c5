use super::*;
use image::{Rgb, RgbImage};

#[test]
fn any_size_is_looked_at() {
    let detector = Builtin::new(DetectorParams::default()).unwrap();
    for (width, height) in [(1, 1), (1, 500), (33, 31), (3000, 20)] {
        let grey = RgbImage::from_pixel(width, height, Rgb([128; 3]));
        let faces = detector.detect(&Raster::new(grey, Orientation::Upright));
        assert_eq!(faces, Ok(vec![]), "{width}×{height}");
    }
}
