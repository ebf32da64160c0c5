//! The settings: defaults (`config/default.toml`), before them the user's file, before that the
//! environment (`FER_INDEX_*`), and flags before all.

mod check;
mod edit;
mod layers;
mod places;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use serde::Deserialize;

use crate::error::{Error, Result};

use layers::Layers;
use places::Places;

pub use edit::set;
pub use layers::Origin;

/// The defaults, with a comment on every setting.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Every setting. `config/default.toml` explains them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The database file.
    pub database: PathBuf,
    /// The folder of the gallery's small copies.
    pub thumbnails: PathBuf,
    /// How many threads work; at least one.
    pub threads: usize,
    /// Which files there are.
    pub album: AlbumSettings,
    /// What is skipped as too large or too slow.
    pub limits: LimitSettings,
    /// Which faces are stored.
    pub detector: DetectorSettings,
    /// How faces are read.
    pub classifier: ClassifierSettings,
    /// What a query shows.
    pub query: QuerySettings,
    /// How the daemon follows folders.
    pub watch: WatchSettings,
    /// Where the gallery is.
    pub gallery: GallerySettings,
}

/// Settings of `[album]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlbumSettings {
    /// Folders to index where a command names none; at least one.
    pub roots: Vec<PathBuf>,
    /// Globs of names that are passed over; each is valid.
    pub exclude: Vec<String>,
    /// Whether links are followed.
    pub follow_symlinks: bool,
    /// Whether names that begin with a dot are looked at.
    pub hidden: bool,
}

/// Settings of `[limits]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Most pixels of a photo.
    pub max_pixels: u64,
    /// Most bytes of a file.
    pub max_file_bytes: u64,
    /// Longest decoding.
    pub decode_seconds: u64,
}

/// Settings of `[detector]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorSettings {
    /// What finds the faces.
    pub backend: DetectorBackend,
    /// The detector program and its arguments, for [`DetectorBackend::Command`].
    pub command: Vec<String>,
    /// Longest time that the program may take for a photo.
    pub command_seconds: u64,
    /// Pixels of the copy in which the built-in detector looks for faces; 0: as the photo demands.
    pub resolution: u32,
    /// Least detection score of a face that is stored, 0 to 1.
    pub threshold: f32,
    /// Least shorter side of a face that is read, in pixels of the full photo.
    pub min_face: f32,
}

/// Settings of `[classifier]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierSettings {
    /// The model file; empty for the built-in model.
    pub model: PathBuf,
}

/// What finds the faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DetectorBackend {
    /// The network in the binary.
    Builtin,
    /// A program of the user's.
    Command,
}

/// Settings of `[query]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySettings {
    /// Most photos in an answer.
    pub limit: usize,
    /// Least detection score of a face that counts, 0 to 1.
    pub min_detection: f32,
}

/// Settings of `[watch]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchSettings {
    /// For how many seconds a file that nobody closed has to stay as it is.
    pub settle_seconds: f64,
    /// Seconds between comparisons of the folders with the index.
    pub rescan_seconds: f64,
    /// Seconds between looks at folders that cannot be watched.
    pub poll_seconds: f64,
    /// Most folders to watch; 0 for half of what the system allows.
    pub max_watches: usize,
    /// Days for which a photo that is gone is kept.
    pub keep_days: f64,
}

/// Settings of `[gallery]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GallerySettings {
    /// Address and port of the page.
    pub listen: SocketAddr,
}

/// What flags say; `None` where a flag was not given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// `--database`
    pub database: Option<PathBuf>,
    /// `--threads`
    pub threads: Option<usize>,
    /// `--model`
    pub model: Option<PathBuf>,
    /// `--limit`
    pub limit: Option<usize>,
    /// `--min-detection`
    pub min_detection: Option<f32>,
}

/// The settings in force, and where each comes from.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The settings.
    pub config: Config,
    layers: Layers,
    file: PathBuf,
}

impl Effective {
    /// Reads the settings: `file` in the place of the user's file, the environment, the flags.
    ///
    /// # Errors
    /// [`Error::Config`] names the key, where it was given and what is allowed.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self> {
        let places = Places::of_user()?;
        Self::from_parts(&places, file, std::env::vars_os(), overrides)
    }

    fn from_parts(
        places: &Places,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        overrides: &Overrides,
    ) -> Result<Self> {
        let mut layers = Layers::defaults();
        let path = file.unwrap_or(&places.config_file);
        match fs::read_to_string(path) {
            Ok(text) => layers.add_file(path, &text)?,
            Err(error) if error.kind() == ErrorKind::NotFound && file.is_none() => {}
            Err(source) => {
                return Err(Error::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        }
        layers.add_environment(environment)?;
        layers.add_flags(overrides)?;

        let mut config = layers.to_config()?;
        if let Some(database) = &overrides.database {
            // As given: a layer holds text, and a path need not be Unicode.
            config.database.clone_from(database);
        }
        if let Some(model) = &overrides.model {
            config.classifier.model.clone_from(model);
        }
        resolve(&mut config, places);
        layers.resolved(&config);
        Ok(Self {
            config,
            layers,
            file: path.to_owned(),
        })
    }

    /// The configuration file that is read if it is there.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The settings as TOML, each with where it comes from.
    pub fn show(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        // Settings without a section go first: TOML has no way back to the top.
        let (inner, top): (Vec<_>, Vec<_>) =
            self.layers.iter().partition(|(key, ..)| key.contains('.'));
        for (key, value, origin) in top.into_iter().chain(inner) {
            let (in_section, name) = key.split_once('.').unwrap_or(("", key));
            if in_section != section {
                section = in_section;
                let _ = writeln!(text, "\n[{section}]");
            }
            let _ = writeln!(text, "{name} = {value} # {origin}");
        }
        text
    }
}

/// The folder for models that were chosen with `fer-index model use`.
///
/// # Errors
/// When the user has no home folder.
pub fn models_folder() -> Result<PathBuf> {
    Ok(Places::of_user()?.models)
}

/// The file that is read where a command names none.
///
/// # Errors
/// When the user has no home folder.
pub fn user_file() -> Result<PathBuf> {
    Ok(Places::of_user()?.config_file)
}

/// Puts the platform's answer where a setting leaves it open.
fn resolve(config: &mut Config, places: &Places) {
    if config.database.as_os_str().is_empty() {
        config.database.clone_from(&places.database);
    }
    config.database = places.expand(&config.database);
    if config.thumbnails.as_os_str().is_empty() {
        config.thumbnails.clone_from(&places.thumbnails);
    }
    config.thumbnails = places.expand(&config.thumbnails);
    if config.album.roots.is_empty() {
        config.album.roots.push(places.pictures.clone());
    }
    for root in &mut config.album.roots {
        *root = places.expand(root);
    }
    config.classifier.model = places.expand(&config.classifier.model);
    if config.threads == 0 {
        config.threads = thread::available_parallelism().map_or(1, NonZero::get);
    }
}
