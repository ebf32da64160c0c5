//! Walking a folder.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
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

/// Is told what a scan comes across.
pub trait Visitor {
    /// A folder, before it is read: what appears in a folder that is watched from then on is
    /// either told of as well or an event.
    fn folder(&mut self, folder: &Path);

    /// A picture. They come in the order of the bytes of their paths.
    fn file(&mut self, file: FoundFile);

    /// Something that could not be looked into; told before any file that would come after it.
    fn problem(&mut self, problem: ScanProblem);
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

/// The folders without those that lie in another one, so that no file is met twice.
pub fn outermost(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    folders.sort();
    folders.dedup_by(|inner, outer| inner.starts_with(outer));
    folders
}

/// Finds the pictures under an absolute path, which may also be a single file. Whether it is a
/// folder that holds nothing at all, as a mount point does while nothing is mounted.
///
/// Links are followed as the filter says; one that leads back to a folder above it is passed over.
pub fn scan(root: &Path, filter: &Filter, visitor: &mut dyn Visitor) -> bool {
    let mut walk = Walk {
        root,
        filter,
        visitor,
        is_empty: false,
        above: Vec::new(),
    };
    match root.metadata() {
        Ok(metadata) if metadata.is_dir() => walk.folder(root),
        // A file that was named itself is looked at whatever its name is.
        Ok(metadata) if metadata.is_file() => walk.visitor.file(FoundFile {
            path: root.to_path_buf(),
            meta: FileMeta::of(&metadata),
        }),
        Ok(_) => {}
        Err(error) => walk.problem(root, &error),
    }
    walk.is_empty
}

struct Walk<'a> {
    root: &'a Path,
    filter: &'a Filter,
    visitor: &'a mut dyn Visitor,
    is_empty: bool,
    /// The links that the walk came through, without links: the folder with the link, and where
    /// it leads.
    above: Vec<(PathBuf, PathBuf)>,
}

/// What a folder holds.
enum Entry {
    File(FileMeta),
    Folder,
    /// A link to a folder.
    Link,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path) {
        self.visitor.folder(folder);
        let mut entries = match self.entries(folder) {
            Ok(entries) => entries,
            Err(error) => return self.problem(folder, &error),
        };
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (name, entry) in entries {
            match entry {
                Entry::File(meta) => self.visitor.file(FoundFile {
                    path: folder.join(name),
                    meta,
                }),
                Entry::Folder => self.folder(&without_slash(folder, &name)),
                Entry::Link => {
                    let path = without_slash(folder, &name);
                    if let Err(error) = self.link(&path) {
                        self.problem(&path, &error);
                    }
                }
            }
        }
    }

    /// What there is in a folder, by name; a folder's with a slash, for it sorts by what is in it.
    fn entries(&mut self, folder: &Path) -> io::Result<Vec<(OsString, Entry)>> {
        let mut entries = Vec::new();
        let mut is_empty = true;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            is_empty = false;
            let mut name = entry.file_name();
            match self.entry(folder, &name, &entry) {
                Ok(Some(entry)) => {
                    if !matches!(entry, Entry::File(_)) {
                        name.push(std::path::MAIN_SEPARATOR_STR);
                    }
                    entries.push((name, entry));
                }
                Ok(None) => {}
                Err(error) => self.problem(&folder.join(name), &error),
            }
        }
        self.is_empty |= is_empty && folder == self.root;
        Ok(entries)
    }

    fn entry(&self, folder: &Path, name: &OsStr, entry: &DirEntry) -> io::Result<Option<Entry>> {
        let kind = entry.file_type()?;
        let may_be_folder = kind.is_dir() || kind.is_symlink() && self.filter.follow_symlinks;
        // First what is quickly asked.
        let is_picture = Filter::is_picture(Path::new(name)) && !kind.is_dir();
        if !(may_be_folder || is_picture && kind.is_file()) {
            return Ok(None);
        }
        let path = folder.join(name);
        if !self.filter.admits(&path) {
            return Ok(None);
        }
        if kind.is_dir() {
            return Ok(Some(Entry::Folder));
        }
        let metadata = if kind.is_file() {
            entry.metadata()?
        } else {
            path.metadata()?
        };
        Ok(if metadata.is_dir() {
            Some(Entry::Link)
        } else {
            (is_picture && metadata.is_file()).then(|| Entry::File(FileMeta::of(&metadata)))
        })
    }

    /// Enters the folder behind a link, unless the walk is in it already.
    fn link(&mut self, path: &Path) -> io::Result<()> {
        let target = path.canonicalize()?;
        let parent = path.parent().unwrap_or(path).canonicalize()?;
        let mut first = self.root.canonicalize()?;
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
            ErrorKind::NotFound if path != self.root => return,
            ErrorKind::PermissionDenied => SkipReason::PermissionDenied,
            _ => SkipReason::Unreadable,
        };
        self.visitor.problem(ScanProblem {
            path: path.to_path_buf(),
            skip: Skip::new(reason, error.to_string()),
        });
    }
}

