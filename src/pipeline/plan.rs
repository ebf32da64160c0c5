//! Reconciles a folder with the index: finds the differences between the files on disk and the
//! stored ones.

use std::iter::Peekable;
use std::path::{Path, PathBuf};

use crate::album::{AlbumFilter, FoundFile, ScanProblem, Visitor, scan};
use crate::error::{Error, Result};
use crate::file::{Difference, FileMeta, has_name, is_absent};
use crate::sidecar::{self, SidecarFile};
use crate::store::{KnownFile, Models, Store};

/// The differences between the files on disk and the index.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Files to read: new, changed, or analysed by other models.
    pub read: Vec<FoundFile>,
    /// Number of files that the index has in their current state.
    pub unchanged: u64,
    /// Number of files that are no photos by their names.
    pub passed_over: u64,
    /// Folders that are marked as no album.
    pub marked: Vec<PathBuf>,
    /// Unchanged files whose sidecars are new, changed or gone.
    pub sidecars: Vec<PathBuf>,
    /// Unchanged files whose ctime is not in the index yet.
    pub without_ctime: Vec<(PathBuf, FileMeta)>,
    /// Files of the index that no longer exist.
    pub gone: Vec<PathBuf>,
    /// Folders that could not be read.
    pub problems: Vec<ScanProblem>,
    /// The mounts at or below the folder, sorted by path: those that were found, and those that are absent.
    pub mounts: Vec<PathBuf>,
    /// Those that are absent: each is empty, or a link that leads nowhere. No file below them counts as gone.
    pub absent: Vec<PathBuf>,
    /// Whether the folder is empty although the index knows photos in it, as when a disk is not
    /// mounted. Only set for a root; if it is set, no file counts as gone.
    pub is_offline: bool,
}

/// Compares a folder with the index.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    /// The index.
    pub store: &'a Store,
    /// The models in use; files analysed by others are read again.
    pub models: &'a Models,
    /// Selects the files and folders to include.
    pub filter: &'a AlbumFilter,
    /// Whether the folder is a root, which may be a mount point.
    pub is_root: bool,
    /// Whether to read every file, even if the index is current.
    pub reanalyse: bool,
}

impl Comparison<'_> {
    /// Scans a folder and reads the index side by side, so that only the differences are in memory.
    /// `on_folder` is called for each folder before it is read.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn plan(&self, folder: &Path, on_folder: &mut dyn FnMut(&Path)) -> Result<Plan> {
        let mut mounts = Mounts::default();
        let mut absent = self.store.mounts_under(folder)?;
        if self.is_root {
            // An absent root has rules of its own.
            let is_known = absent.first().is_some_and(|first| first == folder);
            mounts.found.extend(is_known.then(|| absent.remove(0)));
        }
        if let Some(parent) = folder.parent() {
            mounts.enter(parent);
        }
        let absent = self.absent(folder, absent)?;
        let plan = Plan {
            absent,
            ..Plan::default()
        };
        self.store.files_under(folder, self.models, |known| {
            let mut merge = Merge {
                plan,
                known: known.peekable(),
                reanalyse: self.reanalyse,
                mounts,
                on_folder,
                error: None,
            };
            let is_empty = scan(folder, self.filter, &mut merge);
            merge.end(is_empty && self.is_root)
        })
    }

    /// Those of the known mounts below `folder`, sorted by path, that are absent. A mount point or a link that was removed is
    /// no mount any more, unless it is on another mount that is absent; nor is one that the filter leaves out now.
    fn absent(&self, folder: &Path, known: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
        let mut absent: Vec<PathBuf> = Vec::new();
        for mount in known {
            let is_below = mount != folder;
            if is_below && (!self.filter.admits(&mount) || self.filter.is_left_out(&mount, folder))
            {
                continue;
            }
            let is_within = absent.iter().any(|outer| mount.starts_with(outer));
            if is_within
                || has_name(&mount) && is_absent(&mount) && self.store.has_files_below(&mount)?
            {
                absent.push(mount);
            }
        }
        Ok(absent)
    }
}

/// Finds the mounts among the folders of a scan: those on another file system than the folder that they are in.
#[derive(Debug, Default)]
struct Mounts {
    /// The folders from the outermost to the present one, with the file system of each.
    above: Vec<(PathBuf, u64)>,
    found: Vec<PathBuf>,
}

