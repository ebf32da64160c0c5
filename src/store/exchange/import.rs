//! Imports corrections from another database.
//!
//! Of two decisions about the same face the later one counts, whether it corrects the face or undoes a correction, and
//! whatever file it is from.

use std::collections::{BTreeSet, HashMap, HashSet};

use rusqlite::{Connection, params};

use crate::face::{BoundingBox, Correction};
use crate::photo::{ContentHash, Picture};

use super::super::codec::{bounding_box_from_columns, civil_ms, orientation_from_column};
use super::super::lost_paths::LostContent;
use super::super::record::PhotoId;
use super::super::same_picture::{self, Turns};
use super::super::undone::UndoneFace;
use super::super::{corrections, faces, forgotten, kin, lost_photos, undone};
use super::{CorrectionRecord, photos_with};

/// What became of the imported corrections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Number of corrections that are new or replaced earlier ones.
    pub added: u64,
    /// Number of those of which no photo is in the index.
    pub absent: u64,
    /// Number of those that the database had already.
    pub known: u64,
    /// Number of those that are not stored, since the database has a later decision about the same face.
    pub outdated: u64,
    /// Number of those that are not stored, since they belong to forgotten photos.
    pub forgotten: u64,
    /// Number of corrections in this database that were removed, since they were undone later in the other one.
    pub undone: u64,
}

/// See [`Store::import_corrections`](super::super::Store::import_corrections).
pub(in super::super) fn take(
    db: &Connection,
    records: &[CorrectionRecord],
    undone: &[UndoneFace],
) -> rusqlite::Result<Imported> {
    let mut import = Import {
        db,
        imported: Imported::default(),
        changed: BTreeSet::new(),
    };
    let leaders = leaders(records);
    let mut taken: Vec<Option<Taken>> = vec![None; records.len()];
    for index in leaders_first(&leaders) {
        let leader = leaders[index].and_then(|leader| Some((&records[leader], taken[leader]?)));
        taken[index] = Some(import.take(&records[index], leader)?);
    }
    for face in undone {
        import.undo(face)?;
    }
    import.finish()
}

/// What an import made of a correction.
#[derive(Clone, Copy)]
enum Taken {
    /// It is this row of the database.
    Same(i64),
    /// The database has this row, a later correction of the same face.
    Later(i64),
    /// It was left out, for this reason.
    LeftOut(Reason),
}

/// Why a correction is left out.
#[derive(Clone, Copy)]
enum Reason {
    /// A person undid it later, or undid one that was carried over to the face.
    Undone,
    /// A person wanted the photo to be forgotten.
    Forgotten,
}

struct Import<'a> {
    db: &'a Connection,
    imported: Imported,
    /// The photos whose corrections may have changed.
    changed: BTreeSet<PhotoId>,
}

