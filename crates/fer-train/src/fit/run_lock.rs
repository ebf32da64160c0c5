//! Keeps two processes from training in one folder at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use fer_core::error::{Error, Result};

/// The lock on the folder of a run. The system releases it when the process ends, however that happens; the empty lock
/// file stays.
#[derive(Debug)]
pub(super) struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock on a folder, which is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Usage`] if another process trains in the folder; [`Error::Io`] if the lock file cannot be opened or locked.
    pub fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(".lock");
        let io = |source| Error::Io {
            path: path.clone(),
            source,
        };
        if folder.exists() && !folder.is_dir() {
            return Err(Error::input(
                folder,
                "is no folder; name another one with --out",
            ));
        }
        fs::create_dir_all(folder).map_err(|source| Error::Io {
            path: folder.to_owned(),
            source,
        })?;
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Usage(format!(
                "another process trains in {}; wait until it has ended, or give another folder with --out",
                folder.display()
            ))),
            // A file system without locks, such as some of networks: then nothing can be done but to go on.
            Err(TryLockError::Error(source))
                if source.kind() == std::io::ErrorKind::Unsupported =>
            {
                Ok(Self { _file: file })
            }
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}
