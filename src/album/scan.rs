//! Walks a folder and lists the files in it that may be photos, in the order of their paths.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{AlbumFilter, FileKind};
use crate::error::{Error, Result, Skip, SkipReason};
use crate::file::{FileMeta, is_gone};
use crate::real_path::real_path;
use crate::sidecar::{self, SidecarFile, SidecarFolder};

/// A file that may be a photo by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Its size, times and inode.
    pub meta: FileMeta,
}

/// A folder, file or link that could not be read. The rows of the files below it stay in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanProblem {
    /// Absolute path.
    pub path: PathBuf,
    /// The error of the system.
    pub skip: Skip,
}

/// Receives what a scan finds.
pub trait Visitor {
    /// A folder, before it is read. If the visitor watches it now, a file that appears later is either
    /// found by the scan or reported as a change.
    fn folder(&mut self, folder: &Path);

    /// A folder that is marked as no album, after [`folder`](Self::folder) and instead of what is in it.
    fn marked(&mut self, _folder: &Path) {}

    /// A file that may be a photo, with its sidecars sorted by name. Files come in the order of the bytes of their
    /// paths.
    fn file(&mut self, file: FoundFile, sidecars: Vec<SidecarFile>);

    /// A file that is neither a photo nor a sidecar by its name. Hidden files are not reported.
    fn other(&mut self) {}

    /// Something that could not be read; it comes before all files that sort after it.
    fn problem(&mut self, problem: ScanProblem);
}

/// The absolute path of the folder or file `root`, with symbolic links resolved and each name as its folder spells it.
///
/// # Errors
/// [`Error::Usage`] if it does not exist or cannot be read.
pub fn resolve_root(root: &Path) -> Result<PathBuf> {
    let root = real_path(root).map_err(|error| {
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
    } else if !root.is_file() {
        return Err(Error::Usage(format!(
            "{} is neither a folder nor a file; name a folder of photos",
            root.display()
        )));
    }
    Ok(root)
}

/// Removes folders that lie in another folder of the list and sorts the rest, so that no file is found twice.
pub fn outermost(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    folders.sort();
    folders.dedup_by(|inner, outer| inner.starts_with(outer));
    folders
}

/// Removes folders that a scan of another folder of the list reaches, and sorts the rest. A folder that lies in another one
/// which leaves it out, by its name or a marker, is a root of its own: whoever names it wants its photos.
pub fn separate_roots(mut folders: Vec<PathBuf>, filter: &AlbumFilter) -> Vec<PathBuf> {
    folders.sort();
    let mut roots: Vec<PathBuf> = Vec::new();
    for folder in folders {
        // The last one that contains it is the innermost.
        let around = roots.iter().rfind(|root| folder.starts_with(root));
        if around.is_none_or(|root| filter.passes_over(&folder, root)) {
            roots.push(folder);
        }
    }
    roots
}

/// Those of these roots that lie in `folder` and that a scan of it leaves out.
pub fn roots_apart(folder: &Path, roots: &[PathBuf], filter: &AlbumFilter) -> Vec<PathBuf> {
    let is_apart = |root: &&PathBuf| root.starts_with(folder) && filter.passes_over(root, folder);
    roots.iter().filter(is_apart).cloned().collect()
}

/// Finds the files below an absolute path that may be photos; the path may also be that of a single file. Returns
/// whether the path is an empty folder, like a mount point on which nothing is mounted.
///
/// The filter decides whether symbolic links are followed; a link to a folder above it is ignored.
pub fn scan(root: &Path, filter: &AlbumFilter, visitor: &mut dyn Visitor) -> bool {
    let mut walk = Walk {
        root,
        filter,
        visitor,
        is_empty: false,
        above: Vec::new(),
        sidecar_folder: SidecarFolder::default(),
    };
    match root.metadata() {
        Ok(metadata) if metadata.is_dir() => walk.folder(root),
        // A file that is the root is admitted whatever its name is.
        Ok(metadata) if metadata.is_file() && !filter.is_database(root) => walk.visitor.file(
            FoundFile {
                path: root.to_path_buf(),
                meta: FileMeta::of(&metadata),
            },
            sidecar::find(root),
        ),
        Ok(_) => {}
        Err(error) => walk.problem(root, &error),
    }
    walk.is_empty
}

/// Whether a path is a symbolic link to the folder that contains it, or to one above; a scan from above ignores it.
pub fn leads_above(path: &Path) -> bool {
    let leads = || -> io::Result<bool> {
        let parent = path.parent().unwrap_or(path);
        Ok(path.is_symlink() && parent.canonicalize()?.starts_with(path.canonicalize()?))
    };
    leads().unwrap_or(false)
}

struct Walk<'a> {
    root: &'a Path,
    filter: &'a AlbumFilter,
    visitor: &'a mut dyn Visitor,
    is_empty: bool,
    /// The links that led to the present folder, outermost first: for each the folder that has the link and
    /// its target, both resolved.
    above: Vec<(PathBuf, PathBuf)>,
    /// The photos and sidecars in the folder that was listed last.
    sidecar_folder: SidecarFolder,
}

