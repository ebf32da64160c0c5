//! Walking a folder.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::Filter;
use crate::error::{Error, Result, Skip, SkipReason};
use crate::file::FileMeta;

/// A picture, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Absolute path.
    pub path: PathBuf,
    /// What the file system says of it.
    pub meta: FileMeta,
}

/// A folder or link that could not be looked into. What was known of the files below it stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanProblem {
    /// Absolute path.
    pub path: PathBuf,
    /// What the system says.
    pub skip: Skip,
}

/// What lies under a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedFolder {
    /// The folder, absolute and without links.
    pub root: PathBuf,
    /// Its pictures in order of path.
    pub files: Vec<FoundFile>,
    /// What could not be looked into.
    pub problems: Vec<ScanProblem>,
}

/// The folder or file `root`, absolute and without links.
///
/// # Errors
/// [`Error::Usage`] if it is not there or cannot be read.
pub fn resolve_root(root: &Path) -> Result<PathBuf> {
    let root = root.canonicalize().map_err(|error| {
        let path = root.display();
        Error::Usage(match error.kind() {
            ErrorKind::NotFound => format!("{path} is not there; name a folder of photos"),
            ErrorKind::PermissionDenied => format!("{path} may not be read; check its permissions"),
            _ => format!("{path} cannot be read: {error}"),
        })
    })?;
    if root.is_dir() {
        std::fs::read_dir(&root).map_err(|error| {
            Error::Usage(format!("{} may not be read: {error}", root.display()))
        })?;
    }
    Ok(root)
}

/// Finds the pictures under `root`, which may also be a single file.
///
/// Links are followed as the filter says; one that leads back to a folder above it is passed over.
///
/// # Errors
/// [`Error::Usage`] if `root` is not there or cannot be read.
pub fn scan(root: &Path, filter: &Filter) -> Result<ScannedFolder> {
    let mut found = ScannedFolder {
        root: resolve_root(root)?,
        files: Vec::new(),
        problems: Vec::new(),
    };
    let walk = WalkDir::new(&found.root)
        .follow_links(filter.follow_symlinks)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || filter.admits(entry.path()));
    for entry in walk {
        match entry {
            Ok(entry) if is_picture(&entry) => match entry.metadata() {
                Ok(metadata) => found.files.push(FoundFile {
                    meta: FileMeta::of(&metadata),
                    path: entry.into_path(),
                }),
                Err(error) => found.problems.extend(problem(&error)),
            },
            Ok(_) => {}
            Err(error) => found.problems.extend(problem(&error)),
        }
    }
    Ok(found)
}

/// A file that was named itself is looked at whatever its name is.
fn is_picture(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && (entry.depth() == 0 || Filter::is_picture(entry.path()))
}

/// A loop or a dangling link is no problem, and what is gone by now is not there.
fn problem(error: &walkdir::Error) -> Option<ScanProblem> {
    if error.loop_ancestor().is_some() {
        return None;
    }
    let path = error.path()?.to_path_buf();
    let kind = error.io_error().map(std::io::Error::kind);
    let reason = match kind {
        Some(ErrorKind::NotFound) => return None,
        Some(ErrorKind::PermissionDenied) => SkipReason::PermissionDenied,
        _ => SkipReason::Unreadable,
    };
    let detail = error
        .io_error()
        .map_or_else(|| error.to_string(), ToString::to_string);
    Some(ScanProblem {
        path,
        skip: Skip::new(reason, detail),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::album::FilterSettings;
    use std::fs;

    fn filter() -> Filter {
        let settings = FilterSettings {
            exclude: vec!["@eaDir".into()],
            follow_symlinks: true,
            ..FilterSettings::default()
        };
        Filter::new(&settings).unwrap()
    }

    fn names(found: &ScannedFolder) -> Vec<String> {
        let relative = |file: &FoundFile| {
            file.path
                .strip_prefix(&found.root)
                .unwrap()
                .display()
                .to_string()
        };
        found.files.iter().map(relative).collect()
    }

    #[test]
    fn pictures_are_found_in_order_and_the_rest_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            "b/2.JPG",
            "a.png",
            "b/1.heic",
            "b/notes.txt",
            "@eaDir/a.jpg",
            ".x/a.jpg",
        ] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let found = scan(dir.path(), &filter()).unwrap();
        assert_eq!(names(&found), ["a.png", "b/1.heic", "b/2.JPG"]);
        assert_eq!(found.problems, []);
        assert_eq!(found.files[0].meta.size, 1);
    }

    #[cfg(unix)]
    #[test]
    fn link_loops_end_and_dangling_links_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/1.jpg"), "x").unwrap();
        std::os::unix::fs::symlink("..", dir.path().join("a/up")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("a/2.jpg")).unwrap();
        std::os::unix::fs::symlink("1.jpg", dir.path().join("a/3.jpg")).unwrap();
        let found = scan(dir.path(), &filter()).unwrap();
        assert_eq!(names(&found), ["a/1.jpg", "a/3.jpg"]);
        assert_eq!(found.problems, []);
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_usage_error() {
        let error = scan(Path::new("/nowhere/at/all"), &filter()).unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{error}");
    }

    #[test]
    fn a_file_named_itself_is_taken() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(scan(file.path(), &filter()).unwrap().files.len(), 1);
    }
}
