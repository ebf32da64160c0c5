//! Measures the detector on variants of photos that are made in memory: turned, cut, framed, faded, composed.
//! `docs/detection.md` has the results.
//!
//!     cargo run --release --example detection -- SET EVERY FOLDER...
//!
//! SET is one of the sets of `variants.rs`, or `all`; after a space the beginning of a row's label may follow. Every
//! EVERY-th photo of the folders counts. The reference is the largest certain face that the detector finds in the
//! unchanged photo, with its emotion and with its landmarks, which are moved like the pixels. A photo without such a
//! face is left out, except in the set `plain`.
//!
//! Each row of the table has the number of pictures and of faces that should be found in them; how many are found; how
//! many of these have both eyes within 6 % of the face's width, and the top emotion of the reference; and how many
//! other boxes there are, within a face (doubles) and elsewhere. With the variable `FER_INDEX_LOST` set to a folder,
//! pictures in which a face is lost are written there for inspection; with `FER_INDEX_VARIANTS`, all pictures with a
//! table of their faces, `labels.csv`, on which `fer-index evaluate album FOLDER --labels FOLDER/labels.csv` counts the
//! same, with any detector.

mod count;
mod keep;
mod variants;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fer_index::classify::{Cnn, EmotionClassifier, FACE_SIDE, FaceCrop, crop_face};
use fer_index::detect::{Builtin, DetectorParams, FaceDetector};
use fer_index::emotion::{Emotion, EmotionScores};
use fer_index::face::DetectedFace;
use fer_index::imaging::{self, Limits};
use fer_index::raster::{Orientation, Raster};
use image::RgbImage;
use rayon::prelude::*;

use count::Counts;
use keep::{Kept, stem};
use variants::{SETS, Subject, Variant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Least score of a reference face.
const CERTAIN: f32 = 0.8;

/// Shortest side of a reference face, in pixels: emotions of smaller ones are less certain.
const MIN_SIDE: f32 = 40.0;

const LIMITS: Limits = Limits {
    max_bytes: 1 << 30,
    max_pixels: 1 << 28,
    max_time: Duration::from_mins(1),
};

/// The detector and the classifier.
struct Models {
    detector: Builtin,
    classifier: Cnn,
    /// Where the variants are stored.
    kept: Option<Kept>,
}

impl Models {
    /// The faces that count: those that the detector finds and whose human score is high enough.
    fn detect(&self, picture: &RgbImage) -> Vec<DetectedFace> {
        let raster = Raster::new(picture.clone(), Orientation::Upright);
        let mut faces = self.detector.detect(&raster).unwrap_or_default();
        faces.retain(|face| self.scores(&raster, face).is_human());
        faces
    }

    fn emotion(&self, picture: &RgbImage, face: &DetectedFace) -> Emotion {
        let raster = Raster::new(picture.clone(), Orientation::Upright);
        self.scores(&raster, face).top().0
    }

    fn scores(&self, raster: &Raster, face: &DetectedFace) -> EmotionScores {
        self.classifier.classify(&[crop_face(raster, face)])[0]
    }

    /// The photo with its largest certain face; `None` without one.
    fn subject(&self, photo: RgbImage) -> Option<Subject> {
        let certain = |face: &DetectedFace| {
            face.score >= CERTAIN && face.bounding_box.short_side() >= MIN_SIDE
        };
        let faces = self.detect(&photo);
        let area = |face: &DetectedFace| face.bounding_box.area();
        let largest = faces.into_iter().filter(certain);
        let face = largest.max_by(|a, b| area(a).total_cmp(&area(b)))?;
        let raster = Raster::new(photo.clone(), Orientation::Upright);
        let crop = crop_face(&raster, &face);
        let emotion = self.emotion(&photo, &face);
        Some(Subject {
            photo,
            face,
            emotion,
            skin: skin(&crop),
        })
    }
}

/// Median grey of the cheeks and the nose.
fn skin(crop: &FaceCrop) -> f32 {
    let rows = crop.chunks_exact(FACE_SIDE).skip(20).take(16);
    let mut values: Vec<f32> = rows.flat_map(|row| row[12..36].to_vec()).collect();
    values.sort_unstable_by(f32::total_cmp);
    values[values.len() / 2]
}

#[allow(clippy::print_stdout, reason = "the table is the output")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [set, every, folders @ ..] = arguments.as_slice() else {
        return Err("usage: detection SET EVERY FOLDER...".into());
    };
    let models = Models {
        detector: Builtin::new(DetectorParams::default())?,
        classifier: Cnn::embedded()?,
        kept: std::env::var_os("FER_INDEX_VARIANTS")
            .map(|folder| Kept::new(folder.into()))
            .transpose()?,
    };
    let photos = photos(folders, every.parse()?)?;
    let (set, label) = set.split_once(' ').unwrap_or((set, ""));
    let sets = SETS.iter().filter(|(name, _)| set == "all" || set == *name);
    println!("set            pictures  faces  found    eyes     emotion  doubles  others");
    for (name, make) in sets {
        let counts = photos
            .par_iter()
            .enumerate()
            .map(|(index, path)| measure(&models, path, index, (name, *make, label)))
            .try_reduce(BTreeMap::new, |mut all, part| {
                for (label, counts) in part {
                    all.entry(label)
                        .or_insert_with(Counts::default)
                        .add(&counts);
                }
                Ok(all)
            })?;
        for (label, counts) in counts {
            println!("{:14} {counts}", format!("{name} {label}"));
        }
    }
    Ok(())
}

/// Every `every`-th file of the folders, by name.
fn photos(folders: &[String], every: usize) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for folder in folders {
        let files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
        let mut files = files.collect::<Result<Vec<_>>>()?;
        files.sort();
        all.extend(files.into_iter().step_by(every));
    }
    Ok(all)
}

/// The counts of one photo's variants, by label; empty if it cannot be read.
fn measure(
    models: &Models,
    path: &Path,
    index: usize,
    (set, make, label): (&str, variants::Make, &str),
) -> std::result::Result<BTreeMap<String, Counts>, String> {
    let mut all: BTreeMap<String, Counts> = BTreeMap::new();
    let Some(photo) = read(path) else {
        return Ok(all);
    };
    let subject = models.subject(photo.clone());
    let variants = make(&photo, subject.as_ref(), index).into_iter();
    for variant in variants.filter(|variant| variant.label.starts_with(label)) {
        let found = models.detect(&variant.picture);
        let emotion = |face: &DetectedFace| models.emotion(&variant.picture, face);
        let counts = Counts::of(&variant.faces, &found, emotion);
        keep_lost(&variant, &counts, path);
        if let Some(kept) = &models.kept {
            let added = kept.add(set, &variant, path);
            added.map_err(|e| format!("the variants cannot be kept: {e}"))?;
        }
        all.entry(variant.label).or_default().add(&counts);
    }
    Ok(all)
}

fn read(path: &Path) -> Option<RgbImage> {
    let bytes = std::fs::read(path).ok()?;
    let raster = imaging::decode(&bytes, &LIMITS).ok()?.raster;
    Some(raster.upright().into_owned())
}

/// Writes a picture in which a face is lost, if asked to.
fn keep_lost(variant: &Variant, counts: &Counts, path: &Path) {
    let Some(folder) = std::env::var_os("FER_INDEX_LOST") else {
        return;
    };
    if counts.found < variant.faces.len() || variant.faces.is_empty() && counts.others == 0 {
        let name = format!("{} {}.png", variant.label.replace('/', "-"), stem(path));
        drop(variant.picture.save(Path::new(&folder).join(name)));
    }
}
