//! Draws the boxes, landmarks and detection scores of faces into a picture.

use image::RgbImage;

use crate::canvas::{Canvas, label_size};
use crate::face::{BoundingBox, DetectedFace, Point};

/// Longest side of a drawing in pixels, so that it fits a screen and its lines are visible.
const MAX_SIDE: u32 = 2000;

/// The size of the drawing of a photo: that of the photo, or smaller.
pub(super) fn fitting(width: u32, height: u32) -> (u32, u32) {
    let factor = (f64::from(MAX_SIDE) / f64::from(width.max(height))).min(1.0);
    let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    (scaled(width), scaled(height))
}

/// Draws faces, each with its detection score in hundredths above the box. The coordinates of a face are multiplied by
/// `scale` to give those in `picture`.
pub(super) fn draw(picture: &mut RgbImage, faces: &[DetectedFace], scale: f32) {
    let stroke = (picture.width().max(picture.height()) / 600).max(1) as i32;
    let size = 7.0 * (stroke + 1) as f32;
    let mut canvas = Canvas::new(picture);
    for face in faces {
        let BoundingBox {
            x,
            y,
            width,
            height,
        } = face.bounding_box;
        let [x, y, width, height] = [x, y, width, height].map(|v| v * scale);
        canvas.frame(
            &BoundingBox {
                x,
                y,
                width,
                height,
            },
            stroke,
        );
        if let Some(landmarks) = &face.landmarks {
            let scaled = landmarks.map(|point| Point {
                x: point.x * scale,
                y: point.y * scale,
            });
            canvas.landmarks(&scaled, stroke + 1);
        }
        let text = format!("{:02}", ((face.score * 100.0).round() as u32).min(99));
        let top = (y - label_size(&text, size).1).max(0.0);
        canvas.label(&text, (x.round() as i32, top.round() as i32), size);
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_box_is_drawn_around_the_face_and_may_extend_beyond_the_picture() {
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
        let line = *picture.get_pixel(20, 90);
        assert_eq!(*picture.get_pixel(50, 30), line);
        assert_ne!(line, Rgb([0; 3]));
        assert_eq!(*picture.get_pixel(45, 90), Rgb([0; 3]));
        let mut label = RgbImage::new(200, 100);
        let place = (20, (30.0 - label_size("87", 14.0).1).round() as i32);
        Canvas::new(&mut label).label("87", place, 14.0);
        let inked = |picture: &RgbImage| {
            let white = picture.enumerate_pixels().filter(|(.., p)| p.0[2] > 100);
            white.map(|(x, y, _)| (x, y)).collect::<Vec<_>>()
        };
        assert!(inked(&label).len() > 20);
        assert_eq!(
            inked(&picture),
            inked(&label),
            "an eight and a seven above the box"
        );
    }

    #[test]
    fn drawings_of_large_photos_are_smaller() {
        assert_eq!(fitting(4000, 3000), (2000, 1500));
        assert_eq!(fitting(300, 20), (300, 20));
    }
}
