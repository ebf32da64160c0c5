//! Dates as people write them, each a span of local time: `2019`, `2019-07-14 12:30`, `last summer`,
//! `july 2019`, `3 weeks ago`.

use jiff::civil::{Date, DateTime, Time, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

/// A span of local time, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateSpan {
    /// Its first moment.
    pub start: DateTime,
    /// The first moment after it.
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

/// The date on the system's clock.
pub fn today() -> Date {
    Timestamp::now()
        .to_zoned_datetime(TimeZone::system())
        .date()
}

/// Reads a date in figures or in words; `today` is when it is asked.
///
/// # Errors
/// A sentence that says how to write one.
pub fn parse_span(text: &str, today: Date) -> Result<DateSpan, String> {
    let text = text.trim();
    in_figures(text)
        .or_else(|| in_words(&text.split_whitespace().collect::<Vec<_>>(), today))
        .or_else(|| relative(text, today))
        .ok_or_else(|| {
            format!(
                "\"{text}\" is no date; write 2019, 2019-07, 2019-07-14, \"2019-07-14 12:30\", \
                 \"last summer\" or \"3 weeks ago\""
            )
        })
}

/// `2019`, `2019-07`, `2019-07-14`, `2019-07-14 12:30` or `2019-07-14T12:30:15`.
fn in_figures(text: &str) -> Option<DateSpan> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
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
            Some(DateSpan::from_moment(text.parse().ok()?, length))
        }
        _ => None,
    }
}

/// Seasons of the north by their first month; each has three, and winter begins in the year that
/// names it.
const SEASONS: [(&str, i8); 5] = [
    ("spring", 3),
    ("summer", 6),
    ("autumn", 9),
    ("fall", 9),
    ("winter", 12),
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What comes back every year.
#[derive(Clone, Copy)]
struct Yearly {
    month: i8,
    day: i8,
    length: Span,
}

impl Yearly {
    fn named(word: &str) -> Option<Self> {
        if let Some((_, month)) = SEASONS.iter().find(|(name, _)| *name == word) {
            return Some(Self {
                month: *month,
                day: 1,
                length: 3.months(),
            });
        }
        if word == "christmas" {
            return Some(Self {
                month: 12,
                day: 24,
                length: 3.days(),
            });
        }
        Some(Self {
            month: month(word)?,
            day: 1,
            length: 1.month(),
        })
    }

    fn of(self, year: i16) -> Option<DateSpan> {
        let start = Date::new(year, self.month, self.day).ok()?;
        DateSpan::from_day(start, self.length)
    }

    /// The latest that has begun, or with `ended` that is over.
    fn latest(self, today: Date, ended: bool) -> Option<DateSpan> {
        let now = DateTime::from(today);
        (0..=2)
            .filter_map(|years| self.of(today.year() - years))
            .find(|span| {
                if ended {
                    span.end <= now
                } else {
                    span.start <= now
                }
            })
    }
}

/// The number of a month by its name or the first three letters of it.
fn month(word: &str) -> Option<i8> {
    let index = MONTHS
        .iter()
        .position(|name| *name == word || (word.len() == 3 && name.starts_with(word)))?;
    Some(index as i8 + 1)
}

/// Dates in words, without what is counted from today.
pub(super) fn in_words(words: &[&str], today: Date) -> Option<DateSpan> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["today"] => DateSpan::from_day(today, 1.day()),
        ["yesterday"] => DateSpan::from_day(today.yesterday().ok()?, 1.day()),
        ["last", what] => period(what, today, -1)
            .or_else(|| Yearly::named(what)?.latest(today, true))
            .or_else(|| last_weekday(what, today)),
        ["this", what] => period(what, today, 0).or_else(|| Yearly::named(what)?.of(today.year())),
        ["next", what] => {
            period(what, today, 1).or_else(|| Yearly::named(what)?.of(today.year() + 1))
        }
        [word] => decade(word)
            .or_else(|| year(word).and_then(|year| in_figures(&format!("{year:04}"))))
            .or_else(|| Yearly::named(word)?.latest(today, false)),
        [name, number] if year(number).is_some() => Yearly::named(name)?.of(year(number)?),
        [count, unit @ ("year" | "years" | "month" | "months"), "ago"] => {
            period(unit.trim_end_matches('s'), today, -(number(count)?))
        }
        [a, b, number] => {
            let (month, day) = match (month(a), month(b)) {
                (Some(month), None) => (month, b),
                (None, Some(month)) => (month, a),
                _ => return None,
            };
            let day = day
                .trim_end_matches(|c: char| !c.is_ascii_digit())
                .parse()
                .ok()?;
            DateSpan::from_day(Date::new(year(number)?, month, day).ok()?, 1.day())
        }
        _ => None,
    }
}

