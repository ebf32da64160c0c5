//! The methods that store corrections of faces, and learn from them.

use crate::error::Result;
use crate::face::Correction;

use super::super::learning::Next;
use super::super::{
    CorrectionRecord, EarlierCorrection, FaceId, Imported, Learning, Store, TakenBack, UndoneFace,
    exchange, faces, kin, learning,
};

impl Store {
    /// Stores a person's correction of a face in place of an earlier one. From now on the photo is ranked by it, whatever
    /// a model says, and it remains in force when the photo is analysed again. Corrections that were carried over from an
    /// earlier correction of this face are changed with it. Returns `false` if there is no such face.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn correct(&mut self, face: FaceId, correction: Correction) -> Result<bool> {
        self.write(|db| kin::correct(db, face, correction))
    }

    /// Stores the same correction for several faces, see [`Store::correct`]. If one of them does not exist, it is
    /// returned, and nothing is stored.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn correct_all(
        &mut self,
        faces: &[FaceId],
        correction: Correction,
    ) -> Result<Option<FaceId>> {
        self.write(|db| {
            if let Some(unknown) = faces::first_without_file(db, faces)? {
                return Ok(Some(unknown));
            }
            for face in faces {
                kin::correct(db, *face, correction)?;
            }
            Ok(None)
        })
    }

    /// Removes a person's correction of a face, so that the model's scores apply again, also to the faces to which it was
    /// carried over. No correction of another face is carried over to this one any more. Returns `false` if there was no
    /// correction.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn undo(&mut self, face: FaceId) -> Result<bool> {
        self.write(|db| kin::undo(db, face))
    }

    /// Takes the correction `made` of a face back as if it had not been made: the face gets what was said of it before, and
    /// unlike after [`Store::undo`], corrections of other faces carry over to it as they did. If something else was said of the
    /// face since, that stays.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn take_back(
        &mut self,
        face: FaceId,
        made: Correction,
        earlier: EarlierCorrection,
    ) -> Result<TakenBack> {
        self.write(|db| kin::take_back(db, face, made, earlier))
    }

    /// Removes the corrections of several faces, see [`Store::undo`], and returns the faces that had one. If one
    /// of the faces does not exist, it is returned, and nothing is removed.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn undo_all(&mut self, faces: &[FaceId]) -> Result<Result<Vec<FaceId>, FaceId>> {
        self.write(|db| {
            if let Some(unknown) = faces::first_unknown(db, faces)? {
                return Ok(Err(unknown));
            }
            let mut undone = Vec::new();
            for face in faces {
                if kin::undo(db, *face)? {
                    undone.push(*face);
                }
            }
            Ok(Ok(undone))
        })
    }

    /// All corrections in the order in which they were stored, and the faces to which none is carried over, since a
    /// person undid one there.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn corrections(&self) -> Result<(Vec<CorrectionRecord>, Vec<UndoneFace>)> {
        self.read(exchange::all)
    }

    /// Imports corrections from another database. Of two corrections of the same face the later one is kept. Corrections
    /// of photos that are not in the index apply once these are indexed.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn import_corrections(
        &mut self,
        records: &[CorrectionRecord],
        undone: &[UndoneFace],
    ) -> Result<Imported> {
        self.write(|db| exchange::take(db, records, undone))
    }

    /// What was learned from corrections, and whether the scores of faces follow from it.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn learning(&self) -> Result<Learning> {
        self.read(learning::status)
    }

    /// Whether [`Store::learn`] has something to do.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn has_to_learn(&self) -> Result<bool> {
        self.read(learning::is_outdated)
    }

    /// Learns from the corrections, if they have changed, and adjusts the scores of all faces, in short transactions. If
    /// it is interrupted, the next call continues. After each transaction, `done` is called with the number of photos in
    /// it.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn learn(&mut self, mut done: impl FnMut(u64)) -> Result<()> {
        loop {
            match self.read(learning::next)? {
                Next::Learn(due) => {
                    let learned = due.learn();
                    self.write(|db| learning::store(db, &learned))?;
                }
                Next::Follow => {}
                Next::Nothing => return Ok(()),
            }
            loop {
                match self.write(learning::advance)? {
                    0 => break,
                    photos => done(photos),
                }
            }
        }
    }

    /// Switches learning from corrections on or off; the next [`Store::learn`] adjusts the scores.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn switch_learning(&mut self, is_on: bool) -> Result<()> {
        self.write(|db| learning::switch(db, is_on))
    }

    /// Excludes the corrections made so far from learning; the next [`Store::learn`] adjusts the scores.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn forget_learning(&mut self) -> Result<()> {
        self.write(learning::forget)
    }
}
