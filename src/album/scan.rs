//! Walking a folder.

use std::fs::{self, DirEntry, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

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
    /// Whether the folder holds nothing at all, as a mount point does while nothing is mounted.
    pub is_empty: bool,
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
        fs::read_dir(&root).map_err(|error| {
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
    Ok(scan_folder(&resolve_root(root)?, filter, &mut |_| {}))
}

/// Finds the pictures under an absolute path that is kept as it is. `on_folder` is told of each
/// folder before that is read: what appears in a folder that is watched from then on is either in
/// the answer or an event.
pub fn scan_folder(
    root: &Path,
    filter: &Filter,
    on_folder: &mut dyn FnMut(&Path),
) -> ScannedFolder {
    let mut walk = Walk {
        filter,
        on_folder,
        found: ScannedFolder {
            root: root.to_path_buf(),
            files: Vec::new(),
            problems: Vec::new(),
            is_empty: false,
        },
        above: Vec::new(),
    };
    match root.metadata() {
        Ok(metadata) if metadata.is_dir() => walk.folder(root),
        // A file that was named itself is looked at whatever its name is.
        Ok(metadata) if metadata.is_file() => walk.found.files.push(FoundFile {
            path: root.to_path_buf(),
            meta: FileMeta::of(&metadata),
        }),
        Ok(_) => {}
        Err(error) => walk.problem(root, &error),
    }
    walk.found
}

struct Walk<'a> {
    filter: &'a Filter,
    on_folder: &'a mut dyn FnMut(&Path),
    found: ScannedFolder,
    /// The links that the walk came through, without links: the folder with the link, and where
    /// it leads.
    above: Vec<(PathBuf, PathBuf)>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path) {
        (self.on_folder)(folder);
        let entries = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) => return self.problem(folder, &error),
        };
        if folder == self.found.root {
            self.found.is_empty = entries.is_empty();
        }
        let mut entries: Vec<_> = entries.into_iter().map(|e| (e.file_name(), e)).collect();
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (name, entry) in entries {
            let path = folder.join(name);
            if self.filter.admits(&path)
                && let Err(error) = self.entry(&path, &entry)
            {
                self.problem(&path, &error);
            }
        }
    }

    fn entry(&mut self, path: &Path, entry: &DirEntry) -> io::Result<()> {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            self.folder(path);
        } else if kind.is_file() && Filter::is_picture(path) {
            self.file(path, &entry.metadata()?);
        } else if kind.is_symlink() && self.filter.follow_symlinks {
            let metadata = path.metadata()?;
            if metadata.is_dir() {
                self.link(path)?;
            } else if metadata.is_file() && Filter::is_picture(path) {
                self.file(path, &metadata);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, metadata: &Metadata) {
        self.found.files.push(FoundFile {
            path: path.to_path_buf(),
            meta: FileMeta::of(metadata),
        });
    }

    /// Enters the folder behind a link, unless the walk is in it already.
    fn link(&mut self, path: &Path) -> io::Result<()> {
        let target = path.canonicalize()?;
        let parent = path.parent().unwrap_or(path).canonicalize()?;
        let mut first = self.found.root.canonicalize()?;
        self.above.push((parent, target.clone()));
        let is_loop = self.above.iter().any(|(last, next)| {
            let is_between = last.starts_with(&target) && target.starts_with(&first);
            first.clone_from(next);
            is_between
        });
        if !is_loop {
            self.folder(path);
        }
        self.above.pop();
        Ok(())
    }

    /// A dangling link is no problem, and what is gone by now is not there.
    fn problem(&mut self, path: &Path, error: &io::Error) {
        let reason = match error.kind() {
            ErrorKind::NotFound if path != self.found.root => return,
            ErrorKind::PermissionDenied => SkipReason::PermissionDenied,
            _ => SkipReason::Unreadable,
        };
        self.found.problems.push(ScanProblem {
            path: path.to_path_buf(),
            skip: Skip::new(reason, error.to_string()),
        });
    }
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

    #[cfg(unix)]
    #[test]
    fn two_folders_that_link_to_each_other_end() {
        let dir = tempfile::tempdir().unwrap();
        for (name, other) in [("a", "b"), ("b", "a")] {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join("1.jpg"), "x").unwrap();
            let target = dir.path().join(other);
            std::os::unix::fs::symlink(target, dir.path().join(name).join("other")).unwrap();
        }
        let found = scan(&dir.path().join("a"), &filter()).unwrap();
        assert_eq!(names(&found), ["1.jpg", "other/1.jpg"]);
    }

    #[test]
    fn every_folder_is_told_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::create_dir(dir.path().join("@eaDir")).unwrap();
        let mut told = 0;
        let found = scan_folder(dir.path(), &filter(), &mut |folder| {
            told += 1;
            fs::write(folder.join("late.jpg"), "x").unwrap();
        });
        assert_eq!(told, 3);
        let late = ["a/b/late.jpg", "a/late.jpg", "late.jpg"];
        assert_eq!(names(&found), late);
        assert!(!found.is_empty);
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
