//! Which sidecar belongs to which photo: one rule, for reading and for writing.
//!
//! `photo.jpg.xmp` (digiKam, darktable) belongs to `photo.jpg`. `photo.xmp` (Lightroom, Camera Raw) belongs to one of the
//! pictures with this stem: the one that it names; or else the raw file, since programs write such sidecars because
//! they do not write into raw files; or else the only picture. If none of these decides, it belongs to none. The case of
//! extensions does not matter. What counts are the files on disk, whether or not the album has them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{SidecarFile, hint, is_sidecar};
use crate::file::FileMeta;
use crate::names::{Named, is_raw};

/// The photos and sidecars in one folder.
#[derive(Debug, Default)]
pub struct Beside {
    folder: PathBuf,
    /// The names of the files that may be photos, by their stems.
    photos: HashMap<OsString, Vec<OsString>>,
    /// The names of the sidecars, by their names without `.xmp`.
    sidecars: HashMap<OsString, Vec<OsString>>,
    /// The owners of sidecars that were looked for.
    owners: RefCell<HashMap<OsString, Option<OsString>>>,
    /// The folder before it was listed, and when that was.
    listed: Option<(FileMeta, SystemTime)>,
}

/// A folder that was changed shorter than this before it was listed may have been changed again since without another
/// modification time.
const TICK: Duration = Duration::from_secs(2);

