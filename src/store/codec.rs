//! Converts between the library's types and SQL columns.

use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, tz::Offset};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::emotion::{Emotion, EmotionScores};
use crate::error::{Skip, SkipReason};
use crate::face::{BoundingBox, Correction, DetectedFace, Landmarks, Point};
use crate::facts;
use crate::photo::{ContentHash, DateSource, Picture, PictureHash, Precision, TakenAt};
use crate::raster::Orientation;

use super::record::{FaceId, PhotoId};

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// The value of the column `taken_source` for a date that is the modification time of a file.
pub(super) const FILE_TIME: &str = "file";

/// Milliseconds between 1970-01-01T00:00 and `local` on the same clock.
pub(super) fn civil_ms(local: DateTime) -> i64 {
    let since = local.duration_since(EPOCH);
    // Rounded down, not towards zero, so that the order is kept before 1970 as well.
    since.as_secs() * 1000 + i64::from(since.subsec_nanos()).div_euclid(1_000_000)
}

/// The inverse of [`civil_ms`]; `None` outside the calendar's years.
pub(super) fn from_civil_ms(ms: i64) -> Option<DateTime> {
    EPOCH.checked_add(SignedDuration::from_millis(ms)).ok()
}

/// The values of the five columns of a date: local time in ms, offset from UTC in s, source, precision, and, if only the
/// day, month or year is known, the end of that period in ms.
pub(super) fn taken_columns(
    taken: &TakenAt,
) -> (
    i64,
    Option<i32>,
    &'static str,
    Option<&'static str>,
    Option<i64>,
) {
    let precision = taken.precision;
    let end = facts::end_of_period(taken.local.date(), precision);
    (
        civil_ms(taken.local),
        taken.offset.map(Offset::seconds),
        taken.source.name(),
        (!precision.is_exact()).then(|| precision.name()),
        end.filter(|_| !precision.is_exact())
            .map(|end| civil_ms(end.at(0, 0, 0, 0))),
    )
}

/// The date in the columns of its local time, offset, source and precision, from `first` on.
pub(super) fn taken_from_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<TakenAt>> {
    let local: Option<i64> = row.get(first)?;
    let offset: Option<i32> = row.get(first + 1)?;
    let source = row.get_ref(first + 2)?.as_str_or_null()?;
    let precision = row.get_ref(first + 3)?.as_str_or_null()?;
    let taken = local.and_then(from_civil_ms).zip(source);
    Ok(taken.and_then(|(local, source)| {
        Some(TakenAt {
            local,
            offset: offset.and_then(|seconds| Offset::from_seconds(seconds).ok()),
            precision: precision.and_then(Precision::from_name).unwrap_or_default(),
            source: DateSource::from_name(source)?,
        })
    }))
}

/// Landmarks as ten little-endian `f32`.
pub(super) fn landmark_bytes(landmarks: &Landmarks) -> [u8; 40] {
    let mut bytes = [0; 40];
    let values = landmarks.points().into_iter().flat_map(|p| [p.x, p.y]);
    for (slot, value) in bytes.chunks_exact_mut(4).zip(values) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// The inverse of [`landmark_bytes`].
fn landmarks_from(bytes: &[u8; 40]) -> Landmarks {
    let value = |index: usize| {
        let at = index * 4;
        f32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    };
    Landmarks::from_points(std::array::from_fn(|i| Point {
        x: value(2 * i),
        y: value(2 * i + 1),
    }))
}

/// Scores as eight little-endian `f32`.
pub(super) fn scores_bytes(scores: &EmotionScores) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (slot, score) in bytes
        .as_chunks_mut::<4>()
        .0
        .iter_mut()
        .zip(scores.as_array())
    {
        *slot = score.to_le_bytes();
    }
    bytes
}

/// The inverse of [`scores_bytes`].
pub(super) fn scores_from_bytes(bytes: &[u8; 32]) -> EmotionScores {
    let numbers = bytes.as_chunks::<4>().0;
    EmotionScores::new(std::array::from_fn(|i| f32::from_le_bytes(numbers[i])))
}

