//! Prints the features from which the human score is computed, one JSON object for each face. `models/human_head.py`
//! fits the head for the human score to them.
//!
//!     cargo run --release --example human_faces -- FOLDER... > features.jsonl
//!     cargo run --release --example human_faces -- fer2013.csv >> features.jsonl
//!
//! For a folder, these are the faces that the built-in detector finds in its pictures, also in all folders below it;
//! for a table with a column `pixels` (FER2013's), each row is a face. An object has `file` (or the row's number),
//! `box`, `score` (the detector's) and `features` (those of all blocks of the network). With the variable
//! `FER_INDEX_CROPS` set to a folder, each face of a picture is also written there for inspection, under the number of
//! its line.

mod copies;

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use fer_index::classify::{BUILT_IN, FACE_SIDE, FaceCrop, crop_face};
use fer_index::detect::{Builtin, DetectorParams, FaceDetector};
use fer_index::face::DetectedFace;
use fer_index::imaging::{self, Limits};
use fer_index::network::{FoldedNetwork, ModelFile, PixelScaling, Workspace};
use image::{GrayImage, Luma};
use rayon::prelude::*;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const LIMITS: Limits = Limits {
    max_bytes: 1 << 30,
    max_pixels: 1 << 28,
    max_time: Duration::from_mins(1),
};

/// Least shorter side, in pixels, of a face that is read; the default of the setting `detector.min_face`.
const MIN_FACE: f32 = 16.0;

#[derive(Debug, Parser)]
struct Arguments {
    /// Changed copies that follow each face of a picture, with `copy` from 1 on: changed as hard photos change faces.
    #[arg(long, default_value_t = 0)]
    copies: usize,
    /// Least score of a face. What the detector doubts shows what else looks like a face.
    #[arg(long, default_value_t = 0.6)]
    threshold: f32,
    /// Another network than the built-in one.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Folders of pictures, and tables.
    paths: Vec<PathBuf>,
}

/// Computes features.
struct Extractor {
    network: FoldedNetwork,
    pixels: PixelScaling,
}

impl Extractor {
    /// The network of a model file; `None` for the built-in one.
    fn new(model: Option<&Path>) -> Result<Self> {
        let file = match model {
            None => ModelFile::parse(BUILT_IN.0, BUILT_IN.1)?,
            Some(path) => ModelFile::parse(&std::fs::read(path)?, &path.display().to_string())?,
        };
        Ok(Self {
            network: file.fold(2)?,
            pixels: file.spec.pixels,
        })
    }

    /// The features of a face.
    fn features(&self, crop: &FaceCrop) -> Vec<f64> {
        let mut upright = *crop;
        self.pixels.apply(&mut upright);
        let mut both = upright.to_vec();
        both.extend(
            upright
                .chunks_exact(FACE_SIDE)
                .flat_map(|row| row.iter().rev()),
        );
        let mut workspace = Workspace::default();
        self.network.features(&mut workspace, &both);
        let features = self.network.levels(&workspace).into_iter();
        // Four decimals are precise enough for the fit, and a third of the digits.
        features
            .map(|v| (f64::from(v) * 1e4).round() / 1e4)
            .collect()
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let extractor = Extractor::new(arguments.model.as_deref())?;
    let detector = Builtin::new(DetectorParams {
        threshold: arguments.threshold,
        ..DetectorParams::default()
    })?;
    let mut out = std::io::stdout().lock();
    let mut lines = 0;
    for argument in &arguments.paths {
        let faces = if argument.is_dir() {
            let files = walkdir::WalkDir::new(argument).sort_by_file_name();
            let files = files
                .into_iter()
                .collect::<std::result::Result<Vec<_>, _>>()?;
            let faces = files.par_iter().enumerate().map(|(number, file)| {
                let copies = (number, arguments.copies);
                of_picture(&extractor, &detector, file.path(), copies)
            });
            faces.collect::<Vec<_>>().concat()
        } else {
            of_table(&extractor, argument)?
        };
        for (crop, face) in faces {
            keep(&crop, lines)?;
            writeln!(out, "{face}")?;
            lines += 1;
        }
    }
    Ok(())
}

/// The faces of a picture, each with its changed copies; none if it cannot be read. `number` is the picture's, `count`
/// how many copies there are.
fn of_picture(
    extractor: &Extractor,
    detector: &Builtin,
    path: &Path,
    (number, count): (usize, usize),
) -> Vec<(FaceCrop, Value)> {
    let decoded = std::fs::read(path)
        .ok()
        .and_then(|bytes| imaging::decode(&bytes, &LIMITS).ok());
    let Some(decoded) = decoded else {
        return Vec::new();
    };
    let faces = detector.detect(&decoded.raster).unwrap_or_default();
    let legible = |face: &&DetectedFace| face.bounding_box.short_side() >= MIN_FACE;
    let with_copies = |face: &DetectedFace| {
        let crop = crop_face(&decoded.raster, face);
        let at = &face.bounding_box;
        let object = |(copy, crop): (usize, FaceCrop)| {
            let object = json!({
                "file": path,
                "copy": copy,
                "box": [at.x, at.y, at.width, at.height],
                "score": face.score,
                "features": extractor.features(&crop),
            });
            (crop, object)
        };
        let all = std::iter::once(crop).chain(copies::copies(&crop, number, count));
        all.enumerate().map(object).collect::<Vec<_>>()
    };
    let legible_faces = faces.iter().filter(legible);
    legible_faces.flat_map(with_copies).collect()
}

/// The rows of a table with the faces' pixels.
fn of_table(extractor: &Extractor, path: &Path) -> Result<Vec<(FaceCrop, Value)>> {
    let mut table = csv::Reader::from_path(path)?;
    let pixels = table.headers()?.iter().position(|name| name == "pixels");
    let pixels = pixels.ok_or("the table has no column \"pixels\"")?;
    let rows = table.records().collect::<csv::Result<Vec<_>>>()?;
    let face = |(row, record): (usize, &csv::StringRecord)| {
        let mut crop = [0.0; FACE_SIDE * FACE_SIDE];
        for (value, word) in crop.iter_mut().zip(record[pixels].split(' ')) {
            *value = word.parse().unwrap_or_default();
        }
        let object =
            json!({"file": row, "box": null, "score": null, "features": extractor.features(&crop)});
        (crop, object)
    };
    Ok(rows.par_iter().enumerate().map(face).collect())
}

/// Writes a face to the folder that the environment names.
fn keep(crop: &FaceCrop, number: usize) -> Result<()> {
    let Some(folder) = std::env::var_os("FER_INDEX_CROPS") else {
        return Ok(());
    };
    let side = FACE_SIDE as u32;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        Luma([crop[(y * side + x) as usize].round() as u8])
    });
    picture.save(Path::new(&folder).join(format!("{number}.png")))?;
    Ok(())
}
