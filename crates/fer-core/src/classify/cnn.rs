//! The emotion network as a classifier: face crops to emotion scores.

use std::cell::RefCell;

use fer_nn::shared::Parts;

use super::{Classification, EmotionClassifier, FACE_SIDE, FaceCrop, blend};
use crate::emotion::EmotionScores;
use crate::error::Result;
use crate::features::Features;
use crate::network::{FoldedNetwork, HeadSpec, ModelFile, PixelScaling, Workspace, read_spec};

/// The bytes of the model file in the binary, and its name in error messages.
pub const BUILT_IN: (&[u8], &str) = (
    include_bytes!("../../../../models/emotion.safetensors"),
    "the built-in model",
);

/// Faces that the network infers at once, without counting their mirror images.
const BATCH: usize = 16;

/// The emotion network with its weights.
///
/// It infers each face and its mirror image. Each head averages the logits of the two and converts them to
/// probabilities ([`HeadOutput`](crate::network::HeadOutput)); [`blend()`] combines those of all heads. FER2013's head
/// has no output for contempt, and FER+'s head learned the distribution of ten people's votes, so each moderates the
/// other.
#[derive(Debug)]
pub struct Cnn {
    network: FoldedNetwork,
    pixels: PixelScaling,
    heads: Vec<HeadSpec>,
    model: String,
}

impl Cnn {
    /// Loads the network whose weights are in the binary.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the weights do not fit the architecture.
    pub fn embedded() -> Result<Self> {
        let (bytes, name) = BUILT_IN;
        Self::read(bytes, name)
    }

    /// Loads the network of a model file, or without bytes the one in the binary, with the weights that another process has
    /// written ([`Cnn::write_shared`]), as far as they are equal to its own; errors call the file `name`.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the bytes are not a model file.
    pub fn load(bytes: &[u8], name: &str, shared: Option<Parts>) -> Result<Self> {
        let (bytes, name) = if bytes.is_empty() {
            BUILT_IN
        } else {
            (bytes, name)
        };
        let file = ModelFile::parse(bytes, name)?;
        Ok(Self {
            network: file.fold_shared(2, shared)?, // a face and its mirror image
            pixels: file.spec.pixels,
            heads: file.spec.heads,
            model: model_name(bytes),
        })
    }

    /// Loads the network of a model file; errors call the file `name`.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the bytes are not a model file.
    pub fn read(bytes: &[u8], name: &str) -> Result<Self> {
        Self::load(bytes, name, None)
    }

    /// Writes the weights that take most memory, for other processes that load the same network ([`Cnn::load`]).
    ///
    /// # Errors
    /// If the system has no such memory.
    #[cfg(unix)]
    pub fn write_shared(&self) -> std::io::Result<std::os::fd::OwnedFd> {
        self.network.write_shared()
    }

    /// The [`EmotionClassifier::model`] of the network in the binary, without loading its weights.
    ///
    /// # Errors
    /// As for [`Cnn::identify`].
    pub fn identify_embedded() -> Result<String> {
        let (bytes, name) = BUILT_IN;
        Self::identify(bytes, name)
    }

    /// The [`EmotionClassifier::model`] of a model file's network, without loading its weights;
    /// errors call the file `name`.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the file does not describe a network.
    pub fn identify(bytes: &[u8], name: &str) -> Result<String> {
        read_spec(bytes, name)?;
        Ok(model_name(bytes))
    }

    /// Classifies at most [`BATCH`] faces.
    fn infer_batch(&self, faces: &[FaceCrop]) -> Vec<Classification> {
        let mut input = Vec::with_capacity(2 * faces.len() * FACE_SIDE * FACE_SIDE);
        for face in faces {
            let mut upright = *face;
            self.pixels.apply(&mut upright);
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
                .map(|(logits, head)| probabilities(logits, head))
                .collect();
            let human = self.network.human(workspace);
            let scores = |index| {
                let heads = self.heads.iter().zip(&probabilities);
                let scores = EmotionScores::new(blend(heads.map(|(head, all)| {
                    let classes = head.emotions.len();
                    (head, &all[index * classes..][..classes])
                })));
                scores.with_human(human.as_ref().map(|human| human[index]))
            };
            let both = workspace.features();
            let width = both.len() / (2 * faces.len()).max(1);
            let features = |index| {
                let (upright, mirrored) = both[2 * width * index..][..2 * width].split_at(width);
                Features::of(&mean(upright, mirrored).collect::<Vec<_>>())
            };
            let classification = |index| Classification {
                scores: scores(index),
                features: features(index),
            };
            (0..faces.len()).map(classification).collect()
        })
    }
}

