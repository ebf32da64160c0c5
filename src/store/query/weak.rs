//! Lists the photos with faces that do not count in a query: those below its minimum detection score or size.

use rusqlite::Connection;

use super::super::record::PhotoId;
use super::filter::Query;
use super::photo_set::PhotoSet;

/// The statements of this module; each is one search of one index.
pub(super) mod sql {
    pub const CONFIDENCE: &str = "
        SELECT photo_id FROM faces WHERE confidence_rank = ? AND confidence < ?";
    pub const SIDE: &str = "SELECT photo_id FROM faces WHERE side_rank = ? AND side < ?";
}

/// The photos with faces that do not count.
#[derive(Debug, Default)]
pub(super) struct WeakFaces {
    all: PhotoSet,
    /// Those that may have faces that count as well.
    mixed: PhotoSet,
}

impl WeakFaces {
    pub fn of(db: &Connection, query: &Query) -> rusqlite::Result<Self> {
        let mut weak = Self::default();
        // Photos of which no face counts, since even the best score or the largest size is below the minimum.
        let mut uncounted = PhotoSet::default();
        for (sql, least) in [
            (sql::CONFIDENCE, query.least_detection()),
            (sql::SIDE, query.least_face()),
        ] {
            if least <= 0.0 {
                continue;
            }
            let mut statement = db.prepare_cached(sql)?;
            let mut ranks = db.prepare_cached(super::plan::SMALLEST_FACES)?;
            for rank in 1_i64.. {
                // Ends at the first rank that no face has.
                let least_of_rank: (Option<f64>, Option<f64>) =
                    ranks.query_row([rank], |row| Ok((row.get(0)?, row.get(1)?)))?;
                if least_of_rank == (None, None) {
                    break;
                }
                let mut rows = statement.query((rank, least))?;
                while let Some(row) = rows.next()? {
                    let photo = row.get(0)?;
                    weak.all.insert(photo);
                    if rank == 1 {
                        uncounted.insert(photo);
                    }
                }
            }
        }
        for photo in weak.all.iter().filter(|photo| !uncounted.contains(*photo)) {
            weak.mixed.insert(photo);
        }
        Ok(weak)
    }

    /// Whether a face of the photo does not count.
    pub fn contains(&self, photo: PhotoId) -> bool {
        self.all.contains(photo)
    }

    /// The photos of which a face does not count.
    pub const fn all(&self) -> &PhotoSet {
        &self.all
    }

    /// Those of which another face may count.
    pub const fn mixed(&self) -> &PhotoSet {
        &self.mixed
    }
}
