//! Decodes every file of a folder and prints one line for each: the result, its size in pixels, and the CPU-bound time
//! in milliseconds. With a second folder, writes the upright pixels there as PPM, for
//! `tests/imaging/matrix/compare.py`. With `--index`, decodes only what the index needs, for `benches/compare`.
//!
//!     cargo run --release --example decode_folder -- [--index] FOLDER [PIXELS]

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fer_index::detect::{Builtin, DetectorParams, FaceDetector as _};
use fer_index::imaging::{self, Limits};

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from).peekable();
    let is_for_index = arguments
        .next_if(|first| first.as_os_str() == "--index")
        .is_some();
    let detector = is_for_index
        .then(|| Builtin::new(DetectorParams::default()).expect("the built-in model is valid"));
    let Some(folder) = arguments.next() else {
        eprintln!("name a folder, and optionally one for the pixels");
        return;
    };
    let pixels = arguments.next();
    let mut files = walkdir::WalkDir::new(&folder)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file());
    for (index, entry) in files.by_ref().enumerate() {
        let path = entry.path();
        let Ok(bytes) = fs::read(path) else { continue };
        let started = Instant::now();
        let limits = Limits::default();
        let outcome = match &detector {
            Some(detector) => {
                let wanted = |width, height| detector.copy_of(width, height);
                imaging::decode_for(&wanted, None, bytes, &limits)
            }
            None => imaging::decode(bytes, &limits),
        };
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        let name = path.strip_prefix(&folder).unwrap_or(path).display();
        match outcome {
            Ok(decoded) => {
                let raster = &decoded.raster;
                let (width, height) = (raster.width(), raster.height());
                let outcome = decoded
                    .lost
                    .as_ref()
                    .map_or("decoded", |_| "decoded in part");
                println!(
                    "{index}\t{name}\t{outcome}\t{}\t{width}x{height}\t{milliseconds:.1}",
                    decoded.format
                );
                if let Some(folder) = &pixels {
                    let upright = raster.resized(width, height);
                    write_ppm(&folder.join(format!("{index}.ppm")), &upright);
                }
            }
            Err(skip) => println!("{index}\t{name}\t{skip}\t\t\t{milliseconds:.1}"),
        }
    }
}

fn write_ppm(path: &Path, pixels: &image::RgbImage) {
    let header = format!("P6\n{} {}\n255\n", pixels.width(), pixels.height());
    let written = fs::File::create(path).and_then(|mut file| {
        file.write_all(header.as_bytes())?;
        file.write_all(pixels)
    });
    if let Err(error) = written {
        eprintln!("{}: {error}", path.display());
    }
}
