//! Allows one `index` or `reindex` at a time for each database, since two would do the same work twice.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::{Error, Result};
use crate::file::database_companion;
use crate::lock::{ProcessLock, Unavailable, in_brackets, process_of};

/// Held while a run is in progress.
#[derive(Debug)]
pub(super) struct IndexLock {
    _lock: ProcessLock,
}

impl IndexLock {
    /// Takes the lock of a database.
    ///
    /// # Errors
    /// If another run holds the lock, whose process and start time the message names; or if the file is not a lock
    /// file, in which case it is not changed.
    pub fn take(database: &Path) -> Result<Self> {
        let path = database_companion(database, "indexing");
        let now = Timestamp::now().to_zoned_datetime(TimeZone::system());
        let since = now.datetime().strftime("since %Y-%m-%d %H:%M").to_string();
        match ProcessLock::take(&path, &since)? {
            Ok(lock) => Ok(Self { _lock: lock }),
            Err(Unavailable::Held(holder)) => {
                let process = holder.as_deref().map(process_of);
                let kill =
                    process.map_or_else(String::new, |process| format!(" or kill {process}"));
                Err(Error::Usage(format!(
                    "another fer-index index or reindex{} already runs on {}; run this command again \
                     when it has ended, or end it by Ctrl-C{kill}, which keeps what it has done",
                    in_brackets(holder.as_deref()),
                    database.display()
                )))
            }
            Err(Unavailable::Foreign) => Err(Error::Usage(format!(
                "{} is not the lock file of fer-index index, which belongs there; move it, or name \
                 another database with --database",
                path.display()
            ))),
        }
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

    #[test]
    fn a_run_that_has_not_written_its_number_yet_is_not_to_be_killed() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("index.sqlite3");
        let file = std::fs::File::create(database_companion(&database, "indexing")).unwrap();
        file.lock().unwrap();
        let sentence = IndexLock::take(&database).unwrap_err().to_string();
        assert!(sentence.contains("reindex already runs on"), "{sentence}");
        assert!(sentence.contains("end it by Ctrl-C, which"), "{sentence}");
    }
}
