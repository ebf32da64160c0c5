//! Locks on files by which processes exclude each other.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::error::{Error, Result};

/// Every lock file begins with this.
const HOLDER: &str = "process ";

/// A lock that a process holds. The system releases it when the process ends, however that happens. The file stays; its
/// text is for people and for the messages of other processes.
#[derive(Debug)]
pub struct ProcessLock {
    _file: File,
}

/// The reason why a lock cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Another process holds it; this is the text of the file, such as `process 17, version 1`.
    Held(String),
    /// The file is not a lock file, and is not changed.
    Foreign,
}

impl ProcessLock {
    /// Takes the lock `path`, and writes into the file the number of this process and `note`. The file is for its
    /// owner only.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be opened, locked or written.
    pub fn take(path: &Path, note: &str) -> Result<Result<Self, Unavailable>> {
        let io = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(io)?;
        let lock = file.try_lock();
        let mut holder = String::new();
        let is_text = file.read_to_string(&mut holder).is_ok();
        match lock {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Ok(Err(Unavailable::Held(holder.trim().to_owned())));
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        if !is_text || !(holder.is_empty() || holder.starts_with(HOLDER)) {
            return Ok(Err(Unavailable::Foreign));
        }
        let text = format!("{HOLDER}{}, {note}\n", std::process::id());
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        file.write_all(text.as_bytes()).map_err(io)?;
        Ok(Ok(Self { _file: file }))
    }
}

/// The number of the process in the text of a lock file.
pub fn process_of(holder: &str) -> &str {
    let number = holder.strip_prefix(HOLDER).unwrap_or(holder);
    number.split(',').next().unwrap_or(number)
}
