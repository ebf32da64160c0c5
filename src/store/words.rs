//! Maintains the full-text index of photos: the words of their paths, descriptions and keywords.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::path::decode;
use super::record::PhotoId;
use super::{roots, sidecars};

/// The text of a path for the full-text index. Camel case is also split: `BeachParty` is indexed as
/// one word and as two.
pub(super) fn of_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    let mut text = path.clone().into_owned();
    let mut before = ' ';
    let mut split = String::new();
    for c in path.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            split.push(' ');
        }
        split.push(c);
        before = c;
    }
    if split.len() > text.len() {
        text.push(' ');
        text.push_str(&split);
    }
    text
}

/// The text of a photo for the full-text index.
pub(super) fn of_photo<'p>(
    paths: impl Iterator<Item = &'p Path>,
    description: Option<&str>,
    keywords: &[String],
) -> String {
    let mut text = String::new();
    for path in paths {
        text.push_str(&of_path(path));
        text.push(' ');
    }
    text.push_str(description.unwrap_or_default());
    for keyword in keywords {
        text.push(' ');
        text.push_str(keyword);
    }
    text
}

/// The photos whose words must be written before the transaction ends. They are written together
/// because a statement on another table may make FTS5 flush its pending segment, and one segment per
/// photo costs more than one segment for all.
#[derive(Debug, Default)]
pub(super) struct PendingWords(RefCell<BTreeMap<PhotoId, Option<String>>>);

impl PendingWords {
    /// Adds a new photo with its text.
    pub fn add(&self, photo: PhotoId, text: String) {
        self.0.borrow_mut().insert(photo, Some(text));
    }

    /// Marks a photo whose paths or metadata have changed; its text is read from the database.
    pub fn refresh(&self, photo: PhotoId) {
        self.0.borrow_mut().insert(photo, None);
    }

    /// Writes the words, in ascending order of the photos, which is the order that FTS5 expects.
    pub fn write(self, db: &Connection) -> rusqlite::Result<()> {
        let pending = self.0.into_inner();
        if pending.is_empty() {
            return Ok(());
        }
        let mut insert =
            db.prepare_cached("INSERT OR REPLACE INTO photo_words (rowid, words) VALUES (?, ?)")?;
        for (photo, text) in pending {
            let text = match text {
                Some(text) => Some(text),
                None => stored(db, photo, |path| path)?,
            };
            if let Some(text) = text {
                insert.execute(params![photo, text])?;
            } else {
                db.prepare_cached("DELETE FROM photo_words WHERE rowid = ?")?
                    .execute([photo])?;
            }
        }
        Ok(())
    }
}

