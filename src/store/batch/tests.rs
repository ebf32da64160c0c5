use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::emotion::Emotion;
use crate::error::{Error, SkipReason};
use crate::photo::{DateSource, Source, TakenAt};

use super::super::testing::{META, change_facts, face, known, models, photo, put, temp_store};
use super::super::{Models, Query, Store, Totals};
use super::*;

fn happiest(store: &Store) -> Vec<PathBuf> {
    let hits = store.query(&Query::for_emotion(Emotion::Happy)).unwrap();
    hits.into_iter().map(|hit| hit.path).collect()
}

#[test]
fn a_photo_is_read_as_it_was_stored() {
    let (_folder, mut store) = temp_store();
    let faces = vec![face(5.5, 80.0, 0.9, 0.3), face(500.0, 60.0, 0.8, 0.7)];
    let record = photo("a", faces.clone());
    let id = put(&mut store, "/album/b.jpg", &record);
    assert_eq!(put(&mut store, "/album/a.jpg", &record), id);

    let stored = store.photo(id).unwrap().unwrap();
    assert_eq!((stored.id, stored.hash, stored.bytes), (id, record.hash, 1));
    assert_eq!(
        stored.paths,
        ["/album/a.jpg", "/album/b.jpg"].map(PathBuf::from)
    );
    let (analysis, given) = (stored.content.unwrap(), record.content.unwrap());
    assert_eq!(analysis.capture, given.capture);
    assert_eq!(analysis.models, given.models);
    assert_eq!(
        (analysis.width, analysis.height),
        (given.width, given.height)
    );
    assert_eq!(analysis.format, given.format);
    let back: Vec<_> = analysis.faces.iter().map(|f| (f.face, f.scores)).collect();
    let given: Vec<_> = faces.iter().map(|f| (f.face, f.scores)).collect();
    assert_eq!(back, given);
    assert_eq!(store.photo(PhotoId(id.0 + 1)).unwrap(), None);
}

#[test]
fn faces_too_small_to_read_are_stored_and_never_ranked() {
    let (_folder, mut store) = temp_store();
    let mut record = photo("crowd", vec![]);
    let tiny = face(5.5, 9.0, 0.9, 1.0).face;
    if let Ok(analysis) = &mut record.content {
        analysis.unread = vec![tiny];
    }
    let id = put(&mut store, "/crowd.jpg", &record);
    let unread = |store: &Store| store.photo(id).unwrap().unwrap().content.unwrap().unread;
    assert_eq!(unread(&store), [tiny]);
    assert_eq!(happiest(&store), [] as [PathBuf; 0]);
    put(&mut store, "/crowd.jpg", &photo("crowd", vec![]));
    assert_eq!(unread(&store), []);
}

#[test]
fn a_photo_without_a_date_is_dated_by_its_oldest_file() {
    let (_folder, mut store) = temp_store();
    let mut record = photo("undated", vec![face(5.5, 80.0, 0.9, 0.3)]);
    change_facts(&mut record, |capture| capture.taken_at = None);
    let at = |seconds: i64| FileMeta {
        mtime_ns: seconds * 1_000_000_000,
        ..META
    };
    let id = store
        .batch(|batch| {
            let id = batch.put_photo(&record, &[])?;
            for (path, seconds) in [("/b.jpg", 2000), ("/a.jpg", 1000), ("/c.jpg", 3000)] {
                batch.put_file(Path::new(path), &at(seconds), Ok(id))?;
            }
            Ok(id)
        })
        .unwrap();
    let analysis = store.photo(id).unwrap().unwrap().content.unwrap();
    let oldest = at(1000).modified().and_then(TakenAt::from_file_time);
    assert_eq!(analysis.capture.taken_at, oldest);
    let hits = store.query(&Query::for_emotion(Emotion::Happy)).unwrap();
    assert_eq!(hits[0].analysis.capture.taken_at, oldest);
}

#[test]
fn files_stored_with_a_photo_give_it_a_date_and_words() {
    let (_folder, mut store) = temp_store();
    let mut record = photo("undated", vec![face(5.5, 80.0, 0.9, 0.3)]);
    change_facts(&mut record, |capture| capture.taken_at = None);
    let at = |path: &str, seconds: i64| {
        let mtime_ns = seconds * 1_000_000_000;
        (PathBuf::from(path), FileMeta { mtime_ns, ..META })
    };
    let files = [
        at("/beach/b.jpg", 2000),
        at("/party/a.jpg", 1000),
        at("/gone/c.jpg", 3000),
    ];
    store
        .batch(|batch| {
            batch.put_photo(&record, &files)?;
            batch.remove_file(&files[2].0)
        })
        .unwrap();
    let found = |words: &str| {
        let text = Some(words.to_owned());
        let query = Query::for_emotion(Emotion::Happy);
        store.query(&Query { text, ..query }).unwrap()
    };
    let oldest = files[1].1.modified().and_then(TakenAt::from_file_time);
    for words in ["beach", "party firenze", "vacation"] {
        assert_eq!(found(words)[0].analysis.capture.taken_at, oldest, "{words}");
    }
    assert_eq!(found("gone"), []);
}

