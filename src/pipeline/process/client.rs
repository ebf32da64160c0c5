//! Starts a decoding process, sends it requests and receives its answers.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use image::RgbImage;

use super::super::analyse::FoundFaces;
use super::channel::Channel;
use super::message::{ClassificationMessage, Confinement, Reply, Request, SkipMessage};
use super::pool::Launch;
use crate::classify::Classification;
use crate::detect::FaceDetector;
use crate::error::{Skip, SkipReason};
use crate::face::{BoundingBox, DetectedFace};
use crate::imaging::Facts;
use crate::likeness::FacePicture;
use crate::raster::{Orientation, Raster};

/// Maximum number of faces that are accepted from a process for one photo; the detector finds a few hundred in a crowd.
const MAX_FACES: usize = 100_000;

/// Maximum length of an answer in bytes. The pictures of that many faces would be longer, but no photo has so many.
const MAX_ANSWER: u64 = 1 << 30;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The photo is skipped; the process is ready for the next one.
    Skipped(Skip),
    /// The process has died, or its answer is not one that it may give.
    Died(io::Error),
    /// It has taken too long.
    TooSlow,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::TimedOut => Self::TooSlow,
            _ => Self::Died(error),
        }
    }
}

type Answer<T> = Result<T, Failure>;

/// A process and the socket to it.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    channel: Channel,
    /// How long it may take for each step.
    time: Duration,
    /// How it is confined.
    pub confinement: Confinement,
    /// Whether it was given weights that others have, too.
    pub shares_weights: bool,
    /// The bytes of the last message; kept so that its memory is used again.
    bytes: Vec<u8>,
}

impl Process {
    /// Starts a process, sends it the first message, whose bytes are `model`, and waits for at most `start` until it is
    /// ready. Its standard error is the memory of the weights that it may share, or nothing. Each step of an analysis may take
    /// `time`.
    pub fn start(
        launch: &Launch,
        first: &Request,
        model: &[u8],
        shared: Option<&OwnedFd>,
        start: Duration,
        time: Duration,
    ) -> io::Result<Self> {
        let (own, other) = UnixStream::pair()?;
        let mut command = Command::new(&launch.program);
        command.args(&launch.arguments).env_clear();
        // So that tests/coverage counts what runs there.
        #[cfg(coverage)]
        command.envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"));
        // A Ctrl-C on the terminal is for this process, which lets the photos in work be finished.
        command.process_group(0);
        let weights = shared.map(|shared| shared.as_fd().try_clone_to_owned());
        let child = command
            .stdin(Stdio::from(OwnedFd::from(other)))
            .stdout(Stdio::null())
            .stderr(weights.transpose()?.map_or_else(Stdio::null, Stdio::from))
            .spawn()?;
        // The command holds the other end, which must be closed for the end of the process to be seen.
        drop(command);
        let mut process = Self {
            child,
            channel: Channel::new(own, MAX_ANSWER),
            time,
            confinement: Confinement::default(),
            shares_weights: shared.is_some(),
            bytes: Vec::new(),
        };
        process.channel.allow(Some(start));
        let ready = process
            .channel
            .send(first, model)
            .and_then(|()| process.channel.receive(&mut process.bytes));
        match ready {
            Ok(Reply::Ready(confinement, None)) => {
                process.confinement = confinement;
                Ok(process)
            }
            Ok(Reply::Ready(_, Some(problem))) => Err(io::Error::other(problem)),
            Ok(_) => Err(ErrorKind::InvalidData.into()),
            Err(error) => Err(io::Error::other(format!("{error} ({})", process.end()))),
        }
    }

    /// The facts of a photo, which the process keeps, and how many bytes of memory its decoding takes.
    pub fn facts(&mut self, photo: &[u8]) -> Answer<(Facts, u64)> {
        self.channel.allow(Some(self.time));
        self.channel.send(&Request::Facts, photo)?;
        match self.receive()? {
            Reply::Facts(facts, cost) => Ok((facts.into_facts(), cost)),
            _ => Err(unexpected()),
        }
    }

