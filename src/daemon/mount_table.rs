//! Notices where something was mounted or unmounted: the system reports neither to those who watch a folder.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// The mounts of this process, as they were at the last look.
#[derive(Debug)]
pub(super) struct MountTable {
    /// Number and mount point of each.
    mounts: BTreeSet<(u32, PathBuf)>,
}

impl MountTable {
    pub fn read() -> Self {
        Self { mounts: current() }
    }

    /// The mount points at which something was mounted or unmounted since the last call.
    pub fn changed(&mut self) -> Vec<PathBuf> {
        let before = std::mem::replace(&mut self.mounts, current());
        let changed = before.symmetric_difference(&self.mounts);
        let mut points: Vec<PathBuf> = changed.map(|(_, point)| point.clone()).collect();
        points.dedup();
        points
    }
}

/// Empty where the system has no such table.
fn current() -> BTreeSet<(u32, PathBuf)> {
    let table = std::fs::read(Path::new("/proc/self/mountinfo")).unwrap_or_default();
    table
        .split(|byte| *byte == b'\n')
        .filter_map(mount)
        .collect()
}

/// Number and mount point in a line of `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`): its first and its fifth field.
fn mount(line: &[u8]) -> Option<(u32, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let number = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    Some((number, unescaped(fields.nth(3)?)))
}

/// Spaces, tabs, line feeds and backslashes are written as three octal digits after a backslash.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..3).filter(|_| *first == b'\\');
        let code =
            code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_every_character() {
        let line = br"36 35 98:0 /mnt1 /home/ada/My\040Pictures/a\134b rw,noatime master:1 - ext3 /dev/root rw";
        assert_eq!(mount(line), Some((36, "/home/ada/My Pictures/a\\b".into())));
        assert_eq!(mount(b""), None);
        assert_eq!(unescaped(br"/odd\04"), PathBuf::from(r"/odd\04"));
    }

    #[test]
    fn a_table_without_changes_has_no_changed_points() {
        let mut table = MountTable::read();
        assert_eq!(table.changed(), [] as [PathBuf; 0]);
        table.mounts.insert((u32::MAX, "/gone".into()));
        assert_eq!(table.changed(), [PathBuf::from("/gone")]);
    }
}
