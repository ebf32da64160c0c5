//! Opens CSV files, plain or compressed, and names the line of an error.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use fer_core::error::{Error, Result};

/// A CSV reader of a plain, gzip or xz file; the first bytes decide, not the name.
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
    Error::input(path, format_args!("line {line}: {problem}"))
}

/// The error for a file that is not CSV.
pub(super) fn bad_csv(path: &Path, error: &csv::Error) -> Error {
    match error.position() {
        Some(position) => bad_line(path, position.line(), error),
        None => Error::input(path, error),
    }
}
