//! Reconciles a folder with the index: finds the differences between the files on disk and the
//! stored ones.

use std::iter::Peekable;
use std::path::{Path, PathBuf};

use crate::album::{AlbumFilter, FoundFile, ScanProblem, Visitor, roots_apart, scan};
use crate::error::{Error, Result};
use crate::file::{Difference, FileMeta, is_absent, is_gone};
use crate::mount::{MountsBefore, is_unmounted, may_return, mount_of};
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
    /// Those that are absent: each is empty, or a link that leads nowhere, or the folder in which it was mounted shows what else
    /// is in it. No file below them counts as gone.
    pub absent: Vec<PathBuf>,
    /// Whether the folder is empty although the index knows photos in it, as when a disk is not
    /// mounted, or was unmounted during the scan. Only set for a root; if it is set, no file counts as gone.
    pub is_offline: bool,
}

impl Plan {
    /// Takes a mount for absent, so that no file below it counts as gone.
    fn keep_below(&mut self, mount: PathBuf) {
        self.gone.retain(|path| !path.starts_with(&mount));
        if !self.absent.contains(&mount) {
            self.absent.push(mount);
        }
    }

    /// Takes the whole folder for absent, and a root with known photos for offline.
    fn keep_all(&mut self, is_root: bool) {
        self.is_offline = is_root && !self.gone.is_empty();
        self.gone.clear();
    }
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
    /// All roots. Those in the folder that its scan leaves out are compared by themselves, and none of their files counts as
    /// gone here.
    pub roots: &'a [PathBuf],
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
        let mut known_mounts = self.store.mounts_under(folder)?;
        let mut known_root = None;
        if self.is_root && known_mounts.first().is_some_and(|first| first == folder) {
            // An absent root has rules of its own.
            known_root = Some(known_mounts.remove(0));
        }
        if let Some(parent) = folder.parent() {
            mounts.enter(parent);
        }
        let apart = roots_apart(folder, self.roots, self.filter);
        let is_apart = |path: &Path| apart.iter().any(|root| path.starts_with(root));
        let mounts_apart: Vec<PathBuf> = known_mounts
            .extract_if(.., |mount| is_apart(mount))
            .collect();
        let plan = Plan {
            absent: self.absent(folder, known_root.as_deref(), &known_mounts)?,
            ..Plan::default()
        };
        let before = MountsBefore::of([folder.to_path_buf()]);
        let (mut plan, is_empty) = self.store.files_under(folder, self.models, |known| {
            let known: Known<'_> =
                &mut known.filter(|known| known.as_ref().map_or(true, |(path, _)| !is_apart(path)));
            let mut merge = Merge {
                plan,
                known: known.peekable(),
                reanalyse: self.reanalyse,
                mounts,
                on_folder,
                error: None,
            };
            let is_empty = scan(folder, self.filter, &mut merge);
            Ok((merge.end()?, is_empty))
        })?;
        // A disk may have been unmounted during the scan: then nothing below it counts as gone.
        for mount in self.absent(folder, known_root.as_deref(), &known_mounts)? {
            plan.keep_below(mount);
        }
        // A folder that has taken the place of its mount is one like others from now on.
        let is_mount =
            |root: &PathBuf| !is_unmounted(root) || is_absent(root) || plan.absent.contains(root);
        plan.mounts.extend(known_root.filter(is_mount));
        plan.mounts.extend_from_slice(&plan.absent);
        plan.mounts.extend(mounts_apart);
        plan.mounts.sort();
        plan.mounts.dedup();
        if before.have_changed_at(folder) || is_empty && self.is_root {
            plan.keep_all(self.is_root);
        }
        Ok(plan)
    }

    /// Those of the known mounts below `folder`, sorted by path, that are absent. A mount point or a link that was removed is
    /// no mount any more, unless it is on another mount that is absent; nor is one that the filter leaves out now. A `root`
    /// that is a mount is among them only if its folder is not empty.
    fn absent(
        &self,
        folder: &Path,
        root: Option<&Path>,
        known: &[PathBuf],
    ) -> Result<Vec<PathBuf>> {
        let mut absent: Vec<PathBuf> = Vec::new();
        if let Some(root) = root
            && !is_absent(root)
            && self.shows_another_folder(root)?
        {
            absent.push(root.to_path_buf());
        }
        for mount in known {
            if self.filter.passes_over(mount, folder) {
                continue;
            }
            let is_within = absent.iter().any(|outer| mount.starts_with(outer));
            if is_within
                || may_return(mount) && is_absent(mount) && self.store.has_files_below(mount)?
                || self.shows_another_folder(mount)?
            {
                absent.push(mount.clone());
            }
        }
        Ok(absent)
    }

    /// Whether nothing is mounted at a mount point, so that the files there are those of the folder below it, such as one that
    /// says so. If more of the files that are known below it are there than are missing, those of the mount were copied into
    /// this folder, which then has taken its place; a daemon may have seen each copy as it came.
    fn shows_another_folder(&self, mount: &Path) -> Result<bool> {
        if !is_unmounted(mount) {
            return Ok(false);
        }
        let (mut missing, mut present) = (0_u64, 0_u64);
        self.store.files_under(mount, self.models, |known| {
            for file in known {
                let (path, _) = file?;
                match path.metadata() {
                    Ok(_) => present += 1,
                    Err(error) => missing += u64::from(is_gone(&error)),
                }
            }
            Ok(())
        })?;
        Ok(missing > 0 && present <= missing)
    }
}

/// Finds the mounts among the folders of a scan: those on another file system than the folder that they are in.
#[derive(Debug, Default)]
struct Mounts {
    /// The folders from the outermost to the present one, with the mount of each.
    above: Vec<(PathBuf, u64)>,
    /// The mounts that were found, with their numbers.
    found: Vec<(PathBuf, u64)>,
}

impl Mounts {
    fn enter(&mut self, folder: &Path) {
        while self
            .above
            .pop_if(|(above, _)| !folder.starts_with(above))
            .is_some()
        {}
        let Some(here) = mount_of(folder) else {
            return;
        };
        if self.above.last().is_some_and(|(_, above)| *above != here) {
            self.found.push((folder.to_path_buf(), here));
        }
        self.above.push((folder.to_path_buf(), here));
    }
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

    /// Reads the rest of the index.
    fn end(mut self) -> Result<Plan> {
        self.catch_up(None);
        if let Some(error) = self.error {
            return Err(error);
        }
        let absent = &self.plan.absent;
        let is_link = |problem: &ScanProblem| absent.contains(&problem.path);
        self.plan.problems.retain(|problem| !is_link(problem));
        for (mount, number) in self.mounts.found {
            // After an unmount, the mount point has the mount above it, and a link leads nowhere.
            let is_same = |now| now == number;
            if !mount_of(&mount).map_or_else(|| !may_return(&mount), is_same) {
                self.plan.keep_below(mount.clone());
            }
            self.plan.mounts.push(mount);
        }
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
        let mut plan = merge.end()?;
        if is_empty {
            plan.keep_all(true);
        }
        Ok(plan)
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
