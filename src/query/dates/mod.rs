//! Parses dates into spans of local time: `2019`, `2019-07-14 12:30`, `last summer`, `july 2019`,
//! `3 weeks ago`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

mod feasts;
mod nearest;
mod words;

use feasts::Feast;
pub(super) use feasts::{is_feast, is_month, month};
pub(super) use words::{in_words, is_name, is_weekday, year};

/// A span of local time, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateSpan {
    /// The first moment of the span.
    pub start: DateTime,
    /// The first moment after the span.
    pub end: DateTime,
}

impl DateSpan {
    #[allow(
        clippy::unnecessary_wraps,
        reason = "it ends chains that may find no date"
    )]
    fn from_day(start: Date, length: Span) -> Option<Self> {
        Some(Self::from_moment(start.into(), length))
    }

    fn from_moment(start: DateTime, length: Span) -> Self {
        let last = DateTime::from_parts(Date::MAX, Time::MAX);
        Self {
            start,
            end: start.checked_add(length).unwrap_or(last),
        }
    }
}

/// The local time of the system's clock.
pub fn now() -> DateTime {
    Timestamp::now()
        .to_zoned_datetime(TimeZone::system())
        .datetime()
}

/// Parses a date in digits or in words; words such as `yesterday` are relative to `now`.
///
/// # Errors
/// A sentence that says how to write a date.
pub fn parse_span(text: &str, now: DateTime) -> Result<DateSpan, String> {
    let text = text.trim();
    let words: Vec<&str> = text.split_whitespace().collect();
    in_figures(text)
        .or_else(|| in_words(&words, now))
        .ok_or_else(|| match nearest::nearest(&words, now) {
            Some(nearest) => format!("\"{text}\" is no date; did you mean \"{nearest}\"?"),
            None => format!(
                "\"{text}\" is no date; write 2019, 2019-07, 2019-07-14, \"2019-07-14 12:30\", \
                 \"last summer\" or \"3 weeks ago\""
            ),
        })
}

/// Parses `2019`, `2019-07`, `2019-07-14`, `2019-07-14 12:30`, `2019-07-14T12:30:15`, `2019-07-14T12:30:15Z`,
/// `2019/07/14`, `07/2019`, `14.07.2019` or `07.2019`.
fn in_figures(text: &str) -> Option<DateSpan> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split('/').collect::<Vec<_>>()[..] {
        [year, month, day] if year.len() == 4 => {
            return in_figures(&format!("{year}-{month:0>2}-{day:0>2}"));
        }
        [year, month] | [month, year] if year.len() == 4 => {
            return in_figures(&format!("{year}-{month:0>2}"));
        }
        _ => {}
    }
    match text.split('.').collect::<Vec<_>>()[..] {
        [day, month, year] if year.len() == 4 => {
            return in_figures(&format!("{year}-{month:0>2}-{day:0>2}"));
        }
        [month, year] if year.len() == 4 => return in_figures(&format!("{year}-{month:0>2}")),
        _ => {}
    }
    let fields: Vec<&str> = text.split('-').collect();
    match fields[..] {
        [year] if year.len() == 4 && is_digits(year) => {
            DateSpan::from_day(format!("{year}-01-01").parse().ok()?, 1.year())
        }
        [year, month] if year.len() == 4 && month.len() == 2 => {
            DateSpan::from_day(format!("{text}-01").parse().ok()?, 1.month())
        }
        [_, _, _] if text.len() == 10 => DateSpan::from_day(text.parse().ok()?, 1.day()),
        [_, _, _] => {
            let has_seconds = text.matches(':').count() > 1;
            let length = if has_seconds { 1.second() } else { 1.minute() };
            // A date with an offset, as photos have, is compared by its local time, which the camera showed. Only a
            // moment in UTC is converted.
            let start = match text.strip_suffix(['Z', 'z']) {
                Some(utc) => {
                    let utc: DateTime = utc.parse().ok()?;
                    let moment = TimeZone::UTC.to_timestamp(utc).ok()?;
                    moment.to_zoned_datetime(TimeZone::system()).datetime()
                }
                None => text.parse().ok()?,
            };
            Some(DateSpan::from_moment(start, length))
        }
        _ => None,
    }
}

