//! Exports all corrections, to be kept outside of the database, and imports them again.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::DateTime;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::face::{BoundingBox, Correction};
use crate::photo::{ContentHash, Picture};
use crate::raster::Turn;

use super::codec::{
    bounding_box_from_columns, civil_ms, correction_from_column, from_civil_ms,
    orientation_from_column, picture_from_columns,
};
use super::path::decode;
use super::record::PhotoId;
use super::undone::UndoneFace;
use super::{corrections, faces, same_picture, undone};

/// A correction with everything by which it is recognised.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrectionRecord {
    /// Its number, to which only [`carried_from`](Self::carried_from) refers.
    pub number: i64,
    /// The number of the correction from which it was carried over.
    pub carried_from: Option<i64>,
    /// The content on which it was made.
    pub content: ContentHash,
    /// The picture to which it belongs, if it is known, in the orientation in which the box is upright.
    pub picture: Option<Picture>,
    /// The face's box.
    pub at: BoundingBox,
    /// What a person said.
    pub correction: Correction,
    /// When.
    pub made_at: Timestamp,
    /// When the photo was taken, by its camera's clock.
    pub taken: Option<DateTime>,
    /// The camera.
    pub camera: Option<String>,
    /// The bytes of the [`FacePicture`](crate::likeness::FacePicture).
    pub face_picture: Option<Vec<u8>>,
    /// Where the content lies, for people who read it.
    pub paths: Vec<PathBuf>,
}

/// What became of corrections that were imported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// They are new, or replaced earlier ones.
    pub added: u64,
    /// The database had them.
    pub known: u64,
    /// The database has later ones of the same faces.
    pub outdated: u64,
}

