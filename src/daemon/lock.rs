//! Allows one daemon per database, by a lock on a file.

use std::path::Path;

use crate::error::{Error, Result};
use crate::file::beside;
use crate::lock::{ProcessLock, Unavailable};

/// A lock that the daemon holds while it runs.
#[derive(Debug)]
pub(super) struct Lock {
    _lock: ProcessLock,
}

impl Lock {
    /// Takes the lock of a database.
    ///
    /// # Errors
    /// [`Error::Daemon`] if another process holds it, which the message names, or if the file is not a lock
    /// file; such a file is left as it is.
    pub fn take(database: &Path) -> Result<Self> {
        let path = beside(database, "lock");
        let version = concat!("version ", env!("CARGO_PKG_VERSION"));
        match ProcessLock::take(&path, version)? {
            Ok(lock) => Ok(Self { _lock: lock }),
            Err(Unavailable::Held(holder)) => Err(Error::Daemon(format!(
                "a daemon ({holder}) already runs for {}; `fer-index status` shows what it does, and \
                 `--database` names another database",
                database.display()
            ))),
            Err(Unavailable::Foreign) => Err(Error::Daemon(format!(
                "{} is not the lock file of a daemon, which belongs there; move it, or put the \
                 database elsewhere",
                path.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_lock_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("index.sqlite3");
        let file = beside(&database, "lock");
        std::fs::write(&file, "my notes").unwrap();
        let sentence = Lock::take(&database).unwrap_err().to_string();
        assert!(sentence.contains("is not the lock file"), "{sentence}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "my notes");
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
}
