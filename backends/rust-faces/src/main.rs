//! A detector program for fer-index: runs BlazeFace and MTCNN through the crate `rust-faces`.
//!
//! It speaks the protocol of `docs/detector-protocol.md`. It downloads nothing: the models and ONNX Runtime's
//! library must be installed. Conditions that would make the crate panic are checked before it is called.

mod models;
mod protocol;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::ExitCode;

use image::imageops::{self, FilterType};
use image::RgbImage;
use ndarray::ArrayView3;
use rust_faces::{Face, FaceDetector};

use models::Model;
use protocol::{error_answer, faces_answer, hello, Request};

/// Pictures are resized to multiples of this: BlazeFace pads other sizes and ignores the padding in its
/// boxes.
const GRID: u32 = 16;

/// Most bytes of a picture; fer-index sends no larger requests.
const MAX_BYTES: usize = 100 << 20;

struct Arguments {
    model: Model,
    folder: PathBuf,
    threshold: f32,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("fer-index-rust-faces: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let arguments = arguments(std::env::args().skip(1))?;
    models::check_library()?;
    arguments.model.check_files(&arguments.folder)?;
    // The crate's other panics (an invalid library or model) become errors without a backtrace.
    panic::set_hook(Box::new(|_| {}));
    let detector = guarded(|| arguments.model.load(&arguments.folder, arguments.threshold))??;
    let mut out = io::stdout().lock();
    let mut input = BufReader::new(io::stdin().lock());
    let broken = |error: io::Error| error.to_string();
    writeln!(out, "{}", hello(arguments.model)).map_err(broken)?;
    out.flush().map_err(broken)?;
    let mut line = String::new();
    while input.read_line(&mut line).map_err(broken)? > 0 {
        let request = Request::parse(&line)?;
        if request.bytes > MAX_BYTES {
            return Err(format!("{} bytes are more than a picture may have", request.bytes));
        }
        let mut pixels = vec![0; request.bytes];
        input.read_exact(&mut pixels).map_err(broken)?;
        let reply = match detect(&*detector, &request, pixels) {
            Ok(faces) => faces_answer(&faces),
            Err(problem) => error_answer(&problem),
        };
        writeln!(out, "{reply}").map_err(broken)?;
        out.flush().map_err(broken)?;
        line.clear();
    }
    Ok(())
}

/// Detects the faces of a picture, in its pixels.
fn detect(
    detector: &dyn FaceDetector,
    request: &Request,
    pixels: Vec<u8>,
) -> Result<Vec<Face>, String> {
    // `from_raw` accepts more bytes than necessary.
    if pixels.len() as u64 != u64::from(request.width) * u64::from(request.height) * 3 {
        return Err("the number of bytes does not match the size of the picture".into());
    }
    let picture = RgbImage::from_raw(request.width, request.height, pixels)
        .filter(|picture| picture.width() > 0 && picture.height() > 0)
        .ok_or("the picture is empty")?;
    let on_grid = |side: u32| ((side + GRID / 2) / GRID).max(1) * GRID;
    let (width, height) = (on_grid(picture.width()), on_grid(picture.height()));
    let fitted = imageops::resize(&picture, width, height, FilterType::Triangle);
    let shape = (height as usize, width as usize, 3);
    let view = ArrayView3::from_shape(shape, fitted.as_raw()).map_err(|e| e.to_string())?;
    let faces = guarded(|| detector.detect(view.into_dyn()))?.map_err(|error| error.to_string())?;
    let across = picture.width() as f32 / width as f32;
    let down = picture.height() as f32 / height as f32;
    Ok(faces
        .into_iter()
        .map(|face| Face {
            rect: face.rect.scale(across, down),
            landmarks: face
                .landmarks
                .map(|points| points.iter().map(|p| (p.0 * across, p.1 * down)).collect()),
            confidence: face.confidence,
        })
        .collect())
}

/// The result of `work`, or the message of its panic.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|cause| {
        let text = cause
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| cause.downcast_ref::<&str>().copied());
        format!("rust-faces panicked: {}", text.unwrap_or("no message"))
    })
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let mut arguments = Arguments {
        model: Model::BlazeFace640,
        folder: home.join(".rust_faces"),
        threshold: 0.3,
    };
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--model" => arguments.model = Model::parse(&value()?)?,
            "--models" => arguments.folder = value()?.into(),
            "--threshold" => {
                let text = value()?;
                let number = text.parse().ok().filter(|t| (0.0..=1.0).contains(t));
                arguments.threshold = number.ok_or(format!("{text} is not a score from 0 to 1"))?;
            }
            _ => {
                return Err(format!(
                    "there is no option {name}; use --model NAME, --models FOLDER or --threshold SCORE"
                ))
            }
        }
    }
    Ok(arguments)
}
