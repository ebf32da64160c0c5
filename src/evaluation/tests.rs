use super::labelled::LabelledBox;
use super::*;
use crate::emotion::EmotionScores;
use crate::face::{BoundingBox, DetectedFace};

fn face(x: f32, happy: f32, score: f32) -> ScoredFace {
    let bounding_box = BoundingBox {
        x,
        y: 0.0,
        width: 30.0,
        height: 30.0,
    };
    let mut probabilities = [0.0; Emotion::COUNT];
    probabilities[Emotion::Happy.index()] = happy;
    ScoredFace {
        face: DetectedFace {
            bounding_box,
            landmarks: None,
            score,
        },
        scores: EmotionScores::new(probabilities),
        features: None,
    }
}

fn smile(shows: bool) -> PhotoLabels {
    PhotoLabels {
        shows: [(Emotion::Happy, shows)].into(),
        ..PhotoLabels::default()
    }
}

#[test]
fn average_precision_is_the_mean_precision_at_positives() {
    let (yes, no) = (smile(true), smile(false));
    let photos = [
        (&yes, vec![face(0.0, 0.9, 0.8)]),
        (&no, vec![face(0.0, 0.5, 0.8)]),
        (&yes, vec![face(0.0, 0.4, 0.8), face(0.0, 1.0, 0.1)]),
    ];
    let figures = ranking(&photos, Emotion::Happy, |face| face.face.score > 0.5).unwrap();
    // Precision 1/1 at the first smile, 2/3 at the second.
    assert!((figures.average_precision - 5.0 / 6.0).abs() < 1e-9);
    assert!(ranking(&photos, Emotion::Sad, |_| true).is_none());
}

fn bare(at: BoundingBox) -> LabelledBox {
    LabelledBox {
        at,
        kind: "bare".into(),
        eyes: None,
        emotion: None,
    }
}

#[test]
fn each_found_box_matches_at_most_one_label() {
    let labels = PhotoLabels {
        boxes: vec![
            bare(face(0.0, 0.0, 0.0).face.bounding_box),
            bare(face(2.0, 0.0, 0.0).face.bounding_box),
            bare(BoundingBox {
                x: 90.0,
                y: 0.0,
                width: 9.0,
                height: 9.0,
            }),
        ],
        ..PhotoLabels::default()
    };
    let photos = [(&labels, vec![face(1.0, 0.0, 0.9), face(200.0, 0.0, 0.4)])];
    let figures = boxes(&photos, 0.3).unwrap();
    assert_eq!(figures.found["bare"], (1, 2));
    assert!((figures.unlabelled_per_photo - 1.0).abs() < 1e-9);
    assert!(boxes(&photos, 0.5).unwrap().unlabelled_per_photo.abs() < 1e-9);
}

#[test]
fn labels_of_emotions_persons_and_groups_are_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "file,emotion,yaw\nAnn_Lee_0001.jpg,happiness,0.5\nx.y.png,sad,\n";
    std::fs::write(file.path(), text).unwrap();
    let labels = AlbumLabels::read(file.path()).unwrap();
    let ann = &labels.photos["Ann_Lee_0001.jpg"];
    assert_eq!(
        (ann.emotion, ann.person.as_str()),
        (Some(Emotion::Happy), "Ann_Lee")
    );
    assert_eq!(
        (labels.column("yaw").unwrap(), ann.values[1].as_str()),
        (1, "0.5")
    );
    assert_eq!(labels.photos["x.y.png"].person, "x.y");
    let error = labels.column("age").unwrap_err().to_string();
    assert!(
        error.contains("\"age\"") && error.contains("but emotion, yaw;"),
        "{error}"
    );

    std::fs::write(file.path(), "file,emotion,person\na,glee,Ann\n").unwrap();
    let error = AlbumLabels::read(file.path()).unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("glee"),
        "{error}"
    );
}

