//! Tests which source of a fact counts.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::Offset;

use crate::facts::{Moment, dates};
use crate::photo::{DateSource, Precision};

use super::*;

/// A date as a source of a test states it: `15:30`, `15:30+02`, `13:30Z` of the day of the test, or a whole date.
fn moment(text: &str) -> (Moment, Precision) {
    dates::xmp_date(text).unwrap_or_else(|| {
        let utc: Timestamp = text.parse().unwrap();
        (Moment::Instant { utc }, Precision::Second)
    })
}

fn instant(text: &str) -> Moment {
    Moment::Instant {
        utc: text.parse().unwrap(),
    }
}

/// The date that follows from these dates of the content and of one sidecar, for a file of this name.
fn dated(content: &[(DateSource, &str)], sidecar: &[(DateSource, &str)], path: &str) -> String {
    let statements = |stated: &[(DateSource, &str)]| {
        let mut statements = Statements::default();
        for (source, text) in stated {
            let (moment, precision) = match source {
                DateSource::Gps | DateSource::Takeout | DateSource::PngChanged => {
                    (instant(text), Precision::Second)
                }
                _ => moment(text),
            };
            statements.add_date(moment, precision, *source);
        }
        statements
    };
    let modified = date(2022, 1, 2).at(0, 0, 0, 0);
    let modified = Offset::UTC.to_timestamp(modified).unwrap();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified.as_second() as u64);
    let path = PathBuf::from(path);
    let files = [FileOfPhoto {
        path: &path,
        modified: Some(modified),
    }];
    let (content, sidecars) = (statements(content), [statements(sidecar)]);
    let sources = SourcesOfPhoto {
        content: &content,
        sidecars: &sidecars,
        files: &files,
    };
    let rome = TimeZone::get("Europe/Rome").unwrap_or(TimeZone::fixed(jiff::tz::offset(2)));
    let taken = resolve(&sources, &|_| rome.clone()).taken_at.unwrap();
    let offset = taken
        .offset
        .filter(|_| taken.source != DateSource::FileTime);
    let offset = offset.map_or_else(String::new, |offset| offset.to_string());
    let local = match taken.precision {
        Precision::Second => format!("{}{offset}", taken.local),
        Precision::Day => taken.local.date().to_string(),
        Precision::Month => taken.local.strftime("%Y-%m").to_string(),
        Precision::Year => taken.local.strftime("%Y").to_string(),
    };
    format!("{local} {}", taken.source.name())
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn the_order_of_the_sources_of_dates() {
    use DateSource::{
        Exif, ExifChanged, ExifDigitized, Gps, Iptc, Png, PngChanged, Takeout, Xmp, XmpDigitized,
    };
    let named = "/a/IMG_20190714_153000.jpg";
    for (content, sidecar, path, expected) in [
        // Only the file's time.
        (&[][..], &[][..], "/a/1.jpg", "2022-01-02"),
        // The camera's own.
        (
            &[
                (Exif, "2019-07-14T15:30:00"),
                (ExifDigitized, "2019-07-15T00:00:00"),
            ],
            &[],
            named,
            "2019-07-14T15:30:00 exif",
        ),
        // A sidecar comes from a program that a person used.
        (
            &[(Exif, "2019-07-14T15:30:00")],
            &[(Xmp, "2018-01-01T12:00:00")],
            named,
            "2018-01-01T12:00:00 sidecar",
        ),
        // One that repeats the XMP in the file may be a copy of it, and EXIF is newer.
        (
            &[(Exif, "2019-07-14T15:30:00"), (Xmp, "2018-01-01T12:00:00")],
            &[(Xmp, "2018-01-01T12:00:00")],
            named,
            "2019-07-14T15:30:00 exif",
        ),
        (
            &[(Xmp, "1975-07")],
            &[(Xmp, "1975-07"), (XmpDigitized, "2018-01-01T12:00:00")],
            named,
            "1975-07 xmp",
        ),
        // Programs that know XMP write EXIF as well, so EXIF is not older than XMP.
        (
            &[(Exif, "2019-07-14T15:30:00"), (Xmp, "2018-01-01T12:00:00")],
            &[],
            named,
            "2019-07-14T15:30:00 exif",
        ),
        // A scan: the date of creation, not of digitisation.
        (
            &[(ExifDigitized, "2019-07-14T15:30:00"), (Xmp, "1975-07")],
            &[],
            "/a/1.jpg",
            "1975-07 xmp",
        ),
        (
            &[(ExifDigitized, "2019-07-14T15:30:00"), (Iptc, "1975-07-01")],
            &[],
            "/a/1.jpg",
            "1975-07-01 iptc",
        ),
        (
            &[(XmpDigitized, "2019-07-14T15:30:00"), (Png, "2018-01-01")],
            &[],
            "/a/1.png",
            "2019-07-14T15:30:00 xmp_digitized",
        ),
        // A finer date within a coarse one.
        (
            &[(Exif, "2019-07-14T15:30:00")],
            &[(Xmp, "2019-07")],
            "/a/1.jpg",
            "2019-07-14T15:30:00 exif",
        ),
        (&[(Iptc, "2019-07-14")], &[], "/a/1.jpg", "2019-07-14 iptc"),
        // The offset of another statement of the same time, or by the GPS receiver.
        (
            &[
                (Exif, "2019-07-14T15:30:00"),
                (Xmp, "2019-07-14T15:30:00-03:00"),
            ],
            &[],
            "/a/1.jpg",
            "2019-07-14T15:30:00-03 exif",
        ),
        (
            &[(Exif, "2019-07-14T15:30:00"), (Gps, "2019-07-14T09:59:30Z")],
            &[],
            "/a/1.jpg",
            "2019-07-14T15:30:00+05:30 exif",
        ),
        (
            &[(Exif, "2019-07-14T15:30:00"), (Gps, "2019-07-14T09:50:30Z")],
            &[],
            "/a/1.jpg",
            "2019-07-14T15:30:00 exif",
        ),
        (
            &[(Gps, "2019-07-14T13:30:00Z")],
            &[],
            "/a/1.jpg",
            "2019-07-14T15:30:00+02 gps",
        ),
        // The GPS time in a sidecar also counts as that of the receiver.
        (
            &[(Exif, "2019-07-14T15:30:00")],
            &[(Gps, "2019-07-14T09:59:30Z")],
            "/a/1.jpg",
            "2019-07-14T15:30:00+05:30 exif",
        ),
        (
            &[(ExifDigitized, "2019-07-14T15:30:00")],
            &[(Gps, "2018-01-01T09:59:30Z")],
            "/a/1.jpg",
            "2019-07-14T15:30:00 exif_digitized",
        ),
        (
            &[],
            &[(Gps, "2019-07-14T13:30:00Z")],
            "/a/1.jpg",
            "2019-07-14T15:30:00+02 gps",
        ),
        // Google's copy of the date gives the offset, unless somebody edited it there.
        (
            &[(Exif, "2019-07-14T15:30:00")],
            &[(Takeout, "2019-07-14T13:30:00Z")],
            "/a/1.jpg",
            "2019-07-14T15:30:00+02 exif",
        ),
        (
            &[(Exif, "2000-01-01T00:00:00")],
            &[(Takeout, "2019-07-14T13:30:00Z")],
            "/a/1.jpg",
            "2019-07-14T15:30:00+02 takeout",
        ),
        (
            &[],
            &[(Takeout, "2019-07-14T13:30:00Z")],
            "/a/IMG-20190101-WA0000.jpg",
            "2019-07-14T15:30:00+02 takeout",
        ),
        // Names.
        (&[], &[], named, "2019-07-14T15:30:00 file_name"),
        (
            &[],
            &[],
            "/a/PXL_20190714_133000000.jpg",
            "2019-07-14T15:30:00+02 file_name",
        ),
        (
            &[],
            &[],
            "/a/IMG-20190714-WA0003.jpg",
            "2019-07-14 file_name",
        ),
        (&[], &[], "/a/2019-07 Italy/1.jpg", "2019-07 folder"),
        (&[], &[], "/a/2019/1.jpg", "2019 folder"),
        // The date of a change: later than that of the name, before it, within it, or alone.
        (
            &[(ExifChanged, "2022-01-01T00:00:00")],
            &[],
            named,
            "2019-07-14T15:30:00 file_name",
        ),
        (
            &[(ExifChanged, "2018-01-01T00:00:00")],
            &[],
            named,
            "2018-01-01T00:00:00 exif_changed",
        ),
        (
            &[(ExifChanged, "2019-07-14T08:00:00")],
            &[],
            "/a/2019/1.jpg",
            "2019-07-14T08:00:00 exif_changed",
        ),
        (
            &[(PngChanged, "2019-07-14T06:00:00Z")],
            &[],
            "/a/1.png",
            "2019-07-14T08:00:00+02 png_changed",
        ),
        // Implausible dates.
        (
            &[(Exif, "1601-01-01T00:00:00")],
            &[],
            named,
            "2019-07-14T15:30:00 file_name",
        ),
        (
            &[(Exif, "2999-01-01T00:00:00")],
            &[],
            "/a/1.jpg",
            "2022-01-02",
        ),
    ] {
        let found = dated(content, sidecar, path);
        assert!(
            found.starts_with(expected),
            "{content:?} {sidecar:?} {path}: {found}"
        );
    }
}

