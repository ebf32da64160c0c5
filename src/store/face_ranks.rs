//! Computes each face's rank among the faces of its photo, by size and by confidence. With these
//! ranks stored, "four faces of 100 pixels or more" is one index search: for a fourth face of 100
//! pixels or more.

use crate::face::{Correction, DetectedFace};

use super::stored_face::JudgedFace;

/// Size and confidence of a face that a person vouched for: it counts whatever its real values are.
const VOUCHED: f32 = 1e9;

/// The columns by which faces are searched. A face that a person rejected has none of them, and a face that the model
/// takes for no human one has no ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranks {
    /// Shorter side in pixels, or [`VOUCHED`].
    pub side: Option<f32>,
    /// Rank by `side`, 1 for the greatest.
    pub side_rank: Option<i64>,
    /// Detection score, or [`VOUCHED`].
    pub confidence: Option<f32>,
    /// Rank by `confidence`, 1 for the greatest.
    pub confidence_rank: Option<i64>,
}

/// The ranks of the faces of a photo, which are given in the detector's order.
pub(super) fn of(faces: impl Iterator<Item = JudgedFace>) -> Vec<Ranks> {
    let faces: Vec<JudgedFace> = faces.collect();
    let ranked = |value: fn(&DetectedFace) -> f32| {
        let values: Vec<Option<f32>> = (faces.iter())
            .map(|face| match face.correction {
                None => Some(value(&face.face)),
                Some(Correction::Emotion(_)) => Some(VOUCHED),
                Some(Correction::NotAFace) => None,
            })
            .collect();
        let counted = values.iter().zip(&faces);
        let counted: Vec<Option<f32>> = counted
            .map(|(value, face)| value.filter(|_| face.is_face()))
            .collect();
        let ranks = (0..faces.len()).map(move |index| rank(&counted, index));
        values.into_iter().zip(ranks)
    };
    let sides = ranked(|face| face.bounding_box.short_side());
    let confidences = ranked(|face| face.score);
    sides
        .zip(confidences)
        .map(|((side, side_rank), (confidence, confidence_rank))| Ranks {
            side,
            side_rank,
            confidence,
            confidence_rank,
        })
        .collect()
}

/// The rank of one of several values, 1 for the greatest; equal values rank in their order.
fn rank(values: &[Option<f32>], index: usize) -> Option<i64> {
    let own = values[index]?;
    let is_before = |(other, value): &(usize, &Option<f32>)| {
        value.is_some_and(|value| value > own || value >= own && *other < index)
    };
    Some(1 + values.iter().enumerate().filter(is_before).count() as i64)
}

#[cfg(test)]
mod tests {
    use super::super::testing::face;
    use super::*;
    use crate::emotion::Emotion;

    #[test]
    fn a_face_that_a_person_vouched_for_ranks_first_and_a_rejected_one_has_no_rank() {
        let faces = [
            (60.0, 0.9, None),
            (80.0, 0.7, None),
            (90.0, 0.95, Some(Correction::NotAFace)),
            (20.0, 0.5, Some(Correction::Emotion(Emotion::Sad))),
            (60.0, 0.9, None),
        ];
        let ranks = of(faces.iter().map(|&(size, score, correction)| {
            let read = face(0.0, size, score, 0.5);
            JudgedFace {
                face: read.face,
                scores: read.scores,
                correction,
            }
        }));
        let found: Vec<_> = ranks
            .iter()
            .map(|ranks| (ranks.side_rank, ranks.confidence_rank))
            .collect();
        let expected = [
            (Some(3), Some(2)),
            (Some(2), Some(4)),
            (None, None),
            (Some(1), Some(1)),
            (Some(4), Some(3)),
        ];
        assert_eq!(found, expected);
        assert_eq!((ranks[3].side, ranks[0].side), (Some(VOUCHED), Some(60.0)));
    }

    #[test]
    fn what_is_no_human_face_has_no_rank_unless_a_person_vouched_for_it() {
        let pet = |correction| {
            let read = face(0.0, 90.0, 0.95, 0.5);
            JudgedFace {
                face: read.face,
                scores: read.scores.with_human(Some(0.1)),
                correction,
            }
        };
        let read = face(0.0, 60.0, 0.9, 0.5);
        let person = JudgedFace {
            face: read.face,
            scores: read.scores,
            correction: None,
        };
        let ranks = |pet| {
            let ranks = of([pet, person].into_iter());
            [ranks[0].side_rank, ranks[1].side_rank]
        };
        assert_eq!(ranks(pet(None)), [None, Some(1)]);
        let vouched = pet(Some(Correction::Emotion(Emotion::Happy)));
        assert_eq!(ranks(vouched), [Some(1), Some(2)]);
        // Its size is stored, which shows that it has been ranked.
        assert_eq!(of([pet(None)].into_iter())[0].side, Some(90.0));
    }
}
