//! Runs in a decoding process: reads, decodes and analyses one photo after the other.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use super::channel::Channel;
use super::confine::{confine, limit_memory};
use super::message::{
    ClassificationMessage, Detector, FactsMessage, Reply, Request, Setup, SkipMessage,
};
use crate::affine::Affine;
use crate::classify::Cnn;
use crate::detect::{Builtin, FaceDetector, copy_size};
use crate::error::{Error, Result, Skip, SkipReason};
use crate::face::{BoundingBox, DetectedFace};
use crate::imaging::{self, Decoded, Facts, Limits};
use crate::likeness::FacePicture;
use crate::raster::Raster;

use fer_nn::allocator;
use fer_nn::shared::Parts;

use super::super::analyse::{FoundFaces, LocalAnalyser, pictures};
use super::super::budget;

/// Maximum length in bytes of the first message, the model file, which arrives before the limits for files are known.
const MAX_MODEL: u64 = 1 << 30;

/// Largest file in bytes that a decoder borrows: most photos of cameras. A larger one is passed on to the decoder, which
/// frees its memory while it makes pixels; that takes time.
const MAX_BORROWED: usize = 16 << 20;

/// Freed memory that is kept for the next photo, in bytes.
const MAX_FREED_MEMORY: i32 = 64 << 20;

/// Serves the process that started this one, over the socket that is its standard input, until that closes it.
///
/// Before anything is read from the socket, this process gives up its rights ([`Confinement`](super::Confinement)).
/// `detector` may replace the detector that the setup asks for; tests do so.
///
/// # Errors
/// If standard input is no socket, or its other end is not this program.
pub fn serve(detector: Option<Box<dyn FaceDetector>>) -> Result<()> {
    let broken = |error: io::Error| {
        Error::Usage(format!(
            "fer-index starts this command itself, for decoding photos: {error}"
        ))
    };
    let socket = io::stdin().as_fd().try_clone_to_owned().map_err(broken)?;
    let stream = UnixStream::from(socket);
    stream.peer_addr().map_err(broken)?;
    allocator::map_large();
    // A worker has a process of its own, and a thread could not be started any more.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global()
        .map_err(|error| broken(io::Error::other(error)))?;
    // What the process that started this one has written there, if anything. Mapped before the confinement, in which the
    // length of a file cannot be read.
    let weights = Parts::map(io::stderr()).ok();
    let mut confinement = confine();
    let mut channel = Channel::new(stream, MAX_MODEL);
    let mut model = Vec::new();
    let (limits, setup) = match channel.receive(&mut model).map_err(broken)? {
        Request::Setup(setup) => (setup.limits, Some(setup)),
        Request::Decode(limits) => (limits, None),
        Request::Confine(limits) => {
            confinement.memory = limit_memory(&limits);
            let ready = Reply::Ready(confinement, None);
            return channel.send(&ready, &[]).map_err(broken);
        }
        _ => return Err(broken(ErrorKind::InvalidData.into())),
    };
    confinement.memory = limit_memory(&limits);
    let channel = Arc::new(Mutex::new(channel.with_max_bytes(limits.max_bytes)));
    let analyser = setup.map(|setup| {
        let classifier = Cnn::load(&model, &setup.model_name, weights)?;
        analyser(&setup, classifier, detector, &channel)
    });
    let analyser = match analyser.transpose() {
        Ok(analyser) => analyser,
        Err(error) => {
            let failed = Reply::Ready(confinement, Some(error.to_string()));
            return send(&channel, &failed, &[]).map_err(broken);
        }
    };
    drop(model);
    // Returns the memory that only loading needed to the system; from now on freed memory is kept for the next photo.
    allocator::trim();
    if analyser.is_some() {
        allocator::keep_freed(MAX_FREED_MEMORY);
    }
    send(&channel, &Reply::Ready(confinement, None), &[]).map_err(broken)?;
    let mut server = Server {
        channel,
        analyser,
        limits,
        bytes: Vec::new(),
        facts: None,
        decoded: None,
    };
    match server.run() {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(()),
        ended => ended.map_err(broken),
    }
}

fn analyser(
    setup: &Setup,
    classifier: Cnn,
    detector: Option<Box<dyn FaceDetector>>,
    channel: &Arc<Mutex<Channel>>,
) -> Result<LocalAnalyser> {
    let detector = match (detector, &setup.detector) {
        (Some(given), _) => given,
        (None, Detector::Builtin(params)) => Box::new(Builtin::new(*params)?),
        (None, Detector::OfParent { model, max_pixels }) => Box::new(DetectorOfParent {
            model: model.clone(),
            max_pixels: *max_pixels,
            channel: Arc::clone(channel),
        }),
    };
    Ok(LocalAnalyser::new(
        detector,
        Box::new(classifier),
        setup.limits,
        setup.min_face,
    ))
}

fn send(channel: &Mutex<Channel>, reply: &Reply, bytes: &[u8]) -> io::Result<()> {
    let mut channel = channel.lock().unwrap_or_else(PoisonError::into_inner);
    channel.send(reply, bytes)
}

fn receive(channel: &Mutex<Channel>, bytes: &mut Vec<u8>) -> io::Result<Request> {
    let mut channel = channel.lock().unwrap_or_else(PoisonError::into_inner);
    channel.receive(bytes)
}

/// The state of a decoding process.
struct Server {
    channel: Arc<Mutex<Channel>>,
    /// `None` in a process that only shows photos.
    analyser: Option<LocalAnalyser>,
    limits: Limits,
    /// The photo's bytes, from [`Request::Facts`] until it is decoded.
    bytes: Vec<u8>,
    /// Its facts, from [`Request::Facts`] to [`Request::Analyse`].
    facts: Option<Facts>,
    /// The decoded photo, from then to [`Request::Classify`].
    decoded: Option<(Decoded, FoundFaces)>,
}

