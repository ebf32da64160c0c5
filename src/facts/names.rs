//! Dates in the names of files and folders.
//!
//! Phones, messengers and programs name files by the date, and people name folders by it. A number is a date only if no
//! letter or digit adjoins it, its month and day exist, and photography existed in its year. The day on which a sync program
//! found two versions of a file is no date of the photo.

use std::path::{Component, Path};

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};

use super::dates::{is_plausible, midnight};
use super::{Moment, StatedDate};
use crate::photo::{DateSource, Precision};

mod conflicts;
mod exports;

use conflicts::without_marks;
use exports::is_export;

/// How many folders above a file are searched for a date.
const MAX_FOLDERS: usize = 4;

/// The first millisecond of Unix time with thirteen digits, in September 2001.
const FIRST_MILLISECONDS: i64 = 1_000_000_000_000;

/// Words that programs write between the day and the time, in several languages, besides single characters. Some file
/// systems store accents as separate characters.
const BEFORE_TIME: [&str; 13] = [
    " at ",
    " um ",
    " à ",
    " a\u{300} ",
    " alle ",
    " a las ",
    " às ",
    " a\u{300}s ",
    " om ",
    " o ",
    " kl. ",
    " klo ",
    " в ",
];

/// The date in the name of a file; `None` if there is none. `today` bounds the years.
pub fn date_in_file_name(path: &Path, today: Date) -> Option<StatedDate> {
    let name = path.file_stem()?.to_str()?;
    let (moment, precision) = moment_in_file_name(&without_marks(name), today)?;
    Some(StatedDate {
        moment,
        precision,
        by: DateSource::FileName,
    })
}

/// The date in the names of the folders above a file, the nearest first, as precisely as they state it:
/// `2019-07 Italy`, `2019/07/14`, `Photos from 2019`. The folder of an export, and those around it, say nothing.
pub fn date_in_folder_names(path: &Path, today: Date) -> Option<StatedDate> {
    let folders: Vec<_> = path
        .parent()?
        .components()
        .rev()
        .map_while(|part| match part {
            Component::Normal(name) => name.to_str().map(without_marks),
            _ => None,
        })
        .take_while(|name| !is_export(name))
        .take(MAX_FOLDERS)
        .collect();
    let folders: Vec<&str> = folders.iter().map(AsRef::as_ref).collect();
    let (day, precision) =
        (0..folders.len()).find_map(|at| date_in_nested_folders(&folders[at..], today))?;
    Some(StatedDate {
        moment: midnight(day),
        precision,
        by: DateSource::Folder,
    })
}

/// The date that the first of these folders states. The other ones contain it, from the innermost on.
fn date_in_nested_folders(folders: &[&str], today: Date) -> Option<(Date, Precision)> {
    let (name, around) = folders.split_first()?;
    if let Some(found) = date_in_folder_name(name, today) {
        return Some(found);
    }
    // A month's folder inside that of a year, or a day's inside that of a month.
    let number = leading_number(name)?;
    let (start, precision) = match around {
        [month, year, ..] if leading_number(month).is_some() => {
            date_in_nested_folders(&[month, year], today)
                .or_else(|| date_in_nested_folders(&[month], today))
        }
        [above, ..] => date_in_folder_name(above, today),
        [] => None,
    }?;
    match precision {
        Precision::Year => Some((Date::new(start.year(), number, 1).ok()?, Precision::Month)),
        Precision::Month => Some((
            Date::new(start.year(), start.month(), number).ok()?,
            Precision::Day,
        )),
        _ => None,
    }
}

/// The month or day by which a name begins: `07`, `07 July`, `7_July`.
fn leading_number(name: &str) -> Option<i8> {
    let end = name
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(name.len());
    let (digits, rest) = name.split_at(end);
    let stands_alone = rest.chars().next().is_none_or(|c| !c.is_alphanumeric());
    (digits.len() <= 2 && stands_alone).then(|| digits.parse().ok())?
}

/// The day, month or year in the name of a folder; `None` also if it spans several years.
fn date_in_folder_name(name: &str, today: Date) -> Option<(Date, Precision)> {
    let runs = digit_runs(name);
    let day = runs.iter().find_map(|&at| {
        let (day, rest) = parse_day_at(name, at, today)?;
        // People write words after it, as in `20190714Italy`; if digits follow, it may be part of a hash or a number.
        let is_written_out = leading_digits(&name[at..]).0.len() <= 4;
        let is_day = is_written_out || is_end_of_number(rest) || parse_time(day, rest).is_some();
        is_day.then_some(day)
    });
    if let Some(day) = day {
        return Some((day, Precision::Day));
    }
    let mut found: Option<(Date, Precision)> = None;
    for &at in &runs {
        let Some(next) = month_or_year_at(name, at, today) else {
            continue;
        };
        found = match found {
            None => Some(next),
            Some(before) if before == next => Some(next),
            Some((before, _)) if before.year() == next.0.year() => {
                Some((Date::new(before.year(), 1, 1).ok()?, Precision::Year))
            }
            Some(_) => return None,
        };
    }
    found
}

