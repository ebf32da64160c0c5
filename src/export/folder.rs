//! Fills a folder with links to photos or with copies.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::manifest::{Content, Manifest, NAME};
use super::survey::{self, Survey};
use crate::atomic;
use crate::error::{Error, Result};
use crate::file::FileMeta;
use crate::output::numbered;
use crate::photo::ContentHash;
use crate::store::Store;

/// Most names in the message about entries that are in the way.
const MAX_NAMES: usize = 5;

/// How photos are stored in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// As symbolic links relative to the folder, so that both may be moved together.
    Linked,
    /// As copies.
    Copied,
}

/// Fills `folder` with links to these photos of the index or copies of them, numbered in order. They replace the
/// entries that an earlier call made. All entries are first made in a hidden draft folder, so that a failure leaves
/// `folder` unchanged.
///
/// Entries that fer-index did not make are kept, as are its links and copies that somebody changed, and copies without
/// another file of the same content. If there are any of these, nothing is written; with `force`, the new entries are
/// added beside them.
///
/// # Errors
/// [`Error::Usage`] if something is in the way, which it names, or if the only file of a photo is an entry that would
/// be replaced; [`Error::Io`] if the folder cannot be written.
pub fn fill_folder(
    folder: &Path,
    photos: &[&Path],
    placement: Placement,
    force: bool,
    index: &Store,
) -> Result<()> {
    let folder = absolute(folder)?;
    let at = |source| io_error(&folder, source);
    let folder_exists = folder_exists(&folder)?;
    let survey = if folder_exists {
        Survey::of(
            &folder,
            index,
            if force { usize::MAX } else { MAX_NAMES + 1 },
        )?
    } else {
        fs::create_dir(&folder).map_err(at)?;
        Survey::default()
    };
    if !survey.in_the_way.is_empty() && !force {
        return Err(Error::Usage(format!(
            "{} contains files that fer-index did not put there, or that were changed since: {}; name \
             another folder, or use --force to add the photos beside them",
            folder.display(),
            list_names(&survey.in_the_way)
        )));
    }
    if survey.kept.iter().any(|name| name == NAME) {
        return Err(Error::Usage(format!(
            "{} is in the way: fer-index needs this name for its list of entries; name another folder",
            folder.join(NAME).display()
        )));
    }
    let _lock = lock(&folder)?;
    let photos = paths_outside(&folder, photos, &survey, index)?;
    let filling = Fill {
        folder: &folder,
        draft: atomic::unused_name(&folder).map_err(at)?,
        survey,
    };
    let names = filling.names(&photos, 0);
    match filling.prepare(&photos, &names, placement) {
        Ok(new) => filling.finish(&names, &new).map_err(at),
        Err(error) => {
            filling.roll_back(folder_exists);
            Err(error)
        }
    }
}

/// Whether fer-index has filled `folder` with links or copies before.
pub fn is_filled(folder: &Path) -> bool {
    Manifest::read(folder).is_ok_and(|manifest| manifest.is_some()) || survey::has_old_mark(folder)
}

/// Adds links to these photos of the index to a folder that [`fill_folder`] filled, with numbers above the existing
/// ones. Everything in the folder is kept, and a photo that has a link gets no second one.
///
/// # Errors
/// [`Error::Usage`] if the folder was not filled by fer-index; [`Error::Io`] if it cannot be written.
pub fn add_to_folder(folder: &Path, photos: &[&Path], index: &Store) -> Result<()> {
    let folder = absolute(folder)?;
    let at = |source| io_error(&folder, source);
    if !folder_exists(&folder)? || !is_filled(&folder) {
        return Err(Error::Usage(format!(
            "{} is no folder of links that fer-index made",
            folder.display()
        )));
    }
    let _lock = lock(&folder)?;
    let mut survey = Survey::of(&folder, index, usize::MAX)?;
    let replaceable = survey.replaceable.drain(..).map(|(name, _)| name);
    survey.kept.extend(replaceable);
    let existing: HashSet<PathBuf> = survey
        .kept
        .iter()
        .filter_map(|name| fs::read_link(folder.join(name)).ok())
        .collect();
    let is_new = |photo: &&&Path| {
        photo.parent() != Some(folder.as_path()) && !existing.contains(&relative(photo, &folder))
    };
    let photos: Vec<PathBuf> = photos
        .iter()
        .filter(is_new)
        .map(|photo| photo.to_path_buf())
        .collect();
    let filling = Fill {
        folder: &folder,
        draft: atomic::unused_name(&folder).map_err(at)?,
        survey,
    };
    let names = filling.names(&photos, filling.survey.highest_number());
    match filling.prepare(&photos, &names, Placement::Linked) {
        Ok(mut new) => {
            new.add_all(&filling.survey.manifest.clone().unwrap_or_default());
            filling.finish(&names, &new).map_err(at)
        }
        Err(error) => {
            filling.roll_back(true);
            Err(error)
        }
    }
}

