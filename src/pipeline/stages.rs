//! Runs the stages of indexing one by one, so that each can be measured.

use std::path::Path;

use super::LocalAnalyser;
use super::analyse::crops;
use crate::error::Skip;
use crate::file::read_bytes;
use crate::imaging::facts;
use crate::photo::ContentHash;
use crate::store::PhotoRecord;

/// A stage of a photo's way into the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the file.
    Read,
    /// Hashing its bytes.
    Hash,
    /// Reading its metadata, and hashing its picture data.
    Facts,
    /// Decoding the picture as far as the detector needs it.
    Decode,
    /// Finding faces.
    Detect,
    /// Cutting the faces out of the picture.
    Crop,
    /// Reading their emotions.
    Classify,
    /// Writing the result into the database.
    Store,
}

impl Stage {
    /// All stages, in the order in which a photo passes them.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Hash,
        Self::Facts,
        Self::Decode,
        Self::Detect,
        Self::Crop,
        Self::Classify,
        Self::Store,
    ];

    /// Its name in JSON and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Hash => "hash",
            Self::Facts => "facts",
            Self::Decode => "decode",
            Self::Detect => "detect",
            Self::Crop => "crop",
            Self::Classify => "classify",
            Self::Store => "store",
        }
    }
}

impl LocalAnalyser {
    /// Analyses a file as indexing does, and calls `ended` at the end of each stage but the last, which writes the
    /// result.
    ///
    /// # Errors
    /// If the file cannot be read or is not a photo that can be decoded.
    pub fn file_by_stages(
        &self,
        path: &Path,
        ended: &mut dyn FnMut(Stage),
    ) -> Result<PhotoRecord, Skip> {
        let bytes = read_bytes(path, self.limits().max_bytes)?;
        ended(Stage::Read);
        let hash = ContentHash::of(&bytes);
        ended(Stage::Hash);
        let facts = facts(&bytes, self.limits())?;
        let picture = facts.picture;
        ended(Stage::Facts);
        let decoded = self.decode(Some(facts), &bytes)?;
        ended(Stage::Decode);
        let found = self.find_faces(&decoded, &[])?;
        ended(Stage::Detect);
        let crops = crops(&decoded, &found.large_enough);
        ended(Stage::Crop);
        let classifications = self.classifier.infer(&crops);
        ended(Stage::Classify);
        let analysis = self.analysis(decoded, found, classifications);
        Ok(PhotoRecord {
            hash,
            bytes: bytes.len() as u64,
            picture: Some(picture),
            content: Ok(analysis),
        })
    }
}
