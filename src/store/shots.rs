//! Stores when and with what camera photos were taken, as the EXIF data in their own contents say.
//!
//! By these the photos of a burst and the edits of a photo are recognised. The facts of a photo may differ, if a sidecar
//! dates it or the clock of its camera was corrected.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::facts::{self, Statements};
use crate::photo::Capture;

use super::codec::civil_ms;
use super::record::PhotoId;

/// When a photo was taken by the clock of its camera, and with what camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shot {
    /// The local time in ms, as it is stored.
    pub local: i64,
    pub camera: Option<String>,
}

impl Shot {
    /// The shot of a photo whose content alone gives this capture; `None` if its EXIF data do not give its time to the
    /// second.
    pub fn of(by_content: &Capture) -> Option<Self> {
        let taken = by_content.taken_at?;
        (taken.source.is_exif() && taken.precision.is_exact()).then(|| Self {
            local: civil_ms(taken.local),
            camera: by_content.camera.clone(),
        })
    }

    /// The shot of a content with these statements (JSON), as they are stored.
    pub fn of_json(json: &str) -> Option<Self> {
        Self::of(&facts::of_content(&Statements::from_json(json)))
    }
}

/// Stores the shot of a photo, also with the corrections of its content, unless the camera is no longer known.
pub(super) fn set(db: &Connection, photo: PhotoId, shot: Option<&Shot>) -> rusqlite::Result<()> {
    let local = shot.map(|shot| shot.local);
    let camera = shot.and_then(|shot| shot.camera.as_ref());
    let changed = db
        .prepare_cached(
            "UPDATE photos SET exif_local = ?2, exif_camera = ?3
             WHERE id = ?1 AND (exif_local IS NOT ?2 OR exif_camera IS NOT ?3)",
        )?
        .execute(params![photo, local, camera])?;
    if changed > 0 && camera.is_some() {
        db.prepare_cached(
            "UPDATE corrections SET taken_local = ?, camera = ?
             WHERE hash = (SELECT hash FROM photos WHERE id = ?)",
        )?
        .execute(params![local, camera, photo])?;
    }
    Ok(())
}

/// The shot of a photo as it is stored.
pub(super) fn stored(db: &Connection, photo: PhotoId) -> rusqlite::Result<Option<Shot>> {
    let shot: Option<Option<Shot>> = db
        .prepare_cached("SELECT exif_local, exif_camera FROM photos WHERE id = ?")?
        .query_row([photo], |row| {
            let local: Option<i64> = row.get(0)?;
            let camera = row.get(1)?;
            Ok(local.map(|local| Shot { local, camera }))
        })
        .optional()?;
    Ok(shot.flatten())
}

/// The shot that a photo should have, from the statements of its content.
pub(super) fn expected(db: &Connection, photo: PhotoId) -> rusqlite::Result<Option<Shot>> {
    let json: Option<Option<String>> = db
        .prepare_cached("SELECT facts FROM photos WHERE id = ? AND skip_reason IS NULL")?
        .query_row([photo], |row| row.get(0))
        .optional()?;
    Ok(json.flatten().and_then(|json| Shot::of_json(&json)))
}

/// Brings the shot of a photo up to date.
pub(super) fn update(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    set(db, photo, expected(db, photo)?.as_ref())
}
