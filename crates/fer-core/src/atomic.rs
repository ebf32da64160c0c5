//! Files that are there whole or not at all, and that take the place of nothing by accident.
//!
//! Everything is written to a file of a new, random name beside its place (`create_new`, so that
//! nothing of that name is written over), and renamed from there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Writes a new file. A crash leaves it whole or not at all. Missing folders are made.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] where there is anything of that name, or what else the system says.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = Draft::new(path, content, |draft| {
        OpenOptions::new().write(true).create_new(true).open(draft)
    })?;
    draft.file.sync_all()?;
    rename_new(&draft.path, path)
}

/// Writes in the place of a file that holds `before`, with the permissions of that one. A crash
/// leaves the old or the new content and never half of it.
///
/// # Errors
/// If the place no longer is a file with that content (of a link too: it is not followed), or what
/// else the system says.
pub fn replace(path: &Path, before: &[u8], content: &[u8]) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    // Private from the first moment on, as the file may be.
    let draft = Draft::new(path, content, create_private)?;
    draft.file.set_permissions(metadata.permissions())?;
    draft.file.sync_all()?;
    // Looked at as late as can be: an editor may have saved it since `before` was read.
    if !path.symlink_metadata()?.is_file() || fs::read(path)? != before {
        return Err(io::Error::other(
            "it was changed by another program just now; try again",
        ));
    }
    fs::rename(&draft.path, path)
}

/// Writes a new file that only its owner may read, in folders for their owner. Any number of threads
/// and processes may do that at once: the first one's stays. After a power cut it may be missing or
/// empty, and an empty one is replaced.
///
/// # Errors
/// What the system says.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = Draft::new(path, content, create_private)?;
    match rename_new(&draft.path, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let metadata = path.symlink_metadata()?;
            if metadata.is_file() && metadata.len() == 0 {
                fs::rename(&draft.path, path)?;
            }
            Ok(())
        }
        renamed => renamed,
    }
}

/// Renames a file or folder to a name that is free.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] where there is anything of that name, or what else the system says.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Not every file system can.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            renamed => return Ok(renamed?),
        }
    }
    // A second name for the file is refused where there is one; FAT has none, nor has a folder.
    match fs::hard_link(from, to) {
        Ok(()) => return fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
        Err(_) => {}
    }
    match to.symlink_metadata() {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// A name in `folder` that nothing else has: hidden, and passed over by `index`.
///
/// # Errors
/// If the system has no random numbers.
pub fn unused_name(folder: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    let number = u64::from_le_bytes(random);
    Ok(folder.join(format!(".fer-index-{number:016x}.partial")))
}

/// Makes a new file that only its owner may read, and such folders where they are missing.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where there is one, or what else the system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file that is written before it gets its name; it goes with the value where it never does.
struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    fn new(
        place: &Path,
        content: &[u8],
        open: impl FnOnce(&Path) -> io::Result<File>,
    ) -> io::Result<Self> {
        let path = unused_name(place.parent().unwrap_or(Path::new("")))?;
        let mut draft = Self {
            file: open(&path)?,
            path,
        };
        draft.file.write_all(content)?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is not there any more once it was renamed.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_takes_the_place_of_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        create(&path, b"one").unwrap();
        let refusal = create(&path, b"two").unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(path.parent().unwrap()), ["b.txt"]);
    }

    #[test]
    fn what_was_changed_since_it_was_read_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.txt");
        fs::write(&path, "mine").unwrap();
        assert!(replace(&path, b"other", b"new").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        replace(&path, b"mine", b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["b.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_link_stays() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("b"), folder.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("b", &link).unwrap();
        replace(&path, b"old", b"new").unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(replace(&link, b"new", b"newer").is_err());
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("b"));
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn the_first_private_file_stays_and_an_empty_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "").unwrap();
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(folder.path()), ["a"]);
    }
}
