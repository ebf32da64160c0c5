//! Maintains the full-text index of photos: the words of their paths, descriptions and keywords.
//!
//! This module and not SQLite decides what a word is: text is folded (`fold`) and split into terms (`terms`), in the
//! same way when it is stored and when it is searched for. The tokenizer [`TOKENIZER`] only splits at spaces, and
//! reduces English words to their stems.

mod fold;
mod terms;

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::record::PhotoId;
use super::{files, roots};

/// The tokenizer of every full-text index, as in `migrations/0014_words.sql`. It takes all characters outside ASCII
/// for letters, so that a term is never split.
pub(super) const TOKENIZER: &str = "porter ascii";

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
macro_rules! fact_texts_of_photo {
    () => {
        "coalesce(p.title, '') || ' ' || coalesce(p.description, '') || ' ' || coalesce(p.keywords, '') || ' '
         || coalesce((SELECT group_concat(name, ' ') FROM people WHERE photo_id = p.id), '')"
    };
}
pub(super) use fact_texts_of_photo;

/// Adds one path to the text of a photo for the full-text index.
pub(super) fn add_path(text: &mut String, path: &Path) {
    text.push_str(&of_path(path));
    text.push(' ');
}

/// Adds what [`fact_texts_of_photo`] selects to the text of a photo.
pub(super) fn add_facts(text: &mut String, fact_texts: &str) {
    text.push_str(fact_texts);
}

/// The text in Unicode's composed form. A Mac writes names in the decomposed form.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        text.nfc().collect()
    }
}

/// The text without what people leave out or type in another way, such as case and accents: see [`fold::fold`].
pub(super) fn folded(text: &str) -> String {
    fold::fold(text)
}

/// Writes the words of a photo in place of earlier ones. Photos should be written in ascending order, which FTS5 expects,
/// and without other statements in between: a statement on another table may make FTS5 flush its pending segment, and one
/// segment per photo costs more than one segment for all.
pub(super) fn write(db: &Connection, photo: PhotoId, text: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO photo_words (rowid, words) VALUES (?, ?)")?
        .execute(params![photo, index_text(text)])?;
    Ok(())
}

/// The text that the full-text index gets for a text.
pub(super) fn index_text(text: &str) -> Cow<'_, str> {
    terms::index_text(text)
}

/// The words of a text as they are compared, separated by spaces.
pub(super) fn comparison_form(text: &str) -> String {
    terms::comparison_form(text)
}

/// The byte ranges of the words in a text; in a script without spaces, those of the characters.
pub(super) fn word_ranges(text: &str) -> Vec<Range<usize>> {
    terms::word_ranges(text)
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
    const FACT_TEXTS: &str = concat!(
        "SELECT ",
        fact_texts_of_photo!(),
        " FROM photos p WHERE p.id = ? AND p.skip_reason IS NULL"
    );
    let fact_texts: Option<String> = db
        .prepare_cached(FACT_TEXTS)?
        .query_row([photo], |row| row.get(0))
        .optional()?;
    let Some(fact_texts) = fact_texts else {
        return Ok(None);
    };
    let mut text = String::new();
    for path in files::of_photo(db, photo)? {
        add_path(&mut text, part(&path));
    }
    if text.is_empty() {
        return Ok(None);
    }
    add_facts(&mut text, &fact_texts);
    Ok(Some(text))
}

/// Whether two terms begin with the same two letters, in any case.
fn begin_alike(a: &str, b: &str) -> bool {
    let is_alike = |(a, b): (char, char)| a.eq_ignore_ascii_case(&b);
    !a.is_empty() && !b.is_empty() && a.chars().zip(b.chars()).take(2).all(is_alike)
}

/// Whether `text` has a word that can be searched for. Without one, a query for it restricts nothing.
pub fn has_words(text: &str) -> bool {
    !terms::query_terms(text).is_empty()
}

/// An FTS5 expression that matches texts with all words of `text`; `None` if there is no word. It is valid for any
/// text: no term contains a character that the tokenizer would split at, or a quotation mark.
pub(super) fn expression(text: &str) -> Option<String> {
    let terms = terms::query_terms(text);
    let quoted: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
    (!quoted.is_empty()).then(|| quoted.join(" AND "))
}

/// A filter for queries with a word that occurs in the path of a root, as `pictures` does for
/// nearly everybody. The full-text index contains whole paths, so that such a word would match
/// every photo; this filter matches each photo's text without the root.
#[derive(Debug)]
pub(super) struct BelowRoots {
    /// The FTS5 expression of the query.
    expression: String,
    /// A full-text index of one text at a time, with the tokenizer of `photo_words`.
    index: Connection,
}

