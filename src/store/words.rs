//! The words by which a photo is found: of its paths, its description and its keywords.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::path::decode;
use super::record::PhotoId;

/// The text of a path for the index of words: `BeachParty` is two words as well as one.
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

/// Brings the words of a photo up to date with its paths and what it tells of itself.
pub(super) fn refresh(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    let told: Option<String> = db
        .prepare_cached(
            "SELECT coalesce(description, '') || ' ' || coalesce(keywords, '')
             FROM photos WHERE id = ? AND skip_reason IS NULL",
        )?
        .query_row([photo], |row| row.get(0))
        .optional()?;
    let mut text = String::new();
    let mut paths = db.prepare_cached("SELECT path FROM files WHERE photo_id = ?")?;
    let mut rows = paths.query([photo])?;
    while let Some(row) = rows.next()? {
        text.push_str(&of_path(&decode(row.get_ref(0)?.as_blob()?)));
        text.push(' ');
    }
    match told {
        Some(told) if !text.is_empty() => {
            text.push_str(&told);
            db.prepare_cached("INSERT OR REPLACE INTO photo_words (rowid, words) VALUES (?, ?)")?
                .execute(params![photo, text])?;
        }
        _ => {
            db.prepare_cached("DELETE FROM photo_words WHERE rowid = ?")?
                .execute([photo])?;
        }
    }
    Ok(())
}

/// An FTS5 expression for all words of `text`, whatever else is in it; `None` without a word.
pub(super) fn expression(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\""))
        .collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camel_case_is_taken_apart() {
        assert_eq!(of_path(Path::new("/a/img_1.jpg")), "/a/img_1.jpg");
        assert_eq!(
            of_path(Path::new("/BeachParty.jpg")),
            "/BeachParty.jpg /Beach Party.jpg"
        );
    }

    #[test]
    fn no_sign_is_an_operator() {
        assert_eq!(
            expression("new-york \"OR\" (x*"),
            Some("\"new\" AND \"york\" AND \"OR\" AND \"x\"".into())
        );
        assert_eq!(expression(" -\" "), None);
    }
}
