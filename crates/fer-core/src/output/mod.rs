//! Writes output files without overwriting anything that fer-index did not write.
//!
//! A file is written if its path is free, or if the file there was written by fer-index and has not changed since.
//! fer-index recognises such a file by the seal inside it ([`Form`]), so that it needs no list of the files that it
//! wrote, and files may be moved. Anything else is in the way and is kept: files of the user or of another program,
//! files of fer-index that somebody changed, folders, devices, and symbolic links whatever their target. [`Rule`] adds
//! the conditions that depend on the command: its input files, which files are photos, and whether `--force` was given.

mod rule;
mod seal;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::atomic;
use crate::error::{Error, Result};

pub use rule::{Rule, numbered, set_aside};
pub use seal::Form;

/// What is at a path.
enum Existing {
    /// Nothing.
    Nothing,
    /// A file with this content.
    File(Vec<u8>),
}

/// Reads what is at a path. Does not follow a symbolic link.
fn inspect(path: &Path) -> Result<Existing> {
    let at = |source| failed(path, source);
    let what = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Existing::Nothing),
        Err(error) => return Err(at(error)),
        Ok(metadata) if metadata.is_file() => {
            return fs::read(path).map(Existing::File).map_err(at);
        }
        Ok(metadata) if metadata.is_dir() => "a folder".to_owned(),
        Ok(metadata) if metadata.is_symlink() => {
            let target = fs::read_link(path).map_err(at)?;
            format!("a link to {}", target.display())
        }
        Ok(_) => "not an ordinary file".to_owned(),
    };
    Err(Error::Usage(format!(
        "{} is {what} and is not replaced; name another file to write to",
        path.display()
    )))
}

/// Writes a file with a seal. The path must be free or have a file with an intact seal, which is replaced.
///
/// # Errors
/// [`Error::Usage`] if anything else is there, which is kept; [`Error::Io`] if the file cannot be written.
pub fn write(path: &Path, form: Form, content: &[u8]) -> Result<()> {
    let sealed = seal::seal(form, content);
    match inspect(path)? {
        Existing::Nothing => create(path, &sealed),
        Existing::File(before) if before == sealed => Ok(()),
        // An earlier version wrote the same content without a seal.
        Existing::File(before) if seal::is_intact(&before) || before == content => {
            atomic::replace(path, &before, &sealed).map_err(|source| failed(path, source))
        }
        Existing::File(_) => Err(in_the_way(path, "name another file")),
    }
}

/// Checks whether [`write()`] may write to a path, so that a command does not fail after hours of work.
///
/// # Errors
/// As [`write()`]; the message ends with `advice`.
pub fn check(path: &Path, advice: &str) -> Result<()> {
    match inspect(path)? {
        Existing::File(content) if !seal::is_intact(&content) => Err(in_the_way(path, advice)),
        _ => Ok(()),
    }
}

/// Whether a path has a file with an intact seal, which fer-index wrote and nobody has changed.
pub fn is_intact(path: &Path) -> bool {
    matches!(inspect(path), Ok(Existing::File(content)) if is_sealed(&content))
}

/// Whether the content of a file has an intact seal; see [`is_intact`].
pub fn is_sealed(content: &[u8]) -> bool {
    seal::is_intact(content)
}

/// Writes a file without a seal. The path must be free or have a file with this content already.
///
/// # Errors
/// [`Error::Usage`] if anything else is there, which is kept; [`Error::Io`] if the file cannot be written.
pub fn write_unsealed(path: &Path, content: &[u8]) -> Result<()> {
    match inspect(path)? {
        Existing::Nothing => create(path, content),
        Existing::File(before) if before == content => Ok(()),
        Existing::File(_) => Err(in_the_way(path, "move it to another folder")),
    }
}

/// Writes a file that only its owner can read, without a seal. The path must be free. `fill` writes the content into
/// the empty file at the path that it is given.
///
/// # Errors
/// [`Error::Usage`] if anything is at the path, which is kept; the error of `fill`; [`Error::Io`] if the file cannot be
/// written.
pub fn write_private<T>(path: &Path, fill: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    // Folders and links are reported by another message.
    if let Existing::File(_) = inspect(path)? {
        return Err(Error::Usage(format!(
            "{} exists and is not replaced, since an earlier run may have kept there what is nowhere else; name another \
             file, or move this one away",
            path.display()
        )));
    }
    atomic::create_private_by(path, fill).unwrap_or_else(|error| {
        Err(match error.kind() {
            ErrorKind::AlreadyExists if path.symlink_metadata().is_ok() => changed_meanwhile(path),
            _ => failed(path, error),
        })
    })
}

