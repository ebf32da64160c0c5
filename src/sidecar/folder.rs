//! Which sidecar belongs to which photo: one rule, for reading and for writing.
//!
//! `photo.jpg.xmp` (digiKam, darktable) belongs to `photo.jpg`. `photo.xmp` (Lightroom, Camera Raw) belongs to one of
//! the pictures with this stem: the one that it names; or else the raw file, since programs write such sidecars because
//! they do not write into raw files; or else the only picture. If there is none of these, it belongs to no photo. The
//! case of extensions is ignored. The files on disk count, whether or not they are in the album.
//!
//! A JSON file of Google Takeout describes a photo and its edited versions; see [`takeout`]. A `.picasa.ini` belongs to
//! all photos of its folder that it describes; see [`picasa`](super::picasa).

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::picasa::{Picasa, is_picasa};
use super::{SidecarFile, hint, is_takeout, is_xmp, takeout};
use crate::facts::Statements;
use crate::file::FileMeta;
use crate::names::{FileKind, is_raw};

/// The photos and sidecars in one folder.
#[derive(Debug, Default)]
pub struct SidecarFolder {
    folder: PathBuf,
    /// The names of the files that may be photos, by their stems.
    photos: HashMap<OsString, Vec<OsString>>,
    /// The names of the XMP sidecars, by their names without `.xmp`; see [`folded`].
    sidecars: HashMap<OsString, Vec<OsString>>,
    /// The names of the JSON files, by their names without `.json`.
    json: HashMap<String, OsString>,
    /// The names of the JSON files without `.json`, by the stems of the photos after which they are named.
    json_by_stem: HashMap<String, Vec<String>>,
    /// The file of Picasa.
    picasa: Picasa,
    /// The same folder in the other parts of an export by Google Takeout.
    parts: OnceCell<Vec<SidecarFolder>>,
    /// The owners of sidecars that have been determined.
    owners: RefCell<HashMap<OsString, Option<OsString>>>,
    /// The metadata of the folder before it was listed, and the time of the listing.
    listing: Option<(FileMeta, SystemTime)>,
}

/// If a folder was changed less than this time before it was listed, a later change may not have given it a new
/// modification time.
const MTIME_RESOLUTION: Duration = Duration::from_secs(2);

