//! Dates on the command line: a year, a month, a day or a moment, each a span of time.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, ToSpan};

/// A span of local time, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DateSpan {
    pub start: DateTime,
    pub end: DateTime,
}

/// Parses `2019`, `2019-07`, `2019-07-14`, `2019-07-14 12:30` or `2019-07-14T12:30:15`.
pub(super) fn parse_span(text: &str) -> Result<DateSpan, String> {
    let explain = || {
        format!("\"{text}\" is no date; write 2019, 2019-07, 2019-07-14 or \"2019-07-14 12:30\"")
    };
    let date = |text: &str| text.parse::<Date>().map_err(|_| explain());
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fields: Vec<&str> = text.split('-').collect();
    let (start, length): (DateTime, Span) = match fields[..] {
        [year] if year.len() == 4 && is_digits(year) => {
            (date(&format!("{year}-01-01"))?.into(), 1.year())
        }
        [year, month] if year.len() == 4 && month.len() == 2 => {
            (date(&format!("{text}-01"))?.into(), 1.month())
        }
        _ if text.len() == 10 => (date(text)?.into(), 1.day()),
        _ => {
            let moment = text.parse::<DateTime>().map_err(|_| explain())?;
            let has_seconds = text.matches(':').count() > 1;
            let length = if has_seconds { 1.second() } else { 1.minute() };
            (moment, length)
        }
    };
    let last = DateTime::from_parts(Date::MAX, Time::MAX);
    Ok(DateSpan {
        start,
        end: start.checked_add(length).unwrap_or(last),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> (String, String) {
        let span = parse_span(text).unwrap();
        (span.start.to_string(), span.end.to_string())
    }

    #[test]
    fn each_precision_is_a_span() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            span("2019"),
            pair("2019-01-01T00:00:00", "2020-01-01T00:00:00")
        );
        assert_eq!(
            span("2019-12"),
            pair("2019-12-01T00:00:00", "2020-01-01T00:00:00")
        );
        assert_eq!(
            span("2020-02-29"),
            pair("2020-02-29T00:00:00", "2020-03-01T00:00:00")
        );
        assert_eq!(
            span("2019-07-14 12:30"),
            pair("2019-07-14T12:30:00", "2019-07-14T12:31:00")
        );
        assert_eq!(
            span("2019-07-14T12:30:15"),
            pair("2019-07-14T12:30:15", "2019-07-14T12:30:16")
        );
        assert_eq!(span("9999-12-31").1, "9999-12-31T23:59:59.999999999");
    }

    #[test]
    fn what_is_no_date_is_told_how_to_write_one() {
        for text in [
            "",
            "19",
            "2019-13",
            "2019-02-30",
            "yesterdayish",
            "2019-07-14 25:00",
        ] {
            let message = parse_span(text).unwrap_err();
            assert!(message.contains("2019-07-14"), "{message}");
        }
    }
}
