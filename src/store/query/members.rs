//! Counts the photos that meet all filters of a query but the one by emotion, and which of them show an emotion. They are
//! listed from indexes; only photos of which some faces count and others do not are looked up one by one.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::emotion::{Emotion, EmotionSet};

use super::super::ranking::Kind;
use super::super::record::PhotoId;
use super::burst::{self, Bursts};
use super::filter::Query;
use super::photo_set::PhotoSet;
use super::weak::WeakFaces;
use super::{counting, exact, narrow};

/// The statements of this module.
pub(super) mod sql {
    pub const SHOWN_BY: &str = "
        SELECT emotion FROM photo_scores WHERE photo_id = ? AND kind IN (?, ?) AND score >= ?";
}

/// The photos that meet all filters of a query but the one by emotion.
#[derive(Debug)]
pub(super) struct Members<'a> {
    db: &'a Connection,
    query: &'a Query,
    photos: PhotoSet,
    /// Photos with faces that do not count.
    weak: WeakFaces,
    /// The burst of each photo that is in one; empty unless only one photo per burst counts.
    bursts: HashMap<PhotoId, PhotoId>,
}

impl<'a> Members<'a> {
    /// Lists the photos; `None` if the indexes cannot decide it and every photo would have to be checked.
    pub fn of(db: &'a Connection, query: &'a Query) -> rusqlite::Result<Option<Self>> {
        let any = Query {
            emotions: EmotionSet::EMPTY,
            ..query.clone()
        };
        let weak = WeakFaces::of(db, query)?;
        let Some(photos) = exact::members(db, &any, &weak)? else {
            return Ok(None);
        };
        let bursts = if query.one_per_burst {
            burst::all(db)?
        } else {
            HashMap::new()
        };
        Ok(Some(Self {
            db,
            query,
            photos,
            weak,
            bursts,
        }))
    }

    /// Number of the photos.
    pub fn count(&self) -> u64 {
        let mut count = Counter::new(&self.bursts, self.photos.len() as u64);
        let in_bursts = self
            .bursts
            .keys()
            .filter(|photo| self.photos.contains(**photo));
        for photo in in_bursts {
            count.count -= 1;
            count.add(*photo);
        }
        count.count
    }

    /// For each emotion, how many of them show it. At or below `few`, their scores are looked up photo by photo; above
    /// it, the lists of the ranking are read.
    pub fn by_emotion(&self, few: usize) -> rusqlite::Result<[u64; Emotion::COUNT]> {
        let mut counters = Emotion::ALL.map(|_| Counter::new(&self.bursts, 0));
        let all = Emotion::ALL.into_iter().collect();
        self.visit(all, few, |emotion, photo| {
            counters[emotion.index()].add(photo);
        })?;
        Ok(counters.map(|counter| counter.count))
    }

    /// How many of them show one of some emotions; see [`by_emotion`](Self::by_emotion).
    pub fn showing(&self, emotions: EmotionSet, few: usize) -> rusqlite::Result<u64> {
        let mut counter = Counter::new(&self.bursts, 0);
        let mut seen = PhotoSet::default();
        self.visit(emotions, few, |_, photo| {
            if seen.insert(photo) {
                counter.add(photo);
            }
        })?;
        Ok(counter.count)
    }

    /// Calls `shows` once for each photo and each of the emotions that it shows.
    fn visit(
        &self,
        emotions: EmotionSet,
        few: usize,
        mut shows: impl FnMut(Emotion, PhotoId),
    ) -> rusqlite::Result<()> {
        let least = self.query.least_score();
        for photo in self.mixed(emotions, few)?.iter() {
            let faces = counting::counting_faces(self.db, self.query, photo)?;
            let is_shown = |emotion: &Emotion| {
                counting::score(self.query, &faces, *emotion)
                    .is_some_and(|score| score >= f64::from(least))
            };
            emotions
                .iter()
                .filter(is_shown)
                .for_each(|emotion| shows(emotion, photo));
        }
        let is_listed = |photo| self.photos.contains(photo) && !self.weak.contains(photo);
        let kind = self.query.who.kind() as i64;
        if self.photos.len() <= few {
            let mut statement = self.db.prepare_cached(sql::SHOWN_BY)?;
            for photo in self.photos.iter().filter(|photo| is_listed(*photo)) {
                let mut rows = statement.query(params![photo, Kind::Lone as i64, kind, least])?;
                while let Some(row) = rows.next()? {
                    let emotion = Emotion::ALL[row.get::<_, u32>(0)? as usize];
                    if emotions.contains(emotion) {
                        shows(emotion, photo);
                    }
                }
            }
            return Ok(());
        }
        let mut statement = self.db.prepare_cached(narrow::sql::SHOWS)?;
        for emotion in emotions.iter() {
            for kind in [Kind::Lone as i64, kind] {
                let mut rows = statement.query(params![emotion.index() as i64, kind, least])?;
                while let Some(row) = rows.next()? {
                    let photo = row.get(0)?;
                    if is_listed(photo) {
                        shows(emotion, photo);
                    }
                }
            }
        }
        Ok(())
    }

    /// The members of which some faces count and others do not, if they may show one of these emotions: if no face shows
    /// it, none that counts does. See [`by_emotion`](Self::by_emotion) for `few`.
    fn mixed(&self, emotions: EmotionSet, few: usize) -> rusqlite::Result<PhotoSet> {
        let is_mixed =
            |photo: &PhotoId| self.photos.contains(*photo) && self.weak.mixed().contains(*photo);
        let mut mixed = PhotoSet::default();
        if self.photos.len() <= few {
            for photo in self.photos.iter().filter(is_mixed) {
                mixed.insert(photo);
            }
            return Ok(mixed);
        }
        if self.weak.mixed().len() == 0 {
            return Ok(mixed);
        }
        let mut statement = self.db.prepare_cached(narrow::sql::SHOWS)?;
        let least = self.query.least_score();
        for emotion in emotions.iter() {
            let mut rows =
                statement.query(params![emotion.index() as i64, Kind::Any as i64, least])?;
            while let Some(row) = rows.next()? {
                let photo = row.get(0)?;
                if is_mixed(&photo) {
                    mixed.insert(photo);
                }
            }
        }
        Ok(mixed)
    }
}

/// Counts photos, or the bursts to which they belong.
#[derive(Debug)]
struct Counter<'a> {
    bursts: &'a HashMap<PhotoId, PhotoId>,
    seen: Bursts,
    count: u64,
}

impl<'a> Counter<'a> {
    fn new(bursts: &'a HashMap<PhotoId, PhotoId>, count: u64) -> Self {
        Self {
            bursts,
            seen: Bursts::default(),
            count,
        }
    }

    fn add(&mut self, photo: PhotoId) {
        let burst = self.bursts.get(&photo).copied();
        self.count += u64::from(self.seen.is_new(burst));
    }
}
