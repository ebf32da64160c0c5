//! Draws faces, text and pictures into RGB images: contact sheets and the drawings of `detect`.

use ab_glyph::{Font as _, ScaleFont as _};
use fer_core::font;
use image::{Rgb, RgbImage};

use crate::face::{BoundingBox, Landmarks};

/// The colour of a face's frame.
const FRAME: Rgb<u8> = Rgb([255, 60, 40]);
/// The colour of landmarks.
const POINT: Rgb<u8> = Rgb([60, 255, 80]);
/// The colour of a label's text.
pub const WHITE: Rgb<u8> = Rgb([255; 3]);
/// The colour behind a label's text; the picture partly shows through.
const BACK: Rgb<u8> = Rgb([0; 3]);
const BACK_OPACITY: f32 = 0.6;

/// Pixels between the edge of a label and its text.
const PADDING: f32 = 2.0;

/// A rectangle in pixels: left, top, width, height. It may extend beyond the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    /// Its left edge.
    pub x: i32,
    /// Its upper edge.
    pub y: i32,
    /// Its width.
    pub width: i32,
    /// Its height.
    pub height: i32,
}

/// An image to draw into. Everything outside of the image is clipped.
#[derive(Debug)]
pub struct Canvas<'i>(&'i mut RgbImage);

impl<'i> Canvas<'i> {
    /// Draws into `image`.
    pub const fn new(image: &'i mut RgbImage) -> Self {
        Self(image)
    }

    /// Frames a face's bounding box, in pixels of the image, with lines of `stroke` pixels.
    pub fn frame(&mut self, face: &BoundingBox, stroke: i32) {
        let [left, top] = [face.x, face.y].map(|v| v.round() as i32);
        let [right, bottom] = [face.x + face.width, face.y + face.height].map(|v| v.round() as i32);
        let (width, height) = (right - left, bottom - top);
        for (x, y, width, height) in [
            (left, top, width, stroke),
            (left, bottom - stroke, width, stroke),
            (left, top, stroke, height),
            (right - stroke, top, stroke, height),
        ] {
            let edge = Rectangle {
                x,
                y,
                width,
                height,
            };
            self.fill(edge, FRAME, 1.0);
        }
    }

    /// Marks a face's landmarks, in pixels of the image, with squares of `side` pixels.
    pub fn landmarks(&mut self, landmarks: &Landmarks, side: i32) {
        for point in landmarks.points() {
            let [x, y] = [point.x, point.y].map(|v| v.round() as i32 - side / 2);
            let square = Rectangle {
                x,
                y,
                width: side,
                height: side,
            };
            self.fill(square, POINT, 1.0);
        }
    }

    /// Writes a label: white text of `size` pixels on a dark background. Its upper left corner is (x, y), its size is
    /// [`label_size`].
    pub fn label(&mut self, text: &str, (x, y): (i32, i32), size: f32) {
        let (width, height) = label_size(text, size);
        let background = Rectangle {
            x,
            y,
            width: width.ceil() as i32,
            height: height.ceil() as i32,
        };
        self.fill(background, BACK, BACK_OPACITY);
        self.text(text, (x as f32 + PADDING, y as f32 + PADDING), size, WHITE);
    }

    /// Writes text of `size` pixels whose upper left corner is (x, y).
    pub fn text(&mut self, text: &str, (x, y): (f32, f32), size: f32, colour: Rgb<u8>) {
        if font::lacks_some_of(text) {
            let (x, y) = (x.round() as i32, y.round() as i32);
            for (dx, dy, coverage) in font::system::set(text, size).pixels {
                self.blend(x + dx, y + dy, colour, coverage);
            }
            return;
        }
        let Some(font) = font::glyphs() else {
            return;
        };
        let scaled = font.as_scaled(size);
        let baseline = y + scaled.ascent();
        let mut pen = x;
        let mut before = None;
        for c in text.chars() {
            let id = scaled.glyph_id(c);
            pen += before.map_or(0.0, |before| scaled.kern(before, id));
            let glyph = id.with_scale_and_position(size, ab_glyph::point(pen, baseline));
            if let Some(outline) = font.outline_glyph(glyph) {
                let bounds = outline.px_bounds();
                outline.draw(|dx, dy, coverage| {
                    let x = bounds.min.x as i32 + dx as i32;
                    let y = bounds.min.y as i32 + dy as i32;
                    self.blend(x, y, colour, coverage);
                });
            }
            pen += scaled.h_advance(id);
            before = Some(id);
        }
    }