fn year(word: &str) -> Option<i16> {
    let year = word.parse().ok()?;
    (word.len() == 4 && (1800..=2999).contains(&year)).then_some(year)
}

/// `1990s`, `90s`.
fn decade(word: &str) -> Option<DateSpan> {
    let figures = word.strip_suffix('s')?;
    let first: i16 = figures.parse().ok().filter(|first| first % 10 == 0)?;
    let first = match figures.len() {
        4 => first,
        2 if first >= 30 => 1900 + first,
        2 => 2000 + first,
        _ => return None,
    };
    DateSpan::from_day(date(first, 1, 1), 10.years())
}

/// A number in figures or a small one in words.
pub(super) fn number(word: &str) -> Option<i64> {
    const WORDS: [&str; 10] = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    if matches!(word, "a" | "an") {
        return Some(1);
    }
    let in_words = WORDS.iter().position(|name| *name == word);
    in_words.map(|index| index as i64 + 1).or_else(|| {
        word.parse()
            .ok()
            .filter(|number| (1..10_000).contains(number))
    })
}

/// The whole year, month, week or weekend that lies so many of them from the present one.
fn period(unit: &str, today: Date, distance: i64) -> Option<DateSpan> {
    let monday = today
        .checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days())
        .ok()?;
    let (present, length, step) = match unit {
        "year" => (today.first_of_year(), 1.year(), distance.years()),
        "month" => (today.first_of_month(), 1.month(), distance.months()),
        "week" => (monday, 1.week(), distance.weeks()),
        "weekend" => (
            monday.checked_add(5.days()).ok()?,
            2.days(),
            distance.weeks(),
        ),
        _ => return None,
    };
    DateSpan::from_day(present.checked_add(step).ok()?, length)
}

/// The latest such day before today.
fn last_weekday(name: &str, today: Date) -> Option<DateSpan> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let (_, weekday) = DAYS.iter().find(|(day, _)| *day == name)?;
    DateSpan::from_day(today.nth_weekday(-1, *weekday).ok()?, 1.day())
}

/// What is counted from today (`3 weeks ago`, `2 days ago 18:00`), in the words of GNU `date`, read by
/// `parse_datetime`: the day, or the minute where a time is given.
pub(super) fn relative(text: &str, today: Date) -> Option<DateSpan> {
    // Single letters are time zones there.
    if text.len() < 4 || !text.contains(|c: char| c.is_alphabetic()) {
        return None;
    }
    let parsed = parse_datetime::parse_datetime(format!("{today} {text}")).ok()?;
    let moment = parsed.into_zoned()?.to_string();
    let moment: DateTime = moment.get(..19)?.parse().ok()?;
    let has_time = text.contains(':') || moment.time() != Time::midnight();
    if has_time {
        Some(DateSpan::from_moment(moment, 1.minute()))
    } else {
        DateSpan::from_day(moment.date(), 1.day())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Tuesday.
    const TODAY: Date = date(2026, 11, 24);

    #[track_caller]
    fn check(text: &str, start: &str, end: &str) {
        let span = parse_span(text, TODAY).unwrap();
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
    }

    #[test]
    fn days_are_counted_from_today() {
        check("3 weeks ago", "2026-11-03", "2026-11-04");
        check("10 days ago", "2026-11-14", "2026-11-15");
        check(
            "2026-11-20 18:00",
            "2026-11-20T18:00:00",
            "2026-11-20T18:01:00",
        );
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
            let message = parse_span(text, TODAY).unwrap_err();
            assert!(message.contains("2019-07-14"), "{message}");
        }
    }
}
