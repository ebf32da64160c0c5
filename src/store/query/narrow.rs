//! Lists the photos that can be in the answer, from the indexes of the filters.

use std::ops::ControlFlow;

use rusqlite::Connection;
use rusqlite::types::ToSql;

use super::super::folders;
use super::super::path::Subtree;
use super::super::people;
use super::super::ranking::Kind;
use super::super::record::PhotoId;
use super::filter::Order;
use super::photo_set::PhotoSet;
use super::plan::Plan;
use crate::geo::Cell;

/// The statements of this module; each is one search of one index.
pub(super) mod sql {
    pub const WORDS: &str = "SELECT rowid FROM photo_words WHERE photo_words MATCH ?";
    pub const UNDER: &str = "
        SELECT photo_id FROM files
        WHERE path >= ?1 AND path < ?3 AND (path = ?1 OR path >= ?2) AND photo_id IS NOT NULL";
    pub const CELLS: &str = "SELECT photo_id FROM photo_cells WHERE cell >= ? AND cell <= ?";
    pub const AREAS: &str = "SELECT id FROM photos WHERE area_set = ?";
    pub const CAMERAS: &str = "
        WITH RECURSIVE names (name) AS (
            SELECT min(camera) FROM photos WHERE camera IS NOT NULL
            UNION ALL
            SELECT (SELECT min(camera) FROM photos WHERE camera > name)
            FROM names WHERE name IS NOT NULL
        )
        SELECT name FROM names WHERE name IS NOT NULL";
    pub const PERSON: &str = "SELECT photo_id FROM people WHERE key = ?";
    pub const CAMERA: &str = "SELECT id FROM photos WHERE camera = ?";
    pub const TAKEN: &str = "
        SELECT id FROM photos WHERE skip_reason IS NULL AND taken_local >= ? AND taken_local < ?";
    /// The same photos, without those that have no date of their own.
    pub const TAKEN_ITSELF: &str = "
        SELECT id FROM photos WHERE skip_reason IS NULL AND taken_local >= ? AND taken_local < ?
        AND taken_source <> 'file'";
    pub const FACES: &str = "
        SELECT id FROM photos WHERE skip_reason IS NULL AND face_count >= ? AND face_count <= ?";
    pub const CONFIDENCE: &str = "
        SELECT photo_id FROM faces WHERE confidence_rank = ? AND confidence >= ?";
    pub const SIDE: &str = "SELECT photo_id FROM faces WHERE side_rank = ? AND side >= ?";
    pub const SHOWS: &str = "
        SELECT photo_id FROM photo_scores WHERE emotion = ? AND kind = ? AND score >= ?";
    pub const SHOWS_NOT: &str = "
        SELECT photo_id FROM photo_scores WHERE emotion = ? AND kind = ? AND score < ?";
}

/// Factor on the maximum length of a list for words or people: looking up the words or people of one photo costs far more
/// than adding the photo to a list.
const LOOKUP_FACTOR: usize = 3;

/// The photos that can still be in the answer after the filters' indexes were searched.
#[derive(Debug)]
pub(super) enum Narrowed {
    /// No filter gave a list: they do not restrict, or leave too many photos to list.
    Unlisted,
    /// Only these photos can be in the answer.
    To(PhotoSet),
}

impl Narrowed {
    fn is_few(&self, plan: &Plan<'_>) -> bool {
        matches!(self, Self::To(photos) if photos.len() <= plan.bounds.few)
    }

    /// Restricts the photos to those of a filter's list, if it gave one.
    fn restrict(&mut self, set: Option<PhotoSet>) {
        match (&mut *self, set) {
            (_, None) => {}
            (Self::Unlisted, Some(set)) => *self = Self::To(set),
            (Self::To(photos), Some(set)) => photos.intersect(&set),
        }
    }
}

/// Collects the photos of index searches, up to a maximum.
struct Collector<'a> {
    db: &'a Connection,
    photos: PhotoSet,
    most: usize,
}

impl<'a> Collector<'a> {
    fn new(db: &'a Connection, most: usize) -> Self {
        Self {
            db,
            photos: PhotoSet::default(),
            most,
        }
    }