/// An entry of a folder.
enum Entry {
    File(FileMeta),
    Folder,
    /// A link to a folder.
    Link,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path) {
        self.visitor.folder(folder);
        if self.filter.is_marked(folder) {
            return self.visitor.marked(folder);
        }
        let mut entries = match self.entries(folder) {
            Ok(entries) => entries,
            Err(error) => return self.problem(folder, &error),
        };
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let sidecar_folder = std::mem::take(&mut self.sidecar_folder);
        for (name, entry) in entries {
            match entry {
                Entry::File(meta) => {
                    let path = folder.join(&name);
                    let sidecars = sidecar_folder.sidecars_of(&name);
                    self.visitor.file(FoundFile { path, meta }, sidecars);
                }
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

    /// The admitted entries of a folder by name. The names of folders end with a slash, so that they sort by
    /// the paths of the files in them.
    fn entries(&mut self, folder: &Path) -> io::Result<Vec<(OsString, Entry)>> {
        let mut entries = Vec::new();
        let mut is_empty = true;
        let follows_links = self.filter.follows_links_of(folder, self.root);
        self.sidecar_folder = SidecarFolder::new(folder);
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            is_empty = false;
            let mut name = entry.file_name();
            self.sidecar_folder.add(&name);
            match self.entry(folder, &name, &entry, follows_links) {
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

    fn entry(
        &mut self,
        folder: &Path,
        name: &OsStr,
        entry: &DirEntry,
        follows_links: bool,
    ) -> io::Result<Option<Entry>> {
        let kind = entry.file_type()?;
        let may_be_folder = kind.is_dir() || kind.is_symlink() && follows_links;
        // The cheap checks come first.
        let may_be_photo = !kind.is_dir() && FileKind::of(Path::new(name)).may_be_photo();
        if !(may_be_folder || may_be_photo && kind.is_file()) {
            let is_sidecar = sidecar::is_sidecar(Path::new(name));
            if kind.is_file() && !is_sidecar && self.filter.shows(name) {
                self.visitor.other();
            }
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
            (may_be_photo && metadata.is_file()).then(|| Entry::File(FileMeta::of(&metadata)))
        })
    }

    /// Enters the folder that a link leads to, unless it contains the present folder.
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

    /// Reports an error, except that of a link that leads nowhere or of an entry that was removed meanwhile.
    fn problem(&mut self, path: &Path, error: &io::Error) {
        if is_gone(error) && path != self.root {
            return;
        }
        let reason = match error.kind() {
            ErrorKind::PermissionDenied => SkipReason::PermissionDenied,
            _ => SkipReason::Unreadable,
        };
        self.visitor.problem(ScanProblem {
            path: path.to_path_buf(),
            skip: Skip::new(reason, error.to_string()),
        });
    }
}

/// Joins a parent and the name of a folder that ends with a slash, without the slash.
fn without_slash(parent: &Path, name: &OsStr) -> PathBuf {
    parent.join(name).components().collect()
}

#[cfg(test)]
mod tests;
