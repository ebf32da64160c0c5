//! WebP: with losses, transparent in two ways, and an animation whose first frame is smaller than its canvas.

use image::RgbImage;

use super::{assert_shows, fading};
use crate::common::photo;

#[test]
fn webp_is_shown_on_white() {
    let side = photo("matrix/side.png");
    assert_shows("webp-lossy.webp", &side, 3.0);
    let fading = fading();
    assert_shows("webp-fading-lossless.webp", &fading, 0.0);
    assert_shows("webp-fading.webp", &fading, 3.0);
    let mut canvas = RgbImage::from_pixel(60, 50, image::Rgb([255; 3]));
    image::imageops::replace(&mut canvas, &side, 4, 6);
    assert_shows("webp-first-frame-smaller.webp", &canvas, 3.0);
}
