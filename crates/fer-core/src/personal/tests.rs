use super::*;

/// A face that the network classifies as `read`, with the features of one of a few kinds, and a small random part.
fn face(kind: usize, own: usize, read: Emotion) -> ClassifiedFace {
    let mut values = [0.0_f32; 40];
    values[kind] = 3.0;
    for (i, value) in values.iter_mut().enumerate() {
        *value += ((own * 31 + i * 17) % 23) as f32 / 46.0;
    }
    let mut scores = [0.02; Emotion::COUNT];
    scores[read.index()] = 0.86;
    ClassifiedFace {
        features: Features::of(&values),
        scores: EmotionScores::new(scores),
    }
}

/// An album in which the network classifies every face of kind 1 as angry, although it is calm, and all others
/// correctly.
pub(super) fn album(corrected: usize, label: impl Fn(usize) -> Emotion) -> TrainingFaces {
    let angry = |kind, own| face(kind, own, Emotion::Angry);
    TrainingFaces {
        corrected: (0..corrected)
            .map(|own| (angry(1, own), label(own)))
            .collect(),
        left: (0..20).map(|own| (angry(2, own), Emotion::Angry)).collect(),
        others: (0..60)
            .map(|own| face(own % 6 + 3, own, Emotion::ALL[own % 7]))
            .collect(),
    }
}

fn top(layer: &PersonalLayer, face: &ClassifiedFace) -> Emotion {
    let scores = layer.scores(&face.scores, &face.features).unwrap();
    assert!((scores.as_array().iter().sum::<f32>() - 1.0).abs() < 1e-5);
    scores.top().0
}

#[test]
fn a_handful_of_consistent_corrections_moves_the_faces_like_them_and_no_others() {
    let faces = album(MIN_CORRECTIONS, |_| Emotion::Neutral);
    let (layer, loss) = learn(&faces).unwrap();
    assert!(loss.is_convincing(), "{loss:?}");
    for own in 100..120 {
        assert_eq!(top(&layer, &face(1, own, Emotion::Angry)), Emotion::Neutral);
        assert_eq!(top(&layer, &face(2, own, Emotion::Angry)), Emotion::Angry);
        assert_eq!(top(&layer, &face(5, own, Emotion::Happy)), Emotion::Happy);
    }
}

#[test]
fn corrections_that_contradict_each_other_teach_nothing() {
    let corrections = [
        Emotion::Happy,
        Emotion::Sad,
        Emotion::Neutral,
        Emotion::Surprise,
        Emotion::Fear,
    ];
    let faces = album(20, |own| corrections[own * 7 % corrections.len()]);
    let (_, loss) = learn(&faces).unwrap();
    assert!(!loss.is_convincing(), "{loss:?}");
    // Corrections of faces without common features do not suffice either.
    let mut strangers = album(0, |_| Emotion::Sad);
    strangers.corrected = (0..MIN_CORRECTIONS)
        .map(|own| (face(own + 20, own, Emotion::Happy), Emotion::Sad))
        .collect();
    strangers.left = (0..20)
        .map(|own| {
            (
                face(own % MIN_CORRECTIONS + 30, own, Emotion::Happy),
                Emotion::Happy,
            )
        })
        .collect();
    let (_, loss) = learn(&strangers).unwrap();
    assert!(!loss.is_convincing(), "{loss:?}");
}

#[test]
fn too_few_corrections_and_faces_of_different_models_teach_nothing() {
    assert_eq!(learn(&album(MIN_CORRECTIONS - 1, |_| Emotion::Sad)), None);
    let mut mixed = album(MIN_CORRECTIONS, |_| Emotion::Sad);
    mixed.others[0].features = Features::of(&[1.0, 2.0]);
    assert_eq!(learn(&mixed), None);
    mixed.others[0].features = Features::none();
    assert_eq!(learn(&mixed), None);
}

#[test]
fn learning_gives_the_same_bits_each_time() {
    let faces = album(150, |own| {
        if own % 9 == 0 {
            Emotion::Sad
        } else {
            Emotion::Neutral
        }
    });
    let (one, two) = (learn(&faces).unwrap(), learn(&faces).unwrap());
    assert_eq!(one.0.to_bytes(), two.0.to_bytes());
    assert_eq!(one.1, two.1);
}

