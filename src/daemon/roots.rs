//! Tells whether the roots that the daemon follows, and the mounts below them, are present or were replaced.

use std::fs;
use std::path::{Path, PathBuf};

use crate::album::needs_polling;
use crate::file::FileMeta;

use super::RootState;

/// A root that is followed, or a mount below one.
#[derive(Debug)]
pub(super) struct Root {
    pub path: PathBuf,
    /// Device and inode of the folder when it was last scanned; `None` before, and while a root is offline. Of a mount that is
    /// offline, those of the mount point.
    pub identity: Option<(u64, u64)>,
    /// Whether it is on a file system that does not report changes.
    pub is_polled: bool,
    /// What `status` shows; `None` before the first scan.
    pub state: Option<RootState>,
}

impl Root {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            identity: None,
            is_polled: false,
            state: None,
        }
    }

    /// Device and inode of what is at the path now; `None` if nothing is there, or a folder that cannot be read.
    pub fn identify(&self) -> Option<(u64, u64)> {
        let metadata = self.path.metadata().ok()?;
        if metadata.is_dir() {
            fs::read_dir(&self.path).ok()?;
        }
        let meta = FileMeta::of(&metadata);
        Some((meta.device, meta.inode))
    }

    /// Whether the folder was replaced, mounted or unmounted since it was last scanned.
    pub fn has_changed(&self) -> bool {
        let now = self.identify();
        if self.is_offline() {
            // An offline root is back once there is a folder that is not empty.
            return now.is_some() && now != self.identity && !is_empty(&self.path);
        }
        now != self.identity
    }

    pub fn is_offline(&self) -> bool {
        self.state == Some(RootState::Offline)
    }

    /// Records that the folder with this device and inode was scanned, and whether it has to be polled.
    pub fn scanned(&mut self, identity: (u64, u64)) {
        self.identity = Some(identity);
        self.is_polled = needs_polling(&self.path);
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_or_mounted_root_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("album");
        let mut root = Root::new(path.clone());
        assert_eq!(root.identify(), None);
        fs::create_dir(&path).unwrap();
        root.scanned(root.identify().unwrap());
        root.state = Some(RootState::Watching);
        assert!(!root.has_changed());

        fs::rename(&path, folder.path().join("away")).unwrap();
        assert!(root.has_changed());
        root.state = Some(RootState::Offline);
        assert!(!root.has_changed(), "it is still absent");
        // The mount point is there, without its disk.
        fs::create_dir(&path).unwrap();
        assert!(!root.has_changed());
        fs::write(path.join("1.jpg"), "x").unwrap();
        assert!(root.has_changed());
    }
}
