//! The reference: answers a query as the documentation of [`Query`] defines it, by reading photo by
//! photo.

use std::ops::Range;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::civil::DateTime;

use crate::borders::Borders;
use crate::emotion::Emotion;
use crate::face::ScoredFace;
use crate::facts::{PersonStatement, end_of_period};
use crate::geo::{Region, distance};
use crate::photo::{DateSource, GeoPoint, Raws, TakenAt};
use crate::store::PhotoId;

use super::super::{Order, Query, Who};
use super::album::{Known, MUNICH, bytes, own_date};

/// A photo, its path, and the emotion and score by which it is ranked.
pub type Expected = (PhotoId, PathBuf, Option<(Emotion, f64)>);

/// Answers a query as the documentation of [`Query`] says, filter by filter.
pub fn answer(query: &Query, known: &[Known]) -> Vec<Expected> {
    let mut found: Vec<_> = known
        .iter()
        .filter(|photo| query.raws != Some(Raws::Alone) || !has_picture(photo, known))
        .filter_map(|photo| Some((photo, meets(query, photo)?)))
        .collect();
    let taken = |photo: &Known| {
        Some(
            photo
                .record
                .content
                .as_ref()
                .unwrap()
                .capture
                .taken_at?
                .local,
        )
    };
    found.sort_by(|(a, (a_path, a_shown)), (b, (b_path, b_shown))| {
        let score = |shown: &Option<(Emotion, f64)>| shown.map_or(0.0, |(_, score)| score);
        let by_score = match query.order {
            Order::Score => score(b_shown).total_cmp(&score(a_shown)),
            _ => std::cmp::Ordering::Equal,
        };
        by_score
            .then_with(|| taken(b).cmp(&taken(a)))
            .then_with(|| bytes(a_path).cmp(bytes(b_path)))
    });
    if query.one_per_burst {
        let mut shown: Vec<&Known> = Vec::new();
        found.retain(|(photo, _)| {
            let is_new = !shown.iter().any(|other| in_one_burst(photo, other, known));
            if is_new {
                shown.push(photo);
            }
            is_new
        });
    }
    found
        .into_iter()
        .skip(query.offset)
        .take(query.limit.unwrap_or(usize::MAX))
        .map(|(photo, (path, shown))| (photo.id, path, shown))
        .collect()
}

/// Whether a photo is a raw file beside a picture of the same shot.
pub fn has_picture(photo: &Known, known: &[Known]) -> bool {
    let second = |photo: &Known| {
        own_date(photo).map(|taken| taken.local.with().subsec_nanosecond(0).build().unwrap())
    };
    photo.paths.iter().all(|path| {
        path.extension() == Some("dng".as_ref())
            && known.iter().any(|other| {
                let is_beside = other.paths.contains(&path.with_extension("jpg"));
                let seconds = second(photo).zip(second(other));
                is_beside && seconds.is_none_or(|(a, b)| a == b)
            })
    })
}

/// Joins spans that have no gap between them.
fn joined(spans: &[Range<DateTime>]) -> Vec<Range<DateTime>> {
    let mut spans = spans.to_vec();
    spans.sort_by_key(|span| span.start);
    spans.dedup_by(|next, span| {
        let is_joined = next.start <= span.end;
        if is_joined {
            span.end = span.end.max(next.end);
        }
        is_joined
    });
    spans
}

/// The first and the last moment at which a photo may have been taken.
fn period(taken: TakenAt) -> (DateTime, DateTime) {
    let last = match end_of_period(taken.local.date(), taken.precision) {
        Some(end) if !taken.precision.is_exact() => {
            end.at(0, 0, 0, 0) - SignedDuration::from_millis(1)
        }
        _ => taken.local,
    };
    (taken.local, last)
}

