//! Writes files atomically, without replacing another file by accident.
//!
//! The content is written to a new file with a random name in the same folder (with `create_new`, so that no existing
//! file is overwritten), which is then renamed.

mod keep;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Writes a new file. After a crash it is either complete or absent. Creates missing folders.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if the name is taken, or another error of the system.
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

/// Replaces a file whose content is `before`, and keeps its owner, permissions and extended attributes. After a crash
/// the file has either the old or the new content; if the new content cannot be read back, it keeps the old one.
///
/// # Errors
/// If the path is not, or no longer, an ordinary file with that content (symbolic links are not followed), if the file
/// belongs to somebody else, or another error of the system.
pub fn replace(path: &Path, before: &[u8], content: &[u8]) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    // Private until the permissions are set, since the old file may be private.
    let draft = Draft::new(path, content, create_private)?;
    keep::owner(&draft.file, &metadata)?;
    draft.file.set_permissions(metadata.permissions())?;
    keep::attributes(path, &draft.file)?;
    draft.file.sync_all()?;
    if fs::read(&draft.path)? != content {
        return Err(io::Error::other("what was written does not read back"));
    }
    // Checked as late as possible: an editor may have saved the file since `before` was read.
    if !path.symlink_metadata()?.is_file() || fs::read(path)? != before {
        return Err(io::Error::other(
            "it was just changed by another program; try again",
        ));
    }
    fs::rename(&draft.path, path)
}

/// Checks, without writing anything, what can be checked before [`replace`] or [`create`].
///
/// # Errors
/// If the folder may not be written, or the file belongs to somebody else.
pub fn check(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    keep::check(folder.unwrap_or(Path::new(".")), path)
}

/// Writes a new file that only its owner may read, and creates missing folders with the same restriction. Any number of
/// threads and processes may write the same path at once: the first file is kept. After a power failure the file may be
/// missing or empty; an empty file is replaced.
///
/// # Errors
/// An error of the system.
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

/// Writes a new file that only its owner may read, and creates missing folders with the same restriction. `fill` writes
/// the content into the empty file at the path that it is given; if it fails, the file is removed, and its error is
/// returned within the result.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if the name is taken when the content is complete, or another error of the system.
pub fn create_private_by<T, E>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<T, E>,
) -> io::Result<Result<T, E>> {
    let draft = Draft::new(path, b"", create_private)?;
    match fill(&draft.path) {
        Ok(filled) => {
            draft.file.sync_all()?;
            rename_new(&draft.path, path)?;
            Ok(Ok(filled))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// Renames a file or folder to a free name; never replaces anything.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if the name is taken, or another error of the system.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some file systems do not support this.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            renamed => return Ok(renamed?),
        }
    }
    // A hard link fails if the name is taken. FAT does not support hard links, and folders cannot have any.
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

/// A random, unused name in `folder`. It is hidden, and `index` excludes it by its extension.
///
/// # Errors
/// If the system has no random numbers.
pub fn unused_name(folder: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    let number = u64::from_le_bytes(random);
    Ok(folder.join(format!(".fer-index-{number:016x}.partial")))
}

/// Creates a new file that only its owner may read, and missing folders with the same restriction.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if the name is taken, or another error of the system.
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

/// A file that is written under a temporary name. Dropping this deletes the file if it was not renamed.
struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    fn new(
        target: &Path,
        content: &[u8],
        open: impl FnOnce(&Path) -> io::Result<File>,
    ) -> io::Result<Self> {
        let path = unused_name(target.parent().unwrap_or(Path::new("")))?;
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
        // Fails if the file was renamed, which is intended.
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
    fn create_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        create(&path, b"one").unwrap();
        let refusal = create(&path, b"two").unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(path.parent().unwrap()), ["b.txt"]);
    }

    #[test]
    fn replace_fails_if_the_content_has_changed() {
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
    fn replace_keeps_the_mode_and_does_not_replace_links() {
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
    fn what_cannot_be_completed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let fill = |text: &'static str, result| {
            create_private_by(&path, |draft| {
                fs::write(draft, text).unwrap();
                result
            })
        };
        assert_eq!(fill("one", Err(1)).unwrap(), Err(1));
        assert_eq!(names(folder.path()), [""; 0]);
        assert_eq!(fill("two", Ok(2)).unwrap(), Ok(2));
        let taken = fill("three", Ok(3)).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn write_private_keeps_the_first_file_and_replaces_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "").unwrap();
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(folder.path()), ["a"]);
    }
}
