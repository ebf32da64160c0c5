//! What the page is told, as JSON for its own scripts and nobody else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::folders::{Folder, tree};
use super::request::{Interpretation, Search};
use crate::emotion::Emotion;
use crate::face::Correction;
use crate::photo::DateSource;
use crate::store::{self, Hit, Photo, PhotoAnalysis, StoredFace};

/// The photos of a part of the grid.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub photos: Vec<Tile>,
    /// Whether more come after these.
    pub more: bool,
}

/// How many photos there are to see.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    /// That all filters admit: so many the grid shows.
    found: u64,
    /// That the filters other than the emotion admit.
    all: u64,
    /// That also show the emotion, by its name.
    emotions: BTreeMap<&'static str, u64>,
    /// The emotion in force, be it by a control or by the text.
    emotion: Option<Emotion>,
    /// What the text became where it is more than words.
    read_as: Vec<String>,
    /// What became of the text, in plain words.
    understood: Interpretation,
    /// Why there is no photo to see, where there is none.
    why_empty: Vec<String>,
    folders: Vec<Folder>,
    /// The names of the cameras.
    cameras: Vec<String>,
    /// Whether any photo is indexed.
    indexed: bool,
}

impl Counts {
    pub fn of(
        search: &Search,
        found: u64,
        counts: &store::Counts,
        why_empty: Vec<String>,
        folders: &[PathBuf],
        cameras: Vec<String>,
    ) -> Self {
        let mut asked = search.query.emotions.iter();
        let names = Emotion::ALL.map(Emotion::name);
        Self {
            found,
            all: counts.all,
            emotions: names.into_iter().zip(counts.emotions).collect(),
            emotion: asked.next().filter(|_| asked.next().is_none()),
            read_as: search.read_as.clone(),
            understood: search.understood.clone(),
            why_empty,
            folders: tree(folders),
            cameras,
            indexed: !folders.is_empty(),
        }
    }
}

/// A photo of the grid.
#[derive(Debug, Serialize)]
pub(super) struct Tile {
    id: i64,
    name: String,
    width: u32,
    height: u32,
    score: f32,
    taken: Option<String>,
    faces: usize,
}

impl Tile {
    pub fn of(hit: &Hit) -> Self {
        let name = hit.path.file_name().unwrap_or(hit.path.as_os_str());
        Self {
            id: hit.photo.0,
            name: name.to_string_lossy().into_owned(),
            width: hit.analysis.width,
            height: hit.analysis.height,
            score: hit.ranked_by.map_or(0.0, |by| by.score),
            taken: taken(&hit.analysis),
            faces: hit.analysis.faces.len(),
        }
    }
}

/// Everything about a photo.
#[derive(Debug, Serialize)]
pub(super) struct PhotoDetail {
    id: i64,
    /// As text: a path that is none is shown as well as it can be.
    paths: Vec<String>,
    bytes: u64,
    width: u32,
    height: u32,
    format: String,
    taken: Option<String>,
    /// Whether the date is that of the file, for want of the photo's own.
    taken_from_file: bool,
    position: Option<[f64; 2]>,
    /// The nearest city.
    place: Option<String>,
    camera: Option<String>,
    lens: Option<String>,
    description: Option<String>,
    keywords: Vec<String>,
    faces: Vec<Face>,
    can_reveal: bool,
}

impl PhotoDetail {
    /// `None` for a photo that was skipped.
    pub fn of(photo: &Photo, place: Option<String>, can_reveal: bool) -> Option<Self> {
        let scan = photo.content.as_ref().ok()?;
        let capture = &scan.capture;
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let source = capture.taken_at.as_ref().map(|taken| taken.source);
        Some(Self {
            id: photo.id.0,
            paths: photo.paths.iter().map(path).collect(),
            bytes: photo.bytes,
            width: scan.width,
            height: scan.height,
            format: scan.format.clone(),
            taken: taken(scan),
            taken_from_file: source == Some(DateSource::FileTime),
            position: capture.position.map(|at| [at.latitude, at.longitude]),
            place,
            camera: capture.camera.clone(),
            lens: capture.lens.clone(),
            description: capture.description.clone(),
            keywords: capture.keywords.clone(),
            faces: scan.faces.iter().map(Face::of).collect(),
            can_reveal,
        })
    }
}

#[derive(Debug, Serialize)]
struct Face {
    id: i64,
    /// x, y, width and height in pixels of the upright photo.
    r#box: [f32; 4],
    detection: f32,
    /// In the order of [`Emotion::ALL`].
    scores: [f32; Emotion::COUNT],
    /// What a person says that it shows.
    said: Option<Emotion>,
    /// Whether a person says that it is no face.
    rejected: bool,
}

impl Face {
    fn of(face: &StoredFace) -> Self {
        let b = &face.face.bounding_box;
        Self {
            id: face.id.0,
            r#box: [b.x, b.y, b.width, b.height],
            detection: face.face.score,
            scores: *face.scores.as_array(),
            said: match face.correction {
                Some(Correction::Emotion(emotion)) => Some(emotion),
                _ => None,
            },
            rejected: face.correction == Some(Correction::NotAFace),
        }
    }
}

/// Local time to the second.
fn taken(scan: &PhotoAnalysis<StoredFace>) -> Option<String> {
    let taken = scan.capture.taken_at.as_ref()?;
    Some(taken.local.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}