#[test]
fn of_the_names_of_several_copies_the_earliest_counts_and_of_folders_the_finest() {
    let dated = |names: &[&str]| {
        let paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        let files: Vec<FileOfPhoto<'_>> = paths
            .iter()
            .map(|path| FileOfPhoto {
                path,
                modified: None,
            })
            .collect();
        let sources = SourcesOfPhoto {
            content: &Statements::default(),
            sidecars: &[],
            files: &files,
        };
        let taken = resolve(&sources, &|_| TimeZone::UTC).taken_at.unwrap();
        if taken.precision == Precision::Second {
            return taken.local.to_string();
        }
        taken.local.date().to_string()
    };
    for (names, expected) in [
        (
            &["/a/IMG-20200101-WA0001.jpg", "/b/IMG-20190714-WA0003.jpg"][..],
            "2019-07-14",
        ),
        (&["/a/2020/1.jpg", "/b/2019/1.jpg"], "2019-01-01"),
        (&["/a/2018/1.jpg", "/b/2019-07 Italy/1.jpg"], "2019-07-01"),
        (
            &["/a/2018/1.jpg", "/b/IMG_20190714_153000.jpg"],
            "2019-07-14T15:30:00",
        ),
        (
            &["/a/IMG-20190714-WA0003.jpg", "/b/IMG_20190714_153000.jpg"],
            "2019-07-14T15:30:00",
        ),
        // The same message, forwarded and downloaded later.
        (
            &[
                "/a/IMG-20190714-WA0003.jpg",
                "/b/WhatsApp Image 2021-03-04 at 10.11.12.jpeg",
            ],
            "2019-07-14",
        ),
    ] {
        assert_eq!(dated(names), expected, "{names:?}");
    }
}