impl SidecarFolder {
    /// The folder, without any files yet.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ..Self::default()
        }
    }

    /// Lists a folder. One that cannot be read counts as empty.
    pub fn read(folder: &Path) -> Self {
        let mut sidecars = Self::new(folder);
        sidecars.listing = meta(folder).map(|meta| (meta, SystemTime::now()));
        let list = |sidecars: &mut Self| -> io::Result<()> {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if !entry.file_type()?.is_dir() {
                    sidecars.add(&entry.file_name());
                }
            }
            Ok(())
        };
        if let Err(error) = list(&mut sidecars) {
            tracing::debug!("{}: {error}", folder.display());
        }
        sidecars
    }

    /// Whether this is a list of a folder, and the folder has not changed since.
    pub fn is_current(&self, folder: &Path) -> bool {
        let is_old = |meta: &FileMeta, then: SystemTime| {
            let age = meta
                .modified()
                .and_then(|time| then.duration_since(time).ok());
            age.is_some_and(|age| age > MTIME_RESOLUTION)
        };
        let parts = self.parts.get().into_iter().flatten();
        self.folder == folder
            && parts.into_iter().all(|part| part.is_current(&part.folder))
            && self
                .listing
                .is_some_and(|(before, then)| is_old(&before, then) && meta(folder) == Some(before))
    }

    /// Adds a file of the folder.
    pub fn add(&mut self, name: &OsStr) {
        let path = Path::new(name);
        let Some(stem) = path.file_stem() else {
            return;
        };
        if is_xmp(path) {
            let of_base = self.sidecars.entry(folded(stem)).or_default();
            of_base.push(name.to_owned());
        } else if is_takeout(path) {
            // Google's names are valid Unicode.
            let Some(stem) = stem.to_str() else {
                return;
            };
            if let Some((photo, _)) = takeout::photo_of(stem) {
                let of_stem = self.json_by_stem.entry(photo).or_default();
                of_stem.push(stem.to_owned());
            }
            self.json.insert(stem.to_owned(), name.to_owned());
        } else if is_picasa(path) {
            self.picasa.add(name);
        } else if FileKind::of(path).may_be_photo() {
            let of_stem = self.photos.entry(stem.to_owned()).or_default();
            of_stem.push(name.to_owned());
        }
    }

    /// The existing sidecars of a photo, sorted by name.
    pub fn sidecars_of(&self, photo: &OsStr) -> Vec<SidecarFile> {
        let takeout_json_of = self.takeout_json_of(photo);
        let mut found: Vec<SidecarFile> = self
            .xmp_of(photo)
            .into_iter()
            .chain(takeout_json_of)
            .filter_map(|name| {
                let metadata = fs::metadata(self.folder.join(&name)).ok()?;
                metadata.is_file().then(|| SidecarFile {
                    meta: FileMeta::of(&metadata),
                    name,
                })
            })
            .collect();
        found.extend(self.picasa.of(&self.folder, photo));
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// The statements of the file of Picasa on a photo.
    pub fn picasa_statements(&self, photo: &OsStr) -> Option<Statements> {
        self.picasa.statements(&self.folder, photo)
    }

    /// The names of the XMP sidecars that belong to a photo.
    fn xmp_of(&self, photo: &OsStr) -> Vec<OsString> {
        let stem = Path::new(photo).file_stem();
        let mut bases: Vec<OsString> = [Some(photo), stem]
            .into_iter()
            .flatten()
            .map(folded)
            .collect();
        bases.dedup();
        let sidecars = bases
            .iter()
            .filter_map(|base| self.sidecars.get(base))
            .flatten();
        let owned = sidecars.filter(|name| self.owner(name).as_deref() == Some(photo));
        owned.cloned().collect()
    }

    /// The name of the JSON file that describes a photo; its path if it is in another part of an export.
    fn takeout_json_of(&self, photo: &OsStr) -> Option<OsString> {
        let here = self.json_for(photo, &|name| self.photo_named(name).is_some());
        here.or_else(|| {
            let parts = || takeout::in_other_parts(&self.folder);
            let parts = self
                .parts
                .get_or_init(|| parts().iter().map(|part| Self::read(part)).collect());
            parts.iter().find_map(|part| {
                let name = part.json_for(photo, &|_| true)?;
                Some(part.folder.join(name).into_os_string())
            })
        })
    }

    /// The name of the JSON file in this folder that describes a photo. A file that is named after another picture
    /// describes the photo if that picture is its original, or if that picture does not exist, like the video of a live
    /// photo.
    fn json_for(&self, photo: &OsStr, is_there: &dyn Fn(&OsStr) -> bool) -> Option<OsString> {
        if self.json.is_empty() {
            return None;
        }
        let named_alike = takeout::names(photo)
            .into_iter()
            .find_map(|name| self.json.get(&name));
        let named_after_another = || {
            let is_edited = takeout::is_edited(photo);
            let stems = takeout::stems(photo);
            let mut others = stems
                .iter()
                .filter_map(|stem| self.json_by_stem.get(stem))
                .flatten();
            let other = others.find(|json| {
                let name = takeout::photo_of(json).map(|(stem, extension)| stem + &extension);
                is_edited || !name.is_some_and(|name| is_there(OsStr::new(&name)))
            });
            self.json.get(other?)
        };
        named_alike.or_else(named_after_another).cloned()
    }

    /// The photo to which a sidecar belongs, whether or not the sidecar exists.
    pub fn owner(&self, sidecar: &OsStr) -> Option<OsString> {
        if let Some(known) = self.owners.borrow().get(sidecar) {
            return known.clone();
        }
        let base = Path::new(sidecar).file_stem()?;
        let owner = self
            .photo_named(base)
            .or_else(|| self.photo_of_stem(base, sidecar));
        let mut owners = self.owners.borrow_mut();
        owners.insert(sidecar.to_owned(), owner.clone());
        owner
    }

    /// The photo with this name; if there is none, the only one whose extension differs in its case.
    fn photo_named(&self, name: &OsStr) -> Option<OsString> {
        let of_stem = self.photos.get(Path::new(name).file_stem()?)?;
        if of_stem.iter().any(|photo| photo == name) {
            return Some(name.to_owned());
        }
        only(of_stem.iter().filter(|photo| is_same_name(photo, name)))
    }

    /// The photo with this stem to which the sidecar belongs.
    fn photo_of_stem(&self, stem: &OsStr, sidecar: &OsStr) -> Option<OsString> {
        let of_stem = self.photos.get(stem)?;
        let is_picture = |name: &&OsString| FileKind::of(Path::new(name)) == FileKind::Picture;
        let pictures: Vec<&OsString> = of_stem.iter().filter(is_picture).collect();
        match pictures[..] {
            // Only files whose names do not show their kind.
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

    /// The sidecar into which the emotions of a photo are written: its own if it has one, otherwise a new one. If it
    /// has two, the one with the wanted kind of name.
    pub fn sidecar_to_write(&self, photo: &OsStr, naming: Naming) -> OsString {
        let stem = Path::new(photo).file_stem().unwrap_or(photo);
        let is_of_stem = |name: &OsString| Path::new(name).file_stem() == Some(stem);
        let mut own = self.xmp_of(photo);
        own.retain(|name| self.folder.join(name).is_file());
        own.sort();
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
        let is_taken = self.sidecars.contains_key(&folded(stem));
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

/// A name with its extension in lower case.
fn folded(name: &OsStr) -> OsString {
    let path = Path::new(name);
    match path.extension() {
        Some(extension) => path.with_extension(extension.to_ascii_lowercase()).into(),
        None => name.to_owned(),
    }
}

/// Whether two names are equal except for the case of the extension.
pub(super) fn is_same_name(a: &OsStr, b: &OsStr) -> bool {
    let [a, b] = [a, b].map(Path::new);
    let is_same = match (a.extension(), b.extension()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    };
    is_same && a.file_stem() == b.file_stem()
}

/// The only name; `None` if there are none or several.
fn only<'a>(mut names: impl Iterator<Item = &'a OsString>) -> Option<OsString> {
    let first = names.next()?;
    names.next().is_none().then(|| first.clone())
}
