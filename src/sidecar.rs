//! Sidecars: XMP files beside a photo, and which photos a sidecar belongs to.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::facts::Statements;
use crate::file::{Difference, FileMeta};

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
    /// What it says of the photo, without the keywords that were exported from the index.
    pub said: Statements,
}

/// Whether a file has the extension of a sidecar, in any case.
pub fn is_sidecar(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("xmp"))
}

/// The paths of the two possible sidecars of a photo: `photo.jpg.xmp` (digiKam, darktable) and
/// `photo.xmp` (Lightroom), which belongs to every photo of that stem. They are the same for a photo whose
/// name has no extension.
pub fn paths(photo: &Path) -> [PathBuf; 2] {
    let mut full: OsString = photo.as_os_str().to_owned();
    full.push(".xmp");
    [full.into(), photo.with_extension("xmp")]
}

/// Whether a sidecar belongs to a photo in the same folder, by their names. The case of the sidecar's
/// extension does not matter, as on file systems that ignore case.
pub fn belongs_to(sidecar: &Path, photo: &Path) -> bool {
    let base = sidecar.file_stem();
    is_sidecar(sidecar) && (base == photo.file_name() || base == photo.file_stem())
}

/// The sidecars that a photo has on disk.
pub fn find(photo: &Path) -> Vec<SidecarFile> {
    let [full, stem] = paths(photo);
    let second = (stem != full).then_some(stem);
    let mut found: Vec<SidecarFile> = [Some(full), second]
        .into_iter()
        .flatten()
        .filter_map(|path| {
            let metadata = fs::metadata(&path).ok()?;
            let name = path.file_name().map(OsStr::to_owned)?;
            metadata.is_file().then(|| SidecarFile {
                name,
                meta: FileMeta::of(&metadata),
            })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Whether the sidecars of a photo on disk are others than the index knows, or have changed. Both lists are
/// sorted by name.
pub fn have_changed(found: &[SidecarFile], known: &[SidecarFile]) -> bool {
    let is_same = |(found, known): (&SidecarFile, &SidecarFile)| {
        found.name == known.name && found.meta.difference(&known.meta) == Difference::None
    };
    found.len() != known.len() || !found.iter().zip(known).all(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_belongs_to_one_photo_or_to_all_of_its_stem() {
        let belongs = |sidecar: &str, photo: &str| belongs_to(Path::new(sidecar), Path::new(photo));
        assert!(belongs("/a/1.jpg.xmp", "/a/1.jpg"));
        assert!(belongs("/a/1.xmp", "/a/1.jpg"));
        assert!(belongs("/a/1.XMP", "/a/1.nef"));
        assert!(!belongs("/a/1.jpg.xmp", "/a/1.nef"));
        assert!(!belongs("/a/1.xmp", "/a/10.jpg"));
        assert!(!belongs("/a/1.txt", "/a/1.jpg"));
    }

    #[test]
    fn sidecars_are_found_and_compared() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("1.jpg");
        assert_eq!(find(&photo), []);
        fs::create_dir(folder.path().join("1.xmp")).unwrap();
        fs::write(folder.path().join("1.jpg.xmp"), "x").unwrap();
        let before = find(&photo);
        assert_eq!(before.len(), 1);
        assert_eq!(before[0].name, "1.jpg.xmp");
        assert!(!have_changed(&find(&photo), &before));
        assert!(have_changed(&[], &before));
        fs::write(folder.path().join("1.jpg.xmp"), "xy").unwrap();
        assert!(have_changed(&find(&photo), &before));
        // A name without extension has one possible sidecar.
        fs::write(folder.path().join("scan.xmp"), "x").unwrap();
        assert_eq!(find(&folder.path().join("scan")).len(), 1);
    }
}