/// Replaces the content of a file that belongs to the user, such as the settings file, of which fer-index changes some
/// lines. `before` is the content that was read; `None` if there was no file.
///
/// # Errors
/// If the file has changed since it was read, is a symbolic link, or cannot be written. The file is then unchanged.
pub fn edit(path: &Path, before: Option<&[u8]>, after: &[u8]) -> Result<()> {
    match (inspect(path)?, before) {
        (Existing::Nothing, None) => create(path, after),
        (Existing::File(_), Some(before)) => {
            atomic::replace(path, before, after).map_err(|source| failed(path, source))
        }
        _ => Err(changed_meanwhile(path)),
    }
}

/// Removes a file that fer-index has made, and whose content is still `before`.
///
/// # Errors
/// If the path is no longer an ordinary file with that content, or another error of the system.
pub fn remove(path: &Path, before: &[u8]) -> Result<()> {
    match inspect(path)? {
        Existing::File(found) if found == before => {
            fs::remove_file(path).map_err(|source| failed(path, source))
        }
        _ => Err(changed_meanwhile(path)),
    }
}

/// Checks whether [`edit`] would succeed, without writing anything.
///
/// # Errors
/// As [`edit`], as far as they can be known before.
pub fn check_edit(path: &Path, before: Option<&[u8]>) -> Result<()> {
    match (inspect(path)?, before) {
        (Existing::Nothing, None) => {}
        (Existing::File(found), Some(before)) if found == before => {}
        _ => return Err(changed_meanwhile(path)),
    }
    atomic::check(path).map_err(|source| failed(path, source))
}

fn create(path: &Path, content: &[u8]) -> Result<()> {
    atomic::create(path, content).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists if path.symlink_metadata().is_ok() => changed_meanwhile(path),
        _ => failed(path, error),
    })
}

fn changed_meanwhile(path: &Path) -> Error {
    Error::Usage(format!(
        "{} was just changed by another program; try again",
        path.display()
    ))
}

fn in_the_way(path: &Path, advice: &str) -> Error {
    Error::Usage(format!(
        "{} is in the way: fer-index did not write it, or it was changed since, so it is not replaced; \
         {advice}",
        path.display()
    ))
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_file_is_replaced_unless_somebody_changed_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.toml");
        for text in ["a = 1\n", "a = 2\n", "a = 2\n"] {
            write(&path, Form::Lines, text.as_bytes()).unwrap();
            assert!(fs::read_to_string(&path).unwrap().starts_with(text));
            check(&path, "").unwrap();
        }
        let changed = fs::read_to_string(&path).unwrap() + "b = 3\n";
        fs::write(&path, &changed).unwrap();
        for refusal in [write(&path, Form::Lines, b"a = 4\n"), check(&path, "")] {
            let sentence = refusal.unwrap_err().to_string();
            assert!(sentence.contains("in the way"), "{sentence}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), changed);
    }

    #[test]
    fn a_file_of_an_earlier_version_gets_its_seal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, "a = 1\n").unwrap();
        write(&path, Form::Lines, b"a = 1\n").unwrap();
        assert!(is_intact(&path));
    }

    #[test]
    fn an_unsealed_file_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_unsealed(&path, b"one").unwrap();
        write_unsealed(&path, b"one").unwrap();
        write_unsealed(&path, b"two").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn an_edit_fails_if_the_file_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        edit(&path, None, b"one").unwrap();
        edit(&path, None, b"two").unwrap_err();
        edit(&path, Some(b"two"), b"three").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        edit(&path, Some(b"one"), b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_folders_are_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, dangling) = (folder.path().join("link"), folder.path().join("dangling"));
        let target = folder.path().join("target");
        write(&target, Form::Lines, b"a\n").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
        for (path, what) in [
            (link.as_path(), "a link to"),
            (&dangling, "a link to nowhere"),
            (folder.path(), "a folder"),
            (Path::new("/dev/null"), "not an ordinary file"),
        ] {
            for refusal in [
                write(path, Form::Lines, b"b\n"),
                check(path, ""),
                write_unsealed(path, b"b\n"),
                edit(path, Some(b"a\n"), b"b\n"),
            ] {
                let sentence = refusal.unwrap_err().to_string();
                assert!(sentence.contains(what), "{sentence}");
            }
        }
        assert!(fs::read_to_string(&target).unwrap().starts_with("a\n"));
        assert!(link.is_symlink() && dangling.is_symlink());
    }
}
