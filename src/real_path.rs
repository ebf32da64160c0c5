//! Resolves the paths that people type: their symbolic links, and how each folder spells its names. On exFAT, FAT, NTFS and
//! other file systems one file answers to a name in capitals or not; the index knows it by the name that its folder lists,
//! which is the one that a scan meets.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use unicode_normalization::UnicodeNormalization as _;

use crate::file::FileMeta;

/// Most symbolic links that are followed in a path, as on Linux.
const MAX_LINKS: usize = 40;

/// The absolute path with its symbolic links resolved, whether or not there is something by that name: a link to a disk that
/// is not mounted leads to the same path as when it is.
///
/// # Errors
/// If the path is empty, or the current folder cannot be found out.
pub fn resolve_links(path: &Path) -> io::Result<PathBuf> {
    if let Ok(path) = path.canonicalize() {
        return Ok(path);
    }
    let mut rest = std::path::absolute(path)?;
    let mut resolved = PathBuf::new();
    let mut links = 0;
    loop {
        let mut components = rest.components();
        let Some(component) = components.next() else {
            return Ok(resolved);
        };
        let mut after = components.as_path().to_owned();
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            Component::RootDir | Component::Prefix(_) => resolved.push(component),
            Component::Normal(name) => {
                resolved.push(name);
                if links < MAX_LINKS
                    && let Ok(target) = fs::read_link(&resolved)
                {
                    links += 1;
                    resolved.pop();
                    after = target.join(after);
                }
            }
        }
        rest = after;
    }
}

/// The absolute path of what is at `path`, with symbolic links resolved and each name as its folder spells it. A name that
/// its folder does not list in any spelling stays as it was typed.
///
/// # Errors
/// Those of [`Path::canonicalize`]: nothing is there, or it may not be reached.
pub fn real_path(path: &Path) -> io::Result<PathBuf> {
    Ok(spelled(&path.canonicalize()?, &System))
}

/// As [`real_path`], whether or not there is something at the path; symbolic links that lead nowhere are resolved too.
///
/// # Errors
/// Those of [`resolve_links`].
pub fn meant_path(path: &Path) -> io::Result<PathBuf> {
    Ok(spelled(&resolve_links(path)?, &System))
}

/// What has to be known of the file system.
trait Disk {
    /// Device and inode number of what is at a path, without following a link; `None` if nothing is.
    fn identity(&self, path: &Path) -> Option<(u64, u64)>;
    /// The names that a folder lists; none if it may not be read.
    fn names(&self, folder: &Path) -> Vec<OsString>;
}

struct System;

impl Disk for System {
    fn identity(&self, path: &Path) -> Option<(u64, u64)> {
        let meta = FileMeta::of(&path.symlink_metadata().ok()?);
        Some((meta.device, meta.inode))
    }

    fn names(&self, folder: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).collect()
    }
}

/// The path with each name as its folder lists it.
fn spelled(path: &Path, disk: &impl Disk) -> PathBuf {
    let mut real = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                let name = listed(&real, name, disk).unwrap_or_else(|| name.to_owned());
                real.push(name);
            }
            other => real.push(other),
        }
    }
    real
}

/// The name that `folder` lists for what it has by `name`; `None` if that is `name` itself, or if none can be told.
fn listed(folder: &Path, name: &OsStr, disk: &impl Disk) -> Option<OsString> {
    let typed = name.to_str()?;
    let has = |other: &String| disk.identity(&folder.join(other)).is_some();
    // Most file systems distinguish spellings, and there the folder need not be listed.
    if !spellings(typed).iter().any(has) {
        return None;
    }
    let names = disk.names(folder);
    if names.iter().any(|listed| listed == name) {
        return None;
    }
    let folded = fold(typed);
    let is_same = |listed: &&OsString| listed.to_str().is_some_and(|text| fold(text) == folded);
    let mut same = names.iter().filter(is_same);
    if let (Some(only), None) = (same.next(), same.next()) {
        return Some(only.clone());
    }
    // A short name of FAT, such as `PRIVAT~1`, or a letter that this file system alone takes for another one. The numbers
    // come last, since file systems in user space may have one for every spelling.
    let wanted = disk.identity(&folder.join(name))?;
    let is_it = |listed: &&OsString| disk.identity(&folder.join(listed)) == Some(wanted);
    names.iter().find(is_it).cloned()
}

/// Other spellings of a name, which only some file systems take for the same: with small letters and capitals
/// exchanged, and with its accents composed and decomposed.
fn spellings(name: &str) -> Vec<String> {
    let mut others = vec![name.chars().map(exchanged).collect()];
    if !name.is_ascii() {
        others.extend([name.nfc().collect(), name.nfd().collect()]);
    }
    others.retain(|other| other != name);
    others
}

/// The small letter of a capital, and the other way round; other characters stay.
fn exchanged(letter: char) -> char {
    let other: Vec<char> = if letter.is_uppercase() {
        letter.to_lowercase().collect()
    } else {
        letter.to_uppercase().collect()
    };
    match other[..] {
        [single] => single,
        // Such as the two capitals of a sharp s.
        _ => letter,
    }
}

