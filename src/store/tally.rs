//! Counts faces by the emotion that they show most, in groups by year, month, folder, place or camera.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use crate::emotion::Emotion;
use crate::geo::Cell;
use crate::photo::Precision;

use super::codec::{FILE_TIME, from_civil_ms};
use super::path::decode;
use super::query::{self, Query};
use super::record::PhotoId;
use super::roots::AbsentRoots;
use super::{faces, files, people};

/// The property by which faces are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// One group of all faces.
    None,
    /// By the year in which the photo was taken.
    Year,
    /// By year and month.
    Month,
    /// By the folder of the photo; a photo with several paths counts in the folder of the first, see
    /// [`Photo::paths`](super::Photo::paths).
    Folder,
    /// By the grid cell in which the photo was taken, and the areas there.
    Place,
    /// By the camera.
    Camera,
    /// By the person whom the face shows, as metadata or a sidecar name it.
    Person,
}

/// The value that the photos of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Nothing: all photos are in one group.
    All,
    /// The year.
    Year(i16),
    /// Year and month.
    Month(i16, i8),
    /// The folder.
    Folder(PathBuf),
    /// The grid cell, and the codes of the areas in which the photos were taken, see
    /// [`Borders::areas`](crate::borders::Borders::areas).
    Place(Cell, String),
    /// The camera's name.
    Camera(String),
    /// The person's name.
    Person(String),
    /// The photos lack the property.
    Unknown,
}

/// The faces of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The group.
    pub group: Group,
    /// Number of photos in it with a face that counts.
    pub photos: u64,
    /// Faces by the emotion that they show most, in the order of [`Emotion::ALL`].
    pub faces: [u64; Emotion::COUNT],
}

/// Selects a photo only if a path leads to it.
const PHOTO: &str = "
    SELECT taken_local, cell, (SELECT path FROM files WHERE photo_id = p.id ORDER BY path LIMIT 1),
           taken_source, camera, taken_precision,
           (SELECT codes FROM area_sets s WHERE s.id = p.area_set)
    FROM photos p WHERE id = ? AND EXISTS (SELECT 1 FROM files WHERE photo_id = p.id)";

/// See [`Store::tally`](super::Store::tally).
pub(super) fn count(db: &Connection, by: Grouping, query: &Query) -> rusqlite::Result<Vec<Tally>> {
    let photos = query::photos(db, query)?;
    let left_out = query::left_out(db, query)?;
    let absent = match by {
        Grouping::Folder => AbsentRoots::now(db)?,
        _ => AbsentRoots::default(),
    };
    let mut tallies: BTreeMap<Group, Tally> = BTreeMap::new();
    let mut counted: BTreeMap<Group, PhotoId> = BTreeMap::new();
    let mut current: Option<(PhotoId, Option<Group>)> = None;
    faces::each(db, |photo, face| {
        let is_found = photos.as_ref().is_none_or(|photos| photos.contains(photo))
            && !left_out.contains(photo);
        if !is_found || !face.counts(query.least_detection(), query.least_face()) {
            return Ok(());
        }
        let is_new = current.as_ref().is_none_or(|(known, _)| *known != photo);
        if is_new {
            current = Some((photo, group(db, by, photo, query.file_dates, &absent)?));
        }
        let Some((_, Some(group))) = &current else {
            return Ok(());
        };
        let of_face = match by {
            Grouping::Person => people::of_face(db, face.id)?.map(Group::Person),
            _ => None,
        };
        let group = of_face.as_ref().unwrap_or(group);
        let tally = tallies.entry(group.clone()).or_insert_with(|| Tally {
            group: group.clone(),
            photos: 0,
            faces: [0; Emotion::COUNT],
        });
        // The faces of a photo come one after the other.
        let is_first = counted.insert(group.clone(), photo) != Some(photo);
        tally.photos += u64::from(is_first);
        if let Some(emotion) = face.top() {
            tally.faces[emotion.index()] += 1;
        }
        Ok(())
    })?;
    Ok(tallies.into_values().collect())
}

