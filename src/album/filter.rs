//! Filters files and folders by name, before anything is opened.

use std::ffi::OsStr;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};

/// Extensions of pictures, and of camera raw files, which are reported as skipped since no decoder reads
/// them.
const EXTENSIONS: &[&str] = &[
    "avif", "bmp", "dib", "gif", "heic", "heif", "hif", "jfif", "jpe", "jpeg", "jpg", "jxl", "png",
    "tif", "tiff", "webp", // pictures
    "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "iiq", "kdc", "mef", "mos", "mrw",
    "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f", // raw
];

/// Settings of a [`Filter`].
#[derive(Debug, Clone, Default)]
pub struct FilterSettings {
    /// Globs of the names of excluded files and folders; a glob with a slash is matched against the whole
    /// path.
    pub exclude: Vec<String>,
    /// Whether names that begin with a dot are admitted.
    pub hidden: bool,
    /// Whether symbolic links are followed.
    pub follow_symlinks: bool,
}

/// Decides by their names which files and folders are admitted.
#[derive(Debug)]
pub struct Filter {
    names: GlobSet,
    paths: GlobSet,
    hidden: bool,
    pub(super) follow_symlinks: bool,
}

impl Filter {
    /// Compiles the settings.
    ///
    /// # Errors
    /// [`Error::Config`] with the first invalid glob.
    pub fn new(settings: &FilterSettings) -> Result<Self> {
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
        })
    }

    /// Whether a file or folder is admitted.
    pub fn admits(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or(OsStr::new(""));
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        (self.hidden || !is_hidden) && !self.names.is_match(name) && !self.paths.is_match(path)
    }

    /// Whether a file has the extension of a picture, in any case.
    pub fn is_picture(path: &Path) -> bool {
        path.extension()
            .and_then(OsStr::to_str)
            .is_some_and(|extension| {
                EXTENSIONS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(extension))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(exclude: &[&str], hidden: bool) -> Filter {
        let exclude = exclude.iter().map(|&glob| glob.to_owned()).collect();
        Filter::new(&FilterSettings {
            exclude,
            hidden,
            follow_symlinks: true,
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
    fn hidden_names_are_admitted_if_the_setting_says_so() {
        assert!(filter(&[], true).admits(Path::new("/x/.cache")));
    }

    #[test]
    fn the_error_names_an_invalid_glob() {
        let settings = FilterSettings {
            exclude: vec!["a[".into()],
            ..FilterSettings::default()
        };
        let message = Filter::new(&settings).unwrap_err().to_string();
        assert!(message.contains("a["), "{message}");
    }

    #[test]
    fn extensions_match_in_any_case() {
        assert!(Filter::is_picture(Path::new("a.JPeG")));
        assert!(Filter::is_picture(Path::new("a.nef")));
        assert!(!Filter::is_picture(Path::new("a.xmp")));
        assert!(!Filter::is_picture(Path::new("jpg")));
    }
}
