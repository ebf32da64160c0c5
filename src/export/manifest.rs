//! What in a folder of links or copies is of our making.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::Path;

use crate::atomic;
use crate::photo::ContentHash;

/// The file's name. Versions that replaced everything in a folder by the mark `.fer-index-album`
/// do not know it, so they leave the folder alone.
pub(super) const NAME: &str = ".fer-index-manifest";

const HEAD: &str = "fer-index made what has a line in here, and replaces it; all else in this \
                    folder stays. A line is the BLAKE3 hash of a name, a kind and a content.";

/// What is given by a link or copy: what it holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    /// A symbolic link to this path.
    Link(&'a Path),
    /// A file with this content.
    Copy(&'a ContentHash),
    /// A folder in which entries are made, before they get their places.
    Draft,
}

/// The entries of a folder that we made, each by the hash of its name, kind and content: an entry that
/// somebody changed, renamed or added is not among them. Neither names nor paths of photos can be
/// read from it, for a folder of copies may be given away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    entries: HashSet<String>,
}

impl Manifest {
    /// Reads that of a folder; `None` where there is none or it is no such file.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(NAME);
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            Ok(metadata) if !metadata.is_file() => return Ok(None),
            Ok(_) => {}
        }
        // A file of somebody under this name need not be text, or of any size.
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

    /// Writes it into a folder, in the place of the one that is there.
    ///
    /// # Errors
    /// What the system says.
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

    /// Notes an entry as ours.
    pub fn add(&mut self, name: &OsStr, content: Content<'_>) {
        self.entries.insert(line(name, content));
    }

    /// Notes the entries of another manifest as well.
    pub fn add_all(&mut self, other: &Self) {
        self.entries.extend(other.entries.iter().cloned());
    }

    /// Whether an entry is as we made it.
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
    // No name has a slash, so that the parts cannot be taken for one another.
    ContentHash::of(&[name.as_encoded_bytes(), kind.as_bytes(), content].concat()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_known_by_name_kind_and_content() {
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