/// The path of a folder whose name has a slash at its end.
fn without_slash(parent: &Path, name: &OsStr) -> PathBuf {
    parent.join(name).components().collect()
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

    /// What a scan comes across, by its name in the folder.
    #[derive(Default)]
    struct Found {
        root: PathBuf,
        folders: usize,
        files: Vec<FoundFile>,
        problems: Vec<ScanProblem>,
        is_empty: bool,
        on_folder: Option<fn(&Path)>,
    }

    impl Visitor for Found {
        fn folder(&mut self, folder: &Path) {
            self.folders += 1;
            if let Some(act) = self.on_folder {
                act(folder);
            }
        }

        fn file(&mut self, file: FoundFile) {
            self.files.push(file);
        }

        fn problem(&mut self, problem: ScanProblem) {
            self.problems.push(problem);
        }
    }

    impl Found {
        fn of(root: &Path, on_folder: Option<fn(&Path)>) -> Self {
            let mut found = Self {
                root: root.to_path_buf(),
                on_folder,
                ..Self::default()
            };
            found.is_empty = scan(root, &filter(), &mut found);
            found
        }

        fn names(&self) -> Vec<&str> {
            let files = self.files.iter();
            files
                .map(|file| {
                    file.path
                        .strip_prefix(&self.root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                })
                .collect()
        }
    }

    #[test]
    fn pictures_are_found_in_order_and_the_rest_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            "b/2.JPG",
            "b.png",
            "b0.png",
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
        let found = Found::of(dir.path(), None);
        assert_eq!(
            found.names(),
            ["a.png", "b.png", "b/1.heic", "b/2.JPG", "b0.png"]
        );
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
        let found = Found::of(dir.path(), None);
        assert_eq!(found.names(), ["a/1.jpg", "a/3.jpg"]);
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
        let found = Found::of(&dir.path().join("a"), None);
        assert_eq!(found.names(), ["1.jpg", "other/1.jpg"]);
    }

    #[test]
    fn every_folder_is_told_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::create_dir(dir.path().join("@eaDir")).unwrap();
        let found = Found::of(
            dir.path(),
            Some(|folder| fs::write(folder.join("late.jpg"), "x").unwrap()),
        );
        assert_eq!(found.folders, 3);
        let late = ["a/b/late.jpg", "a/late.jpg", "late.jpg"];
        assert_eq!(found.names(), late);
        assert!(!found.is_empty);
    }

    #[test]
    fn an_empty_folder_is_told_from_one_in_which_nothing_counts() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Found::of(dir.path(), None).is_empty);
        fs::create_dir(dir.path().join("empty")).unwrap();
        assert!(!Found::of(dir.path(), None).is_empty);
    }

    #[test]
    fn folders_within_folders_are_met_once() {
        let folders = ["/b/c", "/a", "/b", "/b", "/bc"].map(PathBuf::from);
        assert_eq!(
            outermost(folders.into()),
            ["/a", "/b", "/bc"].map(PathBuf::from)
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_usage_error() {
        let path = Path::new("/nowhere/at/all");
        let error = resolve_root(path).unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{error}");
        assert_eq!(Found::of(path, None).problems[0].path, path);
    }

    #[test]
    fn a_file_named_itself_is_taken() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(Found::of(file.path(), None).files.len(), 1);
    }
}
