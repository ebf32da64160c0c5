//! Filters files and folders by name, before anything is opened.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::markers;
use crate::error::{Error, Result};
use crate::names;
use crate::real_path::{meant_path, real_path};

/// Settings of an [`AlbumFilter`].
#[derive(Debug, Clone, Default)]
pub struct AlbumFilterSettings {
    /// Globs of the names of excluded files and folders; a glob with a slash is matched against the whole
    /// path.
    pub exclude: Vec<String>,
    /// Whether names that begin with a dot are admitted.
    pub hidden: bool,
    /// Whether symbolic links are followed.
    pub follow_symlinks: bool,
    /// Whether nothing in a marked folder is admitted, see [`AlbumFilter::is_marked`].
    pub respect_markers: bool,
    /// The database in use, see [`AlbumFilter::is_database`].
    pub database: Option<PathBuf>,
    /// The folders that the settings name to be indexed, see [`AlbumFilter::roots`].
    pub roots: Vec<PathBuf>,
}

/// Decides which files and folders are admitted, by their names and by the markers in folders.
#[derive(Debug)]
pub struct AlbumFilter {
    names: GlobSet,
    paths: GlobSet,
    hidden: bool,
    follow_symlinks: bool,
    respect_markers: bool,
    database: Option<PathBuf>,
    roots: Vec<PathBuf>,
    /// The folder of the database, with symbolic links resolved, and its name; known once the folder is there.
    resolved: OnceLock<(PathBuf, OsString)>,
}

impl AlbumFilter {
    /// Compiles the settings.
    ///
    /// # Errors
    /// [`Error::Config`] with the first invalid glob.
    pub fn new(settings: &AlbumFilterSettings) -> Result<Self> {
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in &settings.exclude {
            let glob = GlobBuilder::new(pattern)
                .literal_separator(true)
                .build()
                .map_err(|error| {
                    Error::Config(format!(
                        "album.exclude: \"{pattern}\" is not a valid glob: {}",
                        error.kind()
                    ))
                })?;
            if pattern.contains('/') {
                paths.add(glob);
            } else {
                names.add(glob);
            }
        }
        let compiled = |set: GlobSetBuilder| {
            set.build()
                .map_err(|error| Error::Config(format!("album.exclude: {error}")))
        };
        Ok(Self {
            names: compiled(names)?,
            paths: compiled(paths)?,
            hidden: settings.hidden,
            follow_symlinks: settings.follow_symlinks,
            respect_markers: settings.respect_markers,
            database: settings.database.clone(),
            roots: settings.roots.clone(),
            resolved: OnceLock::new(),
        })
    }

    /// Whether a file or folder is admitted by its own name and path.
    pub fn admits(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or(OsStr::new(""));
        self.shows(name)
            && !self.names.is_match(name)
            && !self.paths.is_match(path)
            && !self.is_database(path)
    }

    /// The folders that the settings name to be indexed, with the symbolic links resolved that there are now.
    pub fn roots(&self) -> Vec<PathBuf> {
        let resolved = |root: &PathBuf| meant_path(root).unwrap_or_else(|_| root.clone());
        self.roots.iter().map(resolved).collect()
    }

    /// Whether a scan of `root` leaves out what is at a path below it.
    pub fn passes_over(&self, path: &Path, root: &Path) -> bool {
        path != root && (!self.admits(path) || self.is_left_out(path, root))
    }

    /// Whether a file is the database in use or belongs to it: its name is that of the database, perhaps with a hyphen or
    /// a dot and more behind it. Such a file must never be opened: when it is closed, the system takes the locks from
    /// SQLite that this process has on the file (<https://sqlite.org/howtocorrupt.html>, section 2.2).
    pub fn is_database(&self, path: &Path) -> bool {
        let Some((folder, database)) = self.resolved_database() else {
            return false;
        };
        let name = path.file_name().unwrap_or(OsStr::new(""));
        let rest = name
            .as_encoded_bytes()
            .strip_prefix(database.as_encoded_bytes());
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'-' | b'.')))
            && path
                .parent()
                .is_some_and(|parent| parent.canonicalize().is_ok_and(|parent| parent == *folder))
    }

    fn resolved_database(&self) -> Option<&(PathBuf, OsString)> {
        if self.resolved.get().is_none() {
            let _ = self.resolved.set(resolved(self.database.as_deref()?)?);
        }
        self.resolved.get()
    }

    /// Whether a name is admitted as far as hidden files are concerned.
    pub(super) fn shows(&self, name: &OsStr) -> bool {
        self.hidden || !names::is_hidden(name)
    }

    /// Whether a folder is marked as no album: by a file `.nomedia` or `.noindex`, by a cache directory tag,
    /// or as a folder of generated pictures of Immich or `PhotoPrism`. Nothing in it is admitted.
    pub fn is_marked(&self, folder: &Path) -> bool {
        self.respect_markers && markers::is_marked(folder)
    }

    /// Whether a file of this name, if there is one, may mark its folder.
    pub fn is_marker(&self, path: &Path) -> bool {
        self.respect_markers && path.file_name().is_some_and(markers::is_marker)
    }

    /// Whether the symbolic links in a folder are followed: not if it is one that fer-index filled with links to
    /// photos of the index, since each photo would have a second file there. The links of `root` itself are.
    pub fn follows_links_of(&self, folder: &Path, root: &Path) -> bool {
        let is_filled = || fs::symlink_metadata(folder.join(names::MANIFEST)).is_ok();
        self.follow_symlinks && (folder == root || !is_filled())
    }

    /// Whether a file or folder is a symbolic link that is not followed, or lies in a folder that is marked or not
    /// admitted; only folders from `root` on count, and `root` itself is admitted whatever its name is.
    pub fn is_left_out(&self, path: &Path, root: &Path) -> bool {
        let above = path.ancestors().skip(1);
        let is_ignored_link = path != root
            && path.is_symlink()
            && path
                .parent()
                .is_some_and(|folder| !self.follows_links_of(folder, root));
        let mut above = above.take_while(|folder| folder.starts_with(root));
        is_ignored_link
            || above.any(|folder| folder != root && !self.admits(folder) || self.is_marked(folder))
    }
}

