//! One running detector program.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use image::RgbImage;

use super::CommandParams;
use super::protocol::{Answer, Face, Hello, Request, VERSION};
use crate::face::DetectedFace;

/// A longer line is no answer: thousands of faces fit in.
const MAX_LINE: u64 = 4 << 20;

/// What can go wrong with a program.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("it cannot be started: {0}")]
    Start(std::io::Error),
    #[error("it ended: {0}")]
    Ended(String),
    #[error("it did not answer within {} s", .0.as_secs_f64())]
    TooSlow(Duration),
    #[error("its answer makes no sense: {0}")]
    Nonsense(String),
    #[error("it speaks version {0} of the protocol, and {VERSION} is wanted")]
    Version(u32),
    #[error("it introduced itself otherwise when it was started again")]
    Changed,
    #[error("it reports: {0}")]
    Refused(String),
}

/// A program with a thread that talks to it, so that whoever waits can stop waiting.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pictures: Sender<RgbImage>,
    lines: Receiver<std::io::Result<String>>,
    time_limit: Duration,
}

impl Process {
    /// Starts the program and waits for its first line.
    pub fn start(params: &CommandParams) -> Result<(Self, Hello), Failure> {
        let (program, arguments) = params.command.split_first().ok_or_else(|| {
            Failure::Start(std::io::Error::other("`detector.command` names no program"))
        })?;
        let mut child = std::process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::Start)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| Failure::Ended("no pipes".into()))?;
        let (pictures, queue) = channel();
        let (sender, lines) = channel();
        thread::spawn(move || talk(stdin, stdout, &queue, &sender));
        let process = Self {
            child,
            pictures,
            lines,
            time_limit: params.time_limit,
        };
        let hello: Hello = parse(&process.line()?)?;
        if hello.fer_index_detector != VERSION {
            return Err(Failure::Version(hello.fer_index_detector));
        }
        Ok((process, hello))
    }

    /// The faces of a picture, in its pixels.
    pub fn ask(&mut self, picture: &RgbImage) -> Result<Vec<DetectedFace>, Failure> {
        let gone = |_| Failure::Ended("before it was asked".into());
        self.pictures.send(picture.clone()).map_err(gone)?;
        match parse(&self.line()?)? {
            Answer::Error { error } => Err(Failure::Refused(error)),
            Answer::Faces { faces } => faces
                .iter()
                .map(Face::checked)
                .collect::<Option<_>>()
                .ok_or_else(|| Failure::Nonsense("a box or score that cannot be".into())),
        }
    }

    fn line(&self) -> Result<String, Failure> {
        match self.lines.recv_timeout(self.time_limit) {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(error)) => Err(Failure::Ended(error.to_string())),
            Err(RecvTimeoutError::Disconnected) => Err(Failure::Ended("without a word".into())),
            Err(RecvTimeoutError::Timeout) => Err(Failure::TooSlow(self.time_limit)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; and what is killed must be waited for, or it stays a zombie.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(line: &'a str) -> Result<T, Failure> {
    serde_json::from_str(line).map_err(|error| {
        let beginning: String = line.trim_end().chars().take(80).collect();
        Failure::Nonsense(format!("{error}, in {beginning:?}"))
    })
}

/// Passes on lines and sends pictures until either side is gone.
fn talk(
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    pictures: &Receiver<RgbImage>,
    lines: &Sender<std::io::Result<String>>,
) {
    let mut stdout = BufReader::new(stdout);
    let mut next_line = || {
        let mut line = String::new();
        match stdout.by_ref().take(MAX_LINE).read_line(&mut line) {
            Ok(0) => Err(std::io::Error::other("its output was closed")),
            Ok(_) => Ok(line),
            Err(error) => Err(error),
        }
    };
    if lines.send(next_line()).is_err() {
        return;
    }
    for picture in pictures {
        let request = Request {
            width: picture.width(),
            height: picture.height(),
            bytes: picture.as_raw().len(),
        };
        let sent = serde_json::to_writer(&mut stdin, &request)
            .map_err(std::io::Error::from)
            .and_then(|()| stdin.write_all(b"\n"))
            .and_then(|()| stdin.write_all(picture.as_raw()))
            .and_then(|()| stdin.flush());
        if lines.send(sent.and_then(|()| next_line())).is_err() {
            return;
        }
    }
}
