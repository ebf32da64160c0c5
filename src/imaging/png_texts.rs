//! What the text chunks and the time chunk of a PNG say of a photo.

use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::Offset;

use crate::facts::{Block, Moment, Statements, xmp_date};
use crate::photo::{DateSource, Precision};

/// Reads texts by their keywords, which the PNG specification registers, and the time of the last change.
pub(super) fn statements(texts: &[(String, String)], changed: Option<DateTime>) -> Statements {
    let mut statements = Statements::default();
    for (key, text) in texts {
        match key.as_str() {
            "Title" => statements.add_title(text, Block::Png),
            "Description" | "Comment" => statements.add_description(text, Block::Png),
            // ImageMagick writes a field of EXIF under the second keyword.
            "Creation Time" | "exif:DateTimeOriginal" => {
                if let Some((moment, precision)) = date(text) {
                    statements.add_date(moment, precision, DateSource::Png);
                }
            }
            _ => {}
        }
    }
    if let Some(utc) = changed.and_then(|changed| Offset::UTC.to_timestamp(changed).ok()) {
        let moment = Moment::Instant { utc };
        statements.add_date(moment, Precision::Second, DateSource::PngChanged);
    }
    statements
}

/// Parses a date in the form of an e-mail, which the specification recommends, or in that of XMP or EXIF.
fn date(text: &str) -> Option<(Moment, Precision)> {
    let mail = rfc2822::DateTimeParser::new().parse_zoned_datetime(text.trim());
    let Ok(zoned) = mail else {
        return xmp_date(text);
    };
    let moment = Moment::Local {
        local: zoned.datetime(),
        offset: Some(zoned.offset()),
    };
    Some((moment, Precision::Second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_mails_or_of_other_formats() {
        for (text, expected) in [
            ("Sun, 14 Jul 2019 15:30:00 +0200", "2019-07-14T15:30:00+02"),
            ("2019:07:14 15:30:00", "2019-07-14T15:30:00"),
            ("2019-07-14T15:30:00+02:00", "2019-07-14T15:30:00+02"),
            ("yesterday", ""),
        ] {
            let statements = statements(&[("Creation Time".to_owned(), text.to_owned())], None);
            let date = statements.dates.first().map(|date| match date.moment {
                Moment::Local { local, offset } => {
                    let offset = offset.map_or_else(String::new, |offset| offset.to_string());
                    format!("{local}{offset}")
                }
                Moment::Instant { utc } => utc.to_string(),
            });
            assert_eq!(date.unwrap_or_default(), expected, "{text}");
        }
    }
}