/// A model's name: eight hexadecimal digits of the hash of its bytes.
fn model_name(bytes: &[u8]) -> String {
    format!("fer-cnn {}", &blake3::hash(bytes).to_hex()[..8])
}

/// The probabilities of a head for each face: the output for the mean of the face's logits and those of
/// its mirror image, which follow them.
fn probabilities(logits: &[f32], head: &HeadSpec) -> Vec<f32> {
    let classes = head.emotions.len();
    let mut all = Vec::with_capacity(logits.len() / 2);
    for pair in logits.chunks_exact(2 * classes) {
        let (upright, mirrored) = pair.split_at(classes);
        let start = all.len();
        all.extend(mean(upright, mirrored));
        head.output.probabilities(&mut all[start..]);
    }
    all
}

/// The mean of the network's values for a face and for its mirror image.
fn mean(upright: &[f32], mirrored: &[f32]) -> impl Iterator<Item = f32> {
    let pairs = upright.iter().zip(mirrored);
    pairs.map(|(&a, &b)| f32::midpoint(a, b))
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

impl EmotionClassifier for Cnn {
    fn model(&self) -> &str {
        &self.model
    }

    fn infer(&self, faces: &[FaceCrop]) -> Vec<Classification> {
        faces
            .chunks(BATCH)
            .flat_map(|batch| self.infer_batch(batch))
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
    fn scores_are_probabilities_and_do_not_depend_on_the_other_faces() {
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
            let human = |scores: &EmotionScores| scores.human().unwrap();
            assert!((0.0..=1.0).contains(&human(scores)));
            assert!((human(&alone[0]) - human(scores)).abs() < 1e-4);
        }
    }

    #[test]
    fn a_model_whose_weights_are_not_finite_is_refused() {
        let (bytes, name) = BUILT_IN;
        assert!(Cnn::read(bytes, name).is_ok());
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        for value in [f32::NAN, f32::NEG_INFINITY] {
            let mut bytes = bytes.to_vec();
            bytes[header..header + 4].copy_from_slice(&value.to_le_bytes());
            let error = Cnn::read(&bytes, "x").err();
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("not finite"), "{value}: {error}");
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
        let [one, other] = [0, 1].map(|index| scores[index].human().unwrap());
        assert!((one - other).abs() < 1e-4, "{one} {other}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn shared_weights_give_the_same_scores_and_those_of_another_network_are_not_used() {
        let cnn = Cnn::embedded().unwrap();
        let expected = cnn.classify(&[face(2)]);
        let other = fer_nn::shared::write(&[&*vec![0.5; 4_000_000]]).unwrap();
        for memory in [cnn.write_shared().unwrap(), other] {
            let weights = Parts::map(memory).unwrap();
            let cnn = Cnn::load(&[], "", Some(weights)).unwrap();
            assert_eq!(cnn.classify(&[face(2)]), expected);
        }
    }

    #[test]
    fn identify_gives_the_name_of_the_loaded_model() {
        let cnn = Cnn::embedded().unwrap();
        assert_eq!(Cnn::identify_embedded().unwrap(), cnn.model());
    }

    #[test]
    fn the_built_in_file_is_small_and_as_fer_index_wrote_it() {
        let (bytes, _) = BUILT_IN;
        assert!(bytes.len() <= 4_000_000, "{} bytes", bytes.len());
        assert!(crate::output::is_sealed(bytes));
    }

    #[test]
    fn an_error_names_the_file_that_is_no_model() {
        assert!(Cnn::identify(b"not a model", "x").is_err());
        let error = Cnn::read(b"not a model", "x.safetensors")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("x.safetensors cannot be used as a model"),
            "{error}"
        );
    }
}
