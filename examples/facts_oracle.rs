//! Compares the facts that fer-index and exiftool read from the metadata of photos, and prints every difference and a
//! summary:
//!
//! ```sh
//! cargo run --release --example facts_oracle -- FOLDER… > differences.txt
//! ```
//!
//! exiftool must be installed. Each value that it finds in a field which fer-index reads is one comparison: dates with
//! their offsets, positions, orientation, keywords, titles, descriptions, ratings and the names and regions of people.
//! Files that fer-index does not read are left out. Intended differences are counted by their reason; `docs/formats.md`
//! explains the others.
#![allow(clippy::print_stdout, reason = "the result is printed")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

use fer_index::facts::{Block, Moment, Stated, Statements, xmp_date};
use fer_index::imaging::{Format, Limits, facts};
use fer_index::photo::DateSource;
use serde_json::Value;

/// Number of files that exiftool reads at once.
const CHUNK: usize = 200;

/// The fields of exiftool, by the group and the name that it prints, and the fact with which each is compared.
const FIELDS: &[(&str, Kind)] = &[
    ("ExifIFD:DateTimeOriginal", Kind::Date(DateSource::Exif)),
    ("ExifIFD:CreateDate", Kind::Date(DateSource::ExifDigitized)),
    ("IFD0:ModifyDate", Kind::Date(DateSource::ExifChanged)),
    ("XMP-photoshop:DateCreated", Kind::Date(DateSource::Xmp)),
    ("XMP-exif:DateTimeOriginal", Kind::Date(DateSource::Xmp)),
    ("XMP-xmp:CreateDate", Kind::Date(DateSource::XmpDigitized)),
    (
        "XMP-exif:DateTimeDigitized",
        Kind::Date(DateSource::XmpDigitized),
    ),
    ("IPTC:DateCreated", Kind::Date(DateSource::Iptc)),
    ("ExifIFD:OffsetTimeOriginal", Kind::Offset),
    ("GPS:GPSLatitude", Kind::Position(Block::Exif)),
    ("XMP-exif:GPSLatitude", Kind::Position(Block::Xmp)),
    ("IFD0:Orientation", Kind::Orientation),
    ("IPTC:Keywords", Kind::Keywords),
    ("XMP-dc:Subject", Kind::Keywords),
    ("XMP-lr:HierarchicalSubject", Kind::Keywords),
    ("IFD0:XPKeywords", Kind::Semicolons),
    ("XMP-dc:Title", Kind::Title(Block::Xmp)),
    ("IPTC:ObjectName", Kind::Title(Block::Iptc)),
    ("IFD0:XPTitle", Kind::Title(Block::Windows)),
    ("IFD0:ImageDescription", Kind::Description(Block::Exif)),
    ("ExifIFD:UserComment", Kind::Description(Block::Comment)),
    ("XMP-dc:Description", Kind::Description(Block::Xmp)),
    ("IPTC:Caption-Abstract", Kind::Description(Block::Iptc)),
    ("IFD0:XPComment", Kind::Description(Block::Windows)),
    ("XMP-xmp:Rating", Kind::Rating(Block::Xmp)),
    ("IFD0:Rating", Kind::Rating(Block::Windows)),
    ("XMP-mwg-rs:RegionInfo", Kind::Regions),
];

