//! Cuts a face from a photo, framed as FER2013 frames its faces.

use super::{FACE_SIDE, FaceCrop};
use crate::affine::Affine;
use crate::face::{DetectedFace, Landmarks, Point};
use crate::raster::Raster;

const fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

/// The positions of the landmarks in FER2013's frames of 48 × 48 pixels (pixel edges at integers):
/// medians over the training faces in which the built-in detector finds a face.
/// `tests/crop_geometry.rs` measures them again.
pub const FRAME_LANDMARKS: Landmarks = Landmarks {
    left_eye: at(15.2, 18.3),
    right_eye: at(32.9, 18.0),
    nose: at(24.0, 28.8),
    left_mouth: at(16.8, 36.5),
    right_mouth: at(31.8, 36.4),
};

/// The upper left and lower right corner of the detector's box in the same frame, for detectors
/// that give no landmarks.
pub const FRAME_BOX: [Point; 2] = [at(4.3, -2.2), at(44.0, 49.5)];

/// Most samples along a side that one value averages: enough to sample a face of about 400 pixels
/// without gaps, and a larger one densely enough.
const MAX_SAMPLES: u32 = 8;

/// If at least this share of a crop is outside the photo, that part is filled with the mean of the rest: repeated edge
/// pixels would make stripes in too much of the network's input.
const FILLED_FROM: f32 = 0.52;

/// Cuts a face from a photo, rotated and scaled so that its landmarks are as close as possible to [`FRAME_LANDMARKS`];
/// without usable landmarks, so that its box is at [`FRAME_BOX`].
///
/// The pixels are read from the photo at full resolution, or at a lower one that suffices, and averaged over the area
/// that each value covers. Outside the photo, the pixels at its edge are repeated, unless most of the crop is outside.
pub fn crop_face(photo: &Raster, face: &DetectedFace) -> FaceCrop {
    let frame = frame_of(face);
    let mut crop = grey_frame(photo, &frame);
    fill_outside(&mut crop, photo, &frame);
    crop
}

/// Replaces the values outside the photo by the mean of the others, if at least the share [`FILLED_FROM`] is outside.
fn fill_outside(crop: &mut FaceCrop, photo: &Raster, to_upright: &Affine) {
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    let is_inside: [bool; FACE_SIDE * FACE_SIDE] = std::array::from_fn(|index| {
        let (x, y) = ((index % FACE_SIDE) as f32, (index / FACE_SIDE) as f32);
        let p = to_upright.apply(at(x + 0.5, y + 0.5));
        (0.0..width).contains(&p.x) && (0.0..height).contains(&p.y)
    });
    let inside = crop.iter().zip(is_inside).filter(|(_, inside)| *inside);
    let (sum, count) = inside.fold((0.0, 0.0_f32), |(sum, count), (value, _)| {
        (sum + value, count + 1.0)
    });
    if count > 0.0 && count <= (1.0 - FILLED_FROM) * crop.len() as f32 {
        for (value, inside) in crop.iter_mut().zip(is_inside) {
            if !inside {
                *value = sum / count;
            }
        }
    }
}

/// The map from FER2013's frame of 48 × 48 pixels to the upright photo, by which [`crop_face`] cuts a
/// face.
pub fn frame_of(face: &DetectedFace) -> Affine {
    let aligned = face
        .landmarks
        .and_then(|landmarks| Affine::similarity(&FRAME_LANDMARKS.points(), &landmarks.points()));
    aligned.unwrap_or_else(|| {
        let b = &face.bounding_box;
        let [from, to] = FRAME_BOX;
        let scale = b.width.max(b.height) / (to.y - from.y).max(to.x - from.x);
        let centre = b.centre();
        Affine {
            x: [scale, 0.0, centre.x - scale * f32::midpoint(from.x, to.x)],
            y: [0.0, scale, centre.y - scale * f32::midpoint(from.y, to.y)],
        }
    })
}

/// Scales a whole picture, of any size, that is already cropped to one face.
pub fn crop_framed(picture: &Raster) -> FaceCrop {
    let side = FACE_SIDE as f32;
    let frame_to_upright = Affine::stretch(
        picture.width() as f32 / side,
        picture.height() as f32 / side,
    );
    grey_frame(picture, &frame_to_upright)
}

/// Grey values of the frame, whose coordinates `to_upright` maps to those of the photo.
fn grey_frame(photo: &Raster, to_upright: &Affine) -> FaceCrop {
    let side = (FACE_SIDE as u32, FACE_SIDE as u32);
    let values = photo.sample_grey(to_upright, side, MAX_SAMPLES);
    values.try_into().expect("a value for each cell")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::BoundingBox;
    use crate::raster::Orientation;
    use image::{Rgb, RgbImage};

    /// A picture whose grey values depend on the position.
    fn ramp(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x + 2 * y) as u8; 3]))
    }

    fn face(scale: f32, shift: f32) -> DetectedFace {
        let position = |p: Point| at(p.x * scale + shift, p.y * scale + shift);
        let [from, to] = FRAME_BOX.map(position);
        let (width, height) = (to.x - from.x, to.y - from.y);
        DetectedFace {
            bounding_box: BoundingBox {
                x: from.x,
                y: from.y,
                width,
                height,
            },
            landmarks: Some(FRAME_LANDMARKS.map(position)),
            score: 1.0,
        }
    }

    #[test]
    fn a_framed_face_of_the_frame_size_is_copied_value_by_value() {
        let picture = RgbImage::from_fn(48, 48, |x, y| Rgb([(x * 5 + y) as u8; 3]));
        let crop = crop_framed(&Raster::new(picture.clone(), Orientation::Upright));
        for (value, pixel) in crop.iter().zip(picture.pixels()) {
            assert_eq!(*value as u8, pixel.0[0]);
            assert!(value.fract().abs() < f32::EPSILON);
        }
    }

    #[test]
    fn a_face_in_the_frame_position_is_copied_unchanged() {
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
    fn outside_a_photo_the_edge_is_repeated_or_the_mean_of_what_is_inside() {
        let crop_of = |width| {
            let photo = Raster::new(ramp(width, 48), Orientation::Upright);
            crop_face(&photo, &face(1.0, 0.0))
        };
        let right_end = |crop: &FaceCrop| crop[5 * 48 + 47];
        let (most, least) = (crop_of(24), crop_of(22));
        assert!(
            (right_end(&most) - 33.0).abs() < 0.1,
            "{}",
            right_end(&most)
        );
        // The mean of x + 2 y for x up to 21 and y up to 47.
        let mean = right_end(&least);
        assert!((mean - 57.5).abs() < 0.1, "{mean}");
        assert!((least[5 * 48 + 21] - 31.0).abs() < 0.1);
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
            // The inverse orientation stores the picture so that `orientation` makes it upright.
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
