//! Tests that derived rows are up to date after every kind of change, whoever makes it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::date;
use rusqlite::params;

use crate::emotion::Emotion;
use crate::face::Correction;
use crate::file::FileMeta;
use crate::photo::{ContentHash, TakenAt};

use super::super::testing::{META, change_facts, face, photo, plan, put, set_date, temp_store};
use super::super::{DoctorObserver, FaceId, PhotoRecord, Query, Store};
use super::*;

struct Unseen;

impl DoctorObserver for Unseen {
    fn begins(&self, _: &'static str, _: u64) {}
    fn advanced(&self, _: u64) {}
}

#[track_caller]
fn assert_agrees(store: &Store, after: &str) {
    let diagnosis = store.diagnose(&Unseen).unwrap();
    assert_eq!(
        diagnosis,
        super::super::Diagnosis::default(),
        "after {after}"
    );
}

/// Changes rows as no function of the store does, and then commits an empty transaction.
fn change(store: &mut Store, sql: &str) {
    store.connection.execute_batch(sql).unwrap();
    store.batch(|_| Ok(())).unwrap();
}

fn found(store: &Store, restrict: impl FnOnce(&mut Query)) -> Vec<PathBuf> {
    let mut query = Query::latest();
    restrict(&mut query);
    let hits = store.query(&query).unwrap();
    hits.into_iter().map(|hit| hit.path).collect()
}

fn by_text(store: &Store, text: &str) -> Vec<PathBuf> {
    found(store, |query| query.text = Some(text.to_owned()))
}

fn by_album(store: &Store, album: &str) -> Vec<PathBuf> {
    found(store, |query| query.album = Some(album.to_owned()))
}

fn at(seconds: i64) -> FileMeta {
    FileMeta {
        mtime_ns: seconds * 1_000_000_000,
        ..META
    }
}

/// A photo with this content that has no date of its own.
fn undated(content: &str) -> PhotoRecord {
    let mut record = photo(content, vec![face(5.5, 80.0, 0.9, 0.3)]);
    change_facts(&mut record, |capture| capture.taken_at = None);
    record
}

#[test]
fn a_transaction_reads_only_what_is_noted() {
    let (_folder, store) = temp_store();
    let steps = plan(&store, NOTED);
    assert_eq!(
        steps,
        [
            "SCAN d",
            "SEARCH p USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
            "SEARCH f USING COVERING INDEX files_by_photo (photo_id=?) LEFT-JOIN",
            // The search for its people.
            "CORRELATED SCALAR SUBQUERY 1",
            "SEARCH people USING PRIMARY KEY (photo_id=?)",
        ]
    );
    let steps = plan(&store, UNRANKED);
    let reads_faces = |step: &&String| step.contains("faces");
    assert!(
        steps
            .iter()
            .filter(reads_faces)
            .all(|step| step.contains("faces_unranked")),
        "{steps:#?}"
    );
}

#[test]
fn after_a_rename_photos_are_found_by_the_new_name_only() {
    let (_folder, mut store) = temp_store();
    let record = photo("a", vec![]);
    put(&mut store, "/album/old/sub/1.jpg", &record);
    put(&mut store, "/album/old/2.jpg", &photo("b", vec![]));
    put(&mut store, "/album/copies/1.jpg", &record);
    let (old, new) = (Path::new("/album/old"), Path::new("/album/new"));
    assert_eq!(store.rename(old, new).unwrap(), 2);
    let expected = ["/album/new/2.jpg", "/album/new/sub/1.jpg"].map(PathBuf::from);
    for mut paths in [by_text(&store, "new"), by_album(&store, "new")] {
        paths.sort();
        assert_eq!(paths.len(), 2);
        assert!(paths.contains(&expected[0]), "{paths:?}");
    }
    assert_eq!(by_text(&store, "old"), [] as [PathBuf; 0]);
    assert_eq!(by_album(&store, "old"), [] as [PathBuf; 0]);
    let folders = ["/album/copies", "/album/new", "/album/new/sub"].map(PathBuf::from);
    assert_eq!(store.folders().unwrap(), folders);

    // The photo that has a copy elsewhere loses the words of the path that is gone.
    assert_eq!(store.forget_trees(&[new.into()]).unwrap(), 2);
    assert_eq!(by_text(&store, "new"), [] as [PathBuf; 0]);
    assert_eq!(by_text(&store, "copies").len(), 1);
    assert_agrees(&store, "the removal of a folder");
}

#[test]
fn a_photo_without_a_date_has_that_of_the_oldest_file_it_has_now() {
    let (_folder, mut store) = temp_store();
    let files = [1000, 2000, 3000].map(|s| (PathBuf::from(format!("/{s}.jpg")), at(s)));
    let id = store
        .batch(|batch| batch.put_photo(&undated("a"), &files))
        .unwrap();
    let taken = |store: &Store| {
        let content = store.photo(id).unwrap().unwrap().content;
        content.unwrap().capture.taken_at
    };
    let of = |seconds: i64| at(seconds).modified().and_then(TakenAt::from_file_time);
    assert_eq!(taken(&store), of(1000));
    store.forget(&[files[0].0.clone()]).unwrap();
    assert_eq!(taken(&store), of(2000));
    store
        .batch(|batch| batch.put_file(&files[1].0, &at(4000), Ok(id)))
        .unwrap();
    assert_eq!(taken(&store), of(3000));
    let hits = store.query(&Query::for_emotion(Emotion::Happy)).unwrap();
    assert_eq!(hits[0].analysis.capture.taken_at, of(3000));
    // Without any file it keeps its date, until it has one again.
    store.forget_trees(&["/".into()]).unwrap();
    assert_eq!(taken(&store), of(3000));
    store
        .batch(|batch| batch.put_file(&files[0].0, &at(9000), Ok(id)))
        .unwrap();
    assert_eq!(taken(&store), of(9000));
    assert_agrees(&store, "files that came and went");
}

#[test]
fn a_photo_is_lost_exactly_while_it_has_no_file() {
    let (_folder, mut store) = temp_store();
    let record = photo("a", vec![]);
    let id = store.batch(|batch| batch.put_photo(&record, &[])).unwrap();
    assert_eq!(store.home().unwrap(), None, "no file leads to it");
    let put_again = |store: &mut Store| {
        let put = store.batch(|batch| batch.put_file(Path::new("/a.jpg"), &META, Ok(id)));
        put.unwrap();
    };
    put_again(&mut store);
    assert!(store.home().unwrap().is_some());
    assert_eq!(store.prune(Duration::ZERO).unwrap(), 0);
    // A row that replaces another one removes it, and with it what is derived from it.
    let other = put(&mut store, "/b.jpg", &photo("b", vec![]));
    store
        .connection
        .execute(
            "INSERT OR REPLACE INTO files (path, size, mtime_ns, inode, device, photo_id)
             VALUES (CAST('/a.jpg' AS BLOB), 1, 1, 1, 1, ?)",
            params![other],
        )
        .unwrap();
    store.batch(|_| Ok(())).unwrap();
    assert_agrees(&store, "a replaced row");
    assert_eq!(store.prune(Duration::ZERO).unwrap(), 1);
    assert_eq!(store.photo(id).unwrap(), None);
}

#[test]
fn rankings_follow_changes_of_faces_and_corrections() {
    let (_folder, mut store) = temp_store();
    let faces = vec![face(0.0, 80.0, 0.9, 0.9), face(500.0, 60.0, 0.8, 0.2)];
    let id = put(&mut store, "/a.jpg", &photo("a", faces));
    let first = store.photo(id).unwrap().unwrap().content.unwrap().faces[0].id;
    store
        .correct(first, Correction::Emotion(Emotion::Sad))
        .unwrap();
    for sql in [
        "UPDATE faces SET width = 20, height = 20 WHERE position = 1",
        "UPDATE faces SET detection_score = 0.5 WHERE position = 1",
        "UPDATE faces SET happy = 0.7, neutral = 0.3 WHERE position = 1",
        "UPDATE corrections SET emotion = 0",
        "UPDATE corrections SET emotion = NULL",
        "UPDATE faces SET correction = NULL",
        "DELETE FROM faces WHERE position = 0",
        "INSERT INTO faces (photo_id, position, x, y, width, height, detection_score, angry, disgust, fear,
                            happy, sad, surprise, neutral, contempt)
         SELECT photo_id, 7, 900, 0, 90, 90, 0.9, 1, 0, 0, 0, 0, 0, 0, 0 FROM faces",
        "UPDATE photos SET taken_local = 5",
    ] {
        change(&mut store, sql);
        assert_agrees(&store, sql);
    }
    assert_eq!(store.totals().unwrap().faces, 2);
}

