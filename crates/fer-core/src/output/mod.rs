//! What every path that is written to is held to: nothing of a person's is lost.
//!
//! A file is written where nothing is, or where a file of ours is that nobody changed since. Such a
//! file is known by its seal ([`Form`]), so that neither a list of what was written nor the folder it
//! was written to has to be kept. Anything else is in the way and stays: a file of a person or of
//! another program, one of ours that somebody changed, a folder, a device, and a link, whatever it
//! leads to. [`Rule`] adds what the command line knows: which files are read, which are photos, and
//! whether the person insists.

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
enum Found {
    /// Nothing.
    Nothing,
    /// A file with this content.
    File(Vec<u8>),
}

/// Looks without following a link.
fn look(path: &Path) -> Result<Found> {
    let at = |source| failed(path, source);
    let what = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(at(error)),
        Ok(metadata) if metadata.is_file() => {
            return fs::read(path).map(Found::File).map_err(at);
        }
        Ok(metadata) if metadata.is_dir() => "a folder".to_owned(),
        Ok(metadata) if metadata.is_symlink() => {
            let target = fs::read_link(path).map_err(at)?;
            format!("a link to {}", target.display())
        }
        Ok(_) => "no ordinary file".to_owned(),
    };
    Err(Error::Usage(format!(
        "{} is {what} and stays as it is; name a file to write to",
        path.display()
    )))
}

/// Writes a file with a seal, where nothing is or in the place of one that is as it was sealed.
///
/// # Errors
/// [`Error::Usage`] if anything else is there, which stays; or if the file cannot be written.
pub fn write(path: &Path, form: Form, content: &[u8]) -> Result<()> {
    let sealed = seal::seal(form, content);
    match look(path)? {
        Found::Nothing => create(path, &sealed),
        Found::File(before) if before == sealed => Ok(()),
        // Without a seal, as an earlier version wrote it.
        Found::File(before) if seal::is_whole(&before) || before == content => {
            atomic::replace(path, &before, &sealed).map_err(|source| failed(path, source))
        }
        Found::File(_) => Err(in_the_way(path, "name another file")),
    }
}

/// Whether [`write()`] may write there, for a command that wants to know before it works for hours.
///
/// # Errors
/// As [`write()`], with this advice.
pub fn check(path: &Path, advice: &str) -> Result<()> {
    match look(path)? {
        Found::File(content) if !seal::is_whole(&content) => Err(in_the_way(path, advice)),
        _ => Ok(()),
    }
}

/// Whether the file at a path is as we sealed it.
pub fn is_ours(path: &Path) -> bool {
    matches!(look(path), Ok(Found::File(content)) if seal::is_whole(&content))
}

/// Keeps a copy of a file as it is, where nothing is or where it is already.
///
/// # Errors
/// [`Error::Usage`] if anything else is there, which stays; or if the file cannot be written.
pub fn keep(path: &Path, content: &[u8]) -> Result<()> {
    match look(path)? {
        Found::Nothing => create(path, content),
        Found::File(before) if before == content => Ok(()),
        Found::File(_) => Err(in_the_way(path, "move it to another folder")),
    }
}

/// Writes the new content of a file that belongs to a person and of which only some lines are ours,
/// such as their settings. `before` is what was read, `None` if there was no file.
///
/// # Errors
/// If the file is not as it was read or is a link, and stays as it is; or if it cannot be written.
pub fn edit(path: &Path, before: Option<&[u8]>, after: &[u8]) -> Result<()> {
    match (look(path)?, before) {
        (Found::Nothing, None) => create(path, after),
        (Found::File(_), Some(before)) => {
            atomic::replace(path, before, after).map_err(|source| failed(path, source))
        }
        _ => Err(changed_meanwhile(path)),
    }
}

fn create(path: &Path, content: &[u8]) -> Result<()> {
    atomic::create(path, content).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists if path.symlink_metadata().is_ok() => changed_meanwhile(path),
        _ => failed(path, error),
    })
}

fn changed_meanwhile(path: &Path) -> Error {
    Error::Usage(format!(
        "{} was changed by another program just now; try again",
        path.display()
    ))
}

fn in_the_way(path: &Path, advice: &str) -> Error {
    Error::Usage(format!(
        "{} is in the way: fer-index did not write it, or it was changed since, so it stays as it \
         is; {advice}",
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
    fn our_own_file_is_written_again_until_somebody_changes_it() {
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
        assert!(is_ours(&path));
    }

    #[test]
    fn a_kept_copy_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        keep(&path, b"one").unwrap();
        keep(&path, b"one").unwrap();
        keep(&path, b"two").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn an_edit_holds_for_what_was_read() {
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
    fn links_and_folders_stay() {
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
            (Path::new("/dev/null"), "no ordinary file"),
        ] {
            for refusal in [
                write(path, Form::Lines, b"b\n"),
                check(path, ""),
                keep(path, b"b\n"),
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
