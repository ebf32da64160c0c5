//! Drawing found faces into a picture: boxes, landmarks and scores.

use image::{Rgb, RgbImage};

use crate::face::{BoundingBox, DetectedFace, Landmarks};

const LINE: Rgb<u8> = Rgb([255, 60, 40]);
const POINT: Rgb<u8> = Rgb([60, 255, 80]);
const INK: Rgb<u8> = Rgb([255, 255, 255]);

/// Longest side of a drawing, so that it fits a screen and lines are seen.
const LONGEST: u32 = 2000;

/// Digits in five rows of three pixels, the upper row in the highest bits.
const DIGITS: [u16; 10] = [
    0b111_101_101_101_111,
    0b010_110_010_010_111,
    0b111_001_111_100_111,
    0b111_001_111_001_111,
    0b101_101_111_001_001,
    0b111_100_111_001_111,
    0b111_100_111_101_111,
    0b111_001_010_010_010,
    0b111_101_111_101_111,
    0b111_101_111_001_111,
];

/// The size at which a photo is drawn: its own, or smaller.
pub(super) fn fitting(width: u32, height: u32) -> (u32, u32) {
    let factor = (f64::from(LONGEST) / f64::from(width.max(height))).min(1.0);
    let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    (scaled(width), scaled(height))
}

/// Draws faces whose coordinates are those of the picture divided by `scale`; each with its score in
/// hundredths above the box.
pub(super) fn draw(picture: &mut RgbImage, faces: &[DetectedFace], scale: f32) {
    let stroke = (picture.width().max(picture.height()) / 600).max(1) as i32;
    for face in faces {
        let BoundingBox {
            x,
            y,
            width,
            height,
        } = face.bounding_box;
        let [left, upper] = [x, y].map(|v| (v * scale).round() as i32);
        let [right, lower] = [x + width, y + height].map(|v| (v * scale).round() as i32);
        fill(picture, left, upper, right - left, stroke, LINE);
        fill(picture, left, lower - stroke, right - left, stroke, LINE);
        fill(picture, left, upper, stroke, lower - upper, LINE);
        fill(picture, right - stroke, upper, stroke, lower - upper, LINE);
        for point in face.landmarks.iter().flat_map(Landmarks::points) {
            let [x, y] = [point.x, point.y].map(|v| (v * scale).round() as i32 - stroke / 2);
            fill(picture, x, y, stroke + 1, stroke + 1, POINT);
        }
        let hundredths = (face.score * 100.0).round() as usize;
        let dot = stroke + 1;
        let over = (upper - 7 * dot).max(0);
        fill(picture, left, over, 9 * dot, 7 * dot, LINE);
        for (place, digit) in [hundredths / 10, hundredths % 10].into_iter().enumerate() {
            let from = left + dot + place as i32 * 4 * dot;
            write_digit(picture, digit.min(9), from, over + dot, dot);
        }
    }
}

fn write_digit(picture: &mut RgbImage, digit: usize, x: i32, y: i32, dot: i32) {
    for bit in 0..15 {
        if DIGITS[digit] >> (14 - bit) & 1 == 1 {
            let (column, row) = (bit % 3, bit / 3);
            fill(picture, x + column * dot, y + row * dot, dot, dot, INK);
        }
    }
}

/// Fills what of a rectangle lies in the picture.
fn fill(picture: &mut RgbImage, x: i32, y: i32, width: i32, height: i32, colour: Rgb<u8>) {
    let span = |from: i32, length: i32, end: u32| {
        let to = from.saturating_add(length).clamp(0, end as i32) as u32;
        from.clamp(0, end as i32) as u32..to
    };
    let columns = span(x, width, picture.width());
    for row in span(y, height, picture.height()) {
        for column in columns.clone() {
            picture.put_pixel(column, row, colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_drawn_where_the_face_is_and_may_leave_the_picture() {
        let mut picture = RgbImage::new(200, 100);
        let face = DetectedFace {
            bounding_box: BoundingBox {
                x: 40.0,
                y: 60.0,
                width: 100.0,
                height: 400.0,
            },
            landmarks: None,
            score: 0.87,
        };
        draw(&mut picture, &[face], 0.5);
        assert_eq!(*picture.get_pixel(50, 30), LINE);
        assert_eq!(*picture.get_pixel(20, 90), LINE);
        assert_eq!(*picture.get_pixel(45, 90), Rgb([0; 3]));
        let inked = picture.pixels().filter(|pixel| **pixel == INK).count();
        assert_eq!(inked, 4 * (13 + 7), "an eight and a seven in dots of 2 × 2");
    }

    #[test]
    fn large_photos_are_drawn_smaller() {
        assert_eq!(fitting(4000, 3000), (2000, 1500));
        assert_eq!(fitting(300, 20), (300, 20));
    }
}
