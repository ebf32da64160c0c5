//! One daemon per database.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::beside;
use crate::error::{Error, Result};

/// By these words a lock file is known.
const HOLDER: &str = "process ";

/// Held while the daemon runs. The system lets go of it when the process ends, however that
/// happens; the file stays, and what it says is only for people.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a database.
    ///
    /// # Errors
    /// [`Error::Usage`] says who holds it, or that the file is another one, which stays as it is.
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
                return Err(Error::Usage(format!(
                    "a daemon ({}) follows the folders for {} already; `fer-index status` tells \
                     what it does",
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
            return Err(Error::Usage(format!(
                "{} is where the daemon tells who it is, and holds something else; move it, or put \
                 the database elsewhere",
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
    fn a_file_of_the_locks_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("index.sqlite3");
        let file = beside(&database, "lock");
        std::fs::write(&file, "my notes").unwrap();
        let sentence = Lock::take(&database).unwrap_err().to_string();
        assert!(sentence.contains("something else"), "{sentence}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "my notes");
    }

    #[test]
    fn the_second_is_told_who_is_the_first() {
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
