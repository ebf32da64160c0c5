//! Lists all photos that meet the filters, from indexes alone. This is for counting, where checking every photo would
//! take too long.

use rusqlite::Connection;

use super::super::raw_pairs;
use super::super::record::PhotoId;
use super::filter::Query;
use super::narrow::{self, Narrowed};
use super::photo_set::PhotoSet;
use super::plan::{Bounds, Plan};
use super::weak::WeakFaces;
use super::{admit, counting};
use crate::emotion::EmotionSet;
use crate::geo::{Cell, Region};

/// The statements of this module; each reads a small index.
pub(super) mod sql {
    pub const ALL: &str = "SELECT id FROM photos WHERE skip_reason IS NULL";
    pub const SKIPPED: &str = "SELECT id FROM photos WHERE skip_reason IS NOT NULL";
    /// Photos without a path; few, since they are deleted after the grace period.
    pub const LOST: &str = "
        SELECT id FROM photos WHERE lost_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id)";
    /// Photos of which only the day, month or year is known, if that begins before the end of a span and ends after it.
    pub const ACROSS: &str = "
        SELECT id FROM photos
        WHERE taken_end > ?1 AND taken_end <= ?1 + 31622400000 AND taken_local < ?1";
}

/// The photos that meet all filters except those by emotion and score; `None` if the indexes cannot
/// decide it and every photo would have to be checked.
///
/// `weak` are the photos with faces that do not count: each of them is checked against the filters by faces.
pub(super) fn members(
    db: &Connection,
    query: &Query,
    weak: &WeakFaces,
) -> rusqlite::Result<Option<PhotoSet>> {
    let of_every_face = Query {
        min_detection: None,
        min_face: None,
        ..query.clone()
    };
    let Some(mut photos) = as_if_every_face_counts(db, &of_every_face)? else {
        return Ok(None);
    };
    if weak.all().len() == 0 || query.faces.is_none() && query.without.is_empty() {
        return Ok(Some(photos));
    }
    let of_any_faces = Query {
        faces: None,
        without: EmotionSet::EMPTY,
        ..of_every_face
    };
    let Some(others) = as_if_every_face_counts(db, &of_any_faces)? else {
        return Ok(None);
    };
    for photo in weak.all().iter().filter(|photo| others.contains(*photo)) {
        let counting = if weak.mixed().contains(photo) {
            counting::counting_faces(db, query, photo)?
        } else {
            Vec::new()
        };
        if counting::meets_filters(query, &counting) {
            photos.insert(photo);
        } else {
            photos.remove(photo);
        }
    }
    Ok(Some(photos))
}

fn as_if_every_face_counts(db: &Connection, query: &Query) -> rusqlite::Result<Option<PhotoSet>> {
    let Some(plan) = Plan::new(db, query, Bounds::ALL_LISTS)? else {
        return Ok(Some(PhotoSet::default()));
    };
    // The lists cannot tell whether the same path of a photo is in the folder and in the album.
    let needs_one_path = query.under.is_some() && query.album.is_some();
    if needs_one_path || plan.below_roots.is_some() {
        return Ok(None);
    }
    let mut photos = match narrow::narrow(db, &plan)? {
        Narrowed::To(photos) => photos,
        Narrowed::Unlisted => all(db)?,
    };
    for sql in [sql::SKIPPED, sql::LOST] {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            photos.remove(row.get(0)?);
        }
    }
    if plan.leaves_out_raws {
        raw_pairs::each(db, |raw| {
            photos.remove(raw);
        })?;
    }
    for span in plan.spans.iter().filter(|_| plan.is_dated()) {
        let mut statement = db.prepare_cached(sql::ACROSS)?;
        let mut rows = statement.query([span.end])?;
        while let Some(row) = rows.next()? {
            photos.remove(row.get(0)?);
        }
    }
    for cell in partial_cells(&plan) {
        let mut statement = db.prepare_cached(narrow::sql::CELLS)?;
        let mut rows = statement.query([cell.0, cell.0])?;
        while let Some(row) = rows.next()? {
            let photo: PhotoId = row.get(0)?;
            if photos.contains(photo) && !admit::admits_facts(db, &plan, photo)? {
                photos.remove(photo);
            }
        }
    }
    Ok(Some(photos))
}

/// All photos that were analysed.
fn all(db: &Connection) -> rusqlite::Result<PhotoSet> {
    let mut photos = PhotoSet::default();
    let mut statement = db.prepare_cached(sql::ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        photos.insert(row.get(0)?);
    }
    Ok(photos)
}

/// The listed cells that may also contain photos outside the query's region.
fn partial_cells(plan: &Plan<'_>) -> Vec<Cell> {
    let near = plan
        .query
        .near
        .as_ref()
        .map_or_else(Vec::new, Region::circles);
    let cells: Vec<_> = if plan.area_sets.is_empty() {
        plan.cells().collect()
    } else {
        // Photos in the areas may be in any of these cells.
        plan.away_cells().collect()
    };
    cells
        .into_iter()
        .map(|(cell, _)| cell)
        .filter(|cell| {
            near.iter().any(|circle| !circle.holds_all_of(*cell))
                || plan.home.is_some_and(|home| !home.holds_none_of(*cell))
        })
        .collect()
}