/// The kind of fact with which a field is compared.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Date(DateSource),
    Offset,
    Position(Block),
    Orientation,
    Keywords,
    Semicolons,
    Title(Block),
    Description(Block),
    Rating(Block),
    Regions,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in std::env::args().skip(1) {
        let found = walkdir::WalkDir::new(folder).into_iter().flatten();
        files.extend(
            found
                .filter(|entry| entry.file_type().is_file())
                .map(walkdir::DirEntry::into_path),
        );
    }
    files.sort();
    let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut meant: BTreeMap<&str, u32> = BTreeMap::new();
    let mut photos = 0;
    for files in files.chunks(CHUNK) {
        let read = exiftool(files)?;
        for (path, tags) in files.iter().zip(&read) {
            let bytes = std::fs::read(path)?;
            let Ok(found) = facts(&bytes, &Limits::default()) else {
                continue;
            };
            photos += 1;
            for (field, kind) in FIELDS {
                let orientation = found.picture.orientation.exif();
                let Some((agrees, theirs)) =
                    compare(*kind, field, tags, &found.statements, orientation)
                else {
                    continue;
                };
                let count = counts.entry(field).or_default();
                count.0 += 1;
                if !agrees {
                    count.1 += 1;
                    let reason = reason(*kind, &theirs, found.format);
                    *meant.entry(reason.unwrap_or(UNEXPLAINED)).or_default() += 1;
                    let reason = reason.unwrap_or_default();
                    println!("{}\t{field}\t{theirs}\t{reason}", path.display());
                }
            }
        }
    }
    println!("\n{photos} photos");
    let (mut all, mut differing) = (0, 0);
    for (field, (values, differences)) in counts {
        println!("{field:<32} {values:>6} values, {differences} differ");
        all += values;
        differing += differences;
    }
    let share = 100.0 * f64::from(all - differing) / f64::from(all.max(1));
    println!("{share:.2} % of {all} values agree; {differing} differ");
    for (reason, differences) in &meant {
        println!("{differences:>6} {reason}");
    }
    let unexplained = meant.get(UNEXPLAINED).copied().unwrap_or_default();
    let share = 100.0 * f64::from(all - unexplained) / f64::from(all.max(1));
    println!("{share:.2} % of the values agree or differ on purpose");
    Ok(())
}

/// The text that is printed for a difference without a known reason.
const UNEXPLAINED: &str = "differ without a reason that is known here";

/// The reason why a difference is intended; `None` if it is not.
fn reason(kind: Kind, theirs: &str, format: Format) -> Option<&'static str> {
    match kind {
        Kind::Description(block) => {
            let mut statements = Statements::default();
            statements.add_description(theirs, block);
            let is_left_out = statements.descriptions.is_empty();
            is_left_out.then_some("descriptions that cameras and systems write into every photo")
        }
        Kind::Orientation => matches!(format, Format::Heic | Format::Avif | Format::Jxl)
            .then_some("orientations that the container repeats, and that is what counts"),
        Kind::Date(_) => {
            let is_date = xmp_date(theirs).is_some();
            (!is_date).then_some("texts in place of dates that are none")
        }
        _ => None,
    }
}

/// The results of exiftool for each of these files.
fn exiftool(files: &[PathBuf]) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut command = Command::new("exiftool");
    // Numbers instead of words, structures, the first of several blocks, and no limit on file types.
    command.args([
        "-json",
        "-G1",
        "-n",
        "-struct",
        "-m",
        "-q",
        "-a",
        "-charset",
        "iptc=Latin",
    ]);
    for (field, _) in FIELDS {
        command.arg(format!("-{field}"));
    }
    command.args([
        "-GPS:all",
        "-XMP-exif:GPSLongitude",
        "-IPTC:TimeCreated",
        "-all:FileName",
    ]);
    let output = command.arg("--").args(files).output()?;
    let list: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    let by_path: BTreeMap<String, Value> = list
        .into_iter()
        .map(|tags| {
            (
                tags["SourceFile"].as_str().unwrap_or_default().to_owned(),
                tags,
            )
        })
        .collect();
    let of = |path: &PathBuf| by_path.get(&*path.to_string_lossy()).cloned();
    Ok(files
        .iter()
        .map(|path| of(path).unwrap_or_default())
        .collect())
}

