//! Parses the dates, fractions of seconds and UTC offsets of EXIF.

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Parses "2008:05:30 15:56:01", with any separators.
pub(super) fn date_time(text: &[u8], nanoseconds: i32) -> Option<DateTime> {
    let mut numbers = text
        .split(|byte| !byte.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| std::str::from_utf8(digits).ok()?.parse::<i16>().ok());
    let mut next = || numbers.next().flatten();
    let year = next().filter(|year| *year > 0)?;
    let mut small = || i8::try_from(next()?).ok();
    let (month, day) = (small()?, small()?);
    let (hour, minute) = (small()?, small()?);
    // Some scanners omit the seconds. A leap second counts as second 59.
    let second = small().unwrap_or(0).min(59);
    DateTime::new(year, month, day, hour, minute, second, nanoseconds).ok()
}

/// Parses the decimals of a second: "05" is 50 ms.
pub(super) fn nanoseconds(text: &[u8]) -> i32 {
    text.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .zip((0..9).rev())
        .map(|(digit, power)| i32::from(digit - b'0') * 10_i32.pow(power))
        .sum()
}

/// Parses "+02:00", "-0330" or "Z".
pub(super) fn utc_offset(text: &[u8]) -> Option<Offset> {
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
}
