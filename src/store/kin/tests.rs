use std::path::{Path, PathBuf};

use crate::affine::Point;
use crate::emotion::Emotion::{Fear, Happy, Sad};
use crate::raster::{Orientation, Raster};

use super::super::testing::{META, face, first_face, photo, plan, put, temp_store};
use super::super::{
    EarlierCorrection, KinCorrection, KinFace, Occasion, PhotoId, Query, Store, TakenBack,
};
use super::candidates::{CORRECTIONS, WITHOUT_PICTURE, has_repeated_size};
use super::*;

const SAD: Correction = Correction::Emotion(Sad);
const SIZE: (u32, u32) = (4000, 3000);

fn picture() -> FacePicture {
    let photo = image::RgbImage::from_fn(90, 80, |x, y| image::Rgb([(x * y) as u8; 3]));
    let at = BoundingBox {
        x: 20.0,
        y: 20.0,
        width: 40.0,
        height: 50.0,
    };
    let face = DetectedFace {
        bounding_box: at,
        landmarks: None,
        score: 0.9,
    };
    assert_eq!(at.centre(), Point { x: 40.0, y: 45.0 });
    FacePicture::of(&Raster::new(photo, Orientation::Upright), &face)
}

/// The finding of the pipeline for the first face of the photo `of`.
fn kin(of: PhotoId, store: &Store, correction: Option<KinId>) -> KinFace {
    let faces = store.photo(of).unwrap().unwrap().content.unwrap().faces;
    KinFace {
        at: faces[0].face.bounding_box,
        picture: picture(),
        correction,
    }
}

fn correction(store: &Store, photo: PhotoId) -> Option<Correction> {
    let content = store.photo(photo).unwrap().unwrap().content.unwrap();
    content.faces[0].correction
}

/// Finds the corrections that may carry over to an edit of the photo "a".
fn found(store: &Store, path: Option<&Path>, ms: i64, size: (u32, u32)) -> Vec<KinId> {
    // A photo that is in the index does not replace another one by its path alone.
    let edit = photo(path.map_or("edit", |_| "new edit"), vec![]);
    let mut capture = edit.content.unwrap().capture;
    if let Some(taken) = &mut capture.taken_at {
        taken.local = super::super::codec::from_civil_ms(civil_ms(taken.local) + ms).unwrap();
    }
    let occasion = path.map_or(Occasion::Correction, Occasion::AfterRun);
    let found = store.kin_corrections(&edit.hash, occasion, &capture, size);
    let found = found.unwrap().corrections;
    found.iter().map(KinCorrection::id).collect()
}

/// A photo with a corrected face, whose face picture is stored, taken 250 ms after noon, and an edit of it.
fn corrected() -> (tempfile::TempDir, Store, [PhotoId; 2]) {
    let (folder, mut store) = temp_store();
    let [original, edit] = ["a", "edit"].map(|name| {
        let record = photo(name, vec![face(0.0, 80.0, 0.9, 0.75)]);
        put(&mut store, format!("/{name}.jpg"), &record)
    });
    let number = first_face(&store, original);
    store.correct(number, SAD).unwrap();
    let hash = photo("a", vec![]).hash;
    assert!(store.lacks_picture(&hash).unwrap());
    let own = [kin(original, &store, None)];
    store.batch(|batch| batch.put_kin(original, &own)).unwrap();
    assert!(!store.lacks_picture(&hash).unwrap());
    (folder, store, [original, edit])
}

#[test]
fn a_correction_is_found_by_camera_and_moment_only() {
    let (_folder, store, _) = corrected();
    assert_eq!(found(&store, None, 0, SIZE).len(), 1);
    for ms in [1, -1, 750, -251] {
        assert_eq!(found(&store, None, ms, (800, 600)), [], "{ms}");
    }
    // Without a fraction, the photo must not be another one of a burst.
    assert_eq!(found(&store, None, -250, (800, 600)).len(), 1);
    assert_eq!(found(&store, None, -250, SIZE), []);
    let original = Some(Path::new("/a.jpg"));
    assert_eq!(found(&store, original, -250, SIZE).len(), 1);
}

