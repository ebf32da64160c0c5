//! Measures the landmarks of FER2013's faces, and compares the geometry of the crop with them.

#![allow(
    clippy::print_stderr,
    reason = "the medians are shown with --nocapture"
)]

mod common;

use std::path::Path;

use fer_index::classify::{FACE_SIDE, FRAME_BOX, FRAME_LANDMARKS};
use fer_index::detect::{Builtin, DetectorParams, FaceDetector};
use fer_index::raster::{Orientation, Raster};
use fer_train::dataset::{ImportOptions, Usage, import};
use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};

/// Number of faces; more would change the medians by less than a tenth of a pixel.
const SAMPLE: usize = 600;

/// Side in pixels to which a face is enlarged for the detector.
const ENLARGED: u32 = 192;

/// Side of the canvas, which leaves a margin around the face.
const CANVAS: u32 = 320;

#[test]
fn the_crop_has_the_geometry_of_fer2013() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/fer2013.csv.xz");
    if !data.exists() {
        common::skip(&format!("there is no data set {}", data.display()));
        return;
    }
    let dataset = import(&data, &ImportOptions::default()).unwrap();
    let training = dataset.indices(Usage::Training);
    let detector = Builtin::new(DetectorParams::default()).unwrap();
    let mut coordinates: [Vec<f32>; 14] = Default::default();
    let sample = training
        .iter()
        .step_by(training.len() / SAMPLE)
        .take(SAMPLE);
    for &index in sample {
        let photo = on_canvas(dataset.pixels(index));
        let Some(face) = detector.detect(&photo).unwrap().first().copied() else {
            continue;
        };
        let frame = |canvas: f32| {
            (canvas - (CANVAS - ENLARGED) as f32 / 2.0) * FACE_SIDE as f32 / ENLARGED as f32
        };
        let b = face.bounding_box;
        let corners = [b.x, b.y, b.x + b.width, b.y + b.height];
        let landmarks = face
            .landmarks
            .unwrap()
            .points()
            .into_iter()
            .flat_map(|p| [p.x, p.y]);
        for (values, value) in coordinates.iter_mut().zip(landmarks.chain(corners)) {
            values.push(frame(value));
        }
    }
    let found = coordinates[0].len();
    let medians = coordinates.map(|mut values| {
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    });
    eprintln!("{found} of {SAMPLE} faces found; medians {medians:.1?}");
    assert!(
        found * 100 >= SAMPLE * 95,
        "only {found} of {SAMPLE} faces found"
    );
    let landmarks = FRAME_LANDMARKS.points();
    let expected = landmarks.iter().chain(&FRAME_BOX).flat_map(|p| [p.x, p.y]);
    for (median, expected) in medians.into_iter().zip(expected) {
        assert!(
            (median - expected).abs() < 0.5,
            "{median} instead of {expected}: {medians:?}"
        );
    }
}

/// Draws the enlarged face in the middle of a grey canvas.
fn on_canvas(pixels: &[u8]) -> Raster {
    let side = FACE_SIDE as u32;
    let face = RgbImage::from_fn(side, side, |x, y| Rgb([pixels[(y * side + x) as usize]; 3]));
    let enlarged = resize(&face, ENLARGED, ENLARGED, FilterType::Triangle);
    let mut canvas = RgbImage::from_pixel(CANVAS, CANVAS, Rgb([128; 3]));
    let margin = i64::from((CANVAS - ENLARGED) / 2);
    overlay(&mut canvas, &enlarged, margin, margin);
    Raster::new(canvas, Orientation::Upright)
}
