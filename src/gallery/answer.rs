//! The JSON answers to the page. Only the page's own scripts read them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::folders::{Folder, tree};
use super::request::{Interpretation, Search};
use crate::emotion::Emotion;
use crate::face::Correction;
use crate::photo::{Capture, ContentHash, DateSource, FactSources};
use crate::store::{
    self, CarriedFrom, FaceId, Hit, Learning, Order, PersonInPhoto, Photo, PhotoAnalysis,
    StoredFace,
};

/// How many hexadecimal digits of a content's hash the page gets.
const VERSION_DIGITS: usize = 12;

/// One page of the photos in the grid.
#[derive(Debug, Serialize)]
pub(super) struct PhotoPage {
    pub photos: Vec<Tile>,
    /// Whether more photos follow.
    pub more: bool,
}

/// Where a photo stands in the grid.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    /// The number of photos before it; `None` if it is not among the photos.
    pub index: Option<u64>,
}

/// Some photos of the grid that follow each other.
#[derive(Debug, Serialize)]
pub(super) struct Range {
    /// Their numbers; `None` if one of the photos at the ends is not among the photos.
    pub photos: Option<Vec<i64>>,
}

/// How many photos there are, with and without the emotion.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    /// The number of photos that all filters accept, which is how many the grid shows.
    found: u64,
    /// The number of photos that filters by date exclude only because the photos have no date of their own.
    undated: u64,
    /// The number of photos that the filters other than the emotion accept.
    all: u64,
    /// Of those, the number of photos that also show each emotion, by the emotion's name.
    emotions: BTreeMap<&'static str, u64>,
    /// The emotion in force, whether a control or the typed text chose it.
    emotion: Option<Emotion>,
    /// All emotions in force, of which a photo shows at least one.
    asked: Vec<Emotion>,
    /// The minimum score at which a face shows one of them, 0 to 1.
    min_score: f32,
    /// Whether the typed text asks for an emotion.
    has_typed_emotion: bool,
    /// The order of the photos: `score`, `date` or `random`.
    order: &'static str,
    /// The flags that the typed text was read as; empty if it has only search words.
    read_as: Vec<String>,
    /// How the typed text was understood, in plain words.
    understood: Interpretation,
    /// The filters that controls set in plain words, each with the name of its flag.
    in_words: Vec<(&'static str, String)>,
    /// The reasons why no photo is found; empty if there are photos.
    why_empty: Vec<String>,
    folders: Vec<Folder>,
    /// The cameras by name.
    cameras: Vec<String>,
    /// The people whom photos name.
    people: Vec<String>,
    /// Whether any photo is indexed.
    indexed: bool,
}

impl Counts {
    pub fn of(
        search: &Search,
        (found, undated): (u64, u64),
        counts: &store::Counts,
        why_empty: Vec<String>,
        folders: &[PathBuf],
        cameras: Vec<String>,
        people: Vec<String>,
    ) -> Self {
        let asked: Vec<Emotion> = search.query.emotions.iter().collect();
        let order = match search.query.order {
            Order::Score if asked.is_empty() => "date",
            Order::Score => "score",
            Order::Date => "date",
            Order::Random { .. } => "random",
        };
        let names = Emotion::ALL.map(Emotion::name);
        Self {
            found,
            undated,
            all: counts.all,
            emotions: names.into_iter().zip(counts.emotions).collect(),
            emotion: asked.first().copied().filter(|_| asked.len() == 1),
            asked,
            min_score: search.query.least_score(),
            has_typed_emotion: search.has_typed_emotion,
            order,
            read_as: search.read_as.clone(),
            understood: search.understood.clone(),
            in_words: search.of_controls.parts(),
            why_empty,
            folders: tree(folders),
            cameras,
            people,
            indexed: !folders.is_empty(),
        }
    }
}

/// A photo of the grid.
#[derive(Debug, Serialize)]
pub(super) struct Tile {
    id: i64,
    version: String,
    name: String,
    width: u32,
    height: u32,
    score: f32,
    taken: Option<String>,
    /// Whether `taken` is the file's date because the photo has none of its own.
    taken_from_file: bool,
    /// How exactly the date is known: a name of `Precision`.
    taken_precision: Option<&'static str>,
    faces: usize,
}

impl Tile {
    pub fn of(hit: &Hit) -> Self {
        let name = hit.path.file_name().unwrap_or(hit.path.as_os_str());
        Self {
            id: hit.photo.0,
            version: version(&hit.hash),
            name: name.to_string_lossy().into_owned(),
            width: hit.analysis.width,
            height: hit.analysis.height,
            score: hit.ranked_by.map_or(0.0, |by| by.score),
            taken: taken_text(&hit.analysis),
            taken_from_file: is_taken_from_file(&hit.analysis.capture),
            taken_precision: precision(&hit.analysis.capture),
            faces: hit.analysis.faces.len(),
        }
    }
}

