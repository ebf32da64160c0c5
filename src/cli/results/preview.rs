//! Shows photos in the terminal.

use std::path::Path;

use super::super::stdout::Stdout;
use super::super::terminal::Pictures;
use crate::error::Result;
use crate::export::thumbnail_of;
use crate::pipeline::Decoder;

/// A terminal that shows photos.
pub(super) struct Preview {
    pictures: Pictures,
    decoder: Decoder,
}

impl Preview {
    /// Queries the terminal. If it does not support pictures, logs a warning and returns `None`.
    pub fn new(decoder: Decoder) -> Option<Self> {
        let pictures = Pictures::new();
        if pictures.is_none() {
            tracing::warn!(
                "no previews: standard output is not a terminal that supports kitty's, iTerm2's or the \
                 SIXEL protocol; use --contact-sheet FILE.html to see the photos in a browser"
            );
        }
        Some(Self {
            pictures: pictures?,
            decoder,
        })
    }

    /// Shows a photo, or a line with the reason why it cannot be shown.
    pub fn show(&self, path: &Path, out: &mut Stdout) -> Result<()> {
        let room = self.pictures.room();
        let shown = thumbnail_of(path, &self.decoder, room)
            .map_err(|skip| skip.to_string())
            .and_then(|picture| {
                self.pictures
                    .text(&picture)
                    .map_err(|error| error.to_string())
            });
        match shown {
            Ok(text) => out.with(|stdout| stdout.write_all(&text))?,
            Err(problem) => out.line(format_args!("    ({problem})"))?,
        }
        out.flush()
    }
}
