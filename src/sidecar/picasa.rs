//! `.picasa.ini`, in which Picasa stores its data about all pictures in a folder. It counts as a sidecar of each
//! picture that it describes.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::SidecarFile;
use crate::facts::{Contacts, PicasaFolder, Statements};
use crate::file::{FileMeta, read_bytes};

/// Size limit of a file in bytes; larger ones are ignored. A picture takes some hundred bytes.
const MAX_BYTES: u64 = 32 << 20;

/// The list of people that old versions of Picasa store with their settings. A person may copy it into the album.
const CONTACTS: &str = "contacts.xml";

/// The names of the file since Picasa 3 and in older versions, in the order in which they count.
const NAMES: [&str; 2] = [".picasa.ini", "Picasa.ini"];

/// Whether this is the name of such a file.
pub fn is_picasa(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    NAMES.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// The file of one folder.
#[derive(Debug, Default)]
pub(super) struct Picasa {
    name: Option<OsString>,
    last: RefCell<Option<Read>>,
}

/// A file that was read.
#[derive(Debug)]
struct Read {
    meta: FileMeta,
    folder: PicasaFolder,
    /// The list of people that was needed, and its metadata.
    contacts: Option<(PathBuf, FileMeta)>,
}

impl Picasa {
    /// Adds a file of the folder.
    pub fn add(&mut self, name: &OsStr) {
        let is_newer = |name: &OsStr| name.eq_ignore_ascii_case(NAMES[0]);
        if self.name.as_deref().is_none_or(|known| !is_newer(known)) {
            self.name = Some(name.to_owned());
        }
    }

    /// The files that describe a picture: the file, and the list of people if names come from it.
    pub fn of(&self, folder: &Path, picture: &OsStr) -> Vec<SidecarFile> {
        self.read(folder, picture, |name, read, _| {
            let file = |name, meta| SidecarFile { name, meta };
            let contacts = read.contacts.iter();
            let contacts = contacts.map(|(path, meta)| file(path.clone().into(), *meta));
            [file(name.to_owned(), read.meta)]
                .into_iter()
                .chain(contacts)
                .collect()
        })
        .unwrap_or_default()
    }

    /// The statements of the file on a picture.
    pub fn statements(&self, folder: &Path, picture: &OsStr) -> Option<Statements> {
        self.read(folder, picture, |_, _, statements| statements.clone())
    }

    /// Calls `found` with the file if it describes a picture. The file is read again if it has changed.
    fn read<T>(
        &self,
        folder: &Path,
        picture: &OsStr,
        found: impl FnOnce(&OsStr, &Read, &Statements) -> T,
    ) -> Option<T> {
        let name = self.name.as_deref()?;
        let path = folder.join(name);
        let meta = meta(&path)?;
        let is_current = |read: &Read| {
            let contacts = read.contacts.as_ref();
            read.meta == meta
                && contacts.is_none_or(|(path, meta)| self::meta(path).as_ref() == Some(meta))
        };
        let mut last = self.last.borrow_mut();
        let known = last.take().filter(is_current);
        let read = last.insert(known.unwrap_or_else(|| read(&path, meta)));
        let statements = read.folder.of(picture.to_str()?)?;
        Some(found(name, read, statements))
    }
}

fn meta(path: &Path) -> Option<FileMeta> {
    let metadata = fs::metadata(path).ok()?;
    metadata.is_file().then(|| FileMeta::of(&metadata))
}

/// Reads a file, and if it lacks names, the nearest list of people in its folder or above.
fn read(path: &Path, meta: FileMeta) -> Read {
    let bytes = |path: &Path| {
        read_bytes(path, MAX_BYTES).unwrap_or_else(|skip| {
            tracing::debug!("{} is ignored: {skip}", path.display());
            Vec::new()
        })
    };
    let ini = bytes(path);
    let mut folder = PicasaFolder::parse(&ini, &Contacts::default());
    let above = || path.ancestors().skip(1).map(|folder| folder.join(CONTACTS));
    let contacts = folder
        .lacks_names()
        .then(|| above().find_map(|path| Some((self::meta(&path)?, path))))
        .flatten()
        .map(|(meta, path)| (path, meta));
    if let Some((path, _)) = &contacts {
        folder = PicasaFolder::parse(&ini, &Contacts::of_xml(&bytes(path)));
    }
    Read {
        meta,
        folder,
        contacts,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;

    use super::*;

    /// The statements of a file with this many bytes, in which `photo.jpg` has a star.
    fn statements_of(bytes: u64) -> Option<Statements> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAMES[0]);
        let star = b"[photo.jpg]\nstar=yes\n";
        fs::write(&path, star).unwrap();
        let blank = vec![b' '; (bytes - star.len() as u64) as usize];
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&blank).unwrap();
        let mut picasa = Picasa::default();
        picasa.add(OsStr::new(NAMES[0]));
        picasa.statements(folder.path(), OsStr::new("photo.jpg"))
    }

    #[test]
    fn a_file_beyond_the_limit_says_nothing() {
        assert!(statements_of(MAX_BYTES).is_some_and(|statements| !statements.is_empty()));
        assert!(statements_of(MAX_BYTES + 1).is_none());
    }
}
