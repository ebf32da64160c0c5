use std::fs;
use std::path::Path;

use super::*;
use crate::testing::{recipe, signal};

#[test]
fn two_epochs_learn_the_signal_for_both_heads() {
    let (dataset, recipe) = (signal(800), recipe(&[]));
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
    run.fit(&mut ()).unwrap();
    let metrics = run.history().last().unwrap();
    assert_eq!(metrics.epoch, 2);
    for (head, accuracy) in &metrics.validation.accuracy {
        assert!(*accuracy >= 0.9, "{head}: {metrics:?}");
    }
    let lines = fs::read_to_string(folder.path().join("metrics.jsonl")).unwrap();
    let last: EpochMetrics = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(&last, metrics);
    let network = weights::load(&folder.path().join("best.safetensors")).unwrap();
    assert_eq!(network.spec(), &recipe.network);
}

#[test]
fn the_case_study_network_learns_the_signal_in_two_epochs() {
    let text = include_str!("../../../../config/recipes/case-study.toml");
    let heads = r#"network.heads=[{ name = "fer2013", emotions = ["happy", "sad", "neutral"] }]"#;
    let overrides = ["epochs=2", "batch_size=16", heads].map(str::to_owned);
    let recipe = Recipe::parse(text, &overrides).unwrap();
    let (dataset, folder) = (signal(800), tempfile::tempdir().unwrap());
    let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
    run.fit(&mut ()).unwrap();
    let metrics = run.history().last().unwrap();
    assert!(metrics.validation.accuracy["fer2013"] >= 0.9, "{metrics:?}");
}

#[test]
fn the_worst_point_nearby_teaches_something_else() {
    let dataset = signal(200);
    let losses = [0.0, 0.0001, 0.2].map(|radius| {
        let recipe = recipe(&["epochs=1", &format!("optimizer.sharpness_radius={radius}")]);
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
        run.fit(&mut ()).unwrap();
        run.history()[0].train.loss
    });
    let [without, nearly_without, with] = losses;
    assert!((without - nearly_without).abs() < 0.001, "{losses:?}");
    assert!((without - with).abs() > 0.01, "{losses:?}");
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
    let values = names
        .iter()
        .flat_map(|name| tensors.tensor(name).unwrap().data());
    (values.copied().collect(), metrics.collect())
}

#[test]
fn a_run_broken_off_and_resumed_ends_bit_equal_to_one_that_was_not() {
    for optimizer in ["kind=sgd", "kind=adamw", "sharpness_radius=0.05"] {
        let set = format!("optimizer.{optimizer}");
        let recipe = recipe(&["epochs=3", "optimizer.learning_rate=0.01", &set]);
        let dataset = signal(200);
        let whole = tempfile::tempdir().unwrap();
        let mut run = Run::new(&recipe, &dataset, whole.path()).unwrap();
        run.fit(&mut ()).unwrap();

        let broken = tempfile::tempdir().unwrap();
        for at in [3, 13] {
            let mut run = Run::new(&recipe, &dataset, broken.path()).unwrap();
            run.fit(&mut Crash { at, batches: 0 }).unwrap();
        }
        let mut run = Run::new(&recipe, &dataset, broken.path()).unwrap();
        assert_eq!(
            run.history().len(),
            1,
            "ten batches an epoch: the second crash was in epoch 2"
        );
        run.fit(&mut ()).unwrap();
        assert_eq!(outcome(whole.path()), outcome(broken.path()), "{optimizer}");
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
    assert!(
        refusal.to_string().contains("happy, sad, neutral"),
        "{refusal}"
    );
}

#[test]
fn early_stopping_ends_a_run_that_no_longer_improves() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    // A rate of next to nothing: no epoch is better than the first.
    let recipe = recipe(&[
        "epochs=9",
        "early_stopping=1",
        "optimizer.learning_rate=1e-9",
    ]);
    let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
    run.fit(&mut ()).unwrap();
    assert_eq!(run.history().len(), 3);
}

#[test]
fn with_the_validation_rows_learned_the_last_epoch_is_kept() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    // The rate falls to nothing after the first epoch, so that no later one is sure to be better.
    let recipe = recipe(&[
        "train_on=['training', 'public']",
        "epochs=3",
        "ema=0",
        "schedule.kind=step",
        "schedule.every=1",
        "schedule.factor=0",
    ]);
    let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
    assert_eq!(run.rows.training.len(), dataset.rows().len());
    run.fit(&mut ()).unwrap();
    assert_eq!(run.best().unwrap().epoch, 3);
    let kept = weights::describe_file(&run.folder().best()).unwrap();
    assert_eq!(kept.metrics.unwrap().epoch, 3);
    assert_eq!(kept.train_on, recipe.train_on);
}
