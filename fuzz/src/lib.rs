//! Code that all targets share.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io::Cursor;
use std::panic;
use std::process;
use std::sync::Mutex;
use std::time::Duration;

use fer_index::imaging::{self, Limits};
use image::{ImageFormat, RgbImage};

/// After this call, a panic in the project's own code ends the process with a finding, even if the program would have
/// contained it and skipped the photo. A panic in a dependency is printed once for each position in its code, and is a
/// finding only if the program does not contain it, since it then ends the process.
pub fn watch_panics() {
    // Decoding the first picture makes `imaging` install its panic hook, which is silent for contained panics; the hook
    // installed here afterwards is called first.
    let mut picture = Cursor::new(Vec::new());
    RgbImage::new(8, 8)
        .write_to(&mut picture, ImageFormat::Jpeg)
        .expect("eight by eight pixels can be encoded");
    let limits = Limits {
        max_bytes: 1 << 20,
        max_pixels: 64,
        max_time: Duration::from_secs(10),
    };
    imaging::decode(picture.get_ref(), &limits).expect("a picture that was just encoded is sound");

    let seen = Mutex::new(BTreeSet::new());
    panic::set_hook(Box::new(move |info| {
        let Some(place) = info.location() else {
            process::abort();
        };
        // Dependencies are compiled from the registry's folder.
        if !place.file().contains("/registry/") {
            eprintln!("panic: {info}");
            process::abort();
        }
        let mut seen = seen.lock().expect("this hook does not panic");
        if seen.insert((place.file().to_owned(), place.line())) {
            eprintln!("panic of a dependency: {info}");
        }
    }));
}