#[test]
fn people_say_where_and_what_and_cameras_say_with_what() {
    let mut content = Statements::default();
    let at = |latitude| GeoPoint {
        latitude,
        longitude: 11.0,
    };
    content.add_position(at(1.0), Block::Exif);
    content.add_camera("Canon", Block::Exif);
    content.add_title("of XMP", Block::Xmp);
    content.add_title("of IPTC", Block::Iptc);
    content.add_description("of EXIF", Block::Exif);
    content.add_description("of a comment", Block::Comment);
    content.add_keyword("Lake", Block::Iptc);
    content.add_rating(2, Block::Windows);
    let resolved = |sidecars: &[Statements]| {
        let sources = SourcesOfPhoto {
            content: &content,
            sidecars,
            files: &[],
        };
        resolve(&sources, &|_| TimeZone::UTC)
    };
    let alone = resolved(&[]);
    assert_eq!(alone, of_content(&content));
    assert_eq!(alone.title.as_deref(), Some("of XMP"));
    assert_eq!(alone.description.as_deref(), Some("of EXIF"));
    assert_eq!(
        (alone.rating, alone.sources.rating),
        (Some(2), Some(Source::Windows))
    );

    let mut sidecar = Statements::default();
    sidecar.add_position(at(2.0), Block::Xmp);
    sidecar.add_camera("Nikon", Block::Xmp);
    sidecar.add_title("of the sidecar", Block::Xmp);
    sidecar.add_keyword("Boat", Block::Xmp);
    sidecar.add_keyword("Lake", Block::Xmp);
    sidecar.add_rating(5, Block::Xmp);
    let mut takeout = Statements::default();
    takeout.add_position(at(3.0), Block::Takeout);
    takeout.add_title("of Google", Block::Takeout);
    let both = resolved(&[takeout.clone(), sidecar]);
    assert_eq!(both.position, Some(at(2.0)));
    assert_eq!(both.sources.position, Some(Source::Sidecar));
    assert_eq!(both.camera.as_deref(), Some("Canon"));
    assert_eq!(both.title.as_deref(), Some("of the sidecar"));
    assert_eq!(both.rating, Some(5));
    assert_eq!(both.keywords, ["Lake", "Boat"]);
    assert_eq!(both.sources.keywords, [Source::Iptc, Source::Sidecar]);
    let mut copy = Statements::default();
    copy.add_title("of XMP", Block::Xmp);
    copy.add_rating(4, Block::Xmp);
    let copied = resolved(&[copy]);
    assert_eq!(copied.sources.title, Some(Source::Xmp));
    assert_eq!(copied.rating, Some(4));
    let google = resolved(&[takeout.clone()]);
    assert_eq!(google.position, Some(at(1.0)));
    let empty = SourcesOfPhoto {
        content: &Statements::default(),
        sidecars: &[takeout],
        files: &[],
    };
    let only = resolve(&empty, &|_| TimeZone::UTC);
    assert_eq!(
        (only.position, only.sources.position),
        (Some(at(3.0)), Some(Source::Takeout))
    );
}

