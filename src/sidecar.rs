//! Sidecars: files that describe a photo beside them, in XMP, in the JSON of Google Takeout or in the `.picasa.ini` of
//! a folder, and which photos they belong to.

mod exported;
mod folder;
mod hint;
mod picasa;
mod takeout;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::facts::Statements;
use crate::file::{Difference, FileMeta};

pub use exported::{
    COPIED_PROPERTY, CopiedProperties, EXPORTED_PROPERTY, ExportedKeywords, NAMESPACE, PREFIX,
};
pub use folder::{Naming, SidecarFolder};
pub use picasa::is_picasa;
pub use takeout::in_other_parts;

/// A sidecar as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidecarFile {
    /// Its name in the photo's folder.
    pub name: OsString,
    /// Its size, times and inode.
    pub meta: FileMeta,
}

/// A sidecar that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Sidecar {
    /// The file.
    pub file: SidecarFile,
    /// Its statements, without those that `export --xmp` wrote: keywords, and copies of the photo's own statements.
    pub statements: Statements,
}

/// Whether a file has the extension of a sidecar, in any case, or the name of one.
pub fn is_sidecar(path: &Path) -> bool {
    is_xmp(path) || is_takeout(path) || is_picasa(path)
}

/// Whether a file has the extension of the JSON files in exports of Google Photos, in any case.
pub fn is_takeout(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// Whether a file has the extension of an XMP sidecar, in any case.
fn is_xmp(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("xmp"))
}

/// Whether a sidecar may belong to a photo, by their paths; [`SidecarFolder`] decides it.
pub fn may_belong(sidecar: &Path, photo: &Path) -> bool {
    let (Some(base), Some(name)) = (sidecar.file_stem(), photo.file_name()) else {
        return false;
    };
    let (Some(sidecar_folder), Some(photo_folder)) = (sidecar.parent(), photo.parent()) else {
        return false;
    };
    if is_picasa(sidecar) {
        return sidecar_folder == photo_folder;
    }
    if is_xmp(sidecar) {
        let is_stem = photo.file_stem() == Some(base);
        return sidecar_folder == photo_folder && (is_stem || folder::is_same_name(base, name));
    }
    let is_near = || {
        sidecar_folder == photo_folder
            || takeout::is_same_in_other_part(sidecar_folder, photo_folder)
    };
    let is_called_so = |base: &str| {
        let after =
            takeout::photo_of(base).is_some_and(|(stem, _)| takeout::stems(name).contains(&stem));
        after || takeout::names(name).iter().any(|name| name == base)
    };
    is_takeout(sidecar) && base.to_str().is_some_and(is_called_so) && is_near()
}

/// The paths with which those of the photos begin to which a sidecar may belong: a folder, and the start of a name.
pub fn photos_of(sidecar: &Path) -> Vec<PathBuf> {
    let (Some(base), Some(folder)) = (sidecar.file_stem(), sidecar.parent()) else {
        return Vec::new();
    };
    if is_picasa(sidecar) {
        return vec![folder.join("")];
    }
    if !is_takeout(sidecar) {
        // The photo has the name of the sidecar without ".xmp", perhaps with another extension instead of that name's
        // own, or with an additional one.
        return vec![folder.join(base).with_extension("")];
    }
    let Some(start) = base.to_str().map(takeout::start_of) else {
        return Vec::new();
    };
    let mut folders = in_other_parts(folder);
    folders.push(folder.to_owned());
    folders.iter().map(|folder| folder.join(start)).collect()
}

/// The sidecars that a photo has on disk, sorted by name.
pub fn find(photo: &Path) -> Vec<SidecarFile> {
    Finder::default().find(photo)
}

/// Finds the sidecars of one photo after another, and lists a folder only once while it does not change.
#[derive(Debug, Default)]
pub struct Finder(RefCell<Option<SidecarFolder>>);

impl Finder {
    /// The sidecars that a photo has on disk, sorted by name.
    pub fn find(&self, photo: &Path) -> Vec<SidecarFile> {
        self.in_folder_of(photo, SidecarFolder::sidecars_of)
            .unwrap_or_default()
    }

    /// The statements of the `.picasa.ini` beside a photo.
    pub fn picasa(&self, photo: &Path) -> Option<Statements> {
        self.in_folder_of(photo, SidecarFolder::picasa_statements)
            .flatten()
    }

    /// Calls `of` with the folder of a photo and the photo's name.
    fn in_folder_of<T>(
        &self,
        photo: &Path,
        of: impl FnOnce(&SidecarFolder, &OsStr) -> T,
    ) -> Option<T> {
        let (folder, name) = (photo.parent()?, photo.file_name()?);
        let mut last = self.0.borrow_mut();
        let known = last.take().filter(|sidecars| sidecars.is_current(folder));
        let sidecars = known.unwrap_or_else(|| SidecarFolder::read(folder));
        Some(of(last.insert(sidecars), name))
    }
}

/// The path of the sidecar into which the emotions of a photo are written; see [`SidecarFolder::sidecar_to_write`].
pub fn path_to_write(photo: &Path, naming: Naming) -> PathBuf {
    let folder = photo.parent().unwrap_or(Path::new(""));
    let name = photo.file_name().unwrap_or_default();
    folder.join(SidecarFolder::read(folder).sidecar_to_write(name, naming))
}

/// Whether the sidecars of a photo on disk differ from those in the index, or have changed. Both lists are sorted by
/// name.
pub fn have_changed(found: &[SidecarFile], known: &[SidecarFile]) -> bool {
    let is_same = |(found, known): (&SidecarFile, &SidecarFile)| {
        found.name == known.name && found.meta.difference(&known.meta) == Difference::None
    };
    found.len() != known.len() || !found.iter().zip(known).all(is_same)
}
