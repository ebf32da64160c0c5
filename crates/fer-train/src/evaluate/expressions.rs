//! Measures how well scores tell people's expressions apart: recall, ranking and calibration, with intervals that treat
//! people, not faces, as independent.

use std::collections::BTreeMap;

use rand::Rng;
use serde::Serialize;

use super::figures::{Figures, Sample};
use crate::metrics::argmax;
use crate::random::{Purpose, rng};
use fer_core::emotion::{Emotion, EmotionScores};

/// The emotions over which the macro recall is computed, and among which is predicted: the four of which labelled
/// photos usually have enough.
pub const RECALLED: [Emotion; 4] = [
    Emotion::Angry,
    Emotion::Happy,
    Emotion::Sad,
    Emotion::Neutral,
];

/// Number of folds of people.
pub const FOLDS: usize = 5;

/// Number of bootstrap resamples.
const RESAMPLES: u64 = 200;

/// A face whose emotion a person labelled.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledFace {
    /// The label.
    pub truth: Emotion,
    /// The person's name; faces of one person are not independent.
    pub person: String,
    /// The program's scores.
    pub scores: EmotionScores,
}

/// A figure with its 95 % interval (percentile bootstrap over people; Efron 1979) and its values in folds of people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// On all faces.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// In each of `FOLDS` folds; no person is in two of them.
    pub folds: Vec<f64>,
}

/// How well an emotion's score ranks faces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankedEmotion {
    /// The emotion's name.
    pub emotion: &'static str,
    /// Number of faces labelled with it.
    pub positives: usize,
    /// The highest score that any face has.
    pub highest: f32,
    /// The mean, without interpolation, of the precisions at each face with the label.
    pub average_precision: Estimate,
}

/// Every figure of labelled faces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpressionFigures {
    /// Number of faces.
    pub faces: usize,
    /// Number of people.
    pub people: usize,
    /// Mean recall of [`RECALLED`], predicted among these.
    pub macro_recall: Estimate,
    /// The ranking by each emotion that is labelled.
    pub ranking: Vec<RankedEmotion>,
    /// Expected calibration error of the top emotion over 15 bins.
    pub ece: Estimate,
    /// Accuracy, confusion and reliability among all eight emotions.
    pub all: Figures,
}

impl ExpressionFigures {
    /// Computes the figures; `None` without a face.
    pub fn new(faces: &[LabelledFace]) -> Option<Self> {
        if faces.is_empty() {
            return None;
        }
        let people = People::new(faces);
        let ranking = Emotion::ALL.into_iter().filter_map(|emotion| {
            let positives = faces.iter().filter(|face| face.truth == emotion).count();
            let scores = faces.iter().map(|face| face.scores[emotion]);
            (positives > 0).then(|| RankedEmotion {
                emotion: emotion.name(),
                positives,
                highest: scores.fold(0.0, f32::max),
                average_precision: people.estimate(faces, |some| {
                    average_precision(
                        some.iter()
                            .map(|f| (f.scores[emotion].into(), f.truth == emotion)),
                    )
                }),
            })
        });
        Some(Self {
            faces: faces.len(),
            people: people.faces.len(),
            macro_recall: people.estimate(faces, macro_recall),
            ranking: ranking.collect(),
            ece: people.estimate(faces, |some| (!some.is_empty()).then(|| figures(some).ece)),
            all: figures(&faces.iter().collect::<Vec<_>>()),
        })
    }
}

/// The expected calibration error of the top emotion over 15 bins.
pub fn calibration_error(faces: &[LabelledFace]) -> f64 {
    figures(&faces.iter().collect::<Vec<_>>()).ece
}

/// The average precision of a ranking by score. The `bool` is whether the face has the label; `None` if none has.
pub fn average_precision(scored: impl IntoIterator<Item = (f64, bool)>) -> Option<f64> {
    let mut ranked: Vec<(f64, bool)> = scored.into_iter().collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut hits, mut sum) = (0, 0.0);
    for (index, (_, positive)) in ranked.iter().enumerate() {
        if *positive {
            hits += 1;
            sum += f64::from(hits) / (index + 1) as f64;
        }
    }
    (hits > 0).then(|| sum / f64::from(hits))
}

