//! Two kinds of error: [`Error`] stops the program, [`Skip`] records what is wrong with one file.

use std::fmt;
use std::str::FromStr;

pub use fer_core::error::{Error, Result};

/// Why a file was skipped. The names are stored; do not change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SkipReason {
    /// No bytes in it.
    Empty,
    /// The system does not let us read it.
    PermissionDenied,
    /// The file could not be read for another reason.
    Unreadable,
    /// Not an image, whatever its name says.
    NotAnImage,
    /// An image of a format that is not supported.
    UnsupportedFormat,
    /// The image ends early or is damaged.
    Damaged,
    /// More pixels or bytes than the limits allow.
    TooLarge,
    /// Took longer than the limit.
    TimedOut,
    /// A decoder panicked.
    Crashed,
    /// The detector program died, hung or talked nonsense.
    DetectorFailed,
}

impl SkipReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Empty,
        Self::PermissionDenied,
        Self::Unreadable,
        Self::NotAnImage,
        Self::UnsupportedFormat,
        Self::Damaged,
        Self::TooLarge,
        Self::TimedOut,
        Self::Crashed,
        Self::DetectorFailed,
    ];

    /// The name under which it is stored and printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::PermissionDenied => "permission denied",
            Self::Unreadable => "unreadable",
            Self::NotAnImage => "not an image",
            Self::UnsupportedFormat => "unsupported format",
            Self::Damaged => "damaged",
            Self::TooLarge => "too large",
            Self::TimedOut => "timed out",
            Self::Crashed => "decoder crashed",
            Self::DetectorFailed => "detector failed",
        }
    }

    /// Whether the reason lies in the bytes, so that trying the same bytes again is pointless.
    pub const fn is_in_content(self) -> bool {
        !matches!(
            self,
            Self::PermissionDenied | Self::Unreadable | Self::DetectorFailed
        )
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for SkipReason {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.name() == name)
            .ok_or(())
    }
}

/// A file that was skipped: the reason, and what exactly was wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Skip {
    /// The kind of trouble, by which the summary counts.
    pub reason: SkipReason,
    /// One sentence for a person, with the format's name where it is known.
    pub detail: String,
}

impl Skip {
    /// A skip with its explanation.
    pub fn new(reason: SkipReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}
