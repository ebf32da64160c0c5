//! Parses dates into spans of local time: `2019`, `2019-07-14 12:30`, `last summer`, `july 2019`,
//! `3 weeks ago`.

use jiff::civil::{Date, DateTime, Time, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

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

/// The local date of the system's clock.
pub fn today() -> Date {
    Timestamp::now()
        .to_zoned_datetime(TimeZone::system())
        .date()
}

/// Parses a date in digits or in words; words such as `yesterday` are relative to `today`.
///
/// # Errors
/// A sentence that says how to write a date.
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

/// Parses `2019`, `2019-07`, `2019-07-14`, `2019-07-14 12:30`, `2019-07-14T12:30:15`, `2019/07/14` or
/// `14.07.2019`.
fn in_figures(text: &str) -> Option<DateSpan> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split('/').collect::<Vec<_>>()[..] {
        [year, month, day] if year.len() == 4 => {
            return in_figures(&format!("{year}-{month:0>2}-{day:0>2}"));
        }
        [year, month] if year.len() == 4 => return in_figures(&format!("{year}-{month:0>2}")),
        _ => {}
    }
    if let [day, month, year] = text.split('.').collect::<Vec<_>>()[..]
        && year.len() == 4
    {
        return in_figures(&format!("{year}-{month:0>2}-{day:0>2}"));
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
            Some(DateSpan::from_moment(text.parse().ok()?, length))
        }
        _ => None,
    }
}

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

/// A part of the year that has a name: a season, a month, a day or a feast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feast {
    /// A number of months and days, from the same day of every year on.
    Fixed {
        month: i8,
        day: i8,
        months: i8,
        days: i8,
    },
    /// From Good Friday to Easter Monday.
    Easter,
    /// The fourth Thursday of November.
    Thanksgiving,
}

const fn months(month: i8, months: i8) -> Feast {
    Feast::Fixed {
        month,
        day: 1,
        months,
        days: 0,
    }
}

const fn days(month: i8, day: i8, days: i8) -> Feast {
    Feast::Fixed {
        month,
        day,
        months: 0,
        days,
    }
}

/// The seasons of the northern hemisphere, each of three months, and feasts. The winter of a year begins in
/// December of that year.
const FEASTS: &[(&str, Feast)] = &[
    ("spring", months(3, 3)),
    ("summer", months(6, 3)),
    ("autumn", months(9, 3)),
    ("fall", months(9, 3)),
    ("winter", months(12, 3)),
    ("christmas", days(12, 24, 3)),
    ("christmas eve", days(12, 24, 1)),
    ("christmas day", days(12, 25, 1)),
    ("new year's eve", days(12, 31, 2)),
    ("new year's day", days(1, 1, 1)),
    ("valentine's day", days(2, 14, 1)),
    ("st patrick's day", days(3, 17, 1)),
    ("halloween", days(10, 31, 1)),
    ("easter", Feast::Easter),
    ("thanksgiving", Feast::Thanksgiving),
];

impl Feast {
    fn named(words: &[&str]) -> Option<Self> {
        if let [word] = words
            && let Some(month) = month(word)
        {
            return Some(months(month, 1));
        }
        if let [a, b] = words
            && let Some((month, day)) = day_of_month(a, b)
        {
            // 29 February does not exist in every year; `of` returns `None` for the others.
            return Some(days(month, day, 1));
        }
        let name = words.join(" ");
        let (_, feast) = FEASTS.iter().find(|(feast, _)| *feast == name)?;
        Some(*feast)
    }

    fn of(self, year: i16) -> Option<DateSpan> {
        let (start, length) = match self {
            Self::Fixed {
                month,
                day,
                months,
                days,
            } => (
                Date::new(year, month, day).ok()?,
                months.months().days(days),
            ),
            Self::Easter => (easter(year)?.checked_sub(2.days()).ok()?, 4.days()),
            Self::Thanksgiving => {
                let november = Date::new(year, 11, 1).ok()?;
                let thursday = november.nth_weekday_of_month(4, Weekday::Thursday).ok()?;
                (thursday, 1.day())
            }
        };
        DateSpan::from_day(start, length)
    }

