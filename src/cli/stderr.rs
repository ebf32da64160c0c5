//! Standard error: messages for a person, beside the results.

use std::fmt::Display;
use std::io::Write as _;

/// Writes a line. A message that cannot be written, since the terminal is gone or the disk is full, is dropped: it must
/// not end a command whose results are complete.
pub(super) fn print(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
