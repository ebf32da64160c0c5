//! The offset from UTC of the clock that showed a photo's local time, as far as instants and the place tell it.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::{Moment, StatedDate};
use crate::photo::DateSource;

/// Seconds between a local time and the instant of a source that saw the same clock.
pub(super) const TOLERANCE: i64 = 120;

const HOUR: i64 = 3600;

/// The offset of the clock that showed `local`, by the instants among `stated`, the instant `other` of a sidecar, and the
/// time zone of the place, if that is known.
///
/// The time of a GPS receiver is that of its last fix, and that may be older than the photo; it is never younger. So the
/// receiver counts if it agrees with the place, or if nothing says that its fix is old: a difference that is larger than
/// that of the place by a part of an hour, or by up to one hour if another instant agrees with the place. Without
/// the receiver, another instant counts, first one by which the place has that local time.
pub(super) fn derived(
    local: DateTime,
    stated: &[StatedDate],
    other: Option<Timestamp>,
    place: &dyn Fn() -> Option<TimeZone>,
) -> Option<Offset> {
    let instants = |of_receiver: bool| {
        let stated = stated.iter().filter_map(move |date| match date.moment {
            Moment::Instant { utc } if (date.by == DateSource::Gps) == of_receiver => Some(utc),
            _ => None,
        });
        stated.chain(other.filter(|_| !of_receiver))
    };
    let at = |utc| at_instant(local, utc);
    let by_receiver = instants(true).find_map(at);
    let by_others: Vec<Timestamp> = instants(false).collect();
    if by_receiver.is_none() && by_others.is_empty() {
        return None;
    }
    let at_place = place().map_or_else(Vec::new, |zone| of_place(local, &zone));
    if by_receiver.is_some_and(|offset| at_place.contains(&offset)) {
        return by_receiver;
    }
    let is_near = |offset: &Offset, utc: &Timestamp| {
        (seconds_between(local, *utc) - i64::from(offset.seconds())).abs() <= TOLERANCE
    };
    let agreed = at_place
        .iter()
        .copied()
        .find(|offset| by_others.iter().any(|utc| is_near(offset, utc)));
    let of_others = agreed.or_else(|| by_others.iter().find_map(|utc| at(*utc)));
    let is_old = |receiver: Offset| {
        let ahead = |of: &Offset| i64::from(receiver.seconds()) - i64::from(of.seconds());
        agreed.iter().any(|of| (1..=HOUR).contains(&ahead(of)))
            || at_place
                .iter()
                .chain(&of_others)
                .any(|of| (1..HOUR).contains(&ahead(of)))
    };
    by_receiver
        .filter(|receiver| !is_old(*receiver))
        .or(of_others)
}

/// The offset by the first GPS receiver's time that some clock on Earth had.
pub(super) fn of_receiver(local: DateTime, stated: &[StatedDate]) -> Option<Offset> {
    stated.iter().find_map(|date| match date.moment {
        Moment::Instant { utc } if date.by == DateSource::Gps => at_instant(local, utc),
        _ => None,
    })
}

/// The offsets with which clocks of a zone showed `local`: two in the hour that summer time repeats, and in the one that
/// it leaves out.
pub(super) fn of_place(local: DateTime, zone: &TimeZone) -> Vec<Offset> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => vec![offset],
        AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
            vec![before, after]
        }
    }
}

/// The offset of the clock on Earth that showed `local` at an instant, to within [`TOLERANCE`].
pub(super) fn at_instant(local: DateTime, utc: Timestamp) -> Option<Offset> {
    let seconds = seconds_between(local, utc);
    let year = Offset::UTC.to_datetime(utc).year();
    let between = BETWEEN_HOURS
        .iter()
        .filter(|(_, years)| years.contains(&year))
        .map(|(offset, _)| *offset);
    let nearest = (-12..=14)
        .map(|hours| 3600 * hours)
        .chain(between)
        .min_by_key(|offset| (seconds - i64::from(*offset)).abs())?;
    let is_near = (seconds - i64::from(nearest)).abs() <= TOLERANCE;
    Offset::from_seconds(nearest).ok().filter(|_| is_near)
}

/// Whether a local time and an instant, to within some seconds, may be the same moment, so that nobody has moved it. Any
/// quarter of an hour from −12 to +14 h counts, whether a clock has it or not: Android rounds the difference from the
/// receiver's time to such, however old that is.
pub(super) fn may_be_same(local: DateTime, utc: Timestamp, tolerance: i64) -> bool {
    const QUARTER: i64 = 900;
    let seconds = seconds_between(local, utc);
    let quarters = (seconds + QUARTER / 2).div_euclid(QUARTER);
    let is_quarter =
        (-12 * 4..=14 * 4).contains(&quarters) && (seconds - quarters * QUARTER).abs() <= tolerance;
    let is_of_clock = |offset: Offset| (seconds - i64::from(offset.seconds())).abs() <= tolerance;
    is_quarter || at_instant(local, utc).is_some_and(is_of_clock)
}

