//! Opens CSV files, plain, compressed or in an archive, and names the line of an error.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use fer_core::error::{Error, Result};

use super::archive;
use super::csv_lines::CsvLines;

/// A reader of a CSV file; [`line_of`](super::line_of) says on which line a row begins.
pub type CsvReader = csv::Reader<CsvLines<Box<dyn BufRead>>>;

/// Most bytes of the first line that are searched for separators.
const HEADER: u64 = 1 << 16;

/// A CSV reader of a plain, gzip or xz file, or of a file in a zip or tar archive: the one whose name comes first in
/// `wanted`. The first bytes determine the kind of file, not its name. The first line shows whether values are
/// separated by commas or semicolons; spaces around them are ignored. Rows need not be of equal length.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Input`] if an archive has none of these files.
pub fn csv_reader(path: &Path, wanted: &[&str]) -> Result<CsvReader> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(io)?);
    let start = file.fill_buf().map_err(io)?;
    let unpacked: Box<dyn Read> = if start.starts_with(b"PK\x03\x04") {
        let bytes = archive::from_zip(file, wanted);
        Box::new(Cursor::new(bytes.map_err(|e| Error::input(path, e))?))
    } else if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(file))
    } else if start.starts_with(b"\xfd7zXZ\0") {
        Box::new(lzma_rust2::XzReader::new(file, true))
    } else {
        Box::new(file)
    };
    let mut content: Box<dyn BufRead> = Box::new(BufReader::with_capacity(1 << 20, unpacked));
    if archive::is_tar(content.fill_buf().map_err(io)?) {
        let bytes = archive::from_tar(content, wanted).map_err(|e| Error::input(path, e))?;
        content = Box::new(Cursor::new(bytes));
    }
    let mut header = Vec::new();
    (&mut content)
        .take(HEADER)
        .read_until(b'\n', &mut header)
        .map_err(io)?;
    let count = |separator| header.split(|&b| b == separator).count();
    let semicolons = count(b';') > count(b',');
    let content: Box<dyn BufRead> = Box::new(Cursor::new(header).chain(content));
    Ok(csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(if semicolons { b';' } else { b',' })
        .from_reader(CsvLines::new(content)))
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
