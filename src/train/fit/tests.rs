use std::path::Path;

use rand::Rng;

use super::*;
use crate::emotion::Emotion;
use crate::train::dataset::{PIXELS, Row, Votes};

const EMOTIONS: [Emotion; 3] = [Emotion::Happy, Emotion::Sad, Emotion::Neutral];

/// Faces of noise on which one of three regions is bright: what class it is can be seen, but not
/// from one pixel.
fn signal(rows: usize) -> Dataset {
    let (mut facts, mut pixels) = (Vec::new(), Vec::new());
    for index in 0..rows {
        let mut rng = rng(5, Purpose::Order, 0, index as u64);
        let class = index % EMOTIONS.len();
        for place in 0..PIXELS {
            let (x, y) = (place % FACE_SIDE, place / FACE_SIDE);
            let bright = [y < 16, x < 16, x.abs_diff(24) + y.abs_diff(24) < 14][class];
            pixels.push(rng.random_range(0..180) + if bright { 50 } else { 0 });
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

fn recipe(overrides: &[&str]) -> Recipe {
    let text = r#"
        name = "test"
        seed = 3
        epochs = 2
        batch_size = 32
        ema = 0.9
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
    let overrides: Vec<String> = overrides.iter().map(|&o| o.to_owned()).collect();
    Recipe::parse(text, &overrides).unwrap()
}

#[test]
fn two_epochs_learn_the_signal_for_both_heads() {
    let (dataset, recipe) = (signal(800), recipe(&[]));
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
    run.fit(&mut ()).unwrap();
    let metrics = run.history().last().unwrap();
    assert_eq!(metrics.epoch, 2);
    for (head, accuracy) in &metrics.validation.accuracy {
        assert!(*accuracy >= 0.95, "{head}: {metrics:?}");
    }
    let lines = fs::read_to_string(folder.path().join("metrics.jsonl")).unwrap();
    let last: EpochMetrics = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(&last, metrics);
    let network = weights::load(&folder.path().join("best.safetensors")).unwrap();
    assert_eq!(network.spec(), &recipe.network);
}

/// Breaks off at a batch, as a crash would.
struct Crash {
    at: usize,
    batches: usize,
}

impl Observer for Crash {
    fn batch_done(&mut self, _: usize, _: f64) -> ControlFlow<()> {
        self.batches += 1;
        if self.batches == self.at {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Everything a run leaves behind, its timings apart.
fn outcome(folder: &Path) -> (Vec<u8>, Vec<EpochMetrics>) {
    let lines = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let metrics = lines.lines().map(|line| {
        let metrics: EpochMetrics = serde_json::from_str(line).unwrap();
        EpochMetrics {
            seconds: 0.0,
            images_per_second: 0.0,
            ..metrics
        }
    });
    let best = fs::read(folder.join("best.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&best).unwrap();
    let mut names = tensors.names();
    names.sort_unstable();
    let values = names.iter().flat_map(|name| tensors.tensor(name).unwrap().data());
    (values.copied().collect(), metrics.collect())
}

#[test]
fn a_run_broken_off_and_resumed_ends_bit_equal_to_one_that_was_not() {
    for kind in ["sgd", "adamw"] {
        let optimizer = format!("optimizer.kind={kind}");
        let recipe = recipe(&["epochs=3", &optimizer, "optimizer.learning_rate=0.01"]);
        let dataset = signal(200);
        let whole = tempfile::tempdir().unwrap();
        let mut run = Run::new(&recipe, &dataset, whole.path()).unwrap();
        run.fit(&mut ()).unwrap();

        let broken = tempfile::tempdir().unwrap();
        for at in [3, 7] {
            let mut run = Run::new(&recipe, &dataset, broken.path()).unwrap();
            run.fit(&mut Crash { at, batches: 0 }).unwrap();
        }
        let mut run = Run::new(&recipe, &dataset, broken.path()).unwrap();
        assert_eq!(run.history().len(), 1, "the second crash was in epoch 2");
        run.fit(&mut ()).unwrap();
        assert_eq!(outcome(whole.path()), outcome(broken.path()), "{kind}");
    }
}

#[test]
fn a_folder_of_another_recipe_is_refused() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    let first = recipe(&["epochs=1"]);
    let mut run = Run::new(&first, &dataset, folder.path()).unwrap();
    run.fit(&mut ()).unwrap();
    let second = recipe(&["epochs=1", "seed=4"]);
    let refusal = Run::new(&second, &dataset, folder.path()).err().unwrap();
    assert!(refusal.to_string().contains("another recipe"), "{refusal}");
}

#[test]
fn heads_must_fit_the_data() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    let heads = r#"network.heads=[{ name = "fer2013", emotions = ["happy", "sad"] }]"#;
    let recipe = recipe(&[heads]);
    let refusal = Run::new(&recipe, &dataset, folder.path()).err().unwrap();
    assert!(refusal.to_string().contains("happy, sad, neutral"), "{refusal}");
}

#[test]
fn early_stopping_ends_a_run_that_no_longer_improves() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    // A rate of next to nothing: no epoch is better than the first.
    let recipe = recipe(&["epochs=9", "early_stopping=1", "optimizer.learning_rate=1e-9"]);
    let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
    run.fit(&mut ()).unwrap();
    assert_eq!(run.history().len(), 3);
}
