//! Measures after which edits of photos a corrected face is recognised, and whether it is mistaken for the face in
//! another photo of a burst. `docs/corrections.md` has the results.
//!
//!     cargo run --release --example likeness -- edits EVERY FOLDER...
//!     cargo run --release --example likeness -- bursts EVERY APART FOLDER...
//!
//! `edits` makes each kind of edit of every EVERY-th photo of the folders and prints how many faces are detected again
//! and recognised, and how often another face of the photo is mistaken for the same. `bursts` treats each folder as one
//! burst, in the order of the file names, and compares the largest face of every EVERY-th photo with those of the APART
//! photos after it. The time and the size of the photos, which the program also compares, are ignored.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fer_index::affine::Affine;
use fer_index::detect::{Builtin, DetectorParams, FaceDetector};
use fer_index::face::DetectedFace;
use fer_index::imaging::{self, Limits};
use fer_index::likeness::{FacePicture, SAME_PICTURE, likeness};
use fer_index::raster::{Orientation, Raster};
use fer_index::sample::sample;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Least shorter side, in pixels, of the faces that are measured.
const MIN_FACE: f32 = 24.0;

/// The likeness that counts for two faces with too little in common.
const NOTHING: f32 = -1.0;

/// Most faces of a photo that are measured.
const FACES: usize = 3;

const LIMITS: Limits = Limits {
    max_bytes: 1 << 30,
    max_pixels: 1 << 28,
    max_time: Duration::from_mins(1),
};

/// An edited picture, and the map from the original's pixels to its own.
type Edited = (RgbImage, Affine);

/// A kind of edit: its name, the quality of the JPEG in which it is stored, and the function that makes it from a photo
/// and its first face; `None` if that is impossible.
type Edit = (
    &'static str,
    u8,
    fn(&RgbImage, &DetectedFace) -> Option<Edited>,
);

#[rustfmt::skip]
const EDITS: &[Edit] = &[
    ("stored again, quality 90", 90, |p, _| same(p.clone())),
    ("stored again, quality 50", 50, |p, _| same(p.clone())),
    ("stored again, quality 30", 30, |p, _| same(p.clone())),
    ("half the size",            85, |p, _| scaled(p, 0.5, 0.5)),
    ("quarter of the size",      85, |p, _| scaled(p, 0.25, 0.25)),
    ("twice the size",           85, |p, _| scaled(p, 2.0, 2.0)),
    ("height 98 %",              85, |p, _| scaled(p, 1.0, 0.98)),
    ("brighter by 35",           85, |p, _| toned(p, |c| c.map(|v| v + 35.0))),
    ("darker by 35",             85, |p, _| toned(p, |c| c.map(|v| v - 35.0))),
    ("contrast 1.4",             85, |p, _| toned(p, |c| c.map(|v| 128.0 + 1.4 * (v - 128.0)))),
    ("gamma 0.6",                85, |p, _| toned(p, |c| c.map(|v| power(v, 0.6)))),
    ("gamma 1.6",                85, |p, _| toned(p, |c| c.map(|v| power(v, 1.6)))),
    ("black and white",          85, |p, _| toned(p, |c| [luma(c); 3])),
    ("sepia, red filter",        85, |p, _| toned(p, |[r, g, _]| [1.0, 0.9, 0.7].map(|v| v * (0.8 * r + 0.2 * g)))),
    ("saturation 1.6",           85, |p, _| toned(p, |c| c.map(|v| luma(c) + 1.6 * (v - luma(c))))),
    ("warmer",                   85, |p, _| toned(p, |[r, g, b]| [1.15 * r, g, 0.8 * b])),
    ("vignette",                 85, |p, _| same(vignette(p))),
    ("sharpened",                85, |p, _| same(imageops::unsharpen(p, 1.0, 0))),
    ("blurred by 1 pixel",       85, |p, _| same(imageops::blur(p, 1.0))),
    ("edges cut off",            85, |p, _| cut(p, inner(p))),
    ("cut to the face",          85, |p, face| {
        let b = face.bounding_box;
        cut(p, [b.x - 0.3 * b.width, b.y - 0.3 * b.height, 1.6 * b.width, 1.6 * b.height])
    }),
    ("turned by 90°",            85, |p, _| Some((imageops::rotate90(p), similarity(0.0, 1.0, p.height() as f32, 0.0)))),
    ("turned by 180°",           85, |p, _| Some((imageops::rotate180(p), similarity(-1.0, 0.0, p.width() as f32, p.height() as f32)))),
    ("turned by 270°",           85, |p, _| Some((imageops::rotate270(p), similarity(0.0, -1.0, 0.0, p.width() as f32)))),
    ("turned by 5°",             85, |p, _| turned(p, 5.0)),
    ("turned by 15°",            85, |p, _| turned(p, 15.0)),
    ("turned by -15°",           85, |p, _| turned(p, -15.0)),
    ("mirrored",                 85, |p, _| {
        let mirror = Affine { x: [-1.0, 0.0, p.width() as f32], y: [0.0, 1.0, 0.0] };
        Some((imageops::flip_horizontal(p), mirror))
    }),
    ("cut, 60 % of the size, gamma 0.8, quality 70", 70, |p, _| {
        let (picture, moved) = cut(p, inner(p))?;
        let (picture, smaller) = scaled(&picture, 0.6, 0.6)?;
        let (picture, _) = toned(&picture, |c| c.map(|v| 1.1 * power(v, 0.8)))?;
        Some((picture, moved.then(&smaller)))
    }),
];

