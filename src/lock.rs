//! Locks on files by which processes exclude each other.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};

/// Every lock file begins with this.
const HOLDER: &str = "process ";

/// How often the file of a held lock is read until it says twice the same, and the time between.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(20);

/// A lock that a process holds. The system releases it when the process ends, however that happens. The file stays; its
/// text is for people and for the messages of other processes.
#[derive(Debug)]
pub struct ProcessLock {
    _file: File,
}

/// The reason why a lock cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Another process holds it; this is the text of the file, such as `process 17, version 1`, if it has any yet.
    Held(Option<String>),
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
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Ok(Err(Unavailable::Held(holder_of(&mut file))));
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let mut holder = String::new();
        let is_text = file.read_to_string(&mut holder).is_ok();
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

/// What the holder of a lock wrote into its file. Between taking the lock and writing, a process is held up for a moment at
/// most; until then the file is empty, or names the holder before it.
fn holder_of(file: &mut File) -> Option<String> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let mut text = String::new();
        let is_read = file.rewind().is_ok() && file.read_to_string(&mut text).is_ok();
        let holder = Some(text)
            .filter(|text| is_read && is_holder(text) && text.ends_with('\n'))
            .map(|text| text.trim().to_owned());
        if holder.is_some() && holder == last {
            return holder;
        }
        last = holder;
        std::thread::sleep(PAUSE);
    }
    last
}

/// A holder in brackets, to be put behind a noun; nothing if none is known.
pub fn in_brackets(holder: Option<&str>) -> String {
    holder.map_or_else(String::new, |holder| format!(" ({holder})"))
}

/// Whether a text is that of a lock file and names a process.
pub fn is_holder(text: &str) -> bool {
    text.strip_prefix(HOLDER)
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// The number of the process in the text of a lock file.
pub fn process_of(holder: &str) -> &str {
    let number = holder.strip_prefix(HOLDER).unwrap_or(holder);
    number.split(',').next().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_named_once_it_has_written_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        // Left by a process that ended.
        std::fs::write(&path, "process 1, since long ago\n").unwrap();
        let mut holder = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        holder.lock().unwrap();
        holder.set_len(0).unwrap();
        let refused = || ProcessLock::take(&path, "now").unwrap().unwrap_err();
        assert_eq!(refused(), Unavailable::Held(None));
        let named = std::thread::scope(|scope| {
            let other = scope.spawn(refused);
            std::thread::sleep(PAUSE);
            holder.write_all(b"process 17, since noon\n").unwrap();
            other.join().unwrap()
        });
        let expected = Unavailable::Held(Some("process 17, since noon".into()));
        assert_eq!(named, expected);
        assert_eq!(process_of("process 17, since noon"), "17");
    }
}
