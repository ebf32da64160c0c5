//! Allows one daemon per database, by a lock on a file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file::{FileMeta, database_companion};
use crate::lock::{ProcessLock, Unavailable, in_brackets, is_holder};

/// A lock that the daemon holds while it runs.
#[derive(Debug)]
pub(super) struct Lock {
    _lock: ProcessLock,
    /// The database and the lock file, with device and inode of each.
    files: [(PathBuf, Option<(u64, u64)>); 2],
}

impl Lock {
    /// Takes the lock of an existing database.
    ///
    /// # Errors
    /// [`Error::Daemon`] if another process holds it, which the message names, or if the file at the lock's path is not a
    /// lock file; such a file is left unchanged.
    pub fn take(database: &Path) -> Result<Self> {
        let path = database_companion(database, "lock");
        let version = concat!("version ", env!("CARGO_PKG_VERSION"));
        match ProcessLock::take(&path, version)? {
            Ok(lock) => Ok(Self {
                _lock: lock,
                files: [database.to_owned(), path].map(|path| {
                    let identity = identify(&path);
                    (path, identity)
                }),
            }),
            Err(Unavailable::Held(holder)) => Err(Error::Daemon(format!(
                "a daemon{} already runs for {}; `fer-index status` shows what it does, and \
                 `--database` names another database",
                in_brackets(holder.as_deref()),
                database.display()
            ))),
            Err(Unavailable::Foreign) => Err(Error::Daemon(format!(
                "{} is not the lock file of a daemon, which belongs there; move it, or put the \
                 database elsewhere",
                path.display()
            ))),
        }
    }

    /// Whether the database and the lock file are still the same files as when the lock was taken. If not, somebody has
    /// deleted or replaced them: the daemon would write to a file that no other process can open, and the lock would not
    /// keep another daemon from starting.
    pub fn is_in_place(&self) -> bool {
        let mut files = self.files.iter();
        files.all(|(path, before)| identify(path) == *before)
    }
}

/// The daemon that has the lock of a database, or had it last, such as `process 17, version 1`; `None` if none is known.
pub(super) fn holder(database: &Path) -> Option<String> {
    let text = fs::read_to_string(database_companion(database, "lock")).ok()?;
    Some(text.trim().to_owned()).filter(|holder| is_holder(holder))
}

/// Device and inode of a file; `None` if there is none.
fn identify(path: &Path) -> Option<(u64, u64)> {
    let meta = FileMeta::of(&fs::metadata(path).ok()?);
    Some((meta.device, meta.inode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_lock_file_is_left_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("index.sqlite3");
        let file = database_companion(&database, "lock");
        fs::write(&file, "my notes").unwrap();
        let sentence = Lock::take(&database).unwrap_err().to_string();
        assert!(sentence.contains("is not the lock file"), "{sentence}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "my notes");
    }

    #[test]
    fn the_second_daemon_is_refused_and_the_message_names_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("index.sqlite3");
        let first = Lock::take(&database).unwrap();
        let sentence = Lock::take(&database).unwrap_err().to_string();
        let process = format!("process {}", std::process::id());
        assert!(sentence.contains(&process), "{sentence}");
        drop(first);
        Lock::take(&database).unwrap();
    }

    #[test]
    fn a_deleted_or_replaced_database_or_lock_file_is_noticed() {
        for name in ["index.sqlite3", "index.sqlite3.lock"] {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("index.sqlite3");
            fs::write(&database, "rows").unwrap();
            let lock = Lock::take(&database).unwrap();
            fs::write(&database, "more rows").unwrap();
            assert!(lock.is_in_place());
            let (path, away) = (folder.path().join(name), folder.path().join("away"));
            fs::rename(&path, &away).unwrap();
            assert!(!lock.is_in_place(), "{name}");
            fs::write(&path, "new").unwrap();
            assert!(!lock.is_in_place(), "{name}");
        }
    }
}
