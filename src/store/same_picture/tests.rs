use std::path::PathBuf;
use std::time::Duration;

use super::super::testing::{META, face, known, models, photo, put, temp_store};
use super::super::{PhotoRecord, Query, Store, StoredFace};
use super::*;
use crate::emotion::Emotion::{Happy, Sad};
use crate::face::Correction;
use crate::facts::Block;
use crate::raster::Orientation;

const SAD: Correction = Correction::Emotion(Sad);

/// A photo with this content and the picture of `photo("a", …)`, in an orientation. In orientation 1 it has 4000 × 3000
/// pixels.
fn version(content: &str, orientation: Orientation) -> PhotoRecord {
    let upright = photo(
        "a",
        vec![face(100.0, 80.0, 0.9, 0.75), face(500.0, 60.0, 0.8, 0.25)],
    );
    let mut record = photo(content, vec![]);
    let picture = upright.picture.unwrap();
    record.picture = Some(Picture {
        orientation,
        ..picture
    });
    let turn = Turn::between(Orientation::Upright, orientation, (4000, 3000));
    let (Ok(analysis), Ok(of_upright)) = (&mut record.content, upright.content) else {
        unreachable!("both are analysed")
    };
    (analysis.width, analysis.height) = orientation.exchange((4000, 3000));
    analysis.faces = of_upright.faces;
    analysis.unread = vec![face(900.0, 9.0, 0.7, 1.0).face];
    if let Some(turn) = turn {
        for face in &mut analysis.faces {
            face.face = turn.face(&face.face);
        }
        analysis.unread = vec![turn.face(&analysis.unread[0])];
    }
    record
}

fn upright(content: &str) -> PhotoRecord {
    version(content, Orientation::Upright)
}

fn faces(store: &Store, id: PhotoId) -> Vec<StoredFace> {
    store.photo(id).unwrap().unwrap().content.unwrap().faces
}

fn at(store: &Store, path: &str) -> PhotoId {
    store.file(Path::new(path)).unwrap().unwrap().unwrap()
}

fn put_file(store: &mut Store, path: &str, id: PhotoId) {
    store
        .batch(|batch| batch.put_file(Path::new(path), &META, Ok(id)))
        .unwrap();
}

/// Checks that no row refers to a missing photo, and that the faces that count are ranked.
fn assert_consistent(store: &Store) {
    let count = |sql: &str| -> i64 {
        store
            .connection
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    };
    let dangling = "SELECT count(*) FROM photo_words
                    WHERE rowid NOT IN (SELECT photo_id FROM files WHERE photo_id IS NOT NULL)";
    assert_eq!(count(dangling), 0);
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    let unranked = "SELECT count(*) FROM photos p WHERE face_count <> (
                        SELECT count(*) FROM faces WHERE photo_id = p.id AND side_rank IS NOT NULL)";
    assert_eq!(count(unranked), 0);
}

#[test]
fn a_file_with_the_picture_of_the_one_it_replaces_takes_its_row() {
    let (_folder, mut store) = temp_store();
    let id = put(&mut store, "/a.jpg", &upright("a"));
    let before = faces(&store, id);
    store.correct(before[0].id, SAD).unwrap();
    let mut record = upright("a, tagged");
    if let Ok(analysis) = &mut record.content {
        analysis.statements.add_keyword("Beach", Block::Xmp);
    }
    assert_eq!(put(&mut store, "/a.jpg", &record), id);
    let after = store.photo(id).unwrap().unwrap();
    assert_eq!((after.hash, after.picture), (record.hash, record.picture));
    assert_eq!(store.photo_by_hash(&upright("a").hash).unwrap(), None);
    let corrected = StoredFace {
        correction: Some(SAD),
        ..before[0]
    };
    assert_eq!(faces(&store, id), [corrected, before[1]]);
    let text = Some("beach".to_owned());
    let found = store
        .query(&Query {
            text,
            ..Query::for_emotion(Sad)
        })
        .unwrap();
    assert!((found[0].ranked_by.unwrap().score - 1.0).abs() < 1e-9);
    assert_consistent(&store);
}

