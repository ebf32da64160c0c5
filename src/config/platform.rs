//! The platform's default paths for the user's files.

use std::path::{Path, PathBuf};

use directories::{ProjectDirs, UserDirs};

use crate::error::{Error, Result};

/// The user's folders and the default paths of fer-index's files (XDG on Linux).
#[derive(Debug, Clone)]
pub(super) struct PlatformPaths {
    pub home: PathBuf,
    pub pictures: PathBuf,
    pub config_file: PathBuf,
    pub database: PathBuf,
    pub thumbnails: PathBuf,
    pub models: PathBuf,
}

impl PlatformPaths {
    pub fn of_user() -> Result<Self> {
        let (Some(project), Some(user)) = (ProjectDirs::from("", "", "fer-index"), UserDirs::new())
        else {
            return Err(Error::Config(
                "the home folder is unknown; set HOME in the environment".into(),
            ));
        };
        let home = user.home_dir().to_owned();
        Ok(Self {
            pictures: user
                .picture_dir()
                .map_or_else(|| home.join("Pictures"), Path::to_owned),
            config_file: project.config_dir().join("config.toml"),
            models: project.data_dir().join("models"),
            database: project.data_dir().join("index.sqlite3"),
            thumbnails: project.cache_dir().join("thumbnails"),
            home,
        })
    }

    /// The path with a leading `~` replaced by the home folder.
    pub fn expand(&self, path: &Path) -> PathBuf {
        path.strip_prefix("~")
            .map_or_else(|_| path.to_owned(), |rest| self.home.join(rest))
    }

    /// The inverse of [`expand`](Self::expand) for what is in the home folder, so that it is found there under another name of
    /// that folder.
    pub fn contract(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.home)
            .map_or_else(|_| path.to_owned(), |rest| Path::new("~").join(rest))
    }
}
