//! Notes which photos need a closer search: those in which metadata or a sidecar name a person in a region where the
//! detector found no face. Stores which regions were searched, so that each is searched once.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::face::BoundingBox;
use crate::photo::ContentHash;

use super::codec::bounding_box_from_columns;
use super::people::PersonInPhoto;
use super::record::PhotoId;
use super::{derived, files};

/// The regions of a photo in which people are named.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NamedRegions {
    /// The regions, in upright pixels.
    pub regions: Vec<BoundingBox>,
    /// Whether one of them has no face and had no closer search yet.
    pub needs_search: bool,
}

/// Two boxes with at least this intersection over union are the same region, since coordinates are rounded.
const SAME_REGION: f32 = 0.9;

/// See [`Store::named_regions`](super::Store::named_regions).
pub(super) fn named(db: &Connection, hash: &ContentHash) -> rusqlite::Result<NamedRegions> {
    let photo: Option<(PhotoId, bool)> = db
        .prepare_cached("SELECT id, needs_look IS NOT NULL FROM photos WHERE hash = ?")?
        .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((photo, needs_search)) = photo else {
        return Ok(NamedRegions::default());
    };
    let regions = db
        .prepare_cached(
            "SELECT x, y, width, height FROM people WHERE photo_id = ? AND x IS NOT NULL ORDER BY position",
        )?
        .query_map([photo], |row| bounding_box_from_columns(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(NamedRegions {
        regions,
        needs_search,
    })
}

/// See [`Batch::put_searched`](super::Batch::put_searched).
pub(super) fn put(
    db: &Connection,
    photo: PhotoId,
    regions: &[BoundingBox],
) -> rusqlite::Result<()> {
    clear(db, photo)?;
    for (position, at) in regions.iter().enumerate() {
        db.prepare_cached(
            "INSERT INTO looked_closely (photo_id, position, x, y, width, height) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![photo, position as i64, at.x, at.y, at.width, at.height])?;
    }
    derived::note_photo(db, photo)
}

/// Deletes what is stored about the searched regions of a photo.
pub(super) fn clear(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM looked_closely WHERE photo_id = ?")?
        .execute([photo])?;
    Ok(())
}

/// Whether a photo with these people needs a closer search.
pub(super) fn is_needed(
    db: &Connection,
    photo: PhotoId,
    people: &[PersonInPhoto],
) -> rusqlite::Result<bool> {
    let without_face = people.iter().filter(|person| person.face.is_none());
    let mut regions = without_face.filter_map(|person| person.at).peekable();
    if regions.peek().is_none() {
        return Ok(false);
    }
    let searched: Vec<BoundingBox> = db
        .prepare_cached("SELECT x, y, width, height FROM looked_closely WHERE photo_id = ?")?
        .query_map([photo], |row| bounding_box_from_columns(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let is_new = |at: BoundingBox| searched.iter().all(|region| region.iou(&at) < SAME_REGION);
    let is_analysed = db
        .prepare_cached("SELECT skip_reason IS NULL FROM photos WHERE id = ?")?
        .query_row([photo], |row| row.get(0))
        .optional()?;
    Ok(is_analysed == Some(true) && regions.any(is_new))
}

/// Whether it is noted that a photo needs a closer search.
pub(super) fn is_noted(db: &Connection, photo: PhotoId) -> rusqlite::Result<bool> {
    let noted = db
        .prepare_cached("SELECT needs_look IS NOT NULL FROM photos WHERE id = ?")?
        .query_row([photo], |row| row.get(0))
        .optional()?;
    Ok(noted == Some(true))
}

/// Notes whether a photo needs a closer search.
pub(super) fn note(db: &Connection, photo: PhotoId, is_needed: bool) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE photos SET needs_look = ? WHERE id = ?")?
        .execute(params![is_needed.then_some(1), photo])?;
    Ok(())
}

/// Reads the photos that need a closer search, by an index of these photos alone.
pub(super) const DUE: &str = "SELECT id FROM photos WHERE needs_look IS NOT NULL ORDER BY id";

/// The files of each photo that needs a closer search; an empty list for a lost photo.
pub(super) fn files_of_due(db: &Connection) -> rusqlite::Result<Vec<Vec<PathBuf>>> {
    files::of_each(db, DUE)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{face, photo, plan, put, temp_store};
    use super::*;
    use crate::facts::{Block, RegionKind, RegionStatement};

    #[test]
    fn the_photos_to_search_are_read_from_their_index() {
        let (_folder, store) = temp_store();
        let plan = plan(&store, DUE);
        assert!(plan[0].contains("photos_to_look_at"), "{plan:#?}");
    }

    #[test]
    fn a_region_without_a_face_is_due_until_it_was_searched() {
        let (_folder, mut store) = temp_store();
        let mut record = photo("a", vec![face(0.0, 80.0, 0.9, 0.9)]);
        let statements = &mut record.content.as_mut().unwrap().statements;
        let region = |x: f32| RegionStatement {
            x,
            y: 0.5,
            width: 0.1,
            height: 0.1,
            kind: RegionKind::Mwg,
            applied_to: None,
        };
        statements.add_person("Ada", Some(region(0.25)), Block::Xmp);
        let id = put(&mut store, "/a.jpg", &record);
        assert_eq!(
            store.files_to_analyse_again().unwrap(),
            [[PathBuf::from("/a.jpg")]]
        );
        let named = store.named_regions(&record.hash).unwrap();
        assert!(named.needs_search && named.regions.len() == 1);
        let mut search = |regions: &[BoundingBox]| {
            store
                .batch(|batch| batch.put_searched(id, regions))
                .unwrap();
            store.files_to_analyse_again().unwrap().len()
        };
        assert_eq!(search(&named.regions), 0);
        assert_eq!(search(&[]), 1);
        assert_eq!(search(&named.regions), 0);
        // Another region needs its own search, and the searched regions of a photo that names nobody any more are
        // deleted.
        let mut moved = record.clone();
        let statements = &mut moved.content.as_mut().unwrap().statements;
        statements.people[0].region = Some(region(0.75));
        put(&mut store, "/a.jpg", &moved);
        assert_eq!(store.files_to_analyse_again().unwrap().len(), 1);
        moved.content.as_mut().unwrap().statements.people.clear();
        put(&mut store, "/a.jpg", &moved);
        assert_eq!(store.files_to_analyse_again().unwrap().len(), 0);
        let count = "SELECT count(*) FROM looked_closely";
        let left: i64 = store
            .connection
            .query_row(count, [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 0);
    }
}
