//! Analyses photos on the calling thread: from a file's bytes to faces with their emotions. This part needs no database.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::classify::{Classification, EmotionClassifier, FaceCrop, crop_face, crop_framed};
use crate::detect::FaceDetector;
use crate::error::Skip;
use crate::face::{BoundingBox, DetectedFace, ScoredFace};
use crate::facts::{Statements, may_be_same_face, of_content};
use crate::imaging::{self, Decoded, Facts, Limits};
use crate::likeness::FacePicture;
use crate::photo::Capture;
use crate::raster::Raster;
use crate::store::{Models, PhotoAnalysis};

/// Maximum number of named regions of a photo that are searched more closely. Metadata may name any number of people.
const MAX_CLOSER_SEARCHES: usize = 64;

/// Minimum length of the shorter side of a region that is searched more closely, in pixels.
const MIN_REGION_SIDE: f32 = 4.0;

/// Analyses photos with a detector and a classifier, on the calling thread.
pub struct LocalAnalyser {
    detector: Box<dyn FaceDetector>,
    pub(super) classifier: Box<dyn EmotionClassifier>,
    limits: Limits,
    min_face: f32,
}

impl LocalAnalyser {
    /// Creates an analyser. Faces whose shorter side is less than `min_face` pixels are detected, but too small for
    /// their emotion to be read.
    pub fn new(
        detector: Box<dyn FaceDetector>,
        classifier: Box<dyn EmotionClassifier>,
        limits: Limits,
        min_face: f32,
    ) -> Self {
        Self {
            detector,
            classifier,
            limits,
            min_face,
        }
    }

    /// The limits for decoding a photo.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The names of the models, as they are stored with their results.
    pub fn models(&self) -> Models {
        Models {
            detector: self.detector.model().to_owned(),
            classifier: self.classifier.model().to_owned(),
        }
    }

    /// Decodes a photo, detects its faces and reads the emotion of each.
    ///
    /// # Errors
    /// If the bytes are not a photo that can be decoded.
    pub fn photo(&self, bytes: &[u8]) -> Result<PhotoAnalysis<ScoredFace>, Skip> {
        self.analyse_decoded(self.decode(None, bytes)?, &[], |_| ())
            .map(|(analysis, ())| analysis)
    }

