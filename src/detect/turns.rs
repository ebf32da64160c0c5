//! Finds the roll of a face.
//!
//! The network detects faces in every roll, but always predicts landmarks that are nearly upright. Its scores show the
//! roll: in the middle of a patch, each of 79 faces scored 0.89 or more when upright, at most 0.90 when upside down,
//! and always more when upright; the median falls from 0.93 to 0.75 at 45° and 0.4 at 90°.

use std::f32::consts::{FRAC_PI_4, FRAC_PI_8, TAU};

use super::refine::{Patch, Refinement, roll};
use crate::face::{BoundingBox, DetectedFace, Landmarks, Point};

/// The patch in which the rolls of a face are compared.
const PATCH: Patch = Patch {
    side: 96,
    face: 60.0,
};

/// The patch in which the landmarks of a turned face are found.
const UPRIGHT_PATCH: Patch = Patch {
    side: 128,
    face: 77.0,
};

/// Further sizes at which the landmarks of a turned face are found, in pixels of that patch.
const MORE_SIZES: [f32; 2] = [64.0, 90.0];

/// The landmarks of the larger patch count if the score falls by less than this.
const PRECISE_MARGIN: f32 = 0.05;

/// Number of rolls that are compared.
const ROLLS: usize = 8;

/// Least score that counts as evidence for a roll.
const MIN_ROLL_SCORE: f32 = 0.05;

/// A candidate that is not a likely face is dropped if it scores less than this in every quarter turn.
const MIN_QUARTER_SCORE: f32 = 0.4;

/// A candidate with at least this score may be upright between the quarter turns, at which it then scores no more than
/// before.
const BETWEEN_FROM: f32 = 0.3;

/// If a quarter turn scores at least this, the face is upright in it within some 20°.
const NEAR_UPRIGHT: f32 = 0.85;

/// A turned detection replaces a face if its score is higher by more than this.
const MARGIN: f32 = 0.02;

/// The same if the scores of two patches are compared.
const PATCH_MARGIN: f32 = 0.015;

/// A face that scores at least this in the photo has the roll of its landmarks, as far as scores can show.
const MAX_TURNED_SCORE: f32 = 0.93;

/// Roll in radians per difference of 1 between the scores of the rolls on either side of the best one. The score falls
/// faster the farther a face is from upright, so the better neighbour shows the direction in which it is upright.
const ROLL_PER_SCORE: f32 = 0.85;

/// A face whose best roll differs by less than this, in radians, keeps its landmarks: they are more precise than the
/// comparison of the scores.
const PRECISION: f32 = 10.0 * TAU / 360.0;

/// An upright face whose landmarks show at least this roll, in radians, may have a larger one: at 30° they show some
/// 4°.
const SHOWN_ROLL: f32 = 3.5 * TAU / 360.0;

/// An upright face that scores less than this may also be rolled: nineteen of twenty do at 30°, and one of four if they
/// are upright.
const SHOWN_SCORE: f32 = 0.92;

/// Most doubtful candidates that are turned in a photo without a likely face. All of such a photo is turned as well,
/// but a face at 45° between these turns may be found in none of them.
const MAX_TURNS_WITHOUT_LIKELY: usize = 1;

/// A doubtful candidate of which more than this share is inside a certain face is a part of that face.
const PART_SHARE: f32 = 0.5;