/// See [`Store::corrections`](super::Store::corrections).
pub(super) fn all(db: &Connection) -> rusqlite::Result<(Vec<CorrectionRecord>, Vec<UndoneFace>)> {
    let mut paths = db.prepare(
        "SELECT f.path FROM files f JOIN photos p ON p.id = f.photo_id WHERE p.hash = ? ORDER BY f.path",
    )?;
    let mut records: Vec<CorrectionRecord> = db
        .prepare(
            "SELECT id, carried_from, hash, picture, orientation, x, y, width, height, emotion, made_at,
                    taken_local, camera, crop
             FROM corrections ORDER BY id",
        )?
        .query_map([], |row| {
            let made_at = Timestamp::from_millisecond(row.get(10)?).unwrap_or_default();
            Ok(CorrectionRecord {
                number: row.get(0)?,
                carried_from: row.get(1)?,
                content: row.get(2)?,
                picture: picture_from_columns(row, 3)?,
                at: bounding_box_from_columns(row, 5)?,
                correction: correction_from_column(row, 9)?,
                made_at,
                taken: row.get::<_, Option<_>>(11)?.and_then(from_civil_ms),
                camera: row.get(12)?,
                face_picture: row.get(13)?,
                paths: Vec::new(),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    for record in &mut records {
        record.paths = paths
            .query_map([record.content], |row| {
                Ok(decode(row.get_ref(0)?.as_blob()?))
            })?
            .collect::<rusqlite::Result<_>>()?;
    }
    Ok((records, undone::all(db)?))
}

/// See [`Store::import_corrections`](super::Store::import_corrections).
pub(super) fn take(
    db: &Connection,
    records: &[CorrectionRecord],
    undone: &[UndoneFace],
) -> rusqlite::Result<Imported> {
    let mut imported = Imported::default();
    let mut changed = BTreeSet::new();
    let mut rows = HashMap::new();
    for record in records {
        let same = same_faces(db, record)?;
        let says = |row: &&SameFace| {
            row.made_at == record.made_at.as_millisecond() && row.emotion == emotion_of(record)
        };
        let is_later = |row: &&SameFace| row.made_at >= record.made_at.as_millisecond();
        let row = if let Some(row) = same.iter().find(says) {
            imported.known += 1;
            Row::Same(row.id)
        } else if let Some(row) = same.iter().find(is_later) {
            imported.outdated += 1;
            Row::Later(row.id)
        } else {
            for row in same {
                corrections::delete(db, row.id)?;
            }
            imported.added += 1;
            changed.extend(photos_with(db, record)?);
            Row::Same(add(db, record)?)
        };
        rows.insert(record.number, row);
    }
    for record in records {
        // A later correction of this face is what a person said of the very face.
        let Row::Same(follower) = rows[&record.number] else {
            continue;
        };
        if let Some(leader) = record.carried_from.and_then(|from| rows.get(&from)) {
            follow(db, follower, leader.id())?;
        }
    }
    for face in undone {
        undone::add(db, face)?;
    }
    for photo in changed {
        if let Some(frame) = same_picture::frame_of(db, photo)?
            && let Some(picture) = &frame.picture
        {
            corrections::set_picture(db, &frame.hash, picture)?;
        }
        corrections::apply(db, photo)?;
    }
    Ok(imported)
}

/// The row in the database of a correction that is imported.
#[derive(Clone, Copy)]
enum Row {
    /// The same correction.
    Same(i64),
    /// A later one of the same face.
    Later(i64),
}

impl Row {
    const fn id(self) -> i64 {
        match self {
            Self::Same(id) | Self::Later(id) => id,
        }
    }
}

/// Makes a correction follow another one, or the one that this one follows, and say the same.
fn follow(db: &Connection, follower: i64, leader: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE corrections SET (carried_from, emotion) = (
             SELECT o.id, o.emotion FROM corrections l JOIN corrections o ON o.id = coalesce(l.carried_from, l.id)
             WHERE l.id = ?2
         )
         WHERE id = ?1 AND (SELECT coalesce(carried_from, id) FROM corrections WHERE id = ?2) <> ?1",
    )?
    .execute(params![follower, leader])?;
    Ok(())
}

/// The emotion of a correction as it is stored.
fn emotion_of(record: &CorrectionRecord) -> Option<i64> {
    match record.correction {
        Correction::Emotion(emotion) => Some(emotion.index() as i64),
        Correction::NotAFace => None,
    }
}

/// Adds a correction; returns its number.
fn add(db: &Connection, record: &CorrectionRecord) -> rusqlite::Result<i64> {
    let BoundingBox {
        x,
        y,
        width,
        height,
    } = record.at;
    db.prepare_cached(
        "INSERT INTO corrections (hash, picture, orientation, x, y, width, height, emotion, made_at,
                                  taken_local, camera, crop)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )?
    .query_row(
        params![
            record.content,
            record.picture.map(|picture| picture.hash),
            record.picture.map(|picture| picture.orientation.exif()),
            x,
            y,
            width,
            height,
            emotion_of(record),
            record.made_at.as_millisecond(),
            record.taken.map(civil_ms),
            record.camera,
            record.face_picture,
        ],
        |row| row.get(0),
    )
}

/// A correction of the same face in the database.
struct SameFace {
    id: i64,
    made_at: i64,
    emotion: Option<i64>,
}

/// The corrections of the same face, the latest first: in the same content, or in the same picture. If that is in another
/// orientation, the boxes can be compared only if the index has the picture, whose size it knows then.
fn same_faces(db: &Connection, record: &CorrectionRecord) -> rusqlite::Result<Vec<SameFace>> {
    let picture = record.picture.map(|picture| picture.hash);
    let size: Option<(u32, u32)> = db
        .prepare_cached(
            "SELECT width, height, orientation FROM photos WHERE picture = ? AND skip_reason IS NULL",
        )?
        .query_row([picture], |row| {
            let upright = (row.get(0)?, row.get(1)?);
            let orientation = orientation_from_column(row, 2)?.unwrap_or_default();
            Ok(orientation.exchange(upright))
        })
        .optional()?;
    let mut same = Vec::new();
    let mut statement = db.prepare_cached(
        "SELECT id, made_at, emotion, x, y, width, height, orientation FROM corrections
         WHERE hash = ?1 OR picture = ?2 ORDER BY made_at DESC, id DESC",
    )?;
    let mut rows = statement.query(params![record.content, picture])?;
    while let Some(row) = rows.next()? {
        let at = bounding_box_from_columns(row, 3)?;
        let made_in = orientation_from_column(row, 7)?;
        let stands_as = record.picture.map(|picture| picture.orientation);
        let at = match (made_in.zip(stands_as), size) {
            (Some((made_in, stands_as)), Some(size)) => {
                Turn::between(made_in, stands_as, size).map_or(at, |turn| turn.bounding_box(&at))
            }
            (Some((made_in, stands_as)), None) if made_in != stands_as => continue,
            _ => at,
        };
        if at.iou(&record.at) >= faces::SAME_FACE {
            same.push(SameFace {
                id: row.get(0)?,
                made_at: row.get(1)?,
                emotion: row.get(2)?,
            });
        }
    }
    Ok(same)
}

/// The photos to which a correction applies.
pub(super) fn photos_with(
    db: &Connection,
    record: &CorrectionRecord,
) -> rusqlite::Result<Vec<PhotoId>> {
    db.prepare_cached("SELECT id FROM photos WHERE hash = ? OR picture = ?")?
        .query_map(
            params![record.content, record.picture.map(|picture| picture.hash)],
            |row| row.get(0),
        )?
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::emotion::Emotion::{Happy, Sad};

    use super::super::testing::{face, photo, put, temp_store};
    use super::super::{FaceId, Store};
    use super::*;

    fn faces_of(store: &Store, id: PhotoId) -> Vec<(FaceId, Option<Correction>)> {
        let photo = store.photo(id).unwrap().unwrap();
        let faces = photo.content.unwrap().faces;
        faces
            .iter()
            .map(|face| (face.id, face.correction))
            .collect()
    }

    /// A database with one photo of two faces.
    fn album() -> (tempfile::TempDir, Store, PhotoId) {
        let (folder, mut store) = temp_store();
        let two = vec![face(0.0, 80.0, 0.9, 0.75), face(500.0, 80.0, 0.9, 0.25)];
        let id = put(&mut store, "/a.jpg", &photo("a", two));
        (folder, store, id)
    }

    const SAD: Correction = Correction::Emotion(Sad);

    #[test]
    fn corrections_come_back_in_another_database_and_only_once() {
        let (_folder, mut store, id) = album();
        let faces = faces_of(&store, id);
        store.correct(faces[0].0, SAD).unwrap();
        store.correct(faces[1].0, Correction::NotAFace).unwrap();
        let (records, undone) = store.corrections().unwrap();
        assert_eq!(records[0].paths, [PathBuf::from("/a.jpg")]);

        let (_other_folder, mut other, id) = album();
        let imported = other.import_corrections(&records, &undone).unwrap();
        assert_eq!((imported.added, imported.known), (2, 0));
        let said: Vec<_> = faces_of(&other, id)
            .into_iter()
            .map(|(_, said)| said)
            .collect();
        assert_eq!(said, [Some(SAD), Some(Correction::NotAFace)]);
        assert_eq!(other.corrections().unwrap().0, records);
        let imported = other.import_corrections(&records, &undone).unwrap();
        assert_eq!((imported.added, imported.known), (0, 2));

        // Before the photo is indexed: they wait for it.
        let (_third_folder, mut third) = temp_store();
        third.import_corrections(&records, &undone).unwrap();
        let id = put(
            &mut third,
            "/b.jpg",
            &photo("a", vec![face(2.0, 80.0, 0.9, 0.75)]),
        );
        assert_eq!(faces_of(&third, id)[0].1, Some(SAD));
    }

    #[test]
    fn the_later_of_two_corrections_of_a_face_stays() {
        let (_folder, mut store, id) = album();
        let first = faces_of(&store, id)[0].0;
        store.correct(first, SAD).unwrap();
        let (mut records, undone) = store.corrections().unwrap();
        let hour = jiff::SignedDuration::from_hours(1);
        records[0].correction = Correction::Emotion(Happy);
        records[0].made_at -= hour;
        let imported = store.import_corrections(&records, &undone).unwrap();
        assert_eq!(
            imported,
            Imported {
                outdated: 1,
                ..Imported::default()
            }
        );
        assert_eq!(faces_of(&store, id)[0].1, Some(SAD));
        records[0].made_at += 2 * hour;
        let imported = store.import_corrections(&records, &undone).unwrap();
        assert_eq!(
            imported,
            Imported {
                added: 1,
                ..Imported::default()
            }
        );
        assert_eq!(faces_of(&store, id)[0].1, Some(Correction::Emotion(Happy)));
        assert_eq!(store.corrections().unwrap().0.len(), 1);
    }

    #[test]
    fn what_was_carried_over_still_follows() {
        let (_folder, mut store, id) = album();
        store.correct(faces_of(&store, id)[0].0, SAD).unwrap();
        let (mut records, _) = store.corrections().unwrap();
        let mut edit = records[0].clone();
        (edit.number, edit.carried_from) = (77, Some(records[0].number));
        (edit.content, edit.picture) = (ContentHash::of(b"edit"), None);
        records.insert(0, edit);
        let (_other_folder, mut other) = temp_store();
        other.import_corrections(&records, &[]).unwrap();
        let back = other.corrections().unwrap().0;
        let of = |content| {
            back.iter()
                .find(|record| record.content == content)
                .unwrap()
        };
        let person = of(records[1].content);
        assert_eq!(of(records[0].content).carried_from, Some(person.number));
        assert_eq!(person.carried_from, None);
    }
}
