//! Tells whether the file system in which a file or folder was found is still mounted there. After a disk was unplugged,
//! what was on it cannot be told from what was deleted by its path alone.

use std::path::{Path, PathBuf};

use crate::file::{FileMeta, has_name};

/// A number of the mounted file system in which a path is; if nothing is at the path, that of the innermost folder above it
/// that is there. `None` if there is none.
fn mount_at(path: &Path) -> Option<u64> {
    path.ancestors().find_map(mount_of)
}

/// Folders in which the system makes a mount point when a disk or share is mounted, and removes it afterwards, at most so
/// many levels below: udisks, `GVfs` and macOS do.
const AUTOMATIC: [(&str, usize); 4] = [
    ("/media", 2),
    ("/run/media", 2),
    ("/run/user", 2),
    ("/Volumes", 1),
];

/// Whether a mount that is absent may return at this path: its mount point is there, or the system will make it.
pub fn may_return(mount: &Path) -> bool {
    has_name(mount) || is_automatic(mount)
}

fn is_automatic(mount: &Path) -> bool {
    AUTOMATIC.iter().any(|(folder, levels)| {
        let below = mount.strip_prefix(folder);
        below.is_ok_and(|below| below.components().count() <= *levels)
    })
}

/// Whether nothing is mounted at a mount point: what is there belongs to the folder around it. Of a link this cannot be told.
pub fn is_unmounted(mount: &Path) -> bool {
    let around = mount.parent().and_then(mount_of);
    !mount.is_symlink() && around.is_some() && mount_of(mount) == around
}

/// The mounts in which some folders were at a moment.
#[derive(Debug)]
pub struct MountsBefore(Vec<(PathBuf, u64)>);

impl MountsBefore {
    /// The present mounts of those of these folders that are there.
    pub fn of(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let folders = folders.into_iter();
        Self(
            folders
                .filter_map(|folder| mount_of(&folder).map(|mount| (folder, mount)))
                .collect(),
        )
    }

    /// Whether the mount of one of these folders, at or above a path, is another one now.
    pub fn have_changed_at(&self, path: &Path) -> bool {
        let is_changed = |(folder, before): &(PathBuf, u64)| {
            path.starts_with(folder) && mount_at(folder) != Some(*before)
        };
        self.0.iter().any(is_changed)
    }
}

/// A number of the mounted file system of a folder; `None` if the folder cannot be read.
#[cfg(target_os = "linux")]
pub fn mount_of(folder: &Path) -> Option<u64> {
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
pub fn mount_of(folder: &Path) -> Option<u64> {
    Some(FileMeta::of(&folder.metadata().ok()?).device)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_has_the_mount_of_the_folder_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.jpg");
        assert_eq!(mount_of(&path), None);
        assert_eq!(mount_at(&path), mount_of(folder.path()));
        assert!(mount_at(&path).is_some());
    }

    #[test]
    fn a_mount_returns_where_its_mount_point_is_or_the_system_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(may_return(folder.path()));
        assert!(!may_return(&folder.path().join("disk")));
        assert!(may_return(Path::new("/run/media/nobody/DISK")));
        for path in ["/mediathek/DISK", "/media/nobody/DISK/album/link"] {
            assert!(!is_automatic(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn an_ordinary_folder_has_no_mount_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_unmounted(folder.path()));
        assert!(!is_unmounted(&folder.path().join("disk")));
        assert!(!is_unmounted(Path::new("/")));
    }

    #[test]
    fn mounts_have_changed_only_below_what_was_unmounted() {
        let folder = tempfile::tempdir().unwrap();
        let mounts = MountsBefore::of([folder.path().to_path_buf(), folder.path().join("none")]);
        assert!(!mounts.have_changed_at(&folder.path().join("a.jpg")));
        // As if another file system had been mounted at the folder.
        let other = MountsBefore(vec![(folder.path().to_path_buf(), u64::MAX)]);
        assert!(other.have_changed_at(&folder.path().join("b/a.jpg")));
        assert!(!other.have_changed_at(Path::new("/elsewhere/a.jpg")));
        // A folder that was deleted is on the same mount as before.
        let path = folder.path().to_path_buf();
        drop(folder);
        assert!(!mounts.have_changed_at(&path.join("a.jpg")));
    }
}