/// A part of the year, from the start of one feast to the end of the same or another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Yearly {
    first: Feast,
    last: Feast,
}

impl Yearly {
    /// The span in a year; a span across the turn of the year begins in that year.
    pub fn of(self, year: i16) -> Option<DateSpan> {
        let (first, last) = (self.first.of(year)?, self.last.of(year)?);
        let end = if last.end <= first.start {
            self.last.of(year + 1)?.end
        } else {
            last.end
        };
        Some(DateSpan {
            start: first.start,
            end,
        })
    }
}

/// The time when photos were taken: one span, or a part of every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// One span.
    Span(DateSpan),
    /// The same part of every year.
    Yearly(Yearly),
}

/// Parses a date, or a range of two dates that are separated by `to` or `..`. A date without a year (`may`,
/// `christmas`, `june to august`) means that date in every year.
///
/// # Errors
/// A sentence that says how to write a date or a range.
pub fn parse_dates(text: &str, now: DateTime) -> Result<Dates, String> {
    if let Some((first, last)) = text.split_once(" to ").or_else(|| text.split_once("..")) {
        let range = (one(first, now)?, one(last, now)?);
        return match range {
            (Dates::Yearly(first), Dates::Yearly(last)) => Ok(Dates::Yearly(Yearly {
                first: first.first,
                last: last.last,
            })),
            (Dates::Span(first), Dates::Span(last)) if first.start < last.end => {
                Ok(Dates::Span(DateSpan {
                    start: first.start,
                    end: last.end,
                }))
            }
            _ => Err(format!(
                "\"{text}\" does not go from an earlier date to a later one; name the year on both \
                 sides or on none"
            )),
        };
    }
    one(text, now)
}

fn one(text: &str, now: DateTime) -> Result<Dates, String> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    match yearly(&words) {
        Some(yearly) => Ok(Dates::Yearly(yearly)),
        None => parse_span(text, now).map(Dates::Span),
    }
}