impl Refinement<'_> {
    /// Turns those of `faces` that score higher in another roll than that of their landmarks. `faces` are sorted best
    /// first, since the number of turns is limited. In a photo without a likely face, few doubtful ones are turned,
    /// since the whole photo is.
    pub fn turn(&self, faces: &mut [DetectedFace]) {
        let params = self.params;
        let is_likely = |face: &DetectedFace| face.score >= params.likely_score;
        let is_upright = |face: &DetectedFace| face.score >= params.upright_threshold;
        let (mut upright, mut likely) = (params.max_turns, params.max_turns);
        let mut doubtful = if faces.iter().any(is_likely) {
            params.max_doubtful_turns
        } else {
            MAX_TURNS_WITHOUT_LIKELY
        };
        let mut certain: Vec<BoundingBox> = Vec::new();
        for face in faces.iter_mut() {
            let left = if is_upright(face) {
                &mut upright
            } else if is_likely(face) {
                &mut likely
            } else {
                &mut doubtful
            };
            if *left > 0 && self.may_be_turned(face) && !is_within(face, &certain) {
                *left -= 1;
                if let Some(turned) = self.turned(face) {
                    *face = self.precise(turned);
                }
            }
            if is_upright(face) {
                if certain.len() < params.max_turns && may_be_rolled(face) {
                    *face = self
                        .with_roll_offset(face)
                        .map_or(*face, |f| self.precise(f));
                }
                certain.push(face.bounding_box);
            }
        }
    }

    /// Whether a face has a score that turned faces have. Small candidates were refined already.
    fn may_be_turned(&self, face: &DetectedFace) -> bool {
        let params = self.params;
        let least = if self.side_in_finest(face) < params.small_face {
            params.likely_score
        } else {
            params.min_turned_score
        };
        (least..MAX_TURNED_SCORE).contains(&face.score)
    }

    /// The face in the roll in which it scores best, if it is more certain there; `None` if it is upright. For a
    /// candidate that is not a likely face, quarter turns are compared first, then the rolls next to the best of them.
    fn turned(&self, face: &DetectedFace) -> Option<DetectedFace> {
        let mut tries = [None; ROLLS];
        let mut scores = [0.0; ROLLS];
        let roll_of = |step: usize| roll(face) + TAU * step as f32 / ROLLS as f32;
        let mut compare = |steps: &[usize]| {
            for step in steps.iter().map(|step| step % ROLLS) {
                if tries[step].is_none() {
                    tries[step] = self.pass(PATCH, face, roll_of(step), MIN_ROLL_SCORE);
                    scores[step] = score(tries[step]);
                }
            }
            let best = (0..ROLLS).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            (best.unwrap_or_default(), scores)
        };
        let is_likely = face.score >= self.params.likely_score;
        let best = if is_likely {
            compare(&[0, 1, 2, 3, 4, 5, 6, 7]).0
        } else {
            let (mut quarter, mut scores) = compare(&[2, 4, 6]);
            if face.score >= BETWEEN_FROM && scores[quarter] < NEAR_UPRIGHT {
                (quarter, scores) = compare(&[1, 3, 5, 7]);
            }
            if scores[quarter] < face.score.max(MIN_QUARTER_SCORE) {
                return None;
            }
            compare(&[quarter + 1, quarter + ROLLS - 1]).0
        };
        let at = |steps: usize| scores[(best + steps) % ROLLS];
        let between = roll_offset(at(1), at(ROLLS - 1))
            .and_then(|offset| self.pass(PATCH, face, roll_of(best) + offset, MIN_ROLL_SCORE));
        let is_better = |between: &DetectedFace| between.score > at(0) - MARGIN;
        let turned = between.filter(is_better).or(tries[best])?;
        let is_more_certain = if !is_likely {
            // It must be as certain as an upright face, since each roll is another chance of a false face.
            turned.score >= self.params.confirm_turned
        } else if best == 0 {
            turned.score > face.score + MARGIN
        } else {
            turned.score > scores[0] + PATCH_MARGIN && turned.score > face.score - MARGIN
        };
        (is_more_certain && turned.score >= self.params.confirm_threshold).then_some(turned)
    }

    /// The face with the landmarks of larger patches in which it is upright. Landmarks found at several sizes differ by
    /// some hundredths of the face's width, so their mean is used.
    fn precise(&self, face: DetectedFace) -> DetectedFace {
        let found = self.confirm(&face);
        let found = found.filter(|found| found.score > face.score - PRECISE_MARGIN);
        let face = found.map_or(face, |found| DetectedFace {
            score: found.score.max(face.score),
            ..found
        });
        let least = self.params.confirm_threshold;
        let others = MORE_SIZES.iter().filter_map(|&size| {
            let patch = Patch {
                face: size,
                ..UPRIGHT_PATCH
            };
            self.pass(patch, &face, roll(&face), least)?.landmarks
        });
        let all: Vec<Landmarks> = face.landmarks.into_iter().chain(others).collect();
        DetectedFace {
            landmarks: mean(&all),
            ..face
        }
    }

    /// The face as detected in a patch in which it is upright by its landmarks; `None` if it is not certain there.
    fn confirm(&self, face: &DetectedFace) -> Option<DetectedFace> {
        let least = self.params.confirm_threshold;
        self.pass(UPRIGHT_PATCH, face, roll(face), least)
    }

    /// The same for a face of a small turned copy, in either patch: the larger one shows less of a face at the photo's
    /// border.
    pub fn confirm_hint(&self, face: &DetectedFace) -> Option<DetectedFace> {
        let least = self.params.confirm_threshold;
        self.confirm(face)
            .or_else(|| self.pass(PATCH, face, roll(face), least))
    }

    /// A certain face in the roll that its scores in patches rotated to either side show; `None` if it is upright
    /// enough.
    fn with_roll_offset(&self, face: &DetectedFace) -> Option<DetectedFace> {
        let beside = [FRAC_PI_4, -FRAC_PI_4]
            .map(|turn| score(self.pass(PATCH, face, roll(face) + turn, MIN_ROLL_SCORE)));
        let offset = roll_offset(beside[0], beside[1])?;
        let turned = self.pass(PATCH, face, roll(face) + offset, MIN_ROLL_SCORE)?;
        (turned.score > face.score - MARGIN).then(|| DetectedFace {
            score: turned.score.max(face.score),
            ..turned
        })
    }
}

/// The mean of landmarks; `None` if there are none.
fn mean(all: &[Landmarks]) -> Option<Landmarks> {
    let share = 1.0 / all.len() as f32;
    let mean = |part: fn(Point) -> f32, index: usize| -> f32 {
        all.iter().map(|l| part(l.points()[index])).sum::<f32>() * share
    };
    let point = |index| Point {
        x: mean(|p| p.x, index),
        y: mean(|p| p.y, index),
    };
    (!all.is_empty()).then(|| Landmarks::from_points(std::array::from_fn(point)))
}

fn score(face: Option<DetectedFace>) -> f32 {
    face.map_or(0.0, |face| face.score)
}

/// The roll in radians of a face that scores best between two rolls, 45° to either side, from its scores there; `None`
/// if it is too small to be significant.
fn roll_offset(more: f32, less: f32) -> Option<f32> {
    let offset = (ROLL_PER_SCORE * (more - less)).clamp(-FRAC_PI_8, FRAC_PI_8);
    (offset.abs() >= PRECISION).then_some(offset)
}

/// Whether a certain face may have another roll than its landmarks show.
fn may_be_rolled(face: &DetectedFace) -> bool {
    roll(face).abs() >= SHOWN_ROLL || face.score < SHOWN_SCORE
}

/// Whether most of a face is inside one of the boxes.
fn is_within(face: &DetectedFace, boxes: &[BoundingBox]) -> bool {
    let area = PART_SHARE * face.bounding_box.area();
    boxes
        .iter()
        .any(|certain| certain.intersection(&face.bounding_box) > area)
}
