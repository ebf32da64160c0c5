use super::*;
use crate::classify::{Cnn, EmotionClassifier as _, crop_face};
use crate::face::{DetectedFace, Landmarks, Point};
use crate::raster::Orientation;
use crate::sample::sample;
use image::imageops::{FilterType, crop_imm, replace, resize};
use image::{Rgb, RgbImage};

fn detector() -> Builtin {
    Builtin::new(DetectorParams::default()).unwrap()
}

/// A portrait of 512 × 512 pixels with a face of about 90 × 115 pixels.
fn portrait() -> RgbImage {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/astronaut.jpg");
    image::open(path).unwrap().into_rgb8()
}

/// A portrait of 512 × 600 pixels with a face of about 225 × 310 pixels.
fn officer() -> RgbImage {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hopper.jpg");
    image::open(path).unwrap().into_rgb8()
}

fn faces(picture: RgbImage) -> Vec<DetectedFace> {
    let photo = Raster::new(picture, Orientation::Upright);
    detector().detect(&photo).unwrap()
}

/// Rotates a picture clockwise about its middle on grey, and scales it. The map is from the result to the picture.
fn rotated(picture: &RgbImage, degrees: f32, scale: f32) -> (RgbImage, Affine) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let side = |a: f32, b: f32| ((a * cos.abs() + b * sin.abs()) * scale).ceil();
    let (across, down) = (side(width, height), side(height, width));
    let (a, b) = (cos / scale, sin / scale);
    let back = Affine {
        x: [a, b, (width - a * across - b * down) / 2.0],
        y: [-b, a, (height + b * across - a * down) / 2.0],
    };
    let size = (across as u32, down as u32);
    let values = sample(picture, &back, size, 4);
    let mut target = RgbImage::new(size.0, size.1);
    for ((x, y, pixel), value) in target.enumerate_pixels_mut().zip(values) {
        let p = back.apply(Point {
            x: x as f32 + 0.5,
            y: y as f32 + 0.5,
        });
        let is_inside = (0.0..width).contains(&p.x) && (0.0..height).contains(&p.y);
        *pixel = Rgb(if is_inside {
            value.map(|v| v as u8)
        } else {
            [128; 3]
        });
    }
    (target, back)
}

/// The part of a picture around a point, a rectangle of these sides, enlarged or reduced to `width`.
fn framed(picture: &RgbImage, middle: Point, sides: (f32, f32), width: u32) -> RgbImage {
    let (left, upper) = (middle.x - sides.0 / 2.0, middle.y - sides.1 / 2.0);
    let part = crop_imm(
        picture,
        left.max(0.0) as u32,
        upper.max(0.0) as u32,
        sides.0 as u32,
        sides.1 as u32,
    );
    let height = (f64::from(width) * f64::from(sides.1) / f64::from(sides.0)) as u32;
    resize(&part.to_image(), width, height, FilterType::Triangle)
}

