//! Why a file is not decoded here.

use std::fmt;

/// Why this decoder gives up. None of the reasons says that the file is no photo: a decoder that tolerates more
/// may still read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// A coding, colour space or sampling that this decoder leaves to others.
    Unsupported(&'static str),
    /// The file deviates from the standard, or its data end early.
    Irregular(&'static str),
    /// The caller asked to stop.
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
