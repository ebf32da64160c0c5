//! `fer-index corrections`: writes people's corrections as JSON lines, and reads them.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::{Args, Subcommand, ValueHint};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::Outcome;
use super::context::Context;
use super::correct::print_carried;
use super::index::count;
use super::json::JsonPath;
use super::learn;
use super::path_list::is_list;
use super::stdout::Stdout;
use crate::error::{Error, Result};
use crate::face::{BoundingBox, Correction};
use crate::likeness::FacePicture;
use crate::output;
use crate::photo::{ContentHash, Picture, PictureHash};
use crate::pipeline::carry_imported;
use crate::raster::Orientation;
use crate::store::{CorrectionRecord, Store, UndoneFace};

#[derive(Debug, Args)]
pub(super) struct CorrectionsArgs {
    #[command(subcommand)]
    command: CorrectionsCommand,
}

#[derive(Debug, Subcommand)]
enum CorrectionsCommand {
    /// Write all corrections as JSON, one a line
    Export {
        /// The file to write; it must not exist [default: standard output]
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Read corrections that `export` has written; of two of the same face the later one is kept
    Import {
        /// The file to read; - for standard input
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

pub(super) fn run(args: &CorrectionsArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let database = &context.config().database;
    match &args.command {
        CorrectionsCommand::Export { file } => {
            let (records, undone) = Store::open_existing(database)?.corrections()?;
            let mut text = String::new();
            let lines = records.iter().map(Line::of_correction);
            for line in lines.chain(undone.iter().map(Line::of_undone)) {
                let json = serde_json::to_string(&line).unwrap_or_default();
                text.push_str(&json);
                text.push('\n');
            }
            match file.as_deref().filter(|file| !is_list(file)) {
                None => out.with(|stdout| stdout.write_all(text.as_bytes()))?,
                Some(file) => {
                    output::write_private(file, |draft| write(draft, &text))?;
                    let number = count(records.len() as u64, "correction");
                    out.line(format_args!("{number} written to {}", file.display()))?;
                }
            }
            let is_empty = records.is_empty() && undone.is_empty();
            Ok(if is_empty {
                Outcome::Nothing
            } else {
                Outcome::Found
            })
        }
        CorrectionsCommand::Import { file } => {
            let (records, undone) = parse(file, &read(file)?)?;
            let mut store = Store::open(database)?;
            let imported = store.import_corrections(&records, &undone)?;
            let mut line = format!(
                "{} added, {} known, {} older than what the index has",
                count(imported.added, "correction"),
                imported.known,
                imported.outdated
            );
            for (number, what) in [
                (
                    imported.absent,
                    "of those added wait until their photos are in the index",
                ),
                (imported.undone, "undone"),
                (
                    imported.forgotten,
                    "left out because their photos were forgotten",
                ),
            ] {
                if number > 0 {
                    let _ = write!(line, ", {number} {what}");
                }
            }
            out.line(format_args!("{line}"))?;
            let carried = carry_imported(&mut store, &records, &context.decoder()?)?;
            print_carried(carried, out)?;
            learn::follow(&mut store, context)?;
            Ok(Outcome::Found)
        }
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}

fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    let read = if is_list(file) {
        std::io::stdin().lock().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    read.map(|()| text).map_err(|source| Error::Io {
        path: file.to_owned(),
        source,
    })
}

/// A line of the file, as documented in `docs/json.md`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Line {
    /// Of corrections: an emotion or `not a face`; of faces whose correction was removed: `undone`.
    says: String,
    #[serde(rename = "box")]
    at: [f32; 4],
    content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orientation: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    made_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    camera: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carried_from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    face_picture: Option<String>,
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    paths: Vec<JsonPath>,
}

const UNDONE: &str = "undone";

fn numbers(at: &BoundingBox) -> [f32; 4] {
    [at.x, at.y, at.width, at.height]
}

impl Line {
    fn of_correction(record: &CorrectionRecord) -> Self {
        Self {
            says: record.correction.name().to_owned(),
            at: numbers(&record.at),
            content: record.content.to_string(),
            picture: record.picture.map(|picture| hex(picture.hash.as_bytes())),
            orientation: record.picture.map(|picture| picture.orientation.exif()),
            made_at: Some(record.made_at.to_string()),
            taken_at: record.taken.map(|taken| taken.to_string()),
            camera: record.camera.clone(),
            number: Some(record.number),
            carried_from: record.carried_from,
            face_picture: record
                .face_picture
                .as_ref()
                .map(|bytes| BASE64.encode(bytes)),
            paths: record.paths.iter().map(|path| JsonPath::of(path)).collect(),
        }
    }

    fn of_undone(face: &UndoneFace) -> Self {
        Self {
            says: UNDONE.to_owned(),
            at: numbers(&face.at),
            content: face.content.to_string(),
            picture: face.picture.map(|picture| hex(picture.hash.as_bytes())),
            orientation: face.picture.map(|picture| picture.orientation.exif()),
            made_at: face.undone_at.map(|undone_at| undone_at.to_string()),
            ..Self::default()
        }
    }

    fn bounding_box(&self) -> std::result::Result<BoundingBox, String> {
        let [x, y, width, height] = self.at;
        let is_box = self.at.iter().all(|number| number.is_finite()) && width > 0.0 && height > 0.0;
        is_box
            .then_some(BoundingBox {
                x,
                y,
                width,
                height,
            })
            .ok_or_else(|| "\"box\" is no box of x, y, width and height".to_owned())
    }

    fn picture(&self) -> std::result::Result<Option<Picture>, String> {
        let picture = self.picture.as_ref().map(|text| {
            Ok(Picture {
                hash: PictureHash::from_bytes(digest(text)?),
                orientation: Orientation::from_exif(self.orientation.unwrap_or(1).into()),
            })
        });
        picture.transpose()
    }

    fn correction(&self, number: i64) -> std::result::Result<CorrectionRecord, String> {
        let not_a_face = Correction::NotAFace.name();
        let correction = match self.says.as_str() {
            says if says == not_a_face => Correction::NotAFace,
            says => Correction::Emotion(says.parse().map_err(|_| {
                format!("\"says\" is \"{says}\", which is no emotion and not \"{not_a_face}\"")
            })?),
        };
        let face_picture = self.face_picture.as_ref().map(|text| {
            let bytes = BASE64.decode(text).ok();
            bytes
                .filter(|bytes| FacePicture::from_bytes(bytes).is_some())
                .ok_or_else(|| "\"face_picture\" is damaged".to_owned())
        });
        Ok(CorrectionRecord {
            number: self.number.unwrap_or(number),
            carried_from: self.carried_from,
            content: ContentHash::from_bytes(digest(&self.content)?),
            picture: self.picture()?,
            at: self.bounding_box()?,
            correction,
            made_at: moment(self.made_at.as_deref(), "made_at")?
                .ok_or_else(|| "\"made_at\" is missing".to_owned())?,
            taken: moment::<DateTime>(self.taken_at.as_deref(), "taken_at")?,
            camera: self.camera.clone(),
            face_picture: face_picture.transpose()?,
            paths: Vec::new(),
        })
    }

    fn undone(&self) -> std::result::Result<UndoneFace, String> {
        Ok(UndoneFace {
            content: ContentHash::from_bytes(digest(&self.content)?),
            picture: self.picture()?,
            at: self.bounding_box()?,
            undone_at: moment(self.made_at.as_deref(), "made_at")?,
        })
    }
}

fn moment<T: std::str::FromStr>(
    text: Option<&str>,
    name: &str,
) -> std::result::Result<Option<T>, String> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| format!("\"{name}\" is \"{text}\", which is no time"))
    };
    text.map(parse).transpose()
}

