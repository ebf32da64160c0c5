//! Removes the names of people, and keeps them from being stored again.
//!
//! A name is recognised by a mark, a keyed hash of its words as they are compared: without case, accents and signs. It is
//! removed from what the sources of photos state (`facts::Statements`) before that is stored; everything else that could
//! contain a name is derived from these statements. The photos and their faces stay.
//!
//! Only people with exactly this name are removed. A keyword that contains the name as whole words is left out, unless
//! the keyword is the name of somebody else in the photo; in titles and descriptions an ellipsis replaces the name.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use crate::error::{Error, Result};
use crate::facts::{Stated, Statements};

use super::forgotten::Marks;
use super::path::decode;
use super::record::PhotoId;
use super::{people, photos, words};

/// Replaces a name in a text.
const ELLIPSIS: &str = "…";

/// What was removed of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemovedNames {
    /// Number of photos that named the person.
    pub photos: u64,
    /// Statements that the person is in a photo, with their regions.
    pub people: u64,
    /// Keywords with the name.
    pub keywords: u64,
    /// Titles and descriptions with the name.
    pub texts: u64,
    /// Files with the name in their paths, which are not changed.
    pub files: u64,
    /// Other people whose names contain this name and more words; they stay.
    pub others: Vec<String>,
}

/// The names that must not be stored.
#[derive(Default)]
pub(super) struct Names {
    /// `None` if there is no name.
    marks: Option<Marks>,
    known: BTreeSet<[u8; 32]>,
    /// Number of words of the longest name.
    longest: usize,
}

impl Names {
    /// The names that must not be stored in this database; in most there are none.
    pub fn of(db: &Connection) -> rusqlite::Result<Self> {
        let mut names = Self::default();
        let mut statement = db.prepare_cached("SELECT mark, words FROM forgotten_people")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            names.known.insert(row.get(0)?);
            names.longest = names.longest.max(row.get::<_, i64>(1)? as usize);
        }
        if !names.known.is_empty() {
            names.marks = Some(Marks::of(db)?);
        }
        Ok(names)
    }

    /// A set of this name alone.
    fn one(db: &Connection, name: &str) -> rusqlite::Result<Self> {
        let marks = Marks::of(db)?;
        Ok(Self {
            known: BTreeSet::from([marks.person(&words::comparison_form(name))]),
            longest: words::word_ranges(&words::composed(name)).len(),
            marks: Some(marks),
        })
    }

    /// The statements without these names.
    pub fn without<'a>(&self, statements: &'a Statements) -> Cow<'a, Statements> {
        if self.marks.is_none() {
            return Cow::Borrowed(statements);
        }
        let mut rest = statements.clone();
        self.remove(&mut rest);
        Cow::Owned(rest)
    }

    /// Removes these names from statements, and counts them.
    fn remove(&self, statements: &mut Statements) -> RemovedNames {
        let before = (statements.people.len(), statements.keywords.len());
        statements
            .people
            .retain(|person| !self.is_one(&person.name));
        let others: Vec<String> = statements
            .people
            .iter()
            .map(|person| words::comparison_form(&person.name))
            .collect();
        statements.keywords.retain(|keyword| {
            let levels: Vec<&str> = keyword.value.split('|').collect();
            let is_other = levels
                .iter()
                .any(|level| others.contains(&words::comparison_form(level)));
            let is_one = levels.iter().any(|level| self.is_one(level));
            !self.is_in(&keyword.value) || (is_other && !is_one)
        });
        let texts = statements
            .titles
            .iter_mut()
            .chain(&mut statements.descriptions);
        let texts = texts.map(|text| u64::from(self.cut(text))).sum();
        for texts in [&mut statements.titles, &mut statements.descriptions] {
            texts.retain(|text| text.value != ELLIPSIS);
        }
        RemovedNames {
            people: (before.0 - statements.people.len()) as u64,
            keywords: (before.1 - statements.keywords.len()) as u64,
            texts,
            ..RemovedNames::default()
        }
    }

    /// Whether a name is one of these.
    fn is_one(&self, name: &str) -> bool {
        let marks = self.marks.as_ref();
        marks.is_some_and(|marks| {
            self.known
                .contains(&marks.person(&words::comparison_form(name)))
        })
    }

    /// Whether a text contains one of these names.
    fn is_in(&self, text: &str) -> bool {
        !self.find(&words::composed(text)).is_empty()
    }

    /// Replaces each of these names by an ellipsis; returns whether there was one.
    fn cut(&self, text: &mut Stated<String>) -> bool {
        let composed = words::composed(&text.value);
        let found = self.find(&composed);
        let mut rest = String::with_capacity(composed.len());
        let mut end = 0;
        for name in &found {
            rest.push_str(&composed[end..name.start]);
            rest.push_str(ELLIPSIS);
            end = name.end;
        }
        rest.push_str(&composed[end..]);
        if !found.is_empty() {
            text.value = rest;
        }
        !found.is_empty()
    }

    /// Where a text that is [`words::composed`] contains these names, as whole words that follow each other.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let ranges = words::word_ranges(text);
        let mut found = Vec::new();
        let mut first = 0;
        while first < ranges.len() {
            // A name may be written with more signs between its letters than when it was forgotten.
            let most = (2 * self.longest).min(ranges.len() - first);
            let last = (first..first + most)
                .rev()
                .find(|last| self.is_one(&text[ranges[first].start..ranges[*last].end]));
            first = match last {
                Some(last) => {
                    found.push(ranges[first].start..ranges[last].end);
                    last + 1
                }
                None => first + 1,
            };
        }
        found
    }
}

