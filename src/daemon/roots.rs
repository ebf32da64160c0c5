//! The folders that are followed, and whether they are there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::album::needs_polling;
use crate::file::FileMeta;

use super::RootState;

/// A folder that is followed.
#[derive(Debug)]
pub(super) struct Root {
    pub path: PathBuf,
    /// Device and inode of the folder when it was last scanned; `None` before, and while it is
    /// offline.
    pub identity: Option<(u64, u64)>,
    /// Whether changes in it have to be looked for.
    pub is_polled: bool,
    /// What `status` shows; `None` before it was looked at.
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

    /// Which folder lies there now; `None` if none does, or none that may be read.
    pub fn identify(&self) -> Option<(u64, u64)> {
        let metadata = self.path.metadata().ok()?;
        if metadata.is_dir() {
            fs::read_dir(&self.path).ok()?;
        }
        let meta = FileMeta::of(&metadata);
        Some((meta.device, meta.inode))
    }

    /// Whether another folder (or a disk) has come or gone since it was last scanned.
    pub fn has_changed(&self) -> bool {
        let now = self.identify();
        if self.is_offline() {
            // An empty folder that is filled is back as well as one that is mounted.
            return now.is_some() && !is_empty(&self.path);
        }
        now != self.identity
    }

    pub fn is_offline(&self) -> bool {
        self.state == Some(RootState::Offline)
    }

    /// The root was scanned.
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
    fn a_root_that_is_another_folder_now_has_changed() {
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
        assert!(!root.has_changed(), "it is still away");
        // The mount point without its disk.
        fs::create_dir(&path).unwrap();
        assert!(!root.has_changed());
        fs::write(path.join("1.jpg"), "x").unwrap();
        assert!(root.has_changed());
    }
}
