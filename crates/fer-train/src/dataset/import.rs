//! Imports `fer2013.csv` and `fer2013new.csv` as a [`Dataset`].

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{Dataset, fer2013, ferplus};
use fer_core::emotion::Emotion;
use fer_core::error::{Error, Result};

/// The options of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The path of FER+'s `fer2013new.csv`.
    pub ferplus: Option<PathBuf>,
    /// The labels to keep; empty for FER2013's seven.
    pub emotions: Vec<Emotion>,
    /// The share of training rows in a new division into training and validation rows; `None` keeps the division
    /// of the `Usage` column.
    pub train_fraction: Option<f64>,
    /// Seed of the new division.
    pub seed: u64,
}

/// Reads and checks the data set.
///
/// # Errors
/// Names file and line of the first error.
pub fn import(fer2013: &Path, options: &ImportOptions) -> Result<Dataset> {
    if let Some(emotion) = options.emotions.iter().find(|e| **e == Emotion::Contempt) {
        return Err(Error::Usage(format!(
            "FER2013 has no label \"{emotion}\"; leave it out"
        )));
    }
    let mut dataset = fer2013::read(fer2013)?;
    if let Some(path) = &options.ferplus {
        ferplus::attach(&mut dataset, path)?;
    }
    if !options.emotions.is_empty() {
        dataset = dataset.restricted_to(&options.emotions);
    }
    if let Some(fraction) = options.train_fraction {
        dataset.split(fraction, options.seed)?;
    }
    Ok(dataset)
}

/// A CSV reader of a plain, gzip or xz file; the first bytes tell the kind, not the name.
pub(super) fn csv_reader(path: &Path) -> Result<csv::Reader<Box<dyn Read>>> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(io)?);
    let start = file.fill_buf().map_err(io)?;
    let content: Box<dyn Read> = if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(file))
    } else if start.starts_with(b"\xfd7zXZ\0") {
        Box::new(lzma_rust2::XzReader::new(file, true))
    } else {
        Box::new(file)
    };
    Ok(csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(content))
}

/// The error for a line of a file.
pub(super) fn bad_line(path: &Path, line: u64, problem: impl std::fmt::Display) -> Error {
    Error::Usage(format!("{}, line {line}: {problem}", path.display()))
}

/// The error for a file that is not CSV.
pub(super) fn bad_csv(path: &Path, error: &csv::Error) -> Error {
    match error.position() {
        Some(position) => bad_line(path, position.line(), error),
        None => Error::Usage(format!("{}: {error}", path.display())),
    }
}