    /// Detects the faces of the photo that was read last, also where people are `named`; `detector` is asked if the process has none.
    pub fn analyse(
        &mut self,
        named: &[BoundingBox],
        detector: Option<&dyn FaceDetector>,
    ) -> Answer<FoundFaces> {
        self.send_request(&Request::Analyse(named.to_vec()))?;
        loop {
            match self.receive()? {
                Reply::Found(found) if is_plausible(&found) => return Ok(*found),
                Reply::Detect(width, height) => {
                    let detector = detector.ok_or_else(unexpected)?;
                    let pixels = std::mem::take(&mut self.bytes);
                    let picture = RgbImage::from_raw(width, height, pixels)
                        .filter(|picture| picture.width() > 0 && picture.height() > 0)
                        .ok_or_else(unexpected)?;
                    let answer = match detector.detect(&Raster::new(picture, Orientation::Upright))
                    {
                        Ok(faces) => Request::Faces(faces),
                        Err(skip) => Request::Failed(SkipMessage::of(skip)),
                    };
                    self.send_request(&answer)?;
                }
                _ => return Err(unexpected()),
            }
        }
    }

    /// The pictures of its faces.
    pub fn pictures(&mut self, faces: usize) -> Answer<Vec<FacePicture>> {
        self.send_request(&Request::Pictures)?;
        match self.receive()? {
            Reply::Pictures(length) => self.face_pictures(length, faces),
            _ => Err(unexpected()),
        }
    }

    /// An upright copy of a photo, reduced to at most `width` × `height` pixels.
    pub fn copy(&mut self, photo: &[u8], (width, height): (u32, u32)) -> Answer<RgbImage> {
        self.channel.allow(Some(self.time));
        self.channel.send(&Request::Copy(width, height), photo)?;
        match self.receive()? {
            Reply::Copy(w, h) if (1..=width).contains(&w) && (1..=height).contains(&h) => {
                let pixels = std::mem::take(&mut self.bytes);
                RgbImage::from_raw(w, h, pixels).ok_or_else(unexpected)
            }
            _ => Err(unexpected()),
        }
    }

    /// Width and height of the photo that was read last, and the pictures of `faces` in it.
    pub fn cut(&mut self, faces: &[DetectedFace]) -> Answer<((u32, u32), Vec<FacePicture>)> {
        self.send_request(&Request::Cut(faces.to_vec()))?;
        match self.receive()? {
            Reply::Cut(size, length) => Ok((size, self.face_pictures(length, faces.len())?)),
            _ => Err(unexpected()),
        }
    }

    /// The pictures of faces that came with the last message, each of this length in bytes.
    fn face_pictures(&self, length: u64, faces: usize) -> Answer<Vec<FacePicture>> {
        let each = self
            .bytes
            .chunks_exact(usize::try_from(length.max(1)).unwrap_or(usize::MAX));
        let pictures: Option<Vec<_>> = each.map(FacePicture::from_bytes).collect();
        pictures
            .filter(|pictures| pictures.len() == faces)
            .ok_or_else(unexpected)
    }

    /// What the classifier reads in its faces.
    pub fn classify(&mut self, faces: usize) -> Answer<Vec<Classification>> {
        self.send_request(&Request::Classify)?;
        let Reply::Classified(read) = self.receive()? else {
            return Err(unexpected());
        };
        let classifications: Option<Vec<_>> = read
            .into_iter()
            .map(ClassificationMessage::into_classification)
            .collect();
        classifications
            .filter(|classifications| classifications.len() == faces)
            .ok_or_else(unexpected)
    }

    fn send_request(&mut self, request: &Request) -> Answer<()> {
        self.channel.allow(Some(self.time));
        Ok(self.channel.send(request, &[])?)
    }

    fn receive(&mut self) -> Answer<Reply> {
        match self.channel.receive(&mut self.bytes)? {
            Reply::Skipped(skipped) => Err(Failure::Skipped(skipped.into_skip())),
            reply => Ok(reply),
        }
    }

