use std::path::Path;

use super::super::testing::{face, first_face, photo, plan, put, temp_store};
use super::super::{PhotoId, Store};
use super::*;
use crate::emotion::Emotion::Sad;
use crate::face::Correction;

/// A corrected photo at `/a.jpg`.
fn corrected() -> (tempfile::TempDir, Store, PhotoId) {
    let (folder, mut store) = temp_store();
    let id = put(&mut store, "/a.jpg", &portrait("a"));
    let number = first_face(&store, id);
    store.correct(number, Correction::Emotion(Sad)).unwrap();
    (folder, store, id)
}

fn portrait(content: &str) -> super::super::PhotoRecord {
    photo(content, vec![face(0.0, 80.0, 0.9, 0.75)])
}

fn lost(store: &Store, path: &str) -> Vec<ContentHash> {
    let contents = contents(&store.connection, Path::new(path)).unwrap();
    contents.into_iter().map(|lost| lost.hash).collect()
}

#[test]
fn only_the_paths_of_corrected_photos_are_stored_however_they_are_left() {
    let (_folder, mut store, _) = corrected();
    let original = portrait("a").hash;
    put(&mut store, "/other.jpg", &portrait("other"));
    store
        .rename(Path::new("/a.jpg"), Path::new("/b.jpg"))
        .unwrap();
    store.forget_trees(&["/other.jpg".into()]).unwrap();
    put(&mut store, "/b.jpg", &portrait("new"));
    put(&mut store, "/c.jpg", &portrait("a"));
    store.forget(&["/c.jpg".into()]).unwrap();
    for path in ["/a.jpg", "/b.jpg", "/c.jpg"] {
        assert_eq!(lost(&store, path), [original], "{path}");
    }
    assert_eq!(lost(&store, "/other.jpg"), []);
    // A photo whose metadata change stays where it is.
    let mut tagged = portrait("a tagged");
    tagged.picture = portrait("a").picture;
    put(&mut store, "/d.jpg", &portrait("a"));
    put(&mut store, "/d.jpg", &tagged);
    assert_eq!(lost(&store, "/d.jpg"), []);
}

#[test]
fn paths_are_removed_with_the_correction() {
    let (_folder, mut store, id) = corrected();
    store
        .rename(Path::new("/a.jpg"), Path::new("/b.jpg"))
        .unwrap();
    store.prune(std::time::Duration::ZERO).unwrap();
    assert_eq!(lost(&store, "/a.jpg").len(), 1);
    // An undone one is stored, so that none is carried over again.
    store.undo(first_face(&store, id)).unwrap();
    store.prune(std::time::Duration::ZERO).unwrap();
    assert_eq!(lost(&store, "/a.jpg").len(), 1);
    let delete = "DELETE FROM undone_corrections";
    store.connection.execute(delete, []).unwrap();
    store.prune(std::time::Duration::ZERO).unwrap();
    assert_eq!(lost(&store, "/a.jpg"), []);
}

#[test]
fn only_the_stored_paths_are_searched() {
    let (_folder, store) = temp_store();
    for (sql, first) in [
        (DUE, "SCAN l"),
        (REPLACED, "SEARCH l USING PRIMARY KEY (path=?)"),
    ] {
        let steps = plan(&store, sql);
        assert_eq!(steps[0], first, "{steps:#?}");
        let scans = steps.iter().filter(|step| step.starts_with("SCAN"));
        assert_eq!(scans.count(), usize::from(sql == DUE), "{steps:#?}");
    }
    let noted = plan(
        &store,
        "SELECT EXISTS (SELECT 1 FROM corrections c WHERE c.picture = p.picture) FROM photos p WHERE p.id = 1",
    );
    assert!(
        !noted.iter().any(|step| step.starts_with("SCAN")),
        "{noted:#?}"
    );
}

#[test]
fn what_a_photo_was_converted_from_is_read_from_a_range_of_paths() {
    let (_folder, store) = temp_store();
    let steps = plan(&store, LOST_IN_RANGE);
    assert!(
        steps[0].contains("USING PRIMARY KEY (path>? AND path<?)"),
        "{steps:#?}"
    );
    assert!(
        steps.iter().all(|step| !step.contains("SCAN")),
        "{steps:#?}"
    );
}
