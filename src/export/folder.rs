//! A folder of links to photos or of copies, built aside and swapped in.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};

/// By this file a folder is known to be ours to replace.
const MARK: &str = ".fer-index-album";

/// How photos are put into a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// As symbolic links relative to the folder, so that both may be moved together.
    Linked,
    /// As copies.
    Copied,
}

/// Makes `folder` hold these photos and nothing else, their names numbered in order. Who looks sees
/// the old content or the new, never a part of it.
///
/// # Errors
/// If the folder holds what is not of our making, or cannot be written.
pub fn fill_folder(folder: &Path, photos: &[&Path], placed: Placed) -> Result<()> {
    let folder = absolute(folder)?;
    if folder.symlink_metadata().is_ok() && !is_ours(&folder) {
        return Err(Error::Usage(format!(
            "{} holds files that fer-index did not put there; name an empty or a new folder",
            folder.display()
        )));
    }
    let aside = beside(&folder, "new");
    let old = beside(&folder, "old");
    // What a killed run may have left.
    remove(&aside)?;
    remove(&old)?;
    let filled = fill(&aside, photos, placed).and_then(|()| swap(&aside, &folder, &old));
    if filled.is_err() {
        let _ = remove(&aside);
    }
    filled?;
    remove(&old)
}

/// With the folders on the way to it free of links, so that relative links lead where they should.
fn absolute(folder: &Path) -> Result<PathBuf> {
    let at = |source| failed(folder, source);
    let folder = std::path::absolute(folder).map_err(at)?;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(Error::Usage(format!(
            "{} cannot be replaced",
            folder.display()
        )));
    };
    fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
    let parent = parent
        .canonicalize()
        .map_err(|source| failed(parent, source))?;
    Ok(parent.join(name))
}

/// Whether a folder was made here, or is empty.
fn is_ours(folder: &Path) -> bool {
    let is_folder = folder
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_dir());
    is_folder
        && (folder.join(MARK).is_file()
            || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none()))
}

fn beside(folder: &Path, what: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(folder.file_name().unwrap_or_default());
    name.push(format!(".fer-index-{what}"));
    folder.with_file_name(name)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed(folder, source)),
        _ => Ok(()),
    }
}

fn fill(folder: &Path, photos: &[&Path], placed: Placed) -> Result<()> {
    fs::create_dir(folder).map_err(|source| failed(folder, source))?;
    let mark = folder.join(MARK);
    fs::write(&mark, "fer-index replaces what is in this folder.\n")
        .map_err(|source| failed(&mark, source))?;
    let digits = photos.len().to_string().len().max(3);
    for (index, photo) in photos.iter().enumerate() {
        let mut name = OsString::from(format!("{:0digits$} ", index + 1));
        name.push(photo.file_name().unwrap_or_default());
        let path = folder.join(name);
        let done = match placed {
            Placed::Linked => link(&relative(photo, folder), &path),
            Placed::Copied => fs::copy(photo, &path).map(drop),
        };
        done.map_err(|source| failed(photo, source))?;
    }
    Ok(())
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, path)
}

/// Puts `new` in the place of `folder`, whose content comes to lie at `old`.
fn swap(new: &Path, folder: &Path, old: &Path) -> Result<()> {
    let at = |source| failed(folder, source);
    if folder.symlink_metadata().is_err() {
        return fs::rename(new, folder).map_err(at);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, new, CWD, folder, RenameFlags::EXCHANGE).is_ok() {
            return fs::rename(new, old).map_err(at);
        }
    }
    // Where the system cannot exchange two names there is a moment without the folder.
    fs::rename(folder, old).map_err(at)?;
    fs::rename(new, folder).map_err(at)
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
            .collect();
        names.sort();
        names
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
        fill_folder(&best, &photos, Placed::Linked).unwrap();
        assert_eq!(names(&best), [MARK, "001 b.jpg", "002 a.jpg"]);
        let target = fs::read_link(best.join("001 b.jpg")).unwrap();
        assert_eq!(target, Path::new("../../pictures/b.jpg"));
        fs::rename(root.path().join("all"), root.path().join("moved")).unwrap();
        let moved = root.path().join("moved/best/of");
        assert_eq!(
            fs::read_to_string(moved.join("002 a.jpg")).unwrap(),
            "a.jpg"
        );
    }

    #[test]
    fn a_second_run_replaces_the_first_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let photo = root.path().join("a.jpg");
        fs::write(&photo, "a").unwrap();
        let album = root.path().join("album");
        fill_folder(&album, &[&photo, &photo], Placed::Linked).unwrap();
        fill_folder(&album, &[&photo], Placed::Copied).unwrap();
        assert_eq!(names(&album), [MARK, "001 a.jpg"]);
        assert!(
            album
                .join("001 a.jpg")
                .symlink_metadata()
                .unwrap()
                .is_file()
        );
        assert_eq!(names(root.path()), ["a.jpg", "album"]);

        let foreign = root.path().join("mine");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("diary.txt"), "dear").unwrap();
        let error = fill_folder(&foreign, &[&photo], Placed::Linked).unwrap_err();
        assert!(error.to_string().contains("did not put there"), "{error}");
        assert_eq!(names(&foreign), ["diary.txt"]);

        // A photo that is gone leaves the folder as it was.
        let gone = root.path().join("gone.jpg");
        fill_folder(&album, &[&gone], Placed::Copied).unwrap_err();
        assert_eq!(names(&album), [MARK, "001 a.jpg"]);
        assert_eq!(names(root.path()), ["a.jpg", "album", "mine"]);
    }
}