/// The larger distance of an eye from its expected position, as a share of the face's width.
fn eyes_off(found: &DetectedFace, expected: &DetectedFace) -> f32 {
    let (found, marks) = (found.landmarks.unwrap(), expected.landmarks.unwrap());
    let off = |a: Point, b: Point| (a.x - b.x).hypot(a.y - b.y) / expected.bounding_box.width;
    off(found.left_eye, marks.left_eye).max(off(found.right_eye, marks.right_eye))
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

#[test]
fn a_photo_in_any_turn_has_its_face_the_right_way_up() {
    let mut wrong = Vec::new();
    for (name, picture) in [("astronaut", portrait()), ("hopper", officer())] {
        let expected = only_face(picture.clone());
        for step in 0..24 {
            let degrees = 15.0 * step as f32;
            let (turned, back) = rotated(&picture, degrees, 1.0);
            let found = faces(turned);
            let best = found.first().map(|face| face.through(&back));
            let off = best.map_or(f32::INFINITY, |best| eyes_off(&best, &expected));
            if off > 0.25 {
                wrong.push((name, degrees, off));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "an eye is off by a share of the face: {wrong:?}"
    );
}

#[test]
fn the_oblique_copies_show_a_face_the_right_way_up() {
    let detector = detector();
    let expected = only_face(officer());
    for degrees in [45.0, 135.0, 225.0, 315.0] {
        let (turned, back) = rotated(&officer(), degrees, 0.4);
        let photo = Raster::new(turned, Orientation::Upright);
        let found = detector.search_oblique(&Copies::new(&photo, &detector.params), Vec::new());
        let [face] = found.as_slice() else {
            panic!("{degrees}°: one face: {found:?}");
        };
        let off = eyes_off(&face.through(&back), &expected);
        assert!(off < 0.1, "{degrees}°: an eye is off by {off}");
    }
}

#[test]
fn a_head_on_its_side_is_found_beside_an_upright_one() {
    let upright = resize(&portrait(), 400, 400, FilterType::Triangle);
    for degrees in [90.0, 180.0, 270.0] {
        let (lying, _) = rotated(&officer(), degrees, 0.6);
        let width = 400 + lying.width();
        let mut photo = RgbImage::from_pixel(width, 400, Rgb([128; 3]));
        replace(&mut photo, &upright, 0, 0);
        replace(&mut photo, &lying, 400, 0);
        assert_eq!(faces(photo).len(), 2, "{degrees}°");
    }
}

#[test]
fn a_face_that_fills_the_picture_is_found_at_every_size() {
    for picture in [portrait(), officer()] {
        let face = only_face(picture.clone()).bounding_box;
        for share in [0.85, 0.7, 0.6] {
            for width in [120, 240, 640, 1080] {
                let sides = (face.width * share, face.height * share);
                let closeup = framed(&picture, face.centre(), sides, width);
                let found = faces(closeup);
                assert_eq!(found.len(), 1, "{share} of the face, {width} px: {found:?}");
            }
        }
    }
}

#[test]
fn a_small_face_within_the_box_of_a_large_one_is_found_with_it() {
    let picture = resize(&officer(), 1024, 1200, FilterType::Triangle);
    let large = only_face(picture.clone()).bounding_box;
    let person = crop_imm(&portrait(), 160, 30, 130, 150).to_image();
    for share in [0.15, 0.25, 0.35] {
        let width = (large.width * share * 1.45) as u32;
        let child = resize(&person, width, width * 150 / 130, FilterType::Triangle);
        let mut photo = picture.clone();
        let (x, y) = (
            large.x + 2.0,
            large.y + large.height - child.height() as f32,
        );
        replace(&mut photo, &child, x as i64, y as i64);
        assert_eq!(faces(photo).len(), 2, "{share}");
    }
}

#[test]
fn a_face_is_found_in_any_light() {
    let expected = only_face(portrait());
    let lights = [
        ("faded", 110.0, 170.0),
        ("pale", 190.0, 240.0),
        ("dim", 0.0, 40.0),
        ("nearly black", 0.0, 16.0),
    ];
    for (name, least, most) in lights {
        let mut picture = portrait();
        for value in picture.iter_mut() {
            *value = (least + f32::from(*value) / 255.0 * (most - least)) as u8;
        }
        let off = eyes_off(&only_face(picture), &expected);
        assert!(off < 0.1, "{name}: an eye is off by {off}");
    }
}

#[test]
fn a_lower_threshold_only_adds_faces_below_the_higher_one() {
    let (lying, _) = rotated(&officer(), 90.0, 0.7);
    let (small, _) = rotated(&portrait(), 200.0, 0.3);
    let mut group = RgbImage::from_pixel(1000, 700, Rgb([90, 110, 70]));
    for (person, x, y) in [(&portrait(), 0, 0), (&lying, 520, 0), (&small, 530, 480)] {
        replace(&mut group, person, x, y);
    }
    let (upside_down, _) = rotated(&portrait(), 180.0, 1.0);
    let cat = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/chelsea.jpg");
    let cat = image::open(cat).unwrap().into_rgb8();
    for (name, picture) in [("group", group), ("upside down", upside_down), ("cat", cat)] {
        let photo = Raster::new(picture, Orientation::Upright);
        let found = |threshold| {
            let params = DetectorParams {
                threshold,
                ..DetectorParams::default()
            };
            Builtin::new(params).unwrap().detect(&photo).unwrap()
        };
        let thresholds = [0.01, 0.1, 0.3, 0.6, 0.75, 0.85, 0.91];
        let all = thresholds.map(found);
        for (index, lower) in all.iter().enumerate() {
            for (higher, threshold) in all.iter().zip(thresholds).skip(index) {
                let mut filtered = lower.clone();
                filtered.retain(|face| face.score >= threshold);
                let from = thresholds[index];
                assert_eq!(&filtered, higher, "{name}: from {from}, at {threshold}");
            }
        }
    }
}

#[test]
fn a_face_cut_by_the_border_is_found_while_eyes_and_mouth_are_in_the_frame() {
    let picture = officer();
    let expected = only_face(picture.clone());
    let face = expected.bounding_box;
    let (mut all, mut lost) = (0, Vec::new());
    for side in [64_u32, 300, 1200] {
        for share in [0.2, 0.5, 0.8, 1.1] {
            let scale = share * side as f32 / face.height;
            for (x, y) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)] {
                for cut in [0.0, 0.2, 0.4] {
                    let sides = side as f32;
                    let (w, h) = (face.width * scale, face.height * scale);
                    let to = Point {
                        x: sides / 2.0 + x * (sides / 2.0 - w * (0.5 - cut)),
                        y: sides / 2.0 + y * (sides / 2.0 - h * (0.5 - cut)),
                    };
                    let from = face.centre();
                    let map = Affine {
                        x: [scale, 0.0, to.x - scale * from.x],
                        y: [0.0, scale, to.y - scale * from.y],
                    };
                    let expected = expected.through(&map);
                    let within =
                        |p: &Point| (1.0..sides).contains(&p.x) && (1.0..sides).contains(&p.y);
                    if !expected.landmarks.unwrap().points().iter().all(within) {
                        continue;
                    }
                    let values = sample(&picture, &map.inverse().unwrap(), (side, side), 8);
                    let mut frame = RgbImage::new(side, side);
                    for (pixel, value) in frame.pixels_mut().zip(values) {
                        *pixel = Rgb(value.map(|v| v as u8));
                    }
                    all += 1;
                    let found = faces(frame);
                    let off = found.iter().map(|face| eyes_off(face, &expected));
                    let off = off.fold(f32::INFINITY, f32::min);
                    if off > 0.17 {
                        lost.push((side, share, x, y, cut, off));
                    }
                }
            }
        }
    }
    assert!(all > 60, "{all}");
    assert!(lost.is_empty(), "{} of {all}: {lost:?}", lost.len());
}

#[test]
fn people_count_as_human_and_a_cat_does_not_however_they_are_shown() {
    let classifier = Cnn::embedded().unwrap();
    let cat = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/chelsea.jpg");
    let cat = image::open(cat).unwrap().into_rgb8();
    let pictures = [
        ("astronaut", portrait()),
        ("hopper", officer()),
        ("cat", cat),
    ];
    for (name, picture) in pictures {
        for (degrees, scale) in [
            (0.0, 1.0),
            (0.0, 0.4),
            (90.0, 0.6),
            (200.0, 1.0),
            (30.0, 1.5),
        ] {
            let (turned, _) = rotated(&picture, degrees, scale);
            let photo = Raster::new(turned, Orientation::Upright);
            let mut found = detector().detect(&photo).unwrap();
            found.retain(|face| classifier.classify(&[crop_face(&photo, face)])[0].is_human());
            let expected = usize::from(name != "cat");
            assert_eq!(found.len(), expected, "{name}, {degrees}°, {scale}");
        }
    }
}
