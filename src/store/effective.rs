//! Determines the facts of photos from what all their sources say, and stores them: the columns of `photos` from
//! `taken_local` to `fact_sources`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::facts::{self, FileOfPhoto, SourcesOfPhoto, Statements};
use crate::file::FileMeta;
use crate::photo::{Capture, FactSources, GeoPoint, Source, TakenAt};
use crate::zones;

use super::codec::{taken_columns, taken_from_columns};
use super::fact_rules;
use super::path::decode;
use super::record::PhotoId;

/// The columns of the facts, in the order in which [`from_columns`] reads them.
macro_rules! columns {
    () => {
        "p.taken_local, p.taken_offset, p.taken_source, p.taken_precision, p.latitude, p.longitude,
         p.camera, p.lens, p.title, p.description, p.keywords, p.rating, p.fact_sources, p.position_source"
    };
}
pub(super) use columns;

/// The facts in the columns from `first` on.
pub(super) fn from_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<Capture> {
    let text = |offset: usize| row.get::<_, Option<String>>(first + offset);
    let latitude: Option<f64> = row.get(first + 4)?;
    let longitude: Option<f64> = row.get(first + 5)?;
    let sources = text(12)?.unwrap_or_default();
    let mut sources: FactSources = serde_json::from_str(&sources).unwrap_or_default();
    if row.get_ref(first + 13)?.as_str_or_null()? == Some(Source::Estimated.name()) {
        sources.position = Some(Source::Estimated);
    }
    Ok(Capture {
        taken_at: taken_from_columns(row, first)?,
        position: latitude
            .zip(longitude)
            .map(|(latitude, longitude)| GeoPoint {
                latitude,
                longitude,
            }),
        camera: text(6)?,
        lens: text(7)?,
        title: text(8)?,
        description: text(9)?,
        keywords: text(10)?
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect(),
        rating: row.get(first + 11)?,
        sources,
    })
}

/// The facts of a photo that has these files and no sidecars.
pub(super) fn of_files(statements: &Statements, at: &[(PathBuf, FileMeta)]) -> Capture {
    let files: Vec<FileOfPhoto<'_>> = at
        .iter()
        .map(|(path, meta)| FileOfPhoto {
            path,
            modified: meta.modified(),
        })
        .collect();
    resolve(statements, &[], &files)
}

