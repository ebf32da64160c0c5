//! One `index` or `reindex` at a time for each database: two would do the same work twice.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::{Error, Result};

/// Every lock file begins with this.
const HOLDER: &str = "process ";

/// Held by the run that is at work. The system releases it when the process ends, however that happens. The file
/// stays; people and the message of a second run read its text.
#[derive(Debug)]
pub(super) struct IndexLock {
    _file: File,
}

impl IndexLock {
    /// Takes the lock of a database.
    ///
    /// # Errors
    /// If another run holds it, which the message names with its process and the time of its start; or if the
    /// file is not a lock file, which is left as it is then.
    pub fn take(database: &Path) -> Result<Self> {
        let mut name = database.as_os_str().to_owned();
        name.push(".indexing");
        let path = PathBuf::from(name);
        let io = |source| Error::Io {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(io)?;
        let lock = file.try_lock();
        let mut holder = String::new();
        let is_text = file.read_to_string(&mut holder).is_ok();
        match lock {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = holder.trim();
                let number = holder.strip_prefix(HOLDER).unwrap_or(holder);
                let number = number.split(',').next().unwrap_or(number);
                return Err(Error::Usage(format!(
                    "another fer-index index or reindex ({holder}) is at work on {}; run this command again \
                     when it has ended, or end it by Ctrl-C or kill {number}, which keeps what it has done",
                    database.display()
                )));
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        if !is_text || !(holder.is_empty() || holder.starts_with(HOLDER)) {
            return Err(Error::Usage(format!(
                "{} is not the file by which runs exclude each other, which belongs there; move it, or name \
                 another database with --database",
                path.display()
            )));
        }
        let now = Timestamp::now().to_zoned_datetime(TimeZone::system());
        let now = now.datetime().strftime("%Y-%m-%d %H:%M").to_string();
        let text = format!("{HOLDER}{}, since {now}\n", std::process::id());
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        file.write_all(text.as_bytes()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_run_is_refused_and_other_files_are_left_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("index.sqlite3");
        let first = IndexLock::take(&database).unwrap();
        let sentence = IndexLock::take(&database).unwrap_err().to_string();
        let process = format!("(process {}, since 2", std::process::id());
        assert!(sentence.contains(&process), "{sentence}");
        drop(first);
        drop(IndexLock::take(&database).unwrap());

        let file = folder.path().join("other.indexing");
        std::fs::write(&file, "my notes").unwrap();
        let sentence = IndexLock::take(&folder.path().join("other")).unwrap_err();
        assert!(sentence.to_string().contains("move it"), "{sentence}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "my notes");
    }
}