#[test]
fn what_a_camera_writes_into_every_photo_hides_no_description() {
    for (exif, xmp, sidecar, expected) in [
        ("hdr", "", "", Some("of Google")),
        ("hdr", "hdr", "hdr", Some("of Google")),
        ("oznor", "At the lake", "", Some("At the lake")),
        ("smart", "At the lake", "At the sea", Some("At the sea")),
        ("At the lake", "hdr", "oznor", Some("At the lake")),
    ] {
        let resolved = |camera: &str| {
            let mut content = Statements::default();
            content.add_camera(camera, Block::Exif);
            content.add_description(exif, Block::Exif);
            content.add_description(xmp, Block::Xmp);
            let mut takeout = Statements::default();
            takeout.add_description("of Google", Block::Takeout);
            // As it was read by a version that did not know these texts.
            let mut beside = Statements::default();
            if !sidecar.is_empty() {
                beside.descriptions.push(Stated {
                    value: sidecar.to_owned(),
                    by: Block::Xmp,
                });
            }
            let sources = SourcesOfPhoto {
                content: &content,
                sidecars: &[beside, takeout],
                files: &[],
            };
            resolve(&sources, &|_| TimeZone::UTC).description
        };
        assert_eq!(resolved("HUAWEI VNS-L31").as_deref(), expected, "{exif}");
        if exif == "hdr" && xmp.is_empty() {
            assert_eq!(resolved("Canon EOS 5D").as_deref(), Some("hdr"));
        }
    }
}

#[test]
fn a_date_has_the_finest_fraction_of_its_second() {
    use DateSource::{Exif, ExifDigitized, Xmp};
    let at = |fraction: &str| format!("2019-07-14T15:30:00{fraction}");
    for (exif, digitized, sidecar, expected) in [
        (".25", "", "", ".25"),
        ("", ".25", "", ".25"),
        (".253", "", ".25", ".253"),
        // A fraction with other digits is another time.
        (".25", "", ".3", ".3"),
        (".25", ".31", "", ".25"),
    ] {
        let (exif, digitized, sidecar) = (at(exif), at(digitized), at(sidecar));
        let content = [(Exif, exif.as_str()), (ExifDigitized, digitized.as_str())];
        let found = dated(&content, &[(Xmp, sidecar.as_str())], "/a/1.jpg");
        assert_eq!(found, format!("{} sidecar", at(expected)));
    }
    let other = [(Exif, "2019-07-14T15:30:01.25")];
    let found = dated(&other, &[(Xmp, "2019-07-14T15:30:00")], "/a/1.jpg");
    assert_eq!(found, "2019-07-14T15:30:00 sidecar");
}