#[test]
fn the_search_for_candidates_uses_indexes() {
    let (_folder, store) = temp_store();
    let mut steps = plan(&store, CORRECTIONS);
    steps.extend(plan(&store, WITHOUT_PICTURE));
    let uses = |index: &str| steps.iter().any(|step| step.contains(index));
    for index in [
        "corrections_by_capture (camera=? AND taken_local>? AND taken_local<?)",
        "corrections_without_picture (camera=? AND taken_local>? AND taken_local<?)",
        "photos_by_shot (exif_local>? AND exif_local<?)",
        "corrections_by_picture (picture=?)",
    ] {
        assert!(uses(index), "{index}: {steps:#?}");
    }
    assert!(!uses("SCAN"), "{steps:#?}");
}

#[test]
fn photos_of_one_size_may_be_a_burst() {
    let (original, export) = ((4000, 3000), (1000, 750));
    assert!(!has_repeated_size(export, original, &[original]));
    assert!(!has_repeated_size(export, original, &[]));
    assert!(has_repeated_size(original, original, &[original]));
    assert!(has_repeated_size((3000, 4000), original, &[original]));
    assert!(has_repeated_size(export, original, &[original, original]));
    assert!(has_repeated_size(export, original, &[original, export]));
}

#[test]
fn a_carried_correction_follows_until_it_is_undone() {
    let (_folder, mut store, [original, edit]) = corrected();
    let [id] = found(&store, None, 0, SIZE)[..] else {
        panic!("one correction")
    };
    let copy = [kin(edit, &store, Some(id))];
    let carry = |store: &mut Store| store.batch(|batch| batch.put_kin(edit, &copy)).unwrap();
    assert_eq!(carry(&mut store), 1);
    assert_eq!(carry(&mut store), 0, "it has one already");
    assert_eq!(correction(&store, edit), Some(SAD));
    let [(number, from)] = &store.carried(edit).unwrap()[..] else {
        panic!("one face")
    };
    assert_eq!(from.path, Some(PathBuf::from("/a.jpg")));
    assert_eq!(store.carried(original).unwrap(), []);
    let sad = store.query(&Query::for_emotion(Sad)).unwrap();
    assert!(sad[1].ranked_by.unwrap().score > 0.999);

    let first = first_face(&store, original);
    let afraid = Correction::Emotion(Fear);
    store.correct(first, afraid).unwrap();
    assert_eq!(correction(&store, edit), Some(afraid));
    // Analysing the copy again changes nothing.
    let record = photo("edit", vec![face(1.0, 80.0, 0.9, 0.5)]);
    store
        .batch(|batch| batch.put_photo(&record, &[("/edit.jpg".into(), META)]))
        .unwrap();
    assert_eq!(correction(&store, edit), Some(afraid));

    assert!(store.undo(*number).unwrap());
    assert_eq!(correction(&store, edit), None);
    assert_eq!(correction(&store, original), Some(afraid));
    assert_eq!(carry(&mut store), 0, "it was undone");
    assert_eq!(correction(&store, edit), None);
}

#[test]
fn undoing_a_correction_undoes_what_was_carried_over_from_it() {
    let (_folder, mut store, [original, edit]) = corrected();
    let id = found(&store, None, 0, SIZE)[0];
    let copy = [kin(edit, &store, Some(id))];
    store.batch(|batch| batch.put_kin(edit, &copy)).unwrap();
    let number = first_face(&store, original);
    assert!(store.undo(number).unwrap());
    assert_eq!(correction(&store, edit), None);
    let happy = store.query(&Query::for_emotion(Happy)).unwrap();
    assert_eq!(happy.len(), 2);
    assert!(
        happy
            .iter()
            .all(|hit| (hit.ranked_by.unwrap().score - 0.75).abs() < 1e-6)
    );
    // A correction that was removed meanwhile is not carried over.
    assert_eq!(store.batch(|batch| batch.put_kin(edit, &copy)).unwrap(), 0);
}

#[test]
fn a_correction_whose_photo_is_gone_is_undone_with_the_last_face_that_shows_it() {
    let (_folder, mut store, [_, edit]) = corrected();
    let id = found(&store, None, 0, SIZE)[0];
    let other = put(
        &mut store,
        "/other.jpg",
        &photo("other edit", vec![face(0.0, 80.0, 0.9, 0.75)]),
    );
    for of in [edit, other] {
        let copy = [kin(of, &store, Some(id))];
        store.batch(|batch| batch.put_kin(of, &copy)).unwrap();
        assert_eq!(correction(&store, of), Some(SAD));
    }
    store
        .batch(|batch| batch.remove_file(Path::new("/a.jpg")))
        .unwrap();
    let number = first_face(&store, edit);
    assert!(store.undo(number).unwrap());
    assert_eq!(correction(&store, edit), None);
    assert_eq!(correction(&store, other), None);
    assert_eq!(found(&store, None, 0, (800, 600)), []);
    // Nor does it come back with the photo.
    let record = photo("a", vec![face(0.0, 80.0, 0.9, 0.75)]);
    let back = put(&mut store, "/back.jpg", &record);
    assert_eq!(correction(&store, back), None);
}

