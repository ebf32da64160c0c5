//! The errors that stop the program.

use std::path::{Path, PathBuf};

/// An error that stops the program. Its message is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command cannot be executed as given: a bad date, a missing folder.
    #[error("{0}")]
    Usage(String),
    /// A setting is wrong.
    #[error("{0}")]
    Config(String),
    /// The database cannot be used.
    #[error("{problem}")]
    Store {
        /// The database.
        path: PathBuf,
        /// The message, which names the database.
        problem: String,
        /// The error of SQLite or the system, if one of them failed.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A model's weights cannot be used.
    #[error("{0}")]
    Model(String),
    /// The loss of a training run is not finite any more.
    #[error("{0}")]
    Diverged(String),
    /// A file that the user named has the wrong content, or something is in its way.
    #[error("{}: {problem}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The daemon cannot start, or a running daemon does not reply as expected.
    #[error("{0}")]
    Daemon(String),
    /// The system's limit of watched folders or watchers for this user is reached.
    #[error("{0}")]
    WatchLimit(String),
    /// A bug: an impossible state, or a panic of a thread.
    #[error("bug in fer-index: {0}; please report it with the log")]
    Internal(String),
    /// A file that the program itself needs cannot be read or written.
    #[error("{}: {}", path.display(), reason(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
}

/// The system's words, and what to do about them where that is known.
fn reason(source: &std::io::Error) -> String {
    match source.kind() {
        std::io::ErrorKind::StorageFull => {
            "no space is left on this disk; free some and run the command again".to_owned()
        }
        _ => source.to_string(),
    }
}

impl Error {
    /// An error of the database at `path`; `problem` is the message and names the database.
    pub fn store(path: &Path, problem: impl Into<String>) -> Self {
        Self::Store {
            path: path.to_owned(),
            problem: problem.into(),
            source: None,
        }
    }

    /// An error of a file that the user named.
    #[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
    pub fn input(path: &Path, problem: impl ToString) -> Self {
        Self::Input {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// The result of an operation whose error stops the program.
pub type Result<T, E = Error> = std::result::Result<T, E>;