#[test]
fn a_file_with_another_picture_takes_no_row() {
    let (_folder, mut store) = temp_store();
    let id = put(&mut store, "/a.jpg", &upright("a"));
    store.correct(faces(&store, id)[0].id, SAD).unwrap();
    let other = put(
        &mut store,
        "/a.jpg",
        &photo("b", vec![face(100.0, 80.0, 0.9, 0.75)]),
    );
    assert!(other > id);
    assert_eq!(faces(&store, other)[0].correction, None);
}

#[test]
fn the_faces_and_their_corrections_are_turned() {
    for orientation in Orientation::ALL {
        let (_folder, mut store) = temp_store();
        let id = put(&mut store, "/a.jpg", &upright("a"));
        let before = faces(&store, id);
        store.correct(before[1].id, Correction::NotAFace).unwrap();
        let path = Path::new("/a.jpg");
        let turned = version("a, turned", orientation);
        let picture = turned.picture.unwrap();
        let analysis = store.analysis_of_picture(path, &picture, &models());
        let record = PhotoRecord {
            content: Ok(analysis.unwrap().unwrap()),
            ..turned.clone()
        };
        let (found, expected) = (record.content.clone().unwrap(), turned.content.unwrap());
        assert_eq!(
            (found.width, found.height),
            (expected.width, expected.height)
        );
        assert_eq!(
            (&found.faces, &found.unread),
            (&expected.faces, &expected.unread)
        );
        assert_eq!(put(&mut store, path, &record), id, "{orientation:?}");
        let after = faces(&store, id);
        assert_eq!([after[0].id, after[1].id], [before[0].id, before[1].id]);
        assert_eq!(
            after[1].correction,
            Some(Correction::NotAFace),
            "{orientation:?}"
        );
        assert_consistent(&store);
    }
}

#[test]
fn a_copy_in_another_orientation_is_analysed_unless_its_orientation_was_changed() {
    let (_folder, mut store) = temp_store();
    put(&mut store, "/a.jpg", &upright("a"));
    let asked = |store: &Store, path: &str, orientation| {
        let picture = version("b", orientation).picture.unwrap();
        let found = store.analysis_of_picture(Path::new(path), &picture, &models());
        found.unwrap().is_some()
    };
    assert!(asked(&store, "/new.jpg", Orientation::Upright));
    assert!(!asked(&store, "/new.jpg", Orientation::Rotate90));
    assert!(asked(&store, "/a.jpg", Orientation::Rotate90));
    store.forget(&["/a.jpg".into()]).unwrap();
    assert!(
        asked(&store, "/new.jpg", Orientation::Rotate90),
        "moved and turned"
    );
    // The analysis by other models is not taken over.
    let newer = Models {
        classifier: "reader 2".into(),
        ..models()
    };
    let picture = upright("b").picture.unwrap();
    let found = store.analysis_of_picture(Path::new("/new.jpg"), &picture, &newer);
    assert_eq!(found.unwrap(), None);
}

#[test]
fn a_photo_with_other_files_keeps_its_content() {
    let (_folder, mut store) = temp_store();
    let id = put(&mut store, "/a.jpg", &upright("a"));
    put_file(&mut store, "/b.jpg", id);
    store.correct(faces(&store, id)[0].id, SAD).unwrap();
    let copy = put(&mut store, "/a.jpg", &upright("a, tagged"));
    assert!(copy > id);
    assert_eq!(at(&store, "/b.jpg"), id);
    assert_eq!(faces(&store, copy)[0].correction, Some(SAD));
    assert_ne!(faces(&store, copy)[0].id, faces(&store, id)[0].id);

    // The other file gets the same tag: the older photo keeps its ID, whichever way this is stored.
    put_file(&mut store, "/b.jpg", copy);
    assert_eq!((at(&store, "/a.jpg"), at(&store, "/b.jpg")), (id, id));
    assert_eq!(store.photo(copy).unwrap(), None);
    assert_eq!(
        store.photo(id).unwrap().unwrap().hash,
        upright("a, tagged").hash
    );
    assert_eq!(faces(&store, id)[0].correction, Some(SAD));
    assert_eq!(store.query(&Query::for_emotion(Happy)).unwrap().len(), 1);
    assert_consistent(&store);
}

