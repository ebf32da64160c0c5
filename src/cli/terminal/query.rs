//! Queries the terminal on standard output.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr, ttyname,
};

use super::Screen;
use super::reply::{QUERIES, is_complete, screen};

/// How long to wait for a reply. A connection with a longer delay is too slow for pictures.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Most bytes of a reply.
const MAX_ANSWER: usize = 4096;

/// The screen of standard output; `None` if it does not support pictures.
pub(super) fn query() -> Option<Screen> {
    match exchange() {
        Ok(reply) => screen(&reply),
        Err(error) => {
            tracing::debug!(%error, "cannot query the terminal");
            None
        }
    }
}

fn exchange() -> io::Result<Vec<u8>> {
    let mut terminal = CbreakMode::new()?;
    terminal.file.write_all(QUERIES)?;
    let end = Instant::now() + TIMEOUT;
    let mut reply = Vec::new();
    while !is_complete(&reply) && reply.len() < MAX_ANSWER {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut ready = [PollFd::new(&terminal.file, PollFlags::IN)];
        match poll(&mut ready, Some(&timeout)) {
            Ok(0) => break,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let mut bytes = [0; 256];
        match terminal.file.read(&mut bytes)? {
            0 => break,
            count => reply.extend_from_slice(&bytes[..count]),
        }
    }
    // Erases the line: a terminal that does not understand a query may have printed it.
    terminal.file.write_all(b"\r\x1b[K")?;
    Ok(reply)
}

/// A terminal without echo and line buffering; dropping this restores its modes.
struct CbreakMode {
    file: File,
    before: Termios,
}

impl CbreakMode {
    fn new() -> io::Result<Self> {
        let stdout = io::stdout();
        let name = ttyname(stdout.as_fd(), Vec::new())?;
        // Opened again, since standard output may be open for writing only.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits() as i32)
            .open(name.to_str().map_err(io::Error::other)?)?;
        // The system stops a background process that changes the modes of the terminal.
        if tcgetpgrp(&file).is_ok_and(|group| group != getpgrp()) {
            return Err(io::Error::other("the process runs in the background"));
        }
        let before = tcgetattr(&file)?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(&file, OptionalActions::Now, &modes)?;
        Ok(Self { file, before })
    }
}

impl Drop for CbreakMode {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(&self.file, OptionalActions::Now, &self.before) {
            tracing::debug!(%error, "cannot restore the modes of the terminal");
        }
    }
}
