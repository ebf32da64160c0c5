//! Checks whether a photo meets all filters. Every candidate is checked, whichever index proposed
//! it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::photo::GeoPoint;

use super::super::codec::FILE_TIME;
use super::super::path::decode;
use super::super::ranking::Kind;
use super::super::record::PhotoId;
use super::super::{folders, people, raw_pairs, roots};
use super::plan::Plan;
use super::sources;

/// Reads the columns of a photo's row that the filters need.
pub(super) const FACTS: &str =
    "SELECT face_count, camera, latitude, longitude, taken_source, taken_local, taken_end, area_set
     FROM photos WHERE id = ?";

/// Reads the paths of a photo in the order of their bytes, from a covering index.
pub(super) const PATHS: &str = "SELECT path FROM files WHERE photo_id = ? ORDER BY path";

/// Looks up one photo in the full-text index.
pub(super) const WORDS: &str =
    "SELECT EXISTS (SELECT 1 FROM photo_words WHERE photo_words MATCH ? AND rowid = ?)";

/// The first path that the filters admit, as stored; a path below an absent root only if there is no other. `None` if the
/// photo does not meet the filters. The photo's date and the faces that count are checked elsewhere.
pub(super) fn first_admitted_path(
    db: &Connection,
    plan: &Plan<'_>,
    photo: PhotoId,
) -> rusqlite::Result<Option<Vec<u8>>> {
    if plan.leaves_out_raws && raw_pairs::is_paired(db, photo)? {
        return Ok(None);
    }
    let query = plan.query;
    let needs_facts = query.faces.is_some()
        || !plan.cameras.is_empty()
        || query.near.is_some()
        || plan.home.is_some()
        || plan.is_dated();
    if needs_facts && !admits_facts(db, plan, photo)? {
        return Ok(None);
    }
    if !plan.people.is_empty() && !names_all_people(db, plan, photo)? {
        return Ok(None);
    }
    if plan.every_face_counts && !shows_no_excluded_emotion(db, plan, photo)? {
        return Ok(None);
    }
    // The most expensive checks of the photo come last.
    if let Some(words) = &plan.words
        && !db
            .prepare_cached(WORDS)?
            .query_row(params![words, photo], |row| row.get(0))?
    {
        return Ok(None);
    }
    if let Some(below_roots) = &plan.below_roots
        && !below_roots.match_photo(db, photo, &plan.roots)?
    {
        return Ok(None);
    }
    let mut paths = db.prepare_cached(PATHS)?;
    let mut rows = paths.query([photo])?;
    let mut first: Option<Vec<u8>> = None;
    while let Some(row) = rows.next()? {
        let path = row.get_ref(0)?.as_blob()?;
        if !path_meets_filters(plan, path) {
            continue;
        }
        // With one path there is no choice, so its root is not examined: it may be on a disk that does not answer.
        let Some(known) = &first else {
            first = Some(path.to_owned());
            continue;
        };
        if !plan.absent.contain(known) {
            break;
        }
        if !plan.absent.contain(path) {
            return Ok(Some(path.to_owned()));
        }
    }
    Ok(first)
}

/// Reads the names of the people in a photo, as names are compared.
pub(super) const PEOPLE: &str = "SELECT key FROM people WHERE photo_id = ?";

/// Whether the photo names each of the people of the query.
fn names_all_people(db: &Connection, plan: &Plan<'_>, photo: PhotoId) -> rusqlite::Result<bool> {
    let keys: Vec<String> = db
        .prepare_cached(PEOPLE)?
        .query_map([photo], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let is_named = |wanted: &Vec<String>| keys.iter().any(|key| people::is_meant(key, wanted));
    Ok(plan.people.iter().all(is_named))
}

/// Whether the photo has faces and none of them shows an emotion that the query excludes. Only valid if every face counts
/// in the query.
fn shows_no_excluded_emotion(
    db: &Connection,
    plan: &Plan<'_>,
    photo: PhotoId,
) -> rusqlite::Result<bool> {
    let least = f64::from(plan.query.least_without());
    let mut statement = db.prepare_cached(sources::sql::PHOTO)?;
    for emotion in plan.query.without.iter() {
        let mut best: Option<f64> = None;
        for kind in [Kind::Lone, Kind::Any] {
            let parameters = params![photo, emotion.index() as i64, kind as i64];
            let score = statement
                .query_row(parameters, |row| row.get(0))
                .optional()?;
            best = best.or(score);
        }
        if best.is_none_or(|best| best >= least) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the photo's number of faces, camera, position and source of its date meet the filters, and its day, month or
/// year as a whole if its date is not known more precisely.
pub(super) fn admits_facts(
    db: &Connection,
    plan: &Plan<'_>,
    photo: PhotoId,
) -> rusqlite::Result<bool> {
    let meets = db
        .prepare_cached(FACTS)?
        .query_row([photo], |row| row_meets_filters(plan, row))
        .optional()?;
    Ok(meets == Some(true))
}

fn row_meets_filters(plan: &Plan<'_>, row: &Row<'_>) -> rusqlite::Result<bool> {
    let query = plan.query;
    if plan.every_face_counts
        && let Some(faces) = &query.faces
        && !faces.contains(&row.get(0)?)
    {
        return Ok(false);
    }
    if !plan.cameras.is_empty() {
        let camera: Option<String> = row.get(1)?;
        let camera = camera.unwrap_or_default().to_lowercase();
        if !plan.cameras.iter().any(|name| camera.contains(name)) {
            return Ok(false);
        }
    }
    if plan.needs_own_date() && row.get_ref(4)?.as_str_or_null()? == Some(FILE_TIME) {
        return Ok(false);
    }
    if plan.is_dated()
        && let (Some(taken), Some(end)) = (row.get(5)?, row.get(6)?)
        && !plan.admits_period(taken, end)
    {
        return Ok(false);
    }
    if query.near.is_none() && plan.home.is_none() {
        return Ok(true);
    }
    let (Some(latitude), Some(longitude)) = (row.get(2)?, row.get(3)?) else {
        return Ok(false);
    };
    let at = GeoPoint {
        latitude,
        longitude,
    };
    let is_near = match &query.near {
        None => true,
        Some(region) => {
            let set: Option<i64> = row.get(7)?;
            set.is_some_and(|set| plan.area_sets.binary_search(&set).is_ok()) || region.contains(at)
        }
    };
    Ok(is_near && plan.home.is_none_or(|home| !home.contains(at)))
}

fn path_meets_filters(plan: &Plan<'_>, path: &[u8]) -> bool {
    plan.tree.as_ref().is_none_or(|tree| tree.contains(path))
        && plan.album.as_ref().is_none_or(|name| {
            let path = decode(path);
            let folder = path.parent().unwrap_or(Path::new(""));
            folders::is_called(roots::below(folder, &plan.roots), name)
        })
}