impl Server {
    fn run(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        loop {
            let request = receive(&self.channel, &mut bytes)?;
            self.answer(&request, &mut bytes)?;
        }
    }

    fn answer(&mut self, request: &Request, bytes: &mut Vec<u8>) -> io::Result<()> {
        match request {
            Request::Facts => {
                self.decoded = None;
                std::mem::swap(&mut self.bytes, bytes);
                match imaging::facts(&self.bytes, &self.limits) {
                    Ok(facts) => {
                        let cost = budget::decoding_cost(&self.bytes);
                        let read = Box::new(FactsMessage::of(&facts));
                        self.facts = Some(facts);
                        self.send(&Reply::Facts(read, cost))
                    }
                    Err(skip) => self.send(&Reply::Skipped(SkipMessage::of(skip))),
                }
            }
            Request::Analyse(named) => match self.find_faces(named)? {
                Ok((decoded, found)) => {
                    self.decoded = Some((decoded, found.clone()));
                    self.send(&Reply::Found(Box::new(found)))
                }
                Err(skip) => self.send(&Reply::Skipped(SkipMessage::of(skip))),
            },
            Request::Pictures => {
                let Some((decoded, found)) = &self.decoded else {
                    return Err(ErrorKind::InvalidData.into());
                };
                let (bytes, length) = concatenated(&pictures(decoded, &found.large_enough));
                send(&self.channel, &Reply::Pictures(length), &bytes)
            }
            Request::Copy(width, height) => {
                let copied = if bytes.len() > MAX_BORROWED {
                    let bytes = std::mem::take(bytes);
                    imaging::copy(bytes, &self.limits, *width, *height)
                } else {
                    imaging::copy(&*bytes, &self.limits, *width, *height)
                };
                match copied {
                    Ok(copy) => {
                        let reply = Reply::Copy(copy.width(), copy.height());
                        send(&self.channel, &reply, copy.as_raw())
                    }
                    Err(skip) => self.send(&Reply::Skipped(SkipMessage::of(skip))),
                }
            }
            Request::Cut(faces) => match imaging::decode(&self.bytes, &self.limits) {
                Ok(decoded) => {
                    let size = (decoded.raster.width(), decoded.raster.height());
                    let (bytes, length) = concatenated(&pictures(&decoded, faces));
                    send(&self.channel, &Reply::Cut(size, length), &bytes)
                }
                Err(skip) => self.send(&Reply::Skipped(SkipMessage::of(skip))),
            },
            Request::Classify => {
                let (Some(analyser), Some((decoded, found))) =
                    (&self.analyser, self.decoded.take())
                else {
                    return Err(ErrorKind::InvalidData.into());
                };
                let classifications = analyser.classify(&decoded, &found.large_enough);
                let classifications = classifications.iter().map(ClassificationMessage::of);
                self.send(&Reply::Classified(classifications.collect()))
            }
            Request::Setup(_)
            | Request::Decode(_)
            | Request::Confine(_)
            | Request::Faces(_)
            | Request::Failed(_) => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Decodes the photo and finds its faces. The memory of its bytes is freed before, so that the maps of the search get
    /// it; kept for the next photo instead, it would be a tenth of what a process has.
    fn find_faces(
        &mut self,
        named: &[BoundingBox],
    ) -> io::Result<Result<(Decoded, FoundFaces), Skip>> {
        let analyser = self.analyser.as_ref().ok_or(ErrorKind::InvalidData)?;
        let bytes = std::mem::take(&mut self.bytes);
        let facts = self.facts.take();
        let decoded = if bytes.len() > MAX_BORROWED {
            analyser.decode(facts, bytes)
        } else {
            let decoded = analyser.decode(facts, &bytes);
            drop(bytes);
            decoded
        };
        Ok(decoded.and_then(|decoded| {
            let found = analyser.find_faces(&decoded, named)?;
            Ok((decoded, found))
        }))
    }

    fn send(&self, reply: &Reply) -> io::Result<()> {
        send(&self.channel, reply, &[])
    }
}

/// Pictures of faces one after the other, and the length of each in bytes.
fn concatenated(pictures: &[FacePicture]) -> (Vec<u8>, u64) {
    let bytes: Vec<_> = pictures.iter().map(FacePicture::to_bytes).collect();
    let length = bytes.first().map_or(0, |bytes| bytes.len() as u64);
    (bytes.concat(), length)
}

/// Detects faces by asking the process that started this one.
struct DetectorOfParent {
    model: String,
    max_pixels: u32,
    channel: Arc<Mutex<Channel>>,
}

impl FaceDetector for DetectorOfParent {
    fn model(&self) -> &str {
        &self.model
    }

    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip> {
        let (width, height) = copy_size(photo, self.max_pixels);
        let copy = photo.resized(width, height);
        let answer = send(&self.channel, &Reply::Detect(width, height), copy.as_raw())
            .and_then(|()| receive(&self.channel, &mut Vec::new()));
        let faces = match answer {
            Ok(Request::Faces(faces)) => faces,
            Ok(Request::Failed(skipped)) => return Err(skipped.into_skip()),
            _ => {
                let detail = "the detector was not asked";
                return Err(Skip::new(SkipReason::DetectorFailed, detail));
            }
        };
        let to_photo = Affine::stretch(
            photo.width() as f32 / width as f32,
            photo.height() as f32 / height as f32,
        );
        Ok(faces.iter().map(|face| face.through(&to_photo)).collect())
    }
}