    /// The latest occurrence that has begun or, with `ended`, that is over.
    fn latest(self, today: Date, ended: bool) -> Option<DateSpan> {
        let now = DateTime::from(today);
        // Two leap days can be eight years apart, as in 1896 and 1904.
        (0..=8)
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

/// Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876, in Meeus, Astronomical
/// Algorithms, chapter 8).
fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    Date::new(year, (n / 31) as i8, (n % 31 + 1) as i8).ok()
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
pub fn parse_dates(text: &str, today: Date) -> Result<Dates, String> {
    if let Some((first, last)) = text.split_once(" to ").or_else(|| text.split_once("..")) {
        let range = (one(first, today)?, one(last, today)?);
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
    one(text, today)
}

fn one(text: &str, today: Date) -> Result<Dates, String> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    match yearly(&words) {
        Some(yearly) => Ok(Dates::Yearly(yearly)),
        None => parse_span(text, today).map(Dates::Span),
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

/// The number of a month, by its name or the first three letters of its name.
fn month(word: &str) -> Option<i8> {
    let index = MONTHS
        .iter()
        .position(|name| *name == word || (word.len() == 3 && name.starts_with(word)))?;
    Some(index as i8 + 1)
}

/// Parses a month and a day, in either order.
fn day_of_month(a: &str, b: &str) -> Option<(i8, i8)> {
    let (month, day) = match (month(a), month(b)) {
        (Some(month), None) => (month, b),
        (None, Some(month)) => (month, a),
        _ => return None,
    };
    let day: i8 = day
        .trim_end_matches(|c: char| c.is_ascii_lowercase())
        .parse()
        .ok()?;
    (1..=31).contains(&day).then_some((month, day))
}

/// Parses dates in words, except those that [`relative`] parses.
pub(super) fn in_words(words: &[&str], today: Date) -> Option<DateSpan> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["today"] => DateSpan::from_day(today, 1.day()),
        ["yesterday"] => DateSpan::from_day(today.yesterday().ok()?, 1.day()),
        ["last", what] if period(what, today, -1).is_some() => period(what, today, -1),
        ["last", ref feast @ ..] => Feast::named(feast)
            .and_then(|feast| feast.latest(today, true))
            .or_else(|| last_weekday(feast, today)),
        ["this", what] if period(what, today, 0).is_some() => period(what, today, 0),
        ["this", ref feast @ ..] => Feast::named(feast)?.of(today.year()),
        ["next", what] if period(what, today, 1).is_some() => period(what, today, 1),
        ["next", ref feast @ ..] => Feast::named(feast)?.of(today.year() + 1),
        [count, unit @ ("year" | "years" | "month" | "months"), "ago"] => {
            period(unit.trim_end_matches('s'), today, -(number(count)?))
        }
        [word] if decade(word).is_some() => decade(word),
        [word] if year(word).is_some() => in_figures(&format!("{:04}", year(word)?)),
        [ref feast @ .., last] if year(last).is_some() => Feast::named(feast)?.of(year(last)?),
        _ => Feast::named(&words)?.latest(today, false),
    }
}

/// Whether a meaning of the vocabulary is a word in dates: a month, a feast, a weekday, a unit, `last`,
/// `ago`. Meanings have `_` for spaces.
pub(super) fn is_name(meaning: &str) -> bool {
    const OTHERS: [&str; 18] = [
        "today",
        "yesterday",
        "last",
        "this",
        "next",
        "ago",
        "day",
        "week",
        "weekend",
        "month",
        "year",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    OTHERS.contains(&meaning) || is_feast(meaning)
}

/// Whether a meaning of the vocabulary is a month, a season or a feast.
pub(super) fn is_feast(meaning: &str) -> bool {
    let name = meaning.replace('_', " ");
    MONTHS.contains(&name.as_str()) || FEASTS.iter().any(|(feast, _)| *feast == name)
}

/// Parses a year of four digits.
pub(super) fn year(word: &str) -> Option<i16> {
    let year = word.parse().ok()?;
    (word.len() == 4 && (1800..=2999).contains(&year)).then_some(year)
}

/// Parses a decade: `1990s`, `90s`, `nineties`.
fn decade(word: &str) -> Option<DateSpan> {
    const IN_WORDS: [(&str, &str); 6] = [
        ("fifties", "50s"),
        ("sixties", "60s"),
        ("seventies", "70s"),
        ("eighties", "80s"),
        ("nineties", "90s"),
        ("noughties", "2000s"),
    ];
    let known = IN_WORDS.iter().find(|(name, _)| *name == word);
    let word = known.map_or(word, |(_, figures)| figures);
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

/// Parses a number in digits, or one up to ten in words.
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

/// The whole year, month, week or weekend at a distance from the present one: -1 is the previous one.
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

/// The latest day before today that is this weekday.
fn last_weekday(name: &[&str], today: Date) -> Option<DateSpan> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let (_, weekday) = DAYS.iter().find(|(day, _)| name == [*day])?;
    DateSpan::from_day(today.nth_weekday(-1, *weekday).ok()?, 1.day())
}

/// Parses dates relative to today (`3 weeks ago`, `2 days ago 18:00`) with the crate `parse_datetime`, which
/// accepts the words of GNU `date`. The span is the day, or the minute if the text contains a time.
pub(super) fn relative(text: &str, today: Date) -> Option<DateSpan> {
    // `parse_datetime` takes single letters for time zones.
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
        check("easter 2020", "2020-04-10", "2020-04-14");
        check("last easter", "2026-04-03", "2026-04-07");
        check("thanksgiving 2025", "2025-11-27", "2025-11-28");
        check("new year's eve 2019", "2019-12-31", "2020-01-02");
        check("july 4th", "2026-07-04", "2026-07-05");
        check("29 feb", "2024-02-29", "2024-03-01");
        check("14.7.2019", "2019-07-14", "2019-07-15");
        check("2019/07/14", "2019-07-14", "2019-07-15");
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
    fn what_names_no_year_is_of_every_year() {
        let of = |text: &str, year| match parse_dates(text, TODAY) {
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
        let span = parse_dates("june 2019 to august 2019", TODAY).unwrap();
        assert_eq!(
            span,
            Dates::Span(DateSpan {
                start: date(2019, 6, 1).into(),
                end: date(2019, 9, 1).into(),
            })
        );
        for text in ["june to august 2019", "2020 to 2019", "may to soon"] {
            assert!(parse_dates(text, TODAY).is_err(), "{text}");
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
            let message = parse_span(text, TODAY).unwrap_err();
            assert!(message.contains("2019-07-14"), "{message}");
        }
    }
}