/// A year alone, or a year and a month: `2019`, `2019-07`, `201907`.
fn month_or_year_at(name: &str, at: usize, today: Date) -> Option<(Date, Precision)> {
    let (before, rest) = name.split_at(at);
    if before
        .chars()
        .next_back()
        .is_some_and(char::is_alphanumeric)
    {
        return None;
    }
    let (digits, rest) = leading_digits(rest);
    let plausible = |year: &str, month: i8| {
        let day = Date::new(year.parse().ok()?, month, 1).ok()?;
        is_plausible(day, today).then_some(day)
    };
    match digits.len() {
        6 if is_end_of_date(rest) => {
            let day = plausible(&digits[..4], digits[4..].parse().ok()?)?;
            Some((day, Precision::Month))
        }
        4 if is_end_of_date(rest) => {
            let month = rest
                .strip_prefix(['-', '_', '.'])
                .map(leading_digits)
                .filter(|(month, rest)| month.len() == 2 && is_end_of_date(rest))
                .and_then(|(month, _)| plausible(digits, month.parse().ok()?));
            match month {
                Some(day) => Some((day, Precision::Month)),
                None => Some((plausible(digits, 1)?, Precision::Year)),
            }
        }
        _ => None,
    }
}

/// The date and time in the name of a file without its extension.
fn moment_in_file_name(name: &str, today: Date) -> Option<(Moment, Precision)> {
    let of_instant = |utc| (Moment::Instant { utc }, Precision::Second);
    if let Some(utc) = unix_milliseconds(name, 0, today) {
        return Some(of_instant(utc));
    }
    let mut best: Option<(Moment, Precision)> = None;
    for at in digit_runs(name) {
        let Some((day, rest)) = parse_day_at(name, at, today) else {
            continue;
        };
        let Some((local, rest)) = parse_time(day, rest) else {
            if is_end_of_date(rest) {
                best = best.or(Some((midnight(day), Precision::Day)));
            }
            continue;
        };
        // The camera of a Pixel names its files by UTC, also if a program puts something before that, and others say so.
        let is_of_pixel = ends_with_word(&name[..at], "PXL_");
        if is_of_pixel || rest.starts_with('Z') || begins_with_utc(rest) {
            let utc = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
            return Some((Moment::Instant { utc }, Precision::Second));
        }
        let offset = None;
        return Some((Moment::Local { local, offset }, Precision::Second));
    }
    // A program may have put something before the name, as Google does: `original_…_mmexport1563111000000`.
    let later = || {
        let mut runs = digit_runs(name).into_iter();
        runs.find_map(|at| unix_milliseconds(name, at, today))
    };
    best.or_else(|| later().map(of_instant))
}

/// Whether a text begins with `UTC` and no other offset, as in the names that Instaloader gives.
fn begins_with_utc(text: &str) -> bool {
    let rest = text.strip_prefix(['_', '-', ' ', '.']).unwrap_or(text);
    let Some((word, rest)) = rest.split_at_checked(3) else {
        return false;
    };
    let mut rest = rest.chars();
    let is_offset = match rest.next() {
        Some('+') => true,
        Some('-' | '−') => rest.next().is_some_and(|c| c.is_ascii_digit()),
        Some(next) => next.is_alphanumeric(),
        None => false,
    };
    word.eq_ignore_ascii_case("utc") && !is_offset
}

/// Whether a text ends with a word that is not the end of a longer one, in any case.
fn ends_with_word(text: &str, word: &str) -> bool {
    let Some((before, end)) = text
        .len()
        .checked_sub(word.len())
        .and_then(|at| text.split_at_checked(at))
    else {
        return false;
    };
    end.eq_ignore_ascii_case(word) && !before.ends_with(char::is_alphanumeric)
}

/// Milliseconds of Unix time at an offset in a name, after the prefix of Facebook or `WeChat`. At the beginning of the
/// name, that prefix is looked for from there on, or the name begins with the digits.
fn unix_milliseconds(name: &str, at: usize, today: Date) -> Option<Timestamp> {
    const PREFIXES: [&str; 8] = [
        "FB_IMG_",
        "IMG_",
        "IMG-",
        "VID_",
        "image_",
        "image-",
        "mmexport",
        "wx_camera_",
    ];
    let text = if at == 0 {
        let rest = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
        rest.unwrap_or(name)
    } else {
        let (before, text) = name.split_at(at);
        let mut prefixes = PREFIXES.iter();
        prefixes
            .any(|prefix| ends_with_word(before, prefix))
            .then_some(text)?
    };
    let (digits, rest) = leading_digits(text);
    (digits.len() == 13 && is_end_of_date(rest)).then_some(())?;
    let milliseconds: i64 = digits.parse().ok()?;
    let instant = Timestamp::from_millisecond(milliseconds).ok()?;
    let day = jiff::tz::Offset::UTC.to_datetime(instant).date();
    (milliseconds >= FIRST_MILLISECONDS && is_plausible(day, today)).then_some(instant)
}

