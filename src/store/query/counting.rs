//! Determines which faces of a photo count in a query, and whether the photo meets the filters by them.

use rusqlite::Connection;

use crate::emotion::Emotion;

use super::super::faces;
use super::super::ranking::descending;
use super::super::record::PhotoId;
use super::super::stored_face::StoredFace;
use super::filter::Query;

/// The faces of a photo that count: those that reach the minimum detection score and size, and those that a person
/// vouched for.
pub(super) fn counting_faces(
    db: &Connection,
    query: &Query,
    photo: PhotoId,
) -> rusqlite::Result<Vec<StoredFace>> {
    let mut faces = faces::of_photo(db, photo)?;
    faces.retain(|face| face.counts(query.least_detection(), query.least_face()));
    Ok(faces)
}

/// Whether a photo, of which these faces count, meets the filters by the number of faces and by the emotions that none of
/// them may show.
pub(super) fn meets_filters(query: &Query, faces: &[StoredFace]) -> bool {
    let number = faces.len() as u32;
    if query
        .faces
        .as_ref()
        .is_some_and(|range| !range.contains(&number))
    {
        return false;
    }
    let least = f64::from(query.least_without());
    let shows = |face: &StoredFace| {
        let mut scores = query
            .without
            .iter()
            .filter_map(|emotion| face.score(emotion));
        scores.any(|score| score >= least)
    };
    query.without.is_empty() || !faces.is_empty() && !faces.iter().any(shows)
}

/// The score for an emotion of a photo, from its faces that count; `None` if there are none.
pub(super) fn score(query: &Query, faces: &[StoredFace], emotion: Emotion) -> Option<f64> {
    let scores = descending(faces.iter().filter_map(|face| face.score(emotion)));
    (!scores.is_empty()).then(|| query.who.kind().pick(&scores))
}
