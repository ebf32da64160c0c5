use std::path::Path;

use super::super::Silent;
use super::super::kin::Kin;
use super::*;
use crate::emotion::{Emotion, EmotionScores};
use crate::face::{BoundingBox, DetectedFace, ScoredFace};
use crate::facts::{Block, Statements, of_content};
use crate::features::Features;
use crate::imaging::{Facts, Format};
use crate::photo::PictureHash;
use crate::raster::Orientation;
use crate::store::PhotoAnalysis;

const META: FileMeta = FileMeta {
    ctime_ns: 0,
    size: 1,
    mtime_ns: 1,
    inode: 1,
    device: 1,
};

const PICTURE: Picture = Picture {
    hash: PictureHash::from_bytes([7; 32]),
    orientation: Orientation::Upright,
};

fn models() -> Models {
    Models {
        detector: "finder 1".into(),
        classifier: "reader 1".into(),
    }
}

fn statements(description: &str) -> Statements {
    let mut statements = Statements::default();
    statements.add_description(description, Block::Exif);
    statements
}

/// A content with one face.
fn record(content: &str) -> PhotoRecord {
    let face = DetectedFace {
        bounding_box: BoundingBox {
            x: 1.0,
            y: 2.0,
            width: 60.0,
            height: 80.0,
        },
        landmarks: None,
        score: 0.9,
    };
    PhotoRecord {
        hash: ContentHash::of(content.as_bytes()),
        bytes: 1,
        picture: Some(PICTURE),
        content: Ok(PhotoAnalysis {
            format: "JPEG".into(),
            width: 400,
            height: 300,
            capture: of_content(&statements(content)),
            statements: statements(content),
            people: Vec::new(),
            models: models(),
            faces: vec![ScoredFace {
                face,
                scores: EmotionScores::new([0.125; Emotion::COUNT]),
                features: Some(Features::none()),
            }],
            unread: Vec::new(),
            incomplete: None,
        }),
    }
}

fn new(content: &str) -> Outcome {
    Outcome::New(Box::new(record(content)), Kin::default(), Vec::new())
}

/// A content with the picture of [`record`], which another worker has claimed.
fn duplicate(content: &str) -> Outcome {
    Outcome::DuplicatePicture(Box::new(NewFile {
        hash: ContentHash::of(content.as_bytes()),
        bytes: 1,
        facts: Facts {
            format: Format::Jpeg,
            statements: statements(content),
            picture: PICTURE,
        },
    }))
}

/// Stores the findings, each in a transaction of its own, and returns the counts.
fn stored(store: &mut Store, findings: Vec<(&str, Outcome)>) -> Summary {
    let (claims, models) = (Claims::new(false), models());
    let mut writer = Writer::new(store, &Silent, &claims, &models, Summary::default());
    for (path, outcome) in findings {
        let finding = Finding {
            path: path.into(),
            meta: META,
            outcome,
            sidecars: Vec::new(),
        };
        writer.store_all(vec![finding]).unwrap();
    }
    let waiting = &writer.waiting;
    assert!(waiting.contents.is_empty() && waiting.pictures.is_empty());
    writer.summary
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("index.sqlite3")).unwrap();
    (folder, store)
}

/// The description of the photo at a path, and how many faces it has.
fn photo(store: &Store, path: &str) -> (String, usize) {
    let id = store.file(Path::new(path)).unwrap().unwrap().unwrap();
    let analysis = store.photo(id).unwrap().unwrap().content.unwrap();
    (analysis.capture.description.unwrap(), analysis.faces.len())
}

