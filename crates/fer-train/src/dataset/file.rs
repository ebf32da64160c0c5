//! Reads and writes the data-set file: one safetensors file, which loads much faster than the CSV files.
//!
//! Its tensors are `pixels` u8 \[n, 48, 48\], `labels` u8 \[n\] (index in [`Emotion::ALL`]), `usage` u8
//! \[n\], and `votes` u8 \[n, 10\] (the emotions of [`Emotion::ALL`], unknown, not a face; ten zeros for a row
//! without votes). The metadata hold the format and the classes.

use std::path::Path;

use super::{Dataset, PIXELS, Row, Usage, Votes};
use crate::tensor_file::{self, TensorFile};
use fer_core::classify::FACE_SIDE;
use fer_core::emotion::Emotion;
use fer_core::error::Result;

const FORMAT: &str = "fer-index data set 1";

/// Key of the classes in the metadata.
const EMOTIONS: &str = "emotions";

const VOTE_COLUMNS: usize = Emotion::COUNT + 2;

/// The content of a data-set file but the pixels.
pub(super) struct Columns {
    /// Names of the classes, separated by commas.
    pub emotions: String,
    /// A byte for each row.
    pub labels: Vec<u8>,
    /// A byte for each row.
    pub usage: Vec<u8>,
    /// [`VOTE_COLUMNS`] bytes for each row.
    pub votes: Vec<u8>,
}

impl Dataset {
    /// Writes the data-set file.
    ///
    /// # Errors
    /// If the file cannot be written, or a file is in the way that this program did not write.
    ///
    /// # Panics
    /// Never: shapes and data are built from the same rows.
    pub fn save(&self, path: &Path) -> Result<()> {
        let n = self.rows.len();
        let columns = self.columns();
        tensor_file::save(
            path,
            FORMAT,
            (EMOTIONS, columns.emotions),
            [
                ("labels", vec![n], &columns.labels),
                ("pixels", vec![n, FACE_SIDE, FACE_SIDE], &self.pixels),
                ("usage", vec![n], &columns.usage),
                ("votes", vec![n, VOTE_COLUMNS], &columns.votes),
            ],
        )
    }

    /// Everything in the data set but its pixels, as it is in the file.
    pub(super) fn columns(&self) -> Columns {
        let votes = self.rows.iter().flat_map(|row| {
            let votes = row.votes.unwrap_or_default();
            let others = [votes.unknown, votes.not_face];
            votes.emotions.into_iter().chain(others)
        });
        let emotions: Vec<&str> = self.emotions.iter().map(|e| e.name()).collect();
        Columns {
            emotions: emotions.join(","),
            labels: self.rows.iter().map(|row| row.label as u8).collect(),
            usage: self.rows.iter().map(|row| row.usage as u8).collect(),
            votes: votes.collect(),
        }
    }

    /// Reads the data-set file.
    ///
    /// # Errors
    /// If the file cannot be read or was not written by [`Dataset::save`].
    pub fn load(path: &Path) -> Result<Self> {
        tensor_file::load(
            path,
            Self::parse,
            "is not an imported data set; make one with `fer-index dataset import`",
        )
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let file = TensorFile::parse(bytes, FORMAT)?;
        let emotions = file.metadata(EMOTIONS)?.split(',').map(str::parse);
        let emotions: Vec<Emotion> = emotions.collect::<Result<_, _>>().ok()?;
        let (labels, usage) = (file.bytes("labels")?, file.bytes("usage")?);
        let votes = file.bytes("votes")?;
        let pixels = file.bytes("pixels")?.to_vec();
        let n = labels.len();
        if usage.len() != n || votes.len() != n * VOTE_COLUMNS || pixels.len() != n * PIXELS {
            return None;
        }
        let rows = labels
            .iter()
            .zip(usage)
            .zip(votes.chunks_exact(VOTE_COLUMNS))
            .map(|((&label, &usage), votes)| {
                Some(Row {
                    label: Emotion::from_index(label.into()).filter(|e| emotions.contains(e))?,
                    usage: *Usage::ALL.get(usize::from(usage))?,
                    votes: parse_votes(votes),
                })
            })
            .collect::<Option<Vec<_>>>()?;
        emotions
            .is_sorted()
            .then(|| Self::new(emotions, rows, pixels))
    }
}

fn parse_votes(columns: &[u8]) -> Option<Votes> {
    let (emotions, others) = columns.split_first_chunk()?;
    let votes = Votes {
        emotions: *emotions,
        unknown: others[0],
        not_face: others[1],
    };
    (votes != Votes::default()).then_some(votes)
}