#[test]
fn storing_the_same_analysis_again_writes_no_face_and_no_score() {
    let (_folder, mut store) = temp_store();
    let mut record = photo(
        "a",
        vec![face(0.0, 80.0, 0.9, 0.9), face(500.0, 60.0, 0.8, 0.2)],
    );
    if let Ok(analysis) = &mut record.content {
        analysis.unread = vec![face(5.5, 9.0, 0.9, 1.0).face];
    }
    let id = put(&mut store, "/a.jpg", &record);
    let before = store.photo(id).unwrap().unwrap().content;
    // From now on any write to these tables fails.
    for table in ["faces", "unread_faces", "photo_scores"] {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            let refuse = format!(
                "CREATE TEMP TRIGGER refuse_{table}_{event} BEFORE {event} ON {table} BEGIN
                     SELECT raise(FAIL, '{event} on {table}');
                 END"
            );
            store.connection.execute_batch(&refuse).unwrap();
        }
    }
    assert_eq!(put(&mut store, "/a.jpg", &record), id);
    assert_eq!(store.photo(id).unwrap().unwrap().content, before);
    let other = photo("a", vec![face(0.0, 80.0, 0.9, 0.8)]);
    store
        .batch(|batch| batch.put_photo(&other, &[]))
        .unwrap_err();
}

#[test]
fn a_skipped_photo_is_stored_with_its_reason() {
    let (_folder, mut store) = temp_store();
    let mut record = photo("broken", vec![]);
    let skip = Skip::new(SkipReason::Damaged, "ends in the middle of the picture");
    record.content = Err(skip.clone());
    let id = put(&mut store, "/album/broken.jpg", &record);
    assert_eq!(store.photo(id).unwrap().unwrap().content, Err(skip));
    let known = store.photo_by_hash(&record.hash).unwrap().unwrap();
    assert_eq!(known.outcome, Err(SkipReason::Damaged));
    assert!(known.is_current(&models()));
    assert_eq!(
        store.photo_by_hash(&photo("other", vec![]).hash).unwrap(),
        None
    );
}

#[test]
fn a_new_analysis_replaces_faces_and_keeps_the_number_of_those_found_again() {
    let (_folder, mut store) = temp_store();
    let before = vec![face(0.0, 80.0, 0.9, 0.9), face(500.0, 80.0, 0.8, 0.2)];
    let id = put(&mut store, "/a.jpg", &photo("a", before));
    let faces = |store: &Store| store.photo(id).unwrap().unwrap().content.unwrap().faces;
    let [gone, stays] = faces(&store)[..] else {
        panic!("two faces")
    };

    let after = vec![face(1000.0, 80.0, 0.9, 0.1), face(505.0, 82.0, 0.9, 0.4)];
    assert_eq!(put(&mut store, "/a.jpg", &photo("a", after)), id);
    let [new, stayed] = faces(&store)[..] else {
        panic!("two faces")
    };
    assert_eq!(stayed.id, stays.id);
    assert!(
        new.id != gone.id && new.id != stays.id,
        "a number was used again"
    );
    let hits = store.query(&Query::for_emotion(Emotion::Happy)).unwrap();
    assert_eq!(hits.len(), 1);
    assert!((hits[0].ranked_by.unwrap().score - 0.4).abs() < 1e-6);

    let mut skipped = photo("a", vec![]);
    skipped.content = Err(Skip::new(SkipReason::TimedOut, "took 30 s"));
    put(&mut store, "/a.jpg", &skipped);
    assert_eq!(happiest(&store), [] as [PathBuf; 0]);
}

#[test]
fn a_photo_is_found_while_a_path_leads_to_it() {
    let (_folder, mut store) = temp_store();
    let record = photo("a", vec![face(0.0, 80.0, 0.9, 0.9)]);
    let id = put(&mut store, "/old.jpg", &record);
    // The file is moved, and copied; then the copy is removed.
    store
        .batch(|batch| {
            assert!(batch.remove_file(Path::new("/old.jpg"))?);
            batch.put_file(Path::new("/new.jpg"), &META, Ok(id))?;
            batch.put_file(Path::new("/copy.jpg"), &META, Ok(id))
        })
        .unwrap();
    assert_eq!(happiest(&store), [PathBuf::from("/copy.jpg")]);
    store
        .batch(|batch| batch.remove_file(Path::new("/copy.jpg")))
        .unwrap();
    assert_eq!(happiest(&store), [PathBuf::from("/new.jpg")]);
    assert_eq!(store.prune(Duration::ZERO).unwrap(), 0);

    let removed = store.batch(|batch| batch.remove_file(Path::new("/new.jpg")));
    assert!(removed.unwrap());
    let again = store.batch(|batch| batch.remove_file(Path::new("/new.jpg")));
    assert!(!again.unwrap());
    assert_eq!(happiest(&store), [] as [PathBuf; 0]);
    assert!(store.photo_by_hash(&record.hash).unwrap().is_some());
    assert_eq!(store.totals().unwrap(), Totals::default());

    assert_eq!(store.prune(Duration::ZERO).unwrap(), 1);
    assert_eq!(store.photo_by_hash(&record.hash).unwrap(), None);
    assert!(
        put(&mut store, "/new.jpg", &record) > id,
        "a number was used again"
    );
}

