//! Asking the terminal on standard output.

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
use super::answer::{QUESTIONS, is_whole, screen};

/// Longer than any connection over which pictures are a pleasure.
const PATIENCE: Duration = Duration::from_secs(1);

/// No answer is longer, in bytes.
const LONGEST: usize = 4096;

/// The screen of standard output, if it is one that shows pictures.
pub(super) fn ask() -> Option<Screen> {
    match exchange() {
        Ok(answer) => screen(&answer),
        Err(error) => {
            tracing::debug!(%error, "the terminal cannot be asked");
            None
        }
    }
}

fn exchange() -> io::Result<Vec<u8>> {
    let mut terminal = Quiet::new()?;
    terminal.file.write_all(QUESTIONS)?;
    let end = Instant::now() + PATIENCE;
    let mut answer = Vec::new();
    while !is_whole(&answer) && answer.len() < LONGEST {
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
            count => answer.extend_from_slice(&bytes[..count]),
        }
    }
    // Where a question was not understood it may have been printed.
    terminal.file.write_all(b"\r\x1b[K")?;
    Ok(answer)
}

/// A terminal that neither echoes nor waits for the end of a line, until this goes.
struct Quiet {
    file: File,
    before: Termios,
}

impl Quiet {
    fn new() -> io::Result<Self> {
        let stdout = io::stdout();
        let name = ttyname(stdout.as_fd(), Vec::new())?;
        // Its own opening: what the process was given may be for writing only.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits() as i32)
            .open(name.to_str().map_err(io::Error::other)?)?;
        // A process in the background would be stopped for changing the terminal.
        if tcgetpgrp(&file).is_ok_and(|group| group != getpgrp()) {
            return Err(io::Error::other("another process has the terminal"));
        }
        let before = tcgetattr(&file)?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(&file, OptionalActions::Now, &modes)?;
        Ok(Self { file, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(&self.file, OptionalActions::Now, &self.before) {
            tracing::debug!(%error, "the terminal keeps its new modes");
        }
    }
}
