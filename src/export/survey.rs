//! A look into a folder of links or copies: what is ours to replace, and what is somebody's.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::manifest::{self, Content, Manifest};
use crate::error::{Error, Result};
use crate::file::FileMeta;
use crate::output;
use crate::photo::ContentHash;
use crate::store::Store;

/// By this file, and nothing else, version 0.1 knew a folder of its own.
const MARK: (&str, &[u8]) = (
    ".fer-index-album",
    b"fer-index replaces what is in this folder.\n",
);

/// What file managers leave in any folder they show. It stays, and is in nobody's way.
const CLUTTER: [&str; 4] = [".DS_Store", ".directory", "Thumbs.db", "desktop.ini"];

/// What is in a folder.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// What we noted of it.
    pub manifest: Option<Manifest>,
    /// Links and copies of ours that nobody changed, as they were found, and the old mark.
    pub ours: Vec<(OsString, FileMeta)>,
    /// What a killed run was making.
    pub drafts: Vec<PathBuf>,
    /// What is in the way, for people to read.
    pub theirs: Vec<String>,
    /// The names of all that stays.
    pub staying: Vec<OsString>,
}

impl Survey {
    /// Looks into `folder`, no further than `most` things that are in the way; `index` tells what is
    /// nowhere else.
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
        let is_old = fs::read(folder.join(MARK.0)).is_ok_and(|content| content == MARK.1);
        let look = Look {
            folder,
            index,
            manifest: survey.manifest.clone().unwrap_or_default(),
            is_old,
        };
        for entry in fs::read_dir(folder).map_err(failed)? {
            if survey.theirs.len() >= most {
                break;
            }
            let entry = entry.map_err(failed)?;
            let (name, path) = (entry.file_name(), entry.path());
            if name == manifest::NAME && survey.manifest.is_some() {
                continue;
            }
            let metadata = entry.metadata().map_err(failed)?;
            match look.at(&name, &path, &metadata)? {
                Kind::Ours => survey.ours.push((name, FileMeta::of(&metadata))),
                Kind::Draft => survey.drafts.push(path),
                Kind::Harmless => survey.staying.push(name),
                Kind::Theirs(remark) => {
                    let shown = name.to_string_lossy();
                    survey
                        .theirs
                        .push(format!("{}{remark}", shown.escape_debug()));
                    survey.staying.push(name);
                }
            }
        }
        survey.theirs.sort();
        Ok(survey)
    }
}

enum Kind {
    Ours,
    Draft,
    /// Not ours to take away, and in nobody's way.
    Harmless,
    /// Somebody's, with a remark.
    Theirs(&'static str),
}

struct Look<'a> {
    folder: &'a Path,
    index: &'a Store,
    manifest: Manifest,
    is_old: bool,
}

impl Look<'_> {
    fn at(&self, name: &OsStr, path: &Path, metadata: &Metadata) -> Result<Kind> {
        let failed = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        if metadata.is_symlink() {
            let target = fs::read_link(path).map_err(failed)?;
            let is_ours = self.manifest.contains(name, Content::Link(&target))
                || self.is_old && self.is_old_link(name, &target)?;
            return Ok(if is_ours {
                Kind::Ours
            } else {
                Kind::Theirs("")
            });
        }
        if metadata.is_dir() && self.manifest.contains(name, Content::Draft) {
            return Ok(Kind::Draft);
        }
        if !metadata.is_file() {
            return Ok(Kind::Theirs(""));
        }
        if CLUTTER.iter().any(|clutter| name == *clutter) {
            return Ok(Kind::Harmless);
        }
        if self.is_old && name == MARK.0 {
            return Ok(Kind::Ours);
        }
        if numbered_name(name).is_some() {
            let hash = ContentHash::of(&fs::read(path).map_err(failed)?);
            let is_ours = self.manifest.contains(name, Content::Copy(&hash));
            if is_ours || self.is_old {
                // It holds nothing of its own as long as there is another file of that content.
                if self.is_elsewhere(&hash, metadata.len())? {
                    return Ok(Kind::Ours);
                }
                let remark = " (its original is gone or was changed)";
                return Ok(Kind::Theirs(if is_ours { remark } else { "" }));
            }
        }
        // A contact sheet, perhaps.
        if output::is_ours(path) {
            return Ok(Kind::Harmless);
        }
        Ok(Kind::Theirs(""))
    }

    /// Whether the index knows another file of this content, which is there.
    fn is_elsewhere(&self, hash: &ContentHash, length: u64) -> Result<bool> {
        let Some(known) = self.index.photo_by_hash(hash)? else {
            return Ok(false);
        };
        let photo = self.index.photo(known.id)?;
        let mut paths = photo.into_iter().flat_map(|photo| photo.paths);
        Ok(paths.any(|path| {
            path.parent() != Some(self.folder)
                && path
                    .symlink_metadata()
                    .is_ok_and(|metadata| metadata.is_file() && metadata.len() == length)
        }))
    }

    /// Whether version 0.1 made a link: to a photo of the index, under its name and a number.
    fn is_old_link(&self, name: &OsStr, target: &Path) -> Result<bool> {
        let file = target.file_name().map(OsStr::as_encoded_bytes);
        if numbered_name(name) != file {
            return Ok(false);
        }
        match self.folder.join(target).canonicalize() {
            Ok(photo) => Ok(self.index.file(&photo)?.is_some()),
            Err(_) => Ok(false),
        }
    }
}

/// What follows the number and blank in the name of an entry.
fn numbered_name(name: &OsStr) -> Option<&[u8]> {
    let name = name.as_encoded_bytes();
    let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    name[digits..].strip_prefix(b" ").filter(|_| digits >= 3)
}
