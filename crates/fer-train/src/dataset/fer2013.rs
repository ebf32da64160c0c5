//! Reads Kaggle's `fer2013.csv`: `emotion,pixels,Usage`.

use std::path::Path;

use csv::ByteRecord;

use super::csv_file::{bad_csv, bad_line, csv_reader};
use super::{Dataset, PIXELS, Row, Usage};
use fer_core::emotion::Emotion;
use fer_core::error::Result;

const COLUMNS: [&str; 3] = ["emotion", "pixels", "Usage"];

/// Number of labels; they are the first seven emotions, in the same order.
const LABELS: usize = 7;

/// The errors of a row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum RowError {
    #[error("{0} columns where {n} are expected ({names})", n = COLUMNS.len(), names = COLUMNS.join(","))]
    Columns(usize),
    #[error("label \"{0}\" is not a number from 0 to 6")]
    Label(String),
    #[error("{0} pixels where {PIXELS} are expected")]
    PixelCount(usize),
    #[error("pixel {number} is \"{value}\", not a number from 0 to 255")]
    Pixel { number: usize, value: String },
    #[error("Usage \"{0}\" is not one of Training, PublicTest, PrivateTest")]
    Usage(String),
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Dataset> {
    let mut reader = csv_reader(path)?;
    let header = reader.byte_headers().map_err(|e| bad_csv(path, &e))?;
    if header != COLUMNS.as_slice() {
        let expected = COLUMNS.join(",");
        return Err(bad_line(
            path,
            1,
            format!("the header is not \"{expected}\"; give Kaggle's fer2013.csv"),
        ));
    }
    let (mut rows, mut pixels) = (Vec::new(), Vec::new());
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|e| bad_csv(path, &e))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(row(&record, &mut pixels).map_err(|e| bad_line(path, line, e))?);
    }
    Ok(Dataset::new(Emotion::ALL[..LABELS].to_vec(), rows, pixels))
}

/// Parses a row and appends its pixels to `pixels`.
fn row(record: &ByteRecord, pixels: &mut Vec<u8>) -> Result<Row, RowError> {
    let [label, values, usage] = [0, 1, 2].map(|column| record.get(column).unwrap_or_default());
    if record.len() != COLUMNS.len() {
        return Err(RowError::Columns(record.len()));
    }
    let label = byte(label)
        .and_then(|index| Emotion::from_index(index.into()))
        .filter(|emotion| emotion.index() < LABELS)
        .ok_or_else(|| RowError::Label(text(label)))?;
    let usage = Usage::ALL
        .into_iter()
        .find(|known| known.name().as_bytes() == usage)
        .ok_or_else(|| RowError::Usage(text(usage)))?;
    let start = pixels.len();
    for value in values
        .split(|&b| b == b' ')
        .filter(|value| !value.is_empty())
    {
        pixels.push(byte(value).ok_or_else(|| RowError::Pixel {
            number: pixels.len() - start + 1,
            value: text(value),
        })?);
    }
    if pixels.len() - start != PIXELS {
        return Err(RowError::PixelCount(pixels.len() - start));
    }
    Ok(Row {
        label,
        votes: None,
        usage,
    })
}

/// Parses a decimal number up to 255.
pub(super) fn byte(digits: &[u8]) -> Option<u8> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// At most 40 characters of a field, for an error message.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(40).collect()
}