#[test]
fn a_layer_comes_back_from_its_bytes_and_other_bytes_are_refused() {
    let (layer, _) = learn(&album(MIN_CORRECTIONS, |_| Emotion::Neutral)).unwrap();
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
    let (layer, _) = learn(&album(MIN_CORRECTIONS, |_| Emotion::Neutral)).unwrap();
    let face = face(1, 0, Emotion::Angry);
    assert_eq!(layer.scores(&face.scores, &Features::of(&[1.0; 39])), None);
    assert_eq!(layer.scores(&face.scores, &Features::none()), None);
}

/// A pseudorandom number from 0 to 1.
fn noise(seed: u64) -> f32 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 40) as f32 / (1 << 24) as f32
}

/// An album of 400 faces with their true emotions. The network classifies a random tenth wrongly or, with a `habit`,
/// all faces of one kind, which are calm, as sad.
fn random_album(seed: u64, habit: bool) -> Vec<(ClassifiedFace, Emotion)> {
    let of = |number: u64| {
        let random = |index: u64| noise((seed << 32) + (number << 8) + index);
        let kind = (random(0) * 12.0) as usize;
        let shows = if kind == 11 {
            Emotion::Neutral
        } else {
            Emotion::ALL[kind % 4 + 3]
        };
        let read = match random(1) {
            wrong if wrong < 0.1 && !habit => Emotion::ALL[(random(2) * 8.0) as usize],
            _ if kind == 11 && habit => Emotion::Sad,
            _ => shows,
        };
        let mut values: Vec<f32> = (0..40).map(|index| 0.5 * random(10 + index)).collect();
        values[kind] += 3.0;
        let mut scores =
            Emotion::ALL.map(|emotion| 0.02 + 0.05 * random(100 + emotion.index() as u64));
        scores[read.index()] += 0.4 + 0.4 * random(3);
        let sum: f32 = scores.iter().sum();
        let face = ClassifiedFace {
            features: Features::of(&values),
            scores: EmotionScores::new(scores.map(|score| score / sum)),
        };
        (face, shows)
    };
    (0..400).map(of).collect()
}

/// The share of correct faces among those that a person did not correct, before and after learning, if the person
/// corrects the first `count` wrong ones among the first eighty of each emotion.
fn accuracies(album: &[(ClassifiedFace, Emotion)], count: usize) -> [f64; 2] {
    let mut wrong: Vec<usize> = Vec::new();
    for emotion in Emotion::ALL {
        let mut list: Vec<usize> = (0..album.len()).collect();
        let score = |face: usize| album[face].0.scores[emotion];
        list.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        let seen = list.into_iter().take(80);
        wrong.extend(
            seen.filter(|&face| {
                album[face].1 != emotion && album[face].0.scores.top().0 == emotion
            }),
        );
    }
    wrong.sort_by_key(|&face| noise(face as u64).to_bits());
    wrong.truncate(count);
    let rest: Vec<&(ClassifiedFace, Emotion)> = (0..album.len())
        .filter(|face| !wrong.contains(face))
        .map(|face| &album[face])
        .collect();
    let each = |visit: &mut dyn FnMut(ClassifiedFace)| -> Result<(), std::convert::Infallible> {
        for (face, _) in &rest {
            visit(face.clone());
        }
        Ok(())
    };
    let corrections = wrong.iter().map(|&face| album[face].clone()).collect();
    let learned = learn(&TrainingFaces::choose(corrections, each).unwrap());
    let layer = learned.filter(|(_, loss)| loss.is_convincing());
    let right = |layer: Option<&PersonalLayer>| {
        let is_right = |(face, shows): &&&(ClassifiedFace, Emotion)| {
            let scores = layer.and_then(|layer| layer.scores(&face.scores, &face.features));
            scores.unwrap_or(face.scores).top().0 == *shows
        };
        rest.iter().filter(is_right).count() as f64 / rest.len() as f64
    };
    [right(None), right(layer.as_ref().map(|(layer, _)| layer))]
}

#[test]
fn in_no_album_do_corrections_harm_and_a_habit_of_the_network_is_unlearned() {
    let mut unlearned = 0;
    for seed in 0..10 {
        for habit in [false, true] {
            let album = random_album(seed, habit);
            for count in [10, 30] {
                let [before, after] = accuracies(&album, count);
                assert!(
                    after >= before - 0.003,
                    "{seed} {habit} {count}: {before} {after}"
                );
                unlearned += usize::from(habit && after > before);
            }
        }
    }
    assert!(unlearned >= 5, "{unlearned}");
}