#[test]
fn two_files_that_are_tagged_in_one_transaction_stay_one_photo() {
    let (_folder, mut store) = temp_store();
    let id = put(&mut store, "/a.jpg", &upright("a"));
    put_file(&mut store, "/b.jpg", id);
    let files = ["/a.jpg", "/b.jpg"].map(|path| (PathBuf::from(path), META));
    let after = store.batch(|batch| batch.put_photo(&upright("a, tagged"), &files));
    assert_eq!(after.unwrap(), id);
    assert_consistent(&store);
}

#[test]
fn the_older_photo_is_kept_when_a_record_is_stored_again() {
    let (_folder, mut store) = temp_store();
    let elder = put(&mut store, "/a.jpg", &upright("a"));
    let younger = put(&mut store, "/b.jpg", &upright("b"));
    let number = faces(&store, elder)[0].id;
    assert_eq!(put(&mut store, "/a.jpg", &upright("b")), elder);
    assert_eq!(at(&store, "/b.jpg"), elder);
    assert_eq!(store.photo(younger).unwrap(), None);
    assert_eq!(faces(&store, elder)[0].id, number);
    // The younger one does not replace the older one.
    let younger = put(&mut store, "/c.jpg", &upright("c"));
    assert_eq!(put(&mut store, "/c.jpg", &upright("b")), elder);
    assert!(store.photo(younger).unwrap().unwrap().paths.is_empty());
    assert_consistent(&store);
}

#[test]
fn a_lost_photo_takes_over_a_new_content_until_it_is_pruned() {
    let (_folder, mut store) = temp_store();
    let id = put(&mut store, "/a.jpg", &upright("a"));
    store.forget(&["/a.jpg".into()]).unwrap();
    assert_eq!(put(&mut store, "/moved.jpg", &upright("a, tagged")), id);
    store.correct(faces(&store, id)[0].id, SAD).unwrap();
    store.forget(&["/moved.jpg".into()]).unwrap();
    assert_eq!(store.prune(Duration::ZERO).unwrap(), 1);
    // Corrections belong to the picture and survive even this.
    let again = put(&mut store, "/b.jpg", &version("b", Orientation::Rotate180));
    assert!(again > id);
    assert_eq!(faces(&store, again)[0].correction, Some(SAD));
}

#[test]
fn a_correction_of_one_copy_applies_to_all_and_is_undone_for_all() {
    let (_folder, mut store) = temp_store();
    let ids = [
        put(&mut store, "/a.jpg", &upright("a")),
        put(&mut store, "/b.jpg", &version("b", Orientation::Rotate90)),
        put(
            &mut store,
            "/c.jpg",
            &version("c", Orientation::FlipVertical),
        ),
    ];
    let corrections = |store: &Store| {
        ids.map(|id| {
            faces(store, id)
                .iter()
                .map(|f| f.correction)
                .collect::<Vec<_>>()
        })
    };
    store.correct(faces(&store, ids[1])[0].id, SAD).unwrap();
    assert_eq!(corrections(&store), [(); 3].map(|()| vec![Some(SAD), None]));
    store
        .correct(faces(&store, ids[2])[0].id, Correction::NotAFace)
        .unwrap();
    let rejected = Some(Correction::NotAFace);
    assert_eq!(corrections(&store), [(); 3].map(|()| vec![rejected, None]));
    assert_consistent(&store);
    let count = |store: &Store| -> i64 {
        let sql = "SELECT count(*) FROM corrections";
        store
            .connection
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count(&store), 1, "in place of the earlier one");
    assert!(store.undo(faces(&store, ids[0])[0].id).unwrap());
    assert_eq!(corrections(&store), [(); 3].map(|()| vec![None, None]));
    assert_eq!((count(&store), store.totals().unwrap().faces), (0, 6));
    assert_consistent(&store);
}

