use crate::emotion::Emotion;
use crate::face::Correction;

use super::super::testing::{META, face, photo, put, temp_store};
use super::super::{DoctorObserver, Query, Store};
use super::*;

struct Unseen;

impl DoctorObserver for Unseen {
    fn begins(&self, _: &'static str, _: u64) {}
    fn advanced(&self, _: u64) {}
}

fn paths(store: &Store) -> Vec<PathBuf> {
    let hits = store.query(&Query::latest()).unwrap();
    let mut paths: Vec<_> = hits.into_iter().map(|hit| hit.path).collect();
    paths.sort();
    paths
}

fn is_forgotten(store: &Store, path: &str) -> bool {
    store.is_forgotten(Path::new(path)).unwrap()
}

#[test]
fn a_folder_is_removed_with_its_photos_and_their_copies_elsewhere_stay() {
    let (_folder, mut store) = temp_store();
    let both = photo("both", vec![face(0.0, 80.0, 0.9, 0.7)]);
    put(&mut store, "/a/secret/1.jpg", &both);
    put(&mut store, "/a/copy.jpg", &both);
    let only = photo("only", vec![face(0.0, 80.0, 0.9, 0.7)]);
    let id = put(&mut store, "/a/secret/deep/2.jpg", &only);
    put(&mut store, "/a/secretary.jpg", &photo("other", vec![]));
    store.mark_reconciled(Path::new("/a/secret")).unwrap();
    let faces = store.photo(id).unwrap().unwrap().content.unwrap().faces;
    let sad = Correction::Emotion(Emotion::Sad);
    store.correct(faces[0].id, sad).unwrap();

    let removed = store.forget_for_good(Path::new("/a//secret/")).unwrap();
    let expected = Removed {
        files: 2,
        copies: Vec::new(),
        stay: vec!["/a/copy.jpg".into()],
        photos: 1,
        corrections: 1,
        roots: 1,
        lost_paths: 1,
    };
    assert_eq!(removed, expected);
    assert_eq!(
        paths(&store),
        ["/a/copy.jpg", "/a/secretary.jpg"].map(PathBuf::from)
    );
    for (path, forgotten) in [
        ("/a/secret", true),
        ("/a/secret/new/3.jpg", true),
        ("/a/secretary.jpg", false),
        ("/a", false),
    ] {
        assert_eq!(is_forgotten(&store, path), forgotten, "{path}");
    }
    assert!(store.is_forgotten_content(&only.hash).unwrap());
    assert!(!store.is_forgotten_content(&both.hash).unwrap());
    assert_eq!(store.corrections().unwrap().0, []);
    let diagnosis = store.diagnose(&Unseen).unwrap();
    assert_eq!(diagnosis, super::super::Diagnosis::default());
    store.mark_reconciled(Path::new("/a/secret")).unwrap();
    assert_eq!(store.roots().unwrap(), []);

    assert!(!store.allow_again(Path::new("/a")).unwrap());
    assert!(store.allow_again(Path::new("/a/secret")).unwrap());
    assert!(!is_forgotten(&store, "/a/secret/new/3.jpg"));
    assert!(!store.is_forgotten_content(&only.hash).unwrap());
}

#[test]
fn a_photo_is_removed_with_all_its_copies() {
    let (_folder, mut store) = temp_store();
    let record = photo("a", vec![]);
    for path in ["/a/1.jpg", "/b/1.jpg"] {
        put(&mut store, path, &record);
    }
    put(&mut store, "/b/2.jpg", &photo("b", vec![]));
    let removed = store.forget_for_good(Path::new("/a/1.jpg")).unwrap();
    assert_eq!((removed.files, removed.photos), (2, 1));
    assert_eq!(paths(&store), [PathBuf::from("/b/2.jpg")]);
    assert!(is_forgotten(&store, "/b/1.jpg") && !is_forgotten(&store, "/b/2.jpg"));
    assert!(store.is_forgotten_content(&record.hash).unwrap());
    assert!(store.allow_again(Path::new("/b/1.jpg")).unwrap());
    assert!(!is_forgotten(&store, "/a/1.jpg"));
}

#[test]
fn a_correction_stays_with_another_file_of_the_same_picture() {
    let (_folder, mut store) = temp_store();
    let first = photo("a", vec![face(0.0, 80.0, 0.9, 0.7)]);
    let mut tagged = photo("a, tagged", vec![face(0.0, 80.0, 0.9, 0.7)]);
    tagged.picture = first.picture;
    let id = put(&mut store, "/folder/a.jpg", &first);
    put(&mut store, "/b.jpg", &tagged);
    let faces = store.photo(id).unwrap().unwrap().content.unwrap().faces;
    let sad = Correction::Emotion(Emotion::Sad);
    store.correct(faces[0].id, sad).unwrap();
    let removed = store.forget_for_good(Path::new("/folder")).unwrap();
    assert_eq!((removed.photos, removed.corrections), (1, 0));
    assert_eq!(removed.stay, [PathBuf::from("/b.jpg")]);
    assert!(store.is_forgotten_content(&first.hash).unwrap());
    let picture = first.picture.unwrap().hash;
    assert!(!store.is_forgotten_picture(&picture).unwrap());
    let left = store.corrections().unwrap().0;
    assert_eq!((left.len(), left[0].content), (1, tagged.hash));
    assert_eq!(left[0].paths, [PathBuf::from("/b.jpg")]);
}

#[test]
fn a_photo_is_removed_with_every_file_of_its_picture() {
    let (_folder, mut store) = temp_store();
    let first = photo("a", vec![face(0.0, 80.0, 0.9, 0.7)]);
    let with_picture = |content: &str| {
        let mut tagged = photo(content, vec![face(0.0, 80.0, 0.9, 0.7)]);
        tagged.picture = first.picture;
        tagged
    };
    let id = put(&mut store, "/a.jpg", &first);
    let tagged = with_picture("a, tagged");
    put(&mut store, "/b.jpg", &tagged);
    put(&mut store, "/c.jpg", &tagged);
    // The corrections are not passed on to a lost photo.
    put(&mut store, "/d.jpg", &with_picture("a, lost"));
    store
        .batch(|batch| batch.remove_file(Path::new("/d.jpg")))
        .unwrap();
    let sad = Correction::Emotion(Emotion::Sad);
    let faces = store.photo(id).unwrap().unwrap().content.unwrap().faces;
    store.correct(faces[0].id, sad).unwrap();
    let would = store.would_forget(Path::new("/a.jpg")).unwrap();
    let removed = store.forget_for_good(Path::new("/a.jpg")).unwrap();
    assert_eq!(would, removed);
    let expected = Removed {
        files: 3,
        copies: ["/b.jpg", "/c.jpg"].map(PathBuf::from).to_vec(),
        stay: Vec::new(),
        photos: 2,
        corrections: 1,
        roots: 0,
        lost_paths: 1,
    };
    assert_eq!(removed, expected);
    assert_eq!(paths(&store), [""; 0].map(PathBuf::from));
    assert_eq!(store.corrections().unwrap().0, []);
    let picture = first.picture.unwrap().hash;
    assert!(is_forgotten(&store, "/c.jpg"));
    assert!(store.is_forgotten_picture(&picture).unwrap());
    // A new content with this picture is recognised by its own hash from then on, until all is allowed again.
    let new = photo("a, tagged again", vec![]).hash;
    store
        .batch(|batch| {
            assert!(batch.is_forgotten_photo(&new, Some(&picture))?);
            batch.mark_forgotten(&new, &picture)
        })
        .unwrap();
    assert!(store.is_forgotten_content(&new).unwrap());
    assert!(store.allow_again(Path::new("/b.jpg")).unwrap());
    assert!(!store.is_forgotten_content(&new).unwrap());
    assert!(!store.is_forgotten_picture(&picture).unwrap());
}

#[test]
fn a_path_is_allowed_again_however_its_accents_are_written() {
    let (folder, mut store) = temp_store();
    let at = |name: &str| folder.path().join(name);
    let decomposed = "Mu\u{308}ll/Cafe\u{301}.jpg";
    // The last one is on disk, in a form that is neither composed nor decomposed.
    let mixed = "\u{e9}e\u{301}";
    std::fs::create_dir(at(mixed)).unwrap();
    for (stored, typed) in [
        (decomposed, "M\u{fc}ll/Caf\u{e9}.jpg"),
        (decomposed, "M\u{fc}ll/Cafe\u{301}.jpg"),
        ("M\u{fc}ll/Caf\u{e9}.jpg", decomposed),
        (mixed, "\u{e9}\u{e9}"),
    ] {
        store.forget_for_good(&at(stored)).unwrap();
        assert!(store.is_forgotten(&at(stored)).unwrap());
        assert!(!store.allow_again(&at("Mull/Cafe.jpg")).unwrap());
        assert!(store.allow_again(&at(typed)).unwrap(), "{typed}");
        assert!(!store.is_forgotten(&at(stored)).unwrap());
    }
}

#[test]
fn no_byte_of_a_name_is_left_in_any_file() {
    let (folder, mut store) = temp_store();
    for number in 0..200 {
        put(
            &mut store,
            format!("/a/{number}.jpg"),
            &photo(&number.to_string(), vec![]),
        );
    }
    let mut record = photo("a", vec![face(0.0, 80.0, 0.9, 0.7)]);
    if let Ok(analysis) = &mut record.content {
        analysis.capture.description = Some("Geburtstagsfeier bei Quxolander".into());
        analysis.capture.keywords = vec!["Wumpelstein".into()];
        analysis.statements = crate::facts::Statements::from(&analysis.capture);
    }
    put(&mut store, "/a/Zanzibarsk/Ypsilantis.jpg", &record);
    store
        .batch(|batch| {
            let skip = crate::error::Skip::new(crate::error::SkipReason::Damaged, "Vexogram");
            batch.put_file(Path::new("/a/Zanzibarsk/x.jpg"), &META, Err(&skip))
        })
        .unwrap();
    let names = [
        "quxolander",
        "wumpelst",
        "zanzibarsk",
        "ypsilanti",
        "vexogram",
    ];
    let found = |folder: &Path| {
        let mut found = BTreeSet::new();
        for entry in walkdir::WalkDir::new(folder) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let bytes = std::fs::read(entry.path()).unwrap().to_ascii_lowercase();
                let is_in = |name: &&str| memchr::memmem::find(&bytes, name.as_bytes()).is_some();
                found.extend(names.iter().copied().filter(is_in));
            }
        }
        found
    };
    assert_eq!(found(folder.path()).len(), names.len());
    store.forget_for_good(Path::new("/a/Zanzibarsk")).unwrap();
    assert!(store.clean().unwrap());
    assert_eq!(found(folder.path()), BTreeSet::new());
    assert_eq!(store.total(&Query::latest()).unwrap(), 200);
}
