//! Synthetic data and a small recipe for the tests of this crate.

use std::path::{Path, PathBuf};

use rand::Rng;

use super::dataset::{Dataset, PIXELS, Row, Usage, Votes};
use super::fit::Run;
use super::random::{Purpose, rng};
use super::recipe::Recipe;
use fer_core::classify::FACE_SIDE;
use fer_core::emotion::Emotion;

const EMOTIONS: [Emotion; 3] = [Emotion::Happy, Emotion::Sad, Emotion::Neutral];

/// A data set of noise in which one of three regions is brighter. The region is the class, and no single pixel
/// determines it.
pub fn signal(rows: usize) -> Dataset {
    let (mut facts, mut pixels) = (Vec::new(), Vec::new());
    for index in 0..rows {
        let mut rng = rng(5, Purpose::Order, 0, index as u64);
        let class = index % EMOTIONS.len();
        for pixel in 0..PIXELS {
            let (x, y) = (pixel % FACE_SIDE, pixel / FACE_SIDE);
            let bright = [y < 16, x < 16, x.abs_diff(24) + y.abs_diff(24) < 14][class];
            pixels.push(rng.random_range(0..120) + if bright { 70 } else { 0 });
        }
        let mut votes = Votes::default();
        votes.emotions[EMOTIONS[class].index()] = 8;
        votes.emotions[Emotion::Fear.index()] = 2;
        facts.push(Row {
            label: EMOTIONS[class],
            votes: Some(votes),
            usage: if index % 5 == 0 {
                Usage::PublicTest
            } else {
                Usage::Training
            },
        });
    }
    Dataset::new(EMOTIONS.to_vec(), facts, pixels)
}

/// A recipe whose network learns [`signal`] in two epochs.
pub const RECIPE: &str = r#"
        name = "test"
        seed = 3
        epochs = 2
        batch_size = 16
        ema = 0.8
        [network]
        dropout = 0.1
        trunk = { kind = "residual", stem = 8, blocks = [{ width = 8, stride = 2 }, { width = 16, stride = 2 }] }
        [[network.heads]]
        name = "fer2013"
        emotions = ["happy", "sad", "neutral"]
        [[network.heads]]
        name = "ferplus"
        emotions = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"]
        [optimizer]
        learning_rate = 0.05
        weight_decay = 5e-4
        [schedule]
        kind = "cosine"
        warmup_epochs = 0.2
        [targets]
        label_smoothing = 0.1
        [augment]
        shift = { probability = 0.5, by = 0.05 }
        erase = { probability = 0.4, from = 4, to = 12 }
        mixup = { alpha = 0.2, off_for_last = 1 }
"#;

/// [`RECIPE`] with overrides.
pub fn recipe(overrides: &[&str]) -> Recipe {
    let overrides: Vec<String> = overrides.iter().map(|&o| o.to_owned()).collect();
    Recipe::parse(RECIPE, &overrides).unwrap()
}

/// Trains [`RECIPE`] with overrides in `folder`; returns the file of the best weights.
pub fn train(overrides: &[&str], dataset: &Dataset, folder: &Path) -> PathBuf {
    let recipe = recipe(overrides);
    let mut run = Run::new(&recipe, dataset, folder).unwrap();
    run.fit(&mut ()).unwrap();
    run.folder().best()
}