    /// The CPU time that the process has taken; `None` where the system does not say.
    pub fn cpu_time(&self) -> Option<Duration> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        threads
            .map(|thread| {
                let times = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
                times.split(' ').next()?.parse::<u64>().ok()
            })
            .sum::<Option<_>>()
            .map(Duration::from_nanos)
    }

    /// Ends the process, if it has not ended by itself, and returns how it ended.
    pub fn end(&mut self) -> End {
        // Where it has ended already, this changes nothing of its status.
        let _ = self.child.kill();
        self.child.wait().map_or(End::Unknown, End::of)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn unexpected() -> Failure {
    Failure::Died(ErrorKind::InvalidData.into())
}

/// Whether faces may be those of a photo: a process that an attacker controls may answer anything.
fn is_plausible(found: &FoundFaces) -> bool {
    let is_finite = |face: &DetectedFace| {
        let at = &face.bounding_box;
        let points = face
            .landmarks
            .iter()
            .flat_map(crate::face::Landmarks::points);
        [at.x, at.y, at.width, at.height, face.score]
            .into_iter()
            .chain(points.flat_map(|point| [point.x, point.y]))
            .all(f32::is_finite)
    };
    let all = || found.large_enough.iter().chain(&found.unread);
    found.size.0 > 0 && found.size.1 > 0 && all().count() <= MAX_FACES && all().all(is_finite)
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By this signal.
    Signal(i32),
    /// With this exit code.
    Code(i32),
    /// Unknown: the system does not report it.
    Unknown,
}

impl End {
    fn of(status: ExitStatus) -> Self {
        match (status.signal(), status.code()) {
            (Some(signal), _) => Self::Signal(signal),
            (None, Some(code)) => Self::Code(code),
            (None, None) => Self::Unknown,
        }
    }

    /// Whether somebody else has ended it, so that it says nothing of the photo.
    const fn is_foreign(self) -> bool {
        use rustix::process::Signal;
        matches!(self, Self::Signal(signal) if signal == Signal::TERM.as_raw()
            || signal == Signal::INT.as_raw() || signal == Signal::HUP.as_raw())
    }

    /// The skip for a photo during whose analysis two processes have died.
    pub fn skip(self) -> Skip {
        let reason = if self.is_foreign() {
            SkipReason::Unreadable
        } else {
            SkipReason::Crashed
        };
        Skip::new(reason, format!("the process that decoded it {self}"))
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signal(6) => {
                f.write_str("was aborted (signal 6), as when its stack or memory is exhausted")
            }
            Self::Signal(9) => f.write_str(
                "was killed (signal 9), as when its answer is invalid or memory is short",
            ),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Self::Code(code) => write!(f, "ended with exit code {code}"),
            Self::Unknown => f.write_str("ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_another_hand_has_ended_is_tried_again_by_the_next_run() {
        // The status as wait(2) encodes it: the signal, or the exit code in the next byte.
        for (status, expected, reason) in [
            (15, End::Signal(15), SkipReason::Unreadable),
            (1, End::Signal(1), SkipReason::Unreadable),
            (6, End::Signal(6), SkipReason::Crashed),
            (11, End::Signal(11), SkipReason::Crashed),
            (9, End::Signal(9), SkipReason::Crashed),
            (101 << 8, End::Code(101), SkipReason::Crashed),
        ] {
            let end = End::of(ExitStatus::from_raw(status));
            assert_eq!(end, expected, "{status}");
            assert_eq!(end.skip().reason, reason, "{status}");
        }
    }

    #[test]
    fn faces_that_no_detector_finds_are_refused() {
        let face = DetectedFace {
            bounding_box: BoundingBox {
                x: 0.0,
                y: 0.0,
                width: 10.0,
                height: 10.0,
            },
            landmarks: None,
            score: 0.9,
        };
        let found = |score, number| FoundFaces {
            size: (10, 10),
            large_enough: vec![DetectedFace { score, ..face }; number],
            unread: Vec::new(),
            incomplete: None,
        };
        assert!(is_plausible(&found(0.9, 3)));
        assert!(is_plausible(&found(0.9, MAX_FACES)));
        assert!(!is_plausible(&found(0.9, MAX_FACES + 1)));
        assert!(!is_plausible(&found(f32::NAN, 1)));
        let empty = FoundFaces {
            size: (0, 10),
            ..found(0.9, 0)
        };
        assert!(!is_plausible(&empty));
    }
}
