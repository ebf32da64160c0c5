//! Parses the dates of EXIF, XMP and IPTC-IIM.

use jiff::civil::{Date, DateTime, date};
use jiff::tz::Offset;

use super::Moment;
use crate::photo::Precision;

/// The earliest year of a photo: that of the oldest one preserved.
pub(super) const EARLIEST_YEAR: i16 = 1826;

/// Parses "2008:05:30 15:56:01", with any separators.
pub fn date_time(text: &[u8], nanoseconds: i32) -> Option<DateTime> {
    let mut numbers = text
        .split(|byte| !byte.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| std::str::from_utf8(digits).ok()?.parse::<i16>().ok());
    let mut next = || numbers.next().flatten();
    let year = next().filter(|year| *year > 0)?;
    let mut small = || i8::try_from(next()?).ok();
    let (month, day) = (small()?, small()?);
    let (hour, minute) = (small()?, small()?);
    // Some phones write 24 for the first hour of the day.
    let hour = if hour == 24 { 0 } else { hour };
    // Some scanners omit the seconds. A leap second counts as second 59.
    let second = small().unwrap_or(0).min(59);
    DateTime::new(year, month, day, hour, minute, second, nanoseconds).ok()
}

/// Parses the decimals of a second: "05" is 50 ms.
pub fn nanoseconds(text: &[u8]) -> i32 {
    text.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .zip((0..9).rev())
        .map(|(digit, power)| i32::from(digit - b'0') * 10_i32.pow(power))
        .sum()
}

/// Parses "+02:00", "-0330" or "Z".
pub fn utc_offset(text: &[u8]) -> Option<Offset> {
    let (sign, rest) = match text.trim_ascii() {
        b"Z" => return Some(Offset::UTC),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let digits: Vec<i32> = rest
        .iter()
        .filter(|byte| **byte != b':')
        .map(|byte| char::from(*byte).to_digit(10).map(|digit| digit as i32))
        .collect::<Option<_>>()?;
    let [h1, h0, m1, m0] = digits[..] else {
        return None;
    };
    let minutes = 60 * (10 * h1 + h0) + 10 * m1 + m0;
    // Clocks on Earth are at most 14 hours from UTC.
    (minutes <= 14 * 60).then_some(())?;
    Offset::from_seconds(sign * 60 * minutes).ok()
}

/// Parses a date of XMP, which may end after the year, the month, the day or the minutes: "2019-07",
/// "2019-07-14T15:30:00.25+02:00"; also one in the form of EXIF.
pub fn xmp_date(text: &str) -> Option<(Moment, Precision)> {
    let text = text.trim();
    let days = text.find(['T', ' ']).unwrap_or(text.len());
    let (day, time) = text.split_at(days);
    let (day, precision) = partial_day(day)?;
    let time = time.trim_start_matches(['T', ' ']);
    if time.is_empty() || precision != Precision::Day {
        return Some((midnight(day), precision));
    }
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, offset) = time.split_at(zone);
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let numbers = format!("{day} {clock}");
    let local = date_time(numbers.as_bytes(), nanoseconds(fraction.as_bytes()))?;
    let offset = utc_offset(offset.as_bytes());
    Some((Moment::Local { local, offset }, Precision::Second))
}

/// Parses a year, a month or a day with separators. A month or day of 00, or of blanks, is unknown.
fn partial_day(text: &str) -> Option<(Date, Precision)> {
    let mut parts = text.split([':', '-', '/', '.']);
    let year = parts.next().filter(|digits| digits.len() == 4)?;
    let year: i16 = year.parse().ok().filter(|year| *year >= 1)?;
    let mut part = || match parts.next() {
        None => Some(0),
        Some(blank) if blank.trim().is_empty() => Some(0),
        Some(digits) => digits.parse::<i8>().ok(),
    };
    match (part()?, part()?) {
        (0, _) => Some((Date::new(year, 1, 1).ok()?, Precision::Year)),
        (month, 0) => Some((Date::new(year, month, 1).ok()?, Precision::Month)),
        (month, day) => Some((Date::new(year, month, day).ok()?, Precision::Day)),
    }
}

/// Parses the date and the time of IPTC-IIM: "20190714" and "153000+0200". A month or day of 00 is unknown. The standard
/// requires an offset, so programs write "+0000" if they do not know it; Lightroom and Photoshop do so while EXIF and XMP
/// of the same photo have none. So that offset is unknown.
pub fn iptc_date(day: &str, time: Option<&str>) -> Option<(Moment, Precision)> {
    let digits: String = day.chars().filter(char::is_ascii_digit).collect();
    let (year, rest) = digits.split_at_checked(4)?;
    let (month, rest) = rest.split_at_checked(2)?;
    let (day, precision) = partial_day(&format!("{year}-{month}-{}", rest.get(..2)?))?;
    let clock = time.and_then(|time| {
        let zone = time.find(['+', '-']).unwrap_or(time.len());
        let (clock, offset) = time.split_at(zone);
        let digits: String = clock.chars().filter(char::is_ascii_digit).collect();
        let numbers = [digits.get(..2)?, digits.get(2..4)?, digits.get(4..6)?];
        let local = date_time(format!("{day} {}", numbers.join(":")).as_bytes(), 0)?;
        let offset = utc_offset(offset.as_bytes()).filter(|offset| *offset != Offset::UTC);
        Some((local, offset))
    });
    match clock {
        Some((local, offset)) if precision == Precision::Day => {
            Some((Moment::Local { local, offset }, Precision::Second))
        }
        _ => Some((midnight(day), precision)),
    }
}

