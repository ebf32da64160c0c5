//! Reads and writes the data-set file: one safetensors file, which loads much faster than the CSV files.
//!
//! Its tensors are `pixels` u8 \[n, 48, 48\], `labels` u8 \[n\] (index in [`Emotion::ALL`]), `usage` u8
//! \[n\], and `votes` u8 \[n, 10\] (the emotions of [`Emotion::ALL`], unknown, not a face; ten zeros for a row
//! without votes). The metadata hold the format and the classes.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::{Dataset, PIXELS, Row, Usage, Votes};
use fer_core::classify::FACE_SIDE;
use fer_core::emotion::Emotion;
use fer_core::error::{Error, Result};
use fer_core::output::{self, Form};

const FORMAT: &str = "fer-index data set 1";
const VOTE_COLUMNS: usize = Emotion::COUNT + 2;

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
        let labels: Vec<u8> = self.rows.iter().map(|row| row.label as u8).collect();
        let usage: Vec<u8> = self.rows.iter().map(|row| row.usage as u8).collect();
        let votes: Vec<u8> = self
            .rows
            .iter()
            .flat_map(|row| {
                let votes = row.votes.unwrap_or_default();
                votes
                    .emotions
                    .into_iter()
                    .chain([votes.unknown, votes.not_face])
            })
            .collect();
        let view = |shape, data| {
            TensorView::new(Dtype::U8, shape, data).expect("shape and data come from the same rows")
        };
        let tensors = [
            ("labels", view(vec![n], &labels)),
            ("pixels", view(vec![n, FACE_SIDE, FACE_SIDE], &self.pixels)),
            ("usage", view(vec![n], &usage)),
            ("votes", view(vec![n, VOTE_COLUMNS], &votes)),
        ];
        let emotions: Vec<&str> = self.emotions.iter().map(|e| e.name()).collect();
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("emotions".to_owned(), emotions.join(",")),
        ]);
        let bytes =
            safetensors::serialize(tensors, Some(metadata)).map_err(|e| Error::input(path, e))?;
        output::write(path, Form::Tensors, &bytes)
    }

    /// Reads the data-set file.
    ///
    /// # Errors
    /// If the file cannot be read or was not written by [`Dataset::save`].
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&bytes).ok_or_else(|| {
            Error::Usage(format!(
                "{} is not an imported data set; make one with `fer-index dataset import`",
                path.display()
            ))
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
        let metadata = metadata.metadata().as_ref()?;
        if metadata.get("format")? != FORMAT {
            return None;
        }
        let emotions = metadata.get("emotions")?.split(',').map(str::parse);
        let emotions: Vec<Emotion> = emotions.collect::<Result<_, _>>().ok()?;
        let tensors = SafeTensors::deserialize(bytes).ok()?;
        let column = |name| {
            let tensor = tensors.tensor(name).ok()?;
            (tensor.dtype() == Dtype::U8).then(|| tensor.data())
        };
        let (labels, usage, votes) = (column("labels")?, column("usage")?, column("votes")?);
        let pixels = column("pixels")?.to_vec();
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