/// Whether fer-index agrees with a field that exiftool has found, and its value; `None` if there is none.
fn compare(
    kind: Kind,
    field: &str,
    tags: &Value,
    statements: &Statements,
    orientation: u8,
) -> Option<(bool, String)> {
    let value = tags.get(field)?;
    let theirs = text(value);
    if theirs.trim().is_empty() {
        return None;
    }
    let agrees = match kind {
        Kind::Date(source) => {
            let time = tags
                .get("IPTC:TimeCreated")
                .filter(|_| field.starts_with("IPTC"));
            let wanted = format!("{theirs} {}", time.map(text).unwrap_or_default());
            let wanted = date_digits(&wanted)?;
            let mut dates = statements.dates.iter().filter(|date| date.by == source);
            dates.any(|date| match date.moment {
                Moment::Local { local, .. } => {
                    let ours = local.strftime("%Y%m%d%H%M%S").to_string();
                    ours.starts_with(&wanted)
                }
                Moment::Instant { .. } => false,
            })
        }
        Kind::Offset => {
            let wanted = theirs.trim().replace(':', "");
            (wanted.len() == 5).then_some(())?;
            statements.dates.iter().any(|date| match date.moment {
                Moment::Local {
                    offset: Some(offset),
                    ..
                } => {
                    let minutes = offset.seconds() / 60;
                    let sign = if minutes < 0 { '-' } else { '+' };
                    format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60) == wanted
                }
                _ => false,
            })
        }
        Kind::Position(block) => {
            let latitude = signed(tags, field, "Latitude")?;
            let longitude = signed(tags, &field.replace("Latitude", "Longitude"), "Longitude")?;
            if latitude == 0.0 && longitude == 0.0 {
                return None;
            }
            let mut positions = statements.positions.iter().filter(|at| at.by == block);
            positions.any(|at| {
                (at.value.latitude - latitude).abs() < 1e-5
                    && (at.value.longitude - longitude).abs() < 1e-5
            })
        }
        Kind::Orientation => {
            let wanted = value.as_u64().filter(|wanted| (1..=8).contains(wanted))?;
            u64::from(orientation) == wanted
        }
        Kind::Keywords | Kind::Semicolons => {
            let separator = matches!(kind, Kind::Semicolons).then_some(';');
            let all: Vec<String> = match value {
                Value::Array(items) => items.iter().map(text).collect(),
                single => vec![text(single)],
            };
            let split = all.iter().flat_map(|text| match separator {
                Some(separator) => text.split(separator).map(words).collect(),
                None => vec![words(text)],
            });
            let wanted: Vec<String> = split.filter(|keyword| !keyword.is_empty()).collect();
            let has = |keyword: &String| {
                statements
                    .keywords
                    .iter()
                    .any(|ours| ours.value == *keyword)
            };
            wanted.iter().all(has)
        }
        Kind::Title(block) => says(&statements.titles, block, &theirs),
        Kind::Description(block) => says(&statements.descriptions, block, &theirs),
        Kind::Rating(block) => {
            let wanted = value.as_f64().or_else(|| theirs.parse().ok())?;
            let mut ratings = statements
                .ratings
                .iter()
                .filter(|rating| rating.by == block);
            ratings.any(|rating| (f64::from(rating.value) - wanted).abs() < 0.5)
        }
        Kind::Regions => {
            let list = value.get("RegionList")?.as_array()?;
            let is_face = |region: &&Value| region["Type"].as_str().unwrap_or("Face") == "Face";
            let named = list
                .iter()
                .filter(is_face)
                .filter_map(|region| region["Name"].as_str());
            let named: Vec<String> = named.map(words).filter(|name| !name.is_empty()).collect();
            let has = |name: &String| statements.people.iter().any(|person| person.name == *name);
            named.iter().all(has)
        }
    };
    Some((agrees, theirs))
}

fn says(stated: &[Stated<String>], block: Block, wanted: &str) -> bool {
    let wanted = words(wanted);
    stated
        .iter()
        .any(|stated| stated.by == block && stated.value == wanted)
}

/// The digits of the known parts of a date, without a month and day of 00; `None` if the clock was never set.
fn date_digits(text: &str) -> Option<String> {
    let end = text.find(['+', 'Z']).unwrap_or(text.len());
    let text = text[..end].split('.').next().unwrap_or_default();
    // The sign of an offset follows the time.
    let text = text.rsplit_once('-').map_or(
        text,
        |(before, _)| {
            if before.len() > 16 { before } else { text }
        },
    );
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    let known = match (digits.get(4..6), digits.get(6..8)) {
        (Some("00"), _) => 4,
        (_, Some("00")) => 6,
        _ => digits.len(),
    };
    (digits.len() >= 8 && !digits.starts_with("0000")).then(|| digits[..known].to_owned())
}

/// An angle with the sign of its direction, which exiftool prints separately in the group of GPS.
fn signed(tags: &Value, field: &str, name: &str) -> Option<f64> {
    let degrees = tags.get(field)?.as_f64()?;
    let direction = tags
        .get(format!("GPS:GPS{name}Ref"))
        .filter(|_| field.starts_with("GPS"));
    let is_negative = direction.is_some_and(|direction| ["S", "W"].contains(&&*text(direction)));
    Some(if is_negative { -degrees } else { degrees })
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.first().map(text).unwrap_or_default(),
        Value::Object(fields) => {
            let first = fields.get("x-default").or(fields.values().next());
            first.map(text).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

/// A text with single spaces, as fer-index stores it.
fn words(text: &str) -> String {
    let is_space = |c: char| c.is_whitespace() || c.is_control();
    text.split(is_space)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