/// Parses a part of the year without a year, such as `may` or `christmas`.
pub(super) fn yearly(words: &[&str]) -> Option<Yearly> {
    let feast = Feast::named(words)?;
    Some(Yearly {
        first: feast,
        last: feast,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// A Tuesday.
    const NOW: DateTime = date(2026, 11, 24).at(15, 20, 30, 0);

    #[track_caller]
    fn check(text: &str, start: &str, end: &str) {
        let span = parse_span(text, NOW).unwrap();
        let full = |text: &str| match text.len() {
            10 => format!("{text}T00:00:00"),
            _ => text.to_owned(),
        };
        let found = (span.start.to_string(), span.end.to_string());
        assert_eq!(found, (full(start), full(end)), "{text}");
    }

    #[test]
    fn each_precision_is_a_span() {
        check("2019", "2019-01-01", "2020-01-01");
        check("2019-12", "2019-12-01", "2020-01-01");
        check("2020-02-29", "2020-02-29", "2020-03-01");
        check(
            "2019-07-14 12:30",
            "2019-07-14T12:30:00",
            "2019-07-14T12:31:00",
        );
        check(
            "2019-07-14T12:30:15",
            "2019-07-14T12:30:15",
            "2019-07-14T12:30:16",
        );
        check("9999-12-31", "9999-12-31", "9999-12-31T23:59:59.999999999");
    }

    #[test]
    fn a_moment_of_utc_is_one_of_the_local_clock() {
        let utc: Timestamp = "2019-07-14T12:30:15Z".parse().unwrap();
        let local = utc
            .to_zoned_datetime(TimeZone::system())
            .datetime()
            .to_string();
        check(
            &local,
            &local,
            &(utc + 1.second())
                .to_zoned_datetime(TimeZone::system())
                .datetime()
                .to_string(),
        );
        let span = parse_span("2019-07-14T12:30:15Z", NOW).unwrap();
        assert_eq!(span.start.to_string(), local);
        // The offset of a photo's date belongs to the local time in it.
        check(
            "2019-07-14T12:30:15+02:00",
            "2019-07-14T12:30:15",
            "2019-07-14T12:30:16",
        );
    }

    /// The answers of `phrases.tsv`, which were computed by another program: on every weekday, at the ends of a month
    /// and of a year, on a leap day, and on days on which clocks change.
    #[test]
    fn phrases_mean_the_same_as_in_the_table() {
        let mut lines = include_str!("phrases.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'));
        let cells = |line: &'static str| line.split('\t').collect::<Vec<_>>();
        let moments = cells(lines.next().unwrap()).split_off(1);
        let moments: Vec<DateTime> = moments
            .into_iter()
            .map(|now| now.parse().unwrap())
            .collect();
        let mut phrases = 0;
        for line in lines {
            let answers = cells(line);
            let (phrase, answers) = answers.split_first().unwrap();
            for (index, now) in moments.iter().enumerate() {
                let answer = answers[index.min(answers.len() - 1)];
                let expected = if let Some((start, end)) = answer.split_once("..") {
                    DateSpan {
                        start: moment(start),
                        end: moment(end),
                    }
                } else {
                    let (start, days) = answer.split_once('+').unwrap();
                    let days: i64 = days.parse().unwrap();
                    DateSpan::from_moment(moment(start), days.days())
                };
                assert_eq!(parse_span(phrase, *now), Ok(expected), "{phrase} on {now}");
            }
            phrases += 1;
        }
        assert!(phrases >= 120 && moments.len() == 13, "{phrases}");
    }

    fn moment(text: &str) -> DateTime {
        let date = text.parse::<Date>().map(DateTime::from);
        if text.len() == 10 {
            date.unwrap()
        } else {
            text.parse().unwrap()
        }
    }

    #[test]
    fn words_are_whole_periods() {
        check("last summer", "2026-06-01", "2026-09-01");
        check("last autumn", "2025-09-01", "2025-12-01");
        check("Fall", "2026-09-01", "2026-12-01");
        check("winter 2019", "2019-12-01", "2020-03-01");
        check("july", "2026-07-01", "2026-08-01");
        check("Dec", "2025-12-01", "2026-01-01");
        check("july 2019", "2019-07-01", "2019-08-01");
        check("14 july 2019", "2019-07-14", "2019-07-15");
        check("July 4th 2019", "2019-07-04", "2019-07-05");
        check("last year", "2025-01-01", "2026-01-01");
        check("this month", "2026-11-01", "2026-12-01");
        check("last week", "2026-11-16", "2026-11-23");
        check("last weekend", "2026-11-21", "2026-11-23");
        check("last tuesday", "2026-11-17", "2026-11-18");
        check("yesterday", "2026-11-23", "2026-11-24");
        check("two years ago", "2024-01-01", "2025-01-01");
        check("christmas 2018", "2018-12-24", "2018-12-27");
        check("90s", "1990-01-01", "2000-01-01");
        check("easter 2020", "2020-04-10", "2020-04-14");
        check("good friday 2020", "2020-04-10", "2020-04-11");
        check("easter monday 2020", "2020-04-13", "2020-04-14");
        check("ascension day 2020", "2020-05-21", "2020-05-22");
        check("pentecost 2020", "2020-05-31", "2020-06-02");
        check("ash wednesday 2020", "2020-02-26", "2020-02-27");
        check("black friday 2025", "2025-11-28", "2025-11-29");
        check("half a year ago", "2026-05-01", "2026-06-01");
        check("a couple of years ago", "2024-01-01", "2025-01-01");
        check("a year ago today", "2025-11-24", "2025-11-25");
        check("summer before last", "2025-06-01", "2025-09-01");
        check("monday before last", "2026-11-16", "2026-11-17");
        check("last easter", "2026-04-03", "2026-04-07");
        check("thanksgiving 2025", "2025-11-27", "2025-11-28");
        check("new year's eve 2019", "2019-12-31", "2020-01-02");
        check("july 4th", "2026-07-04", "2026-07-05");
        check("29 feb", "2024-02-29", "2024-03-01");
        check("14.7.2019", "2019-07-14", "2019-07-15");
        check("2019/07/14", "2019-07-14", "2019-07-15");
        check("7/2019", "2019-07-01", "2019-08-01");
        check("07.2019", "2019-07-01", "2019-08-01");
        check("2019/07", "2019-07-01", "2019-08-01");
        check("day before yesterday", "2026-11-22", "2026-11-23");
        check("week before last", "2026-11-09", "2026-11-16");
    }

    #[test]
    fn days_are_counted_from_today() {
        check("3 weeks ago", "2026-11-03", "2026-11-04");
        check("10 days ago", "2026-11-14", "2026-11-15");
        check("two weeks ago", "2026-11-10", "2026-11-11");
        check("a fortnight ago", "2026-11-10", "2026-11-11");
        check("tomorrow", "2026-11-25", "2026-11-26");
        check("last 3 days", "2026-11-21", "2026-11-25");
        check("past two months", "2026-09-24", "2026-11-25");
        check("2 hours ago", "2026-11-24T13:20:00", "2026-11-24T13:21:00");
        check(
            "90 minutes ago",
            "2026-11-24T13:50:00",
            "2026-11-24T13:51:00",
        );
        check("last 24 hours", "2026-11-23T15:20:30", "2026-11-25");
        check(
            "yesterday 18:00",
            "2026-11-23T18:00:00",
            "2026-11-23T18:01:00",
        );
        check(
            "2 days ago at 9:30",
            "2026-11-22T09:30:00",
            "2026-11-22T09:31:00",
        );
        check(
            "2026-11-20 18:00",
            "2026-11-20T18:00:00",
            "2026-11-20T18:01:00",
        );
    }

    #[test]
    fn weekdays_are_the_latest_ones_unless_a_week_or_a_month_is_named() {
        check("friday", "2026-11-20", "2026-11-21");
        check("sunday", "2026-11-22", "2026-11-23");
        check("tuesday", "2026-11-24", "2026-11-25");
        check("Monday last week", "2026-11-16", "2026-11-17");
        check("last week sunday", "2026-11-22", "2026-11-23");
        check("next friday", "2026-11-27", "2026-11-28");
        check("this tuesday", "2026-11-24", "2026-11-25");
        check("this friday", "2026-11-27", "2026-11-28");
        check("first monday of may 2019", "2019-05-06", "2019-05-07");
        check("last sunday in july 2020", "2020-07-26", "2020-07-27");
        check("3rd friday march 2021", "2021-03-19", "2021-03-20");
        check("friday 18:00", "2026-11-20T18:00:00", "2026-11-20T18:01:00");
        for text in [
            "first monday",
            "fifth monday of february 2021",
            "monday tuesday",
            "2 days",
            "last summer 18:00",
            "30 february",
            "29 february 2019",
            "31 june",
        ] {
            assert!(parse_span(text, NOW).is_err(), "{text}");
            assert!(parse_dates(text, NOW).is_err(), "{text}");
        }
    }

    #[test]
    fn what_names_no_year_is_of_every_year() {
        let of = |text: &str, year| match parse_dates(text, NOW) {
            Ok(Dates::Yearly(yearly)) => {
                let span = yearly.of(year).unwrap();
                (span.start.date(), span.end.date())
            }
            other => panic!("{text}: {other:?}"),
        };
        let december = date(2019, 12, 1);
        assert_eq!(of("winter", 2019), (december, date(2020, 3, 1)));
        assert_eq!(of("june to august", 2012).1, date(2012, 9, 1));
        assert_eq!(of("december..february", 2019), (december, date(2020, 3, 1)));
        assert_eq!(of("christmas", 1999).0, date(1999, 12, 24));
        let span = parse_dates("june 2019 to august 2019", NOW).unwrap();
        assert_eq!(
            span,
            Dates::Span(DateSpan {
                start: date(2019, 6, 1).into(),
                end: date(2019, 9, 1).into(),
            })
        );
        for text in ["june to august 2019", "2020 to 2019", "may to soon"] {
            assert!(parse_dates(text, NOW).is_err(), "{text}");
        }
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
            "z",
        ] {
            let message = parse_span(text, NOW).unwrap_err();
            assert!(message.contains("2019-07-14"), "{message}");
        }
    }
}
