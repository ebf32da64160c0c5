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
        (labels.column("yaw").unwrap(), ann.values[0].as_str()),
        (0, "0.5")
    );
    assert_eq!(labels.photos["x.y.png"].person, "x.y");
    let error = labels.column("age").unwrap_err().to_string();
    assert!(
        error.contains("\"age\"") && error.contains("yaw"),
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
    std::fs::write(file.path(), "file,smile\na,yes\n").unwrap();
    assert!(
        AlbumLabels::read(file.path())
            .unwrap_err()
            .to_string()
            .contains("line 2")
    );
}