/// All details of one photo.
#[derive(Debug, Serialize)]
pub(super) struct PhotoDetail {
    id: i64,
    version: String,
    /// Paths as text; a path that is not valid Unicode is shown with replacement characters.
    paths: Vec<String>,
    /// What separates the names in a path; in a name of this system other separators are letters.
    separator: char,
    /// The other files of the same shot: the picture beside a raw file, or the raw files beside a picture.
    same_shot: Vec<String>,
    bytes: u64,
    width: u32,
    height: u32,
    format: String,
    taken: Option<String>,
    /// Whether `taken` is the file's date because the photo has none of its own.
    taken_from_file: bool,
    position: Option<[f64; 2]>,
    /// The nearest city.
    place: Option<String>,
    camera: Option<String>,
    lens: Option<String>,
    title: Option<String>,
    description: Option<String>,
    keywords: Vec<String>,
    rating: Option<i8>,
    /// The source of the date and its precision: names of [`DateSource`] and `Precision`.
    taken_source: Option<&'static str>,
    taken_precision: Option<&'static str>,
    /// The names of the people in it.
    people: Vec<String>,
    /// The sources of the other facts.
    sources: FactSources,
    faces: Vec<Face>,
    /// A sentence that the scores follow corrections of other faces, if they do.
    learning: Option<String>,
    can_reveal: bool,
}

impl PhotoDetail {
    /// `None` for a photo that was skipped.
    pub fn of(
        photo: &Photo,
        shot: &[PathBuf],
        carried: &[(FaceId, CarriedFrom)],
        place: Option<String>,
        learning: &Learning,
        can_reveal: bool,
    ) -> Option<Self> {
        let scan = photo.content.as_ref().ok()?;
        let capture = &scan.capture;
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        Some(Self {
            id: photo.id.0,
            version: version(&photo.hash),
            paths: photo.paths.iter().map(path).collect(),
            separator: std::path::MAIN_SEPARATOR,
            same_shot: shot.iter().map(path).collect(),
            bytes: photo.bytes,
            width: scan.width,
            height: scan.height,
            format: scan.format.clone(),
            taken: taken_text(scan),
            taken_from_file: is_taken_from_file(capture),
            position: capture.position.map(|at| [at.latitude, at.longitude]),
            place,
            camera: capture.camera.clone(),
            lens: capture.lens.clone(),
            title: capture.title.clone(),
            description: capture.description.clone(),
            keywords: capture.keywords.clone(),
            rating: capture.rating,
            taken_source: capture.taken_at.map(|taken| taken.source.name()),
            taken_precision: precision(capture),
            people: scan
                .people
                .iter()
                .map(|person| person.name.clone())
                .collect(),
            sources: capture.sources.clone(),
            faces: scan
                .faces
                .iter()
                .map(|face| Face::of(face, &scan.people, carried))
                .collect(),
            learning: (scan.faces.iter().any(|face| face.network.is_some()))
                .then(|| learning.to_string()),
            can_reveal,
        })
    }
}

#[derive(Debug, Serialize)]
struct Face {
    id: i64,
    /// The bounding box: x, y, width and height in pixels of the upright photo.
    r#box: [f32; 4],
    detection: f32,
    /// The name of the person whom it shows, if the photo names one.
    person: Option<String>,
    /// The emotion scores in the order of [`Emotion::ALL`].
    scores: [f32; Emotion::COUNT],
    /// The emotion that a person set, if any.
    corrected_to: Option<Emotion>,
    /// Whether a person marked this as not a face.
    rejected: bool,
    /// Whether it counts as a face, by a correction or else by the model.
    counts: bool,
    /// The name of the file whose face was corrected, if it is another file of the same picture; empty if that file is
    /// gone.
    carried_from: Option<String>,
    /// The correction on that file.
    follows: Option<i64>,
}

impl Face {
    fn of(face: &StoredFace, people: &[PersonInPhoto], carried: &[(FaceId, CarriedFrom)]) -> Self {
        let b = &face.face.bounding_box;
        let carried = carried.iter().find(|(id, _)| *id == face.id);
        let carried = carried.map(|(_, from)| from);
        Self {
            id: face.id.0,
            r#box: [b.x, b.y, b.width, b.height],
            detection: face.face.score,
            person: people
                .iter()
                .find(|person| person.face == Some(face.id))
                .map(|person| person.name.clone()),
            scores: *face.scores.as_array(),
            corrected_to: match face.correction {
                Some(Correction::Emotion(emotion)) => Some(emotion),
                _ => None,
            },
            rejected: face.correction == Some(Correction::NotAFace),
            counts: face.is_face(),
            follows: carried.map(|from| from.correction),
            carried_from: carried.map(|from| {
                let name = from.path.as_deref().and_then(Path::file_name);
                name.unwrap_or_default().to_string_lossy().into_owned()
            }),
        }
    }
}

/// Distinguishes the contents that a photo has had. A photo whose metadata are changed keeps its number, but may be upright
/// in another orientation.
fn version(hash: &ContentHash) -> String {
    let mut digits = hash.to_string();
    digits.truncate(VERSION_DIGITS);
    digits
}

/// Whether the photo has its file's date because it has no date of its own.
fn is_taken_from_file(capture: &Capture) -> bool {
    let source = capture.taken_at.as_ref().map(|taken| taken.source);
    source == Some(DateSource::FileTime)
}

/// How exactly the date of the photo is known.
fn precision(capture: &Capture) -> Option<&'static str> {
    capture.taken_at.map(|taken| taken.precision.name())
}

/// The time of the photo as local time to the second.
fn taken_text(scan: &PhotoAnalysis<StoredFace>) -> Option<String> {
    let taken = scan.capture.taken_at.as_ref()?;
    Some(taken.local.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}
