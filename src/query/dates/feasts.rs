//! The parts of the year that have a name: months, days, seasons and feasts.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday};

use super::DateSpan;

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

/// The words of the names of months, seasons and feasts.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    let feasts = FEASTS.iter().flat_map(|(name, _)| name.split(' '));
    MONTHS.into_iter().chain(feasts)
}

/// A part of the year that has a name: a season, a month, a day or a feast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feast {
    /// A number of months and days, from the same day of every year on.
    Fixed {
        month: i8,
        day: i8,
        months: i8,
        days: i8,
    },
    /// `days` days, the first of them `after` days after Easter Sunday (before it, if negative).
    Easter { after: i8, days: i8 },
    /// The day that is `after` days after the fourth Thursday of November.
    Thanksgiving { after: i8 },
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

const fn easter_days(after: i8, days: i8) -> Feast {
    Feast::Easter { after, days }
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
    ("boxing day", days(12, 26, 1)),
    // From Good Friday to Easter Monday.
    ("easter", easter_days(-2, 4)),
    ("ash wednesday", easter_days(-46, 1)),
    ("palm sunday", easter_days(-7, 1)),
    ("maundy thursday", easter_days(-3, 1)),
    ("good friday", easter_days(-2, 1)),
    ("easter saturday", easter_days(-1, 1)),
    ("easter sunday", easter_days(0, 1)),
    ("easter monday", easter_days(1, 1)),
    ("ascension", easter_days(39, 1)),
    ("ascension day", easter_days(39, 1)),
    // From Whit Sunday to Whit Monday.
    ("pentecost", easter_days(49, 2)),
    ("whitsun", easter_days(49, 2)),
    ("whit sunday", easter_days(49, 1)),
    ("whit monday", easter_days(50, 1)),
    ("thanksgiving", Feast::Thanksgiving { after: 0 }),
    ("black friday", Feast::Thanksgiving { after: 1 }),
];

impl Feast {
    /// Parses the name of a month, a day such as `july 4`, a season or a feast.
    pub fn named(words: &[&str]) -> Option<Self> {
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

    /// Its span in a year; `None` if that year has none, as of 29 February.
    pub fn of(self, year: i16) -> Option<DateSpan> {
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
            Self::Easter { after, days } => {
                let first = easter(year)?.checked_add(after.days()).ok()?;
                (first, days.days())
            }
            Self::Thanksgiving { after } => {
                let november = Date::new(year, 11, 1).ok()?;
                let thursday = november.nth_weekday_of_month(4, Weekday::Thursday).ok()?;
                (thursday.checked_add(after.days()).ok()?, 1.day())
            }
        };
        DateSpan::from_day(start, length)
    }

    /// The latest occurrence that has begun or, with `ended`, that has ended.
    pub fn latest(self, today: Date, ended: bool) -> Option<DateSpan> {
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

/// The number of a month, by its name or the first three letters of its name.
pub(in crate::query) fn month(word: &str) -> Option<i8> {
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
    // 2000 has a 29 February.
    Date::new(2000, month, day).ok().map(|_| (month, day))
}

/// Whether a meaning of the vocabulary is a month.
pub(in crate::query) fn is_month(meaning: &str) -> bool {
    MONTHS.contains(&meaning)
}

/// Whether a meaning of the vocabulary is a month, a season or a feast.
pub(in crate::query) fn is_feast(meaning: &str) -> bool {
    let name = meaning.replace('_', " ");
    MONTHS.contains(&name.as_str()) || FEASTS.iter().any(|(feast, _)| *feast == name)
}
