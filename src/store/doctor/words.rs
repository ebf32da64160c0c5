//! Checks the words of photos. The full-text index keeps no text, only which word is in which photo. So the texts are
//! indexed again, [`CHUNK`] photos at a time and in memory, and for each photo the words in both indexes are compared by
//! the sum of their hashes.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use rusqlite::{Connection, params};

use super::super::path::decode;
use super::super::record::PhotoId;
use super::super::words::{TOKENIZER, add_facts, add_path, fact_texts_of_photo, index_text};
use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};

/// Number of photos whose texts are indexed at a time.
const CHUNK: usize = 1024;

/// The sum of the hashes of each photo's words; a photo without words is not in it.
type Sums = HashMap<PhotoId, u64>;

/// Reads the photos that should have words, one row per file.
const EXPECTED: &str = concat!(
    "SELECT p.id, f.path, ",
    fact_texts_of_photo!(),
    " FROM photos p JOIN files f ON f.photo_id = p.id WHERE p.skip_reason IS NULL ORDER BY p.id"
);

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin("words", "SELECT count(*) FROM photos")?;
    let db = checkup.db;
    db.execute_batch(
        "CREATE VIRTUAL TABLE temp.stored_words USING fts5vocab(main, photo_words, instance)",
    )?;
    let mut stored = sums(db, "SELECT doc, term FROM temp.stored_words")?;
    db.execute_batch("DROP TABLE temp.stored_words")?;

    let index = Index::new()?;
    let mut texts: Vec<(PhotoId, String)> = Vec::new();
    let mut statement = db.prepare(EXPECTED)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let photo = row.get(0)?;
        if texts.last().is_none_or(|(last, _)| *last != photo) {
            if texts.len() == CHUNK {
                compare(checkup, &index, &texts, &mut stored)?;
                texts.clear();
            }
            let mut text = String::new();
            add_facts(&mut text, row.get_ref(2)?.as_str()?);
            text.push(' ');
            texts.push((photo, text));
        }
        if let Some((_, text)) = texts.last_mut() {
            add_path(text, &decode(row.get_ref(1)?.as_blob()?));
        }
    }
    compare(checkup, &index, &texts, &mut stored)?;
    let mut extra: Vec<PhotoId> = stored.into_keys().collect();
    extra.sort();
    for photo in extra {
        checkup.photo_differs(DerivedPart::Words, DifferenceKind::Extra, photo)?;
    }
    Ok(())
}

/// Compares the words of these photos, and removes the photos from the `stored` sums.
fn compare(
    checkup: &mut Checkup<'_>,
    index: &Index,
    texts: &[(PhotoId, String)],
    stored: &mut Sums,
) -> rusqlite::Result<()> {
    let expected = index.sums(texts)?;
    for (photo, _) in texts {
        let kind = match (expected.get(photo), stored.remove(photo)) {
            (Some(_), None) => DifferenceKind::Missing,
            (Some(expected), Some(stored)) if *expected != stored => DifferenceKind::Wrong,
            (None, Some(_)) => DifferenceKind::Extra,
            _ => continue,
        };
        checkup.photo_differs(DerivedPart::Words, kind, *photo)?;
    }
    checkup.advance(texts.len() as u64);
    Ok(())
}

/// A full-text index in memory with the tokenizer of `photo_words`.
struct Index(Connection);

impl Index {
    fn new() -> rusqlite::Result<Self> {
        let index = Connection::open_in_memory()?;
        index.execute_batch(&format!(
            "CREATE VIRTUAL TABLE texts USING fts5 (
                 words, content = '', detail = 'none', tokenize = '{TOKENIZER}'
             );
             CREATE VIRTUAL TABLE words USING fts5vocab (texts, instance);"
        ))?;
        Ok(Self(index))
    }

    fn sums(&self, texts: &[(PhotoId, String)]) -> rusqlite::Result<Sums> {
        let Self(index) = self;
        index.execute_batch("BEGIN; INSERT INTO texts (texts) VALUES ('delete-all')")?;
        let mut insert = index.prepare_cached("INSERT INTO texts (rowid, words) VALUES (?, ?)")?;
        for (photo, text) in texts {
            insert.execute(params![photo, index_text(text)])?;
        }
        index.execute_batch("COMMIT")?;
        sums(index, "SELECT doc, term FROM words")
    }
}

fn sums(db: &Connection, select: &str) -> rusqlite::Result<Sums> {
    let mut sums = Sums::new();
    let mut statement = db.prepare(select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut hasher = DefaultHasher::new();
        row.get_ref(1)?.as_bytes()?.hash(&mut hasher);
        let sum = sums.entry(row.get(0)?).or_default();
        *sum = sum.wrapping_add(hasher.finish());
    }
    Ok(sums)
}
