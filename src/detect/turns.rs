//! Finds which way up a face is.
//!
//! The network detects faces in every roll, but always predicts landmarks that are nearly upright. Its scores tell the
//! roll: in the middle of a patch, of 79 faces each scored 0.89 or more when upright, at most 0.90 when upside down, and
//! always more when upright; the median falls from 0.93 to 0.75 at 45° and 0.4 at 90°.

use std::f32::consts::{FRAC_PI_4, FRAC_PI_8, TAU};

use super::refine::{Patch, Refinement, roll};
use crate::face::{BoundingBox, DetectedFace};

/// The patch in which the rolls of a face are compared.
const PATCH: Patch = Patch {
    side: 96,
    face: 60.0,
};

/// The patch that shows where the landmarks of a face are that was turned.
const UPRIGHT_PATCH: Patch = Patch {
    side: 128,
    face: 77.0,
};

/// The landmarks of the larger patch count if the score falls by less than this.
const PRECISE_MARGIN: f32 = 0.05;

/// Number of rolls that are compared.
const ROLLS: usize = 8;

/// Least score that counts as evidence for a roll.
const EVIDENCE: f32 = 0.05;

/// A candidate that is no likely face as it is, and scores less than this in every quarter turn, is given up.
const HOPE: f32 = 0.4;

/// A turned detection replaces a face if its score is higher by more than this.
const MARGIN: f32 = 0.02;

/// Roll in radians for a difference of 1 between the scores of the rolls beside the best one: the score falls faster the
/// farther a face is from upright, so the better of the two neighbours shows on which side it is upright.
const LEAN: f32 = 0.85;

/// A face whose best roll differs by less than this, in radians, keeps its landmarks: they are more precise than the
/// comparison of the scores.
const PRECISION: f32 = 10.0 * TAU / 360.0;

/// An upright face whose landmarks show at least this roll, in radians, may have more: at 30° they show some 4°.
const SHOWN_ROLL: f32 = 3.5 * TAU / 360.0;

/// The same for an upright face that scores less than this: at 30°, nineteen of twenty do, upright every fourth.
const SHOWN_SCORE: f32 = 0.92;

/// Most doubtful candidates that are turned in a photo without a likely face: at 45° between the turns of the whole photo,
/// a face may be found in none of them.
const ALONE: usize = 1;

/// A doubtful candidate that lies within a certain face by more than this share of its area is a part of it.
const WITHIN: f32 = 0.5;

