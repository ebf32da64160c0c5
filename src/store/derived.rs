//! Brings derived rows up to date. The results of indexing and people's corrections are in `photos`, `files`, `sidecars`,
//! `faces` and `corrections`. From them are derived the raw pairs, the facts and people of photos, words, folders, lost
//! photos, estimated positions, the countries and regions of photos, bursts, and rankings.
//!
//! Triggers note what a change makes out of date in the tables `dirty_…`, whoever makes the change, and
//! every transaction ends with [`update`], which empties them. So no writer has to know what depends on the
//! rows that it writes. The triggers themselves keep the grid cells, and the dates in the ranking
//! (`migrations/`).

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::path::decode;
use super::record::PhotoId;
use super::stored_face::{JudgedFace, StoredFace};
use super::{
    areas, bursts, effective, estimates, faces, folders, kin_due, people, photos, ranking,
    raw_pairs, shots, words,
};

/// The tables in which triggers note what is out of date; empty between transactions.
pub(super) const NOTES: [&str; 6] = [
    "dirty_photos",
    "dirty_ranks",
    "dirty_paths",
    "dirty_places",
    "dirty_times",
    "dirty_bursts",
];

/// Reads each noted photo with its files, one row per file, in the order that the full-text index expects.
pub(super) const NOTED: &str = concat!(
    "SELECT d.photo_id, f.path, p.id IS NOT NULL, p.skip_reason IS NULL, p.lost_at,
            ",
    words::fact_texts_of_photo!(),
    " FROM dirty_photos d LEFT JOIN photos p ON p.id = d.photo_id
                          LEFT JOIN files f ON f.photo_id = d.photo_id
      ORDER BY d.photo_id"
);

/// Reads the photos whose ranking is noted, or that have a face without ranks.
pub(super) const UNRANKED: &str = "
    SELECT photo_id FROM dirty_ranks
    UNION SELECT photo_id FROM faces WHERE side IS NULL AND correction IS NULL";

/// Brings up to date everything that the triggers have noted in this transaction.
pub(super) fn update(db: &Connection) -> rusqlite::Result<()> {
    // The people of a photo depend on its faces as well.
    db.prepare_cached(&format!(
        "INSERT OR IGNORE INTO dirty_photos (photo_id) {UNRANKED}"
    ))?
    .execute([])?;
    update_ranks(db)?;
    // Before the facts: the sidecars of a raw file also count for its picture.
    raw_pairs::update(db)?;
    kin_due::note_converted(db)?;
    update_facts(db)?;
    let mut present = PhotoFolders::default();
    // The words of all photos are written together, see `words::write`.
    for (photo, since) in update_words(db, &mut present)? {
        photos::set_lost(db, photo, since)?;
    }
    for folder in &present.folders {
        folders::add(db, folder)?;
    }
    update_folders(db, &present)?;
    // Last: estimates depend on dates, positions and which photos are lost, and areas on positions.
    estimates::update(db)?;
    areas::update(db)?;
    bursts::update(db)?;
    for table in NOTES {
        db.prepare_cached(&format!("DELETE FROM {table}"))?
            .execute([])?;
    }
    Ok(())
}

/// Notes that what is derived from a photo may be out of date.
pub(super) fn note_photo(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO dirty_photos (photo_id) VALUES (?)")?
        .execute([photo])?;
    Ok(())
}

/// Notes that a photo has new faces, for which there is no trigger.
pub(super) fn note_ranks(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO dirty_ranks (photo_id) VALUES (?)")?
        .execute([photo])?;
    Ok(())
}

/// Records that the ranking of a photo has just been written together with its faces.
pub(super) fn ranked(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM dirty_ranks WHERE photo_id = ?")?
        .execute([photo])?;
    Ok(())
}

/// Ranks the noted photos and their faces anew, by the scores and the corrections.
fn update_ranks(db: &Connection) -> rusqlite::Result<()> {
    let noted: Vec<PhotoId> = db
        .prepare_cached(UNRANKED)?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for photo in noted {
        let faces = faces::of_photo(db, photo)?;
        faces::rank(db, &faces)?;
        let judged = judged(&faces);
        let taken_local: Option<Option<i64>> = db
            .prepare_cached("UPDATE photos SET face_count = ? WHERE id = ? RETURNING taken_local")?
            .query_row(params![judged.len() as i64, photo], |row| row.get(0))
            .optional()?;
        if let Some(taken_local) = taken_local {
            ranking::replace(db, photo, true, taken_local, &judged)?;
        }
    }
    Ok(())
}

