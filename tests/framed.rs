//! `classify --analyse_cropped_face` and `evaluate` must give equal scores for equal pixels.

use std::io::Cursor;
use std::time::Duration;

use fer_index::classify::{BUILT_IN, Cnn};
use fer_index::detect::{Builtin, DetectorParams};
use fer_index::emotion::Emotion;
use fer_index::imaging::Limits;
use fer_index::pipeline::LocalAnalyser;
use fer_train::dataset::{Dataset, Row, Usage};
use fer_train::evaluate::predict;
use fer_train::network::read_network;
use image::{GrayImage, ImageFormat};

const SIDE: usize = 48;

/// Synthetic faces: waves of several wavelengths.
fn pixels(seed: usize) -> Vec<u8> {
    let value = |i: usize| {
        let (x, y) = ((i % SIDE) as f32, (i / SIDE) as f32);
        let wave = (x * (0.1 + 0.07 * seed as f32)).sin() + (y * 0.2 + seed as f32).cos();
        (127.0 + 60.0 * wave) as u8
    };
    (0..SIDE * SIDE).map(value).collect()
}

#[test]
fn framed_faces_have_the_scores_of_the_evaluation() {
    let faces: Vec<Vec<u8>> = (0..3).map(pixels).collect();
    let row = Row {
        label: Emotion::Happy,
        votes: None,
        usage: Usage::PublicTest,
    };
    let emotions = vec![Emotion::Happy];
    let dataset = Dataset::new(emotions, vec![row; faces.len()], faces.concat());
    let network = read_network(BUILT_IN.0, BUILT_IN.1).unwrap();
    let predictions = predict(&network, &dataset, &[0, 1, 2], true).unwrap();
    let album = predictions.album_scores();

    let limits = Limits {
        max_bytes: 1 << 20,
        max_pixels: 1 << 20,
        max_time: Duration::from_secs(10),
    };
    let detector = Box::new(Builtin::new(DetectorParams::default()).unwrap());
    let analyser = LocalAnalyser::new(detector, Box::new(Cnn::embedded().unwrap()), limits, 0.0);
    for (index, face) in faces.into_iter().enumerate() {
        let picture = GrayImage::from_raw(SIDE as u32, SIDE as u32, face).unwrap();
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).unwrap();
        let scan = analyser.analyse_cropped_face(png.get_ref()).unwrap();
        let found = scan.faces[0].scores;

        let expected = &album[index * Emotion::COUNT..][..Emotion::COUNT];
        for (found, expected) in found.as_array().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
        }
    }
}