/// The beginning of a day.
pub(super) fn midnight(day: Date) -> Moment {
    let local = day.at(0, 0, 0, 0);
    let offset = None;
    Moment::Local { local, offset }
}

/// The first day after the day, month or year that begins at `start`.
pub fn end_of_period(start: Date, precision: Precision) -> Option<Date> {
    let (year, month) = (start.year(), start.month());
    match precision {
        Precision::Second => Some(start),
        Precision::Day => start.tomorrow().ok(),
        Precision::Month if month == 12 => Date::new(year.checked_add(1)?, 1, 1).ok(),
        Precision::Month => Date::new(year, month + 1, 1).ok(),
        Precision::Year => Date::new(year.checked_add(1)?, 1, 1).ok(),
    }
}

/// Whether a photo can have been taken on a day: not before the first photo, nor after the end of the next year, which
/// allows for a wrong clock.
pub(super) fn is_plausible(day: Date, today: Date) -> bool {
    day >= date(EARLIEST_YEAR, 1, 1) && day.year() <= today.year() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::offset;
    use std::time::Duration;

    #[test]
    fn fractions_and_offsets_are_parsed() {
        assert_eq!(nanoseconds(b"5"), 500_000_000);
        assert_eq!(nanoseconds(b"000123"), 123_000);
        assert_eq!(nanoseconds(b"12345678999"), 123_456_789);
        assert_eq!(nanoseconds(b"  "), 0);
        assert_eq!(
            utc_offset(b"-03:30"),
            Some(-offset(3) - Duration::from_mins(30))
        );
        assert_eq!(utc_offset(b"Z"), Some(Offset::UTC));
        for nonsense in ["   :  ", "+99:00", "02:00", "+2", "", "+:::"] {
            assert_eq!(utc_offset(nonsense.as_bytes()), None, "{nonsense}");
        }
    }

    /// The moment as text, with its offset and precision.
    fn parsed_text(parsed: Option<(Moment, Precision)>) -> String {
        match parsed {
            Some((Moment::Local { local, offset }, precision)) => {
                let offset = offset.map_or_else(String::new, |offset| offset.to_string());
                format!("{local}{offset} {}", precision.name())
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn dates_of_xmp_end_where_the_knowledge_ends() {
        for (text, expected) in [
            ("2019", "2019-01-01T00:00:00 year"),
            ("2019-07", "2019-07-01T00:00:00 month"),
            ("2019-07-14", "2019-07-14T00:00:00 day"),
            ("2019-07-14T15:30", "2019-07-14T15:30:00 second"),
            ("2019-07-14T15:30:05Z", "2019-07-14T15:30:05+00 second"),
            (
                " 2019-07-14T15:30:05.25-03:30 ",
                "2019-07-14T15:30:05.25-03:30 second",
            ),
            ("2019:07:14 15:30:05", "2019-07-14T15:30:05 second"),
            ("2019:07:14 15:30:05+02:00", "2019-07-14T15:30:05+02 second"),
            ("2019-00-00", "2019-01-01T00:00:00 year"),
            ("2019:07:00 00:00:00", "2019-07-01T00:00:00 month"),
            ("2019:07:  ", "2019-07-01T00:00:00 month"),
            ("2019:  :  ", "2019-01-01T00:00:00 year"),
            ("", "None"),
            ("0000-00-00T00:00:00", "None"),
            ("2019-13-01", "None"),
            ("2019-02-30", "None"),
            ("2019-07-14T25:30:05", "None"),
            ("July 2019", "None"),
        ] {
            assert_eq!(parsed_text(xmp_date(text)), expected, "{text}");
        }
    }

    #[test]
    fn dates_of_iptc_are_two_texts() {
        for (day, time, expected) in [
            ("20190714", None, "2019-07-14T00:00:00 day"),
            (
                "20190714",
                Some("153000+0200"),
                "2019-07-14T15:30:00+02 second",
            ),
            ("2019:07:14", Some("15:30:00"), "2019-07-14T15:30:00 second"),
            // An offset that is required, and so says nothing.
            (
                "20190714",
                Some("153000+0000"),
                "2019-07-14T15:30:00 second",
            ),
            (
                "20190714",
                Some("153000-0000"),
                "2019-07-14T15:30:00 second",
            ),
            (
                "20190714",
                Some("153000+0100"),
                "2019-07-14T15:30:00+01 second",
            ),
            ("20190700", Some("000000"), "2019-07-01T00:00:00 month"),
            ("20190714", Some("noon"), "2019-07-14T00:00:00 day"),
            ("00000000", None, "None"),
            ("2019", None, "None"),
        ] {
            assert_eq!(
                parsed_text(iptc_date(day, time)),
                expected,
                "{day} {time:?}"
            );
        }
    }
}
