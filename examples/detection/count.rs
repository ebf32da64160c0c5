//! Compares the faces that were found with those that a picture contains.

use std::fmt;

use fer_index::affine::{Affine, Point};
use fer_index::emotion::Emotion;
use fer_index::face::{DetectedFace, Landmarks};

/// Largest distance between the middles of a found and the expected face, as a share of the face's side.
const MAX_OFFSET: f32 = 0.35;

/// Largest ratio between the sides of a found and the expected face, either way.
const MAX_RATIO: f32 = 1.8;

/// Largest error of an eye's position that counts as correct, as a share of the face's width.
const EYE: f32 = 0.06;

/// A face that a picture contains.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    middle: Point,
    /// Square root of the box's area.
    side: f32,
    /// Width of the upright face's box.
    width: f32,
    landmarks: Option<Landmarks>,
    emotion: Emotion,
}

impl Expected {
    /// A face of a photo whose pixels were moved by `map`.
    pub fn new(face: &DetectedFace, emotion: Emotion, map: &Affine) -> Self {
        let scale = map.x[0].hypot(map.y[0]);
        Self {
            middle: map.apply(face.bounding_box.centre()),
            side: face.bounding_box.area().sqrt() * scale,
            width: face.bounding_box.width * scale,
            landmarks: face.landmarks.map(|l| l.map(|point| map.apply(point))),
            emotion,
        }
    }

    /// The edges of its box, its eyes, and the emotion; `None` without landmarks.
    pub fn label(&self) -> Option<([f32; 8], Emotion)> {
        let (Point { x, y }, l) = (self.middle, self.landmarks?);
        let (left, right) = (l.left_eye, l.right_eye);
        let (width, length) = (self.width / 2.0, self.side.powi(2) / self.width / 2.0);
        // The width of the face is in the direction of its eyes.
        let is_upright = (right.x - left.x).abs() >= (right.y - left.y).abs();
        let (across, down) = if is_upright {
            (width, length)
        } else {
            (length, width)
        };
        let numbers = [
            x - across,
            y - down,
            x + across,
            y + down,
            left.x,
            left.y,
            right.x,
            right.y,
        ];
        Some((numbers, self.emotion))
    }

    fn offset(&self, face: &DetectedFace) -> f32 {
        let middle = face.bounding_box.centre();
        (middle.x - self.middle.x).hypot(middle.y - self.middle.y) / self.side
    }

    fn is(&self, face: &DetectedFace) -> bool {
        let ratio = face.bounding_box.area().sqrt() / self.side;
        self.offset(face) <= MAX_OFFSET && (1.0 / MAX_RATIO..=MAX_RATIO).contains(&ratio)
    }

    fn has_its_eyes(&self, face: &DetectedFace) -> bool {
        let (Some(a), Some(b)) = (self.landmarks, face.landmarks) else {
            return false;
        };
        let near = |a: Point, b: Point| (a.x - b.x).hypot(a.y - b.y) <= EYE * self.width;
        near(a.left_eye, b.left_eye) && near(a.right_eye, b.right_eye)
    }
}

/// The counts of the faces found in some pictures.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub pictures: usize,
    pub faces: usize,
    pub found: usize,
    pub eyes: usize,
    pub emotion: usize,
    pub doubles: usize,
    pub others: usize,
}

impl Counts {
    /// The counts of one picture. `emotion` reads that of a found face.
    pub fn of(
        expected: &[Expected],
        found: &[DetectedFace],
        emotion: impl Fn(&DetectedFace) -> Emotion,
    ) -> Self {
        let mut counts = Self {
            pictures: 1,
            faces: expected.len(),
            ..Self::default()
        };
        let mut left: Vec<&DetectedFace> = found.iter().collect();
        for face in expected {
            let offset = |index: &usize| face.offset(left[*index]);
            let same = (0..left.len()).filter(|&index| face.is(left[index]));
            let Some(best) = same.min_by(|a, b| offset(a).total_cmp(&offset(b))) else {
                continue;
            };
            let best = left.swap_remove(best);
            counts.found += 1;
            counts.eyes += usize::from(face.has_its_eyes(best));
            counts.emotion += usize::from(emotion(best) == face.emotion);
        }
        let within = |face: &&DetectedFace| expected.iter().any(|e| e.offset(face) < 0.6);
        counts.doubles = left.iter().copied().filter(|face| within(face)).count();
        counts.others = left.len() - counts.doubles;
        counts
    }

    pub fn add(&mut self, other: &Self) {
        self.pictures += other.pictures;
        self.faces += other.faces;
        self.found += other.found;
        self.eyes += other.eyes;
        self.emotion += other.emotion;
        self.doubles += other.doubles;
        self.others += other.others;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pictures,
            faces,
            found,
            doubles,
            others,
            ..
        } = self;
        let percent = |part: usize| 100.0 * part as f64 / (*faces).max(1) as f64;
        let (eyes, emotion) = (percent(self.eyes), percent(self.emotion));
        write!(
            f,
            "{pictures:8} {faces:6} {found:6} ({:5.1} %) {eyes:5.1} % {emotion:5.1} % {doubles:5} {others:6}",
            percent(*found)
        )
    }
}
