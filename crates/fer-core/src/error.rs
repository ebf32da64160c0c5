//! What stops the program.

use std::path::PathBuf;

/// What stops the program. The message is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command cannot be carried out as given: a bad date, a folder that is not there.
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
        /// What the system says.
        source: std::io::Error,
    },
}

/// The result of what may stop the program.
pub type Result<T, E = Error> = std::result::Result<T, E>;