/// The name without regard to capitals and to how its accents are written.
fn fold(name: &str) -> String {
    name.nfd().flat_map(char::to_lowercase).nfd().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn links_lead_to_the_same_path_whether_or_not_something_is_there() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        fs::create_dir_all(at("disk/photos")).unwrap();
        fs::create_dir(at("home")).unwrap();
        symlink(at("disk"), at("data")).unwrap();
        symlink("../data/photos", at("home/Pictures")).unwrap();
        symlink("itself", at("itself")).unwrap();
        for _ in ["there", "away"] {
            for (typed, resolved) in [
                ("home/Pictures", "disk/photos"),
                ("home/Pictures/2019", "disk/photos/2019"),
                ("home/../home/Pictures/.", "disk/photos"),
                ("home/Pictures/..", "disk"),
                ("home/none", "home/none"),
                ("itself/a", "itself/a"),
            ] {
                assert_eq!(resolve_links(&at(typed)).unwrap(), at(resolved), "{typed}");
            }
            let _ = fs::rename(at("disk"), at("away"));
        }
        assert!(resolve_links(Path::new("")).is_err());
    }

    /// A file system that has these paths, and takes names for the same if `key` does.
    struct Simulated {
        paths: Vec<PathBuf>,
        key: fn(&str) -> String,
        /// Whether each spelling has an inode number of its own, as with FUSE.
        numbers_spellings: bool,
        /// Second names, which no folder lists.
        short: Vec<(&'static str, &'static str)>,
    }

    impl Simulated {
        fn new(key: fn(&str) -> String, paths: &[&str]) -> Self {
            let mut all: Vec<PathBuf> = Vec::new();
            for path in paths {
                all.extend(Path::new(path).ancestors().map(Path::to_path_buf));
            }
            all.sort();
            all.dedup();
            Self {
                paths: all,
                key,
                numbers_spellings: true,
                short: Vec::new(),
            }
        }
    }

    impl Disk for Simulated {
        fn identity(&self, path: &Path) -> Option<(u64, u64)> {
            let mut text = path.to_str()?.to_owned();
            for (short, long) in &self.short {
                if (self.key)(&text) == (self.key)(short) {
                    (*long).clone_into(&mut text);
                }
            }
            let key = (self.key)(&text);
            let is_it = |known: &PathBuf| (self.key)(known.to_str().unwrap()) == key;
            let number = self.paths.iter().position(is_it)? as u64;
            let spelling = path.to_str()?.bytes().map(u64::from).sum::<u64>();
            Some((
                1,
                number
                    + if self.numbers_spellings {
                        1000 * spelling
                    } else {
                        0
                    },
            ))
        }

        fn names(&self, folder: &Path) -> Vec<OsString> {
            let key = |path: &Path| (self.key)(path.to_str().unwrap());
            let is_in =
                |path: &&PathBuf| path.parent().is_some_and(|above| key(above) == key(folder));
            let paths = self.paths.iter().filter(is_in);
            paths
                .filter_map(|path| Some(path.file_name()?.to_owned()))
                .collect()
        }
    }

    #[test]
    fn a_name_in_another_case_is_spelled_as_its_folder_lists_it() {
        let card = Simulated::new(
            fold,
            &["/card/DCIM/Private/IMG_1.JPG", "/card/DCIM/Über mich/a.jpg"],
        );
        for (typed, listed) in [
            ("/card/dcim/private", "/card/DCIM/Private"),
            (
                "/CARD/dcim/PRIVATE/img_1.jpg",
                "/card/DCIM/Private/IMG_1.JPG",
            ),
            (
                "/card/DCIM/Private/IMG_1.JPG",
                "/card/DCIM/Private/IMG_1.JPG",
            ),
            (
                "/card/dcim/U\u{308}BER MICH/A.jpg",
                "/card/DCIM/Über mich/a.jpg",
            ),
            ("/card/nowhere/img_1.jpg", "/card/nowhere/img_1.jpg"),
        ] {
            assert_eq!(
                spelled(Path::new(typed), &card),
                Path::new(listed),
                "{typed}"
            );
        }
    }

    #[test]
    fn names_that_differ_in_case_stay_apart_where_the_file_system_distinguishes_them() {
        let disk = Simulated::new(
            str::to_owned,
            &["/a/Trip/1.jpg", "/a/tRIP/1.jpg", "/a/trip/1.jpg"],
        );
        for typed in ["/a/Trip/1.jpg", "/a/tRIP/1.jpg", "/a/trip"] {
            assert_eq!(spelled(Path::new(typed), &disk), Path::new(typed));
        }
    }

    #[test]
    fn a_short_name_is_found_by_its_number() {
        let disk = Simulated {
            numbers_spellings: false,
            short: vec![("/card/PRIVAT~1", "/card/Private photos")],
            ..Simulated::new(fold, &["/card/Private photos/1.jpg", "/card/other/1.jpg"])
        };
        let real = spelled(Path::new("/card/privat~1"), &disk);
        assert_eq!(real, Path::new("/card/Private photos"));
    }

    #[test]
    fn a_path_on_this_disk_is_the_one_that_the_system_gives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("Some Folder");
        fs::create_dir(&path).unwrap();
        assert_eq!(real_path(&path).unwrap(), path);
        assert!(real_path(&path.join("nothing")).is_err());
    }
}