impl BelowRoots {
    /// `None` if no word of `text` is in the path of a root.
    pub fn of(text: &str, topmost: &[PathBuf]) -> rusqlite::Result<Option<Self>> {
        let Some(expression) = expression(text) else {
            return Ok(None);
        };
        let of_roots: String = topmost.iter().map(|root| of_path(root) + " ").collect();
        // If no term begins like a term of a root, no index is needed: the tokenizer changes only the
        // ends of words, and few texts get past this check.
        let terms_of_roots = index_text(&of_roots);
        let may_be_in_root = |term: &String| {
            let mut of_roots =
                terms_of_roots.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric());
            of_roots.any(|of_root| begin_alike(of_root, term))
        };
        if !terms::query_terms(text).iter().any(may_be_in_root) {
            return Ok(None);
        }
        let index = Connection::open_in_memory()?;
        index.execute_batch(&format!(
            "CREATE VIRTUAL TABLE one USING fts5 (words, detail = 'none', tokenize = '{TOKENIZER}')"
        ))?;
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
            .execute([index_text(text)])?;
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
    fn words_in_the_path_of_a_root_are_known_in_every_script() {
        let roots = ["/家/北海道写真".into(), "/รูปภาพ".into()];
        for text in ["北海道", "写", "รูป", "2019 北海道"] {
            let below = BelowRoots::of(text, &roots).unwrap();
            let below = below.unwrap_or_else(|| panic!("{text} is in a root"));
            assert_eq!(
                below.matches("旅行", &below.expression),
                Ok(false),
                "{text}"
            );
            let found = "2019 の北海道旅行、รูปภาพ 写";
            assert_eq!(below.matches(found, &below.expression), Ok(true), "{text}");
        }
        assert!(BelowRoots::of("沖縄", &roots).unwrap().is_none());
    }

    #[test]
    fn punctuation_is_never_an_fts5_operator() {
        assert_eq!(
            expression("new-york \"OR\" (x*"),
            Some("\"new\" AND \"york\" AND \"or\" AND \"x\"".into())
        );
        assert_eq!(expression(" -\" "), None);
    }

    /// No character that a person can type makes an expression that SQLite refuses, and a photo is found by
    /// every character of its text.
    #[test]
    fn every_character_of_unicode_is_found_and_none_is_an_error() {
        let (_folder, store) = super::super::testing::temp_store();
        let db = &store.connection;
        // Most of the upper planes are unassigned; of their characters every 61st is tested.
        let upper = ('\u{40000}'..='\u{dffff}').chain('\u{e1000}'..=char::MAX);
        let all: Vec<char> = ('\0'..='\u{3ffff}')
            .chain('\u{e0000}'..='\u{e0fff}')
            .chain(upper.step_by(61))
            .collect();
        let id = PhotoId(1);
        let mut searchable = 0;
        db.execute_batch("BEGIN").unwrap();
        for chunk in all.chunks(512) {
            // Between spaces, so that each character is a word; and within runs of Latin and Chinese.
            let around: &[&str] = if chunk[0] < '\u{3000}' {
                &[" ", "海x"]
            } else {
                &[" "]
            };
            for around in around {
                let text: String = chunk
                    .iter()
                    .flat_map(|c| [(*around).to_owned(), c.to_string()])
                    .collect();
                write(db, id, &text).unwrap();
                let asked = expression(&text);
                searchable += terms::query_terms(&text).len();
                let Some(asked) = asked else { continue };
                let is_found: bool = db
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM photo_words WHERE photo_words MATCH ? AND rowid = ?)")
                    .unwrap()
                    .query_row(params![asked, id], |row| row.get(0))
                    .unwrap_or_else(|error| panic!("{error}: {:?}", chunk[0]));
                assert!(
                    is_found,
                    "{:?} and the 511 after it, between {around:?}",
                    chunk[0]
                );
            }
        }
        assert!(searchable > 140_000, "{searchable}");
    }

    /// The terms of the index are those that this module made: the tokenizer joins or splits none.
    #[test]
    fn the_tokenizer_takes_every_term_as_one() {
        let (_folder, store) = super::super::testing::temp_store();
        let db = &store.connection;
        let all: Vec<char> = ('\u{80}'..=char::MAX).collect();
        db.execute_batch("BEGIN").unwrap();
        for (n, chunk) in all.chunks(4096).enumerate() {
            let text: String = chunk.iter().flat_map(|c| [' ', *c]).collect();
            write(db, PhotoId(n as i64 + 1), &text).unwrap();
        }
        db.execute_batch(
            "COMMIT; CREATE VIRTUAL TABLE temp.terms USING fts5vocab (main, photo_words, row)",
        )
        .unwrap();
        let stored: std::collections::BTreeSet<String> = db
            .prepare("SELECT term FROM temp.terms")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let text: String = all.iter().flat_map(|c| [' ', *c]).collect();
        let mut made: std::collections::BTreeSet<String> =
            index_text(&text).split(' ').map(str::to_owned).collect();
        made.remove("");
        // The tokenizer removes only endings in ASCII.
        let differ: Vec<_> = stored
            .symmetric_difference(&made)
            .filter(|term| !term.ends_with(|c: char| c.is_ascii()))
            .collect();
        assert!(differ.is_empty(), "{differ:?}");
    }

    #[test]
    fn accents_that_are_characters_of_their_own_are_part_of_a_word() {
        let composed = expression("\u{d6}sterreich");
        assert_eq!(expression("O\u{308}sterreich"), composed);
        assert_eq!(expression("x\u{302}yz"), expression("xyz"));
        assert_eq!(of_path(Path::new("/O\u{308}st")), "/\u{d6}st");
    }
}
