//! The date of a photo by the modification times of its files, for a photo without another one.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::dates::is_plausible;
use crate::photo::TakenAt;

/// The first moments of Unix time and of the FAT file system: what a file has whose time was lost.
const LOST: [Duration; 2] = [Duration::ZERO, Duration::from_hours(87_648)];

/// The date by the oldest of these times that is plausible; one that was lost counts only if there is no other.
pub(super) fn date(times: impl Iterator<Item = SystemTime>, today: Date) -> Option<TakenAt> {
    let is_plausible = |time: &SystemTime| {
        Timestamp::try_from(*time)
            .is_ok_and(|utc| is_plausible(Offset::UTC.to_datetime(utc).date(), today))
    };
    times
        .filter(is_plausible)
        .min_by_key(|time| (is_lost(*time), *time))
        .and_then(TakenAt::from_file_time)
}

/// Whether a time is the first moment of a calendar, in whatever time zone: FAT stores local times.
fn is_lost(time: SystemTime) -> bool {
    LOST.iter().any(|start| {
        let start = SystemTime::UNIX_EPOCH + *start;
        let distance = time
            .duration_since(start)
            .unwrap_or_else(|before| before.duration());
        distance <= Duration::from_hours(14) && distance.as_nanos().is_multiple_of(900_000_000_000)
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil;

    use super::*;

    #[test]
    fn the_oldest_time_counts_that_a_photo_can_have() {
        let time = |text: &str| SystemTime::try_from(text.parse::<Timestamp>().unwrap()).unwrap();
        for (times, expected) in [
            (
                &["2019-07-14T13:30:00Z", "2014-01-01T00:00:00Z"][..],
                "2014-01-01T00:00:00Z",
            ),
            // FAT's last year, and a clock that was reset.
            (&["2107-12-31T23:59:58Z"], ""),
            (
                &["2107-12-31T23:59:58Z", "2019-07-14T13:30:00Z"],
                "2019-07-14T13:30:00Z",
            ),
            (
                &["1970-01-01T00:00:00Z", "2019-07-14T13:30:00Z"],
                "2019-07-14T13:30:00Z",
            ),
            (
                &["1979-12-31T22:00:00Z", "2019-07-14T13:30:00Z"],
                "2019-07-14T13:30:00Z",
            ),
            (&["1980-01-01T00:00:00Z"], "1980-01-01T00:00:00Z"),
            (
                &["1980-01-01T00:00:02Z", "2019-07-14T13:30:00Z"],
                "1980-01-01T00:00:02Z",
            ),
            (
                &["1700-01-01T00:00:00Z", "2019-07-14T13:30:00Z"],
                "2019-07-14T13:30:00Z",
            ),
            (&[], ""),
        ] {
            let found = date(times.iter().copied().map(time), civil::date(2026, 1, 1));
            let found = found.map(|taken| taken.offset.unwrap().to_timestamp(taken.local).unwrap());
            let found = found.map_or_else(String::new, |utc| utc.to_string());
            assert_eq!(found, expected, "{times:?}");
        }
    }
}