/// The faces by which a photo is ranked: those that count as faces.
pub(super) fn judged(faces: &[StoredFace]) -> Vec<JudgedFace> {
    let mut judged: Vec<JudgedFace> = faces.iter().map(StoredFace::judged).collect();
    judged.retain(JudgedFace::is_face);
    judged
}

/// Brings the facts and the people of the noted photos up to date.
fn update_facts(db: &Connection) -> rusqlite::Result<()> {
    let noted: Vec<PhotoId> = db
        .prepare_cached("SELECT photo_id FROM dirty_photos")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for photo in noted {
        if let Some(capture) = effective::outdated(db, photo)? {
            effective::set(db, photo, &capture)?;
        }
        shots::update(db, photo)?;
        people::update(db, photo)?;
    }
    Ok(())
}

/// A noted photo, while the rows of its files are read.
#[derive(Debug)]
struct Noted {
    id: PhotoId,
    is_analysed: bool,
    has_file: bool,
    /// Its text for the full-text index: so far, the words of its paths.
    text: String,
    /// What its sources say, which is the rest of the text.
    fact_texts: String,
}

impl Noted {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            is_analysed: row.get::<_, bool>(2)? && row.get(3)?,
            has_file: false,
            text: String::new(),
            fact_texts: row.get(5)?,
        })
    }

    /// Writes the words of the photo, or removes them if it was skipped or has no file.
    fn write_words(mut self, db: &Connection) -> rusqlite::Result<()> {
        if !self.is_analysed || !self.has_file {
            return words::remove(db, self.id);
        }
        words::add_facts(&mut self.text, &self.fact_texts);
        words::write(db, self.id, &self.text)
    }
}

/// Writes the words of the noted photos, and collects their folders in `present`. Returns the photos that became lost,
/// with the time (Unix, ms), and those that have a file again, with `None`.
fn update_words(
    db: &Connection,
    present: &mut PhotoFolders,
) -> rusqlite::Result<Vec<(PhotoId, Option<i64>)>> {
    let mut statement = db.prepare_cached(NOTED)?;
    let mut rows = statement.query([])?;
    let mut losses = Vec::new();
    let mut photo: Option<Noted> = None;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if photo.as_ref().is_none_or(|photo| photo.id != id) {
            if let Some(before) = photo.replace(Noted::of(row)?) {
                before.write_words(db)?;
            }
            if is_loss_outdated(row)? {
                let has_file = row.get_ref(1)?.as_blob_or_null()?.is_some();
                let since = (!has_file).then(|| Timestamp::now().as_millisecond());
                losses.push((id, since));
            }
        }
        if let (Some(photo), Some(path)) = (&mut photo, row.get_ref(1)?.as_blob_or_null()?) {
            let path = decode(path);
            photo.has_file = true;
            words::add_path(&mut photo.text, &path);
            present.add(&path);
        }
    }
    if let Some(last) = photo {
        last.write_words(db)?;
    }
    Ok(losses)
}

/// Whether the photo in a row of [`NOTED`] is marked as lost although it has a file, or not although it has none.
fn is_loss_outdated(row: &Row<'_>) -> rusqlite::Result<bool> {
    let exists: bool = row.get(2)?;
    let is_lost = row.get::<_, Option<i64>>(4)?.is_some();
    let has_file = row.get_ref(1)?.as_blob_or_null()?.is_some();
    Ok(exists && is_lost == has_file)
}

/// Folders that directly contain photos.
#[derive(Debug, Default)]
struct PhotoFolders {
    folders: HashSet<PathBuf>,
}

impl PhotoFolders {
    /// Adds the folder of the file at `path`.
    fn add(&mut self, path: &Path) {
        if let Some(folder) = path.parent()
            && !self.folders.contains(folder)
        {
            self.folders.insert(folder.to_owned());
        }
    }
}

/// Removes the folders whose last photo is gone. Those in `present` contain one, and need no search.
fn update_folders(db: &Connection, present: &PhotoFolders) -> rusqlite::Result<()> {
    let mut left = PhotoFolders::default();
    let mut paths = db.prepare_cached("SELECT path FROM dirty_paths")?;
    let mut rows = paths.query([])?;
    while let Some(row) = rows.next()? {
        left.add(&decode(row.get_ref(0)?.as_blob()?));
    }
    for folder in left.folders.difference(&present.folders) {
        if !folders::contains_photo(db, folder)? {
            folders::remove(db, folder)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
