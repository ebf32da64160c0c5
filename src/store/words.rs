//! Maintains the full-text index of photos: the words of their paths, descriptions and keywords.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::record::PhotoId;
use super::{files, roots};

/// The text of a path for the full-text index. Camel case is also split: `BeachParty` is indexed as
/// one word and as two.
pub(super) fn of_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = composed(&path);
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

/// The text of a photo `p` apart from its paths, as an SQL expression: everything else by which `--text` finds
/// it. Whatever is added here must mark the photo in `dirty_photos` when it changes (`migrations/`).
macro_rules! said_of_photo {
    () => {
        "coalesce(p.title, '') || ' ' || coalesce(p.description, '') || ' ' || coalesce(p.keywords, '') || ' '
         || coalesce((SELECT group_concat(name, ' ') FROM people WHERE photo_id = p.id), '')"
    };
}
pub(super) use said_of_photo;

/// Adds one path to the text of a photo for the full-text index.
pub(super) fn add_path(text: &mut String, path: &Path) {
    text.push_str(&of_path(path));
    text.push(' ');
}

/// Adds what [`said_of_photo`] selects to the text of a photo.
pub(super) fn add_said(text: &mut String, said: &str) {
    text.push_str(&composed(said));
}

/// The text in Unicode's composed form, in which the tokenizer knows letters with accents. A Mac writes
/// names in the decomposed form.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        text.nfc().collect()
    }
}

/// Writes the words of a photo in place of earlier ones. Photos should be written in ascending order, which
/// is what FTS5 expects, and one after the other: a statement on another table may make FTS5 flush its pending
/// segment, and one segment per photo costs more than one segment for all.
pub(super) fn write(db: &Connection, photo: PhotoId, text: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO photo_words (rowid, words) VALUES (?, ?)")?
        .execute(params![photo, text])?;
    Ok(())
}

/// Removes the words of a photo.
pub(super) fn remove(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM photo_words WHERE rowid = ?")?
        .execute([photo])?;
    Ok(())
}

/// The text of a photo as it is stored; `None` if it was skipped or has no path. `part` selects the
/// part of each path that counts.
fn stored(
    db: &Connection,
    photo: PhotoId,
    part: impl Fn(&Path) -> &Path,
) -> rusqlite::Result<Option<String>> {
    const SAID: &str = concat!(
        "SELECT ",
        said_of_photo!(),
        " FROM photos p WHERE p.id = ? AND p.skip_reason IS NULL"
    );
    let said: Option<String> = db
        .prepare_cached(SAID)?
        .query_row([photo], |row| row.get(0))
        .optional()?;
    let Some(said) = said else {
        return Ok(None);
    };
    let mut text = String::new();
    for path in files::of_photo(db, photo)? {
        add_path(&mut text, part(&path));
    }
    if text.is_empty() {
        return Ok(None);
    }
    add_said(&mut text, &said);
    Ok(Some(text))
}

/// Whether two words begin with the same two letters, in any case. A letter outside ASCII counts as equal to
/// any other, because the tokenizer removes accents.
fn begin_alike(a: &str, b: &str) -> bool {
    let is_alike =
        |(a, b): (char, char)| !a.is_ascii() || !b.is_ascii() || a.eq_ignore_ascii_case(&b);
    !a.is_empty() && !b.is_empty() && a.chars().zip(b.chars()).take(2).all(is_alike)
}

/// The first and the last accent that is a character of its own (Unicode's block of combining diacritics).
const ACCENTS: RangeInclusive<char> = '\u{300}'..='\u{36f}';

/// An FTS5 expression that matches texts with all words of `text`. Only letters and digits belong to
/// words; `None` if there is no word. Accents that no letter is composed with are left out, as the tokenizer
/// does.
pub(super) fn expression(text: &str) -> Option<String> {
    let words: Vec<String> = composed(text)
        .replace(|c| ACCENTS.contains(&c), "")
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
        let text = composed(text);
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

    #[test]
    fn accents_that_are_characters_of_their_own_are_part_of_a_word() {
        let composed = expression("\u{d6}sterreich");
        assert_eq!(expression("O\u{308}sterreich"), composed);
        assert_eq!(expression("x\u{302}yz"), expression("xyz"));
        assert_eq!(of_path(Path::new("/O\u{308}st")), "/\u{d6}st");
    }
}
