//! Photos of a burst look alike, and no correction may carry over from one of them to another.
//!
//! ```text
//! BURSTS=FOLDER cargo test --release --test living -- --nocapture bursts
//! ```
//!
//! treats each folder in FOLDER as one burst, such as the frames of a video clip, in the order of the file names.
//! `docs/corrections.md` has the result.

use std::path::Path;
use std::{env, fs};

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

use crate::common::exif_block::ExifBlock;
use crate::common::{jpeg, jpeg_with_exif, photo};
use crate::harness::{number, report};
use crate::testenv::TestEnv;

/// Most photos of a burst, all of one second.
const PHOTOS: usize = 25;

/// How many frames of a clip are skipped between two photos of a burst.
const SKIPPED: usize = 2;

/// How a camera dates the photos of a second.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Clock {
    /// All alike.
    Seconds,
    /// By hundredths.
    Hundredths,
}

/// When a person corrects the face in each photo.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// As soon as it is in the index, before the next photo arrives.
    Arriving,
    /// When all are in the index.
    Together,
}

/// A file of a camera that takes its photos in the first second of 2024.
fn shot(picture: &RgbImage, clock: Clock, index: usize) -> Vec<u8> {
    let fraction = match clock {
        Clock::Seconds => String::new(),
        Clock::Hundredths => format!("{:02}", 3 * index + 1),
    };
    let block = ExifBlock::new()
        .with_date("2024:01:01 00:00:00", &fraction, "")
        .with_text(exif::Tag::Model, "Burst 1");
    jpeg_with_exif(&jpeg(picture.clone()), &block.bytes())
}

/// Corrects the largest face of a photo to sad; `false` if the detector found none.
fn correct(env: &TestEnv, name: &str) -> bool {
    let shown = env.run(&format!("show --json album/{name}")).found().json();
    let faces = shown["faces"].as_array().unwrap().iter();
    let side = |face: &&serde_json::Value| face["box"][2].as_f64().unwrap();
    let Some(face) = faces.max_by(|a, b| side(a).total_cmp(&side(b))) else {
        return false;
    };
    env.run(&format!("correct {} --emotion sad", face["id"]))
        .found();
    true
}

fn carried(env: &TestEnv) -> i64 {
    number(
        env,
        "SELECT count(*) FROM corrections WHERE carried_from IS NOT NULL",
    )
}

/// Corrects the largest face of each photo of a burst. Returns the pairs of photos between which a correction could
/// have been carried over, and how many were.
fn wrong(burst: &[RgbImage], clock: Clock, order: Order) -> (usize, i64) {
    let env = TestEnv::new();
    let name = |index: usize| format!("{index:03}.jpg");
    let add = |index: usize| env.add(name(index), shot(&burst[index], clock, index));
    let mut corrected = 0;
    if let Order::Together = order {
        for index in 0..burst.len() {
            add(index);
        }
        env.index();
    }
    for index in 0..burst.len() {
        if let Order::Arriving = order {
            add(index);
            env.index();
        }
        corrected += usize::from(correct(&env, &name(index)));
    }
    let wrong = carried(&env);

    // The correction is carried over to an export of the first photo if the fraction of the second shows of which photo
    // it is an export.
    let (width, height) = burst[0].dimensions();
    let smaller = resize(
        &burst[0],
        width * 3 / 4,
        height * 3 / 4,
        FilterType::Lanczos3,
    );
    env.add("export.jpg", shot(&smaller, clock, 0));
    env.index();
    let expected = i64::from(clock == Clock::Hundredths && corrected == burst.len());
    if corrected == burst.len() {
        assert_eq!(carried(&env) - wrong, expected, "{clock:?}, {order:?}");
    }
    (corrected * corrected.saturating_sub(1) / 2, wrong)
}

/// The bursts to measure: those of the folder in the variable BURSTS, or a person who moves by a few pixels.
fn bursts() -> Vec<Vec<RgbImage>> {
    let Ok(folder) = env::var("BURSTS") else {
        let portrait = photo("astronaut.jpg");
        let moved = |by: u32| crop_imm(&portrait, 110 + by, 5 + by / 2, 170, 170).to_image();
        return vec![(0..6).map(moved).collect()];
    };
    let sorted = |folder: &Path| {
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths
    };
    let burst = |folder: &Path| {
        let frames = sorted(folder).into_iter().step_by(1 + SKIPPED).take(PHOTOS);
        frames
            .map(|frame| image::open(frame).unwrap().into_rgb8())
            .collect()
    };
    sorted(Path::new(&folder))
        .iter()
        .map(|folder| burst(folder))
        .collect()
}

#[test]
fn no_photo_of_a_burst_takes_over_what_was_said_of_another() {
    let mut pairs = 0;
    for burst in bursts() {
        for clock in [Clock::Seconds, Clock::Hundredths] {
            for order in [Order::Arriving, Order::Together] {
                let (compared, wrong) = wrong(&burst, clock, order);
                assert_eq!(wrong, 0, "{clock:?}, {order:?}");
                pairs += compared;
            }
        }
    }
    assert!(pairs > 0, "no face was corrected");
    report(
        "bursts",
        format!("{pairs} pairs, none taken for the same picture"),
    );
}
