//! Imports `fer2013.csv` and `fer2013new.csv`, or folders of pictures, as a [`Dataset`].

use std::path::{Path, PathBuf};

use super::{Dataset, Row, Usage, fer2013, ferplus, folders};
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

/// Warns of emotions without training rows, which no training can learn.
fn warn_of_untrained(dataset: &Dataset) {
    for emotion in dataset.emotions() {
        let is_training = |row: &Row| row.label == *emotion && row.usage == Usage::Training;
        if !dataset.rows().iter().any(is_training) {
            tracing::warn!(
                "there are no training rows of {emotion}; a model that is trained with this file does not know it"
            );
        }
    }
}

/// Reads and checks the data set: a CSV file, plain or compressed, or a folder with a folder of pictures for each
/// emotion.
///
/// # Errors
/// Names file and line of the first error.
pub fn import(fer2013: &Path, options: &ImportOptions) -> Result<Dataset> {
    if let Some(emotion) = options.emotions.iter().find(|e| **e == Emotion::Contempt) {
        return Err(Error::Usage(format!(
            "FER2013 has no label \"{emotion}\"; leave it out"
        )));
    }
    let mut dataset = if fer2013.is_dir() {
        folders::read(fer2013, options.train_fraction.is_some())?
    } else {
        fer2013::read(fer2013, options.train_fraction.is_some())?
    };
    if let Some(path) = &options.ferplus {
        if fer2013.is_dir() {
            return Err(Error::Usage(
                "FER+'s votes belong to the rows of fer2013.csv; give that file, or leave --ferplus out"
                    .to_owned(),
            ));
        }
        ferplus::attach(&mut dataset, path)?;
    }
    if !options.emotions.is_empty() {
        dataset = dataset.restricted_to(&options.emotions);
    }
    if dataset.rows().is_empty() {
        let wanted = if options.emotions.is_empty() {
            "no rows; give a file that is complete"
        } else {
            "no rows of these emotions; name others with --emotions"
        };
        return Err(Error::input(fer2013, wanted));
    }
    if let Some(fraction) = options.train_fraction {
        dataset.split(fraction, options.seed)?;
    }
    warn_of_untrained(&dataset);
    Ok(dataset)
}
