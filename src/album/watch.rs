//! Watches folders through the system's notifications and reduces these to a few kinds of [`Change`].
//!
//! The caller adds one watch for each folder that its filter admits. All watches share one queue of the
//! kernel, so changes arrive in the order in which they happened, also across folders.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, TrySendError, bounded};
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::error::{Error, Result};

/// Capacity of the queue of changes, the same as that of the kernel's queue. When it overflows, the folders
/// have to be scanned.
const CHANGE_CAPACITY: usize = 16_384;

/// A change to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A file appeared or its attributes changed.
    Touched(PathBuf),
    /// A file is being written to.
    Written(PathBuf),
    /// A file that was open for writing was closed.
    Closed(PathBuf),
    /// A folder appeared.
    NewFolder(PathBuf),
    /// A file or folder was moved here from an unwatched folder, moved away, or removed.
    Moved(PathBuf),
    /// A file or folder was renamed, or moved between watched folders.
    Renamed {
        /// Its old path.
        from: PathBuf,
        /// Its new path.
        to: PathBuf,
    },
}

impl Change {
    /// The paths that changed: one, or the old and the new one of a rename.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let (first, second) = match self {
            Self::Touched(path)
            | Self::Written(path)
            | Self::Closed(path)
            | Self::NewFolder(path)
            | Self::Moved(path) => (path, None),
            Self::Renamed { from, to } => (from, Some(to)),
        };
        [first].into_iter().chain(second).map(PathBuf::as_path)
    }

    /// The same change of an entry under another of its paths.
    fn under(&self, path: PathBuf) -> Self {
        match self {
            Self::Touched(_) => Self::Touched(path),
            Self::Written(_) => Self::Written(path),
            Self::Closed(_) => Self::Closed(path),
            Self::NewFolder(_) => Self::NewFolder(path),
            Self::Moved(_) | Self::Renamed { .. } => Self::Moved(path),
        }
    }
}

/// Identifies a folder independently of its path: device and inode.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(folder: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = folder.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}

/// How a folder is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The system reports changes in it.
    Watched,
    /// It has to be scanned at intervals.
    Polled,
}

/// Watches folders.
pub struct Watch {
    watcher: RecommendedWatcher,
    changes: Receiver<Change>,
    overflowed: Arc<AtomicBool>,
    watched: HashMap<PathBuf, Option<Identity>>,
    /// The watched paths of each folder. Symbolic links may lead to one folder by several paths, for which the
    /// system has one watch: it reports changes under the path that was added last.
    paths: HashMap<Identity, Vec<PathBuf>>,
    /// Folders whose watch was made anew, so that changes in them may have been lost.
    missed: Vec<PathBuf>,
    max_watches: usize,
}

