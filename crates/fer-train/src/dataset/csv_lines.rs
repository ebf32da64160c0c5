//! On which line of a CSV file a row is. The csv crate counts line feeds: it takes a row that follows a carriage return and
//! a line feed, or empty lines, for one of an earlier line.

use std::io::{self, BufRead, Read};

use csv::ByteRecord;

/// A text in which every line, the last one too, ends with a line feed alone.
#[derive(Debug)]
pub struct CsvLines<R> {
    text: R,
    /// The last byte that was handed on.
    last: u8,
    /// Whether that was for a carriage return, so that a line feed that follows belongs to the same end of a line.
    after_return: bool,
}

impl<R: BufRead> CsvLines<R> {
    /// The lines of a text, which may end as on any system.
    pub fn new(text: R) -> Self {
        Self {
            text,
            last: b'\n',
            after_return: false,
        }
    }
}

impl<R: BufRead> Read for CsvLines<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        if self.after_return {
            if self.text.fill_buf()?.first() == Some(&b'\n') {
                self.text.consume(1);
            }
            self.after_return = false;
        }
        let from = self.text.fill_buf()?;
        if from.is_empty() {
            let missing = usize::from(self.last != b'\n');
            to[..missing].fill(b'\n');
            self.last = b'\n';
            return Ok(missing);
        }
        let most = from.len().min(to.len());
        let line_end = from[..most].iter().position(|&byte| byte == b'\r');
        let count = line_end.map_or(most, |at| at + 1);
        to[..count].copy_from_slice(&from[..count]);
        if let Some(at) = line_end {
            to[at] = b'\n';
            self.after_return = true;
        }
        self.last = to[count - 1];
        self.text.consume(count);
        Ok(count)
    }
}

/// The line, from 1 on, on which the row begins that was just read.
pub fn line_of<R: BufRead>(reader: &csv::Reader<CsvLines<R>>, row: &ByteRecord) -> u64 {
    let line_ends = row.as_slice().split(|byte| *byte == b'\n').count() - 1;
    // The reader is at the beginning of the line after the row.
    let after = reader.position().line();
    after.saturating_sub(1 + line_ends as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first field of each row and its line.
    fn rows(text: &str, capacity: usize) -> Vec<(String, u64)> {
        let lines = CsvLines::new(io::BufReader::with_capacity(capacity, text.as_bytes()));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(capacity)
            .from_reader(lines);
        let mut row = ByteRecord::new();
        let mut found = Vec::new();
        while reader.read_byte_record(&mut row).unwrap() {
            let field = String::from_utf8(row[0].to_vec()).unwrap();
            found.push((field, line_of(&reader, &row)));
        }
        found
    }

    #[test]
    fn a_row_is_on_the_line_that_an_editor_shows() {
        for end in ["\n", "\r\n", "\r"] {
            for last in ["", end] {
                let lines = ["a,1", "b,2", "", "", "\"c\nc\",3", "", "d,4"];
                let text = lines.join(end) + last;
                let expected = [("a", 1), ("b", 2), ("c\nc", 5), ("d", 8)];
                let expected = expected.map(|(field, line)| (field.to_owned(), line));
                for capacity in [1, 2, 3, 100] {
                    assert_eq!(rows(&text, capacity), expected, "{text:?} {capacity}");
                }
            }
        }
        assert_eq!(rows("", 9), []);
    }
}
