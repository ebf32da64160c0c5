//! The emotion CNN at work.

use std::cell::RefCell;

use super::{EmotionClassifier, FACE_SIDE, FaceCrop, blend, softmax};
use crate::emotion::EmotionScores;
use crate::error::Result;
use crate::network::{FoldedNetwork, HeadSpec, ModelFile, Workspace, read_spec, standardise};

/// The model file in the binary, and what errors call it.
pub const BUILT_IN: (&[u8], &str) = (
    include_bytes!("../../../../models/emotion.safetensors"),
    "the built-in model",
);

/// Faces that go through the network at once, mirror images not counted.
const BATCH: usize = 16;

/// A network with its weights, ready to read faces.
///
/// Each face is read twice, as it is and mirrored, and by every head of the network. A head's
/// probabilities are those of the mean of its two logits, and [`blend()`] makes the scores of all
/// heads'. FER2013's head knows no contempt and FER+'s is trained on the shares of ten people's
/// votes, so each tempers the other's labels.
#[derive(Debug)]
pub struct Cnn {
    network: FoldedNetwork,
    heads: Vec<HeadSpec>,
    model: String,
}

impl Cnn {
    /// The network whose weights are in the binary.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the weights do not fit their description.
    pub fn embedded() -> Result<Self> {
        let (bytes, name) = BUILT_IN;
        Self::read(bytes, name)
    }

    /// The network of a model file; `what` names it in an error.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if it is no model.
    pub fn read(bytes: &[u8], what: &str) -> Result<Self> {
        let file = ModelFile::parse(bytes, what)?;
        Ok(Self {
            network: file.fold(2)?, // a face and its mirror image
            heads: file.spec.heads,
            model: name(bytes),
        })
    }

    /// What [`EmotionClassifier::model`] says of the network in the binary, without building it.
    ///
    /// # Errors
    /// As for [`Cnn::identify`].
    pub fn identify_embedded() -> Result<String> {
        let (bytes, name) = BUILT_IN;
        Self::identify(bytes, name)
    }

    /// What [`EmotionClassifier::model`] says of the network of a model file, without building it;
    /// `what` names the file in an error.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if it does not even describe a network.
    pub fn identify(bytes: &[u8], what: &str) -> Result<String> {
        read_spec(bytes, what)?;
        Ok(name(bytes))
    }

    fn read_faces(&self, faces: &[FaceCrop]) -> Vec<EmotionScores> {
        let mut input = Vec::with_capacity(2 * faces.len() * FACE_SIDE * FACE_SIDE);
        for face in faces {
            let mut upright = *face;
            standardise(&mut upright);
            input.extend_from_slice(&upright);
            input.extend(
                upright
                    .chunks_exact(FACE_SIDE)
                    .flat_map(|row| row.iter().rev()),
            );
        }
        WORKSPACE.with_borrow_mut(|workspace| {
            let logits = self.network.infer(workspace, &input);
            let probabilities: Vec<Vec<f32>> = logits
                .iter()
                .zip(&self.heads)
                .map(|(logits, head)| probabilities(logits, head.emotions.len()))
                .collect();
            let of = |index| {
                let answers = self.heads.iter().zip(&probabilities);
                EmotionScores::new(blend(answers.map(|(head, all)| {
                    let classes = head.emotions.len();
                    (head, &all[index * classes..][..classes])
                })))
            };
            (0..faces.len()).map(of).collect()
        })
    }
}

/// A model is its bytes.
fn name(bytes: &[u8]) -> String {
    format!("fer-cnn {}", &blake3::hash(bytes).to_hex()[..8])
}

/// The probabilities of a head of so many classes: of the mean of each face's logits and those of its
/// mirror image, which follow them.
fn probabilities(logits: &[f32], classes: usize) -> Vec<f32> {
    let mut all = Vec::with_capacity(logits.len() / 2);
    for pair in logits.chunks_exact(2 * classes) {
        let (upright, mirrored) = pair.split_at(classes);
        let start = all.len();
        all.extend(
            upright
                .iter()
                .zip(mirrored)
                .map(|(&a, &b)| f32::midpoint(a, b)),
        );
        softmax(&mut all[start..]);
    }
    all
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

impl EmotionClassifier for Cnn {
    fn model(&self) -> &str {
        &self.model
    }

    fn classify(&self, faces: &[FaceCrop]) -> Vec<EmotionScores> {
        faces
            .chunks(BATCH)
            .flat_map(|batch| self.read_faces(batch))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(shift: usize) -> FaceCrop {
        std::array::from_fn(|i| ((i * 7 + i / FACE_SIDE * (shift + 3)) % 256) as f32)
    }

    #[test]
    fn scores_are_probabilities_and_do_not_depend_on_the_company() {
        let cnn = Cnn::embedded().unwrap();
        let faces: Vec<FaceCrop> = (0..=BATCH).map(face).collect();
        let together = cnn.classify(&faces);
        assert_eq!(together.len(), faces.len());
        for (face, scores) in faces.iter().zip(&together) {
            assert!((scores.as_array().iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let alone = cnn.classify(std::slice::from_ref(face));
            for (a, b) in alone[0].as_array().iter().zip(scores.as_array()) {
                assert!((a - b).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_mirrored_face_scores_the_same() {
        let cnn = Cnn::embedded().unwrap();
        let mut faces = vec![face(1); 2];
        faces[1]
            .chunks_exact_mut(FACE_SIDE)
            .for_each(<[f32]>::reverse);
        let scores = cnn.classify(&faces);
        for (a, b) in scores[0].as_array().iter().zip(scores[1].as_array()) {
            assert!((a - b).abs() < 1e-5);
        }
    }

    #[test]
    fn a_model_has_its_name_before_it_is_built() {
        let cnn = Cnn::embedded().unwrap();
        assert_eq!(Cnn::identify_embedded().unwrap(), cnn.model());
    }

    #[test]
    fn what_is_no_model_says_so() {
        assert!(Cnn::identify(b"not a model", "x").is_err());
        let error = Cnn::read(b"not a model", "x.safetensors")
            .unwrap_err()
            .to_string();
        assert!(error.contains("x.safetensors is no model"), "{error}");
    }
}
