//! Tests what offset follows from instants and places, and what date from that.

use super::super::{SourcesOfPhoto, Statements, resolve, xmp_date};
use super::*;
use crate::facts::Block;
use crate::photo::{GeoPoint, Precision};

fn zone(name: &str) -> TimeZone {
    TimeZone::posix(name).unwrap()
}

/// What says when a photo was taken whose EXIF data have a local time without an offset; an empty text says nothing.
#[derive(Debug, Clone, Copy)]
struct Said<'a> {
    receiver: &'a str,
    google: &'a str,
    sidecar: &'a str,
}

const NOTHING: Said<'_> = Said {
    receiver: "",
    google: "",
    sidecar: "",
};

fn by_receiver(receiver: &str) -> Said<'_> {
    Said {
        receiver,
        ..NOTHING
    }
}

/// The date that follows, with its offset and source.
fn taken(local: &str, said: Said<'_>, place: Option<&TimeZone>) -> String {
    let (mut content, mut beside) = (Statements::default(), Statements::default());
    let (moment, precision) = xmp_date(local).unwrap();
    content.add_date(moment, precision, DateSource::Exif);
    if place.is_some() {
        let at = GeoPoint {
            latitude: 1.0,
            longitude: 1.0,
        };
        content.add_position(at, Block::Exif);
    }
    let instant = |text: &str| Moment::Instant {
        utc: text.parse().unwrap(),
    };
    if !said.receiver.is_empty() {
        content.add_date(instant(said.receiver), Precision::Second, DateSource::Gps);
    }
    if !said.google.is_empty() {
        beside.add_date(instant(said.google), Precision::Second, DateSource::Takeout);
    }
    if let Some((moment, precision)) = xmp_date(said.sidecar) {
        beside.add_date(moment, precision, DateSource::Xmp);
    }
    let sources = SourcesOfPhoto {
        content: &content,
        sidecars: &[beside],
        files: &[],
    };
    let taken = resolve(&sources, &|_| place.cloned().unwrap_or(TimeZone::UTC));
    let taken = taken.taken_at.unwrap();
    let offset = taken.offset.map_or_else(String::new, |o| o.to_string());
    format!("{}{offset} {}", taken.local, taken.source.name())
}

/// The same on the afternoon of a day, as times of that day. `expected` is the offset of EXIF's own time, or a whole date.
fn check(place: Option<&str>, [receiver, google, sidecar]: [&str; 3], expected: &str) {
    let local = "2019-07-14T15:30:00";
    let whole = |time: &str| match time {
        "" => String::new(),
        time => format!("2019-07-14T{time}Z"),
    };
    let (receiver, google, sidecar) = (whole(receiver), whole(google), whole(sidecar));
    let said = Said {
        receiver: &receiver,
        google: &google,
        sidecar: &sidecar,
    };
    let found = taken(local, said, place.map(zone).as_ref());
    let expected = match expected {
        date if date.contains(' ') => date.to_owned(),
        offset => format!("{local}{offset} exif"),
    };
    assert_eq!(found, expected, "{said:?} at {place:?}");
}

