//! The JPEGs that the tests decode.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::Path;

use fer_jpeg::{Channels, Header, Picture, Pixels, Result};

/// Name and content of every JPEG that this decoder supports: those of this crate, and photos of the program's tests.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["tests/fixtures", "../../tests/fixtures"] {
        for entry in here.join(folder).read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "jpg") {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                files.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    assert!(files.len() > 15, "{} files", files.len());
    files
}

/// The content of one of them.
pub fn file(name: &str) -> Vec<u8> {
    let mut files = files().into_iter();
    files.find(|(other, _)| other == name).expect("this file").1
}

pub fn decode(bytes: &[u8], eighths: usize, channels: Channels) -> Result<(Picture, Pixels)> {
    Header::read(bytes)?.decode(eighths, channels, &|| false)
}
