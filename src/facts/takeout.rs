//! Reads what the JSON of Google Takeout says of a photo.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Block, Moment, Statements};
use crate::photo::{DateSource, GeoPoint, Precision};

/// The keyword of a photo that is a favourite in Google Photos. It is not stored as a rating: Google has no stars, and
/// five of them would take precedence over a rating given elsewhere.
pub const FAVORITE: &str = "Favorite";

/// The file that describes one photo. Everything may be absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TakeoutJson {
    #[serde(default)]
    description: Option<String>,
    photo_taken_time: Time,
    #[serde(default)]
    geo_data: Option<Position>,
    #[serde(default)]
    geo_data_exif: Option<Position>,
    #[serde(default)]
    people: Vec<Person>,
    #[serde(default)]
    favorited: bool,
    /// Present only in the description of an album, which has a time as well.
    #[serde(default)]
    album_data: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Time {
    #[serde(default)]
    timestamp: Seconds,
}

/// Seconds since 1970, as a text or as a number.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Seconds {
    Text(String),
    Number(i64),
    #[default]
    Absent,
}

#[derive(Deserialize)]
struct Position {
    #[serde(default)]
    latitude: f64,
    #[serde(default)]
    longitude: f64,
}

#[derive(Deserialize)]
struct Person {
    #[serde(default)]
    name: String,
}

/// The statements in a file.
///
/// The time is an instant without a time zone. Takeout's "title" is the name of the uploaded file, so it is not read.
/// The position is the one in Google Photos, which a person may have set, or else that of the camera.
///
/// # Errors
/// A clause that says why the file is no description of a photo.
pub fn of_takeout(json: &[u8]) -> Result<Statements, String> {
    let takeout: TakeoutJson = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if takeout.album_data.is_some() {
        return Err("it describes an album".to_owned());
    }
    let mut statements = Statements::default();
    let seconds = match takeout.photo_taken_time.timestamp {
        Seconds::Text(text) => text.trim().parse().ok(),
        Seconds::Number(number) => Some(number),
        Seconds::Absent => None,
    };
    // The first second of 1970 is an unknown time.
    let instant = seconds
        .filter(|seconds| *seconds != 0)
        .map(Timestamp::from_second);
    if let Some(Ok(utc)) = instant {
        statements.add_date(
            Moment::Instant { utc },
            Precision::Second,
            DateSource::Takeout,
        );
    }
    for place in [takeout.geo_data, takeout.geo_data_exif]
        .into_iter()
        .flatten()
    {
        let Position {
            latitude,
            longitude,
        } = place;
        statements.add_position(
            GeoPoint {
                latitude,
                longitude,
            },
            Block::Takeout,
        );
    }
    statements.add_description(
        takeout.description.as_deref().unwrap_or_default(),
        Block::Takeout,
    );
    for person in &takeout.people {
        statements.add_person(&person.name, None, Block::Takeout);
    }
    if takeout.favorited {
        statements.add_keyword(FAVORITE, Block::Takeout);
    }
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"title": "IMG_1.jpg", "description": "At the lake\nwith Anna", "imageViews": "3",
        "creationTime": {"timestamp": "1600000000", "formatted": "13 Sept 2020, 12:26:40 UTC"},
        "photoTakenTime": {"timestamp": "1563098400", "formatted": "14 Jul 2019, 10:00:00 UTC"},
        "geoData": {"latitude": 45.81, "longitude": 9.08, "altitude": 200.0, "latitudeSpan": 0.0, "longitudeSpan": 0.0},
        "geoDataExif": {"latitude": 45.9, "longitude": 9.2, "altitude": 0.0},
        "people": [{"name": "Anna"}, {"name": "Zoë"}], "favorited": true,
        "googlePhotosOrigin": {"mobileUpload": {"deviceType": "ANDROID_PHONE"}}, "url": "https://photos.google.com/"}"#;

    #[test]
    fn everything_is_read() {
        let statements = of_takeout(WHOLE.as_bytes()).unwrap();
        let utc = Timestamp::from_second(1_563_098_400).unwrap();
        assert_eq!(statements.dates[0].moment, Moment::Instant { utc });
        assert_eq!(statements.dates[0].by, DateSource::Takeout);
        let first = statements.positions[0].value;
        assert_eq!((first.latitude, first.longitude), (45.81, 9.08));
        assert_eq!(statements.descriptions[0].value, "At the lake with Anna");
        let people: Vec<&str> = statements
            .people
            .iter()
            .map(|person| person.name.as_str())
            .collect();
        assert_eq!(people, ["Anna", "Zoë"]);
        assert_eq!(statements.keywords[0].value, FAVORITE);
        assert!(statements.titles.is_empty());
    }

    #[test]
    fn what_is_absent_is_not_said() {
        let empty = r#"{"photoTakenTime": {"timestamp": "0"}, "description": "",
            "geoData": {"latitude": 0.0, "longitude": 0.0}}"#;
        assert!(of_takeout(empty.as_bytes()).unwrap().is_empty());
        let number = r#"{"photoTakenTime": {"timestamp": -86400}}"#;
        assert_eq!(of_takeout(number.as_bytes()).unwrap().dates.len(), 1);
        let huge = r#"{"photoTakenTime": {"timestamp": "999999999999999"}}"#;
        assert!(of_takeout(huge.as_bytes()).unwrap().is_empty());
    }

    #[test]
    fn other_files_describe_no_photo() {
        for json in [
            r#"{"title": "Summer", "date": {"timestamp": "1563098400"}}"#,
            r#"{"albumData": {"title": "Summer"}, "photoTakenTime": {"timestamp": "1"}}"#,
            "[1, 2]",
            "{",
            "",
        ] {
            assert!(of_takeout(json.as_bytes()).is_err(), "{json}");
        }
    }
}