#[test]
fn a_receivers_old_fix_gives_no_offset() {
    const ROME: Option<&str> = Some("CET-1CEST,M3.5.0,M10.5.0/3");
    const INDIA: Option<&str> = Some("<+0530>-5:30");
    for (place, said, expected) in [
        (ROME, ["13:29:10", "", ""], "+02"),
        // 14, 29 and 45 minutes old: no clock has that offset.
        (ROME, ["13:16:00", "", ""], ""),
        (ROME, ["13:01:00", "", ""], ""),
        (ROME, ["12:45:00", "", ""], ""),
        (None, ["13:16:00", "", ""], ""),
        // An hour old, or a clock of another zone.
        (ROME, ["12:29:30", "", ""], "+03"),
        (ROME, ["07:30:00", "", ""], "+08"),
        (ROME, ["10:00:00", "", ""], "+05:30"),
        (None, ["12:29:30", "", ""], "+03"),
        // Some clocks have these, but hardly there.
        (INDIA, ["10:00:00", "", ""], "+05:30"),
        (INDIA, ["09:45:00", "", ""], ""),
        (Some("PKT-5"), ["10:00:00", "", ""], ""),
        (Some("CST-8"), ["06:45:00", "", ""], ""),
        (Some("<+0545>-5:45"), ["09:45:00", "", ""], "+05:45"),
        (Some("<+0545>-5:45"), ["10:00:00", "", ""], "+05:30"),
        (None, ["09:45:00", "", ""], "+05:45"),
        // With Google's time, which says the same as the place, or as the receiver, or something else.
        (ROME, ["13:16:00", "13:30:00", ""], "+02"),
        (ROME, ["12:29:30", "13:30:00", ""], "+02"),
        (ROME, ["13:29:30", "15:30:00", ""], "+02"),
        (INDIA, ["09:45:00", "10:00:00", ""], "+05:30"),
        (None, ["13:16:00", "13:30:00", ""], "+02"),
        (None, ["14:30:00", "15:30:00", ""], "+01"),
        // Android rounds the receiver's time, and Google repeats that: nobody has set it.
        (ROME, ["13:16:00", "13:15:00", ""], ""),
        (ROME, ["13:01:00", "13:00:00", ""], ""),
        // A fix is not younger than the photo: the clock is of another zone.
        (ROME, ["14:29:30", "13:30:00", ""], "+01"),
        // With Apple's sidecar in UTC.
        (ROME, ["", "", "13:30:00"], "+02"),
        (ROME, ["13:30:00", "", "13:30:00"], "+02"),
        (ROME, ["13:16:00", "", "13:30:00"], "+02"),
        (ROME, ["12:29:30", "", "13:30:00"], "+02"),
        (ROME, ["14:30:00", "", "14:30:00"], "+01"),
        (None, ["13:16:00", "", "13:30:00"], ""),
        (
            ROME,
            ["13:16:00", "", "12:30:00"],
            "2019-07-14T12:30:00+00 sidecar",
        ),
        (
            None,
            ["13:30:00", "", "12:30:00"],
            "2019-07-14T12:30:00+00 sidecar",
        ),
    ] {
        check(place, said, expected);
    }
}

#[test]
fn a_place_says_in_which_of_two_equal_hours_a_photo_was_taken() {
    let rome = zone("CET-1CEST,M3.5.0,M10.5.0/3");
    let local = "2019-10-27T02:30:00";
    for (utc, offset) in [("00:30:00", "+02"), ("01:30:00", "+01")] {
        let utc = format!("2019-10-27T{utc}Z");
        for said in [
            by_receiver(&utc),
            Said {
                google: &utc,
                ..NOTHING
            },
            Said {
                sidecar: &utc,
                ..NOTHING
            },
        ] {
            let found = taken(local, said, Some(&rome));
            assert_eq!(found, format!("{local}{offset} exif"), "{said:?}");
        }
    }
}

#[test]
fn clocks_have_an_offset_in_its_years() {
    let of = |text: &str| {
        let local: DateTime = text[..16].parse().unwrap();
        let utc: Timestamp = text.parse().unwrap();
        (local, utc, seconds_between(local, utc))
    };
    for text in [
        // Caracas until 2016, Pyongyang from 2015 to 2018.
        "2010-01-01T12:00-04:30",
        "2016-01-01T12:00-04:30",
        "2017-01-01T12:00+08:30",
        // Kathmandu before 1986, Monrovia, Amsterdam.
        "1985-07-14T15:30+05:30",
        "1960-07-14T15:30-00:44:30",
        "1935-07-14T15:30+01:19:32",
        "1938-12-14T15:30+00:20",
        "2019-07-14T15:30-12:00",
        "2019-07-14T15:30-09:30",
        "2019-07-14T15:30-02:30",
        "2019-07-14T15:30+00:00",
        "2019-07-14T15:30+10:30",
        "2019-07-14T15:30+13:45",
        "2019-07-14T15:30+14:00",
    ] {
        let (local, utc, seconds) = of(text);
        let found = at_instant(local, utc).map(|offset| i64::from(offset.seconds()));
        assert_eq!(found, Some(seconds), "{text}");
        assert!(may_be_same(local, utc, 0), "{text}");
    }
    for text in [
        "2019-07-14T15:30+02:15",
        "2019-07-14T15:30+02:30",
        "2019-07-14T15:30+06:45",
        "2019-07-14T15:30-04:30",
        "2019-07-14T15:30+08:30",
        "2019-07-14T15:30-12:30",
        "2019-07-14T15:30+14:15",
    ] {
        let (local, utc, _) = of(text);
        assert_eq!(at_instant(local, utc), None, "{text}");
    }
    // So a date in the Amsterdam of 1935 is not one that somebody has set in Google Photos.
    let said = Said {
        google: "1935-07-14T14:10:28Z",
        ..NOTHING
    };
    let found = taken("1935-07-14T15:30:00", said, None);
    assert_eq!(found, "1935-07-14T15:30:00+01:19:32 exif");
}
