//! The methods by which commands and the gallery read photos, faces, and lists of what the album contains.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::error::Result;
use crate::geo::Cell;
use crate::photo::GeoPoint;

use super::super::{
    CarriedFrom, CorrectionRecord, Counts, FaceId, Grouping, Hit, Photo, PhotoId, PhotoRecord,
    Query, Store, StoredFace, Tally, faces, folders, kin, lost_paths, people, photos, places,
    query, raw_pairs, tally, totals,
};

impl Store {
    /// The hits of a query, in its order.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn query(&self, query: &Query) -> Result<Vec<Hit>> {
        self.read(|db| query::run(db, query))
    }

    /// The number of hits of a query without its limit and offset.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn total(&self, query: &Query) -> Result<u64> {
        self.read(|db| query::total(db, query))
    }

    /// The number of hits that come before a photo in the answer to a query without its offset; `None` if the photo
    /// is not in the answer.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn standing(&self, query: &Query, photo: PhotoId) -> Result<Option<u64>> {
        self.read(|db| query::standing(db, query, photo))
    }

    /// The hits of a query without its offset from one photo to another, whichever comes first, both included; `None`
    /// if one of the two is not in the answer.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn between(
        &self,
        query: &Query,
        one: PhotoId,
        other: PhotoId,
    ) -> Result<Option<Vec<PhotoId>>> {
        self.read(|db| query::between(db, query, (one, other)))
    }

    /// How many photos meet the filters of a query: in total, whatever their emotions, and for each emotion as if the
    /// query asked for it alone.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn counts(&self, query: &Query) -> Result<Counts> {
        self.read(|db| query::counts(db, query))
    }

    /// The number of photos that a query by date leaves out only because they have no date of their own.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn undated(&self, query: &Query) -> Result<u64> {
        if !query.is_dated() || query.file_dates {
            return Ok(0);
        }
        let by_files = Query {
            file_dates: true,
            ..query.clone()
        };
        self.read(|db| {
            let found = query::total(db, query)?;
            Ok(query::total(db, &by_files)?.saturating_sub(found))
        })
    }

    /// For each group of the photos that a query finds, the number of faces by their strongest emotion. Only the faces
    /// that count in the query are included.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn tally(&self, by: Grouping, query: &Query) -> Result<Vec<Tally>> {
        self.read(|db| tally::count(db, by, query))
    }

    /// The grid cells that have photos, in ascending order, each with its number of photos.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn places(&self) -> Result<Vec<(Cell, u64)>> {
        self.read(places::occupied)
    }

    /// The same for the photos that a query finds without its place and limit.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn places_of(&self, query: &Query) -> Result<Vec<(Cell, u64)>> {
        self.read(|db| places::occupied_by(db, query))
    }

    /// Where most photos were taken: the average position of the photos in the grid cell with the most photos and in the
    /// cells around it; `None` if no photo has a position.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn home(&self) -> Result<Option<GeoPoint>> {
        self.read(|db| Ok(places::home(&places::occupied(db)?)))
    }

    /// The years of the earliest and the latest photo; `None` if no photo has a date.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn years(&self) -> Result<Option<(i16, i16)>> {
        self.read(totals::years)
    }

    /// The names of all cameras, in ascending order.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn cameras(&self) -> Result<Vec<String>> {
        self.read(query::cameras)
    }

    /// The names of all people in photos, in ascending order, each once.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn people(&self) -> Result<Vec<String>> {
        self.read(people::names)
    }

    /// All keywords and titles of photos, in ascending order, each once.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn keywords(&self) -> Result<Vec<String>> {
        self.read(totals::keywords)
    }

    /// The folders that directly contain photos, sorted by the bytes of the path.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn folders(&self) -> Result<Vec<PathBuf>> {
        self.read(folders::with_files)
    }

    /// The names of the folders below the roots that contain photos at any depth, in ascending order.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn album_names(&self) -> Result<Vec<String>> {
        self.read(folders::names)
    }

    /// Everything that is known about a photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn photo(&self, id: PhotoId) -> Result<Option<Photo>> {
        self.read(|db| photos::load(db, id))
    }

    /// A photo as its content was analysed: what the models found and what the content states, without people's
    /// corrections.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn record(&self, id: PhotoId) -> Result<Option<PhotoRecord>> {
        self.read(|db| photos::record(db, id))
    }

    /// A face and its photo; `None` if there is no such face.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn face(&self, face: FaceId) -> Result<Option<(PhotoId, StoredFace)>> {
        self.read(|db| faces::one(db, face))
    }

    /// The first paths of the other photos of the same shot: for a raw file the picture beside it, and for such a picture
    /// its raw files. Empty for every other photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn files_of_shot(&self, photo: PhotoId) -> Result<Vec<PathBuf>> {
        self.read(|db| raw_pairs::paths_of_shot(db, photo))
    }

    /// The other photos with faces that may be edits of `photo`: those with the camera and time of `photo`, or of another
    /// photo with its picture, as in [`Store::kin_corrections`].
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn kin_photos(&self, photo: PhotoId) -> Result<BTreeSet<PhotoId>> {
        self.read(|db| kin::photos(db, photo))
    }

    /// The paths at which, since a moment, a photo has replaced a corrected one that has no file left, without taking over all
    /// of its corrections; and how many it has not.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn corrections_left_behind(&self, since: Timestamp) -> Result<Vec<(PathBuf, u32)>> {
        self.read(|db| lost_paths::left_behind(db, since))
    }

    /// The photos to which these corrections may carry over: as in [`Store::kin_photos`], the photos that may be edits of
    /// those on which the corrections were made and have a face without a correction.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn kin_of_corrections(&self, records: &[CorrectionRecord]) -> Result<BTreeSet<PhotoId>> {
        self.read(|db| kin::of_corrections(db, records))
    }

    /// The faces of a photo whose corrections were carried over from another photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn carried(&self, photo: PhotoId) -> Result<Vec<(FaceId, CarriedFrom)>> {
        self.read(|db| kin::carried(db, photo))
    }
}
