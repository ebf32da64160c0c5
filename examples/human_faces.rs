//! Prints the features from which the emotion network tells human faces from others, one JSON object for each face. From
//! them `models/human_head.py` fits the head that does so.
//!
//!     cargo run --release --example human_faces -- FOLDER... > features.jsonl
//!     cargo run --release --example human_faces -- fer2013.csv >> features.jsonl
//!
//! `--model FILE` as the first argument takes another network than the built-in one.
//! Of a folder, the faces that the built-in detector finds in its pictures, in all folders below it too; of a table with a
//! column `pixels` (FER2013's), each row. An object has `file` (or the row's number), `box`, `score` (the detector's) and
//! `features` (those of all blocks of the network). With the variable `FER_INDEX_CROPS` set to a folder,
//! each face of a picture is written there too, under the number of its line, to be looked at.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// Shortest side in pixels of a face that is read, as the setting `detector.min_face` has it.
const MIN_FACE: f32 = 16.0;

/// What computes features.
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
    fn features(&self, crop: &FaceCrop) -> Vec<f32> {
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
        self.network.levels(&workspace)
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from).peekable();
    let model = match arguments.next_if(|first| first.as_os_str() == "--model") {
        None => None,
        Some(_) => Some(arguments.next().ok_or("--model needs a file")?),
    };
    let extractor = Extractor::new(model.as_deref())?;
    let detector = Builtin::new(DetectorParams::default())?;
    let mut out = std::io::stdout().lock();
    let mut lines = 0;
    for argument in arguments {
        let faces = if argument.is_dir() {
            let files = walkdir::WalkDir::new(&argument).sort_by_file_name();
            let files = files
                .into_iter()
                .collect::<std::result::Result<Vec<_>, _>>()?;
            let faces = files
                .par_iter()
                .map(|file| of_picture(&extractor, &detector, file.path()));
            faces.collect::<Vec<_>>().concat()
        } else {
            of_table(&extractor, &argument)?
        };
        for (crop, face) in faces {
            keep(&crop, lines)?;
            writeln!(out, "{face}")?;
            lines += 1;
        }
    }
    Ok(())
}

/// The faces of a picture; none if it cannot be read.
fn of_picture(extractor: &Extractor, detector: &Builtin, path: &Path) -> Vec<(FaceCrop, Value)> {
    let decoded = std::fs::read(path)
        .ok()
        .and_then(|bytes| imaging::decode(&bytes, &LIMITS).ok());
    let Some(decoded) = decoded else {
        return Vec::new();
    };
    let faces = detector.detect(&decoded.raster).unwrap_or_default();
    let legible = |face: &&DetectedFace| face.bounding_box.short_side() >= MIN_FACE;
    faces
        .iter()
        .filter(legible)
        .map(|face| {
            let crop = crop_face(&decoded.raster, face);
            let at = &face.bounding_box;
            let object = json!({
                "file": path,
                "box": [at.x, at.y, at.width, at.height],
                "score": face.score,
                "features": extractor.features(&crop),
            });
            (crop, object)
        })
        .collect()
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
