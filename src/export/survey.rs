//! Surveys a folder of links or copies: which entries fer-index may replace, and which it must keep.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::manifest::{self, Content, Manifest};
use crate::error::{Error, Result};
use crate::file::FileMeta;
use crate::output;
use crate::photo::ContentHash;
use crate::store::Store;

/// The file, with its content, by which version 0.1 recognised the folders that it had filled.
const OLD_MARK: (&str, &[u8]) = (
    ".fer-index-album",
    b"fer-index replaces what is in this folder.\n",
);

/// Files that file managers put into folders. They are kept and do not count as in the way.
const FILE_MANAGER_FILES: [&str; 4] = [".DS_Store", ".directory", "Thumbs.db", "desktop.ini"];

/// The contents of a folder.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The manifest of the folder.
    pub manifest: Option<Manifest>,
    /// Links and copies that fer-index made and nobody changed, with their metadata, and the mark of version 0.1.
    pub replaceable: Vec<(OsString, FileMeta)>,
    /// Draft folders that killed runs left.
    pub drafts: Vec<PathBuf>,
    /// Names of entries that are in the way, with remarks, for messages.
    pub in_the_way: Vec<String>,
    /// Names of all entries that are kept.
    pub kept: Vec<OsString>,
}

impl Survey {
    /// Surveys `folder` until `most` entries are in the way. `index` is searched for other files with the content of a
    /// copy.
    ///
    /// # Errors
    /// If the folder or the index cannot be read.
    pub fn of(folder: &Path, index: &Store, most: usize) -> Result<Self> {
        let failed = |source| Error::Io {
            path: folder.to_owned(),
            source,
        };
        let mut survey = Self {
            manifest: Manifest::read(folder).map_err(failed)?,
            ..Self::default()
        };
        let surveyed = Folder {
            path: folder,
            index,
            manifest: survey.manifest.clone().unwrap_or_default(),
            has_old_mark: has_old_mark(folder),
        };
        for entry in fs::read_dir(folder).map_err(failed)? {
            if survey.in_the_way.len() >= most {
                break;
            }
            let entry = entry.map_err(failed)?;
            let (name, path) = (entry.file_name(), entry.path());
            if name == manifest::NAME && survey.manifest.is_some() {
                continue;
            }
            let metadata = entry.metadata().map_err(failed)?;
            match surveyed.kind_of(&name, &path, &metadata)? {
                Kind::Replaceable => survey.replaceable.push((name, FileMeta::of(&metadata))),
                Kind::Draft => survey.drafts.push(path),
                Kind::Kept => survey.kept.push(name),
                Kind::InTheWay(remark) => {
                    let shown = name.to_string_lossy();
                    survey
                        .in_the_way
                        .push(format!("{}{remark}", shown.escape_debug()));
                    survey.kept.push(name);
                }
            }
        }
        survey.in_the_way.sort();
        Ok(survey)
    }

    /// The highest number at the beginning of the name of an entry that is kept; 0 if there is none.
    pub fn highest_number(&self) -> usize {
        let numbers = self.kept.iter().filter_map(|name| number(name));
        numbers.max().unwrap_or(0)
    }
}

/// Whether version 0.1 filled this folder.
pub(super) fn has_old_mark(folder: &Path) -> bool {
    fs::read(folder.join(OLD_MARK.0)).is_ok_and(|content| content == OLD_MARK.1)
}

enum Kind {
    /// Made by fer-index and unchanged.
    Replaceable,
    /// A draft folder of fer-index.
    Draft,
    /// Not to be removed, but not in the way.
    Kept,
    /// Not made by fer-index, or changed; with a remark.
    InTheWay(&'static str),
}

struct Folder<'a> {
    path: &'a Path,
    index: &'a Store,
    manifest: Manifest,
    has_old_mark: bool,
}

impl Folder<'_> {
    fn kind_of(&self, name: &OsStr, path: &Path, metadata: &Metadata) -> Result<Kind> {
        let failed = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        if metadata.is_symlink() {
            let target = fs::read_link(path).map_err(failed)?;
            let is_listed = self.manifest.contains(name, Content::Link(&target))
                || self.has_old_mark && self.is_old_link(name, &target)?;
            return Ok(if is_listed {
                Kind::Replaceable
            } else {
                Kind::InTheWay("")
            });
        }
        if metadata.is_dir() && self.manifest.contains(name, Content::Draft) {
            return Ok(Kind::Draft);
        }
        if !metadata.is_file() {
            return Ok(Kind::InTheWay(""));
        }
        if FILE_MANAGER_FILES.iter().any(|file| name == *file) {
            return Ok(Kind::Kept);
        }
        if self.has_old_mark && name == OLD_MARK.0 {
            return Ok(Kind::Replaceable);
        }
        if numbered_name(name).is_some() {
            let hash = ContentHash::of(&fs::read(path).map_err(failed)?);
            let is_listed = self.manifest.contains(name, Content::Copy(&hash));
            if is_listed || self.has_old_mark {
                // Removing the copy loses nothing if another file has the same content.
                if self.has_another_file(&hash, metadata.len())? {
                    return Ok(Kind::Replaceable);
                }
                let remark = " (its original is gone or was changed)";
                return Ok(Kind::InTheWay(if is_listed { remark } else { "" }));
            }
        }
        // An output file of fer-index, such as a contact sheet.
        if output::is_intact(path) {
            return Ok(Kind::Kept);
        }
        Ok(Kind::InTheWay(""))
    }

    /// Whether the index has another file with this content, and the file exists.
    fn has_another_file(&self, hash: &ContentHash, length: u64) -> Result<bool> {
        let Some(known) = self.index.photo_by_hash(hash)? else {
            return Ok(false);
        };
        let photo = self.index.photo(known.id)?;
        let mut paths = photo.into_iter().flat_map(|photo| photo.paths);
        Ok(paths.any(|path| {
            path.parent() != Some(self.path)
                && path
                    .symlink_metadata()
                    .is_ok_and(|metadata| metadata.is_file() && metadata.len() == length)
        }))
    }

    /// Whether version 0.1 made a link: its name is a number and the name of its target, a photo of the index.
    fn is_old_link(&self, name: &OsStr, target: &Path) -> Result<bool> {
        let file = target.file_name().map(OsStr::as_encoded_bytes);
        if numbered_name(name) != file {
            return Ok(false);
        }
        match self.path.join(target).canonicalize() {
            Ok(photo) => Ok(self.index.file(&photo)?.is_some()),
            Err(_) => Ok(false),
        }
    }
}

/// The name of an entry without the leading number and space; `None` without a number.
fn numbered_name(name: &OsStr) -> Option<&[u8]> {
    let name = name.as_encoded_bytes();
    let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    name[digits..].strip_prefix(b" ").filter(|_| digits >= 3)
}

/// The number of an entry, if its name begins with one of at most nine digits.
fn number(name: &OsStr) -> Option<usize> {
    let rest = numbered_name(name)?.len() + 1;
    let name = name.as_encoded_bytes();
    let digits = str::from_utf8(&name[..name.len() - rest]).ok()?;
    digits.parse().ok().filter(|_| digits.len() <= 9)
}
