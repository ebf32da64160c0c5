//! The JSON output, as documented in `docs/json.md`.

use std::fmt::Write;
use std::path::Path;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::emotion::EmotionScores;
use crate::face::{Correction, DetectedFace, ScoredFace};
use crate::photo::{Precision, Source, TakenAt};
use crate::store::{CarriedFrom, FaceId, Hit, PersonInPhoto, StoredFace};

/// A path as text; if it is not UTF-8, also its exact bytes in hexadecimal.
#[derive(Debug, Serialize)]
pub(super) struct JsonPath {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
}

impl JsonPath {
    pub fn of(path: &Path) -> Self {
        let exact = path.to_str().is_some();
        let bytes = path.as_os_str().as_encoded_bytes();
        Self {
            path: path.to_string_lossy().into_owned(),
            path_bytes: (!exact).then(|| hex(bytes)),
        }
    }

    #[cfg(feature = "train")]
    /// The path as text.
    pub fn text(&self) -> &str {
        &self.path
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

/// A photo that a query found.
#[derive(Debug, Serialize)]
pub(super) struct JsonHit {
    #[serde(flatten)]
    path: JsonPath,
    score: Option<f32>,
    emotion: Option<&'static str>,
    taken_at: Option<String>,
    taken_at_source: Option<&'static str>,
    taken_at_precision: Option<&'static str>,
    width: u32,
    height: u32,
    latitude: Option<f64>,
    longitude: Option<f64>,
    position_source: Option<&'static str>,
    title: Option<String>,
    rating: Option<i8>,
    people: Vec<JsonPerson>,
    faces: Vec<JsonFace>,
}

impl JsonHit {
    pub fn of(hit: &Hit) -> Self {
        let capture = &hit.analysis.capture;
        Self {
            path: JsonPath::of(&hit.path),
            score: hit.ranked_by.map(|by| by.score),
            emotion: hit.ranked_by.map(|by| by.emotion.name()),
            taken_at: capture.taken_at.as_ref().map(date),
            taken_at_source: capture.taken_at.as_ref().map(date_source),
            taken_at_precision: capture.taken_at.map(|taken| taken.precision.name()),
            width: hit.analysis.width,
            height: hit.analysis.height,
            latitude: capture.position.map(|position| position.latitude),
            longitude: capture.position.map(|position| position.longitude),
            position_source: capture.sources.position.map(Source::name),
            title: capture.title.clone(),
            rating: capture.rating,
            people: hit.analysis.people.iter().map(JsonPerson::of).collect(),
            faces: hit.analysis.faces.iter().map(JsonFace::stored).collect(),
        }
    }
}

/// A person whom metadata or a sidecar name in a photo: the face that shows the person, and the region.
#[derive(Debug, Serialize)]
pub(super) struct JsonPerson {
    name: String,
    face: Option<i64>,
    r#box: Option<[f32; 4]>,
}

impl JsonPerson {
    pub fn of(person: &PersonInPhoto) -> Self {
        Self {
            name: person.name.clone(),
            face: person.face.map(|face| face.0),
            r#box: person.at.map(|at| [at.x, at.y, at.width, at.height]),
        }
    }
}

/// The result of `classify` for a file.
#[derive(Debug, Serialize)]
pub(super) struct JsonClassified {
    #[serde(flatten)]
    path: JsonPath,
    #[serde(flatten)]
    outcome: JsonOutcome,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum JsonOutcome {
    Faces(Vec<JsonFace>),
    Error(String),
}

impl JsonClassified {
    pub fn faces(path: &Path, faces: &[ScoredFace]) -> Self {
        let faces = faces.iter().map(JsonFace::scored).collect();
        Self {
            path: JsonPath::of(path),
            outcome: JsonOutcome::Faces(faces),
        }
    }

    pub fn error(path: &Path, error: &impl ToString) -> Self {
        Self {
            path: JsonPath::of(path),
            outcome: JsonOutcome::Error(error.to_string()),
        }
    }
}

/// The result of `detect` for a file.
#[derive(Debug, Serialize)]
pub(super) struct JsonDetected {
    #[serde(flatten)]
    path: JsonPath,
    #[serde(flatten)]
    outcome: JsonDetection,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum JsonDetection {
    Found {
        width: u32,
        height: u32,
        faces: Vec<JsonFound>,
    },
    Error {
        error: String,
    },
}

impl JsonDetected {
    pub fn faces(path: &Path, (width, height): (u32, u32), faces: &[DetectedFace]) -> Self {
        let faces = faces.iter().map(JsonFound::of).collect();
        Self {
            path: JsonPath::of(path),
            outcome: JsonDetection::Found {
                width,
                height,
                faces,
            },
        }
    }

    pub fn error(path: &Path, error: &impl ToString) -> Self {
        Self {
            path: JsonPath::of(path),
            outcome: JsonDetection::Error {
                error: error.to_string(),
            },
        }
    }
}

/// A face that was detected but not classified: box, landmarks and detection score.
#[derive(Debug, Serialize)]
pub(super) struct JsonFound {
    r#box: [f32; 4],
    landmarks: Option<[[f32; 2]; 5]>,
    detection_score: f32,
}

impl JsonFound {
    pub fn of(face: &DetectedFace) -> Self {
        let b = &face.bounding_box;
        let landmarks = face.landmarks.map(|l| l.points().map(|p| [p.x, p.y]));
        Self {
            r#box: [b.x, b.y, b.width, b.height],
            landmarks,
            detection_score: face.score,
        }
    }
}

/// A classified face: number (`None` if it is not from the index), box, detection score and emotion scores.
#[derive(Debug, Serialize)]
pub(super) struct JsonFace {
    id: Option<i64>,
    r#box: [f32; 4],
    detection_score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    human: Option<f32>,
    #[serde(serialize_with = "by_name")]
    scores: EmotionScores,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_scores: Option<JsonScores>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carried_from: Option<JsonCarried>,
}

/// Emotion scores by the emotions' names.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct JsonScores(#[serde(serialize_with = "by_name")] EmotionScores);

/// The photo from which a correction was carried over: its content, and its path if it has a file.
#[derive(Debug, Serialize)]
pub(super) struct JsonCarried {
    content: String,
    #[serde(flatten)]
    path: Option<JsonPath>,
}

impl JsonFace {
    pub fn stored(face: &StoredFace) -> Self {
        Self {
            network_scores: face.network.map(JsonScores),
            correction: face.correction.map(Correction::name),
            ..Self::new(Some(face.id), &face.face, face.scores)
        }
    }

    /// The same, with the photo from which its correction was carried over.
    pub fn carried(face: &StoredFace, from: Option<&CarriedFrom>) -> Self {
        Self {
            carried_from: from.map(|from| JsonCarried {
                content: from.content.to_string(),
                path: from.path.as_deref().map(JsonPath::of),
            }),
            ..Self::stored(face)
        }
    }

    pub fn scored(face: &ScoredFace) -> Self {
        Self::new(None, &face.face, face.scores)
    }

    fn new(id: Option<FaceId>, face: &DetectedFace, scores: EmotionScores) -> Self {
        let b = &face.bounding_box;
        Self {
            id: id.map(|id| id.0),
            r#box: [b.x, b.y, b.width, b.height],
            detection_score: face.score,
            human: scores.human(),
            scores,
            network_scores: None,
            correction: None,
            carried_from: None,
        }
    }
}

fn by_name<S: Serializer>(scores: &EmotionScores, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(crate::emotion::Emotion::COUNT))?;
    for (emotion, probability) in scores.iter() {
        map.serialize_entry(emotion.name(), &probability)?;
    }
    map.end()
}

/// A date in ISO 8601, as precise as it is known, with the offset from UTC if the photo has one.
pub(super) fn date(taken_at: &TakenAt) -> String {
    let day = taken_at.local.date();
    match taken_at.precision {
        Precision::Second => {}
        Precision::Day => return day.to_string(),
        Precision::Month => return day.strftime("%Y-%m").to_string(),
        Precision::Year => return day.strftime("%Y").to_string(),
    }
    let offset = taken_at.offset.map(|offset| {
        let minutes = offset.seconds().unsigned_abs() / 60;
        let sign = if offset.seconds() < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    });
    format!("{}{}", taken_at.local, offset.unwrap_or_default())
}

/// The source of a date, such as `exif`, or `file` if the photo has no date of its own.
pub(super) const fn date_source(taken_at: &TakenAt) -> &'static str {
    taken_at.source.name()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::DateSource;
    use jiff::civil;
    use jiff::tz::Offset;

    #[test]
    fn dates_have_the_offset_from_utc_if_it_is_known() {
        let local = civil::date(2019, 7, 14).at(12, 34, 56, 120_000_000);
        let mut taken_at = TakenAt {
            local,
            offset: None,
            precision: Precision::Second,
            source: DateSource::Exif,
        };
        assert_eq!(date(&taken_at), "2019-07-14T12:34:56.12");
        taken_at.offset = Some(Offset::from_seconds(2 * 3600 + 1800).unwrap());
        assert_eq!(date(&taken_at), "2019-07-14T12:34:56.12+02:30");
        taken_at.offset = Some(Offset::from_seconds(-5 * 3600).unwrap());
        assert_eq!(date(&taken_at), "2019-07-14T12:34:56.12-05:00");
        for (precision, expected) in [
            (Precision::Day, "2019-07-14"),
            (Precision::Month, "2019-07"),
            (Precision::Year, "2019"),
        ] {
            taken_at.precision = precision;
            assert_eq!(date(&taken_at), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf_8_has_its_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let json = JsonClassified::error(Path::new(OsStr::from_bytes(b"a\xff.jpg")), &"no");
        let json = serde_json::to_string(&json).unwrap();
        assert_eq!(
            json,
            r#"{"path":"a�.jpg","path_bytes":"61ff2e6a7067","error":"no"}"#
        );
    }
}