impl Import<'_> {
    /// Imports a correction, and makes it follow the one from which it was carried over.
    fn take(
        &mut self,
        record: &CorrectionRecord,
        leader: Option<(&CorrectionRecord, Taken)>,
    ) -> rusqlite::Result<Taken> {
        // A correction that was carried over is as old as the one from which it was.
        let source = leader.map_or(record, |(leader, _)| leader);
        let made_at = source.made_at.as_millisecond();
        let leader = leader.map(|(_, leader)| leader);
        let taken = self.put(record, made_at, leader)?;
        // A later correction of this face was made by a person on this very face, so it does not follow.
        if let (Taken::Same(follower), Some(Taken::Same(leader) | Taken::Later(leader))) =
            (taken, leader)
        {
            kin::follow(self.db, follower, leader)?;
        }
        Ok(taken)
    }

    /// Imports a correction that was made at this time (Unix, ms).
    fn put(
        &mut self,
        record: &CorrectionRecord,
        made_at: i64,
        leader: Option<Taken>,
    ) -> rusqlite::Result<Taken> {
        let db = self.db;
        if is_forgotten(db, &record.content, record.picture.as_ref())? {
            return Ok(self.leave_out(Reason::Forgotten));
        }
        let picture = record.picture.as_ref();
        let same = same_faces(db, &record.content, picture, &record.at)?;
        let says = |row: &&SameFace| row.made_at == made_at && row.emotion == emotion_of(record);
        if let Some(row) = same.iter().find(says) {
            self.imported.known += 1;
            return Ok(Taken::Same(row.id));
        }
        let of = LostContent {
            hash: record.content,
            picture: picture.map(|picture| picture.hash),
        };
        let is_absent = lost_photos::files_of(db, &of)?.is_empty();
        // What a person said of this very face counts more than what was carried over to it, whichever is later. But of a photo
        // without a file a person speaks in its edits (`kin::correct`).
        let is_carried = record.carried_from.is_some();
        let counts_more = |row: &&SameFace| match (row.is_carried, is_carried) {
            (false, true) => true,
            (true, false) => is_absent && row.made_at >= made_at,
            _ => row.made_at >= made_at,
        };
        if let Some(row) = same.iter().find(counts_more) {
            self.imported.outdated += 1;
            return Ok(Taken::Later(row.id));
        }
        // No correction is carried over to a face on which a person undid one.
        let undone_at = undone::last(db, &record.content, picture, &record.at)?;
        if undone_at >= Some(made_at) || undone_at.is_some() && record.carried_from.is_some() {
            return Ok(self.leave_out(Reason::Undone));
        }
        // What was carried over to this face was undone. After the photo from which it was carried over was forgotten, it
        // stays, as it does without an import.
        if let Some(Taken::LeftOut(Reason::Undone)) = leader {
            return Ok(self.leave_out(Reason::Undone));
        }
        let mut followers = Vec::new();
        for row in &same {
            followers.extend(kin::detach_followers(db, Some(row.id))?);
            corrections::delete(db, row.id)?;
        }
        self.imported.added += 1;
        self.imported.absent += u64::from(is_absent);
        self.changed
            .extend(photos_with(db, &record.content, picture)?);
        let id = add(db, record, made_at)?;
        for follower in followers {
            kin::follow(db, follower, id)?;
        }
        Ok(Taken::Same(id))
    }

    /// Counts a correction that is left out.
    const fn leave_out(&mut self, reason: Reason) -> Taken {
        match reason {
            Reason::Undone => self.imported.outdated += 1,
            Reason::Forgotten => self.imported.forgotten += 1,
        }
        Taken::LeftOut(reason)
    }

    /// Stores that a person undid the correction of a face, and removes the face's corrections that were made before or
    /// carried over to it.
    fn undo(&mut self, face: &UndoneFace) -> rusqlite::Result<()> {
        let db = self.db;
        let picture = face.picture.as_ref();
        if is_forgotten(db, &face.content, picture)? {
            self.imported.forgotten += 1;
            return Ok(());
        }
        undone::add(db, face)?;
        let Some(undone_at) = face.undone_at else {
            return Ok(());
        };
        for row in same_faces(db, &face.content, picture, &face.at)? {
            if row.is_carried || row.made_at < undone_at.as_millisecond() {
                self.imported.undone += 1;
                self.changed
                    .extend(photos_with(db, &face.content, picture)?);
                for follower in kin::detach_followers(db, Some(row.id))? {
                    corrections::delete(db, follower)?;
                }
                corrections::delete(db, row.id)?;
            }
        }
        Ok(())
    }

    /// Assigns the corrections to the faces of the photos that are in the index.
    fn finish(self) -> rusqlite::Result<Imported> {
        let db = self.db;
        for photo in self.changed {
            if let Some(frame) = same_picture::frame_of(db, photo)?
                && let Some(picture) = &frame.picture
            {
                corrections::set_picture(db, &frame.hash, picture)?;
            }
            corrections::apply(db, photo)?;
        }
        Ok(self.imported)
    }
}

/// Whether the photo of a correction was forgotten.
fn is_forgotten(
    db: &Connection,
    content: &ContentHash,
    picture: Option<&Picture>,
) -> rusqlite::Result<bool> {
    Ok(forgotten::holds_content(db, content)?
        || picture.map_or(Ok(false), |picture| {
            forgotten::holds_picture(db, &picture.hash)
        })?)
}

