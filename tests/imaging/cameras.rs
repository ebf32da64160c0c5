//! Decodes files from real cameras, if they are available, and prints their metadata.

#![allow(clippy::print_stderr)]

use fer_index::imaging::Format;
use fer_index::photo::DateSource;

use crate::{common, decode};

#[test]
fn files_straight_from_cameras_decode() {
    let Some(folder) = common::shared("photos/camera-dev") else {
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut dated = 0;
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy();
        let decoded = decode(&std::fs::read(path).unwrap());
        let (width, height) = (decoded.raster.width(), decoded.raster.height());
        eprintln!("{name}: {width} × {height}, {:?}", decoded.capture());
        let expected = match path.extension().and_then(|extension| extension.to_str()) {
            Some("jpg") => Format::Jpeg,
            Some("avif") => Format::Avif,
            _ => Format::Heic,
        };
        assert_eq!(decoded.format, expected, "{name}");
        assert!(width * height > 1_000_000, "{name}");
        dated += usize::from(
            decoded
                .capture()
                .taken_at
                .is_some_and(|taken_at| taken_at.source == DateSource::Exif),
        );
    }
    // One, a re-encoded HEIC, has no EXIF.
    assert_eq!((files.len(), dated), (18, 17));
}
