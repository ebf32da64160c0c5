//! The program indexes a folder of mutated photos with some sound ones among them: it neither crashes nor hangs, every
//! sound photo is indexed, and each skipped file has a reason.
//!
//! `HOSTILE_FILES` sets the number of files.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{fixture, with_comment};
use crate::mutate::mutated;
use crate::samples::samples;
use crate::testenv::TestEnv;

/// The kinds of samples that are photos, with the extension of their files.
const PHOTOS: [(&str, &str); 9] = [
    ("jpeg", "jpg"),
    ("png", "png"),
    ("webp", "webp"),
    ("gif", "gif"),
    ("tiff", "tif"),
    ("bmp", "bmp"),
    ("heif", "heic"),
    ("jxl", "jxl"),
    ("raw", "dng"),
];

/// One in this many files is sound.
const SOUND: usize = 50;

/// Adds the file with this number, and for one in ten a mutated sidecar of each kind.
fn add(env: &TestEnv, number: usize, samples: &[Vec<Vec<u8>>]) {
    let (kind, extension) = PHOTOS[number % PHOTOS.len()];
    let samples = &samples[number % PHOTOS.len()];
    let name = format!("{:02}/{number}.{extension}", number % 20);
    // The first inputs are the unchanged samples.
    let input = (samples.len() + number / PHOTOS.len()) as u64;
    env.add(&name, mutated(kind, input, samples));
    if number.is_multiple_of(10) {
        for (kind, extension) in [
            ("sidecar", "xmp"),
            ("takeout", "supplemental-metadata.json"),
        ] {
            let samples = crate::samples::samples(kind);
            let input = (samples.len() + number) as u64;
            env.add(
                format!("{name}.{extension}"),
                mutated(kind, input, &samples),
            );
        }
    }
}

/// The resident memory of a process and of those that it has started, in kB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident =
        resident.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    let mut total = resident.unwrap_or_default();
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|child| child.parse().ok());
        total += children.map(memory).sum::<u64>();
    }
    total
}

#[test]
fn hostile_files_end_nothing_and_hide_no_sound_photo() {
    let files = std::env::var("HOSTILE_FILES").ok();
    let files = files.map_or(200, |text| text.parse().expect("a number"));
    let env = TestEnv::new();
    let all: Vec<_> = PHOTOS.iter().map(|(kind, _)| samples(kind)).collect();
    let mut sound = Vec::new();
    for number in 0..files {
        if number % SOUND == SOUND - 1 {
            let name = format!("{:02}/sound {number}.jpg", number % 20);
            let photo = with_comment(&fixture("hopper.jpg"), &number.to_string());
            env.add(&name, photo);
            sound.push(name);
        } else {
            add(&env, number, &all);
        }
    }

    let start = Instant::now();
    let mut index = env.command("index album --json");
    // A photo that takes longer than ten seconds is reported as timed out.
    index.env("FER_INDEX_LIMITS_DECODE_SECONDS", "10");
    let mut child = index.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        text
    });
    let mut peak = 0;
    let ended = loop {
        peak = peak.max(memory(child.id()));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let seconds = start.elapsed().as_secs_f32();
    assert_eq!(ended.code(), Some(0));
    let summary: Value = serde_json::from_str(&reader.join().unwrap()).unwrap();

    let output = env.run("status --skipped").found();
    let bad = ["decoder crashed", "timed out"];
    let bad: Vec<&str> = output
        .text()
        .lines()
        .filter(|line| bad.iter().any(|reason| line.contains(reason)))
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    let found = env.query(&format!("--limit {files}"));
    for name in &sound {
        assert!(found.contains(name), "{name} is not found");
    }
    let again: Value = env.run("index album --json").json();
    assert_eq!(again["photos"], 0, "{again}");
    env.run("doctor").found();
    let is_there = |path: &Path| {
        path.extension()
            .is_some_and(|name| name != "xmp" && name != "json")
    };
    let photos = walkdir::WalkDir::new(env.path("album"))
        .into_iter()
        .flatten();
    let photos = photos.filter(|entry| entry.file_type().is_file() && is_there(entry.path()));
    let known = env.stored_files("true").len();
    assert_eq!(known, photos.count(), "every file has a row");
    eprintln!(
        "RESULT {files} files, {} sound, {} read, skipped {}: {seconds:.1} s, at most {} MiB in all processes",
        sound.len(),
        summary["photos"],
        summary["skipped"],
        peak >> 10
    );
}
