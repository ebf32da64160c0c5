//! Photos shown in the terminal.

use std::path::Path;

use super::super::output::Stdout;
use super::super::terminal::Pictures;
use crate::error::Result;
use crate::export::small_copy;
use crate::imaging::Limits;

/// A terminal that shows photos.
pub(super) struct Preview {
    pictures: Pictures,
    limits: Limits,
}

impl Preview {
    /// Asks the terminal; where it shows no pictures the user is told so.
    pub fn new(limits: Limits) -> Option<Self> {
        let pictures = Pictures::new();
        if pictures.is_none() {
            tracing::warn!(
                "no previews: standard output is no terminal that speaks kitty's, iTerm2's or the \
                 SIXEL protocol; --contact-sheet FILE.html shows photos in a browser"
            );
        }
        Some(Self {
            pictures: pictures?,
            limits,
        })
    }

    /// Shows a photo; one that cannot be shown costs a line that says why.
    pub fn show(&self, path: &Path, out: &mut Stdout) -> Result<()> {
        let room = self.pictures.room();
        let shown = small_copy(path, &self.limits, room)
            .map_err(|skip| skip.to_string())
            .and_then(|small| {
                self.pictures
                    .text(&small)
                    .map_err(|error| error.to_string())
            });
        match shown {
            Ok(text) => out.with(|stdout| stdout.write_all(&text))?,
            Err(problem) => out.line(format_args!("    ({problem})"))?,
        }
        out.flush()
    }
}
