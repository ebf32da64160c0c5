use std::fs;
use std::path::Path;

use super::*;
use crate::model_info::ModelInfo;
use crate::testing::{recipe, signal, train};

#[test]
fn both_heads_learn_the_signal_in_two_epochs() {
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
fn sharpness_aware_minimisation_changes_the_training_loss() {
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

/// Ends the run after `at` batches, as a crash would.
struct Crash {
    at: usize,
    batches: usize,
}

impl TrainingObserver for Crash {
    fn batch_done(&mut self, _: usize, _: f64) -> ControlFlow<()> {
        self.batches += 1;
        if self.batches == self.at {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// The model file of the best weights and the metrics of a run, these without times.
fn outcome(folder: &Path) -> (Vec<u8>, Vec<EpochMetrics>) {
    let lines = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let metrics = lines.lines().map(|line| {
        let metrics: EpochMetrics = serde_json::from_str(line).unwrap();
        assert!(metrics.seconds > 0.0 && metrics.images_per_second > 0.0);
        metrics.without_times()
    });
    let best = fs::read(folder.join("best.safetensors")).unwrap();
    (best, metrics.collect())
}

#[test]
fn an_interrupted_and_resumed_run_is_bit_equal_to_an_uninterrupted_one() {
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
    drop(run);
    let second = recipe(&["epochs=1", "seed=4"]);
    let refusal = Run::new(&second, &dataset, folder.path()).err().unwrap();
    assert!(refusal.to_string().contains("another recipe"), "{refusal}");
}

/// The data set with another part for its last row.
fn divided_otherwise(dataset: &Dataset) -> Dataset {
    let mut rows = dataset.rows().to_vec();
    rows.last_mut().unwrap().usage = Usage::PublicTest;
    let pixels = (0..rows.len()).flat_map(|row| dataset.pixels(row).to_vec());
    let pixels = pixels.collect();
    Dataset::new(dataset.emotions().to_vec(), rows, pixels)
}

#[test]
fn a_run_on_other_data_is_refused_whether_finished_or_not() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    let other = divided_otherwise(&dataset);
    let recipe = recipe(&["epochs=2"]);
    let sentence = |dataset| {
        let refusal = Run::new(&recipe, dataset, folder.path()).err().unwrap();
        refusal.to_string()
    };
    for at in [4, 99] {
        let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
        run.fit(&mut Crash { at, batches: 0 }).unwrap();
        drop(run);
        let refusal = sentence(&other);
        assert!(refusal.contains("another data set; give"), "{refusal}");
    }
    let mut rows = RowSplit::of(&recipe, &dataset);
    rows.training.pop();
    let refusal = Run::with_rows(&recipe, &dataset, rows, folder.path());
    let refusal = refusal.err().unwrap().to_string();
    assert!(refusal.contains("number of folds"), "{refusal}");
    assert_eq!(
        Run::new(&recipe, &dataset, folder.path())
            .unwrap()
            .history()
            .len(),
        2
    );
}

#[test]
fn a_run_whose_teacher_was_replaced_is_refused() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    let path = |name| folder.path().join(name);
    let teacher = train(&["epochs=1"], &dataset, &path("teacher"));
    let models = format!("teachers.models=['{}']", teacher.display());
    let student = recipe(&["epochs=1", "teachers.share=0.5", &models]);
    let mut run = Run::new(&student, &dataset, &path("student")).unwrap();
    run.fit(&mut ()).unwrap();
    drop(run);
    Run::new(&student, &dataset, &path("student")).unwrap();
    let other = train(&["epochs=1", "seed=8"], &dataset, &path("other"));
    fs::rename(other, &teacher).unwrap();
    let refusal = Run::new(&student, &dataset, &path("student"));
    let refusal = refusal.err().unwrap().to_string();
    assert!(refusal.contains("a model file"), "{refusal}");
}

#[test]
fn a_run_of_a_version_that_did_not_record_its_data_continues() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    let recipe = recipe(&["epochs=2"]);
    let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
    run.fit(&mut Crash { at: 4, batches: 0 }).unwrap();
    let progress = Progress {
        inputs: None,
        ..run.progress.clone()
    };
    run.folder.save_progress(&progress, &run.state()).unwrap();
    drop(run);
    let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
    assert_eq!(run.history().len(), 1);
    run.fit(&mut ()).unwrap();
    drop(run);
    let other = divided_otherwise(&dataset);
    assert!(Run::new(&recipe, &other, folder.path()).is_err());
}

/// Records how runs were resumed.
#[derive(Default)]
struct Resumed(Vec<(usize, bool)>);

impl TrainingObserver for Resumed {
    fn run_resumed(&mut self, epochs: usize, finished: bool) {
        self.0.push((epochs, finished));
    }
}

#[test]
fn a_resumed_run_says_how_far_it_is() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    let recipe = recipe(&["epochs=2"]);
    let fit = |observer: &mut dyn TrainingObserver| {
        let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
        run.fit(observer).unwrap();
    };
    fit(&mut Crash { at: 4, batches: 0 });
    let mut resumed = Resumed::default();
    fit(&mut resumed);
    fit(&mut resumed);
    assert_eq!(resumed.0, [(1, false), (2, true)]);
}

#[test]
fn best_weights_that_are_gone_are_those_of_the_checkpoint_or_missed() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    // A run that trains on its validation rows keeps the last epoch.
    let last = recipe(&["epochs=2", "train_on=['training', 'public']"]);
    let best = train(
        &["epochs=2", "train_on=['training', 'public']"],
        &dataset,
        &folder.path().join("last"),
    );
    let before = fs::read(&best).unwrap();
    fs::remove_file(&best).unwrap();
    let mut run = Run::new(&last, &dataset, &folder.path().join("last")).unwrap();
    run.fit(&mut ()).unwrap();
    assert_eq!(fs::read(&best).unwrap(), before);

    // No epoch is better than the first.
    let overrides = ["epochs=2", "optimizer.learning_rate=1e-9"];
    let best = train(&overrides, &dataset, &folder.path().join("first"));
    fs::remove_file(&best).unwrap();
    let recipe = recipe(&overrides);
    let refusal = Run::new(&recipe, &dataset, &folder.path().join("first"));
    let refusal = refusal.err().unwrap().to_string();
    assert!(refusal.contains("of epoch 1 is gone"), "{refusal}");
}

#[test]
fn heads_with_other_emotions_than_the_data_are_refused() {
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
fn early_stopping_ends_a_run_that_stops_improving() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    // The learning rate is so low that no epoch is better than the first.
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
fn a_run_that_trains_on_its_validation_rows_keeps_the_last_epoch() {
    let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
    // The learning rate is zero after the first epoch, so a later epoch is not better.
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
    let kept = ModelInfo::read(&run.folder().best()).unwrap();
    assert_eq!(kept.metrics.unwrap().epoch, 3);
    assert_eq!(kept.train_on, recipe.train_on);
}