fn similarity(a: f32, b: f32, x: f32, y: f32) -> Affine {
    Affine {
        x: [a, -b, x],
        y: [b, a, y],
    }
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "other edits have no result for some photos"
)]
fn same(picture: RgbImage) -> Option<Edited> {
    Some((picture, Affine::stretch(1.0, 1.0)))
}

fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

fn power(value: f32, exponent: f32) -> f32 {
    255.0 * (value / 255.0).powf(exponent)
}

fn toned(picture: &RgbImage, tone: impl Fn([f32; 3]) -> [f32; 3]) -> Option<Edited> {
    let mut toned = picture.clone();
    for pixel in toned.pixels_mut() {
        pixel.0 = tone(pixel.0.map(f32::from)).map(|v| v.round().clamp(0.0, 255.0) as u8);
    }
    same(toned)
}

fn vignette(picture: &RgbImage) -> RgbImage {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let mut darker = picture.clone();
    for (x, y, pixel) in darker.enumerate_pixels_mut() {
        let (x, y) = (x as f32 / width - 0.5, y as f32 / height - 0.5);
        let light = 1.0 - 1.4 * (x * x + y * y);
        pixel.0 = pixel.0.map(|v| (f32::from(v) * light) as u8);
    }
    darker
}

fn scaled(picture: &RgbImage, x: f32, y: f32) -> Option<Edited> {
    let side = |pixels: u32, factor: f32| (pixels as f32 * factor).round() as u32;
    let (width, height) = (side(picture.width(), x), side(picture.height(), y));
    let map = Affine::stretch(
        width as f32 / picture.width() as f32,
        height as f32 / picture.height() as f32,
    );
    let filter = imageops::FilterType::Lanczos3;
    (width.min(height) >= 30).then(|| (imageops::resize(picture, width, height, filter), map))
}

/// The inner part of a picture: left, top, width and height.
fn inner(picture: &RgbImage) -> [f32; 4] {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    [0.1 * width, 0.08 * height, 0.8 * width, 0.84 * height]
}

fn cut(picture: &RgbImage, [x, y, width, height]: [f32; 4]) -> Option<Edited> {
    let (left, top) = (x.max(0.0) as u32, y.max(0.0) as u32);
    let right = ((x + width) as u32).min(picture.width());
    let bottom = ((y + height) as u32).min(picture.height());
    let (width, height) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
    let part = || imageops::crop_imm(picture, left, top, width, height).to_image();
    let map = similarity(1.0, 0.0, -(left as f32), -(top as f32));
    (width.min(height) >= 30).then(|| (part(), map))
}

/// Rotates the content of a picture clockwise within its frame.
fn turned(picture: &RgbImage, degrees: f32) -> Option<Edited> {
    let (x, y) = (picture.width() as f32 / 2.0, picture.height() as f32 / 2.0);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let map = similarity(cos, sin, x - cos * x + sin * y, y - sin * x - cos * y);
    let values = sample(picture, &map.inverse()?, picture.dimensions(), 2);
    let mut turned = RgbImage::new(picture.width(), picture.height());
    for (pixel, value) in turned.pixels_mut().zip(values) {
        *pixel = Rgb(value.map(|v| v.round() as u8));
    }
    Some((turned, map))
}

/// Stores a picture as a JPEG and decodes it.
fn stored(picture: &RgbImage, quality: u8) -> Result<Raster> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture)?;
    let picture = image::load_from_memory(&bytes)?.into_rgb8();
    Ok(Raster::new(picture, Orientation::Upright))
}

/// The photos of a folder, in the order of their names.
fn photos(folder: &str) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in Path::new(folder).read_dir()? {
        paths.push(entry?.path());
    }
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Option<Raster>> {
    let bytes = std::fs::read(path)?;
    Ok(imaging::decode(&bytes, &LIMITS)
        .ok()
        .map(|decoded| decoded.raster))
}

struct Faces(Builtin);

