//! Standard output: every result is printed through [`Stdout`].

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};

/// Buffered standard output that records whether its reader has closed it.
pub(super) struct Stdout {
    inner: BufWriter<StdoutLock<'static>>,
    closed: bool,
}

impl Stdout {
    pub fn new() -> Self {
        Self {
            inner: BufWriter::new(io::stdout().lock()),
            closed: false,
        }
    }

    /// Whether standard output is a terminal.
    pub fn is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Whether the reader has closed the pipe (`| head`).
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes a line.
    pub fn line(&mut self, text: impl Display) -> Result<()> {
        let written = writeln!(self.inner, "{text}");
        self.check(written)
    }

    /// Writes a path's exact bytes as a line.
    pub fn path(&mut self, path: &Path) -> Result<()> {
        self.path_and(path, b'\n')
    }

    /// Writes a path's exact bytes and one more byte.
    pub fn path_and(&mut self, path: &Path, end: u8) -> Result<()> {
        let written = self
            .inner
            .write_all(path.as_os_str().as_encoded_bytes())
            .and_then(|()| self.inner.write_all(&[end]));
        self.check(written)
    }

    /// Writes a value as one line of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let written = serde_json::to_writer(&mut self.inner, value).map_err(io::Error::from);
        let written = written.and_then(|()| self.inner.write_all(b"\n"));
        self.check(written)
    }

    /// Writes values as one JSON array, one value per line.
    pub fn json_array<T: Serialize>(&mut self, values: impl Iterator<Item = T>) -> Result<()> {
        let mut written = self.inner.write_all(b"[");
        for (index, value) in values.enumerate() {
            written = written
                .and_then(|()| {
                    self.inner
                        .write_all(if index == 0 { b"\n" } else { b",\n" })
                })
                .and_then(|()| {
                    serde_json::to_writer(&mut self.inner, &value).map_err(io::Error::from)
                });
        }
        let written = written.and_then(|()| self.inner.write_all(b"\n]\n"));
        self.check(written)
    }

    /// Writes the buffered data, for a reader that waits for it.
    pub fn flush(&mut self) -> Result<()> {
        let written = self.inner.flush();
        self.check(written)
    }

    /// Passes the writer to `write`, for libraries that need one.
    pub fn with(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let written = write(&mut self.inner);
        self.check(written)
    }

    fn check(&mut self, written: io::Result<()>) -> Result<()> {
        written.map_err(|source| {
            self.closed |= source.kind() == ErrorKind::BrokenPipe;
            Error::Io {
                path: "standard output".into(),
                source,
            }
        })
    }
}