#[test]
fn a_batch_that_fails_writes_nothing() {
    let (_folder, mut store) = temp_store();
    let failed = store.batch(|batch| {
        batch.put_photo(&photo("a", vec![]), &[("/a.jpg".into(), META)])?;
        Err::<(), _>(Error::Usage("enough".into()))
    });
    assert!(matches!(failed, Err(Error::Usage(_))));
    assert_eq!(store.totals().unwrap(), Totals::default());
    put(&mut store, "/a.jpg", &photo("a", vec![]));
    assert_eq!(store.totals().unwrap().photos, 1);
}

#[test]
fn totals_count_photos_to_which_a_path_leads() {
    let (_folder, mut store) = temp_store();
    let record = photo(
        "a",
        vec![face(0.0, 80.0, 0.9, 0.9), face(500.0, 80.0, 0.8, 0.2)],
    );
    put(&mut store, "/a.jpg", &record);
    put(&mut store, "/copy of a.jpg", &record);
    put(&mut store, "/nobody.jpg", &photo("b", vec![]));
    let mut damaged = photo("c", vec![]);
    damaged.content = Err(Skip::new(SkipReason::Damaged, "cut"));
    put(&mut store, "/c.jpg", &damaged);
    let locked = Skip::new(SkipReason::PermissionDenied, "not yours");
    store
        .batch(|batch| batch.put_file(Path::new("/locked.jpg"), &META, Err(&locked)))
        .unwrap();
    assert_eq!(
        store.totals().unwrap(),
        Totals {
            files: 5,
            photos: 2,
            faces: 2,
            incomplete: 0,
            skipped: BTreeMap::from([(SkipReason::PermissionDenied, 1), (SkipReason::Damaged, 1)]),
            dates: BTreeMap::from([(DateSource::Exif, 2)]),
            positions: BTreeMap::from([(Source::Exif, 2)]),
        }
    );
}

#[test]
fn a_known_file_is_current_unless_processing_it_again_may_change_its_result() {
    let (_folder, mut store) = temp_store();
    let scanned = put(&mut store, "/album/a.jpg", &photo("a", vec![]));
    let mut damaged = photo("b", vec![]);
    damaged.content = Err(Skip::new(SkipReason::Damaged, "cut"));
    put(&mut store, "/album/sub/b.jpg", &damaged);
    put(&mut store, "/album2/c.jpg", &photo("c", vec![]));
    let locked = Skip::new(SkipReason::PermissionDenied, "not yours");
    store
        .batch(|batch| batch.put_file(Path::new("/album/locked.jpg"), &META, Err(&locked)))
        .unwrap();

    let current = |models: &Models| -> Vec<(PathBuf, bool)> {
        let known = known(&store, "/album", models);
        assert!(known.iter().all(|(_, file)| file.meta == META));
        let files = known.into_iter();
        files.map(|(path, file)| (path, file.is_current)).collect()
    };
    let [a, locked_path, b] =
        ["/album/a.jpg", "/album/locked.jpg", "/album/sub/b.jpg"].map(PathBuf::from);
    let expected = [
        (a.clone(), true),
        (locked_path.clone(), false),
        (b.clone(), true),
    ];
    assert_eq!(current(&models()), expected);

    let newer = Models {
        classifier: "reader 2".into(),
        ..models()
    };
    let expected = [(a.clone(), false), (locked_path.clone(), false), (b, true)];
    assert_eq!(current(&newer), expected);

    let one = store.known_file(&a, &models()).unwrap().unwrap();
    assert!(one.is_current);
    assert_eq!(
        store.known_file(Path::new("/album"), &models()).unwrap(),
        None
    );
    assert_eq!(store.file(&a).unwrap(), Some(Ok(scanned)));
    assert_eq!(store.file(&locked_path).unwrap(), Some(Err(locked)));
    assert_eq!(store.file(Path::new("/album")).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf8_is_preserved() {
    use std::os::unix::ffi::OsStrExt as _;
    let (_folder, mut store) = temp_store();
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/album/caf\xe9.jpg"));
    put(
        &mut store,
        path,
        &photo("a", vec![face(0.0, 80.0, 0.9, 0.9)]),
    );
    assert_eq!(happiest(&store), [path.to_owned()]);
    assert_eq!(known(&store, "/album", &models())[0].0, path);
}
