//! `fer-index show`: prints everything that the index holds on a photo.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::Outcome;
use super::classify::percentages;
use super::context::Context;
use super::json::{JsonClassified, JsonFace, JsonFound, JsonPath, date};
use super::resolve;
use super::stdout::Stdout;
use crate::error::{Error, Result};
use crate::photo::DateSource;
use crate::store::{CarriedFrom, FaceId, Photo, PhotoAnalysis, Store, StoredFace};

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The file of the photo
    #[arg(value_name = "PHOTO")]
    path: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let store = Store::open_existing(&context.config().database)?;
    let path = resolve(args.path.clone())?;
    let Some(outcome) = store.file(&path)? else {
        return Err(Error::Usage(format!(
            "{} is not in the index; run fer-index index {}",
            path.display(),
            path.parent().unwrap_or(Path::new(".")).display(),
        )));
    };
    let photo = match outcome {
        Ok(id) => store.photo(id)?,
        Err(skip) => {
            if args.json {
                out.json(&JsonClassified::error(&path, &skip))?;
            } else {
                out.line(format_args!("{}\nskipped: {skip}", path.display()))?;
            }
            return Ok(Outcome::Found);
        }
    };
    let photo = photo.ok_or_else(|| {
        Error::Usage("the photo was just removed from the index; run the command again".to_owned())
    })?;
    let carried: Carried = store.carried(photo.id)?.into_iter().collect();
    if args.json {
        out.json(&as_json(&photo, &carried))?;
    } else {
        tell(&photo, &carried, out)?;
    }
    Ok(Outcome::Found)
}

/// The faces whose corrections were carried over from another photo.
type Carried = HashMap<FaceId, CarriedFrom>;

fn tell(photo: &Photo, carried: &Carried, out: &mut Stdout) -> Result<()> {
    for path in &photo.paths {
        out.line(path.display())?;
    }
    out.line(format_args!(
        "  content       {} ({} bytes)",
        photo.hash, photo.bytes
    ))?;
    out.line(format_args!("  indexed       {}", photo.indexed_at))?;
    match &photo.content {
        Ok(scan) => tell_scan(scan, carried, out),
        Err(skip) => out.line(format_args!("  skipped       {skip}")),
    }
}

fn tell_scan(scan: &PhotoAnalysis<StoredFace>, carried: &Carried, out: &mut Stdout) -> Result<()> {
    out.line(format_args!(
        "  picture       {}, {}×{} px",
        scan.format, scan.width, scan.height
    ))?;
    let capture = &scan.capture;
    if let Some(taken_at) = &capture.taken_at {
        let remark = match taken_at.source {
            DateSource::Exif => "",
            DateSource::FileTime => " (modification time of the file; the photo has no date)",
        };
        out.line(format_args!("  taken         {}{remark}", date(taken_at)))?;
    }
    if let Some(position) = capture.position {
        let (latitude, longitude) = (position.latitude, position.longitude);
        out.line(format_args!(
            "  position      {latitude:.5}, {longitude:.5}"
        ))?;
    }
    let keywords = (!capture.keywords.is_empty()).then(|| capture.keywords.join(", "));
    for (label, value) in [
        ("camera", &capture.camera),
        ("lens", &capture.lens),
        ("description", &capture.description),
        ("keywords", &keywords),
    ] {
        if let Some(value) = value {
            out.line(format_args!("  {label:<13} {value}"))?;
        }
    }
    let models = &scan.models;
    out.line(format_args!(
        "  models        {}, {}",
        models.detector, models.classifier
    ))?;
    if scan.faces.is_empty() && scan.unread.is_empty() {
        out.line("  No face")?;
    }
    for face in &scan.faces {
        let mut correction = face.correction.map_or_else(String::new, |correction| {
            format!("; corrected to: {}", correction.name())
        });
        if let Some(CarriedFrom { path, .. }) = carried.get(&face.id) {
            let from = path.as_ref().map_or_else(
                || "another file of the same picture that is gone".to_owned(),
                |path| path.display().to_string(),
            );
            correction.push_str(&format!(" (carried over from {from})"));
        }
        out.line(format_args!(
            "  face {:<8} at {}, detection score {:.2}{correction}\n                {}",
            face.id,
            face.face.bounding_box,
            face.face.score,
            percentages(&face.scores),
        ))?;
    }
    for face in &scan.unread {
        out.line(format_args!(
            "  face          at {}, detection score {:.2}: too small to classify",
            face.bounding_box, face.score,
        ))?;
    }
    Ok(())
}

fn as_json(photo: &Photo, carried: &Carried) -> serde_json::Value {
    let mut value = json!({
        "paths": photo.paths.iter().map(|path| JsonPath::of(path)).collect::<Vec<_>>(),
        "content": photo.hash.to_string(),
        "bytes": photo.bytes,
        "indexed_at": photo.indexed_at.to_string(),
    });
    let more = match &photo.content {
        Err(skip) => json!({"error": skip.to_string()}),
        Ok(scan) => {
            let capture = &scan.capture;
            json!({
                "format": scan.format,
                "width": scan.width,
                "height": scan.height,
                "taken_at": capture.taken_at.as_ref().map(date),
                "taken_at_source": capture.taken_at.map(|taken_at| match taken_at.source {
                    DateSource::Exif => "exif",
                    DateSource::FileTime => "file",
                }),
                "latitude": capture.position.map(|position| position.latitude),
                "longitude": capture.position.map(|position| position.longitude),
                "camera": capture.camera,
                "lens": capture.lens,
                "description": capture.description,
                "keywords": capture.keywords,
                "detector": scan.models.detector,
                "classifier": scan.models.classifier,
                "faces": scan.faces.iter()
                    .map(|face| JsonFace::carried(face, carried.get(&face.id)))
                    .collect::<Vec<_>>(),
                "unread": scan.unread.iter().map(JsonFound::of).collect::<Vec<_>>(),
            })
        }
    };
    if let (Some(value), serde_json::Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}
