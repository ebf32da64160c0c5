//! Fills a folder with links to photos or with copies.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::manifest::{Content, Manifest, NAME};
use super::survey::Survey;
use crate::atomic;
use crate::error::{Error, Result};
use crate::file::FileMeta;
use crate::output::numbered;
use crate::photo::ContentHash;
use crate::store::Store;

/// Most names in the message about entries that are in the way.
const MOST_NAMES: usize = 5;

/// How photos are put into a folder.
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
/// Entries that fer-index did not make are kept, and so are its links and copies that somebody changed, and copies
/// without another file of the same content. If there are any of these, nothing is written; with `force` the new
/// entries are added beside them.
///
/// # Errors
/// [`Error::Usage`] if something is in the way, which it names, or if the only file of a photo is an entry that would be replaced;
/// [`Error::Io`] if the folder cannot be written.
pub fn fill_folder(
    folder: &Path,
    photos: &[&Path],
    placement: Placement,
    force: bool,
    index: &Store,
) -> Result<()> {
    let folder = absolute(folder)?;
    let at = |source| failed(&folder, source);
    let folder_exists = folder_exists(&folder)?;
    let survey = if folder_exists {
        Survey::of(
            &folder,
            index,
            if force { usize::MAX } else { MOST_NAMES + 1 },
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
            some_of(&survey.in_the_way)
        )));
    }
    if survey.kept.iter().any(|name| name == NAME) {
        return Err(Error::Usage(format!(
            "{} is in the way: fer-index needs this name for its list of entries; name another folder",
            folder.join(NAME).display()
        )));
    }
    let _lock = lock(&folder)?;
    let photos = outside(&folder, photos, &survey, index)?;
    let filling = Fill {
        folder: &folder,
        draft: atomic::unused_name(&folder).map_err(at)?,
        survey,
    };
    let names = filling.names(&photos);
    match filling.prepare(&photos, &names, placement) {
        Ok(new) => filling.finish(&names, &new).map_err(at),
        Err(error) => {
            filling.undo(folder_exists);
            Err(error)
        }
    }
}

/// The absolute path of a folder, without symbolic links in its parents, so that relative links in it work. Creates
/// the parents.
fn absolute(folder: &Path) -> Result<PathBuf> {
    let at = |source| failed(folder, source);
    let folder = std::path::absolute(folder).map_err(at)?;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(Error::Usage(format!(
            "{} cannot be filled; name a folder below it",
            folder.display()
        )));
    };
    fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
    let parent = parent
        .canonicalize()
        .map_err(|source| failed(parent, source))?;
    Ok(parent.join(name))
}

/// Whether the folder exists.
fn folder_exists(folder: &Path) -> Result<bool> {
    let what = match folder.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => return Ok(true),
        Ok(metadata) if metadata.is_symlink() => "a link",
        Ok(_) => "a file",
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(folder, error)),
    };
    Err(Error::Usage(format!(
        "{} is {what} and is not replaced; name a folder",
        folder.display()
    )))
}