#[test]
fn a_correction_that_is_taken_back_leaves_what_was_before() {
    let (_folder, mut store, [original, edit]) = corrected();
    let carry = |store: &mut Store| {
        let id = found(store, None, 0, SIZE)[0];
        let copy = [kin(edit, store, Some(id))];
        store.batch(|batch| batch.put_kin(edit, &copy)).unwrap()
    };
    assert_eq!(carry(&mut store), 1);
    let [first, number] = [original, edit].map(|photo| first_face(&store, photo));
    let afraid = Correction::Emotion(Fear);

    // It follows the original again.
    let before = store.carried(edit).unwrap();
    let carried = EarlierCorrection::Carried {
        from: before[0].1.correction,
        correction: SAD,
    };
    store.correct(number, afraid).unwrap();
    assert_eq!(store.carried(edit).unwrap(), []);
    let happy = Correction::Emotion(Happy);
    let changed = store.take_back(number, happy, carried).unwrap();
    assert_eq!(changed, TakenBack::Changed, "something else was said");
    assert_eq!(correction(&store, edit), Some(afraid));
    for _ in 0..2 {
        let done = store.take_back(number, afraid, carried).unwrap();
        assert_eq!(done, TakenBack::Done);
    }
    assert_eq!(correction(&store, edit), Some(SAD));
    assert_eq!(store.carried(edit).unwrap(), before);
    store.correct(first, afraid).unwrap();
    assert_eq!(correction(&store, edit), Some(afraid));
    let own = EarlierCorrection::Own(SAD);
    store.take_back(first, afraid, own).unwrap();
    assert_eq!(correction(&store, edit), Some(SAD));

    // Where nothing was said, it may be carried over again.
    store
        .take_back(first, SAD, EarlierCorrection::None)
        .unwrap();
    assert_eq!(correction(&store, original), None);
    assert_eq!(correction(&store, edit), None);
    store.correct(first, SAD).unwrap();
    let own = [kin(original, &store, None)];
    store.batch(|batch| batch.put_kin(original, &own)).unwrap();
    assert_eq!(carry(&mut store), 1);
    let gone = store.take_back(FaceId(99), SAD, EarlierCorrection::None);
    assert_eq!(gone.unwrap(), TakenBack::NoFace);

    // What it followed was undone meanwhile, and so it would have been here.
    let carried = EarlierCorrection::Carried {
        from: store.carried(edit).unwrap()[0].1.correction,
        correction: SAD,
    };
    store.correct(number, afraid).unwrap();
    store.undo(first).unwrap();
    store.take_back(number, afraid, carried).unwrap();
    assert_eq!(correction(&store, edit), None);
}

#[test]
fn what_was_carried_over_from_a_lost_photo_follows_it_again() {
    let (_folder, mut store, [_, edit]) = corrected();
    let id = found(&store, None, 0, SIZE)[0];
    let copy = [kin(edit, &store, Some(id))];
    store.batch(|batch| batch.put_kin(edit, &copy)).unwrap();
    store
        .batch(|batch| batch.remove_file(Path::new("/a.jpg")))
        .unwrap();
    let number = first_face(&store, edit);
    let before = store.carried(edit).unwrap();
    store.correct(number, Correction::Emotion(Fear)).unwrap();
    let carried = EarlierCorrection::Carried {
        from: before[0].1.correction,
        correction: SAD,
    };
    let afraid = Correction::Emotion(Fear);
    store.take_back(number, afraid, carried).unwrap();
    assert_eq!(store.carried(edit).unwrap(), before);
    let record = photo("a", vec![face(0.0, 80.0, 0.9, 0.75)]);
    let back = put(&mut store, "/back.jpg", &record);
    assert_eq!(correction(&store, back), Some(SAD));
    assert_eq!(correction(&store, edit), Some(SAD));
}