fn meets(query: &Query, photo: &Known) -> Option<(PathBuf, Option<(Emotion, f64)>)> {
    let analysis = photo.record.content.as_ref().unwrap();
    let capture = &analysis.capture;
    let by_own_date = capture
        .taken_at
        .filter(|taken| query.file_dates || taken.source != DateSource::FileTime);
    let period = by_own_date.map(period);
    let is_true = |condition: bool| condition.then_some(());
    if let Some(since) = query.since {
        is_true(period?.0 >= since)?;
    }
    if let Some(until) = query.until {
        is_true(period?.1 < until)?;
    }
    if let Some(dates) = &query.taken {
        let (first, last) = period?;
        let spans = joined(dates);
        let mut spans = spans.iter();
        is_true(spans.any(|span| span.start <= first && last < span.end))?;
    }
    if !query.cameras.is_empty() {
        let camera = capture.camera.as_ref()?.to_lowercase();
        let is_called = |name: &String| camera.contains(&name.to_lowercase());
        is_true(query.cameras.iter().any(is_called))?;
    }
    let statements = &analysis.statements.people;
    is_true(query.people.iter().all(|wanted| names(statements, wanted)))?;
    if let Some(region) = &query.near {
        is_true(is_near(region, capture.position?))?;
    }
    if let Some(km) = query.away {
        is_true(distance(MUNICH, capture.position?) > km)?;
    }
    if let Some(text) = &query.text {
        let all = format!(
            "{:?} {:?} {:?}",
            photo.paths, capture.description, capture.keywords
        );
        let all = all.to_lowercase();
        is_true(
            text.split(' ')
                .all(|word| all.contains(&word.to_lowercase())),
        )?;
    }
    let path = photo.paths.iter().find(|path| {
        let in_album = query.album.as_ref().is_none_or(|name| {
            let folder = path.parent().unwrap().to_string_lossy().to_lowercase();
            folder
                .split('/')
                .any(|part| part.contains(&name.to_lowercase()))
        });
        in_album
            && query
                .under
                .as_ref()
                .is_none_or(|under| path.starts_with(under))
    })?;
    let faces: Vec<&ScoredFace> = analysis
        .faces
        .iter()
        .filter(|face| {
            face.scores.is_human()
                && face.face.score >= query.min_detection.unwrap_or(0.0)
                && face.face.bounding_box.short_side() >= query.min_face.unwrap_or(0.0)
        })
        .collect();
    if let Some(range) = &query.faces {
        is_true(range.contains(&(faces.len() as u32)))?;
    }
    if !query.without.is_empty() {
        let least = f64::from(query.min_score.filter(|least| *least > 0.0).unwrap_or(0.5));
        let shows = |face: &&ScoredFace| {
            let mut emotions = query.without.iter();
            emotions.any(|emotion| face.face.weighted(face.scores[emotion]) >= least)
        };
        is_true(!faces.is_empty() && !faces.iter().any(shows))?;
    }
    if query.emotions.is_empty() {
        return Some((path.clone(), None));
    }
    let (emotion, score) = query
        .emotions
        .iter()
        .filter_map(|emotion| {
            let score = |face: &&ScoredFace| face.face.weighted(face.scores[emotion]);
            let reached = |least: f64| faces.iter().filter(|face| score(face) >= least).count();
            let enough = |least: f64| match query.who {
                Who::Any => reached(least) > 0,
                Who::Most => 2 * reached(least) > faces.len(),
                Who::All => reached(least) == faces.len(),
            };
            let best = faces.iter().map(score).filter(|least| enough(*least));
            Some((emotion, best.max_by(f64::total_cmp)?))
        })
        .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    is_true(score >= f64::from(query.min_score.unwrap_or(0.0)))?;
    Some((path.clone(), Some((emotion, score))))
}

/// Whether one of the people has all words of a name.
fn names(people: &[PersonStatement], wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    people.iter().any(|person| {
        let name = person.name.to_lowercase();
        let mut words = wanted.split(' ');
        words.all(|word| name.split(' ').any(|part| part == word))
    })
}

fn is_near(region: &Region, at: GeoPoint) -> bool {
    let codes = Borders::get().areas(at);
    let is_in = |area: &&str| codes.split(' ').any(|code| code == *area);
    region.contains(at) || region.areas().iter().any(is_in)
}

/// Whether two photos are in one burst. All photos of a day were taken within four seconds at noon.
fn in_one_burst(a: &Known, b: &Known, known: &[Known]) -> bool {
    let key = |photo: &Known| {
        let capture = &photo.record.content.as_ref().unwrap().capture;
        let taken = capture.taken_at.filter(|taken| taken.source.is_exif())?;
        Some((capture.camera.clone(), taken.local))
    };
    let (Some((camera, from)), Some((other, to))) = (key(a), key(b)) else {
        return false;
    };
    let (from, to) = (from.min(to), from.max(to));
    let mut times: Vec<DateTime> = known
        .iter()
        .filter_map(key)
        .filter(|(name, local)| *name == camera && (from..=to).contains(local))
        .map(|(_, local)| local)
        .collect();
    times.sort();
    camera == other
        && times
            .windows(2)
            .all(|pair| pair[1].duration_since(pair[0]) <= SignedDuration::from_secs(3))
}