/// The index of the record that each record follows.
///
/// Numbers are unique within an exported file, and ascend in it. If a number occurs twice, several files were
/// concatenated; then a number refers to a record of the same file, and each file ends where the numbers stop ascending.
fn leaders(records: &[CorrectionRecord]) -> Vec<Option<usize>> {
    let mut seen = HashSet::new();
    let are_unique = records.iter().all(|record| seen.insert(record.number));
    let mut leaders = vec![None; records.len()];
    let mut start = 0;
    while start < records.len() {
        let ascends = |pair: &[CorrectionRecord]| pair[0].number < pair[1].number;
        let length = if are_unique {
            records.len()
        } else {
            1 + records[start..]
                .windows(2)
                .take_while(|pair| ascends(pair))
                .count()
        };
        let file = start..start + length;
        let by_number: HashMap<i64, usize> = file
            .clone()
            .map(|index| (records[index].number, index))
            .collect();
        for index in file {
            let from = records[index].carried_from;
            leaders[index] = from.and_then(|from| by_number.get(&from)).copied();
        }
        start += length;
    }
    leaders
}

/// The indexes of all corrections, each leader directly before its followers, so that a later correction of the leader's face
/// in the same file changes these as well. Those that follow each other in a circle, which no exported file has, come last, the
/// first one of a circle before its leader.
fn leaders_first(leaders: &[Option<usize>]) -> Vec<usize> {
    let mut followers = vec![Vec::new(); leaders.len()];
    for (index, leader) in leaders.iter().enumerate() {
        if let Some(leader) = leader {
            followers[*leader].push(index);
        }
    }
    let mut order = Vec::with_capacity(leaders.len());
    let mut is_in_order = vec![false; leaders.len()];
    let first = (0..leaders.len()).filter(|index| leaders[*index].is_none());
    for start in first.chain(0..leaders.len()) {
        let mut next = vec![start];
        while let Some(index) = next.pop() {
            if !std::mem::replace(&mut is_in_order[index], true) {
                order.push(index);
                next.extend(followers[index].iter().rev());
            }
        }
    }
    order
}

/// The emotion of a correction as it is stored.
fn emotion_of(record: &CorrectionRecord) -> Option<i64> {
    match record.correction {
        Correction::Emotion(emotion) => Some(emotion.index() as i64),
        Correction::NotAFace => None,
    }
}

/// Inserts a correction and returns its ID.
fn add(db: &Connection, record: &CorrectionRecord, made_at: i64) -> rusqlite::Result<i64> {
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
            made_at,
            record.taken.map(civil_ms),
            record.camera,
            record.face_picture,
        ],
        |row| row.get(0),
    )
}

/// A correction of the same face in the database.
pub(super) struct SameFace {
    id: i64,
    /// Unix time, ms.
    pub(super) made_at: i64,
    emotion: Option<i64>,
    is_carried: bool,
}

/// The corrections of the face in a box of this content or this picture, the latest first.
pub(super) fn same_faces(
    db: &Connection,
    content: &ContentHash,
    picture: Option<&Picture>,
    at: &BoundingBox,
) -> rusqlite::Result<Vec<SameFace>> {
    let turns = Turns::to(db, picture)?;
    let mut same = Vec::new();
    let mut statement = db.prepare_cached(
        "SELECT id, made_at, emotion, x, y, width, height, orientation, carried_from IS NOT NULL FROM corrections
         WHERE hash = ?1 OR picture = ?2 ORDER BY made_at DESC, id DESC",
    )?;
    let mut rows = statement.query(params![content, picture.map(|picture| picture.hash)])?;
    while let Some(row) = rows.next()? {
        let other = bounding_box_from_columns(row, 3)?;
        let other = turns.bounding_box(&other, orientation_from_column(row, 7)?);
        if other.is_some_and(|other| other.iou(at) >= faces::SAME_FACE) {
            same.push(SameFace {
                id: row.get(0)?,
                made_at: row.get(1)?,
                emotion: row.get(2)?,
                is_carried: row.get(8)?,
            });
        }
    }
    Ok(same)
}