fn resolve(statements: &Statements, sidecars: &[Statements], files: &[FileOfPhoto<'_>]) -> Capture {
    let sources = SourcesOfPhoto {
        content: statements,
        sidecars,
        files,
    };
    facts::resolve(&sources, &zones::zone_at)
}

/// The facts that a photo should have, if the stored ones differ; `None` also if it was skipped or has no file.
pub(super) fn outdated(db: &Connection, photo: PhotoId) -> rusqlite::Result<Option<Capture>> {
    const STORED: &str = concat!(
        "SELECT p.facts, ",
        columns!(),
        " FROM photos p WHERE p.id = ? AND p.skip_reason IS NULL"
    );
    let stored = db
        .prepare_cached(STORED)?
        .query_row([photo], |row| {
            Ok((row.get::<_, Option<String>>(0)?, from_columns(row, 1)?))
        })
        .optional()?;
    let Some((statements, mut stored)) = stored else {
        return Ok(None);
    };
    if stored.sources.position == Some(Source::Estimated) {
        // No source states an estimated position, see `estimates`.
        (stored.position, stored.sources.position) = (None, None);
    }
    let files = files(db, photo)?;
    if files.is_empty() {
        return Ok(None);
    }
    let files: Vec<FileOfPhoto<'_>> = files
        .iter()
        .map(|(path, mtime_ns)| FileOfPhoto {
            path,
            modified: system_time(*mtime_ns),
        })
        .collect();
    let mut statements = Statements::from_json(&statements.unwrap_or_default());
    let mut sidecars = sidecars(db, photo)?;
    let mut resolved = resolve(&statements, &sidecars, &files);
    let offset = match &resolved.camera {
        Some(camera) => fact_rules::clock_offset(db, camera)?,
        None => 0,
    };
    if offset != 0 {
        facts::set_clock_forward(&mut statements, &mut sidecars, offset);
        resolved = resolve(&statements, &sidecars, &files);
    }
    Ok((!is_same(&stored, &resolved)).then_some(resolved))
}

/// The files of a photo with their modification times in ns, sorted by their paths.
fn files(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<(PathBuf, i64)>> {
    db.prepare_cached("SELECT path, mtime_ns FROM files WHERE photo_id = ? ORDER BY path")?
        .query_map([photo], |row| {
            Ok((decode(row.get_ref(0)?.as_blob()?), row.get(1)?))
        })?
        .collect()
}

/// What the sidecars of a photo's files say, and then those of the raw files with which it is paired, since some programs
/// write a sidecar for the raw file of a shot alone. The newest sidecar comes first, since the others belong to copies
/// that nobody has edited since. The keywords of all are in the first one, in the order of the paths, which does not
/// change with the times.
fn sidecars(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<Statements>> {
    let mut dated: Vec<(bool, i64, Statements)> = db
        .prepare_cached(
            "SELECT s.facts, p.is_raw, s.mtime_ns
             FROM (SELECT ?1 AS id, 0 AS is_raw
                   UNION ALL SELECT raw_id, 1 FROM raw_pairs WHERE picture_id = ?1) p
                  JOIN files f ON f.photo_id = p.id JOIN sidecars s ON s.photo_path = f.path
             ORDER BY p.is_raw, s.photo_path, s.name",
        )?
        .query_map([photo], |row| {
            let statements = Statements::from_json(row.get_ref(0)?.as_str()?);
            Ok((row.get(1)?, row.get(2)?, statements))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut keywords = Vec::new();
    for (_, _, statements) in &mut dated {
        keywords.append(&mut statements.keywords);
    }
    // The sort is stable: sidecars of the same time stay in the order of their paths.
    dated.sort_by_key(|(is_raw, mtime_ns, _)| (*is_raw, std::cmp::Reverse(*mtime_ns)));
    let mut sidecars: Vec<Statements> = dated
        .into_iter()
        .map(|(_, _, statements)| statements)
        .collect();
    if let Some(first) = sidecars.first_mut() {
        first.keywords = keywords;
    }
    Ok(sidecars)
}

fn system_time(mtime_ns: i64) -> Option<SystemTime> {
    let distance = Duration::from_nanos(mtime_ns.unsigned_abs());
    if mtime_ns < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

/// Whether two captures are the same, as far as they are stored. Of dates whose offset is known, only the moment is
/// compared: the date by a file's time has the offset of the process that stored it, whose time zone may be another one.
fn is_same(stored: &Capture, resolved: &Capture) -> bool {
    let date = |capture: &Capture| capture.taken_at.map(|taken| DateColumns::of(&taken));
    let rest = |capture: &Capture| Capture {
        taken_at: None,
        ..capture.clone()
    };
    let same_date = match (date(stored), date(resolved)) {
        (Some(stored), Some(resolved)) => stored.is_same(&resolved),
        (stored, resolved) => stored.is_none() && resolved.is_none(),
    };
    same_date && rest(stored) == rest(resolved)
}

/// The columns of a date.
struct DateColumns {
    local: i64,
    offset: Option<i32>,
    source: &'static str,
    precision: Option<&'static str>,
    end: Option<i64>,
}

impl DateColumns {
    fn of(taken: &TakenAt) -> Self {
        let (local, offset, source, precision, end) = taken_columns(taken);
        Self {
            local,
            offset,
            source,
            precision,
            end,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let moment = |date: &Self| date.local - 1000 * i64::from(date.offset.unwrap_or_default());
        (self.source, self.precision, self.end, self.offset.is_some())
            == (
                other.source,
                other.precision,
                other.end,
                other.offset.is_some(),
            )
            && moment(self) == moment(other)
    }
}

/// Stores the facts of a photo. The dates in its ranking follow by a trigger.
pub(super) fn set(db: &Connection, photo: PhotoId, capture: &Capture) -> rusqlite::Result<()> {
    let date = capture.taken_at.as_ref().map(DateColumns::of);
    let date = date.as_ref();
    let Capture {
        taken_at: _,
        position,
        camera,
        lens,
        title,
        description,
        keywords,
        rating,
        sources,
    } = capture;
    db.prepare_cached(
        "UPDATE photos SET
            (taken_local, taken_offset, taken_source, taken_precision, taken_end, latitude, longitude,
             position_source, camera, lens, title, description, keywords, rating, fact_sources) =
            (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         WHERE id = ?1",
    )?
    .execute(params![
        photo,
        date.map(|date| date.local),
        date.and_then(|date| date.offset),
        date.map(|date| date.source),
        date.and_then(|date| date.precision),
        date.and_then(|date| date.end),
        position.map(|at| at.latitude),
        position.map(|at| at.longitude),
        sources.position.map(Source::name),
        camera,
        lens,
        title,
        description,
        keywords.join("\n"),
        rating,
        sources_json(sources),
    ])?;
    Ok(())
}

/// The sources of facts as they are stored; `None` if there are none.
fn sources_json(sources: &FactSources) -> Option<String> {
    (*sources != FactSources::default())
        .then(|| serde_json::to_string(sources).ok())
        .flatten()
}