    /// Adds the photos that a statement returns; breaks if they are too many.
    fn add(&mut self, sql: &str, parameters: &[&dyn ToSql]) -> rusqlite::Result<ControlFlow<()>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            self.photos.insert(row.get::<_, PhotoId>(0)?);
            read += 1;
            // Several rows may be of one photo, and reading them takes time as well.
            if self.photos.len() > self.most || read > 4 * self.most {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Runs a statement for several searches and returns all their photos; `None` if they are too
    /// many.
    fn add_all<P>(
        mut self,
        sql: &str,
        searches: impl IntoIterator<Item = P>,
        add: impl Fn(&mut Self, &str, P) -> rusqlite::Result<ControlFlow<()>>,
    ) -> rusqlite::Result<Option<PhotoSet>> {
        for search in searches {
            if add(&mut self, sql, search)?.is_break() {
                return Ok(None);
            }
        }
        Ok(Some(self.photos))
    }
}

/// Searches the indexes of the filters that are set.
pub(super) fn narrow(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Narrowed> {
    type Filter = fn(&Connection, &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>>;
    // The filters that usually leave the fewest photos come first, but words before people: even of a person's few
    // photos, looking up the words of each takes longer than listing the photos with the words.
    const FILTERS: [Filter; 11] = [
        by_words,
        by_person,
        by_folder,
        by_place,
        by_date,
        by_camera,
        by_face_count,
        by_detection,
        by_size,
        by_emotion,
        by_absence,
    ];
    let mut left = Narrowed::Unlisted;
    for filter in FILTERS {
        left.restrict(filter(db, plan)?);
        if left.is_few(plan) {
            break;
        }
    }
    Ok(left)
}

fn search_once(
    db: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
    most: usize,
) -> rusqlite::Result<Option<PhotoSet>> {
    let mut collector = Collector::new(db, most);
    let flow = collector.add(sql, parameters)?;
    Ok(flow.is_continue().then_some(collector.photos))
}

fn by_words(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    match &plan.words {
        Some(words) => search_once(db, sql::WORDS, &[words], LOOKUP_FACTOR * plan.bounds.most),
        None => Ok(None),
    }
}

fn by_folder(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    let folders = match (&plan.query.under, &plan.album) {
        (Some(folder), _) => vec![folder.clone()],
        (None, Some(name)) => folders::called(db, name, &plan.roots)?,
        (None, None) => return Ok(None),
    };
    let trees = folders.iter().map(|folder| Subtree::of(folder));
    Collector::new(db, plan.bounds.most).add_all(sql::UNDER, trees, |collector, sql, tree| {
        collector.add(sql, &[&tree.exact, &tree.low, &tree.high])
    })
}

/// Photos in the query's region and, if the query asks for it, away from home.
fn by_place(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    if plan.query.near.is_none() && plan.home.is_none() {
        return Ok(None);
    }
    let near = by_cells(db, plan, plan.cells().collect())?;
    if plan.area_sets.is_empty() {
        return Ok(near);
    }
    let sets = plan.area_sets.iter();
    let in_areas =
        Collector::new(db, plan.bounds.most).add_all(sql::AREAS, sets, |collector, sql, set| {
            collector.add(sql, &[set])
        })?;
    let (Some(mut photos), Some(in_areas)) = (near, in_areas) else {
        return Ok(None);
    };
    for photo in in_areas.iter() {
        photos.insert(photo);
    }
    if plan.home.is_some()
        && let Some(away) = by_cells(db, plan, plan.away_cells().collect())?
    {
        photos.intersect(&away);
    }
    Ok(Some(photos))
}

/// The photos in these cells.
fn by_cells(
    db: &Connection,
    plan: &Plan<'_>,
    cells: Vec<(Cell, u64)>,
) -> rusqlite::Result<Option<PhotoSet>> {
    if cells.iter().map(|(_, photos)| photos).sum::<u64>() > plan.bounds.most as u64 {
        return Ok(None);
    }
    Collector::new(db, plan.bounds.most).add_all(sql::CELLS, cells, |collector, sql, (cell, _)| {
        collector.add(sql, &[&cell.0, &cell.0])
    })
}

fn by_date(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    if !plan.is_dated() {
        return Ok(None);
    }
    let sql = if plan.needs_own_date() {
        sql::TAKEN_ITSELF
    } else {
        sql::TAKEN
    };
    Collector::new(db, plan.bounds.most).add_all(sql, &plan.spans, |collector, sql, span| {
        collector.add(sql, &[&span.start, &span.end])
    })
}

/// The names of all cameras that contain one of `names`, which are in lower case.
pub(super) fn cameras(db: &Connection, names: &[String]) -> rusqlite::Result<Vec<String>> {
    let mut all = db.prepare_cached(sql::CAMERAS)?;
    let mut rows = all.query([])?;
    let mut cameras = Vec::new();
    while let Some(row) = rows.next()? {
        let camera: String = row.get(0)?;
        let lower = camera.to_lowercase();
        if names.iter().any(|name| lower.contains(name)) {
            cameras.push(camera);
        }
    }
    Ok(cameras)
}

/// Photos that name each of the people.
fn by_person(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    if plan.people.is_empty() {
        return Ok(None);
    }
    let keys = people::keys(db)?;
    let mut left = Narrowed::Unlisted;
    for wanted in &plan.people {
        let meant = keys.iter().filter(|key| people::is_meant(key, wanted));
        let most = LOOKUP_FACTOR * plan.bounds.most;
        let photos =
            Collector::new(db, most).add_all(sql::PERSON, meant, |collector, sql, key| {
                collector.add(sql, &[key])
            })?;
        left.restrict(photos);
    }
    Ok(match left {
        Narrowed::Unlisted => None,
        Narrowed::To(photos) => Some(photos),
    })
}

fn by_camera(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    if plan.cameras.is_empty() {
        return Ok(None);
    }
    Collector::new(db, plan.bounds.most).add_all(
        sql::CAMERA,
        cameras(db, &plan.cameras)?,
        |collector, sql, camera| collector.add(sql, &[&camera]),
    )
}

/// Photos with enough stored faces. If not every face counts, only the lower bound is used: a photo may
/// have more stored faces than faces that count.
fn by_face_count(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    match &plan.query.faces {
        Some(faces) if plan.every_face_counts => search_once(
            db,
            sql::FACES,
            &[faces.start(), faces.end()],
            plan.bounds.most,
        ),
        Some(faces) if *faces.start() > 0 => search_once(
            db,
            sql::FACES,
            &[faces.start(), &u32::MAX],
            plan.bounds.most,
        ),
        _ => Ok(None),
    }
}

fn by_detection(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    by_face(db, plan, sql::CONFIDENCE, plan.query.least_detection())
}

fn by_size(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    by_face(db, plan, sql::SIDE, plan.query.least_face())
}

/// Photos with enough faces of at least this size or confidence, where not every face counts.
fn by_face(
    db: &Connection,
    plan: &Plan<'_>,
    sql: &str,
    least: f32,
) -> rusqlite::Result<Option<PhotoSet>> {
    let least_faces = plan.query.faces.as_ref().map_or(0, |faces| *faces.start());
    let needed = least_faces.max(u32::from(!plan.query.emotions.is_empty()));
    if plan.every_face_counts || needed == 0 || least <= 0.0 {
        return Ok(None);
    }
    search_once(db, sql, &[&needed, &least], plan.bounds.most)
}

/// Photos that show the emotions; needed only in an order other than that of the ranking.
fn by_emotion(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    if plan.query.emotions.is_empty() || plan.order == Order::Score {
        return Ok(None);
    }
    Collector::new(db, plan.bounds.most).add_all(
        sql::SHOWS,
        plan.lists(),
        |collector, sql, (emotion, kind)| {
            collector.add(
                sql,
                &[
                    &(emotion.index() as i64),
                    &(kind as i64),
                    &plan.query.least_score(),
                ],
            )
        },
    )
}

/// Photos with faces of which none shows an excluded emotion. If not every face counts, no list is made: a face that does
/// not count may show the emotion, so photos would be missing from the list.
fn by_absence(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Option<PhotoSet>> {
    if plan.query.without.is_empty() || !plan.every_face_counts {
        return Ok(None);
    }
    let mut left = Narrowed::Unlisted;
    for emotion in plan.query.without.iter() {
        let kinds = [Kind::Lone, Kind::Any];
        let photos = Collector::new(db, plan.bounds.most).add_all(
            sql::SHOWS_NOT,
            kinds,
            |collector, sql, kind| {
                collector.add(
                    sql,
                    &[
                        &(emotion.index() as i64),
                        &(kind as i64),
                        &plan.query.least_without(),
                    ],
                )
            },
        )?;
        left.restrict(photos);
    }
    Ok(match left {
        Narrowed::Unlisted => None,
        Narrowed::To(photos) => Some(photos),
    })
}
