//! `fer-index classify`: finds and classifies the faces in files, without the index.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};

use super::Outcome;
use super::context::Context;
use super::json::JsonClassified;
use super::path_list::ListArgs;
use super::stderr;
use super::stdout::Stdout;
use crate::emotion::EmotionScores;
use crate::error::{Result, Skip};
use crate::face::ScoredFace;
use crate::file::read_bytes;
use crate::store::PhotoAnalysis;

#[derive(Debug, Args)]
pub(super) struct ClassifyArgs {
    /// The image files; - for a list on standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    list: ListArgs,
    /// Treat each picture as a single, already cropped face, and do not search it for faces
    #[arg(long)]
    framed: bool,
    /// The output format
    #[arg(long, short, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Readable text: faces and percentages
    Text,
    /// One JSON array
    Json,
    /// One JSON object per line
    Jsonl,
}

type Analyse = dyn Fn(&[u8]) -> Result<PhotoAnalysis<ScoredFace>, Skip>;

type Answer = Result<Vec<ScoredFace>, Skip>;

pub(super) fn run(args: &ClassifyArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let format = if args.json { Format::Json } else { args.format };
    let files = args.list.expand(&args.files)?;
    let analyse: Box<Analyse> = if args.framed {
        let analyser = context.local_analyser(context.config().detector.threshold)?;
        Box::new(move |bytes| analyser.analyse_cropped_face(bytes))
    } else {
        let analyser = context.analyser()?;
        Box::new(move |bytes| analyser.photo(bytes))
    };
    let max_bytes = context.limits().max_bytes;
    let (mut found, mut failed) = (false, false);
    let mut answers = files.iter().map(|path| {
        let analysis = read_bytes(path, max_bytes).and_then(|bytes| analyse(&bytes));
        let answer = analysis.map(|analysis| analysis.faces);
        match &answer {
            Ok(faces) => found |= faces.iter().any(|face| face.scores.is_human()),
            Err(skip) => {
                failed = true;
                if format == Format::Text {
                    stderr::print(format_args!("fer-index: {}: {skip}", path.display()));
                }
            }
        }
        (path, answer)
    });
    match format {
        Format::Text => answers.try_for_each(|(path, answer)| {
            print(path, &answer, out)?;
            out.flush()
        })?,
        Format::Json => out.json_array(answers.map(|(path, answer)| json(path, &answer)))?,
        Format::Jsonl => answers.try_for_each(|(path, answer)| {
            out.json(&json(path, &answer))?;
            out.flush()
        })?,
    }
    Ok(match (failed, found) {
        (true, _) => Outcome::PartialFailure,
        (false, true) => Outcome::Found,
        (false, false) => Outcome::Nothing,
    })
}

fn json(path: &Path, answer: &Answer) -> JsonClassified {
    match answer {
        Ok(faces) => JsonClassified::faces(path, faces),
        Err(skip) => JsonClassified::error(path, skip),
    }
}

fn print(path: &Path, answer: &Answer, out: &mut Stdout) -> Result<()> {
    let Ok(faces) = answer else { return Ok(()) };
    out.line(path.display())?;
    if faces.is_empty() {
        return out.line("  No face");
    }
    for (index, face) in faces.iter().enumerate() {
        out.line(format_args!(
            "  Face {} at {}{}: {}",
            index + 1,
            face.face.bounding_box,
            if face.scores.is_human() {
                ""
            } else {
                NOT_HUMAN
            },
            percentages(&face.scores),
        ))?;
    }
    Ok(())
}

/// Printed after the position of a face that does not count, because its human score is too low.
pub(super) const NOT_HUMAN: &str = ", no human face";

/// Every emotion with its percentage, the most probable first.
pub(super) fn percentages(scores: &EmotionScores) -> String {
    let mut sorted: Vec<_> = scores.iter().collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let each = |(emotion, p): &(_, f32)| format!("{emotion} {:.1} %", 100.0 * p);
    sorted.iter().map(each).collect::<Vec<_>>().join(", ")
}