/// Makes random changes, some of them by statements that no function of the store runs.
struct RandomChanges {
    store: Store,
    state: u64,
    /// The number of changes after which there was a raw pair.
    pairs: u64,
}

impl RandomChanges {
    fn below(&mut self, bound: u64) -> u64 {
        // The constants of Knuth's MMIX generator.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % bound
    }

    fn path(&mut self) -> PathBuf {
        let (a, b, c) = (self.below(3), self.below(3), self.below(4));
        let extension = ["jpg", "dng"][self.below(2) as usize];
        format!("/Album{a}/Trip{b}/{c}.{extension}").into()
    }

    fn folder(&mut self) -> PathBuf {
        let path = self.path();
        path.ancestors()
            .nth(1 + self.below(2) as usize)
            .unwrap()
            .to_owned()
    }

    fn meta(&mut self) -> FileMeta {
        at(1_000_000_000 + self.below(1_000_000) as i64)
    }

    fn record(&mut self) -> PhotoRecord {
        let content = self.below(12).to_string();
        // A few are tagged: other contents of the same picture.
        let tags = self.below(12);
        let faces = (0..self.below(4))
            .map(|n| {
                let (size, score) = (20.0 + self.below(90) as f32, self.below(100) as f32 / 100.0);
                face(n as f32 * 500.0, size, 0.9, score)
            })
            .collect();
        let mut record = photo(&content, faces);
        set_date(
            &mut record,
            date(2000 + self.below(3) as i16, 5, 1).at(0, 0, 0, 0),
        );
        let (has_date, has_place) = (self.below(2) == 0, self.below(2) == 0);
        change_facts(&mut record, |capture| {
            capture.taken_at = capture.taken_at.filter(|_| has_date);
            capture.position = capture.position.filter(|_| has_place);
        });
        if tags < 4 {
            record.hash = ContentHash::of(format!("{content}, tagged {tags}").as_bytes());
        }
        if self.below(8) == 0 {
            record.content = Err(crate::error::Skip::new(
                crate::error::SkipReason::Damaged,
                "cut",
            ));
        }
        record
    }