/// The text of a photo as it is stored; `None` if it was skipped or has no path. `part` selects the
/// part of each path that counts.
fn stored(
    db: &Connection,
    photo: PhotoId,
    part: impl Fn(&Path) -> &Path,
) -> rusqlite::Result<Option<String>> {
    let row: Option<(Option<String>, Option<String>)> = db
        .prepare_cached(
            "SELECT description, keywords FROM photos WHERE id = ? AND skip_reason IS NULL",
        )?
        .query_row([photo], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((description, embedded)) = row else {
        return Ok(None);
    };
    let embedded = embedded.unwrap_or_default();
    let mut keywords: Vec<String> = embedded.lines().map(str::to_owned).collect();
    sidecars::add_keywords(db, photo, &mut keywords)?;
    let paths: Vec<PathBuf> = db
        .prepare_cached("SELECT path FROM files WHERE photo_id = ?")?
        .query_map([photo], |row| Ok(decode(row.get_ref(0)?.as_blob()?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok((!paths.is_empty()).then(|| {
        of_photo(
            paths.iter().map(|path| part(path)),
            description.as_deref(),
            &keywords,
        )
    }))
}

/// Whether two words begin with the same two letters, in any case. A letter outside ASCII counts as equal to
/// any other, because the tokenizer removes accents.
fn begin_alike(a: &str, b: &str) -> bool {
    let is_alike =
        |(a, b): (char, char)| !a.is_ascii() || !b.is_ascii() || a.eq_ignore_ascii_case(&b);
    !a.is_empty() && !b.is_empty() && a.chars().zip(b.chars()).take(2).all(is_alike)
}

/// An FTS5 expression that matches texts with all words of `text`. Only letters and digits belong to
/// words; `None` if there is no word.
pub(super) fn expression(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\""))
        .collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

/// A filter for queries with a word that occurs in the path of a root, as `pictures` does for
/// nearly everybody. The full-text index contains whole paths, so that such a word would match
/// every photo; this filter matches each photo's text without the root.
#[derive(Debug)]
pub(super) struct BelowRoots {
    /// The FTS5 expression of the query.
    expression: String,
    /// A full-text index that holds one text at a time, with the tokenizer of `photo_words`.
    index: Connection,
}

impl BelowRoots {
    /// `None` if no word of `text` is in the path of a root.
    pub fn of(text: &str, topmost: &[PathBuf]) -> rusqlite::Result<Option<Self>> {
        let Some(expression) = expression(text) else {
            return Ok(None);
        };
        let of_roots: String = topmost.iter().map(|root| of_path(root) + " ").collect();
        // If no word begins like a word of a root, no index is needed: the tokenizer changes only the
        // ends of words, and few texts get past this check.
        let words = || of_roots.split(|c: char| !c.is_alphanumeric());
        let may_be_in_root = |word: &str| words().any(|of_root| begin_alike(of_root, word));
        let mut asked = text.split(|c: char| !c.is_alphanumeric());
        if !asked.any(may_be_in_root) {
            return Ok(None);
        }
        let index = Connection::open_in_memory()?;
        index.execute_batch(
            "CREATE VIRTUAL TABLE one USING fts5 (
                 words, detail = 'none', tokenize = 'porter unicode61 remove_diacritics 2'
             )",
        )?;
        let below_roots = Self { expression, index };
        let any_word = below_roots.expression.replace(" AND ", " OR ");
        let is_in_root = below_roots.matches(&of_roots, &any_word)?;
        Ok(is_in_root.then_some(below_roots))
    }

    /// Whether a photo has all the words without the path of its root.
    pub fn match_photo(
        &self,
        db: &Connection,
        photo: PhotoId,
        topmost: &[PathBuf],
    ) -> rusqlite::Result<bool> {
        match stored(db, photo, |path| roots::below(path, topmost))? {
            Some(text) => self.matches(&text, &self.expression),
            None => Ok(false),
        }
    }

    fn matches(&self, text: &str, expression: &str) -> rusqlite::Result<bool> {
        let index = &self.index;
        index
            .prepare_cached("INSERT OR REPLACE INTO one (rowid, words) VALUES (1, ?)")?
            .execute([text])?;
        index
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM one WHERE one MATCH ?)")?
            .query_row([expression], |row| row.get(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camel_case_is_split() {
        assert_eq!(of_path(Path::new("/a/img_1.jpg")), "/a/img_1.jpg");
        assert_eq!(
            of_path(Path::new("/BeachParty.jpg")),
            "/BeachParty.jpg /Beach Party.jpg"
        );
    }

    #[test]
    fn words_in_the_path_of_a_root_do_not_match_photos() {
        let roots = ["/home/ada/Pictures".into(), "/mnt/disk".into()];
        assert!(BelowRoots::of("beach", &roots).unwrap().is_none());
        let both = BelowRoots::of("beach picture", &roots).unwrap().unwrap();
        for (text, is_found) in [
            ("Beaches 2019/pictures.jpg", true),
            ("beach.jpg", false),
            ("picture.jpg", false),
        ] {
            assert_eq!(both.matches(text, &both.expression), Ok(is_found), "{text}");
        }
    }

    #[test]
    fn punctuation_is_never_an_fts5_operator() {
        assert_eq!(
            expression("new-york \"OR\" (x*"),
            Some("\"new\" AND \"york\" AND \"OR\" AND \"x\"".into())
        );
        assert_eq!(expression(" -\" "), None);
    }
}
