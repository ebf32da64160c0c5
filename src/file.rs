//! File metadata, and reading a whole file up to a size limit.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Skip, SkipReason};

/// The metadata that distinguishes a changed file from an unchanged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMeta {
    /// Length in bytes.
    pub size: u64,
    /// Modification time in ns since 1970, negative before.
    pub mtime_ns: i64,
    /// The time of the last change of content, attributes or name (ctime) in ns since 1970; 0 if it is unknown.
    /// Programs can set back the modification time, but not this one.
    pub ctime_ns: i64,
    /// Inode number; 0 if the platform has none.
    pub inode: u64,
    /// The device of the inode; 0 if the platform has none.
    pub device: u64,
}

impl FileMeta {
    /// Takes the metadata from a `stat`.
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }

    /// Takes the metadata from a `stat`.
    #[cfg(not(unix))]
    pub fn of(metadata: &Metadata) -> Self {
        let mtime_ns = metadata.modified().map_or(0, |time| {
            time.duration_since(UNIX_EPOCH).map_or_else(
                |before| -(before.duration().as_nanos() as i64),
                |since| since.as_nanos() as i64,
            )
        });
        Self {
            size: metadata.len(),
            mtime_ns,
            ctime_ns: 0,
            inode: 0,
            device: 0,
        }
    }

    /// Compares the file with its metadata in the index. Device and inode number count only without a ctime: they
    /// change when a disk is mounted under another device node, and on some file systems in user space with every
    /// look-up of a file.
    pub fn difference(&self, known: &Self) -> Difference {
        if (self.size, self.mtime_ns) != (known.size, known.mtime_ns) {
            return Difference::Content;
        }
        // If the last change of any kind was the known modification, the file has not changed since. File systems that
        // do not store a ctime, such as FAT after a mount and sshfs, return the modification time as ctime.
        let is_same = match self.ctime_ns {
            0 => true,
            now if now == known.ctime_ns || now == self.mtime_ns => true,
            _ => known.ctime_ns == 0 && self.inode == known.inode,
        };
        if is_same {
            Difference::None
        } else {
            Difference::Status
        }
    }

    /// The modification time; `None` if the platform cannot represent it.
    pub fn modified(&self) -> Option<SystemTime> {
        let distance = Duration::from_nanos(self.mtime_ns.unsigned_abs());
        if self.mtime_ns < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        }
    }
}

/// How a file differs from its metadata in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// It is the same file, unchanged.
    None,
    /// Only its ctime differs: its attributes or its name changed, or its content by a program that kept
    /// size and modification time.
    Status,
    /// Its size or modification time differs.
    Content,
}

#[cfg(unix)]
const fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

/// Whether a file has only one name, so that it cannot be changed under another one.
#[cfg(unix)]
pub fn has_one_name(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) == 1
}

/// Whether a file has only one name; unknown on this platform, hence `false`.
#[cfg(not(unix))]
pub fn has_one_name(_: &Metadata) -> bool {
    false
}

/// Reads a whole file of at most `limit` bytes, with the metadata it was read under; `None` if
/// there is no such file.
///
/// # Errors
/// [`SkipReason::PermissionDenied`], [`SkipReason::Unreadable`] or [`SkipReason::TooLarge`].
pub fn read_file(path: &Path, limit: u64) -> Result<Option<(FileMeta, Vec<u8>)>, Skip> {
    read_regular(path, |file, metadata| {
        if metadata.len() > limit {
            let detail = format!("{} bytes, and the limit is {limit}", metadata.len());
            return Ok(Err(Skip::new(SkipReason::TooLarge, detail)));
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        // One more byte than allowed detects a file that grew past the limit meanwhile.
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Ok(Err(Skip::new(
                SkipReason::TooLarge,
                format!("the limit is {limit} bytes"),
            )));
        }
        Ok(Ok(bytes))
    })
}

/// Reads the first bytes of a file, at most `limit`, with the metadata they were read under; `None` if
/// there is no such file.
///
/// # Errors
/// [`SkipReason::PermissionDenied`] or [`SkipReason::Unreadable`].
pub fn read_start(path: &Path, limit: usize) -> Result<Option<(FileMeta, Vec<u8>)>, Skip> {
    read_regular(path, |file, _| {
        let mut bytes = Vec::with_capacity(limit);
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Ok(bytes))
    })
}

/// Opens a regular file and passes it to `read`; `None` if there is no such file.
fn read_regular(
    path: &Path,
    read: impl FnOnce(File, &Metadata) -> io::Result<Result<Vec<u8>, Skip>>,
) -> Result<Option<(FileMeta, Vec<u8>)>, Skip> {
    let attempt = || -> io::Result<Result<(FileMeta, Vec<u8>), Skip>> {
        // Checked before opening, since opening a pipe blocks until another process writes to it.
        if !path.metadata()?.is_file() {
            return Ok(Err(Skip::new(
                SkipReason::Unreadable,
                "it is not a regular file",
            )));
        }
        let file = open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(Err(Skip::new(
                SkipReason::Unreadable,
                "it was just replaced by what is no regular file",
            )));
        }
        let bytes = read(file, &metadata)?;
        Ok(bytes.map(|bytes| (FileMeta::of(&metadata), bytes)))
    };
    match attempt() {
        Ok(read) => read.map(Some),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => match error.kind() {
            ErrorKind::PermissionDenied => Err(Skip::new(
                SkipReason::PermissionDenied,
                "the file may not be read",
            )),
            _ => Err(Skip::new(SkipReason::Unreadable, error.to_string())),
        },
    }
}

