use super::*;
use crate::face::{DetectedFace, Landmarks};
use crate::sample::sample;
use image::imageops::{FilterType, replace, resize};
use image::{Rgb, RgbImage};

fn detector() -> Builtin {
    Builtin::new(DetectorParams::default()).unwrap()
}

/// A portrait of 512 × 512 pixels with a face of about 90 × 115 pixels.
fn portrait() -> RgbImage {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/astronaut.jpg");
    image::open(path).unwrap().into_rgb8()
}

#[track_caller]
fn only_face(picture: RgbImage) -> DetectedFace {
    let faces = detector().detect(&Raster::new(picture, Orientation::Upright));
    match faces.unwrap().as_slice() {
        [face] => *face,
        faces => panic!("one face: {faces:?}"),
    }
}

#[test]
fn photos_of_any_size_are_searched() {
    let detector = detector();
    for (width, height) in [(1, 1), (1, 500), (33, 31), (3000, 20)] {
        let grey = RgbImage::from_pixel(width, height, Rgb([128; 3]));
        let faces = detector.detect(&Raster::new(grey, Orientation::Upright));
        assert_eq!(faces, Ok(vec![]), "{width}×{height}");
    }
}

#[test]
fn faces_rolled_by_45_degrees_are_found_with_their_landmarks() {
    let upright = portrait();
    let eyes = |marks: &Landmarks| [marks.left_eye, marks.right_eye];
    let expected = eyes(&only_face(upright.clone()).landmarks.unwrap());
    for degrees in [-45.0_f32, -30.0, 30.0, 45.0] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let middle = 256.0;
        let to_upright = Affine {
            x: [cos, -sin, middle - (cos - sin) * middle],
            y: [sin, cos, middle - (sin + cos) * middle],
        };
        let values = sample(&upright, &to_upright, (512, 512), 1);
        let mut rolled = RgbImage::new(512, 512);
        for (pixel, value) in rolled.pixels_mut().zip(values) {
            *pixel = Rgb(value.map(|v| v as u8));
        }
        let found = only_face(rolled).through(&to_upright).landmarks.unwrap();
        for (found, expected) in eyes(&found).into_iter().zip(expected) {
            let off = (found.x - expected.x).hypot(found.y - expected.y);
            assert!(
                off < 15.0,
                "{degrees}°: an eye is off by {off} px in a face of 90"
            );
        }
    }
}

#[test]
fn a_face_of_48_pixels_is_found_in_24_megapixels() {
    let mut photo = RgbImage::from_pixel(6000, 4000, Rgb([120, 130, 140]));
    // The face is scaled to about 50 × 64 pixels.
    let person = resize(&portrait(), 285, 285, FilterType::Triangle);
    replace(&mut photo, &person, 4100, 700);
    let face = only_face(photo).bounding_box;
    assert!((42.0..60.0).contains(&face.width), "{face:?}");
    let centre = face.centre();
    assert!((4210.0..4240.0).contains(&centre.x), "{face:?}");
    assert!((750.0..780.0).contains(&centre.y), "{face:?}");
}
