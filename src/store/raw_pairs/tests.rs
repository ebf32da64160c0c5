//! Tests which raw files are left out of the answers, whatever happens to them and to the files beside them.

use std::path::{Path, PathBuf};

use jiff::civil::date;

use super::super::testing::{META, change_facts, face, photo, put, set_date, temp_store};
use super::super::{Diagnosis, DoctorObserver, PhotoRecord, Query, Store};
use crate::emotion::Emotion;
use crate::photo::Raws;

struct Unseen;

impl DoctorObserver for Unseen {
    fn begins(&self, _: &'static str, _: u64) {}
    fn advanced(&self, _: u64) {}
}

/// The paths that a query finds; checks that the counts and the doctor agree.
fn found(store: &Store) -> Vec<String> {
    let query = Query {
        raws: Some(Raws::Alone),
        limit: None,
        ..Query::latest()
    };
    let mut found: Vec<String> = store
        .query(&query)
        .unwrap()
        .iter()
        .map(|hit| hit.path.display().to_string())
        .collect();
    found.sort();
    assert_eq!(store.counts(&query).unwrap().all, found.len() as u64);
    assert_eq!(store.diagnose(&Unseen).unwrap(), Diagnosis::default());
    found
}

fn shot(content: &str) -> PhotoRecord {
    photo(content, vec![face(0.0, 80.0, 0.9, 0.9)])
}

fn remove(store: &mut Store, path: &str) {
    store.forget(&[PathBuf::from(path)]).unwrap();
}

#[test]
fn a_raw_file_beside_a_picture_of_the_same_shot_is_left_out() {
    for (raw, picture, is_pair) in [
        ("/a/IMG_1.CR2", "/a/IMG_1.JPG", true),
        ("/a/IMG_1.cr3", "/a/IMG_1.hif", true),
        ("/a/IMG_1.NEF", "/a/img_1.jpg", true),
        ("/a/img_1.dng", "/a/IMG_1.jpg", true),
        ("/a/Rose.dng", "/a/Rose.tif", true),
        ("/a/Rose.dng", "/a/rose.tif", false),
        ("/a/IMG_1.CR2", "/a/IMG_1.edited.JPG", false),
        ("/a/IMG_1.CR2", "/a/IMG_1.data/IMG_1.JPG", false),
        ("/a/IMG_1.CR2", "/a/IMG_10.JPG", false),
        ("/a/IMG_1.CR2", "/b/IMG_1.JPG", false),
        ("/a/IMG_1.CR2", "/a/IMG_1.DNG", false),
        ("/a/1.png", "/a/1.jpg", false),
        ("/a/.dng", "/a/.jpg", false),
    ] {
        for order in [[raw, picture], [picture, raw]] {
            let (_folder, mut store) = temp_store();
            for path in order {
                put(&mut store, path, &shot(path));
            }
            let mut all = vec![raw.to_owned(), picture.to_owned()];
            all.sort();
            let expected = if is_pair {
                vec![picture.to_owned()]
            } else {
                all
            };
            assert_eq!(found(&store), expected, "{order:?}");
        }
    }
}

#[test]
fn dates_of_the_contents_must_agree_where_both_have_one() {
    let noon = date(2020, 5, 1).at(12, 0, 0, 0);
    let early = date(2020, 5, 1).at(11, 59, 59, 990_000_000);
    let late = date(2020, 5, 1).at(12, 0, 0, 990_000_000);
    for (raw, picture, is_pair) in [
        (Some(noon), Some(late), true),
        (Some(noon), Some(early), false),
        (Some(noon), None, true),
        (None, Some(noon), true),
        (None, None, true),
    ] {
        let (_folder, mut store) = temp_store();
        for (path, taken) in [("/a/1.dng", raw), ("/a/1.jpg", picture)] {
            let mut record = shot(path);
            match taken {
                Some(taken) => set_date(&mut record, taken),
                None => change_facts(&mut record, |capture| capture.taken_at = None),
            }
            put(&mut store, path, &record);
        }
        assert_eq!(
            found(&store).len(),
            2 - usize::from(is_pair),
            "{raw:?}, {picture:?}"
        );
    }
}

#[test]
fn pairs_follow_their_files() {
    let (_folder, mut store) = temp_store();
    let raw = put(&mut store, "/a/1.dng", &shot("raw"));
    let jpeg = put(&mut store, "/a/1.jpg", &shot("jpeg"));
    assert_eq!(found(&store), ["/a/1.jpg"]);
    assert_eq!(store.files_of_shot(raw).unwrap(), [Path::new("/a/1.jpg")]);
    assert_eq!(store.files_of_shot(jpeg).unwrap(), [Path::new("/a/1.dng")]);

    store.rename(Path::new("/a"), Path::new("/b")).unwrap();
    assert_eq!(found(&store), ["/b/1.jpg"]);
    store
        .rename(Path::new("/b/1.jpg"), Path::new("/b/2.jpg"))
        .unwrap();
    assert_eq!(found(&store), ["/b/1.dng", "/b/2.jpg"]);
    assert_eq!(store.files_of_shot(raw).unwrap(), [] as [PathBuf; 0]);
    store
        .rename(Path::new("/b/2.jpg"), Path::new("/b/1.jpg"))
        .unwrap();
    assert_eq!(found(&store), ["/b/1.jpg"]);

    // Of two pictures it is paired with the first by path, and, when that is gone, with the other.
    put(&mut store, "/b/1.heic", &shot("heic"));
    assert_eq!(store.files_of_shot(raw).unwrap(), [Path::new("/b/1.heic")]);
    remove(&mut store, "/b/1.heic");
    assert_eq!(store.files_of_shot(raw).unwrap(), [Path::new("/b/1.jpg")]);

    // If a copy of the raw file has no picture beside it, the photo is found, so that the copy's folder is not empty.
    let copy = |store: &mut Store, path: &str| {
        let put = store.batch(|batch| batch.put_file(Path::new(path), &META, Ok(raw)));
        put.unwrap();
    };
    copy(&mut store, "/raw/1.dng");
    assert_eq!(found(&store).len(), 2);
    put(&mut store, "/raw/1.jpg", &shot("jpeg"));
    assert_eq!(found(&store), ["/b/1.jpg"]);
    // A photo that also has a file with the name of a picture is no raw file.
    copy(&mut store, "/raw/2.jpg");
    assert_eq!(found(&store).len(), 2);
    remove(&mut store, "/raw/2.jpg");

    // A picture that cannot be read is paired with nothing.
    let damaged = PhotoRecord {
        content: Err(crate::error::Skip::new(
            crate::error::SkipReason::Damaged,
            "cut",
        )),
        ..shot("damaged")
    };
    put(&mut store, "/b/1.jpg", &damaged);
    put(&mut store, "/raw/1.jpg", &damaged);
    assert_eq!(found(&store), ["/b/1.dng"]);
    put(&mut store, "/b/1.jpg", &shot("jpeg"));
    put(&mut store, "/raw/1.jpg", &shot("jpeg"));
    assert_eq!(found(&store), ["/b/1.jpg"]);
    store.forget_trees(&["/b/1.jpg".into()]).unwrap();
    store.forget_trees(&["/raw/1.jpg".into()]).unwrap();
    store.prune(std::time::Duration::ZERO).unwrap();
    assert_eq!(found(&store), ["/b/1.dng"]);
}

#[test]
fn the_doctor_finds_and_repairs_wrong_pairs() {
    let (_folder, mut store) = temp_store();
    put(&mut store, "/a/1.dng", &shot("raw"));
    let other = put(&mut store, "/a/2.jpg", &shot("other"));
    put(&mut store, "/a/1.jpg", &shot("jpeg"));
    for sql in [
        "DELETE FROM raw_pairs".to_owned(),
        format!("UPDATE raw_pairs SET picture_id = {other}"),
        format!("INSERT INTO raw_pairs SELECT {other}, picture_id FROM raw_pairs"),
    ] {
        store.connection.execute_batch(&sql).unwrap();
        let parts = |diagnosis: Diagnosis| -> Vec<&str> {
            let parts = diagnosis.differences.iter();
            parts.map(|difference| difference.part.name()).collect()
        };
        assert_eq!(
            parts(store.repair(&Unseen).unwrap()),
            ["raw_pairs"],
            "{sql}"
        );
        assert_eq!(found(&store), ["/a/1.jpg", "/a/2.jpg"], "{sql}");
    }
}

#[test]
fn the_answers_to_an_emotion_and_the_statistics_leave_the_same_files_out() {
    let (_folder, mut store) = temp_store();
    for number in 0..20 {
        put(
            &mut store,
            format!("/a/{number}.jpg"),
            &shot(&format!("jpeg {number}")),
        );
        put(
            &mut store,
            format!("/a/{number}.dng"),
            &shot(&format!("raw {number}")),
        );
    }
    for (raws, photos) in [(Raws::Alone, 20), (Raws::All, 40)] {
        let query = Query {
            raws: Some(raws),
            min_score: Some(0.5),
            limit: None,
            ..Query::for_emotion(Emotion::Happy)
        };
        assert_eq!(store.query(&query).unwrap().len(), photos);
        assert_eq!(store.total(&query).unwrap(), photos as u64);
        for since in [None, Some(date(2019, 1, 1).at(0, 0, 0, 0))] {
            let query = Query {
                since,
                ..query.clone()
            };
            let counts = store.counts(&query).unwrap();
            assert_eq!(
                (counts.all, counts.emotions[3]),
                (photos as u64, photos as u64)
            );
            let tally = store.tally(super::super::Grouping::None, &query).unwrap();
            assert_eq!(tally[0].photos, photos as u64);
        }
    }
}