impl Faces {
    /// The faces of a photo, the largest first, each with its picture.
    fn of(&self, photo: &Raster) -> Vec<(DetectedFace, FacePicture)> {
        let mut faces = self.0.detect(photo).unwrap_or_default();
        faces.retain(|face| face.bounding_box.short_side() >= MIN_FACE);
        let side = |face: &DetectedFace| face.bounding_box.short_side();
        faces.sort_by(|a, b| side(b).total_cmp(&side(a)));
        faces
            .into_iter()
            .map(|face| (face, FacePicture::of(photo, &face)))
            .collect()
    }
}

/// The results for the faces of one kind of edit.
#[derive(Default, Clone)]
struct Kept {
    faces: u32,
    found: u32,
    recognised: u32,
    /// Pairs of different faces of a photo and its edit and, below, those that were mistaken for the same one.
    others: u32,
    confused: u32,
    /// The likeness of the same face, in each pair.
    alike: Vec<f32>,
}

#[allow(clippy::print_stdout, reason = "the result of the measurement")]
fn edits(faces: &Faces, every: usize, folders: &[String]) -> Result<()> {
    let mut all = vec![Kept::default(); EDITS.len()];
    for folder in folders {
        for path in photos(folder)?.iter().step_by(every) {
            let Some(photo) = read(path)? else { continue };
            let before = faces.of(&photo);
            let Some((first, _)) = before.first() else {
                continue;
            };
            for ((_, quality, edit), kept) in EDITS.iter().zip(&mut all) {
                let Some((edited, map)) = edit(&photo.upright(), first) else {
                    continue;
                };
                let after = faces.of(&stored(&edited, *quality)?);
                for (face, picture) in before.iter().take(FACES) {
                    let expected = face.through(&map).bounding_box;
                    kept.faces += 1;
                    for (other, pictured) in after.iter().take(FACES) {
                        let alike = likeness(picture, pictured).unwrap_or(NOTHING);
                        if other.bounding_box.iou(&expected) > 0.35 {
                            kept.found += 1;
                            kept.recognised += u32::from(alike >= SAME_PICTURE);
                            kept.alike.push(alike);
                        } else {
                            kept.others += 1;
                            kept.confused += u32::from(alike >= SAME_PICTURE);
                        }
                    }
                }
            }
        }
    }
    println!("| edit | faces | found again | recognised | least alike | other faces | confused |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for ((name, ..), mut kept) in EDITS.iter().zip(all) {
        kept.alike.sort_by(f32::total_cmp);
        println!(
            "| {name} | {} | {} | {} | {} | {} | {} |",
            kept.faces,
            kept.found,
            kept.recognised,
            listed(&kept.alike),
            kept.others,
            kept.confused
        );
    }
    Ok(())
}

/// The first three values.
fn listed(values: &[f32]) -> String {
    let texts: Vec<_> = values.iter().take(3).map(|v| format!("{v:.2}")).collect();
    texts.join(", ")
}

/// The likenesses of faces in photos at one distance in the burst.
type Pairs = Vec<f32>;

#[allow(clippy::print_stdout, reason = "the result of the measurement")]
fn bursts(faces: &Faces, every: usize, apart: usize, folders: &[String]) -> Result<()> {
    let mut all = vec![Pairs::new(); apart];
    for folder in folders {
        let mut burst = Vec::new();
        for path in photos(folder)?.iter().step_by(every) {
            let Some(photo) = read(path)? else { continue };
            burst.extend(faces.of(&photo).into_iter().next().map(|(_, face)| face));
        }
        for (index, face) in burst.iter().enumerate() {
            for (other, pairs) in burst.iter().skip(index + 1).zip(&mut all) {
                pairs.push(likeness(face, other).unwrap_or(NOTHING));
            }
        }
    }
    println!("| photos apart | pairs | taken for the same picture | most alike |");
    println!("| --- | --- | --- | --- |");
    for (distance, pairs) in all.iter_mut().enumerate() {
        pairs.sort_by(|a, b| b.total_cmp(a));
        let same = pairs.iter().filter(|alike| **alike >= SAME_PICTURE).count();
        println!(
            "| {} | {} | {same} | {} |",
            distance + 1,
            pairs.len(),
            listed(pairs)
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let faces = Faces(Builtin::new(DetectorParams::default())?);
    let usage = "usage: likeness edits EVERY FOLDER..., or likeness bursts EVERY APART FOLDER...";
    match arguments.as_slice() {
        [kind, every, folders @ ..] if kind == "edits" => edits(&faces, every.parse()?, folders),
        [kind, every, apart, folders @ ..] if kind == "bursts" => {
            bursts(&faces, every.parse()?, apart.parse()?, folders)
        }
        _ => Err(usage.into()),
    }
}
