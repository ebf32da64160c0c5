//! `export --everything` prints all stored data.

use serde_json::Value;

use crate::common::{photo_taken, sidecar};
use crate::testenv::TestEnv;

#[test]
fn every_row_of_every_table_is_exported() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add(
        "a.jpg",
        photo_taken(
            "astronaut.jpg",
            "2019:07:14 09:00:00",
            (43.77, 11.25),
            "Nikon",
        ),
    );
    env.add("a.jpg.xmp", sidecar(&["Grandma"]));
    env.add("broken.jpg", "no photo");
    env.index();
    let face = env.show("a.jpg")["faces"][0]["id"].clone();
    env.run(&format!("correct {face} --emotion sad")).found();

    let rows = env.run("export --everything").found().json_lines();
    // It accepts the options of all commands, and refuses those of the other export.
    let by_path =
        env.run("export --everything -v --database home/.local/share/fer-index/index.sqlite3");
    assert_eq!(by_path.code, 0, "{by_path:?}");
    assert_eq!(by_path.json_lines().len(), rows.len());
    for other in ["--xmp", "--dry-run", "--emotion happy", "--faces 2"] {
        let run = env.run(&format!("export --everything {other}"));
        assert!(
            run.code == 2 && run.stderr.contains("cannot be used with"),
            "{run:?}"
        );
    }
    let database = env.open().unwrap();
    let count = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    for table in [
        "photos",
        "files",
        "faces",
        "photo_scores",
        "corrections",
        "sidecars",
        "roots",
        "folders",
    ] {
        let exported = rows.iter().filter(|row| row["table"] == table).count() as i64;
        let stored = count(&format!("SELECT count(*) FROM {table}"));
        assert!(
            stored > 0 && exported == stored,
            "{table}: {exported} of {stored}"
        );
    }
    let text: Vec<String> = rows.iter().map(Value::to_string).collect();
    let text = text.join("\n");
    for known in [
        "album/a.jpg",
        "Nikon",
        "Grandma",
        "\"latitude\":43.7",
        "broken.jpg",
        "a.jpg.xmp",
    ] {
        assert!(text.contains(known), "{known}");
    }
}