/// Checks that a name has a letter or a digit, without which nobody could be recognised by it.
pub(super) fn require_name(name: &str) -> Result<()> {
    if words::comparison_form(name).is_empty() {
        return Err(Error::Usage(format!(
            "{name:?} is no name; write the person's name as fer-index stats --by person prints it"
        )));
    }
    Ok(())
}

/// Removes a name from everything that is stored, and keeps it from being stored again.
pub(super) fn remove(db: &Connection, name: &str) -> rusqlite::Result<RemovedNames> {
    let names = Names::one(db, name)?;
    for mark in &names.known {
        keep_out(db, mark, names.longest as i64)?;
    }
    remove_names(db, &names)
}

/// Stores the mark of a name of this many words, so that the name is not stored again.
pub(super) fn keep_out(db: &Connection, mark: &[u8; 32], words: i64) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO forgotten_people (mark, words) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET words = max(words, ?2)",
        params![mark, words],
    )?;
    Ok(())
}

/// Removes all names that must not be stored from everything that is stored.
pub(super) fn remove_known(db: &Connection) -> rusqlite::Result<RemovedNames> {
    remove_names(db, &Names::of(db)?)
}

fn remove_names(db: &Connection, names: &Names) -> rusqlite::Result<RemovedNames> {
    // The people of a lost photo are not derived anew, so lost photos are deleted.
    photos::prune(db, Duration::ZERO)?;
    let mut removed = RemovedNames::default();
    let mut changed: BTreeSet<PhotoId> = BTreeSet::new();
    let mut count = |photo, these: RemovedNames| {
        changed.insert(photo);
        removed.people += these.people;
        removed.keywords += these.keywords;
        removed.texts += these.texts;
    };
    each_changed(
        db,
        names,
        "SELECT id, facts, id FROM photos WHERE facts IS NOT NULL",
        "UPDATE photos SET facts = ? WHERE id = ?",
        &mut count,
    )?;
    each_changed(
        db,
        names,
        "SELECT f.photo_id, s.facts, s.photo_path, s.name FROM sidecars s JOIN files f ON f.path = s.photo_path
         WHERE f.photo_id IS NOT NULL",
        "UPDATE sidecars SET facts = ? WHERE photo_path = ? AND name = ?",
        &mut count,
    )?;
    removed.photos = changed.len() as u64;
    removed.files = files_named(db, names)?;
    removed.others = people::names(db)?
        .into_iter()
        .filter(|other| names.is_in(other) && !names.is_one(other))
        .collect();
    Ok(removed)
}

/// Removes names from the statements that `select` reads, and writes those that changed by `update`. The columns of
/// `select` are the photo's ID, the statements and the key of the row, which `update` takes after the statements. `count`
/// gets what was removed from each.
fn each_changed(
    db: &Connection,
    names: &Names,
    select: &str,
    update: &str,
    count: &mut impl FnMut(PhotoId, RemovedNames),
) -> rusqlite::Result<()> {
    let mut changed: Vec<Vec<Value>> = Vec::new();
    let mut statement = db.prepare(select)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut statements = Statements::from_json(row.get_ref(1)?.as_str()?);
        let removed = names.remove(&mut statements);
        if removed != RemovedNames::default() {
            count(row.get(0)?, removed);
            let mut values = vec![Value::Text(statements.to_json())];
            for key in 2..columns {
                values.push(row.get(key)?);
            }
            changed.push(values);
        }
    }
    let mut update = db.prepare(update)?;
    for change in changed {
        update.execute(params_from_iter(change))?;
    }
    Ok(())
}

