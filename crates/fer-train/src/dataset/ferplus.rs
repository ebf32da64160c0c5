//! Reads FER+'s `fer2013new.csv`: the votes of ten taggers, one line for each line of `fer2013.csv`.

use std::collections::HashMap;
use std::path::Path;

use csv::ByteRecord;

use super::csv_file::{bad_csv, bad_line, csv_reader};
use super::csv_lines::line_of;
use super::fer2013::{byte, text};
use super::{Dataset, Usage, Votes};
use fer_core::emotion::Emotion;
use fer_core::error::{Error, Result};

/// The columns of the file.
const COLUMNS: [&str; 12] = [
    "Usage",
    "Image name",
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
];

/// The emotions of columns 2 to 9.
const EMOTIONS: [Emotion; Emotion::COUNT] = [
    Emotion::Neutral,
    Emotion::Happy,
    Emotion::Surprise,
    Emotion::Sad,
    Emotion::Angry,
    Emotion::Disgust,
    Emotion::Fear,
    Emotion::Contempt,
];

/// The number of people who vote on each face.
const TAGGERS: u32 = 10;

/// The errors of a row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum RowError {
    #[error("{0} columns where {n} are expected", n = COLUMNS.len())]
    Columns(usize),
    #[error("Usage \"{found}\" where fer2013.csv has {expected} on this line")]
    Usage { found: String, expected: Usage },
    #[error("\"{value}\" in column {column} is not a number of votes")]
    Votes { column: &'static str, value: String },
    #[error("{0} votes where there are {TAGGERS} taggers")]
    Total(u32),
    #[error("fer2013.csv has fewer lines; give both files of the same data set")]
    TooMany,
}

/// Adds the votes to the rows of `dataset`.
///
/// Line n of one file belongs to line n of the other, because FER+'s image names are not row numbers. A row without a
/// name gets no votes, since FER+ did not tag it, and neither does a row whose name occurs again in a later row, since
/// the votes could be for either image.
pub(super) fn attach(dataset: &mut Dataset, path: &Path) -> Result<()> {
    let mut reader = csv_reader(path, &["fer2013new.csv"])?;
    let header = reader.byte_headers().map_err(|e| bad_csv(path, &e))?;
    if header != COLUMNS.as_slice() {
        let expected = COLUMNS.join(",");
        return Err(bad_line(
            path,
            1,
            format!("the header is not \"{expected}\"; give FER+'s fer2013new.csv"),
        ));
    }
    let mut last_with_name: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut record = ByteRecord::new();
    let mut count = 0;
    while reader
        .read_byte_record(&mut record)
        .map_err(|e| bad_csv(path, &e))?
    {
        let line = line_of(&reader, &record);
        let row = dataset
            .rows
            .get_mut(count)
            .ok_or_else(|| bad_line(path, line, RowError::TooMany))?;
        let votes = votes(&record, row.usage).map_err(|e| bad_line(path, line, e))?;
        let name = &record[1];
        if !name.is_empty() {
            row.votes = Some(votes);
            if let Some(earlier) = last_with_name.insert(name.to_vec(), count) {
                dataset.rows[earlier].votes = None;
            }
        }
        count += 1;
    }
    if count < dataset.rows.len() {
        return Err(Error::Usage(format!(
            "{} has {count} rows where fer2013.csv has {}; give both files of the same data set",
            path.display(),
            dataset.rows.len()
        )));
    }
    Ok(())
}

/// Parses the votes of a line; `expected` is the part of the same line in `fer2013.csv`.
fn votes(record: &ByteRecord, expected: Usage) -> Result<Votes, RowError> {
    if record.len() != COLUMNS.len() {
        return Err(RowError::Columns(record.len()));
    }
    if &record[0] != expected.name().as_bytes() {
        return Err(RowError::Usage {
            found: text(&record[0]),
            expected,
        });
    }
    let count = |column: usize| {
        byte(&record[column]).ok_or_else(|| RowError::Votes {
            column: COLUMNS[column],
            value: text(&record[column]),
        })
    };
    let mut votes = Votes {
        unknown: count(10)?,
        not_face: count(11)?,
        ..Votes::default()
    };
    for (index, emotion) in EMOTIONS.into_iter().enumerate() {
        votes.emotions[emotion.index()] = count(index + 2)?;
    }
    let total = votes.usable() + u32::from(votes.unknown) + u32::from(votes.not_face);
    // One row of the published file has nine votes.
    if total == 0 || total > TAGGERS {
        return Err(RowError::Total(total));
    }
    Ok(votes)
}