/// For each photo a path other than that of a copy that is about to be replaced. Such a copy is in the index, and may
/// be the first path of a photo, if the folder was indexed.
fn outside(
    folder: &Path,
    photos: &[&Path],
    survey: &Survey,
    index: &Store,
) -> Result<Vec<PathBuf>> {
    let path = |photo: &&Path| {
        let name = photo.file_name().unwrap_or_default();
        let goes =
            photo.parent() == Some(folder) && survey.replaceable.iter().any(|(it, _)| it == name);
        if !goes {
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

/// The lock of a folder while it is being filled: two runs would delete each other's drafts. `None` if the folder
/// cannot be locked.
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

fn some_of(names: &[String]) -> String {
    let listed = names.iter().take(MOST_NAMES).map(String::as_str);
    let listed = listed.collect::<Vec<_>>().join(", ");
    if names.len() > MOST_NAMES {
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
    /// Makes all entries in the draft folder. Afterwards the manifest lists old and new entries, so that whatever a
    /// killed run leaves is recognised as made by fer-index.
    fn prepare(
        &self,
        photos: &[PathBuf],
        names: &[OsString],
        placement: Placement,
    ) -> Result<Manifest> {
        let at = |source| failed(self.folder, source);
        let mut noted = self.survey.manifest.clone().unwrap_or_default();
        noted.add(self.draft.file_name().unwrap_or_default(), Content::Draft);
        noted.write(self.folder).map_err(at)?;
        fs::create_dir(&self.draft).map_err(at)?;
        let mut new = Manifest::default();
        for (photo, name) in photos.iter().zip(names) {
            self.make(photo, name, placement, &mut new)
                .map_err(|source| failed(photo, source))?;
        }
        noted.add_all(&new);
        noted.write(self.folder).map_err(at)?;
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

    /// The names of the new entries. None is the name of an entry that is kept.
    fn names(&self, photos: &[PathBuf]) -> Vec<OsString> {
        // Compared in lower case: on some systems `A.jpg` and `a.jpg` are the same file.
        let key = |name: &OsStr| name.to_string_lossy().to_lowercase();
        let mut taken: HashSet<_> = self.survey.kept.iter().map(|name| key(name)).collect();
        let digits = photos.len().to_string().len().max(3);
        let names = photos.iter().enumerate().map(|(index, photo)| {
            let mut name = OsString::from(format!("{:0digits$} ", index + 1));
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

    /// Makes an entry in the draft folder and adds it to `new`.
    fn make(
        &self,
        photo: &Path,
        name: &OsStr,
        placement: Placement,
        new: &mut Manifest,
    ) -> io::Result<()> {
        let path = self.draft.join(name);
        match placement {
            Placement::Linked => {
                let target = relative(photo, self.folder);
                link(&target, &path)?;
                new.add(name, Content::Link(&target));
            }
            Placement::Copied => {
                fs::copy(photo, &path)?;
                let hash = ContentHash::of(&fs::read(&path)?);
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
    fn undo(&self, folder_exists: bool) {
        remove_draft(&self.draft);
        if let Some(manifest) = &self.survey.manifest {
            let _ = manifest.write(self.folder);
        } else if Manifest::read(self.folder).is_ok_and(|it| it.is_some()) {
            let _ = fs::remove_file(self.folder.join(NAME));
        }
        if !folder_exists {
            // Fails, as it should, if something is in it.
            let _ = fs::remove_dir(self.folder);
        }
    }
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
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
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

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != NAME)
            .collect();
        names.sort();
        names
    }

    /// An index without photos.
    fn index(folder: &Path) -> Store {
        Store::open(&folder.join("data/index.sqlite3")).unwrap()
    }

    #[test]
    fn links_are_relative_and_survive_a_move_with_their_photos() {
        let root = tempfile::tempdir().unwrap();
        let (pictures, best) = (
            root.path().join("all/pictures"),
            root.path().join("all/best/of"),
        );
        fs::create_dir_all(&pictures).unwrap();
        for name in ["a.jpg", "b.jpg"] {
            fs::write(pictures.join(name), name).unwrap();
        }
        let photos = ["b.jpg", "a.jpg"].map(|name| pictures.canonicalize().unwrap().join(name));
        let photos: Vec<_> = photos.iter().map(PathBuf::as_path).collect();
        fill_folder(
            &best,
            &photos,
            Placement::Linked,
            false,
            &index(root.path()),
        )
        .unwrap();
        assert_eq!(names(&best), ["001 b.jpg", "002 a.jpg"]);
        let target = fs::read_link(best.join("001 b.jpg")).unwrap();
        assert_eq!(target, Path::new("../../pictures/b.jpg"));
        fs::rename(root.path().join("all"), root.path().join("moved")).unwrap();
        let moved = root.path().join("moved/best/of");
        assert_eq!(
            fs::read_to_string(moved.join("002 a.jpg")).unwrap(),
            "a.jpg"
        );
        // The folder is recognised in its new place.
        let photo = root.path().join("moved/pictures/a.jpg");
        let index = index(root.path());
        fill_folder(&moved, &[&photo], Placement::Linked, false, &index).unwrap();
        assert_eq!(names(&moved), ["001 a.jpg"]);
    }

    #[test]
    fn a_second_run_replaces_only_entries_of_the_first() {
        let root = tempfile::tempdir().unwrap();
        let index = index(root.path());
        let photo = root.path().join("a.jpg");
        fs::write(&photo, "a").unwrap();
        let album = root.path().join("album");
        let fill = |folder: &Path, photos: &[&Path], placement, force| {
            fill_folder(folder, photos, placement, force, &index)
        };
        fill(&album, &[&photo, &photo], Placement::Linked, false).unwrap();
        assert_eq!(names(&album), ["001 a.jpg", "002 a.jpg"]);
        fill(&album, &[&photo], Placement::Copied, false).unwrap();
        assert_eq!(names(&album), ["001 a.jpg"]);
        assert!(!album.join("001 a.jpg").is_symlink());

        // The index has no other file with the copy's content, so it is kept.
        let refusal = fill(&album, &[&photo], Placement::Linked, false).unwrap_err();
        assert!(
            refusal.to_string().contains("original is gone"),
            "{refusal}"
        );
        fill(&album, &[&photo], Placement::Linked, true).unwrap();
        assert_eq!(names(&album), ["001 a (2).jpg", "001 a.jpg"]);
        assert_eq!(fs::read_to_string(album.join("001 a.jpg")).unwrap(), "a");

        let foreign = root.path().join("mine");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("diary.txt"), "dear").unwrap();
        let error = fill(&foreign, &[&photo], Placement::Linked, false).unwrap_err();
        assert!(error.to_string().contains("diary.txt"), "{error}");
        assert_eq!(names(&foreign), ["diary.txt"]);

        // If a photo is missing, the folder stays unchanged or is not created.
        let (gone, new) = (root.path().join("gone.jpg"), root.path().join("new"));
        fill(&album, &[&gone], Placement::Copied, true).unwrap_err();
        assert_eq!(names(&album), ["001 a (2).jpg", "001 a.jpg"]);
        fill(&new, &[&gone], Placement::Copied, false).unwrap_err();
        assert_eq!(names(root.path()), ["a.jpg", "album", "data", "mine"]);
    }

    #[test]
    fn drafts_of_killed_runs_are_removed_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let index = index(root.path());
        let photo = root.path().join("a.jpg");
        fs::write(&photo, "a").unwrap();
        let album = root.path().join("album");
        fs::create_dir(&album).unwrap();
        let photos = [photo];
        let filling = || Fill {
            folder: &album,
            draft: atomic::unused_name(&album).unwrap(),
            survey: Survey::of(&album, &index, 1).unwrap(),
        };
        // The first run is killed after making the entries, and so is the next one.
        for _ in 0..2 {
            let filling = filling();
            assert!(filling.survey.in_the_way.is_empty(), "{:?}", filling.survey);
            let names = filling.names(&photos);
            filling.prepare(&photos, &names, Placement::Linked).unwrap();
        }
        assert_eq!(names(&album).len(), 2);
        fs::create_dir(album.join(".fer-index-0123456789abcdef.partial")).unwrap();
        let photos = [photos[0].as_path()];
        fill_folder(&album, &photos, Placement::Linked, false, &index).unwrap_err();
        fs::remove_dir(album.join(".fer-index-0123456789abcdef.partial")).unwrap();
        fill_folder(&album, &photos, Placement::Linked, false, &index).unwrap();
        assert_eq!(names(&album), ["001 a.jpg"]);
    }
}
