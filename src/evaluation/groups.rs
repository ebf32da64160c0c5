//! How the faces of groups of photos are read: for whom the scores work, and for whom they do not.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::emotion::{Emotion, EmotionScores};
use fer_train::evaluate::Proportion;

/// A column whose values are all numbers, and more different ones than this, is divided into quarters.
const MAX_VALUES: usize = 12;

/// How the faces of one group with one label are read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupFigures {
    /// The column that divides the photos.
    pub column: String,
    /// Its value, or a range of values.
    pub group: String,
    /// What the faces are labelled with.
    pub labelled: String,
    /// Number of faces.
    pub faces: usize,
    /// For each emotion the share of the faces for which it scores highest.
    pub read: BTreeMap<&'static str, Proportion>,
}

/// A labelled face: what its label is, the value of the column, and its scores.
pub(super) struct GroupedFace<'a> {
    pub labelled: String,
    pub value: &'a str,
    pub scores: EmotionScores,
}

/// The figures of each group of `faces` by the values of `column`, in the order of the values; faces without a value
/// are left out.
pub(super) fn groups(column: &str, faces: &[GroupedFace<'_>]) -> Vec<GroupFigures> {
    let faces = || faces.iter().filter(|face| !face.value.trim().is_empty());
    let ranges = quarters(faces().map(|face| face.value));
    let mut counts: BTreeMap<(Group, &str), [usize; Emotion::COUNT]> = BTreeMap::new();
    for face in faces() {
        let group = Group::of(face.value, ranges.as_deref());
        let count = counts.entry((group, &face.labelled)).or_default();
        count[face.scores.top().0.index()] += 1;
    }
    let figures = counts.into_iter().map(|((group, labelled), count)| {
        let faces = count.iter().sum();
        let share = |e: Emotion| (e.name(), Proportion::new(count[e.index()], faces));
        GroupFigures {
            column: column.to_owned(),
            group: group.name,
            labelled: labelled.to_owned(),
            faces,
            read: Emotion::ALL.into_iter().map(share).collect(),
        }
    });
    figures.collect()
}

/// A group, ordered by its number and then by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    number: usize,
    name: String,
}

impl Group {
    /// The group of a value: the value itself, or one of the ranges between `bounds`.
    fn of(value: &str, bounds: Option<&[f64]>) -> Self {
        let (Some(bounds), Ok(number)) = (bounds, value.trim().parse::<f64>()) else {
            return Self {
                number: 0,
                name: value.trim().to_owned(),
            };
        };
        let last = bounds.len() - 2;
        let range = bounds[1..=last].iter().filter(|&&b| number > b).count();
        Self {
            number: range,
            name: format!("{:.3} to {:.3}", bounds[range], bounds[range + 1]),
        }
    }
}

/// The bounds of four ranges with equally many values, if these are numbers and more than [`MAX_VALUES`] differ.
fn quarters<'a>(values: impl Iterator<Item = &'a str>) -> Option<Vec<f64>> {
    let numbers = values.map(|value| value.trim().parse::<f64>().ok().filter(|v| v.is_finite()));
    let mut numbers = numbers.collect::<Option<Vec<f64>>>()?;
    numbers.sort_unstable_by(f64::total_cmp);
    let mut different = numbers.clone();
    different.dedup();
    let at = |quarter: usize| numbers[quarter * (numbers.len() - 1) / 4];
    (different.len() > MAX_VALUES).then(|| (0..=4).map(at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(value: &str, top: Emotion) -> GroupedFace<'_> {
        let mut scores = [0.0; Emotion::COUNT];
        scores[top.index()] = 1.0;
        GroupedFace {
            labelled: "neutral".to_owned(),
            value,
            scores: EmotionScores::new(scores),
        }
    }

    #[test]
    fn words_group_by_themselves_and_many_numbers_by_quarters() {
        use Emotion::{Happy, Sad};
        let faces = [
            face("old", Sad),
            face("young", Happy),
            face("old", Happy),
            face(" ", Sad),
        ];
        let found = groups("age", &faces);
        let names: Vec<_> = found.iter().map(|g| (g.group.as_str(), g.faces)).collect();
        assert_eq!(names, [("old", 2), ("young", 1)]);
        assert_eq!(
            (found[0].read["sad"].correct, found[0].read["happy"].correct),
            (1, 1)
        );

        let values: Vec<String> = (-20..20)
            .map(|i| (f64::from(i) / 10.0).to_string())
            .collect();
        let turned = |value: &String| value.starts_with("-1.") || value == "-2";
        let read = |value| if turned(value) { Sad } else { Happy };
        let faces: Vec<_> = values
            .iter()
            .map(|value| face(value, read(value)))
            .collect();
        let found = groups("yaw", &faces);
        assert_eq!(found.len(), 4);
        assert!(
            found.iter().all(|group| (9..=11).contains(&group.faces)),
            "{found:?}"
        );
        assert!(found[0].group.starts_with("-2.000 to"), "{found:?}");
        assert_eq!(found[0].read["sad"].correct, found[0].faces);
        assert_eq!(found[3].read["sad"].correct, 0);
    }
}