impl Mounts {
    fn enter(&mut self, folder: &Path) {
        while self
            .above
            .pop_if(|(above, _)| !folder.starts_with(above))
            .is_some()
        {}
        let Some(here) = file_system(folder) else {
            return;
        };
        if self.above.last().is_some_and(|(_, above)| *above != here) {
            self.found.push(folder.to_path_buf());
        }
        self.above.push((folder.to_path_buf(), here));
    }
}

/// A number of the mounted file system of a folder; `None` if the folder cannot be read.
#[cfg(target_os = "linux")]
fn file_system(folder: &Path) -> Option<u64> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    // A folder that is mounted in another place has the device of that place, and a number of its own as a mount.
    let found = statx(CWD, folder, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
    if StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::MNT_ID) {
        return Some(found.stx_mnt_id);
    }
    Some(FileMeta::of(&folder.metadata().ok()?).device)
}

/// A number of the file system of a folder; `None` if the folder cannot be read.
#[cfg(not(target_os = "linux"))]
fn file_system(folder: &Path) -> Option<u64> {
    Some(FileMeta::of(&folder.metadata().ok()?).device)
}

type Known<'a> = &'a mut dyn Iterator<Item = Result<(PathBuf, KnownFile)>>;

/// Merges a scan with the files of the index, both in the order of the bytes of the paths.
struct Merge<'index, 'callback> {
    plan: Plan,
    known: Peekable<Known<'index>>,
    reanalyse: bool,
    mounts: Mounts,
    on_folder: &'callback mut dyn FnMut(&Path),
    /// The first error of reading the index.
    error: Option<Error>,
}

impl Merge<'_, '_> {
    /// Reads the index up to and including `path`, or to the end. Files that come before it and
    /// were not met by the scan are gone. Returns the index's entry for the path itself.
    fn catch_up(&mut self, path: Option<&Path>) -> Option<KnownFile> {
        loop {
            let is_due = |known: &Result<(PathBuf, KnownFile)>| match (known, path) {
                (Ok((known, _)), Some(path)) => {
                    known.as_os_str().as_encoded_bytes() <= path.as_os_str().as_encoded_bytes()
                }
                _ => true,
            };
            match self.known.next_if(is_due)? {
                Ok((known, file)) if path == Some(known.as_path()) => return Some(file),
                Ok((known, _)) => self.missing(known),
                Err(error) => {
                    self.error.get_or_insert(error);
                }
            }
        }
    }

    /// Records that a file of the index was not met by the scan. It is not gone if it lies in a
    /// folder that could not be read, or on a disk that is not mounted.
    fn missing(&mut self, path: PathBuf) {
        let problems = self.plan.problems.iter().map(|problem| &problem.path);
        let mut folders = problems.chain(&self.plan.absent);
        if !folders.any(|folder| path.starts_with(folder)) {
            self.plan.gone.push(path);
        }
    }

    fn end(mut self, is_empty: bool) -> Result<Plan> {
        self.catch_up(None);
        if let Some(error) = self.error {
            return Err(error);
        }
        if is_empty && !self.plan.gone.is_empty() {
            self.plan.gone.clear();
            self.plan.is_offline = true;
        }
        let absent = &self.plan.absent;
        let is_link = |problem: &ScanProblem| absent.contains(&problem.path);
        self.plan.problems.retain(|problem| !is_link(problem));
        let mut mounts = self.mounts.found;
        mounts.extend_from_slice(&self.plan.absent);
        mounts.sort();
        mounts.dedup();
        self.plan.mounts = mounts;
        Ok(self.plan)
    }
}

impl Visitor for Merge<'_, '_> {
    fn folder(&mut self, folder: &Path) {
        self.mounts.enter(folder);
        (self.on_folder)(folder);
    }

    fn marked(&mut self, folder: &Path) {
        self.plan.marked.push(folder.to_path_buf());
    }

    fn other(&mut self) {
        self.plan.passed_over += 1;
    }

    fn file(&mut self, file: FoundFile, sidecars: Vec<SidecarFile>) {
        match self.catch_up(Some(&file.path)) {
            Some(old)
                if !self.reanalyse
                    && old.is_current
                    && file.meta.difference(&old.meta) == Difference::None =>
            {
                self.plan.unchanged += 1;
                if sidecar::have_changed(&sidecars, &old.sidecars) {
                    self.plan.sidecars.push(file.path.clone());
                }
                if old.meta.ctime_ns == 0 && file.meta.ctime_ns != 0 {
                    self.plan.without_ctime.push((file.path, file.meta));
                }
            }
            _ => self.plan.read.push(file),
        }
    }

