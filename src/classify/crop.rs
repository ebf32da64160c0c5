//! Cutting a face out of a photo the way FER2013 frames its faces.

use image::RgbImage;

use super::{FACE_SIDE, FaceCrop};
use crate::affine::Affine;
use crate::face::{DetectedFace, Landmarks, Point};
use crate::raster::Raster;

const fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

/// Where the landmarks of FER2013's faces lie in their 48 × 48 frame (pixel edges at integers):
/// medians over the training faces in which the built-in detector finds a face.
/// `tests/crop_geometry.rs` measures them again.
pub const FRAME_LANDMARKS: Landmarks = Landmarks {
    left_eye: at(15.2, 18.3),
    right_eye: at(32.9, 18.0),
    nose: at(24.0, 28.8),
    left_mouth: at(16.8, 36.5),
    right_mouth: at(31.8, 36.4),
};

/// The detector's box in the same frame, for detectors that give no landmarks: upper left and
/// lower right corner.
pub const FRAME_BOX: [Point; 2] = [at(4.3, -2.2), at(44.0, 49.5)];

/// Most samples along a side that one value of the crop averages; with it a face of some 400
/// pixels is sampled without a gap, and larger ones densely enough.
const MAX_SAMPLES: u32 = 8;

/// Cuts a face, turned upright and scaled so that its landmarks come to lie where FER2013's do.
///
/// The pixels are taken from the photo at full resolution and averaged over the area that each
/// value covers. What lies outside the photo repeats its edge.
pub fn crop_face(photo: &Raster, face: &DetectedFace) -> FaceCrop {
    let aligned = face
        .landmarks
        .and_then(|landmarks| Affine::similarity(&FRAME_LANDMARKS.points(), &landmarks.points()));
    let frame_to_upright = aligned.unwrap_or_else(|| {
        let b = &face.bounding_box;
        let [from, to] = FRAME_BOX;
        let scale = b.width.max(b.height) / (to.y - from.y).max(to.x - from.x);
        let centre = at(b.x + b.width / 2.0, b.y + b.height / 2.0);
        Affine {
            x: [scale, 0.0, centre.x - scale * f32::midpoint(from.x, to.x)],
            y: [0.0, scale, centre.y - scale * f32::midpoint(from.y, to.y)],
        }
    });
    sample(
        photo.stored(),
        &frame_to_upright.then(&photo.upright_to_stored()),
    )
}

/// Takes a picture that already is one framed face, of any size, whole.
pub fn crop_framed(picture: &Raster) -> FaceCrop {
    let side = FACE_SIDE as f32;
    let frame_to_upright = Affine {
        x: [picture.width() as f32 / side, 0.0, 0.0],
        y: [0.0, picture.height() as f32 / side, 0.0],
    };
    sample(
        picture.stored(),
        &frame_to_upright.then(&picture.upright_to_stored()),
    )
}

/// Grey values of the frame whose places in the picture `to_picture` tells.
fn sample(picture: &RgbImage, to_picture: &Affine) -> FaceCrop {
    let step_x = to_picture.x[0].hypot(to_picture.y[0]);
    let step_y = to_picture.x[1].hypot(to_picture.y[1]);
    let samples = |step: f32| (step.ceil() as u32).clamp(1, MAX_SAMPLES);
    let (columns, rows) = (samples(step_x), samples(step_y));
    let mut crop = [0.0; FACE_SIDE * FACE_SIDE];
    for (index, value) in crop.iter_mut().enumerate() {
        let (x, y) = ((index % FACE_SIDE) as f32, (index / FACE_SIDE) as f32);
        let mut sum = 0.0;
        for row in 0..rows {
            for column in 0..columns {
                let within = |i: u32, n: u32| (i as f32 + 0.5) / n as f32;
                let p = at(x + within(column, columns), y + within(row, rows));
                sum += bilinear(picture, to_picture.apply(p));
            }
        }
        *value = sum / (columns * rows) as f32;
    }
    crop
}

/// Grey value at a place of the picture, between the centres of four pixels.
fn bilinear(picture: &RgbImage, place: Point) -> f32 {
    let axis = |value: f32, length: u32| {
        let last = (length - 1) as f32;
        let value = (value - 0.5).clamp(0.0, last);
        let low = value.floor();
        (low as u32, (low + 1.0).min(last) as u32, value - low)
    };
    let (x0, x1, fx) = axis(place.x, picture.width());
    let (y0, y1, fy) = axis(place.y, picture.height());
    let mix = |a: f32, b: f32, f: f32| a + (b - a) * f;
    mix(
        mix(grey(picture, x0, y0), grey(picture, x1, y0), fx),
        mix(grey(picture, x0, y1), grey(picture, x1, y1), fx),
        fy,
    )
}

