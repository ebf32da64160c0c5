//! Reads Kaggle's `fer2013.csv`, `icml_face_data.csv` and `train.csv`: the columns `emotion`, `pixels` and, except in
//! the last, `Usage`, in any order.

use std::path::Path;

use csv::ByteRecord;

use super::csv_file::{bad_csv, bad_line, csv_reader};
use super::csv_lines::line_of;
use super::{Dataset, PIXELS, Row, Usage};
use fer_core::emotion::Emotion;
use fer_core::error::Result;

/// The names of the file in an archive, the best first: the last one does not divide its rows into parts.
const FILES: [&str; 3] = ["fer2013.csv", "icml_face_data.csv", "train.csv"];

/// The positions of the columns.
struct Columns {
    label: usize,
    pixels: usize,
    /// `None` in a file that does not divide its rows.
    usage: Option<usize>,
    /// Number of all columns.
    count: usize,
}

/// Number of labels; they are the first seven emotions, in the same order.
const LABELS: usize = 7;

/// The errors of a row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum RowError {
    #[error("{0} columns where the header has {1}")]
    Columns(usize, usize),
    #[error("label \"{0}\" is not a number from 0 to 6")]
    Label(String),
    #[error("{0} pixels where {PIXELS} are expected")]
    PixelCount(usize),
    #[error("pixel {number} is \"{value}\", not a number from 0 to 255")]
    Pixel { number: usize, value: String },
    #[error("Usage \"{0}\" is not one of Training, PublicTest, PrivateTest")]
    Usage(String),
}

/// Reads a file. If `divided`, its rows will be divided again, so the file need not divide them.
pub(super) fn read(path: &Path, divided: bool) -> Result<Dataset> {
    let mut reader = csv_reader(path, &FILES)?;
    let header = reader.byte_headers().map_err(|e| bad_csv(path, &e))?;
    let columns = Columns::of(header, divided).map_err(|e| bad_line(path, 1, e))?;
    let (mut rows, mut pixels) = (Vec::new(), Vec::new());
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|e| bad_csv(path, &e))?
    {
        let line = line_of(&reader, &record);
        rows.push(row(&record, &columns, &mut pixels).map_err(|e| bad_line(path, line, e))?);
    }
    Ok(Dataset::new(Emotion::ALL[..LABELS].to_vec(), rows, pixels))
}

impl Columns {
    fn of(header: &ByteRecord, divided: bool) -> Result<Self, String> {
        let find = |name: &str| {
            let same = |title: &[u8]| title.eq_ignore_ascii_case(name.as_bytes());
            header.iter().position(same)
        };
        let (label, pixels, usage) = (find("emotion"), find("pixels"), find("Usage"));
        match (label, pixels) {
            (Some(_), Some(_)) if usage.is_none() && !divided => Err(
                "the column \"Usage\" is missing, so nothing says which rows are for validation; divide them with \
                 --train-fraction 0.9, or give Kaggle's fer2013.csv or icml_face_data.csv"
                    .to_owned(),
            ),
            (Some(label), Some(pixels)) => Ok(Self {
                label,
                pixels,
                usage,
                count: header.len(),
            }),
            (None, Some(_)) => Err(
                "the column \"emotion\" is missing, as in the contest's test.csv, whose labels are in \
                 icml_face_data.csv; give that file or fer2013.csv"
                    .to_owned(),
            ),
            (_, None) => Err(
                "the columns \"emotion\" and \"pixels\" are missing; give Kaggle's fer2013.csv".to_owned(),
            ),
        }
    }
}

/// Parses a row and appends its pixels to `pixels`.
fn row(record: &ByteRecord, columns: &Columns, pixels: &mut Vec<u8>) -> Result<Row, RowError> {
    let field = |column: usize| record.get(column).unwrap_or_default();
    let (label, values) = (field(columns.label), field(columns.pixels));
    if record.len() != columns.count {
        return Err(RowError::Columns(record.len(), columns.count));
    }
    let label = byte(label)
        .and_then(|index| Emotion::from_index(index.into()))
        .filter(|emotion| emotion.index() < LABELS)
        .ok_or_else(|| RowError::Label(text(label)))?;
    let usage = match columns.usage.map(field) {
        None => Usage::Training,
        Some(usage) => Usage::ALL
            .into_iter()
            .find(|known| known.name().as_bytes() == usage)
            .ok_or_else(|| RowError::Usage(text(usage)))?,
    };
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
