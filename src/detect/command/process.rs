//! A running detector program and the thread that exchanges messages with it.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use image::RgbImage;

use super::CommandParams;
use super::protocol::{Answer, Face, Hello, Request, VERSION};
use crate::face::DetectedFace;

/// Longest line that is read, in bytes; thousands of faces fit into it.
const MAX_LINE: u64 = 4 << 20;

/// The reasons why a program returned no faces.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("it cannot be started: {0}")]
    Start(std::io::Error),
    #[error("it ended: {0}")]
    Ended(String),
    #[error("it did not answer within {} s", .0.as_secs_f64())]
    TooSlow(Duration),
    #[error("its answer is malformed: {0}")]
    Malformed(String),
    #[error("it speaks version {0} of the protocol, and fer-index speaks version {VERSION}")]
    Version(u32),
    #[error("its first line changed when it was restarted")]
    Changed,
    #[error("it reports: {0}")]
    Reported(String),
}

/// A program and a thread that does its blocking input and output, so that a caller can time out.
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
    pub fn detect(&mut self, picture: &RgbImage) -> Result<Vec<DetectedFace>, Failure> {
        let gone = |_| Failure::Ended("before the picture was sent".into());
        self.pictures.send(picture.clone()).map_err(gone)?;
        faces(&self.line()?)
    }

    fn line(&self) -> Result<String, Failure> {
        match self.lines.recv_timeout(self.time_limit) {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(error)) => Err(Failure::Ended(error.to_string())),
            Err(RecvTimeoutError::Disconnected) => Err(Failure::Ended("without an answer".into())),
            Err(RecvTimeoutError::Timeout) => Err(Failure::TooSlow(self.time_limit)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killing fails if the program has already ended. Without `wait` it would remain a zombie.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The faces in a program's answer, in pixels of the picture that was sent.
pub(super) fn faces(line: &str) -> Result<Vec<DetectedFace>, Failure> {
    match parse(line)? {
        Answer::Error { error } => Err(Failure::Reported(error)),
        Answer::Faces { faces } => faces
            .iter()
            .map(Face::checked)
            .collect::<Option<_>>()
            .ok_or_else(|| Failure::Malformed("a box or score is out of range".into())),
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(line: &'a str) -> Result<T, Failure> {
    serde_json::from_str(line).map_err(|error| {
        let beginning: String = line.trim_end().chars().take(80).collect();
        Failure::Malformed(format!("{error}, in {beginning:?}"))
    })
}

/// Sends pictures to the program and returns its lines to the caller, until either side closes its channel.
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
