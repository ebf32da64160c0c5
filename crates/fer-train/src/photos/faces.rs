//! Faces that were cut from labelled photos, as `fer-index dataset photos` writes them: one safetensors file.
//!
//! Its tensors are `pixels` u8 \[n, 48, 48\], `emotions` u8 \[n\] (index in [`Emotion::ALL`], or 255 without a label)
//! and `smiles` u8 \[n\] (0, 1, or 255). The metadata have the format and, as JSON, the person of each face.

use std::path::Path;

use crate::dataset::PIXELS;
use crate::tensor_file::{self, TensorFile};
use fer_core::classify::FACE_SIDE;
use fer_core::emotion::Emotion;
use fer_core::error::{Error, Result};

const FORMAT: &str = "fer-index faces of photos 1";

/// Key of the people in the metadata.
const PEOPLE: &str = "people";

/// The value for a face without a label.
const NONE: u8 = 255;

/// A face that was cut from a photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoFace {
    /// 48 × 48 grey values, line by line.
    pub pixels: Vec<u8>,
    /// The labelled emotion.
    pub emotion: Option<Emotion>,
    /// Whether it is labelled as smiling.
    pub smile: Option<bool>,
    /// The person's name.
    pub person: String,
}

/// The faces of a folder of photos.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhotoFaces(pub Vec<PhotoFace>);

impl PhotoFaces {
    /// Writes the file.
    ///
    /// # Errors
    /// If the file cannot be written, or a file is in the way that this program did not write.
    ///
    /// # Panics
    /// Never: shapes and data are built from the same faces.
    pub fn save(&self, path: &Path) -> Result<()> {
        let n = self.0.len();
        let pixels = self.0.iter().flat_map(|face| &face.pixels).copied();
        let pixels: Vec<u8> = pixels.collect();
        let emotion = |face: &PhotoFace| face.emotion.map_or(NONE, |e| e.index() as u8);
        let emotions: Vec<u8> = self.0.iter().map(emotion).collect();
        let smile = |face: &PhotoFace| face.smile.map_or(NONE, u8::from);
        let smiles: Vec<u8> = self.0.iter().map(smile).collect();
        let people: Vec<&str> = self.0.iter().map(|face| face.person.as_str()).collect();
        let people = serde_json::to_string(&people).map_err(|e| Error::input(path, e))?;
        tensor_file::save(
            path,
            FORMAT,
            (PEOPLE, people),
            [
                ("emotions", vec![n], &emotions),
                ("pixels", vec![n, FACE_SIDE, FACE_SIDE], &pixels),
                ("smiles", vec![n], &smiles),
            ],
        )
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If the file cannot be read or was not written by [`PhotoFaces::save`].
    pub fn load(path: &Path) -> Result<Self> {
        tensor_file::load(
            path,
            Self::parse,
            "holds no faces of photos; make such a file with `fer-index dataset photos`",
        )
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let file = TensorFile::parse(bytes, FORMAT)?;
        let people: Vec<String> = serde_json::from_str(file.metadata(PEOPLE)?).ok()?;
        let (emotions, smiles) = (file.bytes("emotions")?, file.bytes("smiles")?);
        let pixels = file.bytes("pixels")?;
        let n = people.len();
        if emotions.len() != n || smiles.len() != n || pixels.len() != n * PIXELS {
            return None;
        }
        let labels = emotions.iter().zip(smiles);
        let faces = people
            .into_iter()
            .zip(labels)
            .zip(pixels.chunks_exact(PIXELS));
        let face = |((person, (&emotion, &smile)), pixels): ((String, (&u8, &u8)), &[u8])| {
            Some(PhotoFace {
                pixels: pixels.to_vec(),
                emotion: match emotion {
                    NONE => None,
                    index => Some(Emotion::from_index(index.into())?),
                },
                smile: match smile {
                    NONE => None,
                    value => Some(value == 1),
                },
                person,
            })
        };
        faces.map(face).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_survive_their_file_and_another_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faces.safetensors");
        let face = |value, emotion, smile, person: &str| PhotoFace {
            pixels: vec![value; PIXELS],
            emotion,
            smile,
            person: person.to_owned(),
        };
        let faces = PhotoFaces(vec![
            face(1, Some(Emotion::Sad), None, "Ann \"A\" Lee"),
            face(2, None, Some(false), ""),
            face(3, None, Some(true), "b"),
        ]);
        faces.save(&path).unwrap();
        assert_eq!(PhotoFaces::load(&path).unwrap(), faces);
        let other = folder.path().join("other.safetensors");
        crate::testing::signal(3).save(&other).unwrap();
        let error = PhotoFaces::load(&other).unwrap_err().to_string();
        assert!(error.contains("dataset photos"), "{error}");
    }
}
