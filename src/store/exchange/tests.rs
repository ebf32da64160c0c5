use crate::emotion::Emotion::{Happy, Sad};

use super::super::testing::{face, photo, put, temp_store};
use super::super::{FaceId, Store};
use super::*;

fn faces_of(store: &Store, id: PhotoId) -> Vec<(FaceId, Option<Correction>)> {
    let photo = store.photo(id).unwrap().unwrap();
    let faces = photo.content.unwrap().faces;
    faces
        .iter()
        .map(|face| (face.id, face.correction))
        .collect()
}

/// A database with one photo of two faces.
fn album() -> (tempfile::TempDir, Store, PhotoId) {
    let (folder, mut store) = temp_store();
    let two = vec![face(0.0, 80.0, 0.9, 0.75), face(500.0, 80.0, 0.9, 0.25)];
    let id = put(&mut store, "/a.jpg", &photo("a", two));
    (folder, store, id)
}

const SAD: Correction = Correction::Emotion(Sad);

#[test]
fn corrections_come_back_in_another_database_and_only_once() {
    let (_folder, mut store, id) = album();
    let faces = faces_of(&store, id);
    store.correct(faces[0].0, SAD).unwrap();
    store.correct(faces[1].0, Correction::NotAFace).unwrap();
    let (records, undone) = store.corrections().unwrap();
    assert_eq!(records[0].paths, [PathBuf::from("/a.jpg")]);

    let (_other_folder, mut other, id) = album();
    let imported = other.import_corrections(&records, &undone).unwrap();
    assert_eq!((imported.added, imported.known), (2, 0));
    let corrections: Vec<_> = faces_of(&other, id)
        .into_iter()
        .map(|(_, correction)| correction)
        .collect();
    assert_eq!(corrections, [Some(SAD), Some(Correction::NotAFace)]);
    assert_eq!(other.corrections().unwrap().0, records);
    let imported = other.import_corrections(&records, &undone).unwrap();
    assert_eq!((imported.added, imported.known), (0, 2));

    // Imported before the photo is indexed, they apply once it is.
    let (_third_folder, mut third) = temp_store();
    third.import_corrections(&records, &undone).unwrap();
    let id = put(
        &mut third,
        "/b.jpg",
        &photo("a", vec![face(2.0, 80.0, 0.9, 0.75)]),
    );
    assert_eq!(faces_of(&third, id)[0].1, Some(SAD));
}

#[test]
fn the_later_of_two_corrections_of_a_face_is_kept() {
    let (_folder, mut store, id) = album();
    let first = faces_of(&store, id)[0].0;
    store.correct(first, SAD).unwrap();
    let (mut records, undone) = store.corrections().unwrap();
    let hour = jiff::SignedDuration::from_hours(1);
    records[0].correction = Correction::Emotion(Happy);
    records[0].made_at -= hour;
    let imported = store.import_corrections(&records, &undone).unwrap();
    assert_eq!(
        imported,
        Imported {
            outdated: 1,
            ..Imported::default()
        }
    );
    assert_eq!(faces_of(&store, id)[0].1, Some(SAD));
    records[0].made_at += 2 * hour;
    let imported = store.import_corrections(&records, &undone).unwrap();
    assert_eq!(
        imported,
        Imported {
            added: 1,
            ..Imported::default()
        }
    );
    assert_eq!(faces_of(&store, id)[0].1, Some(Correction::Emotion(Happy)));
    assert_eq!(store.corrections().unwrap().0.len(), 1);
}

#[test]
fn a_face_that_was_corrected_again_is_not_undone() {
    let (_folder, mut store, id) = album();
    let face = faces_of(&store, id)[0].0;
    let undone = |store: &Store| store.corrections().unwrap().1.len();
    store.correct(face, SAD).unwrap();
    store.undo(face).unwrap();
    assert_eq!(undone(&store), 1);
    store.correct(face, SAD).unwrap();
    assert_eq!(undone(&store), 0);
    // As if the photo were gone, and its edit corrected.
    store.correct(faces_of(&store, id)[1].0, SAD).unwrap();
    let (mut records, undone_faces) = store.corrections().unwrap();
    records[0].carried_from = Some(records[1].number);
    let (_other_folder, mut other, id) = album();
    other.import_corrections(&records, &undone_faces).unwrap();
    assert_eq!(faces_of(&other, id)[0].1, Some(SAD));
    let (back, _) = other.corrections().unwrap();
    assert!(back.iter().any(|record| record.carried_from.is_some()));
    store.undo(face).unwrap();
    assert_eq!(undone(&store), 1);
}

#[test]
fn a_carried_over_correction_still_follows_after_an_import() {
    let (_folder, mut store, id) = album();
    store.correct(faces_of(&store, id)[0].0, SAD).unwrap();
    let (mut records, _) = store.corrections().unwrap();
    let mut edit = records[0].clone();
    (edit.number, edit.carried_from) = (77, Some(records[0].number));
    (edit.content, edit.picture) = (ContentHash::of(b"edit"), None);
    records.insert(0, edit);
    let (_other_folder, mut other) = temp_store();
    other.import_corrections(&records, &[]).unwrap();
    let back = other.corrections().unwrap().0;
    let of = |content| {
        back.iter()
            .find(|record| record.content == content)
            .unwrap()
    };
    let person = of(records[1].content);
    assert_eq!(of(records[0].content).carried_from, Some(person.number));
    assert_eq!(person.carried_from, None);
}