/// The mean recall of [`RECALLED`]; `None` if none of them occurs.
pub fn macro_recall(faces: &[&LabelledFace]) -> Option<f64> {
    let mut counts = [[0u32; 2]; RECALLED.len()];
    for face in faces {
        if let Some(truth) = RECALLED.iter().position(|&e| e == face.truth) {
            let predicted = argmax(&RECALLED.map(|emotion| face.scores[emotion]));
            counts[truth][0] += 1;
            counts[truth][1] += u32::from(predicted == truth);
        }
    }
    let present = counts.iter().filter(|[all, _]| *all > 0);
    let recalls: Vec<f64> = present
        .map(|&[all, found]| f64::from(found) / f64::from(all))
        .collect();
    (!recalls.is_empty()).then(|| recalls.iter().sum::<f64>() / recalls.len() as f64)
}

fn figures(faces: &[&LabelledFace]) -> Figures {
    let sample = |(row, face): (usize, &&LabelledFace)| Sample {
        row,
        truth: face.truth.index(),
        probabilities: face.scores.as_array().to_vec(),
    };
    let samples: Vec<Sample> = faces.iter().enumerate().map(sample).collect();
    Figures::new(&Emotion::ALL, &samples)
}

/// Divides labelled rows into `k` folds so that no person is in two of them and every fold has about the same share of
/// each emotion; returns the fold of each row.
pub fn person_folds(rows: &[(&str, Emotion)], k: usize) -> Vec<usize> {
    let mut people: BTreeMap<&str, [f64; Emotion::COUNT]> = BTreeMap::new();
    let mut totals = [0.0; Emotion::COUNT];
    for &(person, emotion) in rows {
        people.entry(person).or_default()[emotion.index()] += 1.0;
        totals[emotion.index()] += 1.0;
    }
    let mut order: Vec<_> = people.into_iter().collect();
    let rows_of = |counts: &[f64; Emotion::COUNT]| counts.iter().sum::<f64>();
    order.sort_by(|a, b| rows_of(&b.1).total_cmp(&rows_of(&a.1)).then(a.0.cmp(b.0)));
    let mut folds = vec![[0.0; Emotion::COUNT]; k];
    let mut assigned = BTreeMap::new();
    for (person, counts) in order {
        // The sum of squared shares grows least in the fold in which the person's emotions are rarest.
        let growth = |fold: &[f64; Emotion::COUNT]| -> f64 {
            let each = fold.iter().zip(&counts).zip(&totals);
            each.filter(|(_, total)| **total > 0.0)
                .map(|((old, new), total)| new * (2.0 * old + new) / (total * total))
                .sum()
        };
        let best = (0..k).min_by(|&a, &b| growth(&folds[a]).total_cmp(&growth(&folds[b])));
        let best = best.unwrap_or_default();
        for (sum, count) in folds[best].iter_mut().zip(counts) {
            *sum += count;
        }
        assigned.insert(person, best);
    }
    rows.iter().map(|(person, _)| assigned[person]).collect()
}

/// The faces of each person.
struct People {
    faces: Vec<Vec<usize>>,
    folds: Vec<usize>,
}

