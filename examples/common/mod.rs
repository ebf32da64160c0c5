//! Generates random photo analyses for the examples that fill a database.

use fer_index::emotion::{Emotion, EmotionScores};
use fer_index::face::{BoundingBox, DetectedFace, Landmarks, Point, ScoredFace};
use fer_index::facts::Statements;
use fer_index::features::Features;
use fer_index::photo::{Capture, ContentHash, Picture, PictureHash};
use fer_index::raster::Orientation;
use fer_index::store::{Models, PhotoAnalysis};

/// A linear congruential generator with the constants of Knuth's MMIX. The same seed gives the same
/// photos in every run.
pub struct Random(pub u64);

impl Random {
    /// A number from 0 up to, but not including, 1.
    pub fn uniform(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }
}

/// A face of 40 to 440 pixels with random probabilities.
pub fn face(random: &mut Random) -> ScoredFace {
    let (x, y) = (random.uniform() * 3500.0, random.uniform() * 2500.0);
    let side = 40.0 + random.uniform() * 400.0;
    let weights: [f32; Emotion::COUNT] = std::array::from_fn(|_| (random.uniform() * 8.0).exp());
    let sum: f32 = weights.iter().sum();
    // As many features as the built-in model has.
    let seen: [f32; 240] = std::array::from_fn(|i| weights[i % Emotion::COUNT] * (i % 7) as f32);
    ScoredFace {
        face: DetectedFace {
            bounding_box: BoundingBox {
                x,
                y,
                width: side,
                height: side * 1.3,
            },
            landmarks: Some(Landmarks::from_points([Point { x, y }; 5])),
            score: 0.6 + 0.4 * random.uniform(),
        },
        scores: EmotionScores::new(weights.map(|weight| weight / sum)),
        features: Some(Features::of(&seen)),
    }
}

/// A picture that differs for each number.
pub fn picture(number: u64) -> Picture {
    let hash = ContentHash::of(&[b"picture".as_slice(), &number.to_le_bytes()].concat());
    Picture {
        hash: PictureHash::from_bytes(*hash.as_bytes()),
        orientation: Orientation::Upright,
    }
}

/// The analysis of a photo of 12 megapixels.
pub fn analysis(
    capture: Capture,
    faces: Vec<ScoredFace>,
    unread: Vec<DetectedFace>,
) -> PhotoAnalysis<ScoredFace> {
    PhotoAnalysis {
        format: "JPEG".into(),
        width: 4000,
        height: 3000,
        statements: Statements::from(&capture),
        capture,
        people: Vec::new(),
        models: Models {
            detector: "yunet-s".into(),
            classifier: "fer-index 1".into(),
        },
        faces,
        unread,
        incomplete: None,
    }
}
