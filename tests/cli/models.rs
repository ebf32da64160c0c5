//! Another emotion model in the place of the built-in one.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::SafeTensors;

use crate::testenv::TestEnv;

/// Writes the shipped model with a remark in its metadata: the same network under another name.
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

/// Photos that `index` looked at.
fn looked_at(env: &TestEnv, options: &str) -> u64 {
    let run = env.run(&format!("index album --json {options}")).found();
    run.json()["photos"].as_u64().unwrap()
}

#[test]
fn another_model_reads_the_photos_again_and_only_once() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    assert_eq!(looked_at(&env, ""), 1);
    write_model(&env.path("other.safetensors"), "remark", "mine");
    assert_eq!(looked_at(&env, "--model other.safetensors"), 1);
    assert_eq!(looked_at(&env, "--model other.safetensors"), 0);
}

#[test]
fn a_chosen_model_stays_until_it_is_given_up() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    assert_eq!(looked_at(&env, ""), 1);
    write_model(&env.path("other.safetensors"), "remark", "mine");
    let said = env.run("model use other.safetensors").found();
    assert!(said.text().contains("reads faces from now on"), "{said:?}");
    // It was copied.
    fs::remove_file(env.path("other.safetensors")).unwrap();
    assert_eq!(looked_at(&env, ""), 1);
    env.run("model use --built-in").found();
    assert_eq!(looked_at(&env, ""), 1);
    assert_eq!(looked_at(&env, ""), 0);
}

#[test]
fn a_model_of_other_faces_is_refused() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    write_model(&env.path("other.safetensors"), "input", r#"{"side": 64}"#);
    for command in ["index album --model", "model use", "evaluate"] {
        let sentence = env.run(&format!("{command} other.safetensors")).refused();
        assert!(sentence.contains("side is 64"), "{command}: {sentence}");
    }
    fs::write(env.path("none.safetensors"), "none").unwrap();
    let sentence = env.run("index album --model none.safetensors").refused();
    assert!(sentence.contains("no model"), "{sentence}");
    let sentence = env.run("index album --model missing.safetensors").refused();
    assert!(sentence.contains("missing.safetensors"), "{sentence}");
}
