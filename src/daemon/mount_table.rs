//! Finds out where file systems were mounted or unmounted, which the system does not report to those who watch a folder.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The mounts that this process sees, as they were when the table was last read.
#[derive(Debug)]
pub(super) struct MountTable {
    /// `/proc/self/mountinfo`; `None` where the system has no such table.
    file: Option<File>,
    /// Mount ID and mount point of each.
    mounts: BTreeSet<(u32, PathBuf)>,
}

impl MountTable {
    pub fn open() -> Self {
        let mut table = Self {
            file: File::open("/proc/self/mountinfo").ok(),
            mounts: BTreeSet::new(),
        };
        table.mounts = table.read();
        table
    }

    /// The mount points at which something was mounted or unmounted since the last call. If the table has changed,
    /// according to the system, but reads as before, these are all mount points: one of them was unmounted and mounted
    /// again, and got the same mount ID.
    pub fn changed(&mut self) -> Vec<PathBuf> {
        if !self.has_changed() {
            return Vec::new();
        }
        let before = std::mem::take(&mut self.mounts);
        self.mounts = self.read();
        let mut changed: BTreeSet<&PathBuf> = before
            .symmetric_difference(&self.mounts)
            .map(|(_, point)| point)
            .collect();
        if changed.is_empty() {
            changed = before.iter().map(|(_, point)| point).collect();
        }
        changed.into_iter().cloned().collect()
    }

    /// Whether something was mounted or unmounted since the last call: the system reports it as a priority event on the
    /// open table (`proc_pid_mounts(5)`).
    fn has_changed(&self) -> bool {
        let Some(file) = &self.file else { return false };
        let mut files = [PollFd::new(file, PollFlags::PRI)];
        let at_once = Timespec::default();
        poll(&mut files, Some(&at_once)).is_ok_and(|events| events > 0)
    }

    fn read(&mut self) -> BTreeSet<(u32, PathBuf)> {
        let mut table = Vec::new();
        if let Some(file) = &mut self.file
            && (file.rewind().is_err() || file.read_to_end(&mut table).is_err())
        {
            return BTreeSet::new();
        }
        table
            .split(|byte| *byte == b'\n')
            .filter_map(mount)
            .collect()
    }
}

/// Mount ID and mount point in a line of `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`): its first and its fifth field.
fn mount(line: &[u8]) -> Option<(u32, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    Some((id, unescaped(fields.nth(3)?)))
}

/// Decodes a field in which spaces, tabs, line feeds and backslashes are written as three octal digits after a backslash.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let code =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_unescaped() {
        let line = br"36 35 98:0 /mnt1 /home/ada/My\040Pictures/a\134b rw,noatime master:1 - ext3 /dev/root rw";
        assert_eq!(mount(line), Some((36, "/home/ada/My Pictures/a\\b".into())));
        assert_eq!(mount(b""), None);
        assert_eq!(unescaped(br"/odd\04"), PathBuf::from(r"/odd\04"));
    }

    #[test]
    fn a_table_without_changes_has_no_changed_points() {
        let mut table = MountTable::open();
        assert!(!table.mounts.is_empty());
        assert_eq!(table.changed(), [] as [PathBuf; 0]);
    }
}