impl Refinement<'_> {
    /// Turns those of `faces` that are seen better in another roll than that of their landmarks. `faces` come best first,
    /// since their number is limited. In a photo without a likely face, few doubtful ones are turned, since all of the
    /// photo is.
    pub fn turn(&self, faces: &mut [DetectedFace]) {
        let is_likely = |face: &DetectedFace| face.score >= self.params.likely_score;
        let mut likely = self.params.max_turns;
        let mut doubtful = if faces.iter().any(is_likely) {
            self.params.max_doubtful_turns
        } else {
            ALONE
        };
        let mut certain: Vec<BoundingBox> = Vec::new();
        for face in faces.iter_mut() {
            if face.score < self.params.upright_threshold {
                let left = if face.score >= self.params.likely_score {
                    &mut likely
                } else {
                    &mut doubtful
                };
                if *left == 0 || !self.may_be_turned(face) || is_within(face, &certain) {
                    continue;
                }
                *left -= 1;
                let turned = self.turned(face);
                if let Some(turned) = turned.filter(|turned| self.counts(turned, face)) {
                    *face = self.precise(turned);
                }
            }
            if face.score >= self.params.upright_threshold {
                if may_lean(face) && certain.len() < self.params.max_turns {
                    *face = self.leaning(face).map_or(*face, |f| self.precise(f));
                }
                certain.push(face.bounding_box);
            }
        }
    }

    /// Whether a face scores less than upright ones, and enough to be a turned one. Small candidates were refined
    /// already.
    fn may_be_turned(&self, face: &DetectedFace) -> bool {
        let params = self.params;
        let least = if self.side_in_finest(face) < params.small_face {
            params.likely_score
        } else {
            params.min_turned_score
        };
        face.score >= least
    }

    /// Whether the turned detection replaces the face. What is no likely face as it is must be as certain as an upright
    /// face when it is turned: each roll is another chance of a false face.
    fn counts(&self, turned: &DetectedFace, face: &DetectedFace) -> bool {
        let least = if face.score < self.params.likely_score {
            self.params.confirm_turned
        } else {
            self.params.confirm_threshold
        };
        turned.score >= least && turned.score > face.score + MARGIN
    }

    /// The face in the roll in which it scores best; `None` if it is upright, or scores in no roll. Quarter turns are
    /// compared first, then the rolls beside the best of them.
    fn turned(&self, face: &DetectedFace) -> Option<DetectedFace> {
        let mut tries = [None; ROLLS];
        let mut scores = [0.0; ROLLS];
        let roll_of = |step: usize| roll(face) + TAU * step as f32 / ROLLS as f32;
        let mut compare = |steps: [usize; ROLLS / 2], scores: &mut [f32; ROLLS]| {
            for step in steps.map(|step| step % ROLLS) {
                if tries[step].is_none() {
                    tries[step] = self.pass(PATCH, face, roll_of(step), EVIDENCE);
                    scores[step] = score(tries[step]);
                }
            }
            (0..ROLLS).max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
        };
        let is_likely = face.score >= self.params.likely_score;
        let quarter = if is_likely {
            compare([0, 2, 4, 6], &mut scores)?
        } else {
            scores[0] = face.score;
            compare([2, 2, 4, 6], &mut scores)?
        };
        if !is_likely && (quarter == 0 || scores[quarter] < HOPE) {
            return None;
        }
        let beside = [quarter + 1, quarter + ROLLS - 1];
        let best = compare([beside[0], beside[1], beside[0], beside[1]], &mut scores)?;
        let at = |steps: usize| scores[(best + steps) % ROLLS];
        let between = lean(at(1), at(ROLLS - 1))
            .and_then(|lean| self.pass(PATCH, face, roll_of(best) + lean, EVIDENCE));
        let is_better = |between: &DetectedFace| between.score > scores[best] - MARGIN;
        between.filter(is_better).or(tries[best])
    }

    /// The face with the landmarks of a larger patch, in which it is upright already.
    fn precise(&self, face: DetectedFace) -> DetectedFace {
        let found = self.pass(
            UPRIGHT_PATCH,
            &face,
            roll(&face),
            self.params.confirm_threshold,
        );
        let found = found.filter(|found| found.score > face.score - PRECISE_MARGIN);
        found.map_or(face, |found| DetectedFace {
            score: found.score.max(face.score),
            ..found
        })
    }

    /// A certain face in the roll that its scores in patches turned to either side show; `None` if it is upright enough.
    fn leaning(&self, face: &DetectedFace) -> Option<DetectedFace> {
        let beside = [FRAC_PI_4, -FRAC_PI_4]
            .map(|turn| score(self.pass(PATCH, face, roll(face) + turn, EVIDENCE)));
        let lean = lean(beside[0], beside[1])?;
        let turned = self.pass(PATCH, face, roll(face) + lean, EVIDENCE)?;
        (turned.score > face.score - MARGIN).then(|| DetectedFace {
            score: turned.score.max(face.score),
            ..turned
        })
    }
}

fn score(face: Option<DetectedFace>) -> f32 {
    face.map_or(0.0, |face| face.score)
}

/// The roll in radians of a face that scores best between two rolls, 45° to either side, from its scores there; `None` if
/// it is too small to be told from none.
fn lean(more: f32, less: f32) -> Option<f32> {
    let lean = (LEAN * (more - less)).clamp(-FRAC_PI_8, FRAC_PI_8);
    (lean.abs() >= PRECISION).then_some(lean)
}

/// Whether a certain face may have another roll than its landmarks show.
fn may_lean(face: &DetectedFace) -> bool {
    roll(face).abs() >= SHOWN_ROLL || face.score < SHOWN_SCORE
}

/// Whether a face lies within one of the boxes, for the most part.
fn is_within(face: &DetectedFace, boxes: &[BoundingBox]) -> bool {
    let area = WITHIN * face.bounding_box.area();
    boxes
        .iter()
        .any(|certain| certain.intersection(&face.bounding_box) > area)
}