/// The detected face in the columns x, y, width, height, landmarks and `detection_score`, of which
/// the first has the index `first`.
pub(super) fn detected_from_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<DetectedFace> {
    let landmarks: Option<[u8; 40]> = row.get(first + 4)?;
    Ok(DetectedFace {
        bounding_box: bounding_box_from_columns(row, first)?,
        landmarks: landmarks.as_ref().map(landmarks_from),
        score: row.get(first + 5)?,
    })
}

/// The bounding box in the columns x, y, width and height, of which the first has the index `first`.
pub(super) fn bounding_box_from_columns(
    row: &Row<'_>,
    first: usize,
) -> rusqlite::Result<BoundingBox> {
    Ok(BoundingBox {
        x: row.get(first)?,
        y: row.get(first + 1)?,
        width: row.get(first + 2)?,
        height: row.get(first + 3)?,
    })
}

/// The correction whose emotion is in a column; NULL means that it is no face.
pub(super) fn correction_from_column(row: &Row<'_>, column: usize) -> rusqlite::Result<Correction> {
    let emotion: Option<i64> = row.get(column)?;
    Ok(emotion
        .and_then(|emotion| Emotion::from_index(emotion as usize))
        .map_or(Correction::NotAFace, Correction::Emotion))
}

/// A picture from the columns of its hash and of its orientation, of which the first has the index `first`.
pub(super) fn picture_from_columns(
    row: &Row<'_>,
    first: usize,
) -> rusqlite::Result<Option<Picture>> {
    let hash: Option<PictureHash> = row.get(first)?;
    let orientation = orientation_from_column(row, first + 1)?;
    Ok(hash.map(|hash| Picture {
        hash,
        orientation: orientation.unwrap_or_default(),
    }))
}

/// An orientation from its EXIF value.
pub(super) fn orientation_from_column(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<Orientation>> {
    let value: Option<u32> = row.get(column)?;
    Ok(value.map(Orientation::from_exif))
}

/// A skip reason and its detail from two columns, of which the first has the index `first`.
pub(super) fn skip_from_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<Skip> {
    Ok(Skip {
        reason: row.get(first)?,
        detail: row.get::<_, Option<_>>(first + 1)?.unwrap_or_default(),
    })
}

impl ToSql for SkipReason {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.name().to_sql()
    }
}

impl FromSql for SkipReason {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map_err(|()| FromSqlError::InvalidType)
    }
}

impl ToSql for ContentHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.as_bytes().as_slice().to_sql()
    }
}

impl FromSql for ContentHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self::from_bytes)
    }
}

impl ToSql for PictureHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.as_bytes().as_slice().to_sql()
    }
}

impl FromSql for PictureHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self::from_bytes)
    }
}

impl ToSql for PhotoId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for PhotoId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for FaceId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for FaceId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_times_keep_their_order_and_are_read_unchanged() {
        let times = [
            DateTime::MIN,
            date(1969, 12, 31).at(23, 59, 59, 998_000_000),
            date(1969, 12, 31).at(23, 59, 59, 999_000_000),
            EPOCH,
            date(2024, 2, 29).at(12, 0, 0, 1_000_000),
            date(9999, 12, 31).at(23, 59, 59, 0),
        ];
        let stored = times.map(civil_ms);
        assert!(stored.is_sorted_by(|a, b| a < b), "{stored:?}");
        assert_eq!(stored.map(|ms| from_civil_ms(ms).unwrap()), times);
        assert_eq!(from_civil_ms(i64::MIN), None);
        // A fraction of a millisecond is rounded down before and after 1970.
        assert_eq!(civil_ms(date(1969, 12, 31).at(23, 59, 59, 999_999_999)), -1);
        assert_eq!(civil_ms(date(1970, 1, 1).at(0, 0, 0, 999_999)), 0);
    }
}