/// A digest from 64 hexadecimal digits.
fn digest(text: &str) -> std::result::Result<[u8; 32], String> {
    let parsed = blake3::Hash::from_hex(text);
    parsed
        .map(|hash| *hash.as_bytes())
        .map_err(|_| format!("\"{text}\" is no hash of 64 hexadecimal digits"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Parses all lines before anything is stored.
fn parse(file: &Path, text: &str) -> Result<(Vec<CorrectionRecord>, Vec<UndoneFace>)> {
    let (mut records, mut undone) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        // Editors of Windows begin a file with a byte order mark; after `cat`, one may be in the middle.
        let line = line.trim_start_matches('\u{feff}');
        if line.trim().is_empty() {
            continue;
        }
        // A line without a number gets one that no other line has.
        let number = -1 - index as i64;
        let read = serde_json::from_str::<Line>(line)
            .map_err(|error| format!("it is no correction ({error})"))
            .and_then(|line| {
                if line.says == UNDONE {
                    undone.push(line.undone()?);
                } else {
                    records.push(line.correction(number)?);
                }
                Ok(())
            });
        read.map_err(|why| {
            Error::Usage(format!(
                "line {} of {} cannot be read: {why}; nothing was imported",
                index + 1,
                file.display()
            ))
        })?;
    }
    Ok((records, undone))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::emotion::Emotion;

    #[test]
    fn every_correction_is_read_as_it_was_written() {
        let record = CorrectionRecord {
            number: 7,
            carried_from: Some(3),
            content: ContentHash::of(b"a"),
            picture: Some(Picture {
                hash: PictureHash::from_bytes([0xab; 32]),
                orientation: Orientation::from_exif(6),
            }),
            at: BoundingBox {
                x: -1.25,
                y: 0.1,
                width: 33.3,
                height: 1e3,
            },
            correction: Correction::Emotion(Emotion::Contempt),
            made_at: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
            taken: Some("2019-07-14T12:30:00.25".parse().unwrap()),
            camera: Some("Café \"X\"".into()),
            face_picture: None,
            paths: Vec::new(),
        };
        let bare = CorrectionRecord {
            number: 8,
            carried_from: None,
            picture: None,
            correction: Correction::NotAFace,
            taken: None,
            camera: None,
            ..record.clone()
        };
        let undone = UndoneFace {
            picture: record.picture,
            undone_at: Some(record.made_at),
            content: record.content,
            at: record.at,
        };
        let lines = [
            Line::of_correction(&record),
            Line::of_correction(&bare),
            Line::of_undone(&undone),
        ];
        let text: String = lines
            .iter()
            .map(|line| serde_json::to_string(line).unwrap() + "\n")
            .collect();
        let read = parse(Path::new("a"), &text).unwrap();
        assert_eq!(read, (vec![record, bare], vec![undone]));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let good =
            r#"{"says":"sad","box":[1,2,3,4],"content":"HASH","made_at":"2024-01-01T00:00:00Z"}"#
                .replace("HASH", &"0a".repeat(32));
        parse(Path::new("a"), &good).unwrap();
        for (from, to, why) in [
            ("sad", "sorry", "no emotion"),
            ("[1,2,3,4]", "[1,2,0,4]", "no box"),
            ("[1,2,3,4]", "[1,2]", "no correction"),
            ("0a0a", "0a", "64 hexadecimal"),
            ("2024-01-01T", "yesterday", "no time"),
            ("\"made_at\"", "\"made\"", "missing"),
            ("{", "", "no correction"),
        ] {
            let text = format!("{good}\n{}", good.replacen(from, to, 1));
            let sentence = parse(Path::new("a"), &text).unwrap_err().to_string();
            assert!(
                sentence.starts_with("line 2 of a") && sentence.contains(why),
                "{sentence}"
            );
        }
    }
}
