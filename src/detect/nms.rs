//! Non-maximum suppression: reduces overlapping boxes to one box per face.

use crate::face::DetectedFace;

/// Keeps the highest-scored face of every overlapping group, best first.
///
/// Suppresses a face whose intersection over union with a better one exceeds `iou`, or whose intersection
/// over minimum area with a better one exceeds `iom`: one of the two boxes lies inside the other. The
/// second rule removes boxes that the first one misses, such as a nose-and-mouth box within a face.
pub fn suppress(mut faces: Vec<DetectedFace>, iou: f32, iom: f32) -> Vec<DetectedFace> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<DetectedFace> = Vec::new();
    for face in faces {
        let candidate = &face.bounding_box;
        let suppressed = kept.iter().any(|better| {
            let better = &better.bounding_box;
            let smaller = better.area().min(candidate.area()).max(f32::MIN_POSITIVE);
            better.iou(candidate) > iou || better.intersection(candidate) / smaller > iom
        });
        if !suppressed {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::BoundingBox;

    fn face(x: f32, side: f32, score: f32) -> DetectedFace {
        let bounding_box = BoundingBox {
            x,
            y: 0.0,
            width: side,
            height: side,
        };
        DetectedFace {
            bounding_box,
            landmarks: None,
            score,
        }
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
    fn a_box_inside_a_better_one_is_suppressed() {
        assert_eq!(
            suppress(vec![face(2.0, 4.0, 0.6), face(0.0, 10.0, 0.8)], 0.4, 0.8).len(),
            1
        );
    }
}