    /// Decodes a photo as far as the detector needs it. If the bytes are owned, their memory is freed meanwhile.
    pub(super) fn decode<'a>(
        &self,
        facts: Option<Facts>,
        bytes: impl Into<Cow<'a, [u8]>>,
    ) -> Result<Decoded, Skip> {
        let wanted = |width, height| self.detector.copy_of(width, height);
        imaging::decode_for(&wanted, facts, bytes, &self.limits)
    }

    /// Detects the faces of a decoded photo. `named` are the regions in which people are named; those in which no face
    /// is found are searched more closely.
    pub(super) fn find_faces(
        &self,
        decoded: &Decoded,
        named: &[BoundingBox],
    ) -> Result<FoundFaces, Skip> {
        let mut faces = self.detector.detect(&decoded.raster)?;
        let has_no_face = |at: &&BoundingBox| {
            let mut found = faces.iter();
            may_show_face(&decoded.raster, at)
                && !found.any(|face| may_be_same_face(&face.bounding_box, at))
        };
        let without_face = named
            .iter()
            .filter(has_no_face)
            .copied()
            .take(MAX_CLOSER_SEARCHES);
        let without_face: Vec<BoundingBox> = without_face.collect();
        if !without_face.is_empty() {
            let found = self.detector.detect_at(&decoded.raster, &without_face)?;
            for face in found.into_iter().flatten() {
                let is_same = |other: &DetectedFace| {
                    may_be_same_face(&face.bounding_box, &other.bounding_box)
                };
                if !faces.iter().any(is_same) {
                    faces.push(face);
                }
            }
        }
        let (large_enough, unread) = faces
            .into_iter()
            .filter(|face| is_decoded(decoded, &face.bounding_box))
            .partition(|face| face.bounding_box.short_side() >= self.min_face);
        Ok(FoundFaces {
            size: (decoded.raster.width(), decoded.raster.height()),
            large_enough,
            unread,
            incomplete: decoded.lost.as_ref().map(|lost| lost.problem.clone()),
        })
    }

    /// Reads the emotions of faces of a decoded photo.
    pub(super) fn classify(
        &self,
        decoded: &Decoded,
        faces: &[DetectedFace],
    ) -> Vec<Classification> {
        self.classifier.infer(&crops(decoded, faces))
    }

    /// Detects the faces of a decoded photo and reads the emotion of each; see [`Opened::analyse`](super::Opened::analyse).
    pub(super) fn analyse_decoded<T>(
        &self,
        decoded: Decoded,
        named: &[BoundingBox],
        on_found: impl FnOnce(&mut FoundInPhoto<'_>) -> T,
    ) -> Result<(PhotoAnalysis<ScoredFace>, T), Skip> {
        let found = self.find_faces(&decoded, named)?;
        let mut pictures = || pictures(&decoded, &found.large_enough);
        let seen = on_found(&mut FoundInPhoto {
            capture: decoded.capture(),
            size: found.size,
            faces: &found.large_enough,
            pictures: &mut pictures,
        });
        let classifications = self.classify(&decoded, &found.large_enough);
        let analysis = self.analysis(decoded, found, classifications);
        Ok((analysis, seen))
    }

    /// Reads the emotion of a picture that is one cropped face, without detection. The picture has no face if a model
    /// with independent outputs gives no emotion a score ([`MIN_SUM`](crate::network::MIN_SUM)).
    ///
    /// # Errors
    /// If the bytes are not a picture that can be decoded.
    pub fn analyse_cropped_face(&self, bytes: &[u8]) -> Result<PhotoAnalysis<ScoredFace>, Skip> {
        let decoded = imaging::decode(bytes, &self.limits)?;
        let raster = &decoded.raster;
        let bounding_box = BoundingBox {
            x: 0.0,
            y: 0.0,
            width: raster.width() as f32,
            height: raster.height() as f32,
        };
        let face = DetectedFace {
            bounding_box,
            landmarks: None,
            score: 1.0,
        };
        let mut classifications = self.classifier.infer(&[crop_framed(raster)]);
        // The person has said that the picture is a face, so the human score is left out.
        for classification in &mut classifications {
            classification.scores = classification.scores.with_human(None);
        }
        classifications
            .retain(|classification| classification.scores.iter().any(|(_, score)| score > 0.0));
        let found = FoundFaces {
            size: (raster.width(), raster.height()),
            large_enough: classifications.iter().map(|_| face).collect(),
            unread: Vec::new(),
            incomplete: decoded.lost.as_ref().map(|lost| lost.problem.clone()),
        };
        Ok(self.analysis(decoded, found, classifications))
    }

    /// The analysis of a decoded photo, from its faces and what was read in them.
    pub(super) fn analysis(
        &self,
        decoded: Decoded,
        found: FoundFaces,
        classifications: Vec<Classification>,
    ) -> PhotoAnalysis<ScoredFace> {
        let format = decoded.format.name();
        analysis(
            self.models(),
            format,
            decoded.statements,
            found,
            classifications,
        )
    }

    /// Decodes a photo and detects its faces of any size, without reading emotions.
    ///
    /// # Errors
    /// If the bytes are not a photo that can be decoded.
    pub fn detect(&self, bytes: &[u8]) -> Result<(Raster, Vec<DetectedFace>), Skip> {
        let decoded = self.decode(None, bytes)?;
        let mut faces = self.detector.detect(&decoded.raster)?;
        faces.retain(|face| is_decoded(&decoded, &face.bounding_box));
        Ok((decoded.raster, faces))
    }
}

/// The analysis of a photo, from its parts.
pub(super) fn analysis(
    models: Models,
    format: &str,
    statements: Statements,
    found: FoundFaces,
    classifications: Vec<Classification>,
) -> PhotoAnalysis<ScoredFace> {
    let (width, height) = found.size;
    let faces = found.large_enough.into_iter().zip(classifications).map(
        |(face, Classification { scores, features })| ScoredFace {
            face,
            scores,
            features: Some(features),
        },
    );
    PhotoAnalysis {
        incomplete: found.incomplete,
        format: format.to_owned(),
        width,
        height,
        capture: of_content(&statements),
        statements,
        people: Vec::new(),
        models,
        faces: faces.collect(),
        unread: found.unread,
    }
}

/// The faces of a photo before their emotions are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FoundFaces {
    /// Width and height of the upright photo in pixels.
    pub size: (u32, u32),
    /// The faces that are large enough to be read.
    pub large_enough: Vec<DetectedFace>,
    /// The others.
    pub unread: Vec<DetectedFace>,
    /// What is wrong with the file, if only a part of it could be decoded.
    pub incomplete: Option<String>,
}

