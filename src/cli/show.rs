//! `fer-index show`: prints everything that the index holds on a photo.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde_json::json;

use super::Outcome;
use super::classify::{NOT_HUMAN, percentages};
use super::context::Context;
use super::json::{JsonClassified, JsonFace, JsonFound, JsonPath, JsonPerson, date, date_source};
use super::path_list::{ListArgs, is_list};
use super::resolve;
use super::sources::{date_source_in_words, source_in_words};
use super::stderr;
use super::stdout::Stdout;
use crate::error::{Error, Result, Skip};
use crate::photo::Capture;
use crate::store::{CarriedFrom, FaceId, Learning, Photo, PhotoAnalysis, Store, StoredFace};

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The files of photos; - for a list on standard input
    #[arg(required = true, value_name = "PHOTO", value_hint = ValueHint::FilePath)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    list: ListArgs,
    /// Print as JSON: an object, or an array of objects for several files or a list
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let store = Store::open_existing(&context.config().database)?;
    let paths = args.list.expand(&args.paths)?;
    if let [path] = &args.paths[..]
        && !is_list(path)
    {
        let shown = Shown::of(path, &store, context)?;
        if args.json {
            out.json(&shown.as_json())?;
        } else {
            shown.print(out)?;
        }
        return Ok(Outcome::Found);
    }
    let mut outcome = Outcome::Nothing;
    let mut array = Vec::new();
    for path in &paths {
        match Shown::of(path, &store, context) {
            Ok(shown) if args.json => array.push(shown.as_json()),
            Ok(shown) => shown.print(out)?,
            Err(Error::Usage(sentence)) => {
                if args.json {
                    let mut missing = json!(JsonPath::of(path));
                    missing["error"] = json!(sentence);
                    array.push(missing);
                }
                stderr::print(format_args!("fer-index: {sentence}"));
                outcome = Outcome::PartialFailure;
                continue;
            }
            Err(error) => return Err(error),
        }
        if outcome == Outcome::Nothing {
            outcome = Outcome::Found;
        }
    }
    if args.json {
        out.json_array(array.iter())?;
    }
    Ok(outcome)
}

/// What the index holds on a file.
enum Shown {
    Photo(Box<Photo>, Related),
    /// A file that could not be read.
    Skipped(PathBuf, Skip),
}

impl Shown {
    fn of(path: &Path, store: &Store, context: &Context) -> Result<Self> {
        let found = store.find_path(path)?;
        let outcome = match &found {
            Some(path) => store.file(path)?,
            None => None,
        };
        let (Some(found), Some(outcome)) = (found, outcome) else {
            let path = resolve(path.to_owned())?;
            if store.has_files_below(&path)? {
                return Err(Error::Usage(format!(
                    "{0} is a folder, and show prints what the index holds on photos; fer-index query --under {0} \
                     lists those in it",
                    path.display()
                )));
            }
            return Err(Error::Usage(format!(
                "{} is not in the index; {}",
                path.display(),
                why_not(&path, store, context)?
            )));
        };
        let photo = match outcome {
            Ok(id) => store.photo(id)?,
            Err(skip) => return Ok(Self::Skipped(found, skip)),
        };
        let gone = "the photo was just removed from the index; run the command again";
        let photo = photo.ok_or_else(|| Error::Usage(gone.to_owned()))?;
        let scan = photo.content.as_ref().ok();
        let mut faces = scan.iter().flat_map(|scan| &scan.faces);
        let learning = if faces.any(|face| face.network.is_some()) {
            Some(store.learning()?)
        } else {
            None
        };
        let related = Related {
            learning,
            carried: store.carried(photo.id)?.into_iter().collect(),
            shot: store.files_of_shot(photo.id)?,
        };
        Ok(Self::Photo(Box::new(photo), related))
    }

    fn print(&self, out: &mut Stdout) -> Result<()> {
        match self {
            Self::Photo(photo, related) => print(photo, related, out),
            Self::Skipped(path, skip) => {
                out.line(format_args!("{}\nskipped: {skip}", path.display()))
            }
        }
    }

    fn as_json(&self) -> serde_json::Value {
        match self {
            Self::Photo(photo, related) => as_json(photo, related),
            Self::Skipped(path, skip) => json!(JsonClassified::error(path, skip)),
        }
    }
}

