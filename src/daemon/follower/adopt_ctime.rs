//! Adopts the new ctime of a file that was only renamed or whose attributes only changed, without reading the file.
//!
//! The system reports every close after a write. So a file of which it reported only a rename or a change of attributes
//! has the same content, although its ctime has changed. This holds only if no report of a close was lost or came under
//! another name. Therefore a ctime is adopted only in watched folders, only of files with one name, and not of links; and
//! after an overflow of the event queue, the files whose ctimes were adopted shortly before are read after all. Nor may
//! the file be queued: if the daemon were killed before reading it, the new ctime would hide the change.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Follower;
use crate::album::Readiness;
use crate::error::Result;
use crate::file::{Difference, FileMeta, has_one_name};

/// An adoption less than this long before an overflow was noticed is not relied on. This is far longer than a report
/// takes.
const DOUBTFUL: Duration = Duration::from_secs(10);

impl Follower {
    /// Adopts the status (ctime, inode and device) of the file at `path`, whose attributes changed or which was renamed
    /// to it, if nothing else can have happened to the file. Returns whether the status was adopted.
    pub(super) fn adopt(&mut self, path: &Path, metadata: &Metadata) -> Result<bool> {
        let meta = FileMeta::of(metadata);
        let Some(known) = self.store.known_file(path, &self.models)? else {
            return Ok(false);
        };
        let is_same_file = known.meta.ctime_ns != 0
            && (meta.inode, meta.device) == (known.meta.inode, known.meta.device)
            && meta.difference(&known.meta) == Difference::Status;
        let is_polled = self.polled.iter().any(|folder| path.starts_with(folder));
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        let has_other_names = is_link || !has_one_name(metadata);
        if !is_same_file || is_polled || has_other_names || self.queue.contains(path) {
            return Ok(false);
        }
        self.store.adopt_status(&[(path.to_path_buf(), meta)])?;
        let now = Instant::now();
        while let Some((when, _)) = self.adopted.front()
            && now.duration_since(*when) > DOUBTFUL
        {
            self.adopted.pop_front();
        }
        self.adopted.push_back((now, path.to_path_buf()));
        Ok(true)
    }

    /// Adopts the status of a file that was renamed from `from` to `to`, unless something else is known to have happened
    /// to the file. Its row already has the new path.
    pub(super) fn adopt_renamed(&mut self, from: &Path, to: &Path) -> Result<()> {
        // The rename itself was reported as one move from `from`.
        let was_quiet = self.debouncer.readiness(from) == Some(Readiness::Moved);
        match fs::metadata(to) {
            Ok(metadata) if metadata.is_file() && was_quiet && !self.queue.contains(from) => {
                self.adopt(to, &metadata).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Schedules a read of the files whose ctimes were adopted shortly before the event queue overflowed. Older ones may
    /// be among them, which costs only the read.
    pub(super) fn reread_adopted(&mut self) {
        for (_, path) in std::mem::take(&mut self.adopted) {
            self.note_path(&path, Readiness::Closed);
        }
    }

    /// The readiness of a file after a rename, from what is known of it under its old path `from`: if it was written to
    /// and not read yet, it is read under its new path.
    pub(super) fn readiness_after_rename(&self, from: &Path) -> Readiness {
        match self.debouncer.readiness(from) {
            Some(before) if before.was_written() => Readiness::Closed,
            _ => Readiness::Moved,
        }
    }
}