/// The seconds by which a clock was ahead of UTC.
fn seconds_between(local: DateTime, utc: Timestamp) -> i64 {
    local.duration_since(Offset::UTC.to_datetime(utc)).as_secs()
}

/// The offsets that are no whole number of hours, in seconds, and the years in which clocks had them, from the tz database
/// (2025b). Those that ended before 1937 are left out, as are gaps before the time of GPS receivers.
#[rustfmt::skip]
const BETWEEN_HOURS: [(i32, RangeInclusive<i16>); 48] = [
    (-41_400, 1911..=1950), // −11:30, Pacific/Apia
    (-40_800, 1952..=1964), // −11:20, Pacific/Niue
    (-38_400, 1901..=1979), // −10:40, Pacific/Kiritimati
    (-37_800, 1896..=1978), // −10:30, Pacific/Honolulu
    (-34_200, 1912..=9999), // −09:30, Pacific/Marquesas
    (-30_600, 1901..=1998), // −08:30, Pacific/Pitcairn
    (-19_800, 1918..=1968), // −05:30, America/Belize
    (-16_200, 1912..=1974), // −04:30, America/Aruba
    (-16_200, 2007..=2016), // −04:30, America/Caracas
    (-13_500, 1915..=1975), // −03:45, America/Guyana
    (-13_236, 1935..=1945), // −03:40:36, America/Paramaribo
    (-12_600, 1924..=9999), // −03:30, America/Paramaribo
    (-9000, 1935..=9999), // −02:30, Canada/Newfoundland
    (-5400, 1974..=1988), // −01:30, Canada/Newfoundland
    (-2670, 1919..=1972), // −00:44:30, Africa/Monrovia
    (-2400, 1932..=1939), // −00:40, Africa/Freetown
    (-1368, 1890..=1951), // −00:22:48, Atlantic/St_Helena
    (1172, 1843..=1937), // +00:19:32, Europe/Amsterdam
    (1200, 1919..=1942), // +00:20, Africa/Accra
    (1800, 1913..=1956), // +00:30, Africa/Lagos
    (4772, 1916..=1937), // +01:19:32, Europe/Amsterdam
    (4800, 1937..=1939), // +01:20, Europe/Amsterdam
    (9000, 1908..=1956), // +02:30, Africa/Mogadishu
    (9900, 1936..=1960), // +02:45, Africa/Dar_es_Salaam
    (12_600, 1935..=9999), // +03:30, Iran
    (16_200, 1944..=9999), // +04:30, Asia/Kabul
    (17_640, 1879..=1959), // +04:54, Indian/Maldives
    (19_800, 1905..=9999), // +05:30, Asia/Calcutta
    (20_700, 1985..=9999), // +05:45, Asia/Kathmandu
    (21_200, 1854..=1941), // +05:53:20, Asia/Dhaka
    (23_400, 1899..=9999), // +06:30, Indian/Cocos
    (26_400, 1923..=1941), // +07:20, Asia/Jakarta
    (27_000, 1926..=1981), // +07:30, Asia/Singapore
    (30_000, 1935..=1941), // +08:20, Asia/Kuching
    (30_600, 1908..=1961), // +08:30, ROK
    (30_600, 2015..=2018), // +08:30, Asia/Pyongyang
    (31_500, 1895..=9999), // +08:45, Australia/Eucla
    (34_200, 1899..=9999), // +09:30, Australia/North
    (35_100, 1916..=1992), // +09:45, Australia/Eucla
    (35_100, 2006..=2009), // +09:45, Australia/Eucla
    (37_800, 1916..=9999), // +10:30, Australia/South
    (40_320, 1900..=1950), // +11:12, Pacific/Norfolk
    (41_400, 1868..=2015), // +11:30, NZ
    (44_100, 1868..=1945), // +12:15, NZ-CHAT
    (44_400, 1945..=1960), // +12:20, Pacific/Tongatapu
    (45_000, 1927..=1975), // +12:30, Pacific/Norfolk
    (45_900, 1945..=9999), // +12:45, NZ-CHAT
    (49_500, 1974..=9999), // +13:45, NZ-CHAT
];

#[cfg(test)]
mod tests;