/// The reason why a file is not in the index, and what to do about it.
fn why_not(path: &Path, store: &Store, context: &Context) -> Result<String> {
    let filter = context.filter()?;
    let folders = || path.ancestors().skip(1);
    if store.is_forgotten(path)? {
        return Ok("it was forgotten; fer-index forget --undo allows it again".to_owned());
    }
    if let Some(folder) = folders().find(|folder| filter.is_marked(folder)) {
        return Ok(format!(
            "{} is marked as no album, by a file such as .nomedia or as a cache of another program; remove the \
             mark, or see album.respect_markers in the settings",
            folder.display()
        ));
    }
    let roots = store.roots()?;
    let root = roots.iter().find(|root| path.starts_with(&root.path));
    if let Some(root) = root
        && let Some(left_out) = path
            .ancestors()
            .take_while(|above| *above != root.path)
            .find(|above| !filter.admits(above))
    {
        return Ok(format!(
            "{} is left out by its name; see album.exclude and album.hidden in the settings",
            left_out.display()
        ));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    Ok(format!("run fer-index index {}", folder.display()))
}

/// The faces whose corrections were carried over from another photo.
type Carried = HashMap<FaceId, CarriedFrom>;

/// The relations of a photo to other files and to corrections of other faces.
struct Related {
    /// The personal layer, if it changed scores in this photo.
    learning: Option<Learning>,
    carried: Carried,
    /// See [`Store::files_of_shot`].
    shot: Vec<PathBuf>,
}

fn print(photo: &Photo, related: &Related, out: &mut Stdout) -> Result<()> {
    for path in &photo.paths {
        out.line(path.display())?;
    }
    for path in &related.shot {
        out.line(format_args!("  same shot     {}", path.display()))?;
    }
    out.line(format_args!(
        "  content       {} ({} bytes)",
        photo.hash, photo.bytes
    ))?;
    out.line(format_args!("  indexed       {}", photo.indexed_at))?;
    match &photo.content {
        Ok(scan) => {
            print_scan(scan, &related.carried, out)?;
            match &related.learning {
                Some(learning) => out.line(format_args!("  learning      {learning}")),
                None => Ok(()),
            }
        }
        Err(skip) => out.line(format_args!("  skipped       {skip}")),
    }
}

fn print_scan(scan: &PhotoAnalysis<StoredFace>, carried: &Carried, out: &mut Stdout) -> Result<()> {
    out.line(format_args!(
        "  picture       {}, {}×{} px",
        scan.format, scan.width, scan.height
    ))?;
    if let Some(problem) = &scan.incomplete {
        out.line(format_args!("  incomplete    {problem}"))?;
    }
    print_facts(&scan.capture, out)?;
    for person in &scan.people {
        let face = match (person.face, person.at) {
            (Some(face), _) => format!("face {face}"),
            (None, Some(at)) => format!("at {at}, where no face was found"),
            (None, None) => "somewhere in it".to_owned(),
        };
        out.line(format_args!("  person        {}: {face}", person.name))?;
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
        let mut correction = match face.correction {
            Some(correction) => format!("; corrected to: {}", correction.name()),
            None if face.is_face() => String::new(),
            None => NOT_HUMAN.to_owned(),
        };
        if let Some(CarriedFrom { path, .. }) = carried.get(&face.id) {
            let from = path.as_ref().map_or_else(
                || "another file of the same picture that is gone".to_owned(),
                |path| path.display().to_string(),
            );
            correction = format!("{correction} (carried over from {from})");
        }
        out.line(format_args!(
            "  face {:<8} at {}, detection score {:.2}{correction}\n                {}",
            face.id,
            face.face.bounding_box,
            face.face.score,
            percentages(&face.scores),
        ))?;
        if let Some(network) = &face.network {
            out.line(format_args!(
                "                by the network alone: {}",
                percentages(network)
            ))?;
        }
    }
    for face in &scan.unread {
        out.line(format_args!(
            "  face          at {}, detection score {:.2}: too small to classify",
            face.bounding_box, face.score,
        ))?;
    }
    Ok(())
}

/// Prints the facts, each with its source.
fn print_facts(capture: &Capture, out: &mut Stdout) -> Result<()> {
    if let Some(taken_at) = &capture.taken_at {
        let source = date_source_in_words(taken_at.source);
        out.line(format_args!(
            "  taken         {} ({source})",
            date(taken_at)
        ))?;
    }
    let position = capture
        .position
        .map(|at| format!("{:.5}, {:.5}", at.latitude, at.longitude));
    let keywords = (!capture.keywords.is_empty()).then(|| capture.keywords.join(", "));
    let rating = capture.rating.map(|stars| stars.to_string());
    let sources = &capture.sources;
    for (label, value, sources) in [
        ("position", &position, sources.position.as_slice()),
        ("camera", &capture.camera, sources.camera.as_slice()),
        ("lens", &capture.lens, sources.lens.as_slice()),
        ("title", &capture.title, sources.title.as_slice()),
        (
            "description",
            &capture.description,
            sources.description.as_slice(),
        ),
        ("keywords", &keywords, &sources.keywords),
        ("rating", &rating, sources.rating.as_slice()),
    ] {
        if let Some(value) = value {
            let sources: Vec<&str> = sources.iter().copied().map(source_in_words).collect();
            let sources = sources.join(", ");
            out.line(format_args!("  {label:<13} {value} ({sources})"))?;
        }
    }
    Ok(())
}

fn as_json(photo: &Photo, related: &Related) -> serde_json::Value {
    let mut value = json!({
        "paths": photo.paths.iter().map(|path| JsonPath::of(path)).collect::<Vec<_>>(),
        "same_shot": related.shot.iter().map(|path| JsonPath::of(path)).collect::<Vec<_>>(),
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
                "incomplete": scan.incomplete,
                "taken_at": capture.taken_at.as_ref().map(date),
                "taken_at_source": capture.taken_at.as_ref().map(date_source),
                "taken_at_precision": capture.taken_at.map(|taken| taken.precision.name()),
                "latitude": capture.position.map(|position| position.latitude),
                "longitude": capture.position.map(|position| position.longitude),
                "camera": capture.camera,
                "lens": capture.lens,
                "title": capture.title,
                "description": capture.description,
                "keywords": capture.keywords,
                "rating": capture.rating,
                "sources": capture.sources,
                "people": scan.people.iter().map(JsonPerson::of).collect::<Vec<_>>(),
                "detector": scan.models.detector,
                "classifier": scan.models.classifier,
                "faces": scan.faces.iter()
                    .map(|face| JsonFace::carried(face, related.carried.get(&face.id)))
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
