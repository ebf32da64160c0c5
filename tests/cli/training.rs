//! Experiments: `dataset import`, `train`, `sweep`, `evaluate` and the list of the models that they make.

use std::fmt::Write as _;
use std::fs;

use image::ImageFormat;

use crate::common::{encoded, photo};
use crate::testenv::TestEnv;

/// A recipe whose network is trained in a moment.
const RECIPE: &str = r#"
name = "small"
epochs = 2
batch_size = 8
[network]
trunk = { kind = "residual", stem = 8, blocks = [{ width = 8, stride = 2 }] }
heads = [{ name = "fer2013", emotions = ["happy", "sad"] }]
[targets]
min_votes = 0
"#;

const TRAIN: &str = "train --recipe small.toml --data light.safetensors";

const SWEEP: &str = "sweep --recipe small.toml --data light.safetensors";

/// A folder with `small.toml`, and with `light.safetensors`, two divisions of whose rows are `light` and `other`.
fn laboratory() -> TestEnv {
    let env = TestEnv::new();
    fs::write(env.path("small.toml"), RECIPE).unwrap();
    let mut csv = "emotion,pixels\n".to_owned();
    for row in 0..40 {
        let pixels: Vec<_> = (0..48 * 48)
            .map(|i| ((i * (row + 1)) % 256).to_string())
            .collect();
        writeln!(csv, "{},{}", 3 + row % 2, pixels.join(" ")).unwrap();
    }
    fs::write(env.path("train.csv"), csv).unwrap();
    let import = "dataset import train.csv --emotions happy,sad --train-fraction 0.8 --out";
    env.run(&format!("{import} light.safetensors")).found();
    env.run(&format!("{import} other.safetensors --seed 7"))
        .found();
    env
}

#[test]
fn a_run_goes_on_with_its_own_data_only_and_says_when_it_is_finished() {
    let env = laboratory();
    let trained = env.run(TRAIN).found();
    assert!(!trained.text().contains("finished"), "{trained:?}");
    let other = TRAIN.replace("light", "other");
    let sentence = env.run(&other).refused();
    assert!(
        sentence.contains("runs/small holds a run on another data set; give another folder"),
        "{sentence}"
    );
    let again = env.run(TRAIN).found();
    assert_eq!(
        again.text(),
        "the run is finished after epoch 2; nothing was trained\n\
         the best weights are in runs/small/best.safetensors\n"
    );
    env.run(&format!("{other} --out runs/other")).found();
}

#[test]
fn folds_and_sweeps_go_on_with_their_own_data_only_and_are_listed() {
    let env = laboratory();
    let folds = |k: usize| env.run(&format!("{TRAIN} --out runs/folds --folds {k}"));
    folds(2).found();
    let again = folds(2).found();
    assert_eq!(again.text().matches("nothing was trained").count(), 2);
    let refused = folds(3);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("number of folds"), "{refused:?}");

    let sweep = format!("{SWEEP} --vary seed=1,2 --vary seed=3");
    let run = env.run(&sweep).found();
    assert!(run.text().contains("run 3/3: seed=3"), "{run:?}");
    let other = env.run(&sweep.replace("light", "other"));
    assert!(other.stderr.contains("another data set"), "{other:?}");
    let again = env.run(&sweep).found();
    assert_eq!(again.text().matches("nothing was trained").count(), 3);

    let paths = |folder: &str| -> Vec<String> {
        let list = env.run(&format!("model list --json {folder}")).found();
        let list = list.json();
        let paths = list.as_array().unwrap().iter();
        let paths = paths.filter_map(|model| model["path"].as_str());
        paths.map(str::to_owned).collect()
    };
    let run = |name: &str| format!("runs/{name}/best.safetensors");
    let all = ["folds/fold-1", "folds/fold-2", "small/seed=1"];
    let all: Vec<String> = all
        .into_iter()
        .chain(["small/seed=2", "small/seed=3"])
        .map(run)
        .collect();
    assert_eq!(paths(""), all);
    assert_eq!(paths("runs"), all);
    assert_eq!(paths("runs/folds"), all[..2]);
    assert_eq!(paths("runs/folds/fold-2"), all[1..2]);
}

