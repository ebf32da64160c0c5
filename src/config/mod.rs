//! Loads the settings. Flags override environment variables (`FER_INDEX_*`), these override the user's
//! configuration file, and that overrides the defaults (`config/default.toml`).

mod check;
mod clock;
mod edit;
mod layers;
mod origin;
mod platform;
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
use crate::photo::Raws;

use layers::Layers;
use platform::PlatformPaths;

pub use clock::ClockOffset;
pub use edit::set;
pub use origin::Origin;

/// The defaults, with a comment on every setting.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// All settings. `config/default.toml` documents them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The database file.
    pub database: PathBuf,
    /// The folder of the gallery's thumbnails.
    pub thumbnails: PathBuf,
    /// Number of worker threads, at least one.
    pub threads: usize,
    /// Which files are indexed.
    pub album: AlbumSettings,
    /// Limits beyond which a file is skipped.
    pub limits: LimitSettings,
    /// How faces are detected.
    pub detector: DetectorSettings,
    /// How emotions are classified.
    pub classifier: ClassifierSettings,
    /// How the facts of photos are decided.
    pub facts: FactSettings,
    /// Defaults of queries.
    pub query: QuerySettings,
    /// How the daemon follows folders.
    pub watch: WatchSettings,
    /// Where the gallery listens.
    pub gallery: GallerySettings,
}

/// Settings of `[album]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlbumSettings {
    /// Folders to index when a command names none; at least one.
    pub roots: Vec<PathBuf>,
    /// Globs of excluded names; each is valid.
    pub exclude: Vec<String>,
    /// Whether symbolic links are followed.
    pub follow_symlinks: bool,
    /// Whether names that begin with a dot are admitted.
    pub hidden: bool,
    /// Whether folders with a marker are left out.
    pub respect_markers: bool,
}

/// Settings of `[limits]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Most pixels of a photo.
    pub max_pixels: u64,
    /// Most bytes of a file.
    pub max_file_bytes: u64,
    /// Longest time for decoding a photo, in seconds.
    pub decode_seconds: u64,
    /// Whether photos are decoded in decoding processes.
    pub isolate: bool,
}

/// Settings of `[detector]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorSettings {
    /// Which detector is used.
    pub backend: DetectorBackend,
    /// The detector program and its arguments, for [`DetectorBackend::Command`].
    pub command: Vec<String>,
    /// Longest time that the program may take for a photo, in seconds.
    pub command_seconds: u64,
    /// Pixels of the size at which the built-in detector searches a photo; 0 chooses by the photo's size.
    pub resolution: u32,
    /// Least detection score of a face that is stored, 0 to 1.
    pub threshold: f32,
    /// Least shorter side of a face that is classified, in pixels of the full photo.
    pub min_face: f32,
}

/// Settings of `[classifier]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierSettings {
    /// The model file; empty for the built-in model.
    pub model: PathBuf,
}

/// The face detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DetectorBackend {
    /// The built-in network.
    Builtin,
    /// A program that the user names.
    Command,
}

/// Settings of `[facts]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactSettings {
    /// Whether the positions of photos without one are estimated.
    pub estimate_places: bool,
    /// Cameras with wrong clocks; each is a [`ClockOffset`].
    pub clock_offsets: Vec<ClockOffset>,
}

/// Settings of `[query]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySettings {
    /// Most photos in the answer to a query.
    pub limit: usize,
    /// Least detection score of a face that counts, 0 to 1.
    pub min_detection: f32,
    /// Which raw files may be in an answer.
    pub raws: Raws,
}

/// Settings of `[watch]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchSettings {
    /// How long a file must keep its size and time if no close is reported for it, in seconds.
    pub settle_seconds: f64,
    /// Interval at which all roots are reconciled, in seconds.
    pub rescan_seconds: f64,
    /// Interval at which folders that cannot be watched are scanned, in seconds.
    pub poll_seconds: f64,
    /// Most folders to watch; 0 for half of the system's limit.
    pub max_watches: usize,
    /// Grace period after which a photo without a file is deleted from the index, in days.
    pub keep_days: f64,
}

/// Settings of `[gallery]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GallerySettings {
    /// Address and port on which the gallery listens.
    pub listen: SocketAddr,
}

/// Settings that were given as flags; `None` for each flag that was not given.
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

