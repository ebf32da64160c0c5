//! Indexes one photo, from the file to the database, and does nothing else, so that callgrind can count the
//! instructions. `benches/cost/check` runs it:
//!
//! ```text
//! photo_cost make PHOTO.jpg              # writes a photo of 3.8 megapixels, composed of the test photos
//! photo_cost index PHOTO.jpg INDEX.db    # indexes it; callgrind counts `index_counted`
//! ```
//!
//! The second command prints the instruction set of the kernels that it used.
#![allow(clippy::print_stdout)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::error::Error;
use std::path::Path;

use fer_index::classify::Cnn;
use fer_index::detect::{Builtin, DetectorParams};
use fer_index::file::FileMeta;
use fer_index::imaging::Limits;
use fer_index::pipeline::LocalAnalyser;
use fer_index::store::Store;
use fer_nn::Level;
use image::{RgbImage, imageops};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use common::exif_block::ExifBlock;

/// Width and height of the photo. Its parts are as detailed as those of a larger photo, so that a pixel costs as much
/// as there.
const SIZE: (u32, u32) = (2240, 1680);

/// Width and height of a part.
const PART: (u32, u32) = (448, 336);

/// The number of faces in the photo that must be found.
const FACES: usize = 3;

/// The parts of the photo, row by row.
const PARTS: [&str; 25] = {
    let mut parts = ["coffee.jpg"; 25];
    parts[1] = "camera.jpg";
    parts[7] = "astronaut.jpg";
    parts[9] = "chelsea.jpg";
    parts[13] = "hopper.jpg";
    parts[15] = "camera.jpg";
    parts[18] = "astronaut.jpg";
    parts[21] = "chelsea.jpg";
    parts
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["make", photo] => make(Path::new(photo)),
        ["index", photo, database] => {
            // As in a decoding process, so that nothing runs on threads that are not counted.
            rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .use_current_thread()
                .build_global()?;
            let analyser = LocalAnalyser::new(
                Box::new(Builtin::new(DetectorParams::default())?),
                Box::new(Cnn::embedded()?),
                Limits::default(),
                0.0,
            );
            let mut store = Store::open(Path::new(database))?;
            let faces = index_counted(&analyser, &mut store, Path::new(photo))?;
            if faces < FACES {
                return Err(format!("{faces} faces were found in the photo, not {FACES}").into());
            }
            println!("{}", Level::detect().name());
            Ok(())
        }
        _ => Err("usage: photo_cost make PHOTO.jpg, or photo_cost index PHOTO.jpg INDEX.db".into()),
    }
}

/// The function whose instructions callgrind counts (`--toggle-collect`). Returns the number of faces.
#[inline(never)]
fn index_counted(
    analyser: &LocalAnalyser,
    store: &mut Store,
    path: &Path,
) -> Result<usize, Box<dyn Error>> {
    let record = analyser
        .file_by_stages(path, &mut |_| ())
        .map_err(|skip| skip.to_string())?;
    let file = (path.canonicalize()?, FileMeta::of(&path.metadata()?));
    store.batch(|batch| batch.put_photo(&record, &[file]).map(drop))?;
    Ok(record.content.map_or(0, |photo| photo.faces.len()))
}

/// Writes the photo, with chroma at half the resolution and with EXIF, as cameras do; without a position, since the
/// first position of a process has the additional cost of reading the borders.
fn make(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut photo = RgbImage::new(SIZE.0, SIZE.1);
    let across = SIZE.0 / PART.0;
    for (index, name) in (0..).zip(PARTS) {
        let part = common::photo(name);
        let (x, y) = (index % across * PART.0, index / across * PART.1);
        let part = imageops::crop_imm(&part, 0, 0, PART.0, PART.1).to_image();
        imageops::replace(&mut photo, &part, x.into(), y.into());
    }
    let block = ExifBlock::new()
        .with_date("2008:05:30 15:56:01", "25", "+02:00")
        .with_text(exif::Tag::Model, "Camera");
    let mut encoder = Encoder::new_file(path, 90)?;
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.add_exif_metadata(&block.bytes())?;
    encoder.encode(&photo, SIZE.0 as u16, SIZE.1 as u16, ColorType::Rgb)?;
    Ok(())
}
