//! Stores the people of photos: whom the sources of a photo name, and which of its faces shows each of them.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::face::{BoundingBox, Correction};
use crate::facts::{self, Frame, PersonStatement, Statements};

use super::codec::orientation_from_column;
use super::record::{FaceId, PhotoId};
use super::{closer_search, faces, words};

/// A person whom a source of a photo names.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonInPhoto {
    /// The name as it is written.
    pub name: String,
    /// Where in the upright photo, in pixels; `None` if only the name is stated.
    pub at: Option<BoundingBox>,
    /// The face that shows the person; `None` if none was found there.
    pub face: Option<FaceId>,
}

/// Reads the statements of those sources of a photo that name somebody: its content, then its sidecars and those of the
/// raw files with which it is paired.
const STATED: &str = r#"
    SELECT facts FROM photos WHERE id = ?1 AND skip_reason IS NULL AND facts LIKE '%"people":%'
    UNION ALL
    SELECT s.facts FROM files f JOIN sidecars s ON s.photo_path = f.path
    WHERE f.photo_id = ?1 AND s.facts LIKE '%"people":%'
    UNION ALL
    SELECT s.facts FROM raw_pairs r JOIN files f ON f.photo_id = r.raw_id JOIN sidecars s ON s.photo_path = f.path
    WHERE r.picture_id = ?1 AND s.facts LIKE '%"people":%'"#;