/// The settings in effect and their origins.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The settings.
    pub config: Config,
    layers: Layers,
    file: PathBuf,
}

impl Effective {
    /// Reads the settings. `file` replaces the user's configuration file.
    ///
    /// # Errors
    /// [`Error::Config`] names the key, its origin and the values that are allowed; [`Error::Io`] if a
    /// configuration file cannot be read.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self> {
        let platform = PlatformPaths::of_user()?;
        Self::from_parts(&platform, file, std::env::vars_os(), overrides)
    }

    fn from_parts(
        platform: &PlatformPaths,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        overrides: &Overrides,
    ) -> Result<Self> {
        let mut layers = Layers::defaults();
        let path = file.unwrap_or(&platform.config_file);
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
            // Not taken from the layers, which have strings: a path need not be Unicode.
            config.database.clone_from(database);
        }
        if let Some(model) = &overrides.model {
            config.classifier.model.clone_from(model);
        }
        resolve(&mut config, platform, &layers)?;
        layers.set_resolved(&config);
        Ok(Self {
            config,
            layers,
            file: path.to_owned(),
        })
    }

    /// The configuration file, which need not exist.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Where the value of a setting comes from, such as `classifier.model`.
    pub fn origin(&self, key: &str) -> &Origin {
        self.layers.origin(key)
    }

    /// The settings as TOML, each with its origin in a comment.
    pub fn show(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        // Settings without a section come first, since in TOML they cannot follow a section.
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
/// When the user's home folder is unknown.
pub fn models_folder() -> Result<PathBuf> {
    Ok(PlatformPaths::of_user()?.models)
}

/// A path as it is written into the settings: in the home folder with a leading `~`.
///
/// # Errors
/// When the user's home folder is unknown.
pub fn as_setting(path: &Path) -> Result<PathBuf> {
    Ok(PlatformPaths::of_user()?.contract(path))
}

/// The configuration file that is read when a command names none.
///
/// # Errors
/// When the user's home folder is unknown.
pub fn user_file() -> Result<PathBuf> {
    Ok(PlatformPaths::of_user()?.config_file)
}

/// Replaces empty settings by the defaults of the platform, and makes paths what they mean.
fn resolve(config: &mut Config, platform: &PlatformPaths, layers: &Layers) -> Result<()> {
    let meant = |key: &str, path: &Path| meant(path, key, layers.origin(key), platform);
    if config.database.as_os_str().is_empty() {
        config.database.clone_from(&platform.database);
    }
    config.database = meant("database", &config.database)?;
    if config.thumbnails.as_os_str().is_empty() {
        config.thumbnails.clone_from(&platform.thumbnails);
    }
    config.thumbnails = meant("thumbnails", &config.thumbnails)?;
    if config.album.roots.is_empty() {
        config.album.roots.push(platform.pictures.clone());
    }
    for root in &mut config.album.roots {
        *root = meant("album.roots", root)?;
    }
    config.classifier.model = meant("classifier.model", &config.classifier.model)?;
    if config.threads == 0 {
        config.threads = thread::available_parallelism().map_or(1, NonZero::get);
    }
    Ok(())
}

/// What a path in the settings means: `~` is the home folder, and in a file a relative path starts from the file's folder,
/// so that it leads to the same place from every folder. Those of flags and variables start from the current folder.
fn meant(path: &Path, key: &str, origin: &Origin, platform: &PlatformPaths) -> Result<PathBuf> {
    let expanded = platform.expand(path);
    if expanded.is_absolute() || path.as_os_str().is_empty() || matches!(origin, Origin::Flag(_)) {
        return Ok(expanded);
    }
    // A shell would have replaced these; without one they would be names of folders.
    if path.as_os_str().as_encoded_bytes().starts_with(b"~")
        || path.as_os_str().as_encoded_bytes().starts_with(b"$")
    {
        return Err(Error::Config(format!(
            "`{key}` in {origin} must be a path that begins with / or ~/, not \"{path}\": names of users and variables are \
             not replaced; if this is a folder's name, write \"./{path}\"",
            path = path.display()
        )));
    }
    let Origin::File(file) = origin else {
        return Ok(expanded);
    };
    let file = std::path::absolute(file).map_err(|source| Error::Io {
        path: file.clone(),
        source,
    })?;
    Ok(file
        .with_file_name("")
        .join(expanded.strip_prefix(".").unwrap_or(&expanded)))
}
