//! What an IPTC-IIM block says of a photo.

use crate::facts::{Block, Statements, iptc_date};
use crate::photo::DateSource;

/// A data set of the application record.
const TITLE: u8 = 5;
const KEYWORD: u8 = 25;
const DATE_CREATED: u8 = 55;
const TIME_CREATED: u8 = 60;
const HEADLINE: u8 = 105;
const CAPTION: u8 = 120;

/// Reads a block. Texts are in UTF-8 if the block names that character set or they are valid UTF-8, otherwise in
/// Latin-1.
pub(super) fn statements(block: &[u8]) -> Statements {
    let mut statements = Statements::default();
    let (mut date, mut time, mut headline) = (None, None, None);
    let mut is_utf8 = false;
    for (record, number, data) in DataSets(block) {
        let text = || {
            if is_utf8 {
                String::from_utf8_lossy(data).into_owned()
            } else {
                crate::facts::latin1_or_utf8(data)
            }
        };
        match (record, number) {
            // The coded character set: the escape sequence of UTF-8.
            (1, 90) => is_utf8 = data == b"\x1b%G",
            (2, TITLE) => statements.add_title(&text(), Block::Iptc),
            (2, HEADLINE) => headline = headline.or(Some(text())),
            (2, KEYWORD) => statements.add_keyword(&text(), Block::Iptc),
            (2, CAPTION) => statements.add_description(&text(), Block::Iptc),
            (2, DATE_CREATED) => date = date.or(Some(text())),
            (2, TIME_CREATED) => time = time.or(Some(text())),
            _ => {}
        }
    }
    if let Some(headline) = headline {
        statements.add_title(&headline, Block::Iptc);
    }
    let date = date.and_then(|date| iptc_date(&date, time.as_deref()));
    if let Some((moment, precision)) = date {
        statements.add_date(moment, precision, DateSource::Iptc);
    }
    statements
}

/// Whether a block has data sets of the application record and does not end within one. Zeros may fill its end.
/// `ImageMagick` writes a quarter of the block into the tag of a TIFF, and all of it among Photoshop's resources.
pub(super) fn is_whole(block: &[u8]) -> bool {
    let mut sets = DataSets(block);
    let has_application_record = sets.by_ref().filter(|(record, ..)| *record == 2).count() > 0;
    has_application_record && sets.0.iter().all(|byte| *byte == 0)
}

/// The data sets of a block: record, number and data.
struct DataSets<'a>(&'a [u8]);

impl<'a> Iterator for DataSets<'a> {
    type Item = (u8, u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [0x1c, record, number, high, low, rest @ ..] = self.0 else {
            return None;
        };
        let short = u16::from_be_bytes([*high, *low]);
        let (length, rest) = if short < 0x8000 {
            (usize::from(short), rest)
        } else {
            // An extended data set: the low bits give the length of its length field.
            let (length, rest) = rest.split_at_checked(usize::from(short & 0x7fff))?;
            let join =
                |value: usize, byte: &u8| value.checked_mul(256)?.checked_add((*byte).into());
            (length.iter().try_fold(0, join)?, rest)
        };
        let (data, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*record, *number, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Moment, StatedDate};
    use crate::photo::Precision;

    fn data_set(record: u8, number: u8, data: &[u8]) -> Vec<u8> {
        let length = (data.len() as u16).to_be_bytes();
        [&[0x1c, record, number], &length[..], data].concat()
    }

    #[test]
    fn dates_and_texts_are_read_in_their_character_set() {
        let block = [
            data_set(1, 90, b"\x1b%G"),
            data_set(2, HEADLINE, b"In town"),
            data_set(2, TITLE, "Zürich".as_bytes()),
            data_set(2, KEYWORD, "Käse".as_bytes()),
            data_set(2, KEYWORD, b"Lake"),
            data_set(2, CAPTION, b"At the\rlake"),
            data_set(2, DATE_CREATED, b"20190714"),
            data_set(2, TIME_CREATED, b"153000+0200"),
        ]
        .concat();
        let stated = statements(&block);
        assert_eq!(stated.titles[0].value, "Zürich");
        assert_eq!(stated.titles[1].value, "In town");
        let keywords = stated.keywords.iter().map(|keyword| keyword.value.as_str());
        assert!(keywords.eq(["Käse", "Lake"]));
        assert_eq!(stated.descriptions[0].value, "At the lake");
        let [
            StatedDate {
                moment: Moment::Local { local, offset },
                precision: Precision::Second,
                by: DateSource::Iptc,
            },
        ] = stated.dates[..]
        else {
            panic!("{:?}", stated.dates)
        };
        assert_eq!(local.to_string(), "2019-07-14T15:30:00");
        assert_eq!(offset.unwrap().seconds(), 7200);
        for end in 0..block.len() {
            let _ = statements(&block[..end]);
        }
        let latin = statements(&data_set(2, TITLE, b"Z\xfcrich"));
        assert_eq!(latin.titles[0].value, "Zürich");
        let long = [&[0x1c, 2, CAPTION, 0x80, 4, 0, 0, 0, 3], &b"abc"[..]].concat();
        assert_eq!(statements(&long).descriptions[0].value, "abc");
    }
}
