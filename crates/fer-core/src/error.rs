//! Errors that stop the program.

use std::path::PathBuf;

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
    #[error("{0}")]
    Store(String),
    /// A model's weights cannot be used.
    #[error("{0}")]
    Model(String),
    /// A file that the program itself needs cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
}

/// The result of an operation whose error stops the program.
pub type Result<T, E = Error> = std::result::Result<T, E>;
