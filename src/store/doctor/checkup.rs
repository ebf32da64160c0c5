//! Collects the differences that the checks find, and what is needed to repair them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rusqlite::{Connection, Row};

use super::super::record::PhotoId;
use super::super::{files, folders};
use super::{DerivedPart, Diagnosis, Difference, DifferenceKind, DoctorObserver};

/// Maximum number of examples of one kind of difference.
const EXAMPLES: usize = 3;

/// The checks of one database, and what they have found so far.
pub(super) struct Checkup<'a> {
    pub db: &'a Connection,
    observer: &'a dyn DoctorObserver,
    damage: Vec<String>,
    found: BTreeMap<(DerivedPart, DifferenceKind), (u64, Vec<String>)>,
    /// Photos to be noted in `dirty_photos`.
    photos: BTreeSet<PhotoId>,
    /// Photos to be noted in `dirty_ranks`.
    ranks: BTreeSet<PhotoId>,
    /// Photos to be noted in `dirty_places`.
    places: BTreeSet<PhotoId>,
    folders_to_add: Vec<PathBuf>,
    folders_to_remove: Vec<PathBuf>,
}

impl<'a> Checkup<'a> {
    pub fn new(db: &'a Connection, observer: &'a dyn DoctorObserver) -> Self {
        Self {
            db,
            observer,
            damage: Vec::new(),
            found: BTreeMap::new(),
            photos: BTreeSet::new(),
            ranks: BTreeSet::new(),
            places: BTreeSet::new(),
            folders_to_add: Vec::new(),
            folders_to_remove: Vec::new(),
        }
    }

    /// Reports that the check `what` begins, which reads as many rows as the statement `count` says.
    pub fn begin(&self, what: &'static str, count: &str) -> rusqlite::Result<()> {
        let number: i64 = self.db.query_row(count, [], |row| row.get(0))?;
        self.observer.begins(what, number as u64);
        Ok(())
    }

    /// Reports that `by` more rows were checked.
    pub fn advance(&self, by: u64) {
        self.observer.advanced(by);
    }

    /// Records damage that SQLite's own checks found.
    pub fn damaged(&mut self, what: String) {
        self.damage.push(what);
    }

    /// Counts a difference.
    pub fn differs(&mut self, part: DerivedPart, kind: DifferenceKind, example: String) {
        let (count, examples) = self.found.entry((part, kind)).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(example);
        }
    }

    /// Counts a difference of a photo, and notes the photo if that suffices for [`derived`](super::super::derived) to
    /// repair it.
    pub fn photo_differs(
        &mut self,
        part: DerivedPart,
        kind: DifferenceKind,
        photo: PhotoId,
    ) -> rusqlite::Result<()> {
        let name = self.name(photo)?;
        self.differs(part, kind, name);
        match part {
            DerivedPart::FaceCounts | DerivedPart::FaceRanks | DerivedPart::Scores => {
                self.ranks.insert(photo);
            }
            DerivedPart::Estimates => {
                self.places.insert(photo);
            }
            // These are stored anew as a whole, see `areas::rebuild`, `bursts::rebuild` and `learning::rebuild`.
            DerivedPart::Areas | DerivedPart::Bursts | DerivedPart::Learned => {}
            _ => {
                self.photos.insert(photo);
            }
        }
        Ok(())
    }

    /// Counts each photo whose ID a statement selects as a difference.
    pub fn all_differ(
        &mut self,
        part: DerivedPart,
        kind: DifferenceKind,
        select: &str,
    ) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare(select)?;
        let photos = statement.query_map([], |row: &Row<'_>| row.get(0))?;
        for photo in photos {
            self.photo_differs(part, kind, photo?)?;
        }
        Ok(())
    }

    pub fn folder_is_missing(&mut self, folder: PathBuf) {
        let name = folder.display().to_string();
        self.differs(DerivedPart::Folders, DifferenceKind::Missing, name);
        self.folders_to_add.push(folder);
    }

    pub fn folder_is_extra(&mut self, folder: PathBuf) {
        let name = folder.display().to_string();
        self.differs(DerivedPart::Folders, DifferenceKind::Extra, name);
        self.folders_to_remove.push(folder);
    }

    pub fn has_found(&self, parts: &[DerivedPart]) -> bool {
        self.found.keys().any(|(part, _)| parts.contains(part))
    }

    /// Notes what is out of date as the triggers do, and repairs the folders.
    pub fn note(&self, db: &Connection) -> rusqlite::Result<()> {
        for (table, photos) in [
            ("dirty_photos", &self.photos),
            ("dirty_ranks", &self.ranks),
            ("dirty_places", &self.places),
        ] {
            let mut insert = db.prepare(&format!(
                "INSERT OR IGNORE INTO {table} (photo_id) VALUES (?)"
            ))?;
            for photo in photos {
                insert.execute([photo])?;
            }
        }
        // Scores of photos that do not exist are not brought up to date with a photo.
        db.execute(
            "DELETE FROM photo_scores WHERE photo_id NOT IN (SELECT id FROM photos)",
            [],
        )?;
        for folder in &self.folders_to_add {
            folders::add(db, folder)?;
        }
        for folder in &self.folders_to_remove {
            folders::remove(db, folder)?;
        }
        Ok(())
    }

    pub fn into_diagnosis(self) -> Diagnosis {
        let difference = |((part, kind), (count, examples))| Difference {
            part,
            kind,
            count,
            examples,
        };
        Diagnosis {
            damage: self.damage,
            differences: self.found.into_iter().map(difference).collect(),
        }
    }

    /// The first path of a photo, or its ID if it has no path.
    fn name(&self, photo: PhotoId) -> rusqlite::Result<String> {
        let first = files::of_photo(self.db, photo)?.into_iter().next();
        Ok(first.map_or_else(
            || format!("photo {photo}"),
            |path| path.display().to_string(),
        ))
    }
}
