//! A folder of links to photos or of copies.

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

/// So many names are told of what is in the way.
const TOLD: usize = 5;

/// How photos are put into a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// As symbolic links relative to the folder, so that both may be moved together.
    Linked,
    /// As copies.
    Copied,
}

/// Makes `folder` hold these photos of the index, their names numbered in order, in the place of those
/// that it put there before. All are prepared in a hidden folder first, so that what fails on the way
/// leaves the folder as it was.
///
/// What is not of our making stays, and so does a link or copy of ours that somebody changed, and a
/// copy that is the only file of its content. Where there is such a thing, nothing is done; with
/// `force` the photos are put beside it.
///
/// # Errors
/// [`Error::Usage`] names what is in the way; or the folder cannot be written.
pub fn fill_folder(
    folder: &Path,
    photos: &[&Path],
    placed: Placed,
    force: bool,
    index: &Store,
) -> Result<()> {
    let folder = absolute(folder)?;
    let at = |source| failed(&folder, source);
    let is_there = is_there(&folder)?;
    let survey = if is_there {
        Survey::of(&folder, index, if force { usize::MAX } else { TOLD + 1 })?
    } else {
        fs::create_dir(&folder).map_err(at)?;
        Survey::default()
    };
    if !survey.theirs.is_empty() && !force {
        return Err(Error::Usage(format!(
            "{} holds what fer-index did not put there, or what was changed since: {}; name another \
             folder, or have the photos put beside it with --force",
            folder.display(),
            some_of(&survey.theirs)
        )));
    }
    if survey.staying.iter().any(|name| name == NAME) {
        return Err(Error::Usage(format!(
            "{} is in the way: fer-index keeps a list under this name; name another folder",
            folder.join(NAME).display()
        )));
    }
    let _lock = lock(&folder)?;
    let photos = outside(&folder, photos, &survey, index)?;
    let filling = Filling {
        folder: &folder,
        draft: atomic::unused_name(&folder).map_err(at)?,
        survey,
    };
    let names = filling.names(&photos);
    match filling.prepare(&photos, &names, placed) {
        Ok(new) => filling.finish(&names, &new).map_err(at),
        Err(error) => {
            filling.undo(is_there);
            Err(error)
        }
    }
}

/// With the folders on the way to it free of links, so that relative links lead where they should.
fn absolute(folder: &Path) -> Result<PathBuf> {
    let at = |source| failed(folder, source);
    let folder = std::path::absolute(folder).map_err(at)?;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(Error::Usage(format!(
            "{} cannot be filled; name a folder in it",
            folder.display()
        )));
    };
    fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
    let parent = parent
        .canonicalize()
        .map_err(|source| failed(parent, source))?;
    Ok(parent.join(name))
}

/// Whether the folder is there.
fn is_there(folder: &Path) -> Result<bool> {
    let what = match folder.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => return Ok(true),
        Ok(metadata) if metadata.is_symlink() => "a link",
        Ok(_) => "a file",
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(folder, error)),
    };
    Err(Error::Usage(format!(
        "{} is {what} and stays as it is; name a folder",
        folder.display()
    )))
}

/// The photos by paths other than those of copies that are about to go: such copies may be in the
/// index themselves, and be the first path of a photo.
fn outside(
    folder: &Path,
    photos: &[&Path],
    survey: &Survey,
    index: &Store,
) -> Result<Vec<PathBuf>> {
    let path = |photo: &&Path| {
        let name = photo.file_name().unwrap_or_default();
        let goes = photo.parent() == Some(folder) && survey.ours.iter().any(|(it, _)| it == name);
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
                "{} is a photo of the answer and of the folder to be filled; name another folder",
                photo.display()
            ))
        })
    };
    photos.iter().map(path).collect()
}

/// Held as long as a folder is being filled: two runs would take each other's drafts away.
fn lock(folder: &Path) -> Result<Option<File>> {
    // Not every system opens folders, nor does every file system lock them.
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
    let told = names.iter().take(TOLD).map(String::as_str);
    let told = told.collect::<Vec<_>>().join(", ");
    if names.len() > TOLD {
        format!("{told} and more")
    } else {
        told
    }
}

