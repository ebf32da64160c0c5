//! Finds the stored path that a person means by a path that they type. The index has one path of a file, the one that a
//! scan met and that queries print; on disk the file may have others, through symbolic links and where capitals do not
//! count, and Unicode can write one name in several ways.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, named_params, params};
use unicode_normalization::UnicodeNormalization as _;

use super::path::{Subtree, decode};
use crate::real_path::{meant_path, resolve_links};

/// Finds stored paths. The folders are read once, and only if a path is not stored as it was typed, since resolving the
/// links of every folder is slow.
pub(super) struct Finder<'db> {
    db: &'db Connection,
    folders: OnceCell<Folders>,
}

impl<'db> Finder<'db> {
    pub fn new(db: &'db Connection) -> Self {
        Self {
            db,
            folders: OnceCell::new(),
        }
    }

    /// See [`Store::find_path`](super::Store::find_path).
    pub fn find(&self, typed: &Path) -> rusqlite::Result<Option<PathBuf>> {
        let Ok(absolute) = std::path::absolute(typed) else {
            return Ok(None);
        };
        if is_stored(self.db, &absolute)? {
            return Ok(Some(absolute.components().collect()));
        }
        let resolved = meant_path(&absolute).unwrap_or_else(|_| absolute.clone());
        if is_stored(self.db, &resolved)? {
            return Ok(Some(resolved));
        }
        let folders = self.folders()?;
        if let Some(path) = through_link(self.db, &resolved, folders)? {
            return Ok(Some(path));
        }
        for path in [&absolute, &resolved] {
            if let Some(path) = equivalent(self.db, path, folders)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    fn folders(&self) -> rusqlite::Result<&Folders> {
        if let Some(folders) = self.folders.get() {
            return Ok(folders);
        }
        let folders = Folders::read(self.db)?;
        Ok(self.folders.get_or_init(|| folders))
    }
}

/// The folders that directly contain photos, as [`Finder`] compares them.
struct Folders {
    /// Those whose path contains a symbolic link, each with its path without links, sorted by path.
    linked: Vec<(PathBuf, PathBuf)>,
    /// For each path in Unicode's composed form, the first folder with this path, among these folders and those above
    /// them.
    named: HashMap<String, PathBuf>,
    /// For each path in Unicode's composed form, the folders with this path, sorted.
    all_named: HashMap<String, Vec<PathBuf>>,
}

impl Folders {
    fn read(db: &Connection) -> rusqlite::Result<Self> {
        let mut folders = Self {
            linked: Vec::new(),
            named: HashMap::new(),
            all_named: HashMap::new(),
        };
        let mut statement = db.prepare_cached("SELECT path FROM folders ORDER BY path")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            folders.add(decode(row.get_ref(0)?.as_blob()?));
        }
        Ok(folders)
    }

    fn add(&mut self, folder: PathBuf) {
        for upper in folder.ancestors() {
            if let Some(name) = composed(upper) {
                self.named.entry(name).or_insert_with(|| upper.to_owned());
            }
        }
        // Asked for the names as they are spelled only where a link was met: that takes longer, and stored paths have them.
        if resolve_links(&folder).is_ok_and(|real| real != folder)
            && let Ok(real) = meant_path(&folder)
        {
            self.linked.push((folder.clone(), real));
        }
        if let Some(name) = composed(&folder) {
            self.all_named.entry(name).or_default().push(folder);
        }
    }
}

/// Like [`Path::join`], which adds a separator for an empty path.
fn join(folder: &Path, rest: &Path) -> PathBuf {
    folder.components().chain(rest.components()).collect()
}

/// Whether the index has a file at or below this path, or a root at it.
fn is_stored(db: &Connection, path: &Path) -> rusqlite::Result<bool> {
    let tree = Subtree::of(path);
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM files
                        WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low))
             OR EXISTS (SELECT 1 FROM roots WHERE path = :exact)",
    )?
    .query_row(
        named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high},
        |row| row.get(0),
    )
}

/// The stored path of what is at `resolved`, if a symbolic link in the album leads there.
fn through_link(
    db: &Connection,
    resolved: &Path,
    folders: &Folders,
) -> rusqlite::Result<Option<PathBuf>> {
    for (folder, real) in &folders.linked {
        let meant = if let Ok(rest) = resolved.strip_prefix(real) {
            join(folder, rest)
        } else if let Ok(rest) = real.strip_prefix(resolved)
            && folder.ends_with(rest)
        {
            let depth = folder.components().count() - rest.components().count();
            folder.components().take(depth).collect()
        } else {
            continue;
        };
        if is_stored(db, &meant)? && meant_path(&meant).is_ok_and(|real| real == resolved) {
            return Ok(Some(meant));
        }
    }
    Ok(None)
}

