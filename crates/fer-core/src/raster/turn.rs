//! Maps the faces of a picture from one orientation of it to another.

use super::Orientation;
use crate::affine::Affine;
use crate::face::{BoundingBox, DetectedFace, Landmarks};

/// The map between the upright coordinates of the same stored pixels under two orientations.
///
/// If only the orientation of a photo changes in its metadata, its faces are mapped by this instead of detected again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    map: Affine,
    mirrors: bool,
}

impl Turn {
    /// The map from the upright coordinates under `from` to those under `to`, for pixels that are stored in
    /// `stored` (width, height). `None` if nothing changes.
    pub fn between(from: Orientation, to: Orientation, stored: (u32, u32)) -> Option<Self> {
        if from == to {
            return None;
        }
        let (width, height) = stored;
        let back = to.upright_to_stored(width, height).inverse()?;
        let map = from.upright_to_stored(width, height).then(&back);
        let mirrors = map.x[0] * map.y[1] < map.x[1] * map.y[0];
        Some(Self { map, mirrors })
    }

    /// The box in the new coordinates. Its sides keep their lengths exactly.
    pub fn bounding_box(&self, at: &BoundingBox) -> BoundingBox {
        let (x, width) = span(self.map.x, at);
        let (y, height) = span(self.map.y, at);
        BoundingBox {
            x,
            y,
            width,
            height,
        }
    }

    /// The face in the new coordinates. In a mirror image, left and right are exchanged, and so are the names of the
    /// eyes and of the mouth corners.
    #[must_use]
    pub fn face(&self, face: &DetectedFace) -> DetectedFace {
        let landmarks = face.landmarks.map(|landmarks| {
            let moved = landmarks.map(|point| self.map.apply(point));
            if !self.mirrors {
                return moved;
            }
            Landmarks {
                left_eye: moved.right_eye,
                right_eye: moved.left_eye,
                left_mouth: moved.right_mouth,
                right_mouth: moved.left_mouth,
                ..moved
            }
        });
        DetectedFace {
            bounding_box: self.bounding_box(&face.bounding_box),
            landmarks,
            score: face.score,
        }
    }
}

/// Start and length of a box along the axis that a row of the map computes.
fn span(row: [f32; 3], at: &BoundingBox) -> (f32, f32) {
    let [across, down, shift] = row;
    let (start, length) = if across == 0.0 {
        (at.y, at.height)
    } else {
        (at.x, at.width)
    };
    let start = if across + down > 0.0 {
        start + shift
    } else {
        // In double precision, so that the far edge is not rounded before it becomes the near one.
        (f64::from(shift) - (f64::from(start) + f64::from(length))) as f32
    };
    (start, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affine::Point;
    use crate::raster::Raster;
    use image::{Rgb, RgbImage};

    const STORED: (u32, u32) = (13, 7);

    /// The box of the pixels with this colour in the upright picture.
    fn found(raster: &Raster, colour: Rgb<u8>) -> BoundingBox {
        let upright = raster.upright();
        let marked: Vec<_> = upright
            .enumerate_pixels()
            .filter(|(_, _, pixel)| **pixel == colour)
            .map(|(x, y, _)| (x as f32, y as f32))
            .collect();
        let least = |of: fn(&(f32, f32)) -> f32| marked.iter().map(of).fold(f32::MAX, f32::min);
        let most = |of: fn(&(f32, f32)) -> f32| marked.iter().map(of).fold(f32::MIN, f32::max);
        let (x, y) = (least(|p| p.0), least(|p| p.1));
        BoundingBox {
            x,
            y,
            width: most(|p| p.0) + 1.0 - x,
            height: most(|p| p.1) + 1.0 - y,
        }
    }

    #[test]
    fn boxes_and_landmarks_follow_the_pixels_between_all_orientations() {
        let (area, eye) = (Rgb([9, 9, 9]), Rgb([200, 0, 0]));
        let mut stored = RgbImage::new(STORED.0, STORED.1);
        for x in 2..6 {
            for y in 1..3 {
                stored.put_pixel(x, y, area);
            }
        }
        let mut marked = stored.clone();
        marked.put_pixel(11, 5, eye);
        for from in Orientation::ALL {
            for to in Orientation::ALL {
                let before = Raster::new(stored.clone(), from);
                let after = Raster::new(stored.clone(), to);
                let at = found(&before, area);
                let point = |raster: Raster| found(&raster, eye).centre();
                let landmark = point(Raster::new(marked.clone(), from));
                let face = DetectedFace {
                    bounding_box: at,
                    landmarks: Some(Landmarks::from_points([landmark; 5])),
                    score: 0.5,
                };
                let turned = Turn::between(from, to, STORED).map_or(face, |turn| turn.face(&face));
                assert_eq!(turned.bounding_box, found(&after, area), "{from:?} {to:?}");
                let expected = point(Raster::new(marked.clone(), to));
                assert_eq!(turned.landmarks.unwrap().nose, expected, "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn a_face_that_is_turned_there_and_back_is_the_same() {
        let point = |x, y| Point { x, y };
        let face = DetectedFace {
            bounding_box: BoundingBox {
                x: 1.25,
                y: 2.5,
                width: 3.75,
                height: 4.0,
            },
            landmarks: Some(Landmarks {
                left_eye: point(2.0, 3.0),
                right_eye: point(4.0, 3.0),
                nose: point(3.0, 4.0),
                left_mouth: point(2.5, 5.0),
                right_mouth: point(3.5, 5.0),
            }),
            score: 0.5,
        };
        for from in Orientation::ALL {
            for to in Orientation::ALL {
                let (there, back) = (
                    Turn::between(from, to, STORED),
                    Turn::between(to, from, STORED),
                );
                let turned = there.map_or(face, |turn| turn.face(&face));
                assert_eq!(back.map_or(turned, |turn| turn.face(&turned)), face);
            }
        }
    }

    #[test]
    fn eyes_exchange_their_names_only_in_a_mirrored_picture() {
        let point = |x, y| Point { x, y };
        let landmarks = Landmarks {
            left_eye: point(2.0, 3.0),
            right_eye: point(4.0, 3.0),
            nose: point(3.0, 4.0),
            left_mouth: point(2.5, 5.0),
            right_mouth: point(3.5, 5.0),
        };
        let face = DetectedFace {
            bounding_box: BoundingBox {
                x: 1.0,
                y: 2.0,
                width: 4.0,
                height: 4.0,
            },
            landmarks: Some(landmarks),
            score: 0.5,
        };
        let turned = |to| {
            let turn = Turn::between(Orientation::Upright, to, STORED).unwrap();
            turn.face(&face).landmarks.unwrap()
        };
        let mirrored = turned(Orientation::FlipHorizontal);
        assert_eq!(mirrored.left_eye, point(9.0, 3.0));
        assert_eq!(mirrored.right_eye, point(11.0, 3.0));
        assert_eq!(mirrored.left_mouth, point(9.5, 5.0));
        let upside_down = turned(Orientation::Rotate180);
        assert_eq!(upside_down.left_eye, point(11.0, 4.0));
    }
}