    fn make_one(&mut self) -> String {
        let (path, folder, other, meta) = (self.path(), self.folder(), self.folder(), self.meta());
        let (id, number) = (self.below(15) as i64, self.below(1000));
        match self.below(14) {
            0..=3 => {
                let record = self.record();
                let mut files = vec![(path, meta)];
                if number < 300 {
                    files.push((folder.join("copy.jpg"), self.meta()));
                }
                let put = self.store.batch(|batch| batch.put_photo(&record, &files));
                put.unwrap();
                "a photo".to_owned()
            }
            4 => {
                let known = self.store.file(&folder.join("copy.jpg")).unwrap();
                if let Some(Ok(photo)) = known {
                    let put = self
                        .store
                        .batch(|batch| batch.put_file(&path, &meta, Ok(photo)));
                    put.unwrap();
                }
                "a copy".to_owned()
            }
            5 => {
                self.store.forget(&[path]).unwrap();
                "a file that is gone".to_owned()
            }
            6 => {
                if !other.starts_with(&folder) && !folder.starts_with(&other) {
                    self.store.rename(&folder, &other).unwrap();
                }
                "a rename".to_owned()
            }
            7 => {
                self.store
                    .forget_trees(std::slice::from_ref(&folder))
                    .unwrap();
                "a folder that is gone".to_owned()
            }
            8 => {
                let correction = match number % 3 {
                    0 => Correction::NotAFace,
                    _ => Correction::Emotion(Emotion::Sad),
                };
                self.store.correct(FaceId(id * 3), correction).unwrap();
                "a correction".to_owned()
            }
            9 => {
                self.store.undo(FaceId(id * 3)).unwrap();
                "an undone correction".to_owned()
            }
            10 if number < 200 => {
                self.store.prune(Duration::ZERO).unwrap();
                "pruning".to_owned()
            }
            _ => {
                let sql = [
                    format!("UPDATE files SET mtime_ns = mtime_ns - {number} * 1000000000"),
                    format!("UPDATE photos SET description = 'word{number}' WHERE id = {id}"),
                    format!("UPDATE photos SET keywords = 'a\nb{number}' WHERE id > {id}"),
                    format!("UPDATE photos SET latitude = {id}, longitude = 7 WHERE id = {id}"),
                    format!("UPDATE photos SET latitude = NULL WHERE id = {id}"),
                    format!(
                        "UPDATE photos SET facts = replace(facts, 'Firenze', 'word{number}') WHERE id = {id}"
                    ),
                    format!("UPDATE faces SET width = {number} + 1 WHERE id % 5 = {id}"),
                    format!("DELETE FROM faces WHERE photo_id = {id}"),
                    format!("UPDATE corrections SET emotion = {id} % 8"),
                    format!("DELETE FROM files WHERE photo_id = {id}"),
                    format!("UPDATE photos SET taken_source = NULL WHERE id = {id}"),
                    format!("UPDATE photos SET hash = randomblob(32) WHERE id = {id}"),
                    format!(
                        "UPDATE OR REPLACE files SET path = CAST('/Album0/Trip0/1.jpg' AS BLOB)
                         WHERE path = (SELECT min(path) FROM files WHERE photo_id = {id})"
                    ),
                ];
                let sql = sql[(number as usize) % sql.len()].clone();
                change(&mut self.store, &sql);
                sql
            }
        }
    }
}

#[test]
fn after_random_changes_everything_agrees() {
    let (_folder, store) = temp_store();
    let mut changes = RandomChanges {
        store,
        state: 7,
        pairs: 0,
    };
    for _ in 0..400 {
        let what = changes.make_one();
        assert_agrees(&changes.store, &what);
        changes.pairs += u64::from(raw_pairs::any(&changes.store.connection).unwrap());
    }
    let totals = changes.store.totals().unwrap();
    assert!(totals.photos > 0 && totals.faces > 0, "{totals:?}");
    assert!(changes.pairs > 20, "{}", changes.pairs);
}
