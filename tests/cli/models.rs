//! Emotion models other than the built-in one.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::SafeTensors;

use crate::testenv::{Run, TestEnv};

/// Writes the built-in model with an additional entry of the metadata: the same network under another name.
fn write_model(path: &Path, key: &str, remark: &str) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/emotion.safetensors");
    let bytes = fs::read(shipped).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut metadata: HashMap<_, _> = header.metadata().clone().unwrap();
    metadata.insert(key.to_owned(), remark.to_owned());
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let written = safetensors::serialize(tensors.tensors(), Some(metadata)).unwrap();
    fs::write(path, written).unwrap();
}

/// Number of photos that `index` processes.
fn processed(env: &TestEnv, options: &str) -> u64 {
    let run = env.run(&format!("index album --json {options}")).found();
    run.json()["photos"].as_u64().unwrap()
}

#[test]
fn another_model_processes_the_photos_again_once() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    assert_eq!(processed(&env, ""), 1);
    write_model(&env.path("other.safetensors"), "remark", "mine");
    assert_eq!(processed(&env, "--model other.safetensors"), 1);
    assert_eq!(processed(&env, "--model other.safetensors"), 0);
}

#[test]
fn a_chosen_model_is_used_until_the_built_in_one_is_chosen() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    assert_eq!(processed(&env, ""), 1);
    write_model(&env.path("other.safetensors"), "remark", "mine");
    let output = env.run("model use other.safetensors").found();
    assert!(
        output.text().contains("classifies faces from now on"),
        "{output:?}"
    );
    // The model file was copied, so the original may be deleted.
    fs::remove_file(env.path("other.safetensors")).unwrap();
    assert_eq!(processed(&env, ""), 1);
    // A variable in whose favour the setting has no effect is named.
    let mut command = env.command("model use built-in");
    let output = Run::of(command.env("FER_INDEX_CLASSIFIER_MODEL", "/other.safetensors")).found();
    assert!(
        output
            .text()
            .contains("FER_INDEX_CLASSIFIER_MODEL takes precedence"),
        "{output:?}"
    );
    // A settings file that is a link stays one.
    let dotfile = env.path("dotfile.toml");
    fs::rename(env.config_file(), &dotfile).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&dotfile, env.config_file()).unwrap();
    let output = env.run("model use --built-in").found();
    #[cfg(unix)]
    {
        let said = [dotfile, env.config_file()].map(|path| path.display().to_string());
        let said = format!("set in {}, which {} links to", said[0], said[1]);
        assert!(output.text().contains(&said), "{output:?}");
        assert!(env.config_file().is_symlink());
    }
    assert_eq!(processed(&env, ""), 1);
    assert_eq!(processed(&env, ""), 0);
}

#[test]
fn a_chosen_model_is_found_in_a_home_folder_with_another_name() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    write_model(&env.path("other.safetensors"), "remark", "mine");
    env.run("model use other.safetensors").found();
    assert_eq!(processed(&env, ""), 1);
    fs::rename(env.path("home"), env.path("moved")).unwrap();
    let moved = |line: &str| {
        let mut command = env.command(line);
        Run::of(command.env("HOME", env.path("moved")))
    };
    let summary = moved("index album --json").found().json();
    assert_eq!(
        (&summary["photos"], &summary["unchanged"]),
        (&0.into(), &1.into())
    );
    let models = env.path("moved/.local/share/fer-index/models");
    fs::remove_dir_all(models).unwrap();
    let sentence = moved("index album").refused();
    assert!(sentence.contains("model use built-in"), "{sentence}");
    moved("model use built-in").found();
    moved("index album").found();
}

#[test]
fn the_built_in_model_has_a_name() {
    let env = TestEnv::new();
    write_model(&env.path("other.safetensors"), "remark", "mine");
    env.run("model use other.safetensors").found();
    env.run("model use built-in").found();
    let list = env.run("model list --json").found().json();
    assert_eq!(list[0]["in_use"], true, "{list}");
    let built_in = env.run("model summary built-in").found();
    let other = env.run("model summary other.safetensors").found();
    assert_eq!(built_in.text(), other.text());
    assert!(built_in.text().contains("MMAC a face"), "{built_in:?}");
    // A file of that name takes precedence.
    fs::write(env.path("built-in"), "none").unwrap();
    let sentence = env.run("model summary built-in").refused();
    assert!(sentence.contains("built-in"), "{sentence}");
}

#[test]
fn model_list_prints_every_available_model() {
    let env = TestEnv::with_fixtures(&[]);
    let list = || env.run("model list --json").found().json();
    let alone = list();
    assert_eq!(alone.as_array().unwrap().len(), 1, "{alone}");
    assert_eq!(alone[0]["in_use"], true);
    fs::create_dir_all(env.path("runs/mine")).unwrap();
    fs::create_dir_all(env.path("runs/broken")).unwrap();
    write_model(&env.path("runs/mine/best.safetensors"), "name", "mine");
    fs::write(env.path("runs/broken/best.safetensors"), "none").unwrap();
    env.run("model use runs/mine/best.safetensors").found();
    let all = list();
    let listed: Vec<_> = all.as_array().unwrap().iter().collect();
    let [built_in, kept, broken, trained] = listed[..] else {
        panic!("{all}");
    };
    assert_eq!(built_in["in_use"], false);
    assert_eq!(
        (&kept["name"], &kept["in_use"]),
        (&"mine".into(), &true.into())
    );
    assert!(broken["error"].is_string(), "{broken}");
    assert_eq!(trained["path"], "runs/mine/best.safetensors");
    assert_eq!(trained["name"], "mine");
    let text = env.run("model list").found().text().to_owned();
    assert!(text.starts_with("built-in  "), "{text}");
    assert_eq!(text.matches("(in use)").count(), 1, "{text}");
    let by_hand = env.run("model list --json --model runs/mine/best.safetensors");
    let by_hand = by_hand.found().json();
    assert_eq!(by_hand.as_array().unwrap().len(), 4, "{by_hand}");
    assert_eq!(by_hand[3]["in_use"], true);
    // The model in use is marked, whether or not its file is there.
    fs::remove_file(kept["path"].as_str().unwrap()).unwrap();
    let text = env.run("model list").found().text().to_owned();
    let used: Vec<&str> = text
        .lines()
        .filter(|line| line.ends_with("(in use)"))
        .collect();
    assert!(
        used.len() == 1 && used[0].contains("No such file"),
        "{text}"
    );
    let sentence = env.run("model list nowhere").refused();
    assert!(sentence.contains("nowhere"), "{sentence}");
}

#[test]
fn a_model_for_another_crop_size_is_refused() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    write_model(&env.path("other.safetensors"), "input", r#"{"side": 64}"#);
    for command in ["index album --model", "model use", "evaluate"] {
        let sentence = env.run(&format!("{command} other.safetensors")).refused();
        assert!(sentence.contains("side is 64"), "{command}: {sentence}");
    }
    fs::write(env.path("none.safetensors"), "none").unwrap();
    let sentence = env.run("index album --model none.safetensors").refused();
    assert!(
        sentence.contains("none.safetensors cannot be used as a model"),
        "{sentence}"
    );
    let sentence = env.run("index album --model missing.safetensors").refused();
    assert!(sentence.contains("missing.safetensors"), "{sentence}");
}
