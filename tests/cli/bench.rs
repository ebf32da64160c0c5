//! `fer-index bench`.

use crate::testenv::TestEnv;

const STAGES: [&str; 8] = [
    "read", "hash", "facts", "decode", "detect", "crop", "classify", "store",
];

#[test]
fn the_stages_of_photos_are_measured_without_touching_the_index() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "coffee.jpg"]);
    env.add("broken.jpg", b"\xff\xd8\xff\xe0broken");
    let run = env.run("bench --json album");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("broken.jpg"), "{run:?}");
    let report = run.json();
    assert_eq!(
        (&report["photos"], &report["skipped"]),
        (&2.into(), &1.into())
    );
    assert_eq!(report["faces"], 1);
    let stages = report["cpu_ms_per_photo"].as_object().unwrap();
    let sum: f64 = STAGES
        .iter()
        .map(|stage| stages[*stage].as_f64().unwrap())
        .sum();
    assert_eq!(stages.len(), STAGES.len());
    let total = report["total_cpu_ms_per_photo"].as_f64().unwrap();
    assert!(
        (sum - total).abs() < 1e-6 && stages["detect"].as_f64() > Some(0.0),
        "{report}"
    );
    assert!(report["files_per_second"].as_f64() > Some(0.0));
    assert!(!env.database().exists());

    let run = env.run("bench album --photos 1");
    let text = run.text();
    for stage in STAGES {
        assert!(text.contains(stage), "{stage}: {text}");
    }
    assert!(text.contains("; 1 photo of "), "{text}");

    env.add("empty/notes.txt", "no photo");
    let none = env.run("bench album/empty");
    assert_eq!(none.code, 1, "{none:?}");
    assert!(none.stderr.contains("no photo to measure"), "{none:?}");
}