#[test]
fn a_sweep_and_a_run_in_one_folder_keep_their_plots() {
    let env = laboratory();
    let plots = || -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(env.path("runs/small")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let svg = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "svg");
        let mut plots: Vec<_> = paths
            .filter(svg)
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read(path).unwrap())
            })
            .collect();
        plots.sort();
        plots
    };
    let mut before = Vec::new();
    for (line, count) in [
        (format!("{SWEEP} --vary seed=1,2"), 2),
        (format!("{SWEEP} --vary seed=1 --vary batch_size=4,8"), 4),
        (TRAIN.to_owned(), 6),
        (format!("{SWEEP} --vary seed=1,2"), 6),
    ] {
        env.run(&line).found();
        let after = plots();
        assert_eq!(after.len(), count, "{line}");
        for plot in &before {
            assert!(after.contains(plot), "{line} replaced {}", plot.0);
        }
        before = after;
    }
}

#[test]
fn a_value_that_diverges_does_not_end_a_sweep() {
    let env = laboratory();
    let line = format!("{SWEEP} --vary optimizer.learning_rate=1e40,0.01");
    for _ in 0..2 {
        let run = env.run(&line).found();
        let text = run.text();
        assert!(
            text.contains("learning_rate=1e40 diverged: the loss became"),
            "{run:?}"
        );
        assert!(text.contains("try a lower learning rate"), "{run:?}");
        assert!(!text.contains("learning_rate=0.01 diverged"), "{run:?}");
    }
    let curves = "runs/small/loss-by-optimizer.learning_rate.svg";
    let curves = fs::read_to_string(env.path(curves)).unwrap();
    assert!(curves.contains("0.01") && !curves.contains("1e40"));
    let all = SWEEP.replace("sweep", "sweep --out runs/none");
    let run = env.run(&format!("{all} --vary optimizer.learning_rate=1e40,1e41"));
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("no run of the sweep"), "{run:?}");
}

#[test]
fn two_processes_do_not_train_in_one_folder() {
    let env = laboratory();
    fs::create_dir_all(env.path("runs/small")).unwrap();
    let other = fs::File::create(env.path("runs/small/.lock")).unwrap();
    other.lock().unwrap();
    let sentence = env.run(TRAIN).refused();
    assert!(
        sentence.contains("another process trains in runs/small; wait"),
        "{sentence}"
    );
    assert!(!env.path("runs/small/recipe.toml").exists());
    drop(other);
    env.run(TRAIN).found();
    // A file is no folder, and a teacher has to be trained first.
    let sentence = env.run(&format!("{TRAIN} --out small.toml")).refused();
    assert!(sentence.contains("small.toml: is no folder"), "{sentence}");
    let teacher =
        format!("{TRAIN} --out runs/student --set teachers.models=[\"absent.safetensors\"]");
    let sentence = env.run(&teacher).refused();
    assert!(sentence.contains("train that recipe first"), "{sentence}");
    assert!(!env.path("runs/student").exists());
}

#[test]
fn a_setting_that_would_be_without_effect_is_refused() {
    let env = laboratory();
    for line in [
        format!("{TRAIN} --set epochs=3 --set epochs=4"),
        format!("{SWEEP} --set seed=1 --vary seed=1,2"),
        format!("{SWEEP} --vary optimizer.weight_decay=0.002,0.0020"),
    ] {
        let sentence = env.run(&line).refused();
        assert!(sentence.contains("once"), "{sentence}");
    }
    assert!(!env.path("runs").exists());
}

#[test]
fn figures_of_all_rows_say_that_the_model_was_trained_on_some() {
    let env = laboratory();
    env.run(TRAIN).found();
    let evaluate = |usage: &str| {
        let model = "runs/small/best.safetensors --data light.safetensors";
        env.run(&format!("evaluate {model} --usage {usage}"))
    };
    let all = evaluate("all").found();
    assert!(
        all.text().starts_with(
            "The model was trained on the part Training of its data set: if some of these rows are from there,"
        ),
        "{all:?}"
    );
    let training = evaluate("training").found();
    assert!(
        training.text().contains("if these rows are"),
        "{training:?}"
    );
    let public = evaluate("public").found();
    assert!(!public.text().contains("was trained on the"), "{public:?}");
    let unknown = evaluate("foo");
    assert!(
        unknown.stderr.contains("training, public, private, all"),
        "{unknown:?}"
    );
}

