//! `fer-index detect`: finds the faces in files without classifying them, and draws them with `--draw`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use image::RgbImage;

use super::Outcome;
use super::classify::Format;
use super::context::Context;
use super::draw::{draw, fitting};
use super::drawings::{self, plan};
use super::force::ForceArgs;
use super::json::JsonDetected;
use super::path_list::ListArgs;
use super::stderr;
use super::stdout::Stdout;
use crate::error::{Result, Skip};
use crate::face::DetectedFace;
use crate::file::read_bytes;
use crate::pipeline::LocalAnalyser;
use crate::query::parse_probability;
use crate::raster::Raster;

#[derive(Debug, Args)]
pub(super) struct DetectArgs {
    /// The image files; - for a list on standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    list: ListArgs,
    /// Draw boxes, landmarks and scores into a copy of each picture: OUT is the copy's file (.png or .jpg),
    /// or a folder if there are several pictures; pictures that fer-index did not draw are never replaced
    #[arg(long, value_name = "OUT")]
    draw: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArgs,
    /// Lowest detection score: 0.7 or 70% [default: the setting detector.threshold, initially 0.6]
    #[arg(long, value_name = "SCORE", value_parser = parse_probability)]
    threshold: Option<f32>,
    /// The output format
    #[arg(long, short, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

type Answer = Result<(Raster, Vec<DetectedFace>), Skip>;

pub(super) fn run(args: &DetectArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let format = if args.json { Format::Json } else { args.format };
    let files = args.list.expand(&args.files)?;
    let threshold = context.config().detector.threshold;
    let analyser = context.local_analyser(args.threshold.unwrap_or(threshold))?;
    let target = args.draw.as_deref();
    let drawings = target.map_or_else(|| Ok(Vec::new()), |target| plan(target, &files))?;
    let rule = args.force.rule(context, files.iter().cloned());
    rule.around(&drawings, || {
        process_all(&files, &analyser, &drawings, format, out)
    })
}

/// Processes the pictures in order. `drawings` has the path of the drawing of each picture; it is empty without
/// `--draw`.
fn process_all(
    files: &[PathBuf],
    analyser: &LocalAnalyser,
    drawings: &[PathBuf],
    format: Format,
    out: &mut Stdout,
) -> Result<Outcome> {
    let (mut found, mut failed) = (false, false);
    let mut array = Vec::new();
    for (index, path) in files.iter().enumerate() {
        let answer = look(analyser, path);
        match &answer {
            Ok((photo, faces)) => {
                found |= !faces.is_empty();
                if let Some(drawing) = drawings.get(index) {
                    save(photo, faces, drawing)?;
                }
            }
            Err(skip) => {
                failed = true;
                if format == Format::Text {
                    stderr::print(format_args!("fer-index: {}: {skip}", path.display()));
                }
            }
        }
        match format {
            Format::Text => print(path, &answer, out)?,
            Format::Json => array.push(json(path, &answer)),
            Format::Jsonl => out.json(&json(path, &answer))?,
        }
        out.flush()?;
    }
    if format == Format::Json {
        out.json_array(array.into_iter())?;
    }
    Ok(match (failed, found) {
        (true, _) => Outcome::PartialFailure,
        (false, true) => Outcome::Found,
        (false, false) => Outcome::Nothing,
    })
}

fn look(analyser: &LocalAnalyser, path: &Path) -> Answer {
    let bytes = read_bytes(path, analyser.limits().max_bytes)?;
    analyser.detect(&bytes)
}

fn json(path: &Path, answer: &Answer) -> JsonDetected {
    match answer {
        Ok((photo, faces)) => JsonDetected::faces(path, (photo.width(), photo.height()), faces),
        Err(skip) => JsonDetected::error(path, skip),
    }
}

fn print(path: &Path, answer: &Answer, out: &mut Stdout) -> Result<()> {
    let Ok((photo, faces)) = answer else {
        return Ok(());
    };
    out.line(format_args!(
        "{}, {}×{} px",
        path.display(),
        photo.width(),
        photo.height()
    ))?;
    if faces.is_empty() {
        return out.line("  No face");
    }
    for (index, face) in faces.iter().enumerate() {
        let landmarks = face.landmarks.map_or_else(String::new, |landmarks| {
            let points = landmarks.points().map(|p| format!("{:.0},{:.0}", p.x, p.y));
            format!(", landmarks {}", points.join(" "))
        });
        out.line(format_args!(
            "  Face {} at {}, score {:.2}{landmarks}",
            index + 1,
            face.bounding_box,
            face.score,
        ))?;
    }
    Ok(())
}

fn save(photo: &Raster, faces: &[DetectedFace], path: &Path) -> Result<()> {
    let (width, height) = fitting(photo.width(), photo.height());
    let mut picture: RgbImage = photo.resized(width, height);
    draw(&mut picture, faces, width as f32 / photo.width() as f32);
    drawings::save(&picture, path)
}
