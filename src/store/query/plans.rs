//! Tests SQLite's query plans for the statements of queries: each searches an index; none reads a whole table or sorts.

use super::super::Store;
use super::super::bursts;
use super::super::people;
use super::super::raw_pairs;
use super::super::stem;
use super::super::testing::{plan, temp_store};
use super::{admit, burst, narrow, plan as planning, sources, standing};

#[track_caller]
fn assert_searches(store: &Store, sql: &str, index: &str) {
    let steps = plan(store, sql);
    let is_ok = |step: &String| {
        step.starts_with("SEARCH")
            || step == "SCAN CONSTANT ROW" // no table
            || !(step.contains("SCAN") || step.contains("TEMP B-TREE"))
    };
    assert!(steps.iter().all(is_ok), "{sql}\n{steps:#?}");
    assert!(
        steps.iter().any(|step| step.contains(index)),
        "{sql}\n{steps:#?}"
    );
}

#[test]
fn each_filter_searches_a_covering_index() {
    let (_folder, store) = temp_store();
    for (sql, index) in [
        (
            narrow::sql::UNDER,
            "SEARCH files USING PRIMARY KEY (path>? AND path<?)",
        ),
        (
            narrow::sql::CELLS,
            "SEARCH photo_cells USING PRIMARY KEY (cell>? AND cell<?)",
        ),
        (
            narrow::sql::AREAS,
            "COVERING INDEX photos_by_areas (area_set=?)",
        ),
        (
            narrow::sql::CAMERA,
            "COVERING INDEX photos_by_camera (camera=?)",
        ),
        (
            narrow::sql::TAKEN,
            "COVERING INDEX photos_by_taken (taken_local>? AND taken_local<?)",
        ),
        (
            narrow::sql::TAKEN_ITSELF,
            "COVERING INDEX photos_by_own_date (taken_local>? AND taken_local<?)",
        ),
        (
            narrow::sql::FACES,
            "COVERING INDEX photos_by_faces (face_count>? AND face_count<?)",
        ),
        (
            narrow::sql::CONFIDENCE,
            "COVERING INDEX faces_by_confidence (confidence_rank=? AND confidence>?)",
        ),
        (
            narrow::sql::SIDE,
            "COVERING INDEX faces_by_side (side_rank=? AND side>?)",
        ),
        (
            narrow::sql::SHOWS,
            "PRIMARY KEY (emotion=? AND kind=? AND score>?)",
        ),
        (
            narrow::sql::SHOWS_NOT,
            "PRIMARY KEY (emotion=? AND kind=? AND score<?)",
        ),
        (
            people::NAME,
            "SEARCH people USING INDEX people_by_key (key=?)",
        ),
        (narrow::sql::PERSON, "COVERING INDEX people_by_key (key=?)"),
        (admit::PEOPLE, "SEARCH people USING"),
        (admit::FACTS, "SEARCH photos USING INTEGER PRIMARY KEY"),
        (
            raw_pairs::IS_PAIRED,
            "SEARCH raw_pairs USING INTEGER PRIMARY KEY",
        ),
        (
            stem::FILES,
            "SEARCH files USING PRIMARY KEY (path>? AND path<?)",
        ),
        (admit::PATHS, "COVERING INDEX files_by_photo (photo_id=?)"),
        (burst::OF_PHOTO, "SEARCH photos USING INTEGER PRIMARY KEY"),
        (
            bursts::SPAN,
            "INDEX photos_by_shot (exif_local>? AND exif_local<?)",
        ),
        (
            sources::sql::DATE,
            "SEARCH photos USING INTEGER PRIMARY KEY",
        ),
        (
            sources::sql::PHOTO,
            "COVERING INDEX photo_scores_by_photo (photo_id=? AND emotion=? AND kind=?)",
        ),
        (
            planning::SMALLEST_FACES,
            "COVERING INDEX faces_by_confidence (confidence_rank=?)",
        ),
        (
            planning::SMALLEST_FACES,
            "COVERING INDEX faces_by_side (side_rank=?)",
        ),
        (
            sources::sql::BY_DATE_WITHIN,
            "COVERING INDEX photos_by_taken (taken_local>? AND taken_local<?)",
        ),
    ] {
        assert_searches(&store, sql, index);
    }
}

#[test]
fn the_standing_of_a_photo_is_counted_in_indexes() {
    let (_folder, store) = temp_store();
    for (sql, index) in [
        (
            standing::sql::SHOW_MORE,
            "PRIMARY KEY (emotion=? AND kind=? AND (score,taken)>(?,?))",
        ),
        (
            standing::sql::SHOW_AS_MUCH,
            "PRIMARY KEY (emotion=? AND kind=? AND score=? AND taken=?)",
        ),
        (
            standing::sql::TAKEN_LATER,
            "COVERING INDEX photos_by_taken (taken_local>?)",
        ),
        (
            standing::sql::TAKEN_THEN,
            "COVERING INDEX photos_by_taken (taken_local=?",
        ),
    ] {
        assert_searches(&store, sql, index);
    }
}

#[test]
fn walks_follow_an_index_without_sorting() {
    let (_folder, store) = temp_store();
    assert_eq!(
        plan(&store, sources::sql::WALK),
        ["SEARCH photo_scores USING PRIMARY KEY (emotion=? AND kind=? AND score>?)"]
    );
    // A scan in the order of the answer, which ends when the answer is full.
    assert_eq!(
        plan(&store, sources::sql::BY_DATE),
        ["SCAN photos USING COVERING INDEX photos_by_taken"]
    );
}

#[test]
fn words_are_looked_up_and_cameras_and_people_found_by_a_skip_scan() {
    let (_folder, store) = temp_store();
    // `M`: a search by words, not row by row.
    assert_eq!(
        plan(&store, narrow::sql::WORDS),
        ["SCAN photo_words VIRTUAL TABLE INDEX 0:M1"]
    );
    // `=`: restricted to this photo.
    let steps = plan(&store, admit::WORDS);
    assert!(
        steps.contains(&"SCAN photo_words VIRTUAL TABLE INDEX 0:=M1".to_owned()),
        "{steps:#?}"
    );
    for (sql, table, search) in [
        (
            narrow::sql::CAMERAS,
            "photos",
            "SEARCH photos USING COVERING INDEX photos_by_camera",
        ),
        (
            people::KEYS,
            "people",
            "SEARCH people USING COVERING INDEX people_by_key",
        ),
    ] {
        let steps = plan(&store, sql);
        let on_table = steps.iter().filter(|step| step.contains(table));
        assert!(
            on_table.clone().count() >= 2 && on_table.clone().all(|step| step.contains(search)),
            "{steps:#?}"
        );
    }
}
