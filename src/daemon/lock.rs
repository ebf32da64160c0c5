//! Allows one daemon per database, by a lock on a file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::beside;
use crate::error::{Error, Result};

/// Every lock file begins with this.
const HOLDER: &str = "process ";

/// A lock that the daemon holds while it runs. The system releases it when the process ends, however that
/// happens. The file stays; its text is only read by people.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a database.
    ///
    /// # Errors
    /// [`Error::Daemon`] if another process holds it, which the message names, or if the file is not a lock
    /// file; such a file is left as it is.
    pub fn take(database: &Path) -> Result<Self> {
        let path = beside(database, "lock");
        let io = |source| Error::Io {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(Error::Daemon(format!(
                    "a daemon ({}) already runs for {}; `fer-index status` shows what it does, and \
                     `--database` names another database",
                    holder.trim(),
                    database.display()
                )));
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let mut before = String::new();
        let is_ours = file.read_to_string(&mut before).is_ok()
            && (before.is_empty() || before.starts_with(HOLDER));
        if !is_ours {
            return Err(Error::Daemon(format!(
                "{} is not the lock file of a daemon, which belongs there; move it, or put the \
                 database elsewhere",
                path.display()
            )));
        }
        let version = env!("CARGO_PKG_VERSION");
        let holder = format!("{HOLDER}{}, version {version}\n", std::process::id());
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        file.write_all(holder.as_bytes()).map_err(io)?;
        Ok(Self { _file: file })
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
