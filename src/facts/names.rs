//! Dates in the names of files and folders.
//!
//! Phones, messengers and programs name files by the date, and people name folders by it. A number is a date only
//! if it stands by itself, its month and day exist, and its year is one of photography.

use std::path::{Component, Path};

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};

use super::dates::{is_plausible, midnight};
use super::{Moment, StatedDate};
use crate::photo::{DateSource, Precision};

/// How many folders above a file are looked at.
const FOLDERS: usize = 4;

/// The first millisecond of Unix time with thirteen digits, in September 2001.
const FIRST_MILLISECONDS: i64 = 1_000_000_000_000;

/// The date in the name of a file; `None` if there is none. `today` bounds the years.
pub fn of_file(path: &Path, today: Date) -> Option<StatedDate> {
    let name = path.file_stem()?.to_str()?;
    let (moment, precision) = in_file_name(name, today)?;
    Some(StatedDate {
        moment,
        precision,
        by: DateSource::FileName,
    })
}

/// The date in the names of the folders above a file, from the nearest on, as exactly as it is there: `2019-07
/// Italy`, `2019/07/14`, `Photos from 2019`.
pub fn of_folders(path: &Path, today: Date) -> Option<StatedDate> {
    let folders: Vec<&str> = path
        .parent()?
        .components()
        .rev()
        .map_while(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .take(FOLDERS)
        .collect();
    let (day, precision) = (0..folders.len()).find_map(|at| in_folders(&folders[at..], today))?;
    Some(StatedDate {
        moment: midnight(day),
        precision,
        by: DateSource::Folder,
    })
}

/// The date that the first of these folders states, the others being those around it.
fn in_folders(folders: &[&str], today: Date) -> Option<(Date, Precision)> {
    let (name, around) = folders.split_first()?;
    if let Some(found) = in_folder_name(name, today) {
        return Some(found);
    }
    // A month in a folder of a year, or a day in a folder of a month.
    let number = leading_number(name)?;
    let (start, precision) = match around {
        [month, year, ..] if leading_number(month).is_some() => {
            in_folders(&[month, year], today).or_else(|| in_folders(&[month], today))
        }
        [above, ..] => in_folder_name(above, today),
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
fn in_folder_name(name: &str, today: Date) -> Option<(Date, Precision)> {
    let runs = digit_runs(name);
    let day = runs.iter().find_map(|&at| day_at(name, at, today));
    if let Some((day, _)) = day {
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

/// A year that stands by itself, or a year and a month: `2019`, `2019-07`, `201907`.
fn month_or_year_at(name: &str, at: usize, today: Date) -> Option<(Date, Precision)> {
    let (before, rest) = name.split_at(at);
    if before
        .chars()
        .next_back()
        .is_some_and(char::is_alphanumeric)
    {
        return None;
    }
    let (digits, rest) = digits(rest);
    let plausible = |year: &str, month: i8| {
        let day = Date::new(year.parse().ok()?, month, 1).ok()?;
        is_plausible(day, today).then_some(day)
    };
    let ends = |rest: &str| rest.chars().next().is_none_or(|c| !c.is_alphanumeric());
    match digits.len() {
        6 if ends(rest) => {
            let day = plausible(&digits[..4], digits[4..].parse().ok()?)?;
            Some((day, Precision::Month))
        }
        4 if ends(rest) => {
            let month = rest
                .strip_prefix(['-', '_', '.'])
                .map(self::digits)
                .filter(|(month, rest)| month.len() == 2 && ends(rest))
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
fn in_file_name(name: &str, today: Date) -> Option<(Moment, Precision)> {
    if let Some(instant) = unix_milliseconds(name, today) {
        return Some((Moment::Instant { utc: instant }, Precision::Second));
    }
    let mut best: Option<(Moment, Precision)> = None;
    for at in digit_runs(name) {
        let Some((day, rest)) = day_at(name, at, today) else {
            continue;
        };
        let Some(local) = time_in(day, rest) else {
            if ends(rest) {
                best = best.or(Some((midnight(day), Precision::Day)));
            }
            continue;
        };
        // The camera of a Pixel names its files by UTC.
        if name.starts_with("PXL_") {
            let utc = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
            return Some((Moment::Instant { utc }, Precision::Second));
        }
        let offset = None;
        return Some((Moment::Local { local, offset }, Precision::Second));
    }
    best
}

/// Milliseconds of Unix time in a name that consists of them, or begins like those of Facebook and `WeChat`.
fn unix_milliseconds(name: &str, today: Date) -> Option<Timestamp> {
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
    let rest = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
    let (digits, rest) = digits(rest.unwrap_or(name));
    (digits.len() == 13 && ends(rest)).then_some(())?;
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
fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Whether what stands before ends here: a digit or letter would belong to it, as in the name of a hash.
fn ends(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !c.is_alphanumeric())
}

/// A day in the digits at `at`, and the text after it: `20190714…`, `2019-07-14…`, and Telegram's `@14-07-2019…`.
fn day_at(name: &str, at: usize, today: Date) -> Option<(Date, &str)> {
    let (before, text) = name.split_at(at);
    // Letters before it are a word of its own, as in `BURST20190714`, and no part of a hash.
    let word = before.trim_end_matches(|c: char| c.is_alphabetic());
    let is_alone = word.len() == before.len() || !word.ends_with(|c: char| c.is_ascii_digit());
    is_alone.then_some(())?;
    let (run, rest) = digits(text);
    let day = |year: &str, month: &str, day: &str| {
        let day = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
        is_plausible(day, today).then_some(day)
    };
    match run.len() {
        // With the time: to the second, or with milliseconds.
        8 | 14 | 17 => {
            let (date, time) = text.split_at(8);
            Some((day(&date[..4], &date[4..6], &date[6..])?, time))
        }
        4 => {
            let separator = rest.chars().next().filter(|c| "-_. ".contains(*c))?;
            let (month, rest) = digits(&rest[1..]);
            let (last, rest) = digits(rest.strip_prefix(separator)?);
            (month.len() == 2 && last.len() == 2).then_some(())?;
            Some((day(run, month, last)?, rest))
        }
        2 if before.ends_with('@') => {
            let (month, rest) = digits(rest.strip_prefix('-')?);
            let (year, rest) = digits(rest.strip_prefix('-')?);
            (month.len() == 2 && year.len() == 4).then_some(())?;
            Some((day(year, month, run)?, rest))
        }
        _ => None,
    }
}

/// The time of day in the text after a day: `153000`, `_153000123`, `-15-30-00`, ` at 15.30.00`, ` at 3.30.00 PM`.
fn time_in(day: Date, text: &str) -> Option<DateTime> {
    let text = match text.strip_prefix(" at ") {
        Some(text) => text,
        None if text.starts_with(|c: char| c.is_ascii_digit()) => text,
        None => text
            .strip_prefix(['_', '-', ' ', '.', 'T', ','])?
            .trim_start(),
    };
    let (run, rest) = digits(text);
    let (hour, minute, second, fraction, rest) = match run.len() {
        6 | 9 => (&run[..2], &run[2..4], &run[4..6], &run[6..], rest),
        1 | 2 => {
            let separator = rest.chars().next().filter(|c| ".-_:".contains(*c))?;
            let (minute, rest) = digits(&rest[1..]);
            let (second, rest) = digits(rest.strip_prefix(separator)?);
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
    ends(rest).then_some(())?;
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
    time.checked_add(SignedDuration::from_millis(milliseconds))
        .ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn told(stated: Option<StatedDate>) -> String {
        let Some(stated) = stated else {
            return "none".to_owned();
        };
        let moment = match stated.moment {
            Moment::Local { local, .. } => local.to_string(),
            Moment::Instant { utc } => utc.to_string(),
        };
        match stated.precision {
            Precision::Second => moment,
            Precision::Day => moment[..10].to_owned(),
            Precision::Month => moment[..7].to_owned(),
            Precision::Year => moment[..4].to_owned(),
        }
    }

    #[test]
    fn files_are_named_by_phones_messengers_and_programs() {
        for (name, expected) in [
            ("IMG-20190714-WA0003.jpg", "2019-07-14"),
            ("VID-20190714-WA0003.jpg", "2019-07-14"),
            ("PXL_20190714_123456789.jpg", "2019-07-14T12:34:56.789Z"),
            (
                "PXL_20190714_123456789.MP~2.jpg",
                "2019-07-14T12:34:56.789Z",
            ),
            (
                "PXL_20190714_123456789.PORTRAIT.jpg",
                "2019-07-14T12:34:56.789Z",
            ),
            ("IMG_20190714_153000.jpg", "2019-07-14T15:30:00"),
            ("IMG_20190714_153000_1.jpg", "2019-07-14T15:30:00"),
            ("IMG_20190714_153000_HDR.jpg", "2019-07-14T15:30:00"),
            ("IMG_20190714_153000123.jpg", "2019-07-14T15:30:00.123"),
            ("MVIMG_20190714_153000.jpg", "2019-07-14T15:30:00"),
            ("DSC_20190714_153000.jpg", "2019-07-14T15:30:00"),
            ("20190714_153000.jpg", "2019-07-14T15:30:00"),
            ("20190714_153000(0).jpg", "2019-07-14T15:30:00"),
            ("20190714153000.jpg", "2019-07-14T15:30:00"),
            (
                "00000IMG_00000_BURST20190714153000123_COVER.jpg",
                "2019-07-14T15:30:00.123",
            ),
            ("Screenshot_2019-07-14-15-30-00.png", "2019-07-14T15:30:00"),
            (
                "Screenshot_2019-07-14-15-30-00-123_com.app.png",
                "2019-07-14T15:30:00",
            ),
            (
                "Screenshot_20190714-153000_Chrome.jpg",
                "2019-07-14T15:30:00",
            ),
            (
                "Screenshot 2019-07-14 at 15.30.00.png",
                "2019-07-14T15:30:00",
            ),
            (
                "Screen Shot 2019-07-14 at 3.30.00 PM.png",
                "2019-07-14T15:30:00",
            ),
            (
                "Screenshot 2019-07-14 at 12.30.00\u{202f}AM.png",
                "2019-07-14T00:30:00",
            ),
            (
                "Screenshot from 2019-07-14 15-30-00.png",
                "2019-07-14T15:30:00",
            ),
            ("signal-2019-07-14-153000.jpg", "2019-07-14T15:30:00"),
            ("signal-2019-07-14-15-30-00-123.jpg", "2019-07-14T15:30:00"),
            (
                "WhatsApp Image 2019-07-14 at 15.30.00.jpeg",
                "2019-07-14T15:30:00",
            ),
            (
                "WhatsApp Image 2019-07-14 at 15.30.00 (1).jpeg",
                "2019-07-14T15:30:00",
            ),
            ("photo_2019-07-14_15-30-00.jpg", "2019-07-14T15:30:00"),
            ("photo_2019-07-14_15-30-00 (2).jpg", "2019-07-14T15:30:00"),
            ("photo_1@14-07-2019_15-30-00.jpg", "2019-07-14T15:30:00"),
            ("2019-07-14 15.30.00.jpg", "2019-07-14T15:30:00"),
            ("2019-07-14T15:30:00.jpg", "2019-07-14T15:30:00"),
            ("C360_2019-07-14-15-30-00-123.jpg", "2019-07-14T15:30:00"),
            ("FB_IMG_1563109200123.jpg", "2019-07-14T13:00:00.123Z"),
            ("mmexport1563109200123.jpg", "2019-07-14T13:00:00.123Z"),
            ("1563109200123.jpg", "2019-07-14T13:00:00.123Z"),
            ("Scan 2019-07-14.jpg", "2019-07-14"),
            ("2019.07.14 Birthday.jpg", "2019-07-14"),
            ("IMG_20190714_0003.jpg", "2019-07-14"),
            ("IMG_20190714_253000.jpg", "2019-07-14"),
            ("19450508 Grandmother.jpg", "1945-05-08"),
        ] {
            let today = date(2026, 1, 1);
            assert_eq!(told(of_file(Path::new(name), today)), expected, "{name}");
        }
    }

    #[test]
    fn a_random_number_is_no_date() {
        for name in [
            "DSC02019.jpg",
            "IMG_0714.jpg",
            "12345678.jpg",
            "20191314.jpg",
            "20190230.jpg",
            "29990714.jpg",
            "18250714.jpg",
            "201907141.jpg",
            "5f20190714a1.jpg",
            "e3b20190714c44298fc1c149afbf4c8996fb.jpg",
            "0a20190714-0000.jpg",
            "4006381333931.jpg",
            "1234567890123456.jpg",
            "received_10156310920012345.jpg",
            "1920x1080.jpg",
            "2019.jpg",
            "P1010019.jpg",
            "156310920012.jpg",
            "9999999999999.jpg",
            "Café 2019-7-4.jpg",
        ] {
            let today = date(2026, 1, 1);
            assert_eq!(told(of_file(Path::new(name), today)), "none", "{name}");
        }
    }

    #[test]
    fn folders_are_named_to_the_precision_that_people_know() {
        for (path, expected) in [
            ("/a/2019-07 Italy/1.jpg", "2019-07"),
            ("/a/2019/07/14/1.jpg", "2019-07-14"),
            ("/a/2019/07/1.jpg", "2019-07"),
            ("/a/2019/07 July/1.jpg", "2019-07"),
            ("/a/2019/1.jpg", "2019"),
            ("/a/2019/Italy/1.jpg", "2019"),
            ("/a/2019/2019-07-14 Birthday/1.jpg", "2019-07-14"),
            ("/a/2019-07/14/1.jpg", "2019-07-14"),
            ("/a/20190714/1.jpg", "2019-07-14"),
            ("/a/2019_07_14/1.jpg", "2019-07-14"),
            ("/a/201907/1.jpg", "2019-07"),
            ("/Photos from 2019/1.jpg", "2019"),
            ("/a/Italy 2019/1.jpg", "2019"),
            ("/a/Summer (2019)/1.jpg", "2019"),
            ("/a/2019-06 to 2019-08/1.jpg", "2019"),
            ("/a/2018-2020/1.jpg", "none"),
            ("/a/user1999/1.jpg", "none"),
            ("/a/1920x1080/1.jpg", "none"),
            ("/a/100CANON/1.jpg", "none"),
            ("/a/07/1.jpg", "none"),
            ("/a/2019/13/1.jpg", "2019"),
            ("/a/2999/1.jpg", "none"),
            ("/2019/a/b/c/d/1.jpg", "none"),
        ] {
            let today = date(2026, 1, 1);
            assert_eq!(told(of_folders(Path::new(path), today)), expected, "{path}");
        }
    }
}
