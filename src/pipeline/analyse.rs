//! Analyses photos: from a file's bytes to faces with their emotions. This part needs no database.

use super::Stage;
use crate::classify::{EmotionClassifier, crop_face, crop_framed};
use crate::detect::FaceDetector;
use crate::error::Skip;
use crate::face::{BoundingBox, DetectedFace, ScoredFace};
use crate::imaging::{self, Decoded, Facts, Limits};
use crate::raster::Raster;
use crate::store::{Models, PhotoAnalysis};

/// Analyses photos with a detector and a classifier.
pub struct Analyser {
    detector: Box<dyn FaceDetector>,
    classifier: Box<dyn EmotionClassifier>,
    limits: Limits,
    min_face: f32,
}

impl Analyser {
    /// Creates an analyser. Faces whose shorter side is less than `min_face` pixels are detected,
    /// but too small for their emotion to be read.
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
        self.decoded(self.decode(None, bytes)?, |_, _| (), &mut |_| ())
            .map(|(analysis, ())| analysis)
    }

    /// Like [`Analyser::photo`], for a photo whose facts have been read already. Also passes the decoded photo and
    /// its faces that are large enough to be read to `look`, whose result is returned as well.
    ///
    /// # Errors
    /// See [`Analyser::photo`].
    pub fn photo_with<T>(
        &self,
        facts: Facts,
        bytes: &[u8],
        look: impl FnOnce(&Decoded, &[DetectedFace]) -> T,
    ) -> Result<(PhotoAnalysis<ScoredFace>, T), Skip> {
        self.decoded(self.decode(Some(facts), bytes)?, look, &mut |_| ())
    }

    /// Decodes a photo as far as the detector needs it.
    pub(super) fn decode(&self, facts: Option<Facts>, bytes: &[u8]) -> Result<Decoded, Skip> {
        let wanted = |width, height| self.detector.copy_of(width, height);
        imaging::decode_for(&wanted, facts, bytes, &self.limits)
    }

    /// Detects the faces of a decoded photo and reads the emotion of each. Calls `ended` at the end of each stage.
    pub(super) fn decoded<T>(
        &self,
        decoded: Decoded,
        look: impl FnOnce(&Decoded, &[DetectedFace]) -> T,
        ended: &mut dyn FnMut(Stage),
    ) -> Result<(PhotoAnalysis<ScoredFace>, T), Skip> {
        let (legible, unread): (Vec<_>, Vec<_>) = self
            .detector
            .detect(&decoded.raster)?
            .into_iter()
            .filter(|face| is_known(&decoded, &face.bounding_box))
            .partition(|face| face.bounding_box.short_side() >= self.min_face);
        ended(Stage::Detect);
        let seen = look(&decoded, &legible);
        let crops: Vec<_> = legible
            .iter()
            .map(|face| crop_face(&decoded.raster, face))
            .collect();
        ended(Stage::Crop);
        let scores = self.classifier.classify(&crops);
        ended(Stage::Classify);
        let faces = legible
            .into_iter()
            .zip(scores)
            .map(|(face, scores)| ScoredFace { face, scores });
        Ok((self.analysis(decoded, faces.collect(), unread), seen))
    }

    /// Reads the emotion of a picture that is one cropped face, without detection. The picture has no face if a model
    /// with independent outputs gives no emotion a score ([`LEAST_SUM`](crate::network::LEAST_SUM)).
    ///
    /// # Errors
    /// If the bytes are not a picture that can be decoded.
    pub fn framed(&self, bytes: &[u8]) -> Result<PhotoAnalysis<ScoredFace>, Skip> {
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
        let scores = self.classifier.classify(&[crop_framed(raster)]);
        let faces = scores
            .into_iter()
            .filter(|scores| scores.iter().any(|(_, score)| score > 0.0))
            .map(|scores| ScoredFace { face, scores })
            .collect();
        Ok(self.analysis(decoded, faces, Vec::new()))
    }

    /// Decodes a photo and detects its faces of any size, without reading emotions.
    ///
    /// # Errors
    /// If the bytes are not a photo that can be decoded.
    pub fn detect(&self, bytes: &[u8]) -> Result<(Raster, Vec<DetectedFace>), Skip> {
        let decoded = self.decode(None, bytes)?;
        let mut faces = self.detector.detect(&decoded.raster)?;
        faces.retain(|face| is_known(&decoded, &face.bounding_box));
        Ok((decoded.raster, faces))
    }

    fn analysis(
        &self,
        decoded: Decoded,
        faces: Vec<ScoredFace>,
        unread: Vec<DetectedFace>,
    ) -> PhotoAnalysis<ScoredFace> {
        PhotoAnalysis {
            incomplete: decoded.lost.as_ref().map(|lost| lost.problem.clone()),
            format: decoded.format.name().to_owned(),
            width: decoded.raster.width(),
            height: decoded.raster.height(),
            capture: decoded.capture(),
            said: decoded.said,
            people: Vec::new(),
            models: self.models(),
            faces,
            unread,
        }
    }
}

/// Whether no part of a box lies where the photo could not be decoded.
fn is_known(decoded: &Decoded, at: &BoundingBox) -> bool {
    let lost = decoded.lost.as_ref();
    lost.is_none_or(|lost| !lost.touches(&decoded.raster, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::FaceCrop;
    use crate::emotion::{Emotion, EmotionScores};

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

        fn classify(&self, faces: &[FaceCrop]) -> Vec<EmotionScores> {
            let mut scores = [0.0; Emotion::COUNT];
            scores[Emotion::Happy.index()] = self.0;
            vec![EmotionScores::new(scores); faces.len()]
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
            let analyser = Analyser::new(Box::new(Nothing), classifier, Limits::default(), 0.0);
            let found = analyser.framed(png.get_ref()).unwrap().faces;
            assert_eq!(found.len(), faces, "{score}");
        }
    }
}