/// The folder of a file, with symbolic links resolved, and the file's name there.
fn resolved(file: &Path) -> Option<(PathBuf, OsString)> {
    let file = match real_path(file) {
        Ok(file) => file,
        Err(_) => real_path(file.parent()?).ok()?.join(file.file_name()?),
    };
    Some((file.parent()?.to_path_buf(), file.file_name()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(exclude: &[&str], hidden: bool) -> AlbumFilter {
        let exclude = exclude.iter().map(|&glob| glob.to_owned()).collect();
        AlbumFilter::new(&AlbumFilterSettings {
            exclude,
            hidden,
            follow_symlinks: true,
            respect_markers: true,
            ..AlbumFilterSettings::default()
        })
        .unwrap()
    }

    #[test]
    fn names_and_paths_are_excluded() {
        let filter = filter(&["@eaDir", "*.part", "/a/b/**"], false);
        assert!(filter.admits(Path::new("/a/c.jpg")));
        for path in ["/x/@eaDir", "/a/c.jpg.part", "/a/b/c.jpg", "/x/.thumbnails"] {
            assert!(!filter.admits(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn the_database_is_no_part_of_the_album_whatever_its_name_is() {
        let dir = tempfile::tempdir().unwrap();
        for (database, others) in [
            ("index.sqlite3", "index.jpg"),
            ("a.jpg", "a2.jpg"),
            ("x", "xy"),
        ] {
            let settings = AlbumFilterSettings {
                database: Some(dir.path().join(database)),
                ..AlbumFilterSettings::default()
            };
            let filter = AlbumFilter::new(&settings).unwrap();
            for ending in ["", "-wal", "-shm", "-journal", ".lock", ".indexing"] {
                let name = format!("{database}{ending}");
                assert!(!filter.admits(&dir.path().join(&name)), "{name}");
                // A photo of this name in another folder.
                assert!(
                    filter.admits(&dir.path().join("other").join(&name)),
                    "{name}"
                );
            }
            assert!(filter.admits(&dir.path().join(others)));
        }
    }

    #[test]
    fn hidden_names_are_admitted_if_the_setting_says_so() {
        assert!(filter(&[], true).admits(Path::new("/x/.cache")));
    }

    #[test]
    fn the_error_names_an_invalid_glob() {
        let settings = AlbumFilterSettings {
            exclude: vec!["a[".into()],
            ..AlbumFilterSettings::default()
        };
        let message = AlbumFilter::new(&settings).unwrap_err().to_string();
        assert!(message.contains("a["), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_left_out_unless_it_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let link = root.join("best/1.jpg");
        fs::create_dir(root.join("best")).unwrap();
        std::os::unix::fs::symlink("../1.jpg", &link).unwrap();
        let filter = |follow_symlinks| {
            AlbumFilter::new(&AlbumFilterSettings {
                follow_symlinks,
                ..AlbumFilterSettings::default()
            })
            .unwrap()
        };
        assert!(!filter(true).is_left_out(&link, root));
        assert!(filter(false).is_left_out(&link, root));
        assert!(!filter(false).is_left_out(&root.join("best"), root));
        fs::write(root.join("best").join(names::MANIFEST), "").unwrap();
        assert!(filter(true).is_left_out(&link, root));
        assert!(!filter(true).is_left_out(&link, &root.join("best")));
    }

    #[test]
    fn what_lies_below_an_excluded_or_marked_folder_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("@eaDir");
        fs::create_dir_all(root.join("private/b")).unwrap();
        fs::write(root.join("private/.nomedia"), "").unwrap();
        let filter = |respect_markers| {
            AlbumFilter::new(&AlbumFilterSettings {
                exclude: vec!["@eaDir".into()],
                respect_markers,
                ..AlbumFilterSettings::default()
            })
            .unwrap()
        };
        for (path, expected) in [
            ("a/1.jpg", false),
            ("a/@eaDir/1.jpg", true),
            ("private", false),
            ("private/1.jpg", true),
            ("private/b/1.jpg", true),
        ] {
            let is_left_out = filter(true).is_left_out(&root.join(path), &root);
            assert_eq!(is_left_out, expected, "{path}");
        }
        assert!(!filter(false).is_left_out(&root.join("private/1.jpg"), &root));
        assert!(filter(true).is_marker(Path::new("/a/.nomedia")));
        assert!(!filter(false).is_marker(Path::new("/a/.nomedia")));
    }
}