/// Whether an error says that there is no file at a path: nothing of this name, a file where the path has a folder, or a
/// symbolic link that leads back to itself.
pub fn is_gone(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return true;
    }
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Whether there is something by the name of a path, such as a link that leads nowhere, or a folder whose server does not
/// answer any more.
pub fn has_name(path: &Path) -> bool {
    !path.symlink_metadata().is_err_and(|error| is_gone(&error))
}

/// Whether nothing is in a folder: it is empty, like a mount point on which nothing is mounted, or it does not exist.
pub fn is_absent(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        // A file, or a folder that may not be read.
        Err(_) => !folder.exists(),
    }
}

/// Opens a file for reading; does not wait if a pipe has taken its place.
fn open(path: &Path) -> io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits() as i32,
    );
    options.open(path)
}

/// Reads the bytes of a file that is expected to exist, see [`read_file`].
///
/// # Errors
/// Those of [`read_file`], and [`SkipReason::Unreadable`] if there is no such file.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, Skip> {
    match read_file(path, limit)? {
        Some((_, bytes)) => Ok(bytes),
        None => Err(Skip::new(SkipReason::Unreadable, "there is no such file")),
    }
}

/// Path of a file that belongs to the database: the database's path, a dot and `ending`.
pub fn database_companion(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Removes the permissions of all other users from a file or folder of this user. Does nothing if they have none, if it
/// belongs to another user, or if it does not exist.
pub fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let Ok(metadata) = path.symlink_metadata() else {
            return;
        };
        let mode = metadata.mode();
        let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
        if metadata.is_symlink() || !is_own || mode & 0o700 == mode & 0o777 {
            return;
        }
        let private = std::fs::Permissions::from_mode(mode & 0o700);
        match std::fs::set_permissions(path, private) {
            Ok(()) => tracing::warn!(
                "other users had access to {}; only you have now",
                path.display()
            ),
            Err(error) => {
                tracing::warn!(
                    "other users have access to {}, which cannot be taken from them: {error}",
                    path.display()
                );
            }
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// The file URL of a path, percent-encoded.
pub fn url(file: &Path) -> String {
    let path = file.as_os_str().as_encoded_bytes();
    // Paths of Windows begin with a drive.
    let mut url = if path.starts_with(b"/") {
        "file://"
    } else {
        "file:///"
    }
    .to_owned();
    for byte in path {
        match byte {
            b'\\' if cfg!(windows) => url.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(*byte));
            }
            b':' if cfg!(windows) => url.push(':'),
            other => {
                let digits = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
                url.extend(['%', digits(other >> 4), digits(other & 15)]);
            }
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[cfg(unix)]
    #[test]
    fn paths_become_file_urls() {
        let path = Path::new("/a b/\"é\",%?#.jpg");
        assert_eq!(url(path), "file:///a%20b/%22%C3%A9%22%2C%25%3F%23.jpg");
    }

    #[test]
    fn times_before_1970_are_negative() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), b"abc").unwrap();
        let time = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        File::options()
            .write(true)
            .open(file.path())
            .unwrap()
            .set_modified(time)
            .unwrap();
        let meta = FileMeta::of(&fs::metadata(file.path()).unwrap());
        assert_eq!((meta.size, meta.mtime_ns), (3, -1_500_000_000));
        assert_eq!(meta.modified(), Some(time));
    }

    #[test]
    fn only_size_mtime_and_ctime_tell_a_changed_file() {
        let known = FileMeta {
            size: 3,
            mtime_ns: 100,
            ctime_ns: 200,
            inode: 7,
            device: 1,
        };
        let differs = |now: FileMeta| now.difference(&known);
        assert_eq!(differs(known), Difference::None);
        for (inode, device) in [(7, 2), (8, 1)] {
            let moved = FileMeta {
                inode,
                device,
                ..known
            };
            assert_eq!(differs(moved), Difference::None);
        }
        let (size, mtime_ns, ctime_ns) = (4, 101, 201);
        assert_eq!(differs(FileMeta { size, ..known }), Difference::Content);
        assert_eq!(differs(FileMeta { mtime_ns, ..known }), Difference::Content);
        assert_eq!(differs(FileMeta { ctime_ns, ..known }), Difference::Status);
        // Neither a file system without a ctime nor one that repeats the modification time.
        for ctime_ns in [0, 100] {
            assert_eq!(differs(FileMeta { ctime_ns, ..known }), Difference::None);
        }
        // A row of an earlier version without a ctime: the inode counts instead.
        let old = FileMeta {
            ctime_ns: 0,
            ..known
        };
        assert_eq!(known.difference(&old), Difference::None);
        let other = FileMeta { inode: 8, ..known };
        assert_eq!(other.difference(&old), Difference::Status);
    }

    #[test]
    fn a_file_over_the_limit_is_skipped_and_a_missing_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, b"12345").unwrap();
        assert_eq!(read_file(&path, 5).unwrap().unwrap().1, b"12345");
        assert_eq!(
            read_file(&path, 4).unwrap_err().reason,
            SkipReason::TooLarge
        );
        assert_eq!(read_file(&dir.path().join("b"), 4), Ok(None));
        assert_eq!(read_start(&path, 4).unwrap().unwrap().1, b"1234");
        assert_eq!(read_start(&dir.path().join("b"), 4), Ok(None));
    }
}