/// What is known of a photo when its faces have been found, and their emotions not yet read.
pub(super) struct FoundInPhoto<'a> {
    /// The facts of the photo by its content alone.
    pub capture: Capture,
    /// Width and height of the upright photo in pixels.
    pub size: (u32, u32),
    /// The faces that are large enough to be read.
    pub faces: &'a [DetectedFace],
    pub(super) pictures: &'a mut dyn FnMut() -> Vec<FacePicture>,
}

impl FoundInPhoto<'_> {
    /// The pictures of the faces; none if they are no longer available, and then the photo's analysis fails as well.
    pub fn pictures(&mut self) -> Vec<FacePicture> {
        (self.pictures)()
    }
}

/// The crops of faces of a decoded photo, as the classifier reads them.
pub(super) fn crops(decoded: &Decoded, faces: &[DetectedFace]) -> Vec<FaceCrop> {
    faces
        .iter()
        .map(|face| crop_face(&decoded.raster, face))
        .collect()
}

/// The pictures of faces of a decoded photo.
pub(super) fn pictures(decoded: &Decoded, faces: &[DetectedFace]) -> Vec<FacePicture> {
    let picture = |face| FacePicture::of(&decoded.raster, face);
    faces.iter().map(picture).collect()
}

/// Whether a region from metadata lies in the photo and can contain a face.
fn may_show_face(photo: &Raster, at: &BoundingBox) -> bool {
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    let middle = at.centre();
    at.short_side() >= MIN_REGION_SIDE
        && at.width <= 2.0 * width
        && at.height <= 2.0 * height
        && (0.0..width).contains(&middle.x)
        && (0.0..height).contains(&middle.y)
}

/// Whether no part of a box lies where the photo could not be decoded.
fn is_decoded(decoded: &Decoded, at: &BoundingBox) -> bool {
    let lost = decoded.lost.as_ref();
    lost.is_none_or(|lost| !lost.touches(&decoded.raster, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::{Emotion, EmotionScores};
    use crate::features::Features;
    use crate::raster::Orientation;

    struct Nothing;

    impl FaceDetector for Nothing {
        fn model(&self) -> &'static str {
            "nothing"
        }

        fn detect(&self, _: &Raster) -> Result<Vec<DetectedFace>, Skip> {
            Ok(Vec::new())
        }
    }

    /// Gives happy this score and the others none.
    struct Happy(f32);

    impl EmotionClassifier for Happy {
        fn model(&self) -> &'static str {
            "happy"
        }

        fn infer(&self, faces: &[FaceCrop]) -> Vec<Classification> {
            let mut scores = [0.0; Emotion::COUNT];
            scores[Emotion::Happy.index()] = self.0;
            let classification = Classification {
                scores: EmotionScores::new(scores),
                features: Features::none(),
            };
            vec![classification; faces.len()]
        }
    }

    #[test]
    fn a_place_that_shows_no_face_is_not_searched() {
        let photo = Raster::new(image::RgbImage::new(40, 30), Orientation::Upright);
        let place = |x, y, width, height| BoundingBox {
            x,
            y,
            width,
            height,
        };
        for (at, expected) in [
            (place(10.0, 10.0, 8.0, 9.0), true),
            (place(-20.0, -10.0, 70.0, 50.0), true),
            (place(10.0, 10.0, 8.0, 1e-20), false),
            (place(-9.0, 10.0, 8.0, 9.0), false),
            (place(10.0, 1e6, 8.0, 9.0), false),
            (place(-9e5, 10.0, 1.8e6, 9.0), false),
            (place(f32::NAN, 10.0, 8.0, 9.0), false),
        ] {
            assert_eq!(may_show_face(&photo, &at), expected, "{at:?}");
        }
    }

    #[test]
    fn a_framed_picture_without_any_score_has_no_face() {
        let mut png = std::io::Cursor::new(Vec::new());
        image::GrayImage::new(48, 48)
            .write_to(&mut png, image::ImageFormat::Png)
            .unwrap();
        for (score, faces) in [(0.3, 1), (0.0, 0)] {
            let classifier = Box::new(Happy(score));
            let analyser =
                LocalAnalyser::new(Box::new(Nothing), classifier, Limits::default(), 0.0);
            let found = analyser.analyse_cropped_face(png.get_ref()).unwrap().faces;
            assert_eq!(found.len(), faces, "{score}");
        }
    }
}
