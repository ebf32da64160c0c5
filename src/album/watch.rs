//! Following folders: what the system tells of changes, as few kinds of [`Change`].
//!
//! One watch per folder, set by the caller for the folders that its filter admits. Every watch
//! belongs to one queue of the kernel, so changes arrive in the order in which they happened; a
//! file made in any watched folder marks a moment in all of them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, TrySendError, bounded};
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::error::{Error, Result};

/// Changes that may wait to be looked at, as many as in the kernel's own queue; more of them, and the
/// folders are scanned instead.
const WAITING_CHANGES: usize = 16_384;

/// Something happened to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A file appeared or its attributes changed.
    Touched(PathBuf),
    /// A file is being written to.
    Written(PathBuf),
    /// A file was closed by who wrote to it.
    Closed(PathBuf),
    /// A folder appeared.
    NewFolder(PathBuf),
    /// A file or folder was moved here from where nobody watches, or to where nobody does, or it
    /// is gone.
    Moved(PathBuf),
    /// A file or folder has another name.
    Renamed {
        /// Its name before.
        from: PathBuf,
        /// Its name now.
        to: PathBuf,
    },
}

/// How a folder is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The system tells of changes.
    Watched,
    /// It has to be looked at from time to time.
    Polled,
}

/// Watches folders.
pub struct Watch {
    watcher: RecommendedWatcher,
    changes: Receiver<Change>,
    lost: Arc<AtomicBool>,
    watched: HashSet<PathBuf>,
    max_watches: usize,
}

impl Watch {
    /// Watches nothing yet, and in time at most `max_watches` folders; zero for half of what the
    /// system allows a user.
    ///
    /// # Errors
    /// When the system gives no watcher.
    pub fn new(max_watches: usize) -> Result<Self> {
        let (sender, changes) = bounded(WAITING_CHANGES);
        let lost = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&lost);
        let handler = move |event: notify::Result<Event>| {
            let event = event.unwrap_or_else(|error| {
                tracing::debug!(%error, "watching");
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
            Error::Usage(format!(
                "the file system cannot be watched ({error}); on Linux, raise \
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
            lost,
            watched: HashSet::new(),
            max_watches,
        })
    }

    /// The changes, in the order in which they happened.
    pub const fn changes(&self) -> &Receiver<Change> {
        &self.changes
    }

    /// Whether changes were lost since this was asked last: the folders have to be scanned.
    pub fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }

    /// Watches a folder (not those in it), if there may be one more. Watching it again does no
    /// harm, and is needed where another folder took its name.
    pub fn add(&mut self, folder: &Path) -> Followed {
        if !self.watched.contains(folder) && self.watched.len() >= self.max_watches {
            return Followed::Polled;
        }
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_path_buf());
                Followed::Watched
            }
            Err(error) => {
                if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) {
                    // Others need some as well: no more are taken.
                    self.max_watches = self.watched.len();
                }
                tracing::debug!(folder = %folder.display(), %error, "not watched");
                Followed::Polled
            }
        }
    }

    /// Stops watching a folder and all below it, as after a move.
    pub fn remove_tree(&mut self, folder: &Path) {
        if !self.watched.contains(folder) {
            return;
        }
        let below: Vec<_> = self
            .watched
            .extract_if(|watched| watched.starts_with(folder))
            .collect();
        for path in below {
            // An error says that it is not watched any more.
            let _ = self.watcher.unwatch(&path);
        }
    }

    /// How many folders are watched.
    pub fn count(&self) -> usize {
        self.watched.len()
    }
}

/// How many folders a user may watch.
fn system_limit() -> usize {
    fs::read_to_string("/proc/sys/fs/inotify/max_user_watches")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(usize::MAX)
}

/// Whether a path lies where the system tells nothing of changes that others make: on a network
/// share or in user space.
#[cfg(target_os = "linux")]
pub fn needs_polling(path: &Path) -> bool {
    // The magic numbers have 32 bits, the field has those of the platform.
    rustix::fs::statfs(path).is_ok_and(|fs| is_remote(fs.f_type as u32))
}

/// Whether a path lies where the system tells nothing of changes that others make.
#[cfg(not(target_os = "linux"))]
pub fn needs_polling(_: &Path) -> bool {
    false
}

/// Whether a file system of this magic number (`statfs(2)`) is changed from elsewhere.
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

/// What an event means here; `None` where nothing changed.
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
mod tests {
    use std::time::Duration;

    use super::*;

    fn next(watch: &Watch) -> Change {
        let wait = Duration::from_secs(20);
        watch.changes().recv_timeout(wait).expect("a change")
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn changes_arrive_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(0).unwrap();
        assert_eq!(watch.add(dir.path()), Followed::Watched);
        let [a, b, sub] = ["a.jpg", "b.jpg", "sub"].map(|name| dir.path().join(name));
        fs::write(&a, "x").unwrap();
        fs::rename(&a, &b).unwrap();
        fs::create_dir(&sub).unwrap();
        fs::remove_file(&b).unwrap();
        let expected = [
            Change::Touched(a.clone()),
            Change::Written(a.clone()),
            Change::Closed(a.clone()),
            Change::Moved(a.clone()),
            Change::Moved(b.clone()),
            Change::Renamed {
                from: a,
                to: b.clone(),
            },
            Change::NewFolder(sub),
            Change::Moved(b),
        ];
        for change in expected {
            assert_eq!(next(&watch), change);
        }
        assert!(!watch.take_lost());
    }

    #[test]
    fn more_folders_than_allowed_are_polled() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(1).unwrap();
        assert_eq!(watch.add(dir.path()), Followed::Watched);
        assert_eq!(watch.add(dir.path()), Followed::Watched);
        let sub = dir.path().join("sub");
        fs::create_dir(&sub).unwrap();
        assert_eq!(watch.add(&sub), Followed::Polled);
        watch.remove_tree(dir.path());
        assert_eq!(watch.count(), 0);
        assert_eq!(watch.add(&sub), Followed::Watched);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn shares_are_polled_and_disks_are_watched() {
        // As `stat -f -c %t` tells them: nfs, smb2, cifs, fuseblk (ntfs-3g), v9fs, ceph.
        for magic in [
            "6969", "fe534d42", "ff534d42", "65735546", "1021997", "c36400",
        ] {
            assert!(
                is_remote(u32::from_str_radix(magic, 16).unwrap()),
                "{magic}"
            );
        }
        // ext4, btrfs, xfs, tmpfs, overlayfs, f2fs, zfs, exfat, vfat.
        for magic in [
            "ef53", "9123683e", "58465342", "1021994", "794c7630", "f2f52010", "2fc12fc1",
            "2011bab0", "4d44",
        ] {
            assert!(
                !is_remote(u32::from_str_radix(magic, 16).unwrap()),
                "{magic}"
            );
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(!needs_polling(&dir.path().join("nowhere")));
    }
}
