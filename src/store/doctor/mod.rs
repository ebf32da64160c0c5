//! Compares every derived row with what it is derived from, and repairs the differences. Derived rows are kept up to date
//! by triggers and `derived`; the doctor finds what a fault of the program, of a disk or of another program has done to
//! them.

mod areas;
mod bursts;
mod checkup;
mod facts;
mod folders;
mod learned;
mod notes;
mod places;
mod ranks;
mod raw_pairs;
mod sound;
mod words;

use rusqlite::Connection;

use super::{derived, learning};
use checkup::Checkup;

/// A kind of derived rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DerivedPart {
    /// Notes of triggers that no transaction has dealt with.
    Notes,
    /// Since when a photo has had no file.
    Loss,
    /// Which raw files are beside a picture of the same shot.
    RawPairs,
    /// The facts of photos, by their contents, sidecars, names and times.
    Facts,
    /// The people in photos, by the same sources and the faces, and which photos need a closer search.
    People,
    /// The full-text index of paths, descriptions and keywords.
    Words,
    /// The folders that contain photos.
    Folders,
    /// In which grid cell each photo was taken.
    Cells,
    /// The number of photos of each grid cell.
    Places,
    /// The estimated positions of photos without one of their own.
    Estimates,
    /// The countries and regions in which each photo was taken.
    Areas,
    /// Which photos belong to one burst.
    Bursts,
    /// The number of a photo's faces that count.
    FaceCounts,
    /// The ranks of faces by size and by confidence.
    FaceRanks,
    /// The ranking of photos by emotion.
    Scores,
    /// The scores of faces that the personal layers give.
    Learned,
}

impl DerivedPart {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notes => "notes",
            Self::Loss => "loss",
            Self::RawPairs => "raw_pairs",
            Self::Facts => "facts",
            Self::People => "people",
            Self::Words => "words",
            Self::Folders => "folders",
            Self::Cells => "cells",
            Self::Places => "places",
            Self::Estimates => "estimates",
            Self::Areas => "areas",
            Self::Bursts => "bursts",
            Self::FaceCounts => "face_counts",
            Self::FaceRanks => "face_ranks",
            Self::Scores => "scores",
            Self::Learned => "learned",
        }
    }
}

/// How a derived row differs from what it is derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// There should be one, and there is none.
    Missing,
    /// There is one, and there should be none.
    Extra,
    /// It has another value than it should have.
    Wrong,
}

impl DifferenceKind {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Wrong => "wrong",
        }
    }
}

/// Differences of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub part: DerivedPart,
    /// How it differs.
    pub kind: DifferenceKind,
    /// Number of differences.
    pub count: u64,
    /// A few of them: paths of photos, or other names.
    pub examples: Vec<String>,
}

/// What is wrong with a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// What SQLite's own checks found; it cannot be repaired.
    pub damage: Vec<String>,
    /// Derived rows that differ from what they are derived from.
    pub differences: Vec<Difference>,
}

/// Receives the progress of the checks.
pub trait DoctorObserver {
    /// The check `what` begins; it reads this number of photos or rows, 0 if unknown.
    fn begins(&self, what: &'static str, number: u64);

    /// `by` more of them were checked.
    fn advanced(&self, by: u64);
}

/// See [`Store::diagnose`](super::Store::diagnose).
pub(super) fn diagnose(
    db: &Connection,
    observer: &dyn DoctorObserver,
) -> rusqlite::Result<Diagnosis> {
    Ok(examine(db, observer)?.into_diagnosis())
}

/// See [`Store::repair`](super::Store::repair).
pub(super) fn repair(
    db: &Connection,
    observer: &dyn DoctorObserver,
) -> rusqlite::Result<Diagnosis> {
    let checkup = examine(db, observer)?;
    observer.begins("repair", 0);
    checkup.note(db)?;
    if checkup.has_found(&[DerivedPart::Areas]) {
        areas::rebuild(db)?;
    }
    if checkup.has_found(&[DerivedPart::Learned]) {
        learning::rebuild(db)?;
    }
    derived::update(db)?;
    if checkup.has_found(&[DerivedPart::Bursts]) {
        bursts::rebuild(db)?;
    }
    // Last, since it depends on which photos are lost.
    if checkup.has_found(&[DerivedPart::Cells, DerivedPart::Places, DerivedPart::Loss]) {
        places::rebuild(db)?;
    }
    Ok(checkup.into_diagnosis())
}

fn examine<'a>(
    db: &'a Connection,
    observer: &'a dyn DoctorObserver,
) -> rusqlite::Result<Checkup<'a>> {
    let mut checkup = Checkup::new(db, observer);
    if !sound::check(&mut checkup)? {
        // Nothing that is read from a damaged file can be relied on.
        return Ok(checkup);
    }
    notes::check(&mut checkup)?;
    raw_pairs::check(&mut checkup)?;
    facts::check(&mut checkup)?;
    folders::check(&mut checkup)?;
    places::check(&mut checkup)?;
    areas::check(&mut checkup)?;
    bursts::check(&mut checkup)?;
    ranks::check(&mut checkup)?;
    learned::check(&mut checkup)?;
    words::check(&mut checkup)?;
    Ok(checkup)
}