    /// Copies a picture into the image, with its upper left corner at (x, y).
    pub fn picture(&mut self, picture: &RgbImage, (x, y): (i32, i32)) {
        image::imageops::replace(self.0, picture, x.into(), y.into());
    }

    /// Fills a rectangle; an `opacity` below 1 lets the image show through.
    pub fn fill(&mut self, area: Rectangle, colour: Rgb<u8>, opacity: f32) {
        let span = |from: i32, length: i32, end: u32| {
            let to = from.saturating_add(length).clamp(0, end as i32);
            from.clamp(0, end as i32)..to
        };
        for y in span(area.y, area.height, self.0.height()) {
            for x in span(area.x, area.width, self.0.width()) {
                self.blend(x, y, colour, opacity);
            }
        }
    }

    fn blend(&mut self, x: i32, y: i32, colour: Rgb<u8>, opacity: f32) {
        let (Ok(x), Ok(y)) = (x.try_into(), y.try_into()) else {
            return;
        };
        if let Some(pixel) = self.0.get_pixel_mut_checked(x, y) {
            for (below, above) in pixel.0.iter_mut().zip(colour.0) {
                let (under, over) = (f32::from(*below), f32::from(above));
                *below = (under + (over - under) * opacity.min(1.0)).round() as u8;
            }
        }
    }
}

/// Width and height of text of `size` pixels.
pub fn text_size(text: &str, size: f32) -> (f32, f32) {
    let Some(font) = font::glyphs() else {
        return (0.0, 0.0);
    };
    let scaled = font.as_scaled(size);
    if font::lacks_some_of(text) {
        return (font::system::set(text, size).width, scaled.height());
    }
    let mut width = 0.0;
    let mut before = None;
    for c in text.chars() {
        let id = scaled.glyph_id(c);
        width += before.map_or(0.0, |before| scaled.kern(before, id)) + scaled.h_advance(id);
        before = Some(id);
    }
    (width, scaled.height())
}

/// Width and height of a label with text of `size` pixels.
pub fn label_size(text: &str, size: f32) -> (f32, f32) {
    let (width, height) = text_size(text, size);
    (width + 2.0 * PADDING, height + 2.0 * PADDING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(image: &RgbImage) -> Option<[u32; 4]> {
        let pixels = image.enumerate_pixels().filter(|(.., p)| p.0 != [0; 3]);
        pixels.fold(None, |bounds, (x, y, _)| {
            let [left, top, right, bottom] = bounds.unwrap_or([x, y, x, y]);
            Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
        })
    }

    #[test]
    fn text_fits_into_its_measured_size() {
        let (width, height) = text_size("Ågy 87", 20.0);
        assert!(width > 40.0 && height > 18.0, "{width} × {height}");
        let mut image = RgbImage::new(200, 60);
        Canvas::new(&mut image).text("Ågy 87", (10.0, 5.0), 20.0, WHITE);
        let [left, top, right, bottom] = painted(&image).unwrap();
        assert!(left >= 9 && top >= 4);
        assert!(right as f32 <= 11.0 + width && bottom as f32 <= 6.0 + height);
    }

    #[test]
    fn drawing_outside_of_the_image_is_clipped() {
        let mut image = RgbImage::new(20, 10);
        let mut canvas = Canvas::new(&mut image);
        let face = BoundingBox {
            x: -5.0,
            y: 5.0,
            width: 15.0,
            height: 40.0,
        };
        canvas.frame(&face, 2);
        canvas.label("87", (15, -8), 20.0);
        assert_eq!(*image.get_pixel(0, 5), FRAME);
        assert_eq!(*image.get_pixel(9, 9), FRAME);
        assert_eq!(*image.get_pixel(0, 9), Rgb([0; 3]));
    }
}