#[test]
fn photos_are_grouped_by_any_column_that_says_something_of_the_photo() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let read = |text: &str| {
        std::fs::write(file.path(), text).unwrap();
        AlbumLabels::read(file.path()).unwrap()
    };
    let labels = read("file,emotion,person\na.jpg,sad,Ann\n");
    let person = labels.column("person").unwrap();
    assert_eq!(labels.photos["a.jpg"].values[person], "Ann");
    labels.column("emotion").unwrap();
    let error = labels.column("file").unwrap_err().to_string();
    assert!(error.contains("but emotion, person;"), "{error}");
    // No list of nothing.
    let labels = read("file,xmin,ymin,xmax,ymax,state\na.jpg,0,0,9,9,bare\n");
    let error = labels.column("state").unwrap_err().to_string();
    assert!(error.contains("no other"), "{error}");
}

#[test]
fn a_table_that_says_nothing_or_half_of_a_box_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let read = |text: &str| {
        std::fs::write(file.path(), text).unwrap();
        AlbumLabels::read(file.path())
    };
    for (text, is_labelled) in [
        ("file,expression\na.jpg,happy\n", false),
        ("File,Emotion\na.jpg,happy\n", true),
        ("file;Smile\r\na.jpg;1\r\n", true),
    ] {
        let labels = read(text).unwrap();
        assert_eq!(labels.expect_labels().is_ok(), is_labelled, "{text}");
    }
    let error = read("file,xmin,ymin,xmax\na.jpg,0,0,9\n").unwrap_err();
    let expected = "xmin, ymin, xmax are there without ymax";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn rows_of_one_photo_agree_or_have_boxes() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let read = |text: &str| {
        std::fs::write(file.path(), text).unwrap();
        AlbumLabels::read(file.path())
    };
    assert_eq!(
        read("file,emotion\na,sad\nb,sad\na,sad\n").unwrap().len(),
        2
    );
    let error = read("file,emotion\na,happy\nb,sad\na,sad\n").unwrap_err();
    let error = error.to_string();
    assert!(error.contains("line 4: a has other labels"), "{error}");
    // The emotion of the photo is that of its largest face.
    let rows = [
        "a,0,0,9,9,sad,0",
        "a,20,0,60,40,happy,1",
        "a,70,0,80,9,sad,0",
    ];
    let header = "file,xmin,ymin,xmax,ymax,emotion,smile\n";
    let labels = read(&(header.to_owned() + &rows.join("\n"))).unwrap();
    let photo = &labels.photos["a"];
    assert_eq!(photo.emotion, Some(Emotion::Happy));
    assert_eq!((photo.boxes.len(), photo.shows[&Emotion::Happy]), (3, true));
}

#[test]
fn the_largest_face_that_counts_is_compared_with_the_label() {
    let labels = |emotion, person: &str| PhotoLabels {
        emotion: Some(emotion),
        person: person.to_owned(),
        ..PhotoLabels::default()
    };
    let (smile, rage) = (labels(Emotion::Happy, "a"), labels(Emotion::Disgust, "b"));
    let (happy, calm) = (face(0.0, 0.9, 0.8), face(0.0, 0.0, 0.8));
    let faces = [(&smile, &happy), (&rage, &calm)];
    let all = expressions(&faces, &[]).unwrap();
    assert_eq!((all.faces, all.people), (2, 2));
    let some = expressions(&faces, &[Emotion::Disgust]).unwrap();
    assert_eq!(some.faces, 1);
    assert!((some.all.accuracy.value - 1.0).abs() < 1e-9);
    assert!(expressions(&[], &[]).is_none());
}

#[test]
fn a_table_without_file_names_or_numbers_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "name,smile\na,1\n").unwrap();
    assert!(
        AlbumLabels::read(file.path())
            .unwrap_err()
            .to_string()
            .contains("\"file\"")
    );
    for (text, expected) in [
        ("file,smile\na,yes\n", "line 2: \"yes\""),
        // As spreadsheets write it.
        ("file;smile\r\na;1\r\n\r\nb;yes\r\n", "line 4: \"yes\""),
        (
            "file,smile\r\na,1\r\nb\r\n",
            "line 3: 1 columns where the header has 2",
        ),
    ] {
        std::fs::write(file.path(), text).unwrap();
        let error = AlbumLabels::read(file.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    std::fs::write(file.path(), b"file,smile\r\na,1\r\nZo\xeb,1\r\n").unwrap();
    let error = AlbumLabels::read(file.path()).unwrap_err().to_string();
    assert!(error.contains("line 3: not UTF-8"), "{error}");
}