/// The people that a photo should have.
pub(super) fn expected(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<PersonInPhoto>> {
    let sources: Vec<Statements> = db
        .prepare_cached(STATED)?
        .query_map([photo], |row| {
            Ok(Statements::from_json(row.get_ref(0)?.as_str()?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let stated: Vec<&PersonStatement> = sources
        .iter()
        .flat_map(|statements| &statements.people)
        .collect();
    if stated.is_empty() {
        return Ok(Vec::new());
    }
    let Some(frame) = frame(db, photo)? else {
        return Ok(Vec::new());
    };
    let mut faces = faces::of_photo(db, photo)?;
    faces.retain(|face| face.correction != Some(Correction::NotAFace));
    let boxes: Vec<BoundingBox> = faces.iter().map(|face| face.face.bounding_box).collect();
    let people = facts::people(&stated, &boxes, frame).into_iter();
    Ok(people
        .map(|person| PersonInPhoto {
            name: person.name,
            at: person.at,
            face: person.face.map(|index| faces[index].id),
        })
        .collect())
}

/// The frame in which the regions of a photo are resolved; `None` if the photo was skipped, so that its size is not
/// known.
fn frame(db: &Connection, photo: PhotoId) -> rusqlite::Result<Option<Frame>> {
    const SIZE: &str =
        "SELECT width, height, orientation FROM photos WHERE id = ? AND skip_reason IS NULL";
    db.prepare_cached(SIZE)?
        .query_row([photo], |row| {
            Ok(Frame {
                size: (row.get(0)?, row.get(1)?),
                orientation: orientation_from_column(row, 2)?.unwrap_or_default(),
            })
        })
        .optional()
}

/// The people of a photo as they are stored.
pub(super) fn of_photo(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<PersonInPhoto>> {
    db.prepare_cached(
        "SELECT name, x, y, width, height, face_id FROM people WHERE photo_id = ? ORDER BY position",
    )?
    .query_map([photo], person)?
    .collect()
}

fn person(row: &Row<'_>) -> rusqlite::Result<PersonInPhoto> {
    let x: Option<f32> = row.get(1)?;
    let at = match x {
        None => None,
        Some(x) => Some(BoundingBox {
            x,
            y: row.get(2)?,
            width: row.get(3)?,
            height: row.get(4)?,
        }),
    };
    Ok(PersonInPhoto {
        name: row.get(0)?,
        at,
        face: row.get(5)?,
    })
}

/// Brings the people of a photo up to date, and notes whether the photo needs a closer search.
pub(super) fn update(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    let people = expected(db, photo)?;
    let needs_search = closer_search::is_needed(db, photo, &people)?;
    if needs_search != closer_search::is_noted(db, photo)? {
        closer_search::note(db, photo, needs_search)?;
    }
    if people.iter().all(|person| person.at.is_none()) {
        closer_search::clear(db, photo)?;
    }
    if people == of_photo(db, photo)? {
        return Ok(());
    }
    db.prepare_cached("DELETE FROM people WHERE photo_id = ?")?
        .execute([photo])?;
    for (position, person) in people.iter().enumerate() {
        let at = person.at.as_ref();
        db.prepare_cached(
            "INSERT INTO people (photo_id, position, key, name, face_id, x, y, width, height)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            photo,
            position as i64,
            key_of(&person.name),
            person.name,
            person.face,
            at.map(|at| at.x),
            at.map(|at| at.y),
            at.map(|at| at.width),
            at.map(|at| at.height),
        ])?;
    }
    Ok(())
}

/// The name of the person whom a face shows.
pub(super) fn of_face(db: &Connection, face: FaceId) -> rusqlite::Result<Option<String>> {
    db.prepare_cached(
        "SELECT name FROM people WHERE face_id = ? ORDER BY photo_id, position LIMIT 1",
    )?
    .query_row([face], |row| row.get(0))
    .optional()
}

/// See [`Store::people`](super::Store::people).
pub(super) fn names(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut name = db.prepare_cached(NAME)?;
    keys(db)?
        .iter()
        .map(|key| name.query_row([key], |row| row.get(0)))
        .collect()
}

/// Reads the name with this key, as the first photo with it writes it.
pub(super) const NAME: &str = "SELECT name FROM people WHERE key = ? ORDER BY photo_id LIMIT 1";

/// Reads all keys, and steps from one to the next, so that its time does not depend on the number of photos.
pub(super) const KEYS: &str = "
    WITH RECURSIVE keys (key) AS (
        SELECT min(key) FROM people
        UNION ALL
        SELECT (SELECT min(key) FROM people WHERE key > keys.key)
        FROM keys WHERE keys.key IS NOT NULL
    )
    SELECT key FROM keys WHERE key IS NOT NULL";

/// The names of all people as names are compared, in ascending order.
pub(super) fn keys(db: &Connection) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached(KEYS)?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// The key under which the people of one name are stored: the name in lower case, whose accents are part of their letters.
fn key_of(name: &str) -> String {
    words::composed(name).to_lowercase()
}

/// The words of a name, as names are compared: without case and accents.
pub fn words_of_name(name: &str) -> Vec<String> {
    words::folded(name)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether the person with this key is meant by `wanted`, which are [`words_of_name`]: each of them is one of the name.
pub(super) fn is_meant(key: &str, wanted: &[String]) -> bool {
    let key = words_of_name(key);
    !wanted.is_empty() && wanted.iter().all(|wanted| key.contains(wanted))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::testing::{face, photo, put, temp_store};
    use super::super::{Query, Store};
    use super::*;
    use crate::emotion::Emotion;
    use crate::facts::{Block, RegionKind, RegionStatement};

    /// The region of the generated face at `x` in a photo of 4000 × 3000 pixels.
    fn region(x: f32) -> RegionStatement {
        RegionStatement {
            x: x / 4000.0,
            y: 10.0 / 3000.0,
            width: 80.0 / 4000.0,
            height: 100.0 / 3000.0,
            kind: RegionKind::Mwg,
            applied_to: None,
        }
    }

    fn found(store: &Store, people: &[&str]) -> Vec<String> {
        let people = people.iter().map(|&name| name.to_owned()).collect();
        let query = Query {
            people,
            ..Query::for_emotion(Emotion::Happy)
        };
        let total = store.total(&query).unwrap();
        let hits = store.query(&query).unwrap();
        assert_eq!(total, hits.len() as u64);
        hits.iter()
            .map(|hit| hit.path.display().to_string())
            .collect()
    }

    #[test]
    fn people_are_assigned_to_faces_and_found_by_name_alone_and_together() {
        let (_folder, mut store) = temp_store();
        let faces = || vec![face(0.0, 80.0, 0.9, 0.9), face(500.0, 80.0, 0.9, 0.5)];
        let mut both = photo("both", faces());
        let statements = &mut both.content.as_mut().unwrap().statements;
        statements.add_person("Anna Rossi", Some(region(500.0)), Block::Xmp);
        statements.add_person("Bob", None, Block::Xmp);
        let id = put(&mut store, "/both.jpg", &both);
        let mut alone = photo("alone", faces());
        let statements = &mut alone.content.as_mut().unwrap().statements;
        statements.add_person("Anna Rossi", Some(region(2000.0)), Block::Xmp);
        put(&mut store, "/alone.jpg", &alone);
        put(&mut store, "/nobody.jpg", &photo("nobody", faces()));

        let known = store.photo(id).unwrap().unwrap().content.unwrap();
        let named: Vec<_> = known
            .people
            .iter()
            .map(|person| (&*person.name, person.face))
            .collect();
        assert_eq!(
            named,
            [("Anna Rossi", Some(known.faces[1].id)), ("Bob", None)]
        );
        assert_eq!(found(&store, &["anna"]), ["/alone.jpg", "/both.jpg"]);
        assert_eq!(found(&store, &["ROSSI anna"]).len(), 2);
        assert_eq!(found(&store, &["anna", "bob"]), ["/both.jpg"]);
        assert_eq!(found(&store, &["ann"]), [""; 0]);
        assert_eq!(store.people().unwrap(), ["Anna Rossi", "Bob"]);
        let text = Some("rossi".to_owned());
        let by_text = store.query(&Query {
            text,
            ..Query::for_emotion(Emotion::Happy)
        });
        assert_eq!(by_text.unwrap().len(), 2);

        // The names follow the sources and the faces.
        let mut renamed = both.clone();
        renamed
            .content
            .as_mut()
            .unwrap()
            .statements
            .people
            .truncate(1);
        put(&mut store, "/both.jpg", &renamed);
        assert_eq!(found(&store, &["bob"]), [""; 0]);
        store
            .correct(known.faces[1].id, Correction::NotAFace)
            .unwrap();
        let after = store.photo(id).unwrap().unwrap().content.unwrap();
        assert_eq!(after.people[0].face, None);
        store.forget(&[Path::new("/alone.jpg").to_owned()]).unwrap();
        assert_eq!(found(&store, &["anna"]), ["/both.jpg"]);
    }
}
