//! The manifest of a folder of links or copies: the list of the entries that fer-index made.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::Path;

use crate::atomic;
use crate::photo::ContentHash;

/// The file name of the manifest. Version 0.1 replaced everything in folders with the mark `.fer-index-album`; in a
/// folder with a manifest instead of the mark it replaces nothing.
pub(super) use crate::names::MANIFEST as NAME;

const HEAD: &str = "fer-index made what has a line in here, and replaces it; all else in this \
                    folder stays. A line is the BLAKE3 hash of a name, a kind and a content.";

/// The content of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    /// A symbolic link to this path.
    Link(&'a Path),
    /// A file with this content.
    Copy(&'a ContentHash),
    /// A folder in which entries are made before they are renamed into place.
    Draft,
}

/// The entries of a folder that fer-index made, each as the hash of its name, kind and content: an entry that somebody
/// changed, renamed or added is not among them. The hashes do not reveal names or paths of photos, since a folder of
/// copies may be given to somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    entries: HashSet<String>,
}

impl Manifest {
    /// Reads the manifest of a folder; `None` if there is none, or if the file of this name is not a manifest.
    ///
    /// # Errors
    /// The error of the system.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(NAME);
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            Ok(metadata) if !metadata.is_file() => return Ok(None),
            Ok(_) => {}
        }
        // A file of this name from another program may be binary or large.
        let mut file = BufReader::new(File::open(path)?);
        let mut head = Vec::new();
        file.by_ref()
            .take(HEAD.len() as u64 + 1)
            .read_to_end(&mut head)?;
        if head.strip_suffix(b"\n") != Some(HEAD.as_bytes()) {
            return Ok(None);
        }
        let entries = file.lines().collect::<io::Result<_>>()?;
        Ok(Some(Self { entries }))
    }

    /// Writes the manifest into a folder, replacing an existing one.
    ///
    /// # Errors
    /// The error of the system.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut lines: Vec<_> = self.entries.iter().map(String::as_str).collect();
        lines.sort_unstable();
        let text = [HEAD]
            .into_iter()
            .chain(lines)
            .fold(String::new(), |text, line| text + line + "\n");
        let path = folder.join(NAME);
        match fs::read(&path) {
            Ok(before) if before == text.as_bytes() => Ok(()),
            Ok(before) => atomic::replace(&path, &before, text.as_bytes()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                atomic::create(&path, text.as_bytes())
            }
            Err(error) => Err(error),
        }
    }

    /// Adds an entry.
    pub fn add(&mut self, name: &OsStr, content: Content<'_>) {
        self.entries.insert(line(name, content));
    }

    /// Adds the entries of another manifest.
    pub fn add_all(&mut self, other: &Self) {
        self.entries.extend(other.entries.iter().cloned());
    }

    /// Whether fer-index made an entry with this name and content.
    pub fn contains(&self, name: &OsStr, content: Content<'_>) -> bool {
        self.entries.contains(&line(name, content))
    }
}

fn line(name: &OsStr, content: Content<'_>) -> String {
    let (kind, content) = match content {
        Content::Link(target) => ("/link/", target.as_os_str().as_encoded_bytes()),
        Content::Copy(hash) => ("/copy/", hash.as_bytes().as_slice()),
        Content::Draft => ("/draft/", [].as_slice()),
    };
    // No name contains a slash, so different parts never concatenate to the same bytes.
    ContentHash::of(&[name.as_encoded_bytes(), kind.as_bytes(), content].concat()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_recognised_by_name_kind_and_content() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), None);
        let (a, hash) = (OsStr::new("a"), ContentHash::of(b"a"));
        let mut manifest = Manifest::default();
        manifest.add(a, Content::Copy(&hash));
        manifest.add(a, Content::Link(Path::new("../a")));
        manifest.write(folder.path()).unwrap();
        manifest.write(folder.path()).unwrap();
        let read = Manifest::read(folder.path()).unwrap().unwrap();
        assert_eq!(read, manifest);
        assert!(read.contains(a, Content::Copy(&hash)));
        assert!(!read.contains(OsStr::new("b"), Content::Copy(&hash)));
        assert!(!read.contains(a, Content::Copy(&ContentHash::of(b"b"))));
        assert!(!read.contains(a, Content::Link(Path::new("../b"))));
        fs::write(folder.path().join(NAME), "my list\n").unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), None);
    }
}