/// The absolute path of a folder, without symbolic links in its parents, so that relative links in it work. Creates
/// the parents.
fn absolute(folder: &Path) -> Result<PathBuf> {
    let at = |source| io_error(folder, source);
    let folder = std::path::absolute(folder).map_err(at)?;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(Error::Usage(format!(
            "{} cannot be filled; name a folder below it",
            folder.display()
        )));
    };
    fs::create_dir_all(parent).map_err(|source| io_error(parent, source))?;
    let parent = parent
        .canonicalize()
        .map_err(|source| io_error(parent, source))?;
    Ok(parent.join(name))
}

/// Whether the folder exists.
fn folder_exists(folder: &Path) -> Result<bool> {
    let what = match folder.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => return Ok(true),
        Ok(metadata) if metadata.is_symlink() => "a link",
        Ok(_) => "a file",
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io_error(folder, error)),
    };
    Err(Error::Usage(format!(
        "{} is {what} and is not replaced; name a folder",
        folder.display()
    )))
}

/// For each photo, a path that is not one of the copies that will be replaced: if the folder was indexed, such a copy
/// may be the first path of a photo.
fn paths_outside(
    folder: &Path,
    photos: &[&Path],
    survey: &Survey,
    index: &Store,
) -> Result<Vec<PathBuf>> {
    let path = |photo: &&Path| {
        let name = photo.file_name().unwrap_or_default();
        let is_replaced =
            photo.parent() == Some(folder) && survey.replaceable.iter().any(|(it, _)| it == name);
        if !is_replaced {
            return Ok(photo.to_path_buf());
        }
        let known = match index.file(photo)? {
            Some(Ok(id)) => index.photo(id)?,
            _ => None,
        };
        let mut paths = known.into_iter().flat_map(|known| known.paths);
        let other = paths.find(|path| path.parent() != Some(folder) && path.is_file());
        other.ok_or_else(|| {
            Error::Usage(format!(
                "{} is one of the photos and one of the copies in the folder to be filled; name another folder",
                photo.display()
            ))
        })
    };
    photos.iter().map(path).collect()
}

/// The lock of a folder while it is being filled: two runs would delete each other's drafts. `None` if folders cannot
/// be locked here.
fn lock(folder: &Path) -> Result<Option<File>> {
    // Not every system can open folders, and not every file system can lock them.
    let Ok(file) = File::open(folder) else {
        return Ok(None);
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::Usage(format!(
            "another fer-index is filling {}; try again once it is done",
            folder.display()
        ))),
        _ => Ok(Some(file)),
    }
}

fn list_names(names: &[String]) -> String {
    let listed = names.iter().take(MAX_NAMES).map(String::as_str);
    let listed = listed.collect::<Vec<_>>().join(", ");
    if names.len() > MAX_NAMES {
        format!("{listed} and more")
    } else {
        listed
    }
}

/// A folder that is being filled.
struct Fill<'a> {
    folder: &'a Path,
    /// The folder in which entries are made.
    draft: PathBuf,
    survey: Survey,
}