/// A folder that is being filled.
struct Filling<'a> {
    folder: &'a Path,
    /// The folder in which entries are made.
    draft: PathBuf,
    survey: Survey,
}

impl Filling<'_> {
    /// Makes all entries in the draft. The folder's manifest names old and new ones then, so that
    /// whatever a killed run leaves is known as ours.
    fn prepare(&self, photos: &[PathBuf], names: &[OsString], placed: Placed) -> Result<Manifest> {
        let at = |source| failed(self.folder, source);
        let mut noted = self.survey.manifest.clone().unwrap_or_default();
        noted.add(self.draft.file_name().unwrap_or_default(), Content::Draft);
        noted.write(self.folder).map_err(at)?;
        fs::create_dir(&self.draft).map_err(at)?;
        let mut new = Manifest::default();
        for (photo, name) in photos.iter().zip(names) {
            self.make(photo, name, placed, &mut new)
                .map_err(|source| failed(photo, source))?;
        }
        noted.add_all(&new);
        noted.write(self.folder).map_err(at)?;
        Ok(new)
    }

    /// Puts the new entries in the place of the old ones.
    fn finish(&self, names: &[OsString], new: &Manifest) -> io::Result<()> {
        self.take_away_ours();
        for name in names {
            atomic::rename_new(&self.draft.join(name), &self.folder.join(name))?;
        }
        fs::remove_dir(&self.draft)?;
        new.write(self.folder)
    }

    /// The names of the entries, none of which is the name of something that stays.
    fn names(&self, photos: &[PathBuf]) -> Vec<OsString> {
        // In lower case: on some systems `A.jpg` and `a.jpg` are one file.
        let key = |name: &OsStr| name.to_string_lossy().to_lowercase();
        let mut taken: HashSet<_> = self.survey.staying.iter().map(|name| key(name)).collect();
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

    /// Makes an entry in the draft.
    fn make(
        &self,
        photo: &Path,
        name: &OsStr,
        placed: Placed,
        new: &mut Manifest,
    ) -> io::Result<()> {
        let path = self.draft.join(name);
        match placed {
            Placed::Linked => {
                let target = relative(photo, self.folder);
                link(&target, &path)?;
                new.add(name, Content::Link(&target));
            }
            Placed::Copied => {
                fs::copy(photo, &path)?;
                let hash = ContentHash::of(&fs::read(&path)?);
                new.add(name, Content::Copy(&hash));
            }
        }
        Ok(())
    }

    /// Takes away what was ours when it was looked at and has not been touched since.
    fn take_away_ours(&self) {
        for (name, meta) in &self.survey.ours {
            let path = self.folder.join(name);
            let removed = match path.symlink_metadata() {
                Ok(now) if FileMeta::of(&now) == *meta => fs::remove_file(&path),
                Ok(_) => Err(io::Error::other("it was changed just now, and stays")),
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

    /// After a failure to prepare: the folder as it was.
    fn undo(&self, is_there: bool) {
        remove_draft(&self.draft);
        if let Some(manifest) = &self.survey.manifest {
            let _ = manifest.write(self.folder);
        } else if Manifest::read(self.folder).is_ok_and(|it| it.is_some()) {
            let _ = fs::remove_file(self.folder.join(NAME));
        }
        if !is_there {
            // Does nothing where there is something in it.
            let _ = fs::remove_dir(self.folder);
        }
    }
}

/// Removes a draft with its links and copies; should there be a folder in it, both stay.
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

/// The way from a folder to a file; both absolute.
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

    /// An index that knows no photo.
    fn index(folder: &Path) -> Store {
        Store::open(&folder.join("data/index.sqlite3")).unwrap()
    }

    #[test]
    fn links_lead_to_the_photos_and_move_with_them() {
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
        fill_folder(&best, &photos, Placed::Linked, false, &index(root.path())).unwrap();
        assert_eq!(names(&best), ["001 b.jpg", "002 a.jpg"]);
        let target = fs::read_link(best.join("001 b.jpg")).unwrap();
        assert_eq!(target, Path::new("../../pictures/b.jpg"));
        fs::rename(root.path().join("all"), root.path().join("moved")).unwrap();
        let moved = root.path().join("moved/best/of");
        assert_eq!(
            fs::read_to_string(moved.join("002 a.jpg")).unwrap(),
            "a.jpg"
        );
        // It is known as ours in its new place.
        let photo = root.path().join("moved/pictures/a.jpg");
        let index = index(root.path());
        fill_folder(&moved, &[&photo], Placed::Linked, false, &index).unwrap();
        assert_eq!(names(&moved), ["001 a.jpg"]);
    }

    #[test]
    fn a_second_run_replaces_the_first_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let index = index(root.path());
        let photo = root.path().join("a.jpg");
        fs::write(&photo, "a").unwrap();
        let album = root.path().join("album");
        let fill = |folder: &Path, photos: &[&Path], placed, force| {
            fill_folder(folder, photos, placed, force, &index)
        };
        fill(&album, &[&photo, &photo], Placed::Linked, false).unwrap();
        assert_eq!(names(&album), ["001 a.jpg", "002 a.jpg"]);
        fill(&album, &[&photo], Placed::Copied, false).unwrap();
        assert_eq!(names(&album), ["001 a.jpg"]);
        assert!(!album.join("001 a.jpg").is_symlink());

        // The index knows no other file of the copy's content, so it stays.
        let refusal = fill(&album, &[&photo], Placed::Linked, false).unwrap_err();
        assert!(
            refusal.to_string().contains("original is gone"),
            "{refusal}"
        );
        fill(&album, &[&photo], Placed::Linked, true).unwrap();
        assert_eq!(names(&album), ["001 a (2).jpg", "001 a.jpg"]);
        assert_eq!(fs::read_to_string(album.join("001 a.jpg")).unwrap(), "a");

        let foreign = root.path().join("mine");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("diary.txt"), "dear").unwrap();
        let error = fill(&foreign, &[&photo], Placed::Linked, false).unwrap_err();
        assert!(error.to_string().contains("diary.txt"), "{error}");
        assert_eq!(names(&foreign), ["diary.txt"]);

        // A photo that is gone leaves the folder as it was, or none.
        let (gone, new) = (root.path().join("gone.jpg"), root.path().join("new"));
        fill(&album, &[&gone], Placed::Copied, true).unwrap_err();
        assert_eq!(names(&album), ["001 a (2).jpg", "001 a.jpg"]);
        fill(&new, &[&gone], Placed::Copied, false).unwrap_err();
        assert_eq!(names(root.path()), ["a.jpg", "album", "data", "mine"]);
    }

    #[test]
    fn what_a_killed_run_leaves_is_taken_away_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let index = index(root.path());
        let photo = root.path().join("a.jpg");
        fs::write(&photo, "a").unwrap();
        let album = root.path().join("album");
        fs::create_dir(&album).unwrap();
        let photos = [photo];
        let filling = || Filling {
            folder: &album,
            draft: atomic::unused_name(&album).unwrap(),
            survey: Survey::of(&album, &index, 1).unwrap(),
        };
        // Killed once the entries are made, and once more in the next run.
        for _ in 0..2 {
            let filling = filling();
            assert!(filling.survey.theirs.is_empty(), "{:?}", filling.survey);
            let names = filling.names(&photos);
            filling.prepare(&photos, &names, Placed::Linked).unwrap();
        }
        assert_eq!(names(&album).len(), 2);
        fs::create_dir(album.join(".fer-index-0123456789abcdef.partial")).unwrap();
        let photos = [photos[0].as_path()];
        fill_folder(&album, &photos, Placed::Linked, false, &index).unwrap_err();
        fs::remove_dir(album.join(".fer-index-0123456789abcdef.partial")).unwrap();
        fill_folder(&album, &photos, Placed::Linked, false, &index).unwrap();
        assert_eq!(names(&album), ["001 a.jpg"]);
    }
}
