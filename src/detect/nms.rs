//! Non-maximum suppression: reduces overlapping boxes to one box per face.

use crate::face::{BoundingBox, DetectedFace};

/// Two nested boxes belong to one face if the ratio of their sides is at least this.
const MIN_SIDE_RATIO: f32 = 0.6;

/// If more than this share of a box is inside another one, it may show a part of the other's face.
const MIN_PART_SHARE: f32 = 0.5;

/// Two boxes that both score this are two faces: parts of a face score less.
const CERTAIN_SCORE: f32 = 0.8;

/// How far the middle of a box around a part of a face may be outside the landmarks of that face, as a share of their
/// extent.
const MARGIN: f32 = 0.15;

/// Keeps the highest-scored face of every overlapping group, best first.
///
/// Suppresses a face that overlaps a better one, if
/// - their intersection over union exceeds `iou`;
/// - or their intersection over minimum area exceeds `iom`, and their sizes are similar;
/// - or the smaller of the two is a part of the larger, such as a nose-and-mouth box within a face.
///
/// Only better faces suppress a face, so the result for faces of any score does not depend on those that score less.
pub fn suppress(mut faces: Vec<DetectedFace>, iou: f32, iom: f32) -> Vec<DetectedFace> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<DetectedFace> = Vec::new();
    // Leaves and pebbles cause thousands of boxes, most of which do not overlap, so their edges are compared first.
    let mut edges: Vec<[f32; 4]> = Vec::new();
    for face in faces {
        let candidate = &face.bounding_box;
        let [left, upper, right, lower] = edges_of(candidate);
        #[allow(
            clippy::needless_bitwise_bool,
            reason = "one branch that is hardly ever taken costs less than four that cannot be predicted"
        )]
        let overlap =
            |&[l, u, r, d]: &[f32; 4]| (l < right) & (left < r) & (u < lower) & (upper < d);
        let near = edges.iter().zip(&kept).filter(|(edges, _)| overlap(edges));
        let suppressed = near.map(|(_, better)| better).any(|better| {
            let inner = better.bounding_box.area().min(candidate.area());
            let within = better.bounding_box.intersection(candidate) / inner.max(f32::MIN_POSITIVE);
            better.bounding_box.iou(candidate) > iou
                || within > iom && are_similar(better, &face)
                || within > MIN_PART_SHARE && face.score < CERTAIN_SCORE && is_part(better, &face)
        });
        if !suppressed {
            edges.push(edges_of(candidate));
            kept.push(face);
        }
    }
    kept
}

/// The left, upper, right and lower edge of a box.
fn edges_of(at: &BoundingBox) -> [f32; 4] {
    [at.x, at.y, at.x + at.width, at.y + at.height]
}

/// Whether two faces have similar sizes.
fn are_similar(a: &DetectedFace, b: &DetectedFace) -> bool {
    let (a, b) = (a.bounding_box.area(), b.bounding_box.area());
    a.min(b) >= MIN_SIDE_RATIO.powi(2) * a.max(b)
}

/// Whether the smaller of two faces is a part of the larger: its middle is among the landmarks of the larger, which a
/// separate face would hide. The face of a child in front of a parent, or on a poster in the photo, is beside them. If
/// the larger face has no landmarks, the smaller counts as a part.
fn is_part(a: &DetectedFace, b: &DetectedFace) -> bool {
    let (smaller, larger) = if a.bounding_box.area() < b.bounding_box.area() {
        (a, b)
    } else {
        (b, a)
    };
    let middle = smaller.bounding_box.centre();
    let spans = |values: [f32; 5], value: f32| {
        let least = values.into_iter().fold(f32::INFINITY, f32::min);
        let most = values.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let margin = MARGIN * (most - least);
        (least - margin..=most + margin).contains(&value)
    };
    larger.landmarks.is_none_or(|landmarks| {
        let points = landmarks.points();
        spans(points.map(|p| p.x), middle.x) && spans(points.map(|p| p.y), middle.y)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affine::Affine;
    use crate::face::{Landmarks, Point};

    /// A face whose landmarks are in the middle of its box, from 0.3 to 0.7 across and from 0.4 to 0.8 down.
    fn face(x: f32, side: f32, score: f32) -> DetectedFace {
        let points = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)];
        let points = points.map(|(across, down)| Point {
            x: x + across * side,
            y: down * side,
        });
        let bounding_box = BoundingBox {
            x,
            y: 0.0,
            width: side,
            height: side,
        };
        DetectedFace {
            bounding_box,
            landmarks: Some(Landmarks::from_points(points)),
            score,
        }
    }

    fn lower(face: DetectedFace, by: f32) -> DetectedFace {
        face.through(&Affine {
            x: [1.0, 0.0, 0.0],
            y: [0.0, 1.0, by],
        })
    }

    #[test]
    fn the_best_of_an_overlapping_group_is_kept() {
        let kept = suppress(vec![face(1.0, 10.0, 0.7), face(0.0, 10.0, 0.9)], 0.4, 0.8);
        assert_eq!(kept, [face(0.0, 10.0, 0.9)]);
    }

    #[test]
    fn neighbours_are_kept_and_sorted_best_first() {
        let kept = suppress(vec![face(0.0, 10.0, 0.6), face(9.0, 10.0, 0.8)], 0.4, 0.8);
        assert_eq!(kept, [face(9.0, 10.0, 0.8), face(0.0, 10.0, 0.6)]);
    }

    #[test]
    fn a_part_of_a_face_is_suppressed_or_the_face_around_a_better_part() {
        for side in [2.0, 4.0, 6.0] {
            for (part, whole) in [(0.6, 0.8), (0.8, 0.6)] {
                let part = lower(face(5.0 - side / 2.0, side, part), 7.0 - side / 2.0);
                let kept = suppress(vec![part, face(0.0, 10.0, whole)], 0.4, 0.8);
                assert_eq!(kept.len(), 1, "{side}: {part:?}, {whole}");
            }
        }
    }

    #[test]
    fn a_small_face_beside_the_landmarks_of_a_large_one_is_kept_with_it() {
        for side in [1.0, 2.0, 4.0] {
            for (small, large) in [(0.6, 0.8), (0.8, 0.6)] {
                let small = lower(face(0.0, side, small), 10.0 - side);
                let kept = suppress(vec![small, face(0.0, 10.0, large)], 0.4, 0.8);
                assert_eq!(kept.len(), 2, "{side}: {small:?}, {large}");
            }
        }
    }
}
