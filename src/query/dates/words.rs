//! Parses dates in words: `yesterday 18:00`, `last summer`, `3 weeks ago`, `first sunday of may 2019`.

use jiff::civil::{Date, DateTime, Time, Weekday, date};
use jiff::{Span, ToSpan};

use super::feasts::{Feast, is_feast, month};
use super::{DateSpan, in_figures};

/// Parses a date in words, relative to `now`: a period, a day, or with a time of day the minute.
pub(in crate::query) fn in_words(words: &[&str], now: DateTime) -> Option<DateSpan> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    period(&words, now).or_else(|| at_a_time(&words, now))
}

/// Parses a period without a time of day.
fn period(words: &[&str], now: DateTime) -> Option<DateSpan> {
    let today = now.date();
    match *words {
        ["now"] => Some(minute(now)),
        ["today"] => DateSpan::from_day(today, 1.day()),
        ["yesterday"] => DateSpan::from_day(today.yesterday().ok()?, 1.day()),
        ["day", "before", "yesterday"] => ago(2, "day", now),
        [unit, "before", "last"] if calendar(unit, today, -2).is_some() => {
            calendar(unit, today, -2)
        }
        [day, "before", "last"] if weekday(day).is_some() => {
            DateSpan::from_day(today.nth_weekday(-2, weekday(day)?).ok()?, 1.day())
        }
        [ref feast @ .., "before", "last"] if Feast::named(feast).is_some() => {
            let feast = Feast::named(feast)?;
            feast.of(feast.latest(today, true)?.start.year() - 1)
        }
        ["tomorrow"] => DateSpan::from_day(today.tomorrow().ok()?, 1.day()),
        // A weekday and its week, in either order.
        [day, which @ ("last" | "this" | "next"), "week"]
        | [which @ ("last" | "this" | "next"), "week", day] => {
            let week = calendar("week", today, distance(which)?)?;
            let monday = week.start.date();
            let days = i64::from(weekday(day)?.to_monday_zero_offset());
            DateSpan::from_day(monday.checked_add(days.days()).ok()?, 1.day())
        }
        [which @ ("last" | "this" | "next"), unit]
            if calendar(unit, today, distance(which)?).is_some() =>
        {
            calendar(unit, today, distance(which)?)
        }
        ["last" | "past", count, unit] if number(count).is_some() => {
            let start = now.checked_sub(duration(number(count)?, unit)?).ok()?;
            let start = if is_of_clock(unit) {
                start
            } else {
                start.date().into()
            };
            Some(DateSpan {
                start,
                end: today.tomorrow().ok()?.into(),
            })
        }
        [which @ ("last" | "this" | "next"), day] if weekday(day).is_some() => {
            let day = weekday(day)?;
            let today_counts = which == "this" && today.weekday() == day;
            DateSpan::from_day(
                match which {
                    _ if today_counts => today,
                    "last" => today.nth_weekday(-1, day).ok()?,
                    _ => today.nth_weekday(1, day).ok()?,
                },
                1.day(),
            )
        }
        ["last", ref feast @ ..] if Feast::named(feast).is_some() => {
            Feast::named(feast)?.latest(today, true)
        }
        ["this", ref feast @ ..] if Feast::named(feast).is_some() => {
            Feast::named(feast)?.of(today.year())
        }
        ["next", ref feast @ ..] if Feast::named(feast).is_some() => {
            Feast::named(feast)?.of(today.year() + 1)
        }
        [nth, day, "of" | "in", ref month @ ..] | [nth, day, ref month @ ..]
            if ordinal(nth).is_some() && weekday(day).is_some() =>
        {
            nth_weekday(ordinal(nth)?, weekday(day)?, month)
        }
        ["half", "a", "year", "ago"] => ago(6, "month", now),
        ["half", "an", "hour", "ago"] => ago(30, "minute", now),
        ["a", "couple", "of", unit, "ago"]
        | ["a", "couple", unit, "ago"]
        | ["couple", "of", unit, "ago"]
        | ["couple", unit, "ago"] => ago(2, unit, now),
        [count, unit, "ago"] => ago(number(count)?, unit, now),
        // The same day, `count` units before.
        [count, unit, "ago", day @ ("today" | "yesterday")] if !is_of_clock(unit) => {
            let day = period(&[day], now)?.start.date();
            let day = day.checked_sub(duration(number(count)?, unit)?).ok()?;
            DateSpan::from_day(day, 1.day())
        }
        [day] if weekday(day).is_some() => {
            // The latest such day; today is one.
            let day = weekday(day)?;
            let latest = if today.weekday() == day {
                today
            } else {
                today.nth_weekday(-1, day).ok()?
            };
            DateSpan::from_day(latest, 1.day())
        }
        [word] if decade(word).is_some() => decade(word),
        [word] if year(word).is_some() => in_figures(&format!("{:04}", year(word)?)),
        [ref feast @ .., last] if year(last).is_some() => Feast::named(feast)?.of(year(last)?),
        _ => Feast::named(words)?.latest(today, false),
    }
}