    fn problem(&mut self, problem: ScanProblem) {
        self.plan.problems.push(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Skip, SkipReason};

    fn meta(size: u64) -> FileMeta {
        FileMeta {
            size,
            mtime_ns: 1,
            ctime_ns: 1_700_000_000_123_456_789,
            inode: 2,
            device: 3,
        }
    }

    fn found(path: &str, size: u64) -> FoundFile {
        FoundFile {
            path: path.into(),
            meta: meta(size),
        }
    }

    fn known(path: &str, size: u64, is_current: bool) -> (PathBuf, KnownFile) {
        let meta = meta(size);
        let sidecars = Vec::new();
        let file = KnownFile {
            meta,
            is_current,
            sidecars,
        };
        (path.into(), file)
    }

    /// Compares a scan with an index.
    fn merged(
        index: impl IntoIterator<Item = Result<(PathBuf, KnownFile)>>,
        reanalyse: bool,
        scan: impl FnOnce(&mut dyn Visitor) -> bool,
    ) -> Result<Plan> {
        let mut index = index.into_iter();
        let known: Known<'_> = &mut index;
        let mut merge = Merge {
            plan: Plan::default(),
            known: known.peekable(),
            reanalyse,
            mounts: Mounts::default(),
            on_folder: &mut |_| {},
            error: None,
        };
        let is_empty = scan(&mut merge);
        merge.end(is_empty)
    }

    fn compared(reanalyse: bool) -> Plan {
        let index = [
            known("/a/changed", 1, true),
            known("/a/gone", 1, true),
            known("/a/locked.jpg", 1, true),
            known("/a/locked/x", 1, true),
            known("/a/same", 1, true),
            known("/a/stale", 1, false),
            known("/a/z", 1, true),
        ];
        let scan = |visitor: &mut dyn Visitor| {
            visitor.file(found("/a/changed", 2), Vec::new());
            visitor.problem(ScanProblem {
                path: "/a/locked".into(),
                skip: Skip::new(SkipReason::PermissionDenied, ""),
            });
            for name in ["new", "same", "stale"] {
                visitor.file(found(&format!("/a/{name}"), 1), Vec::new());
            }
            false
        };
        merged(index.map(Ok), reanalyse, scan).unwrap()
    }

    #[test]
    fn new_changed_and_stale_files_are_read_and_files_in_unreadable_folders_are_not_gone() {
        let plan = compared(false);
        let read = ["/a/changed", "/a/new", "/a/stale"].map(PathBuf::from);
        assert!(plan.read.iter().map(|file| &file.path).eq(&read));
        let gone = ["/a/gone", "/a/locked.jpg", "/a/z"].map(PathBuf::from);
        assert_eq!((plan.unchanged, plan.gone), (1, gone.into()));
    }

    #[test]
    fn the_option_again_reads_every_file() {
        let plan = compared(true);
        assert_eq!((plan.read.len(), plan.unchanged), (4, 0));
    }

    #[test]
    fn an_unchanged_file_is_not_read_for_its_sidecars_or_its_ctime() {
        let (path, mut old) = known("/a/1.jpg", 1, true);
        old.meta.ctime_ns = 0;
        let sidecar = |size: u64| SidecarFile {
            name: "1.xmp".into(),
            meta: meta(size),
        };
        let index = [Ok((path.clone(), old)), Ok(known("/a/2.jpg", 1, true))];
        let plan = merged(index, false, |visitor| {
            visitor.file(found("/a/1.jpg", 1), Vec::new());
            visitor.file(found("/a/2.jpg", 1), vec![sidecar(1)]);
            false
        });
        let expected = Plan {
            unchanged: 2,
            sidecars: vec!["/a/2.jpg".into()],
            without_ctime: vec![(path, meta(1))],
            ..Plan::default()
        };
        assert_eq!(plan.unwrap(), expected);
    }

    #[test]
    fn an_empty_root_with_known_photos_is_offline_and_nothing_is_gone() {
        let plan = merged([Ok(known("/a/1.jpg", 1, true))], false, |_| true).unwrap();
        assert!(plan.is_offline && plan.gone.is_empty());
        let plan = merged([], false, |_| true).unwrap();
        assert!(!plan.is_offline);
    }

    #[test]
    fn an_index_that_cannot_be_read_is_an_error() {
        let index = [
            Ok(known("/a/1", 1, true)),
            Err(Error::store(Path::new("db"), "the disk fails")),
        ];
        let read = |visitor: &mut dyn Visitor| {
            visitor.file(found("/a/2", 1), Vec::new());
            false
        };
        assert!(merged(index, false, read).is_err());
    }
}