#[test]
fn of_two_corrections_from_before_the_picture_was_known_the_later_one_counts() {
    let (_folder, mut store) = temp_store();
    let unknown = |content: &str| PhotoRecord {
        picture: None,
        ..upright(content)
    };
    let ids = ["a", "b"].map(|name| put(&mut store, format!("/{name}.jpg"), &unknown(name)));
    store.correct(faces(&store, ids[0])[0].id, SAD).unwrap();
    store
        .correct(faces(&store, ids[1])[0].id, Correction::Emotion(Happy))
        .unwrap();
    let correction = |store: &Store, id| faces(store, id)[0].correction;
    assert_eq!(
        correction(&store, ids[0]),
        Some(SAD),
        "they are different contents so far"
    );
    let files = known(&store, "/", &models());
    assert!(
        files.iter().all(|(_, file)| !file.is_current),
        "their pictures are not known"
    );

    // Now they are read again, the second one before the first one.
    for name in ["b", "a"] {
        put(&mut store, format!("/{name}.jpg"), &upright(name));
    }
    assert!(
        known(&store, "/", &models())
            .iter()
            .all(|(_, file)| file.is_current)
    );
    assert_eq!(
        ids.map(|id| faces(&store, id).len()),
        [2, 2],
        "no face is added"
    );
    assert_eq!(correction(&store, ids[0]), Some(Correction::Emotion(Happy)));
    assert!(store.undo(faces(&store, ids[0])[0].id).unwrap());
    assert_eq!(ids.map(|id| correction(&store, id)), [None, None]);
}

#[test]
fn a_copy_takes_over_a_vouched_face_as_a_correction() {
    let (_folder, mut store) = temp_store();
    let id = put(&mut store, "/a.jpg", &upright("a"));
    let vouched = faces(&store, id)[0];
    store.correct(vouched.id, SAD).unwrap();
    // The models do not find the face in this copy.
    let mut blind = upright("b");
    if let Ok(analysis) = &mut blind.content {
        analysis.faces.remove(0);
    }
    let copy = put(&mut store, "/b.jpg", &blind);
    assert_eq!(faces(&store, copy)[1].correction, Some(SAD));
    assert_eq!(
        faces(&store, copy)[1].face.bounding_box,
        vouched.face.bounding_box
    );
    let record = store.record(copy).unwrap().unwrap();
    assert_eq!(
        record.content.unwrap().faces.len(),
        1,
        "it is not a finding of the models"
    );
}

#[test]
fn a_damaged_file_is_not_matched_by_its_picture() {
    let (_folder, mut store) = temp_store();
    let id = put(&mut store, "/a.jpg", &upright("a"));
    let mut damaged = upright("b");
    damaged.content = Err(crate::error::Skip::new(
        crate::error::SkipReason::Damaged,
        "cut",
    ));
    let skipped = put(&mut store, "/a.jpg", &damaged);
    assert_ne!(skipped, id);
    assert_eq!(store.photo(skipped).unwrap().unwrap().picture, None);
    // The photo that was there before is lost, and returns with the next complete file.
    assert_eq!(put(&mut store, "/a.jpg", &upright("c")), id);
}

#[test]
fn photos_with_a_picture_are_found_by_an_index() {
    let (_folder, store) = temp_store();
    for sql in [
        "SELECT id FROM photos WHERE picture = ? AND orientation = ? ORDER BY id",
        "SELECT id FROM corrections WHERE picture = ?",
        "SELECT p.id FROM photos p JOIN photos q ON q.picture = p.picture WHERE q.id = ?1",
    ] {
        let plan = super::super::testing::plan(&store, sql);
        assert!(
            plan.iter().any(|step| step.contains("_by_picture")),
            "{plan:#?}"
        );
        assert!(
            !plan.iter().any(|step| step.starts_with("SCAN")),
            "{plan:#?}"
        );
    }
}