impl Watch {
    /// Creates a watcher for at most `max_watches` folders; zero stands for half of the system's limit per
    /// user. No folder is watched yet.
    ///
    /// # Errors
    /// When the system cannot create a watcher.
    pub fn new(max_watches: usize) -> Result<Self> {
        let (sender, changes) = bounded(CHANGE_CAPACITY);
        let overflowed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&overflowed);
        let handler = move |event: notify::Result<Event>| {
            let event = event.unwrap_or_else(|error| {
                tracing::debug!(%error, "the watcher reported an error");
                Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan)
            });
            if event.need_rescan() {
                flag.store(true, Ordering::Release);
            }
            if let Some(change) = change(event)
                && let Err(TrySendError::Full(_)) = sender.try_send(change)
            {
                flag.store(true, Ordering::Release);
            }
        };
        let watcher = notify::recommended_watcher(handler).map_err(|error| {
            Error::WatchLimit(format!(
                "the system cannot watch folders ({error}); on Linux, raise \
                 fs.inotify.max_user_instances"
            ))
        })?;
        let max_watches = match max_watches {
            0 => system_limit() / 2,
            limit => limit,
        };
        Ok(Self {
            watcher,
            changes,
            overflowed,
            watched: HashMap::new(),
            paths: HashMap::new(),
            missed: Vec::new(),
            max_watches,
        })
    }

    /// The changes, in the order in which they happened.
    pub const fn changes(&self) -> &Receiver<Change> {
        &self.changes
    }

    /// Whether changes were lost since the last call, in which case the folders have to be scanned.
    pub fn take_overflow(&self) -> bool {
        self.overflowed.swap(false, Ordering::AcqRel)
    }

    /// The folders in which changes may have been lost since the last call, if not in all; these have to be scanned.
    pub fn take_missed(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.missed)
    }

    /// Watches a folder, but not the folders in it, unless the limit is reached. A folder may be added again, and must
    /// be if another folder, or a link to another one, has taken its name.
    pub fn add(&mut self, folder: &Path) -> Followed {
        let leads_elsewhere = |known: &Option<Identity>| *known != identity(folder);
        if self.watched.get(folder).is_some_and(leads_elsewhere) {
            // The system still reports the changes of the old folder, under this path.
            self.remove_where(|watched| watched.starts_with(folder));
        }
        if !self.watched.contains_key(folder) && self.watched.len() >= self.max_watches {
            return Followed::Polled;
        }
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.forget(folder);
                let identity = identity(folder);
                self.watched.insert(folder.to_path_buf(), identity);
                if let Some(identity) = identity {
                    self.paths
                        .entry(identity)
                        .or_default()
                        .push(folder.to_path_buf());
                }
                Followed::Watched
            }
            Err(error) => {
                if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) {
                    // The rest of the system's limit is left to other programs.
                    self.max_watches = self.watched.len();
                }
                tracing::debug!(folder = %folder.display(), %error, "the folder is polled instead");
                Followed::Polled
            }
        }
    }

    /// Stops watching a folder and all folders below it, as after a move.
    pub fn remove_tree(&mut self, folder: &Path) {
        if self.watched.contains_key(folder) {
            self.remove_where(|watched| watched.starts_with(folder));
        }
    }

    /// Stops watching all folders below a folder, but not the folder itself.
    pub fn remove_below(&mut self, folder: &Path) {
        self.remove_where(|watched| watched != folder && watched.starts_with(folder));
    }

    fn remove_where(&mut self, is_removed: impl Fn(&Path) -> bool) {
        let removed: Vec<PathBuf> = self
            .watched
            .keys()
            .filter(|watched| is_removed(watched))
            .cloned()
            .collect();
        let mut others = Vec::new();
        for path in removed {
            // It fails if the folder is not watched any more.
            let _ = self.watcher.unwatch(&path);
            others.extend(self.forget(&path));
        }
        // The system has ended its only watch of a folder that other paths lead to, and drops what it has not reported.
        for path in others {
            if self.watched.contains_key(&path) {
                self.add(&path);
                self.missed.push(path);
            }
        }
    }

    /// Forgets a watched path; returns another watched path of the same folder, if there is one.
    fn forget(&mut self, folder: &Path) -> Option<PathBuf> {
        let identity = self.watched.remove(folder)??;
        let paths = self.paths.get_mut(&identity)?;
        paths.retain(|path| path != folder);
        let other = paths.last().cloned();
        if other.is_none() {
            self.paths.remove(&identity);
        }
        other
    }

    /// The same change under the other watched paths that lead to its folder.
    pub fn under_other_paths(&self, change: &Change) -> Vec<Change> {
        let mut others = Vec::new();
        for path in change.paths() {
            let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
                continue;
            };
            let Some(Some(identity)) = self.watched.get(folder) else {
                continue;
            };
            let paths = self.paths.get(identity).into_iter().flatten();
            let aliases = paths.filter(|other| *other != folder);
            others.extend(aliases.map(|other| change.under(other.join(name))));
        }
        others
    }

    /// Number of watched folders.
    pub fn count(&self) -> usize {
        self.watched.len()
    }
}

/// The system's limit of watched folders per user.
fn system_limit() -> usize {
    fs::read_to_string("/proc/sys/fs/inotify/max_user_watches")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(usize::MAX)
}

/// Whether a path lies on a file system that does not report the changes of other machines or processes:
/// a network share or a file system in user space.
#[cfg(target_os = "linux")]
pub fn needs_polling(path: &Path) -> bool {
    // The magic numbers have 32 bits; the width of the field depends on the platform.
    rustix::fs::statfs(path).is_ok_and(|fs| is_remote(fs.f_type as u32))
}

/// Whether a path lies on a file system that does not report all changes; unknown on this platform.
#[cfg(not(target_os = "linux"))]
pub fn needs_polling(_: &Path) -> bool {
    false
}

/// Whether `magic` (`statfs(2)`) is the number of a network file system or of one in user space.
#[cfg(target_os = "linux")]
const fn is_remote(magic: u32) -> bool {
    matches!(
        magic,
        0x6969 // NFS
            | 0x517b // SMB
            | 0xff53_4d42 // CIFS
            | 0xfe53_4d42 // SMB 2
            | 0x6573_5546 // FUSE
            | 0x0102_1997 // 9P
            | 0x00c3_6400 // Ceph
            | 0x5346_414f // AFS
    )
}

/// Translates an event; `None` if it changes nothing.
fn change(event: Event) -> Option<Change> {
    let mut paths = event.paths.into_iter();
    let path = paths.next()?;
    Some(match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Change::Closed(path),
        EventKind::Access(_) => return None,
        EventKind::Create(CreateKind::Folder) => Change::NewFolder(path),
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => Change::Renamed {
            from: path,
            to: paths.next()?,
        },
        EventKind::Modify(ModifyKind::Name(_)) | EventKind::Remove(_) => Change::Moved(path),
        EventKind::Modify(ModifyKind::Data(_)) => Change::Written(path),
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => {
            Change::Touched(path)
        }
    })
}

#[cfg(test)]
mod tests;
