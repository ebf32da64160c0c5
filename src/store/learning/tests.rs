use std::path::Path;

use rusqlite::types::Value;

use super::super::testing::{face, models, photo, put, temp_store};
use super::super::{Diagnosis, DoctorObserver, FaceId, PhotoRecord, Query, Store};
use super::*;
use crate::emotion::Emotion::{self, Happy, Neutral, Sad};
use crate::face::Correction;

struct Unseen;

impl DoctorObserver for Unseen {
    fn begins(&self, _: &'static str, _: u64) {}
    fn advanced(&self, _: u64) {}
}

/// A photo with one face, whose features are those of a `kind` and to which the network gives this score for happy.
fn portrait(number: usize, kind: usize, happy: f32) -> PhotoRecord {
    let mut one = face(5.0, 80.0, 0.9, happy);
    let mut features = [0.0; 24];
    features[kind] = 3.0;
    for (index, value) in features.iter_mut().enumerate() {
        *value += ((number * 7 + index * 5) % 11) as f32 / 40.0;
    }
    one.features = Some(Features::of(&features));
    photo(&number.to_string(), vec![one])
}

/// Fills the store with 60 faces of four kinds that the network takes for happy, and 40 others.
fn album(store: &mut Store) {
    for number in 0..100 {
        let record = if number < 60 {
            portrait(number, number % 4, 0.9 - 0.001 * number as f32)
        } else {
            portrait(number, 4 + number % 5, 0.1)
        };
        put(store, format!("/{number:02}.jpg"), &record);
    }
}

/// The face of a photo of [`album`].
fn face_of(store: &Store, number: usize) -> StoredFace {
    let path = format!("/{number:02}.jpg");
    let id = store.file(Path::new(&path)).unwrap().unwrap().unwrap();
    store.photo(id).unwrap().unwrap().content.unwrap().faces[0]
}

fn shows(store: &Store, number: usize) -> Emotion {
    face_of(store, number).scores.top().0
}

/// Corrects the emotion of these faces.
fn correct(store: &mut Store, faces: impl IntoIterator<Item = usize>, emotion: Emotion) {
    for number in faces {
        let face = face_of(store, number).id;
        store.correct(face, Correction::Emotion(emotion)).unwrap();
    }
}

/// Corrects the emotion of these faces, and learns from it.
fn change_facts(store: &mut Store, faces: impl IntoIterator<Item = usize>, emotion: Emotion) {
    correct(store, faces, emotion);
    store.learn(|_| ()).unwrap();
}

/// Every value of the tables with scores.
fn scores(store: &Store) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for table in ["faces", "photo_scores"] {
        let mut select = store
            .connection
            .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3, 4, 5"))
            .unwrap();
        let columns = select.column_count();
        let rows = select.query_map([], |row| (0..columns).map(|i| row.get(i)).collect());
        all.extend(rows.unwrap().collect::<rusqlite::Result<Vec<_>>>().unwrap());
    }
    all
}

#[track_caller]
fn assert_sound(store: &Store) {
    assert_eq!(store.diagnose(&Unseen).unwrap(), Diagnosis::default());
}

#[test]
fn without_corrections_nothing_is_written() {
    let (_folder, mut store) = temp_store();
    album(&mut store);
    let before = scores(&store);
    assert!(!store.has_to_learn().unwrap());
    store.learn(|_| panic!("no photo changes")).unwrap();
    assert_eq!(scores(&store), before);
    let learning = store.learning().unwrap();
    assert_eq!((learning.corrections, learning.is_in_force), (0, false));
    // Too few corrections change nothing.
    change_facts(&mut store, [0, 4], Neutral);
    assert!(!store.learning().unwrap().is_in_force);
    assert_eq!(shows(&store, 40), Happy);
    assert_sound(&store);
}

#[test]
fn faces_like_the_corrected_ones_follow_and_corrections_take_precedence() {
    let (_folder, mut store) = temp_store();
    album(&mut store);
    let vouched = face_of(&store, 57).id;
    store.correct(vouched, Correction::Emotion(Happy)).unwrap();
    change_facts(&mut store, (0..36).step_by(4), Neutral);
    let learning = store.learning().unwrap();
    assert!(learning.is_in_force, "{learning:?}");
    assert_eq!(learning.to_string(), "scores follow your 10 corrections");
    for number in (36..56).step_by(4) {
        assert_eq!(shows(&store, number), Neutral, "{number}");
        assert_eq!(shows(&store, number + 1), Happy, "{number}");
    }
    let query = Query::for_emotion(Happy);
    let hits = store.query(&query).unwrap();
    assert_eq!(hits[0].path, Path::new("/57.jpg"), "vouched for");
    assert!(hits[1..].iter().all(|hit| {
        let name = hit.path.file_stem().unwrap().to_str().unwrap();
        name.parse::<usize>().unwrap() % 4 != 0
    }));
    assert_sound(&store);
}

