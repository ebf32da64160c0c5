//! Two kinds of errors: [`Error`] stops the program, [`Skip`] records why one file was skipped.

use std::fmt;
use std::str::FromStr;

pub use fer_core::error::{Error, Result};

/// Why a file was skipped. The names are stored; do not change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SkipReason {
    /// The file is empty.
    Empty,
    /// The system denies access.
    PermissionDenied,
    /// The file could not be read for another reason.
    Unreadable,
    /// The content is not an image, whatever the file name says.
    NotAnImage,
    /// An image of a format that is not supported.
    UnsupportedFormat,
    /// The image ends early or is damaged.
    Damaged,
    /// The image has more pixels or the file more bytes than the limits allow.
    TooLarge,
    /// Decoding took longer than the limit.
    TimedOut,
    /// The decoder panicked.
    Crashed,
    /// The detector program crashed, hung or gave an invalid answer.
    DetectorFailed,
    /// A contact sheet, drawing or plot that fer-index wrote and nobody has changed.
    OwnOutput,
}

impl SkipReason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
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
        Self::OwnOutput,
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
            Self::OwnOutput => "made by fer-index",
        }
    }

    /// Whether the reason is the content, so that reading the same content again is pointless.
    pub const fn is_in_content(self) -> bool {
        !matches!(
            self,
            Self::PermissionDenied | Self::Unreadable | Self::DetectorFailed
        )
    }

    /// Whether the first bytes of a file show the reason, so that it applies until the file changes.
    pub const fn is_in_first_bytes(self) -> bool {
        matches!(
            self,
            Self::Empty | Self::NotAnImage | Self::UnsupportedFormat
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

/// Why a file was skipped: the reason and a detailed message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Skip {
    /// The reason; the summary counts skipped files by it.
    pub reason: SkipReason,
    /// One sentence for the user, with the name of the format if it is known.
    pub detail: String,
}

impl Skip {
    /// A skip with its reason and message.
    pub fn new(reason: SkipReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}
