//! Removes from a restored database what was forgotten in the database that it replaces, and keeps it from being stored
//! again.
//!
//! A backup that was made before something was forgotten still contains it. All copies of a database share the key of
//! its marks ([`Marks`](super::forgotten)), so the marks of the replaced database recognise it in the backup.

use std::collections::HashSet;

use rusqlite::Connection;

use super::lost_paths::LostContent;
use super::path::decode;
use super::record::PhotoId;
use super::{forgotten, forgotten_people, lost_photos, roots};
use crate::photo::{ContentHash, PictureHash};

/// Reads the contents and pictures that have a file or a correction; of undone corrections only the contents, as databases
/// before version 32 have them.
const KEPT: &str = "
    SELECT hash FROM photos p WHERE EXISTS (SELECT 1 FROM files WHERE photo_id = p.id)
    UNION SELECT picture FROM photos p WHERE picture IS NOT NULL AND EXISTS (SELECT 1 FROM files WHERE photo_id = p.id)
    UNION SELECT hash FROM corrections
    UNION SELECT picture FROM corrections WHERE picture IS NOT NULL
    UNION SELECT hash FROM undone_corrections";

/// What was removed from a restored database, since it had been forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForgottenAgain {
    /// Number of files.
    pub files: u64,
    /// Number of photos from which names of people were removed.
    pub named: u64,
}

/// The marks of a database.
#[derive(Debug, Default)]
pub(super) struct AllMarks {
    key: Vec<u8>,
    /// The marks of paths, contents and pictures, each with the mark of the path that the person named.
    of_files: Vec<([u8; 32], [u8; 32])>,
    /// The marks of people's names, each with the number of words of the name.
    of_people: Vec<([u8; 32], i64)>,
    /// The contents and pictures that the database still has, with a file or a correction: only a path that they had was
    /// forgotten.
    kept: HashSet<[u8; 32]>,
}

impl AllMarks {
    /// The marks in a database; none if its schema is older than forgetting.
    pub fn of(db: &Connection) -> rusqlite::Result<Self> {
        let has = |table: &str| {
            db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")?
                .exists([table])
        };
        let mut marks = Self::default();
        if has("forgotten")? {
            marks.key = db.query_row("SELECT key FROM forgotten_key", [], |row| row.get(0))?;
            marks.of_files = db
                .prepare("SELECT mark, named FROM forgotten")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            marks.kept = db
                .prepare(KEPT)?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
        }
        if has("forgotten_people")? {
            marks.of_people = db
                .prepare("SELECT mark, words FROM forgotten_people")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
        }
        Ok(marks)
    }

    /// Whether the database of these marks still has a content, or its picture.
    pub fn keeps(&self, of: &LostContent) -> bool {
        let picture = of.picture.map(|picture| *picture.as_bytes());
        self.kept.contains(of.hash.as_bytes())
            || picture.is_some_and(|picture| self.kept.contains(&picture))
    }

    /// Whether nothing was forgotten.
    pub const fn is_empty(&self) -> bool {
        self.of_files.is_empty() && self.of_people.is_empty()
    }
}

/// Adds marks to a database, and removes what they match. `None` if they cannot match anything in it: it has marks with
/// another key, so it is no copy of the database that the marks are from.
pub(super) fn forget_again(
    db: &Connection,
    marks: &AllMarks,
) -> rusqlite::Result<Option<ForgottenAgain>> {
    let own = AllMarks::of(db)?;
    if own.key != marks.key {
        if !own.is_empty() {
            return Ok(None);
        }
        db.execute("UPDATE forgotten_key SET key = ?", [&marks.key])?;
    }
    let mut add = db.prepare("INSERT OR IGNORE INTO forgotten (mark, named) VALUES (?, ?)")?;
    for mark in &marks.of_files {
        add.execute([mark.0, mark.1])?;
    }
    for (mark, words) in &marks.of_people {
        forgotten_people::keep_out(db, mark, *words)?;
    }
    Ok(Some(ForgottenAgain {
        files: remove_files(db, marks)?,
        named: forgotten_people::remove_known(db)?.photos,
    }))
}

/// Removes all files, contents and pictures that have a mark, also what is kept of photos without files, and returns the
/// number of files.
fn remove_files(db: &Connection, marks: &AllMarks) -> rusqlite::Result<u64> {
    let mut removed = 0;
    let mut statement = db.prepare(
        "SELECT f.path, f.photo_id, p.hash, p.picture FROM files f LEFT JOIN photos p ON p.id = f.photo_id",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let path = decode(row.get_ref(0)?.as_blob()?);
        let hash: Option<ContentHash> = row.get(2)?;
        let picture: Option<PictureHash> = row.get(3)?;
        let of = hash.map(|hash| LostContent { hash, picture });
        let is_photo_forgotten = match &of {
            Some(of) => lost_photos::is_marked(db, of)?,
            None => false,
        };
        if is_photo_forgotten || forgotten::holds_path(db, &path)? {
            let stays = !is_photo_forgotten && of.is_some_and(|of| marks.keeps(&of));
            let photo: Option<PhotoId> = row.get(1)?;
            found.push((path, photo.filter(|_| !stays)));
        }
    }
    for (path, photo) in found {
        removed += forgotten::remove_file(db, &path, photo)?;
    }
    lost_photos::remove_forgotten(db, |of| marks.keeps(of))?;
    for root in roots::all(db)? {
        if forgotten::holds_path(db, &root.path)? {
            roots::remove(db, &root.path)?;
        }
    }
    Ok(removed)
}