/// The offsets at which digits begin.
fn digit_runs(name: &str) -> Vec<usize> {
    let bytes = name.as_bytes();
    (0..bytes.len())
        .filter(|&at| bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit()))
        .collect()
}

/// The digits by which a text begins, and the rest.
fn leading_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Whether a date before `rest` ends there. If a digit or letter follows, it may be part of something else, such as a
/// hash.
fn is_end_of_date(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !c.is_alphanumeric())
}

/// Whether a number before `rest` ends there, or is followed by letters alone, or by `T` and a time to the minute.
fn is_end_of_number(rest: &str) -> bool {
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    let word = &rest[..end];
    let is_time = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    word.bytes().all(|byte| byte.is_ascii_alphabetic())
        || word.strip_prefix('T').is_some_and(is_time)
}

/// A day in the digits at `at`, and the text after it: `20190714…`, `2019-07-14…`, and Telegram's `@14-07-2019…`.
fn parse_day_at(name: &str, at: usize, today: Date) -> Option<(Date, &str)> {
    let (before, text) = name.split_at(at);
    // Letters before it may be a word, as in `BURST20190714`. If a digit precedes them, they may be a part of a hash.
    let word = before.trim_end_matches(|c: char| c.is_alphabetic());
    let is_alone = word.len() == before.len() || !word.ends_with(|c: char| c.is_ascii_digit());
    is_alone.then_some(())?;
    let (run, rest) = leading_digits(text);
    let day = |year: &str, month: &str, day: &str| {
        let day = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
        is_plausible(day, today).then_some(day)
    };
    match run.len() {
        // 14 and 17 digits include the time, to the second or the millisecond.
        8 | 14 | 17 => {
            let (date, time) = text.split_at(8);
            Some((day(&date[..4], &date[4..6], &date[6..])?, time))
        }
        4 => {
            let separator = rest.chars().next().filter(|c| "-_. ".contains(*c))?;
            let (month, rest) = leading_digits(&rest[1..]);
            let (last, rest) = leading_digits(rest.strip_prefix(separator)?);
            (month.len() == 2 && last.len() == 2).then_some(())?;
            Some((day(run, month, last)?, rest))
        }
        2 if before.ends_with('@') => {
            let (month, rest) = leading_digits(rest.strip_prefix('-')?);
            let (year, rest) = leading_digits(rest.strip_prefix('-')?);
            (month.len() == 2 && year.len() == 4).then_some(())?;
            Some((day(year, month, run)?, rest))
        }
        _ => None,
    }
}

/// The time of day in the text after a day, and what follows: `153000`, `_153000123`, `-15-30-00`, ` at 15.30.00`,
/// ` at 3.30.00 PM`.
fn parse_time(day: Date, text: &str) -> Option<(DateTime, &str)> {
    let mut words = BEFORE_TIME.iter();
    let text = match words.find_map(|word| text.strip_prefix(word)) {
        Some(text) => text,
        None if text.starts_with(|c: char| c.is_ascii_digit()) => text,
        None => text
            .strip_prefix(['_', '-', ' ', '.', 'T', ','])?
            .trim_start(),
    };
    let (run, rest) = leading_digits(text);
    let (hour, minute, second, fraction, rest) = match run.len() {
        6 | 9 => (&run[..2], &run[2..4], &run[4..6], &run[6..], rest),
        1 | 2 => {
            let separator = rest.chars().next().filter(|c| ".-_:".contains(*c))?;
            let (minute, rest) = leading_digits(&rest[1..]);
            let (second, rest) = leading_digits(rest.strip_prefix(separator)?);
            (minute.len() == 2 && second.len() == 2).then_some(())?;
            (run, minute, second, "", rest)
        }
        _ => return None,
    };
    let half = rest.trim_start_matches([' ', '\u{202f}', '\u{a0}']);
    let hour: i8 = hour.parse().ok()?;
    let (hour, rest) = match half.get(..2).map(str::to_ascii_uppercase).as_deref() {
        Some("AM") if (1..=12).contains(&hour) => (hour % 12, &half[2..]),
        Some("PM") if (1..=12).contains(&hour) => (hour % 12 + 12, &half[2..]),
        _ => (hour, rest),
    };
    is_end_of_date(rest.strip_prefix('Z').unwrap_or(rest)).then_some(())?;
    let milliseconds: i64 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    let time = day.at(hour.clamp(0, 23), 0, 0, 0);
    (hour < 24).then_some(())?;
    let time = DateTime::new(
        time.year(),
        time.month(),
        time.day(),
        hour,
        minute.parse().ok()?,
        second.parse::<i8>().ok()?,
        0,
    )
    .ok()?;
    let time = time
        .checked_add(SignedDuration::from_millis(milliseconds))
        .ok()?;
    Some((time, rest))
}

#[cfg(test)]
mod tests;
