//! Finds the files beside a path that have its name with another extension: the raw file and the picture of one shot, and a
//! photo and what it was converted to.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row};

use super::path::{decode, encode};
use super::record::PhotoId;

/// Reads the files whose paths are in a range, with their photos.
pub(super) const FILES: &str =
    "SELECT path, photo_id FROM files WHERE path >= ? AND path < ? AND photo_id IS NOT NULL";

/// The files in the folder of `path` that have the same name apart from the extension, itself included, in the order
/// of their paths.
pub(super) fn files(db: &Connection, path: &Path) -> rusqlite::Result<Vec<(PathBuf, PhotoId)>> {
    let mut found = rows(db, FILES, path, |row| row.get(1))?;
    found.sort();
    Ok(found)
}

/// The rows of a statement whose paths are in the folder of `path` and have the same name apart from the extension, itself
/// included. The statement reads the rows from a path up to but not including another one, in its first column the path.
pub(super) fn rows<T>(
    db: &Connection,
    statement: &str,
    path: &Path,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<(PathBuf, T)>> {
    let (Some(folder), Some(stem)) = (path.parent(), stem_of(path)) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for written in spellings(stem) {
        let mut low = written.clone();
        low.push(".");
        let low = encode(&folder.join(low));
        let mut high = low.clone();
        if let Some(last) = high.last_mut() {
            *last += 1; // of the full stop
        }
        let mut statement = db.prepare_cached(statement)?;
        let mut rows = statement.query([low, high])?;
        while let Some(row) = rows.next()? {
            let other = decode(row.get_ref(0)?.as_blob()?);
            // Not `IMG_1.edited.jpg`, nor a file in a folder `IMG_1.data`.
            if other.parent() == Some(folder) && stem_of(&other) == Some(&written) {
                found.push((other, read(row)?));
            }
        }
    }
    Ok(found)
}

/// The name of a file without its extension, and without what Pixel phones append to the names of a picture and its raw file:
/// `PXL_20230704_101530123.RAW-01.COVER.jpg` and `PXL_20230704_101530123.RAW-02.ORIGINAL.dng`.
fn stem_of(path: &Path) -> Option<&OsStr> {
    const ROLES: [&str; 3] = [".COVER", ".MP.COVER", ".ORIGINAL"];
    let whole = path.file_stem()?;
    let shot = whole.to_str().and_then(|name| {
        let (shot, role) = name.rsplit_once(".RAW-")?;
        let (number, role) = role.split_at_checked(2)?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && ROLES.contains(&role)).then(|| OsStr::new(shot))
    });
    Some(shot.unwrap_or(whole))
}

/// The spellings of a shot's name: itself and, if all its letters are of one case, also the name in the other case, since
/// some programs change the case of names. Every spelling has the same set of spellings.
fn spellings(stem: &OsStr) -> Vec<OsString> {
    let (small, capital) = (stem.to_ascii_lowercase(), stem.to_ascii_uppercase());
    if small == capital || (stem != small && stem != capital) {
        return vec![stem.to_owned()];
    }
    vec![small, capital]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_shot_have_one_stem() {
        let shot = "PXL_20230704_101530123";
        for name in [
            "PXL_20230704_101530123.jpg",
            "PXL_20230704_101530123.RAW-01.COVER.jpg",
            "PXL_20230704_101530123.RAW-01.MP.COVER.jpg",
            "PXL_20230704_101530123.RAW-02.ORIGINAL.dng",
        ] {
            assert_eq!(stem_of(Path::new(name)), Some(OsStr::new(shot)), "{name}");
        }
        for stem in [
            "a.RAW-1.COVER",
            "a.RAW-01",
            "a.RAW-01.EDIT",
            "a.RAW-0\u{e9}",
            "a.b",
        ] {
            let path = PathBuf::from(format!("{stem}.jpg"));
            assert_eq!(stem_of(&path), Some(OsStr::new(stem)));
        }
    }

    #[test]
    fn each_spelling_of_a_name_has_the_same_spellings() {
        for name in ["IMG_1", "img_1", "Img_1", "1234", "\u{e9}T\u{e9}", ""] {
            let all = spellings(OsStr::new(name));
            assert!(all.contains(&name.into()));
            for other in &all {
                assert_eq!(spellings(other), all);
            }
        }
    }
}