impl Beside {
    /// Nothing in a folder yet.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ..Self::default()
        }
    }

    /// Lists a folder. What cannot be read has nothing in it.
    pub fn read(folder: &Path) -> Self {
        let mut beside = Self::new(folder);
        beside.listed = meta(folder).map(|meta| (meta, SystemTime::now()));
        let list = |beside: &mut Self| -> io::Result<()> {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if !entry.file_type()?.is_dir() {
                    beside.add(&entry.file_name());
                }
            }
            Ok(())
        };
        if let Err(error) = list(&mut beside) {
            tracing::debug!("{}: {error}", folder.display());
        }
        beside
    }

    /// Whether this is a list of a folder, and the folder has not changed since.
    pub fn is_current(&self, folder: &Path) -> bool {
        let is_old = |meta: &FileMeta, then: SystemTime| {
            let age = meta
                .modified()
                .and_then(|time| then.duration_since(time).ok());
            age.is_some_and(|age| age > TICK)
        };
        self.folder == folder
            && self
                .listed
                .is_some_and(|(before, then)| is_old(&before, then) && meta(folder) == Some(before))
    }

    /// Adds a file of the folder.
    pub fn add(&mut self, name: &OsStr) {
        let path = Path::new(name);
        let Some(stem) = path.file_stem() else {
            return;
        };
        let files = if is_sidecar(path) {
            &mut self.sidecars
        } else if Named::of(path).may_be_photo() {
            &mut self.photos
        } else {
            return;
        };
        files
            .entry(stem.to_owned())
            .or_default()
            .push(name.to_owned());
    }

    /// The sidecars of a photo that are there, sorted by name.
    pub fn of(&self, photo: &OsStr) -> Vec<SidecarFile> {
        let mut found: Vec<SidecarFile> = self
            .names(photo)
            .into_iter()
            .filter_map(|name| {
                let metadata = fs::metadata(self.folder.join(&name)).ok()?;
                metadata.is_file().then(|| SidecarFile {
                    meta: FileMeta::of(&metadata),
                    name,
                })
            })
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// The names of the sidecars that belong to a photo.
    fn names(&self, photo: &OsStr) -> Vec<OsString> {
        if self.sidecars.is_empty() {
            return Vec::new();
        }
        let mut names = Vec::new();
        for base in bases(photo) {
            let sidecars = self.sidecars.get(&base).into_iter().flatten();
            let owned = sidecars.filter(|name| self.owner(name).as_deref() == Some(photo));
            names.extend(owned.cloned());
        }
        // The case of the extension in `photo.JPG.xmp` may be another one.
        for (base, sidecars) in &self.sidecars {
            if base != photo && is_same_name(base, photo) {
                let owned = sidecars
                    .iter()
                    .filter(|name| self.owner(name).as_deref() == Some(photo));
                names.extend(owned.cloned());
            }
        }
        names
    }

    /// The photo to which a sidecar belongs, whether or not it is there.
    pub fn owner(&self, sidecar: &OsStr) -> Option<OsString> {
        if let Some(known) = self.owners.borrow().get(sidecar) {
            return known.clone();
        }
        let base = Path::new(sidecar).file_stem()?;
        let owner = self
            .named_in_full(base)
            .or_else(|| self.of_stem(base, sidecar));
        let mut owners = self.owners.borrow_mut();
        owners.insert(sidecar.to_owned(), owner.clone());
        owner
    }

    /// The photo with this name; if there is none, the only one whose extension differs in its case.
    fn named_in_full(&self, name: &OsStr) -> Option<OsString> {
        let of_stem = self.photos.get(Path::new(name).file_stem()?)?;
        if of_stem.iter().any(|photo| photo == name) {
            return Some(name.to_owned());
        }
        only(of_stem.iter().filter(|photo| is_same_name(photo, name)))
    }

    /// The photo with this stem to which the sidecar belongs.
    fn of_stem(&self, stem: &OsStr, sidecar: &OsStr) -> Option<OsString> {
        let of_stem = self.photos.get(stem)?;
        let is_picture = |name: &&OsString| Named::of(Path::new(name)) == Named::Picture;
        let pictures: Vec<&OsString> = of_stem.iter().filter(is_picture).collect();
        match pictures[..] {
            // Of files whose names do not say what they are.
            [] => return only(of_stem.iter()),
            [picture] => return Some(picture.clone()),
            _ => {}
        }
        let named = hint::extension(&self.folder.join(sidecar), stem);
        let is_named = |photo: &&&OsString| {
            let extension = Path::new(photo).extension();
            named.as_deref().is_some_and(|named| {
                extension.is_some_and(|extension| extension.eq_ignore_ascii_case(named))
            })
        };
        let is_raw = |photo: &&&OsString| is_raw(Path::new(photo));
        let mut named = pictures.iter().filter(is_named).copied();
        match (named.next(), named.next()) {
            (Some(picture), None) => Some(picture.clone()),
            _ => only(pictures.iter().filter(is_raw).copied()),
        }
    }

    /// The sidecar into which is written what concerns a photo: its own if it has one, otherwise a new one. Of two, the
    /// one in the wanted naming.
    pub fn to_write(&self, photo: &OsStr, naming: Naming) -> OsString {
        let stem = Path::new(photo).file_stem().unwrap_or(photo);
        let is_of_stem = |name: &OsString| Path::new(name).file_stem() == Some(stem);
        let mut own: Vec<OsString> = self.of(photo).into_iter().map(|file| file.name).collect();
        own.sort_by_key(|name| is_of_stem(name) != (naming == Naming::Stem));
        if let Some(first) = own.into_iter().next() {
            return first;
        }
        let named = |base: &OsStr| {
            let mut name = base.to_owned();
            name.push(".xmp");
            name
        };
        let short = named(stem);
        let is_taken = self.sidecars.contains_key(stem);
        if naming == Naming::Stem && !is_taken && self.owner(&short).as_deref() == Some(photo) {
            return short;
        }
        named(photo)
    }
}

fn meta(folder: &Path) -> Option<FileMeta> {
    fs::metadata(folder)
        .ok()
        .map(|metadata| FileMeta::of(&metadata))
}

/// How new sidecars are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// `photo.jpg.xmp`, as digiKam and darktable do.
    #[default]
    Full,
    /// `photo.xmp`, as Lightroom does, if it would belong to the photo.
    Stem,
}

/// What a sidecar of a photo may be called without `.xmp`.
fn bases(photo: &OsStr) -> Vec<OsString> {
    let mut bases = vec![photo.to_owned()];
    bases.extend(Path::new(photo).file_stem().map(OsStr::to_owned));
    bases.dedup();
    bases
}

/// Whether two names are the same but for the case of the extension.
pub(super) fn is_same_name(a: &OsStr, b: &OsStr) -> bool {
    let [a, b] = [a, b].map(Path::new);
    let is_same = match (a.extension(), b.extension()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    };
    is_same && a.file_stem() == b.file_stem()
}

/// The only one.
fn only<'a>(mut names: impl Iterator<Item = &'a OsString>) -> Option<OsString> {
    let first = names.next()?;
    names.next().is_none().then(|| first.clone())
}
