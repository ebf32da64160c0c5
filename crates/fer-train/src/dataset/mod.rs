//! Data sets of labelled faces: FER2013 with FER+'s votes, in memory.

mod archive;
mod csv_file;
mod csv_lines;
mod digest;
mod duplicates;
mod fer2013;
mod ferplus;
mod file;
mod folders;
mod import;
mod split;
mod summary;
#[cfg(test)]
mod tests;
mod votes;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use fer_core::classify::FACE_SIDE;
use fer_core::emotion::Emotion;

pub use csv_file::{CsvReader, csv_reader};
pub use csv_lines::{CsvLines, line_of};
pub use import::{ImportOptions, import};
pub use summary::{DuplicateCounts, Summary};
pub use votes::Votes;

/// Pixels of one face.
pub const PIXELS: usize = FACE_SIDE * FACE_SIDE;

/// The parts of a data set, with FER2013's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Usage {
    /// Rows to train on.
    #[serde(rename = "training")]
    Training = 0,
    /// Rows for validation: they choose recipes and epochs.
    #[serde(rename = "public")]
    PublicTest = 1,
    /// Rows for the final measurement, read once for each released model.
    #[serde(rename = "private")]
    PrivateTest = 2,
}

impl Usage {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Training, Self::PublicTest, Self::PrivateTest];

    /// The name in `fer2013.csv`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::PublicTest => "PublicTest",
            Self::PrivateTest => "PrivateTest",
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The error for a word that names no [`Usage`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown part \"{0}\"; use one of training, public, private")]
pub struct UnknownUsage(String);

impl FromStr for Usage {
    type Err = UnknownUsage;

    /// Accepts FER2013's names and their first words, ignoring case.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.to_ascii_lowercase().as_str() {
            "training" => Ok(Self::Training),
            "publictest" | "public" => Ok(Self::PublicTest),
            "privatetest" | "private" => Ok(Self::PrivateTest),
            _ => Err(UnknownUsage(word.to_owned())),
        }
    }
}

/// A face without its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// FER2013's label.
    pub label: Emotion,
    /// FER+'s votes; `None` if it is uncertain that they belong to these pixels.
    pub votes: Option<Votes>,
    /// The part that the row belongs to.
    pub usage: Usage,
}

/// Labelled faces of 48 × 48 grey pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    emotions: Vec<Emotion>,
    rows: Vec<Row>,
    pixels: Vec<u8>,
}

impl Dataset {
    /// A data set of rows and their pixels (`rows.len()` × [`PIXELS`]); `emotions` are the classes of the
    /// labels, in the order of [`Emotion::ALL`].
    ///
    /// # Panics
    /// If the lengths do not match or a label is not among `emotions`.
    pub fn new(emotions: Vec<Emotion>, rows: Vec<Row>, pixels: Vec<u8>) -> Self {
        assert_eq!(rows.len() * PIXELS, pixels.len());
        assert!(emotions.is_sorted());
        assert!(rows.iter().all(|row| emotions.contains(&row.label)));
        Self {
            emotions,
            rows,
            pixels,
        }
    }

    /// The classes of the labels.
    pub fn emotions(&self) -> &[Emotion] {
        &self.emotions
    }

    /// Every row.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The pixels of the face at `index`, line by line.
    pub fn pixels(&self, index: usize) -> &[u8] {
        &self.pixels[index * PIXELS..][..PIXELS]
    }

    /// Indices of the rows of one part.
    pub fn indices(&self, usage: Usage) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|&index| self.rows[index].usage == usage)
            .collect()
    }

    /// The rows that are labelled with one of `emotions`, as a data set of these classes.
    #[must_use]
    pub fn restricted_to(&self, emotions: &[Emotion]) -> Self {
        let mut emotions = emotions.to_vec();
        emotions.sort_unstable();
        emotions.dedup();
        let kept: Vec<usize> = (0..self.rows.len())
            .filter(|&index| emotions.contains(&self.rows[index].label))
            .collect();
        let rows = kept.iter().map(|&index| self.rows[index]).collect();
        let pixels = kept.iter().flat_map(|&i| self.pixels(i)).copied().collect();
        Self::new(emotions, rows, pixels)
    }
}
