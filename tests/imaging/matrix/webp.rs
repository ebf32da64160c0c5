//! WebP: with losses, transparent in two ways, and an animation whose first frame is smaller than its canvas.

use image::RgbImage;

use super::assert_shows;
use crate::common::photo;

#[test]
fn webp_is_shown_on_white() {
    let side = photo("matrix/side.png");
    assert_shows("webp-lossy.webp", &side, 3.0);
    // The opacity of a column is five times its number.
    let fading = RgbImage::from_fn(side.width(), side.height(), |x, y| {
        let opacity = 5 * x;
        let on_white = |part: u8| (u32::from(part) * opacity + 255 * (255 - opacity) + 127) / 255;
        image::Rgb(side.get_pixel(x, y).0.map(|part| on_white(part) as u8))
    });
    assert_shows("webp-fading-lossless.webp", &fading, 0.0);
    assert_shows("webp-fading.webp", &fading, 3.0);
    let mut canvas = RgbImage::from_pixel(60, 50, image::Rgb([255; 3]));
    image::imageops::replace(&mut canvas, &side, 4, 6);
    assert_shows("webp-first-frame-smaller.webp", &canvas, 3.0);
}