#[test]
fn corrections_that_contradict_each_other_change_nothing() {
    let (_folder, mut store) = temp_store();
    album(&mut store);
    let emotions = [Neutral, Sad, Emotion::Angry, Emotion::Surprise];
    for (index, number) in (0..24).enumerate() {
        let face = face_of(&store, number).id;
        let says = Correction::Emotion(emotions[(index * index + index / 3) % 4]);
        store.correct(face, says).unwrap();
    }
    let before = scores(&store);
    store.learn(|_| ()).unwrap();
    let learning = store.learning().unwrap();
    assert!(
        !learning.is_in_force && learning.held_out_loss.is_some(),
        "{learning}"
    );
    assert_eq!(scores(&store), before);
}

#[test]
fn switched_off_or_forgotten_the_scores_are_those_of_the_network_bit_for_bit() {
    let (_folder, mut store) = temp_store();
    album(&mut store);
    let corrected: Vec<usize> = (0..40).step_by(4).collect();
    correct(&mut store, corrected.iter().copied(), Neutral);
    let before = scores(&store);
    store.learn(|_| ()).unwrap();
    let learned = scores(&store);
    assert_ne!(learned, before);

    store.switch_learning(false).unwrap();
    store.learn(|_| ()).unwrap();
    assert_eq!(scores(&store), before);
    assert!(
        store
            .learning()
            .unwrap()
            .to_string()
            .contains("switched off")
    );
    assert_sound(&store);
    store.switch_learning(true).unwrap();
    store.learn(|_| ()).unwrap();
    assert_eq!(scores(&store), learned);

    store.forget_learning().unwrap();
    store.learn(|_| ()).unwrap();
    assert_eq!(scores(&store), before);
    assert_eq!(store.learning().unwrap().corrections, 0);
    assert_sound(&store);
    // Nor is a correction that was undone learned from.
    let (_folder, mut store) = temp_store();
    album(&mut store);
    let before = scores(&store);
    change_facts(&mut store, corrected.iter().copied(), Neutral);
    let faces: Vec<FaceId> = corrected.iter().map(|n| face_of(&store, *n).id).collect();
    store.undo_all(&faces).unwrap().unwrap();
    store.learn(|_| ()).unwrap();
    assert_eq!(scores(&store), before);
}

#[test]
fn photos_that_are_stored_later_follow_and_a_repeated_analysis_changes_nothing() {
    let (_folder, mut store) = temp_store();
    album(&mut store);
    change_facts(&mut store, (0..40).step_by(4), Neutral);
    let first = face_of(&store, 40);
    assert_eq!(
        (first.scores.top().0, first.network_scores().top().0),
        (Neutral, Happy)
    );
    put(&mut store, "/40.jpg", &portrait(40, 0, 0.9 - 0.001 * 40.0));
    assert_eq!(face_of(&store, 40), first);
    put(&mut store, "/new.jpg", &portrait(200, 0, 0.88));
    let id = store.file(Path::new("/new.jpg")).unwrap().unwrap().unwrap();
    let new = store.photo(id).unwrap().unwrap().content.unwrap().faces[0];
    assert_eq!(
        (new.scores.top().0, new.network_scores().top().0),
        (Neutral, Happy)
    );
    // A record, which copies take over, has the network's own scores.
    let record = store.record(id).unwrap().unwrap().content.unwrap();
    assert_eq!(record.faces[0].scores, new.network_scores());
    // The layers do not apply to the features of another model.
    let mut other = portrait(201, 0, 0.88);
    if let Ok(analysis) = &mut other.content {
        analysis.models.classifier = "reader 2".into();
    }
    let id = put(&mut store, "/other.jpg", &other);
    let other = store.photo(id).unwrap().unwrap().content.unwrap().faces[0];
    assert_eq!(other.network, None);
    assert_ne!(models().classifier, "reader 2");
    assert_sound(&store);
}

#[test]
fn an_interrupted_run_continues_and_the_doctor_finds_nothing_meanwhile() {
    let (_folder, mut store) = temp_store();
    album(&mut store);
    correct(&mut store, (0..40).step_by(4), Neutral);
    let Next::Learn(due) = store.read(next).unwrap() else {
        panic!("there is something to learn");
    };
    let learned = due.learn();
    store.write(|db| super::store(db, &learned)).unwrap();
    assert_eq!(store.learning().unwrap().pending, 100);
    assert_sound(&store);
    // As if the run had been interrupted halfway.
    let half: PhotoId = store
        .connection
        .query_row(
            "SELECT id FROM photos ORDER BY id LIMIT 1 OFFSET 50",
            [],
            |row| row.get(0),
        )
        .unwrap();
    store
        .write(|db| {
            advance(db)?;
            db.execute("UPDATE learning SET applied = ?", [half])
        })
        .unwrap();
    assert!(store.has_to_learn().unwrap());
    assert_sound(&store);
    let mut photos = 0;
    store.learn(|some| photos += some).unwrap();
    assert_eq!((photos, store.learning().unwrap().pending), (49, 0));
    assert!(!store.has_to_learn().unwrap());
}