impl People {
    fn new(faces: &[LabelledFace]) -> Self {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, face) in faces.iter().enumerate() {
            by_name.entry(&face.person).or_default().push(index);
        }
        let rows: Vec<_> = faces.iter().map(|f| (f.person.as_str(), f.truth)).collect();
        Self {
            faces: by_name.into_values().collect(),
            folds: person_folds(&rows, FOLDS),
        }
    }

    /// A figure of all faces, with its interval and its values in the folds; resamples and folds for which it is not
    /// defined are left out.
    fn estimate(
        &self,
        faces: &[LabelledFace],
        figure: impl Fn(&[&LabelledFace]) -> Option<f64>,
    ) -> Estimate {
        let all: Vec<&LabelledFace> = faces.iter().collect();
        let mut resampled: Vec<f64> = (0..RESAMPLES)
            .filter_map(|index| {
                let mut rng = rng(0, Purpose::Bootstrap, 1, index);
                let drawn = (0..self.faces.len()).flat_map(|_| {
                    let person = &self.faces[rng.random_range(0..self.faces.len())];
                    person.iter().map(|&face| &faces[face])
                });
                figure(&drawn.collect::<Vec<_>>())
            })
            .collect();
        resampled.sort_unstable_by(f64::total_cmp);
        let last = resampled.len().saturating_sub(1) as f64;
        let at = |share: f64| resampled.get((share * last).round() as usize).copied();
        let fold = |fold| {
            let pairs = faces.iter().zip(&self.folds);
            let some: Vec<_> = pairs.filter(|(_, f)| **f == fold).map(|(f, _)| f).collect();
            figure(&some)
        };
        let value = figure(&all).unwrap_or_default();
        Estimate {
            value,
            low: at(0.025).unwrap_or(value),
            high: at(0.975).unwrap_or(value),
            folds: (0..FOLDS).filter_map(fold).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(truth: Emotion, person: &str, scored: &[(Emotion, f32)]) -> LabelledFace {
        let mut scores = [0.0; Emotion::COUNT];
        for (emotion, score) in scored {
            scores[emotion.index()] = *score;
        }
        LabelledFace {
            truth,
            person: person.to_owned(),
            scores: EmotionScores::new(scores),
        }
    }

    #[test]
    fn the_macro_recall_is_predicted_among_four_and_weighs_emotions_equally() {
        use Emotion::{Fear, Happy, Sad, Surprise};
        let faces = [
            face(Happy, "a", &[(Surprise, 0.6), (Happy, 0.3)]),
            face(Happy, "a", &[(Happy, 0.9)]),
            face(Happy, "b", &[(Sad, 0.9)]),
            face(Sad, "c", &[(Sad, 0.5), (Fear, 0.4)]),
            face(Surprise, "c", &[(Happy, 0.5)]),
        ];
        let figures = ExpressionFigures::new(&faces).unwrap();
        let expected = f64::midpoint(2.0 / 3.0, 1.0);
        assert!((figures.macro_recall.value - expected).abs() < 1e-9);
        assert!((figures.all.accuracy.value - 0.4).abs() < 1e-9);
        assert_eq!((figures.faces, figures.people), (5, 3));
        let happy = figures
            .ranking
            .iter()
            .find(|r| r.emotion == "happy")
            .unwrap();
        // Ranked: happy .9 (hit), surprise .5, happy .3 (hit), then the third among equal zeros.
        assert!(happy.average_precision.value > 0.7, "{happy:?}");
        assert!((happy.highest - 0.9).abs() < 1e-6 && happy.positives == 3);
        assert!(figures.ranking.iter().all(|r| r.emotion != "neutral"));
        // Three of the five folds have nobody.
        assert_eq!(figures.ece.folds.len(), 2, "{:?}", figures.ece);
        assert!(ExpressionFigures::new(&[]).is_none());
    }

    #[test]
    fn folds_keep_people_together_and_share_emotions() {
        let names: Vec<String> = (0..40).map(|i| format!("person {}", i / 2)).collect();
        let emotion = |i: usize| if i < 10 { Emotion::Sad } else { Emotion::Happy };
        let rows: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(i, n)| (n.as_str(), emotion(i)))
            .collect();
        let folds = person_folds(&rows, 5);
        for pair in folds.chunks(2) {
            assert_eq!(pair[0], pair[1], "a person is in two folds");
        }
        for fold in 0..5 {
            let sad = (0..10).filter(|&i| folds[i] == fold).count();
            let happy = (10..40).filter(|&i| folds[i] == fold).count();
            assert_eq!((sad, happy), (2, 6));
        }
    }

    #[test]
    fn intervals_hold_the_value_and_grow_when_faces_are_of_few_people() {
        let faces = |people: usize| -> Vec<LabelledFace> {
            let right = |i: usize| (i % people).is_multiple_of(3);
            let of = |i: usize| {
                let read = if right(i) {
                    Emotion::Happy
                } else {
                    Emotion::Sad
                };
                face(Emotion::Happy, &(i % people).to_string(), &[(read, 1.0)])
            };
            (0..300).map(of).collect()
        };
        let width = |people| {
            let recall = ExpressionFigures::new(&faces(people)).unwrap().macro_recall;
            assert!(recall.low <= recall.value && recall.value <= recall.high);
            recall.high - recall.low
        };
        assert!(width(6) > 2.0 * width(300));
    }
}