#[test]
fn figures_on_another_division_of_the_rows_say_that_the_model_may_have_learned_from_them() {
    let env = laboratory();
    env.run(TRAIN).found();
    for (data, is_other) in [("light", false), ("other", true)] {
        let line = format!("evaluate runs/small/best.safetensors --data {data}.safetensors");
        let table = env.run(&line).found();
        let warns = table
            .text()
            .starts_with("The model was trained on another data set");
        assert_eq!(warns, is_other, "{table:?}");
        let figures = env.run(&format!("{line} --json")).found().json();
        assert_eq!(figures["other_data"], is_other, "{figures}");
        assert_eq!(figures["learned"], false, "{figures}");
    }
}

#[test]
fn an_import_without_rows_writes_no_file() {
    let env = TestEnv::new();
    fs::write(env.path("fer2013.csv"), "emotion,pixels,Usage\n").unwrap();
    let sentence = env.run("dataset import fer2013.csv").refused();
    assert!(sentence.contains("no rows"), "{sentence}");
    fs::write(env.path("labels.csv"), "file,emotion\na.jpg,happy\n").unwrap();
    let photos = "dataset photos album --labels labels.csv --out faces.safetensors";
    let run = env.run(photos);
    assert!(
        run.code == 2 && run.stderr.contains("labels.csv"),
        "{run:?}"
    );
    for file in ["fer2013.safetensors", "faces.safetensors"] {
        assert!(!env.path(file).exists());
    }
}

#[test]
fn a_labelled_photo_that_cannot_be_read_is_named() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    let labels = "file;emotion\r\nhopper.jpg;neutral\r\nnope.jpg;happy\r\n";
    fs::write(env.path("labels.csv"), labels).unwrap();
    let evaluate = |options: &str| {
        env.run(&format!(
            "evaluate album album --labels labels.csv {options}"
        ))
    };
    let run = evaluate("");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("album/nope.jpg: unreadable"), "{run:?}");
    let run = evaluate("--json --by Emotion");
    let figures = run.json();
    assert_eq!(figures["unreadable_photos"][0]["file"], "nope.jpg");
    assert_eq!(figures["groups"][0]["group"], "neutral", "{figures}");
    let sentence = evaluate("--by age").refused();
    assert!(sentence.contains("but emotion; name one"), "{sentence}");
}

#[test]
fn what_an_import_of_folders_leaves_out_is_told() {
    let env = TestEnv::new();
    let put = |name: &str, format: ImageFormat| {
        let path = env.path("set").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, encoded(photo("hopper.jpg"), format)).unwrap();
    };
    // Every format counts, whatever the name is.
    put("train/happy/1.bmp", ImageFormat::Bmp);
    put("train/happy/2", ImageFormat::Png);
    put("train/sad/3.webp", ImageFormat::WebP);
    put("train/suprise/4.png", ImageFormat::Png);
    put("train/notes/5.png", ImageFormat::Png);
    put("test/happy/6.png", ImageFormat::Png);
    put("test/fear/7.png", ImageFormat::Png);
    put("spare/happy/8.png", ImageFormat::Png);
    put("train/sad/a person/9.png", ImageFormat::Png);
    put("train/10.png", ImageFormat::Png);
    put("train/sad/.11.png", ImageFormat::Png);
    fs::write(env.path("set/train/sad/12.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    fs::write(env.path("set/train/sad/list.txt"), "3.webp").unwrap();
    fs::write(env.path("set/train/sad/.DS_Store"), "").unwrap();
    let run = env.run("dataset import set --out set.safetensors");
    assert_eq!(run.code, 0, "{run:?}");
    for told in [
        "set/train/suprise (1 picture) is not named after an emotion",
        "set/train/notes (1 picture) is not named after an emotion",
        "set/spare is not named after a part",
        "left out: 1 file in set/train/sad that cannot be read as a picture, such as list.txt",
        "left out: 1 picture in set/train in no folder of an emotion",
        "left out: set/train/sad/12.png",
        "there are no training rows of fear",
    ] {
        assert!(run.stderr.contains(told), "{told}: {run:?}");
    }
    assert_eq!(run.stderr.lines().count(), 7, "{run:?}");
    let row = |part: &str| {
        let line = run.text().lines().find(|line| line.contains(part));
        let numbers = line.unwrap().split(|c: char| !c.is_ascii_digit());
        numbers
            .filter(|number| !number.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(row("Training"), ["4", "0", "2", "2"]);
}