#[test]
fn the_doctor_finds_and_repairs_scores_that_do_not_follow() {
    let (_folder, mut store) = temp_store();
    album(&mut store);
    change_facts(&mut store, (0..40).step_by(4), Neutral);
    let right = scores(&store);
    for damage in [
        "UPDATE faces SET happy = 0.5 WHERE id = 3",
        "UPDATE faces SET network_scores = NULL WHERE id = 4",
    ] {
        store.connection.execute_batch(damage).unwrap();
        let found = store.repair(&Unseen).unwrap();
        let is_learned =
            |d: &super::super::Difference| d.part == super::super::DerivedPart::Learned;
        assert!(
            found.differences.iter().any(is_learned),
            "{damage}: {found:?}"
        );
        assert_sound(&store);
        if damage.contains("happy") {
            assert_eq!(scores(&store), right);
        }
    }
}

/// Fills the store with 60 people, and with 30 pets of another kind that the network takes for people; the last one has a
/// higher human score than the others.
fn album_with_pets(store: &mut Store) {
    for number in 0..90 {
        let mut record = portrait(number, if number < 60 { number % 4 } else { 20 }, 0.5);
        let human = match number {
            0..60 => 0.99,
            89 => 0.95,
            _ => 0.6,
        };
        if let Ok(analysis) = &mut record.content {
            for face in &mut analysis.faces {
                face.scores = face.scores.with_human(Some(human));
            }
        }
        put(store, format!("/{number:02}.jpg"), &record);
    }
}

fn reject(store: &mut Store, faces: impl IntoIterator<Item = usize>) {
    for number in faces {
        let face = face_of(store, number).id;
        store.correct(face, Correction::NotAFace).unwrap();
    }
}

/// The numbers of the photos with a face that counts.
fn counted(store: &Store) -> Vec<usize> {
    let counts = |number: &usize| face_of(store, *number).is_face();
    (0..90).filter(counts).collect()
}

#[test]
fn boxes_like_the_rejected_ones_no_longer_count_until_learning_is_switched_off() {
    let (_folder, mut store) = temp_store();
    album_with_pets(&mut store);
    assert_eq!(counted(&store).len(), 90);
    reject(&mut store, 60..72);
    let before = scores(&store);
    store.learn(|_| ()).unwrap();
    let learning = store.learning().unwrap();
    assert!(
        learning.is_human_in_force && !learning.is_in_force,
        "{learning:?}"
    );
    assert_eq!((learning.rejections, learning.recounted), (12, 17));
    let expected = "17 other faces counted differently because of your 12 rejected boxes";
    assert_eq!(learning.to_string(), expected);
    let people: Vec<usize> = (0..60).chain([89]).collect();
    assert_eq!(counted(&store), people);
    let hidden = face_of(&store, 80);
    assert!(!hidden.is_face() && hidden.network_scores().is_human());
    assert_sound(&store);

    // A photo that is stored later, and one that is analysed again.
    let mut again = portrait(80, 20, 0.5);
    if let Ok(analysis) = &mut again.content {
        analysis.faces[0].scores = analysis.faces[0].scores.with_human(Some(0.6));
    }
    put(&mut store, "/80.jpg", &again);
    put(&mut store, "/98.jpg", &again);
    assert_eq!(counted(&store), people);
    assert_eq!(face_of(&store, 80), hidden);
    assert_sound(&store);
    store.forget(&["/98.jpg".into()]).unwrap();

    store.switch_learning(false).unwrap();
    store.learn(|_| ()).unwrap();
    assert_eq!(counted(&store).len(), 78);
    assert_sound(&store);
    store.switch_learning(true).unwrap();
    store.learn(|_| ()).unwrap();
    assert_eq!(counted(&store), people);
    store.forget_learning().unwrap();
    store.learn(|_| ()).unwrap();
    assert_eq!(store.learning().unwrap().recounted, 0);
    assert_eq!(scores(&store).len(), before.len());
    assert_eq!(counted(&store).len(), 78);
}

#[test]
fn corrections_take_precedence_over_what_was_learned() {
    let (_folder, mut store) = temp_store();
    album_with_pets(&mut store);
    reject(&mut store, 60..72);
    store.learn(|_| ()).unwrap();
    assert!(!face_of(&store, 80).is_face());
    change_facts(&mut store, [80], Happy);
    // It counts, and since others like it may be faces too, no layer is in force.
    assert!(face_of(&store, 80).is_face() && face_of(&store, 81).is_face());
    assert!(!store.learning().unwrap().is_human_in_force);
    assert_sound(&store);
    // Nothing is learned from a few rejected boxes.
    let (_folder, mut store) = temp_store();
    album_with_pets(&mut store);
    reject(&mut store, 60..66);
    store.learn(|_| ()).unwrap();
    assert_eq!(store.learning().unwrap().rejections, 6);
    assert_eq!(counted(&store).len(), 84);
}