#[test]
fn a_sidecar_with_the_same_instant_in_another_offset_sets_no_other_date() {
    use DateSource::{Exif, ExifChanged, Gps, Xmp};
    let own = "2019-07-21T00:30:00.123";
    let zoned = "2019-07-21T00:30:00.123+02:00";
    let gps = &[(Exif, own), (Gps, "2019-07-20T22:30:00Z")][..];
    let changed = [(Exif, "2018-01-01T12:00:00"), (ExifChanged, own)];
    let repeated = |offset: &str| format!("{own}{offset} exif");
    for (content, sidecar, expected) in [
        // By the content's own offset, in whatever offset the sidecar is.
        (
            &[(Exif, zoned)][..],
            "2019-07-20T22:30:00Z",
            repeated("+02"),
        ),
        (
            &[(Exif, zoned)],
            "2019-07-20T22:30:00+00:00",
            repeated("+02"),
        ),
        (
            &[(Exif, zoned)],
            "2019-07-20T18:30:00-04:00",
            repeated("+02"),
        ),
        // By that of the receiver.
        (gps, "2019-07-20T22:30:00Z", repeated("+02")),
        // By any, if nothing says which.
        (&[(Exif, own)], "2019-07-20T15:00:00Z", repeated("")),
        // Another instant was set by somebody.
        (
            &[(Exif, zoned)],
            "2019-07-20T22:31:00Z",
            "2019-07-20T22:31:00+00 sidecar".to_owned(),
        ),
        (
            &[(Exif, zoned)],
            "2019-07-20T21:30:00Z",
            "2019-07-20T21:30:00+00 sidecar".to_owned(),
        ),
        (
            gps,
            "2019-07-20T21:30:00Z",
            "2019-07-20T21:30:00+00 sidecar".to_owned(),
        ),
        (
            &[(Exif, own)],
            "2019-07-20T22:31:00Z",
            "2019-07-20T22:31:00+00 sidecar".to_owned(),
        ),
        (
            &[(Exif, own)],
            "2019-07-18T22:30:00Z",
            "2019-07-18T22:30:00+00 sidecar".to_owned(),
        ),
        // So was a time without an offset, or in one that is not UTC, as far as is known.
        (
            &[(Exif, own)],
            "2019-07-20T22:30:00",
            "2019-07-20T22:30:00 sidecar".to_owned(),
        ),
        (
            &[(Exif, own)],
            "2019-07-20T23:30:00+01:00",
            "2019-07-20T23:30:00+01 sidecar".to_owned(),
        ),
        // The date of a change is not that of the photo.
        (
            &changed,
            "2019-07-20T22:30:00Z",
            "2019-07-20T22:30:00+00 sidecar".to_owned(),
        ),
    ] {
        let found = dated(content, &[(Xmp, sidecar)], "/a/1.jpg");
        assert_eq!(found, expected, "{content:?} and {sidecar}");
    }
}

#[test]
fn the_place_says_in_which_offset_a_sidecar_repeats_the_content() {
    let taken = |sidecar: &str| {
        let mut content = Statements::default();
        let (moment, precision) = moment("2019-07-21T00:30:00");
        content.add_date(moment, precision, DateSource::Exif);
        let at = GeoPoint {
            latitude: -33.45,
            longitude: -70.65,
        };
        content.add_position(at, Block::Exif);
        let mut beside = Statements::default();
        let (moment, precision) = self::moment(sidecar);
        beside.add_date(moment, precision, DateSource::Xmp);
        let sources = SourcesOfPhoto {
            content: &content,
            sidecars: &[beside],
            files: &[],
        };
        let zone = TimeZone::fixed(jiff::tz::offset(-4));
        let taken = resolve(&sources, &|_| zone.clone()).taken_at.unwrap();
        (taken.local.to_string(), taken.source)
    };
    let own = "2019-07-21T00:30:00".to_owned();
    assert_eq!(taken("2019-07-21T04:30:00Z"), (own, DateSource::Exif));
    let other = "2019-07-20T22:30:00".to_owned();
    assert_eq!(taken("2019-07-20T22:30:00Z"), (other, DateSource::Sidecar));
}