impl Fill<'_> {
    /// Makes all entries in the draft folder. Then writes a manifest with old and new entries, so that whatever a
    /// killed run leaves is recognised as made by fer-index.
    fn prepare(
        &self,
        photos: &[PathBuf],
        names: &[OsString],
        placement: Placement,
    ) -> Result<Manifest> {
        let at = |source| io_error(self.folder, source);
        let mut manifest = self.survey.manifest.clone().unwrap_or_default();
        manifest.add(self.draft.file_name().unwrap_or_default(), Content::Draft);
        manifest.write(self.folder).map_err(at)?;
        fs::create_dir(&self.draft).map_err(at)?;
        let mut new = Manifest::default();
        for (photo, name) in photos.iter().zip(names) {
            self.make_entry(photo, name, placement, &mut new)?;
        }
        manifest.add_all(&new);
        manifest.write(self.folder).map_err(at)?;
        Ok(new)
    }

    /// Replaces the old entries by the new ones.
    fn finish(&self, names: &[OsString], new: &Manifest) -> io::Result<()> {
        self.remove_replaceable();
        for name in names {
            atomic::rename_new(&self.draft.join(name), &self.folder.join(name))?;
        }
        fs::remove_dir(&self.draft)?;
        new.write(self.folder)
    }

    /// The names of the new entries, with numbers above `before`. None of them is that of an entry that is kept.
    fn names(&self, photos: &[PathBuf], before: usize) -> Vec<OsString> {
        // Compared in lower case: on some systems `A.jpg` and `a.jpg` are the same file.
        let key = |name: &OsStr| name.to_string_lossy().to_lowercase();
        let mut taken: HashSet<_> = self.survey.kept.iter().map(|name| key(name)).collect();
        let digits = (before + photos.len()).to_string().len().max(3);
        let names = (before + 1..).zip(photos).map(|(number, photo)| {
            let mut name = OsString::from(format!("{number:0digits$} "));
            name.push(photo.file_name().unwrap_or_default());
            let mut free = name.clone();
            for number in 2.. {
                if taken.insert(key(&free)) {
                    break;
                }
                free = numbered(Path::new(&name), number).into_os_string();
            }
            free
        });
        names.collect()
    }

    /// Makes an entry in the draft folder and adds it to `new`. The error names the photo if it cannot be read, and the
    /// folder that is being filled if that cannot be written; they may be on different disks.
    fn make_entry(
        &self,
        photo: &Path,
        name: &OsStr,
        placement: Placement,
        new: &mut Manifest,
    ) -> Result<()> {
        let at = |source| io_error(self.folder, source);
        let path = self.draft.join(name);
        match placement {
            Placement::Linked => {
                let target = relative(photo, self.folder);
                symlink(&target, &path).map_err(at)?;
                new.add(name, Content::Link(&target));
            }
            Placement::Copied => {
                // The system does not say which of both files it means.
                fs::copy(photo, &path).map_err(|error| {
                    if can_be_read(photo) {
                        at(error)
                    } else {
                        io_error(photo, error)
                    }
                })?;
                let hash = ContentHash::of(&fs::read(&path).map_err(at)?);
                new.add(name, Content::Copy(&hash));
            }
        }
        Ok(())
    }

    /// Removes the replaceable entries that have not changed since the survey, and the drafts.
    fn remove_replaceable(&self) {
        for (name, meta) in &self.survey.replaceable {
            let path = self.folder.join(name);
            let removed = match path.symlink_metadata() {
                Ok(now) if FileMeta::of(&now) == *meta => fs::remove_file(&path),
                Ok(_) => Err(io::Error::other("it was just changed, and is kept")),
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                tracing::warn!("{}: {error}", path.display());
            }
        }
        for draft in &self.survey.drafts {
            remove_draft(draft);
        }
    }

    /// Restores the folder after a failure to prepare.
    fn roll_back(&self, folder_exists: bool) {
        remove_draft(&self.draft);
        if let Some(manifest) = &self.survey.manifest {
            let _ = manifest.write(self.folder);
        } else if Manifest::read(self.folder).is_ok_and(|it| it.is_some()) {
            let _ = fs::remove_file(self.folder.join(NAME));
        }
        if !folder_exists {
            // Fails if something is in it, which is intended.
            let _ = fs::remove_dir(self.folder);
        }
    }
}

/// Whether all of a file can be read.
fn can_be_read(path: &Path) -> bool {
    File::open(path)
        .and_then(|mut file| io::copy(&mut file, &mut io::sink()))
        .is_ok()
}

/// Removes a draft folder with its links and copies. If it contains a folder, both are kept.
fn remove_draft(draft: &Path) {
    let entries = fs::read_dir(draft).into_iter().flatten().flatten();
    for entry in entries {
        let _ = fs::remove_file(entry.path());
    }
    let _ = fs::remove_dir(draft);
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, path)
}

/// The relative path from a folder to a file; both are absolute.
fn relative(file: &Path, folder: &Path) -> PathBuf {
    let common = folder
        .components()
        .zip(file.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = folder
        .components()
        .skip(common)
        .map(|_| Component::ParentDir);
    up.chain(file.components().skip(common)).collect()
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(all(test, unix))]
mod tests;