/// Parses a day followed by a time of day: `yesterday 18:00`, `last monday at 9:30`.
fn at_a_time(words: &[&str], now: DateTime) -> Option<DateSpan> {
    let (last, rest) = words.split_last()?;
    if !last.contains(':') {
        return None;
    }
    let (hour, _) = last.split_once(':')?;
    let padded = if hour.len() == 1 {
        format!("0{last}")
    } else {
        (*last).to_owned()
    };
    let time: Time = padded.parse().ok()?;
    let rest = rest.strip_suffix(&["at"]).unwrap_or(rest);
    let day = period(rest, now)?;
    let is_one_day = day.start.time() == Time::midnight()
        && day.start.date().tomorrow().ok().map(DateTime::from) == Some(day.end);
    is_one_day.then(|| DateSpan::from_moment(day.start.date().to_datetime(time), 1.minute()))
}

/// The span `count` units before `now`: a whole year or month, a day, or for hours and shorter units a minute.
fn ago(count: i64, unit: &str, now: DateTime) -> Option<DateSpan> {
    match unit.trim_end_matches('s') {
        unit @ ("year" | "month") => calendar(unit, now.date(), -count),
        _ if is_of_clock(unit) => Some(minute(now.checked_sub(duration(count, unit)?).ok()?)),
        _ => {
            let day = now.date().checked_sub(duration(count, unit)?).ok()?;
            DateSpan::from_day(day, 1.day())
        }
    }
}

/// The minute that contains a moment.
fn minute(moment: DateTime) -> DateSpan {
    let time = Time::constant(moment.hour(), moment.minute(), 0, 0);
    DateSpan::from_moment(moment.date().to_datetime(time), 1.minute())
}

/// A number of units, in the singular or the plural.
fn duration(count: i64, unit: &str) -> Option<Span> {
    let span = Span::new();
    match unit.trim_end_matches('s') {
        "second" => span.try_seconds(count),
        "minute" => span.try_minutes(count),
        "hour" => span.try_hours(count),
        "day" => span.try_days(count),
        "week" => span.try_weeks(count),
        "fortnight" => span.try_weeks(count.checked_mul(2)?),
        "month" => span.try_months(count),
        "year" => span.try_years(count),
        _ => return None,
    }
    .ok()
}

/// Whether a unit is shorter than a day.
fn is_of_clock(unit: &str) -> bool {
    matches!(unit.trim_end_matches('s'), "second" | "minute" | "hour")
}

/// The distance of the period that a word names from the present one.
fn distance(which: &str) -> Option<i64> {
    match which {
        "last" => Some(-1),
        "this" => Some(0),
        "next" => Some(1),
        _ => None,
    }
}

/// Whether a meaning of the vocabulary is a word in dates: a month, a feast, a weekday, a unit, `last`,
/// `ago`. Meanings have `_` for spaces.
pub(in crate::query) fn is_name(meaning: &str) -> bool {
    const OTHERS: [&str; 11] = [
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
    ];
    OTHERS.contains(&meaning) || weekday(meaning).is_some() || is_feast(meaning)
}

/// Parses a year of four digits.
pub(in crate::query) fn year(word: &str) -> Option<i16> {
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
fn number(word: &str) -> Option<i64> {
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
fn calendar(unit: &str, today: Date, distance: i64) -> Option<DateSpan> {
    let monday = today
        .checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days())
        .ok()?;
    let (present, length) = match unit {
        "year" => (today.first_of_year(), 1.year()),
        "month" => (today.first_of_month(), 1.month()),
        "week" => (monday, 1.week()),
        "weekend" => (monday.checked_add(5.days()).ok()?, 2.days()),
        _ => return None,
    };
    let step = duration(distance, if unit == "weekend" { "week" } else { unit })?;
    DateSpan::from_day(present.checked_add(step).ok()?, length)
}

/// Whether a word is the name of a day of the week.
pub(in crate::query) fn is_weekday(name: &str) -> bool {
    weekday(name).is_some()
}

/// A day of the week by its name.
fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// Which of the weekdays of a month a word names; -1 is the last one.
fn ordinal(word: &str) -> Option<i8> {
    Some(match word {
        "first" | "1st" => 1,
        "second" | "2nd" => 2,
        "third" | "3rd" => 3,
        "fourth" | "4th" => 4,
        "fifth" | "5th" => 5,
        "last" => -1,
        _ => return None,
    })
}

/// The nth of a weekday in a month of a year, such as the first Sunday of May 2019. Without a month or a year it
/// is no date: which month is meant would be a guess.
fn nth_weekday(nth: i8, day: Weekday, words: &[&str]) -> Option<DateSpan> {
    let [name, of_year] = words else {
        return None;
    };
    let first = Date::new(year(of_year)?, month(name)?, 1).ok()?;
    DateSpan::from_day(first.nth_weekday_of_month(nth, day).ok()?, 1.day())
}