/// The stored path that is canonically equivalent to `path` in Unicode: an accent may be part of a letter or a character
/// of its own, as in the names that a Mac writes.
fn equivalent(
    db: &Connection,
    path: &Path,
    folders: &Folders,
) -> rusqlite::Result<Option<PathBuf>> {
    let Some(wanted) = composed(path) else {
        return Ok(None);
    };
    if let Some(folder) = folders.named.get(&wanted) {
        return Ok(Some(folder.clone()));
    }
    let Some(parent) = path.parent().and_then(composed) else {
        return Ok(None);
    };
    let mut files = db.prepare_cached("SELECT path FROM files WHERE path >= ? AND path < ?")?;
    for folder in folders.all_named.get(&parent).into_iter().flatten() {
        let tree = Subtree::of(folder);
        let mut rows = files.query(params![tree.low, tree.high])?;
        while let Some(row) = rows.next()? {
            let file = decode(row.get_ref(0)?.as_blob()?);
            if composed(&file).as_ref() == Some(&wanted) {
                return Ok(Some(file));
            }
        }
    }
    Ok(None)
}

/// Maximum number of forms of a path.
const MAX_FORMS: usize = 256;

/// Paths that are canonically equivalent to `path` in Unicode, at most [`MAX_FORMS`]: the path itself first, and with
/// its names as they are on disk, composed and decomposed.
pub(super) fn forms(path: &Path) -> Vec<PathBuf> {
    let mut forms = vec![PathBuf::new()];
    for component in path.components() {
        let names = component
            .as_os_str()
            .to_str()
            .filter(|name| !name.is_ascii());
        let mut longer = Vec::new();
        for form in &forms {
            longer.push(form.join(component));
            let Some(name) = names else { continue };
            let nfc: String = name.nfc().collect();
            let on_disk = std::fs::read_dir(form).into_iter().flatten().flatten();
            let same = on_disk.map(|entry| entry.file_name()).filter(|other| {
                other
                    .to_str()
                    .is_some_and(|other| other.nfc().eq(nfc.chars()))
            });
            let unicode = [nfc.clone(), name.nfd().collect()].map(Into::into);
            longer.extend(same.chain(unicode).map(|name| form.join(name)));
        }
        let mut seen = HashSet::new();
        longer.retain(|form| seen.insert(form.clone()));
        longer.truncate(MAX_FORMS);
        forms = longer;
    }
    forms
}

/// The path in Unicode's composed form; `None` if it is not Unicode.
fn composed(path: &Path) -> Option<String> {
    let path: PathBuf = path.components().collect();
    Some(path.to_str()?.nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{photo, put, temp_store};
    use super::*;

    #[test]
    fn a_name_is_found_however_its_accents_are_written() {
        let (_folder, mut store) = temp_store();
        let decomposed = "/a/O\u{308}sterreich/Cafe\u{301}.jpg";
        put(&mut store, decomposed, &photo("a", vec![]));
        let found = |typed: &str| store.find_path(Path::new(typed)).unwrap();
        for typed in [
            decomposed,
            "/a/\u{d6}sterreich/Caf\u{e9}.jpg",
            "/a/\u{d6}sterreich//./Cafe\u{301}.jpg",
        ] {
            assert_eq!(found(typed), Some(decomposed.into()), "{typed}");
        }
        assert_eq!(
            found("/a/\u{d6}sterreich/"),
            Some("/a/O\u{308}sterreich".into())
        );
        assert_eq!(found("/a"), Some("/a".into()));
        for typed in ["/a/Osterreich", "/a/\u{d6}sterreich/Cafe.jpg", ""] {
            assert_eq!(found(typed), None, "{typed}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_stored_through_a_link_is_found_by_its_other_paths() {
        let (folder, mut store) = temp_store();
        let at = |name: &str| folder.path().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(at("disk/trip/day")).unwrap();
        std::fs::create_dir(at("album")).unwrap();
        let photo_at = |store: &mut _, path: &Path| put(store, path, &photo("a", vec![]));
        std::fs::write(at("disk/trip/day/1.jpg"), "").unwrap();
        std::os::unix::fs::symlink(at("disk/trip"), at("album/link")).unwrap();
        std::os::unix::fs::symlink(at("album"), at("short")).unwrap();
        photo_at(&mut store, &at("album/link/day/1.jpg"));
        let found = |typed: &str| store.find_path(&at(typed)).unwrap();
        // The same while the disk is away.
        for name in ["disk", "away"] {
            let _ = std::fs::rename(at("disk"), at(name));
            for (typed, stored) in [
                ("album/link/day/1.jpg", "album/link/day/1.jpg"),
                ("short/link/day/1.jpg", "album/link/day/1.jpg"),
                ("disk/trip/day/1.jpg", "album/link/day/1.jpg"),
                ("disk/trip/day", "album/link/day"),
                ("disk/trip", "album/link"),
                ("short", "album"),
            ] {
                assert_eq!(found(typed), Some(at(stored)), "{typed}, {name}");
            }
            assert_eq!(found("disk"), None);
        }
        std::fs::rename(at("away"), at("disk")).unwrap();
        // A photo at the target of the link has a path of its own.
        photo_at(&mut store, &at("disk/trip/day/1.jpg"));
        let found = store.find_path(&at("disk/trip/day/1.jpg")).unwrap();
        assert_eq!(found, Some(at("disk/trip/day/1.jpg")));
    }
}
