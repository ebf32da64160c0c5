//! The reasons why a file is not decoded.

use std::fmt;

/// The reasons why this decoder fails. In each case a more tolerant decoder may still read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// A coding, colour space or sampling that this decoder does not support.
    Unsupported(&'static str),
    /// The file deviates from the standard, or its data end early.
    Irregular(&'static str),
    /// The caller stopped the decoding.
    Stopped,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(what) => write!(f, "{what} is not supported"),
            Self::Irregular(problem) => f.write_str(problem),
            Self::Stopped => f.write_str("decoding was stopped"),
        }
    }
}

impl std::error::Error for Error {}

/// The result of decoding.
pub type Result<T> = std::result::Result<T, Error>;