/// The number of files with a name in their paths.
fn files_named(db: &Connection, names: &Names) -> rusqlite::Result<u64> {
    let mut statement = db.prepare("SELECT path FROM files")?;
    let mut rows = statement.query([])?;
    let mut named = 0;
    while let Some(row) = rows.next()? {
        let path = decode(row.get_ref(0)?.as_blob()?);
        named += u64::from(names.is_in(&path.to_string_lossy()));
    }
    Ok(named)
}

/// Allows a name to be stored again; `false` if it was not forgotten. In which photos it was is not stored, so the
/// metadata of all files count as read by an older reader, and the next run reads them anew.
pub(super) fn allow(db: &Connection, name: &str) -> rusqlite::Result<bool> {
    let mark = Marks::of(db)?.person(&words::comparison_form(name));
    if db.execute("DELETE FROM forgotten_people WHERE mark = ?", [mark])? == 0 {
        return Ok(false);
    }
    db.execute_batch(
        "UPDATE photos SET facts_version = 0, facts = json_set(facts, '$.version', 0) WHERE facts IS NOT NULL;
         UPDATE sidecars SET size = -1;",
    )?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::testing::temp_store;
    use super::*;
    use crate::facts::Block;

    /// What is left of a description after these names were forgotten.
    fn left(names: &[&str], description: &str) -> Option<String> {
        let (_folder, mut store) = temp_store();
        for name in names {
            store.forget_person(name).unwrap();
        }
        let mut statements = Statements::default();
        statements.add_description(description, Block::Xmp);
        let names = Names::of(&store.connection).unwrap();
        let rest = names.without(&statements).into_owned();
        rest.descriptions.into_iter().next().map(|text| text.value)
    }

    #[test]
    fn whole_words_are_cut_out_of_texts_in_any_writing() {
        for (names, text, expected) in [
            (&["Anna Rossi"][..], "Anna Rossi, Bob", "…, Bob"),
            (&["Anna Rossi"], "Anna and Rossi", "Anna and Rossi"),
            (
                &["Anna Rossi"],
                "ANNA-ROSSI's boat and anna  rossi",
                "…'s boat and …",
            ),
            (&["Anna", "Anna Rossi"], "Anna Rossi and Anna", "… and …"),
            (&["Anna"], "Hannah, Annas, Joanna", "Hannah, Annas, Joanna"),
            (&["Zoë"], "With Zoe\u{308} and zoe", "With … and …"),
            (&["王小明"], "王小明在湖边", "…在湖边"),
            (&["山田 花子"], "山田　花子と犬", "…と犬"),
            (&["نرگس می\u{200c}خواهم"], "نرگس میخواهم ۱", "… ۱"),
        ] {
            assert_eq!(left(names, text).as_deref(), Some(expected), "{names:?}");
        }
        assert_eq!(left(&["Anna"], " (ANNA) "), Some("(…)".to_owned()));
        assert_eq!(left(&["Anna"], "anna"), None);
    }

    #[test]
    fn a_name_is_stored_only_as_a_hash_with_the_key_of_the_database() {
        let marks = || {
            let (_folder, mut store) = temp_store();
            store.forget_person("Anna Rossi").unwrap();
            store.forget_person("anna  rossi").unwrap();
            let marks = "SELECT count(*), hex(max(mark)) FROM forgotten_people";
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            store.connection.query_row(marks, [], row).unwrap()
        };
        let (one, other): ((i64, String), (i64, String)) = (marks(), marks());
        assert_eq!((one.0, other.0), (1, 1));
        assert_ne!(one.1, other.1);
        let (_folder, mut store) = temp_store();
        for name in ["", " ", "?!", "\u{200b}"] {
            store.forget_person(name).unwrap_err();
            store.would_forget_person(name).unwrap_err();
        }
        assert!(!store.allow_person("Anna Rossi").unwrap());
    }
}
