use super::*;

/// A face that the network reads as `read`, with features of one of a few kinds and a little of its own.
fn face(kind: usize, own: usize, read: Emotion) -> ReadFace {
    let mut values = [0.0_f32; 40];
    values[kind] = 3.0;
    for (i, value) in values.iter_mut().enumerate() {
        *value += ((own * 31 + i * 17) % 23) as f32 / 46.0;
    }
    let mut scores = [0.02; Emotion::COUNT];
    scores[read.index()] = 0.86;
    ReadFace {
        features: Features::of(&values),
        scores: EmotionScores::new(scores),
    }
}

/// An album in which the network reads every face of kind 1 as angry that is calm, and all others rightly.
pub(super) fn album(corrected: usize, says: impl Fn(usize) -> Emotion) -> Lessons {
    let angry = |kind, own| face(kind, own, Emotion::Angry);
    Lessons {
        corrected: (0..corrected)
            .map(|own| (angry(1, own), says(own)))
            .collect(),
        left: (0..20).map(|own| (angry(2, own), Emotion::Angry)).collect(),
        others: (0..60)
            .map(|own| face(own % 6 + 3, own, Emotion::ALL[own % 7]))
            .collect(),
    }
}

fn top(layer: &PersonalLayer, face: &ReadFace) -> Emotion {
    let scores = layer.scores(&face.scores, &face.features).unwrap();
    assert!((scores.as_array().iter().sum::<f32>() - 1.0).abs() < 1e-5);
    scores.top().0
}

#[test]
fn a_handful_of_consistent_corrections_moves_the_faces_like_them_and_no_others() {
    let lessons = album(FEWEST, |_| Emotion::Neutral);
    let (layer, proof) = learn(&lessons).unwrap();
    assert!(proof.is_convincing(), "{proof:?}");
    for own in 100..120 {
        assert_eq!(top(&layer, &face(1, own, Emotion::Angry)), Emotion::Neutral);
        assert_eq!(top(&layer, &face(2, own, Emotion::Angry)), Emotion::Angry);
        assert_eq!(top(&layer, &face(5, own, Emotion::Happy)), Emotion::Happy);
    }
}

#[test]
fn corrections_that_contradict_each_other_teach_nothing() {
    let said = [
        Emotion::Happy,
        Emotion::Sad,
        Emotion::Neutral,
        Emotion::Surprise,
        Emotion::Fear,
    ];
    let lessons = album(20, |own| said[own * 7 % said.len()]);
    let (_, proof) = learn(&lessons).unwrap();
    assert!(!proof.is_convincing(), "{proof:?}");
    // Nor do corrections of faces that have nothing in common.
    let mut strangers = album(0, |_| Emotion::Sad);
    strangers.corrected = (0..FEWEST)
        .map(|own| (face(own + 20, own, Emotion::Happy), Emotion::Sad))
        .collect();
    strangers.left = (0..20)
        .map(|own| (face(own % FEWEST + 30, own, Emotion::Happy), Emotion::Happy))
        .collect();
    let (_, proof) = learn(&strangers).unwrap();
    assert!(!proof.is_convincing(), "{proof:?}");
}

#[test]
fn too_few_corrections_and_faces_of_different_models_teach_nothing() {
    assert_eq!(learn(&album(FEWEST - 1, |_| Emotion::Sad)), None);
    let mut mixed = album(FEWEST, |_| Emotion::Sad);
    mixed.others[0].features = Features::of(&[1.0, 2.0]);
    assert_eq!(learn(&mixed), None);
    mixed.others[0].features = Features::none();
    assert_eq!(learn(&mixed), None);
}

#[test]
fn learning_gives_the_same_bits_each_time() {
    let lessons = album(150, |own| {
        if own % 9 == 0 {
            Emotion::Sad
        } else {
            Emotion::Neutral
        }
    });
    let (one, two) = (learn(&lessons).unwrap(), learn(&lessons).unwrap());
    assert_eq!(one.0.to_bytes(), two.0.to_bytes());
    assert_eq!(one.1, two.1);
}

#[test]
fn a_layer_comes_back_from_its_bytes_and_other_bytes_are_refused() {
    let (layer, _) = learn(&album(FEWEST, |_| Emotion::Neutral)).unwrap();
    let bytes = layer.to_bytes();
    assert_eq!(PersonalLayer::from_bytes(&bytes), Some(layer));
    assert_eq!(PersonalLayer::from_bytes(&bytes[4..]), None);
    assert_eq!(PersonalLayer::from_bytes(&bytes[..20]), None);
    let mut odd = bytes;
    odd[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    assert_eq!(PersonalLayer::from_bytes(&odd), None);
}

#[test]
fn a_layer_gives_no_scores_to_features_of_another_model() {
    let (layer, _) = learn(&album(FEWEST, |_| Emotion::Neutral)).unwrap();
    let face = face(1, 0, Emotion::Angry);
    assert_eq!(layer.scores(&face.scores, &Features::of(&[1.0; 39])), None);
    assert_eq!(layer.scores(&face.scores, &Features::none()), None);
}