/// The group of a photo; `None` if no path leads to it.
fn group(
    db: &Connection,
    by: Grouping,
    photo: PhotoId,
    file_dates: bool,
    absent: &AbsentRoots,
) -> rusqlite::Result<Option<Group>> {
    db.prepare_cached(PHOTO)?
        .query_row([photo], |row| {
            let is_known = file_dates || row.get_ref(3)?.as_str_or_null()? != Some(FILE_TIME);
            let taken = row.get::<_, Option<i64>>(0)?.filter(|_| is_known);
            let taken = taken.and_then(from_civil_ms);
            Ok(match by {
                Grouping::None => Some(Group::All),
                Grouping::Year => taken.map(|taken| Group::Year(taken.year())),
                Grouping::Month => {
                    let is_known =
                        row.get_ref(5)?.as_str_or_null()? != Some(Precision::Year.name());
                    let taken = taken.filter(|_| is_known);
                    taken.map(|taken| Group::Month(taken.year(), taken.month()))
                }
                Grouping::Folder => {
                    let mut path = decode(row.get_ref(2)?.as_blob()?);
                    if absent.contain(row.get_ref(2)?.as_blob()?) {
                        path = absent
                            .order_last(files::of_photo(db, photo)?)
                            .swap_remove(0);
                    }
                    path.parent().map(Path::to_owned).map(Group::Folder)
                }
                Grouping::Place => {
                    let codes: Option<String> = row.get(6)?;
                    row.get::<_, Option<i64>>(1)?
                        .map(|cell| Group::Place(Cell(cell), codes.unwrap_or_default()))
                }
                // Determined for each face, not for the photo.
                Grouping::Person => None,
                Grouping::Camera => row.get::<_, Option<String>>(4)?.map(Group::Camera),
            }
            .unwrap_or(Group::Unknown))
        })
        .optional()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::testing::{face, first_face, photo, put, set_date, temp_store};
    use super::*;
    use crate::face::Correction;

    #[test]
    fn faces_are_counted_by_the_emotion_they_show_most() {
        let (_folder, mut store) = temp_store();
        let mut add = |path: &str, year: i16, faces| {
            let mut record = photo(path, faces);
            set_date(&mut record, date(year, 5, 1).at(0, 0, 0, 0));
            put(&mut store, path, &record)
        };
        add(
            "/a/1.jpg",
            2019,
            vec![face(0.0, 80.0, 0.9, 0.9), face(500.0, 80.0, 0.9, 0.2)],
        );
        let rejected = add(
            "/a/2.jpg",
            2020,
            vec![face(0.0, 80.0, 0.9, 0.9), face(500.0, 80.0, 0.9, 0.8)],
        );
        let gone = add("/b/3.jpg", 2020, vec![face(0.0, 80.0, 0.7, 0.9)]);
        let count = |store: &super::super::Store, by, least| {
            let query = Query {
                min_detection: Some(least),
                ..Query::new()
            };
            let tallies = store.tally(by, &query).unwrap();
            let short = |tally: Tally| {
                let faces = |emotion: Emotion| tally.faces[emotion.index()];
                let (happy, neutral) = (faces(Emotion::Happy), faces(Emotion::Neutral));
                (tally.group, tally.photos, happy, neutral)
            };
            tallies.into_iter().map(short).collect::<Vec<_>>()
        };
        assert_eq!(count(&store, Grouping::None, 0.0), [(Group::All, 3, 4, 1)]);
        let years = [(Group::Year(2019), 1, 1, 1), (Group::Year(2020), 1, 2, 0)];
        assert_eq!(count(&store, Grouping::Year, 0.8), years);

        let face = first_face(&store, rejected);
        store.correct(face, Correction::NotAFace).unwrap();
        store
            .batch(|batch| batch.remove_file(Path::new("/b/3.jpg")))
            .unwrap();
        assert!(store.photo(gone).unwrap().is_some());
        let folders = [(Group::Folder("/a".into()), 2, 2, 1)];
        assert_eq!(count(&store, Grouping::Folder, 0.0), folders);
        assert_eq!(
            count(&store, Grouping::Month, 0.0)[1].0,
            Group::Month(2020, 5)
        );
        assert!(matches!(
            count(&store, Grouping::Place, 0.0)[0].0,
            Group::Place(..)
        ));
    }
}