/// Luma of ITU-R BT.601, as FER2013's own faces were made grey.
fn grey(picture: &RgbImage, x: u32, y: u32) -> f32 {
    let [r, g, b] = picture.get_pixel(x, y).0;
    if r == g && g == b {
        return f32::from(r);
    }
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::BoundingBox;
    use crate::raster::Orientation;
    use image::Rgb;

    /// A picture whose grey value tells the place.
    fn ramp(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x + 2 * y) as u8; 3]))
    }

    fn face(scale: f32, shift: f32) -> DetectedFace {
        let place = |p: Point| at(p.x * scale + shift, p.y * scale + shift);
        let [from, to] = FRAME_BOX.map(place);
        let (width, height) = (to.x - from.x, to.y - from.y);
        DetectedFace {
            bounding_box: BoundingBox {
                x: from.x,
                y: from.y,
                width,
                height,
            },
            landmarks: Some(FRAME_LANDMARKS.map(place)),
            score: 1.0,
        }
    }

    #[test]
    fn a_framed_face_of_the_frame_size_is_taken_value_by_value() {
        let picture = RgbImage::from_fn(48, 48, |x, y| Rgb([(x * 5 + y) as u8; 3]));
        let crop = crop_framed(&Raster::new(picture.clone(), Orientation::Upright));
        for (value, pixel) in crop.iter().zip(picture.pixels()) {
            assert_eq!(*value as u8, pixel.0[0]);
            assert!(value.fract().abs() < f32::EPSILON);
        }
    }

    #[test]
    fn landmarks_in_place_give_the_picture_itself() {
        let picture = ramp(48, 48);
        let crop = crop_face(
            &Raster::new(picture.clone(), Orientation::Upright),
            &face(1.0, 0.0),
        );
        for (value, pixel) in crop.iter().zip(picture.pixels()) {
            assert!((value - f32::from(pixel.0[0])).abs() < 0.01);
        }
    }

    #[test]
    fn a_larger_face_is_averaged_and_shifted() {
        let photo = Raster::new(ramp(90, 80), Orientation::Upright);
        let crop = crop_face(&photo, &face(1.5, 5.0));
        // Frame pixel (20, 10) covers x 35 to 36.5 and y 20 to 21.5.
        let expected = (35.75 - 0.5) + 2.0 * (20.75 - 0.5);
        assert!(
            (crop[10 * 48 + 20] - expected).abs() < 0.1,
            "{}",
            crop[10 * 48 + 20]
        );
    }

    #[test]
    fn landmarks_and_box_agree_on_an_upright_face() {
        let photo = Raster::new(ramp(120, 60), Orientation::Upright);
        let with = face(1.2, 0.5);
        let without = DetectedFace {
            landmarks: None,
            ..with
        };
        let (a, b) = (crop_face(&photo, &with), crop_face(&photo, &without));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 0.1));
    }

    #[test]
    fn every_orientation_gives_the_same_crop() {
        let upright = Raster::new(ramp(70, 60), Orientation::Upright);
        let expected = crop_face(&upright, &face(1.0, 3.0));
        for orientation in Orientation::ALL {
            // Turning by the inverse stores the picture so that `orientation` makes it upright.
            let inverse = match orientation {
                Orientation::Rotate90 => Orientation::Rotate270,
                Orientation::Rotate270 => Orientation::Rotate90,
                other => other,
            };
            let turned = Raster::new(ramp(70, 60), inverse);
            let stored = turned.resized(turned.width(), turned.height());
            let crop = crop_face(&Raster::new(stored, orientation), &face(1.0, 3.0));
            let worst = crop
                .iter()
                .zip(&expected)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(worst < 0.01, "{orientation:?}: {worst}");
        }
    }

    #[test]
    fn coinciding_landmarks_fall_back_to_the_box() {
        let photo = Raster::new(ramp(60, 60), Orientation::Upright);
        let broken = DetectedFace {
            landmarks: Some(FRAME_LANDMARKS.map(|_| at(9.0, 9.0))),
            ..face(1.0, 0.0)
        };
        assert!(crop_face(&photo, &broken).iter().all(|v| v.is_finite()));
    }
}