#[test]
fn files_with_the_same_picture_are_analysed_once_in_whatever_order_the_findings_come() {
    let hash = ContentHash::of(b"b");
    let findings: [fn() -> (&'static str, Outcome); 4] = [
        || ("/a.jpg", new("a")),
        || ("/b.jpg", duplicate("b")),
        || ("/c.jpg", Outcome::Duplicate(ContentHash::of(b"b"))),
        || ("/d.jpg", duplicate("d")),
    ];
    for order in [[0, 1, 2, 3], [1, 0, 2, 3], [2, 1, 3, 0], [3, 2, 1, 0]] {
        let (_folder, mut store) = store();
        let summary = stored(&mut store, order.map(|at| findings[at]()).into());
        assert_eq!((summary.photos, summary.known), (1, 3), "{order:?}");
        assert_eq!(summary.metadata, 2, "{order:?}");
        for (path, description) in [
            ("/a.jpg", "a"),
            ("/b.jpg", "b"),
            ("/c.jpg", "b"),
            ("/d.jpg", "d"),
        ] {
            assert_eq!(
                photo(&store, path),
                (description.to_owned(), 1),
                "{order:?}"
            );
        }
        assert!(store.photo_by_hash(&hash).unwrap().is_some());
    }
}

#[test]
fn if_a_picture_is_skipped_so_are_the_files_that_wait_for_it() {
    let skipped = || {
        let skip = Skip::new(SkipReason::Damaged, "cut");
        let content = Err(skip);
        Outcome::New(
            Box::new(PhotoRecord {
                content,
                ..record("a")
            }),
            Kin::default(),
            Vec::new(),
        )
    };
    for first in [true, false] {
        let (_folder, mut store) = store();
        let mut findings = vec![("/a.jpg", skipped()), ("/b.jpg", duplicate("b"))];
        if first {
            findings.reverse();
        }
        let summary = stored(&mut store, findings);
        assert_eq!(summary.skipped[&SkipReason::Damaged].count, 2);
        assert!(store.file(Path::new("/b.jpg")).unwrap().is_some());
    }
}

#[test]
fn a_content_that_a_photo_lost_meanwhile_becomes_a_photo_again() {
    let (_folder, mut store) = store();
    stored(&mut store, vec![("/a.jpg", new("a"))]);
    // A worker found the content "a" for another file before the photo took the content "b".
    let found = Outcome::Known(Box::new(record("a")));
    let tagged = Outcome::SamePicture(Box::new(record("b")));
    let summary = stored(&mut store, vec![("/a.jpg", tagged), ("/copy.jpg", found)]);
    assert_eq!((summary.photos, summary.known, summary.metadata), (0, 2, 1));
    assert_eq!(photo(&store, "/a.jpg"), ("b".to_owned(), 1));
    assert_eq!(photo(&store, "/copy.jpg"), ("a".to_owned(), 1));
}

#[test]
fn a_file_that_cannot_be_reached_keeps_its_row() {
    let (folder, mut store) = store();
    let path = folder.path().join("a.jpg");
    std::fs::write(&path, "x").unwrap();
    let name = path.to_str().unwrap();
    stored(&mut store, vec![(name, new("a"))]);
    let unread = || Outcome::Unread(Skip::new(SkipReason::Unreadable, "an error of the disk"));
    for outcome in [Outcome::Absent, unread()] {
        let summary = stored(&mut store, vec![(name, outcome)]);
        assert_eq!(summary.skipped[&SkipReason::Unreadable].count, 1);
        assert_eq!(summary.gone, 0);
        assert_eq!(photo(&store, name), ("a".to_owned(), 1));
    }
    // A file of which nothing is known yet.
    let findings = vec![("/absent.jpg", Outcome::Absent), ("/failing.jpg", unread())];
    stored(&mut store, findings);
    assert_eq!(store.file(Path::new("/absent.jpg")).unwrap(), None);
    let is_skipped = |path: &Path| matches!(store.file(path), Ok(Some(Err(_))));
    assert!(is_skipped(Path::new("/failing.jpg")));
    // Something else took the place of the photo.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    stored(&mut store, vec![(name, unread())]);
    assert!(matches!(store.file(&path), Ok(Some(Err(_)))));
}

#[test]
fn a_photo_that_is_due_and_takes_too_long_keeps_what_was_found_in_it() {
    let (_folder, mut store) = store();
    stored(&mut store, vec![("/a.jpg", new("a"))]);
    let late = PhotoRecord {
        content: Err(Skip::new(SkipReason::TimedOut, "took 30 s")),
        ..record("a")
    };
    let late = Outcome::New(Box::new(late), Kin::default(), Vec::new());
    let summary = stored(&mut store, vec![("/a.jpg", late)]);
    assert_eq!((summary.known, summary.skipped.len()), (1, 0));
    assert_eq!(photo(&store, "/a.jpg"), ("a".to_owned(), 1));
}
