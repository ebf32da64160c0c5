//! Errors that stop the program.

use std::path::{Path, PathBuf};

/// An error that stops the program. Its message is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command cannot be carried out as the user gave it: a bad date, a missing folder.
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
        /// A sentence that names it.
        problem: String,
        /// What SQLite or the system says, where one of them failed.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A model's weights cannot be used.
    #[error("{0}")]
    Model(String),
    /// A file that a person named does not hold what it should, or something is in the way of it.
    #[error("{}: {problem}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The daemon cannot start, or a running one does not do what is asked of it.
    #[error("{0}")]
    Daemon(String),
    /// The system lets this user watch no more folders or start no more watchers.
    #[error("{0}")]
    WatchLimit(String),
    /// The program is wrong: a state that cannot be, a panic of a part of it.
    #[error("fer-index met a bug: {0}; please report it with what it logged")]
    Internal(String),
    /// A file that the program itself needs cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// What is wrong with the database at `path`, as a sentence that names it.
    pub fn store(path: &Path, problem: impl Into<String>) -> Self {
        Self::Store {
            path: path.to_owned(),
            problem: problem.into(),
            source: None,
        }
    }

    /// What is wrong with a file that a person named.
    pub fn input(path: &Path, problem: impl ToString) -> Self {
        Self::Input {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// The result of an operation whose error stops the program.
pub type Result<T, E = Error> = std::result::Result<T, E>;
