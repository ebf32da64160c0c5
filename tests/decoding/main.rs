//! Decoding processes: the same results as without them, and every way in which a decoder can die.
//!
//! The deaths are those of a stand-in: this test program starts itself as a decoding process, with a detector that
//! crashes on pictures of certain widths. The pictures themselves are undamaged.
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;
mod stand_in;

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use fer_index::album::{AlbumFilter, AlbumFilterSettings};
use fer_index::classify::Cnn;
use fer_index::detect::{Builtin, DetectorParams, FaceDetector};
use fer_index::error::{Skip, SkipReason};
use fer_index::face::DetectedFace;
use fer_index::imaging::Limits;
use fer_index::pipeline::{
    Analyser, Confinement, Decoder, Decoders, Detector, IndexOptions, Launch, LocalAnalyser,
    ProcessSettings, Processes, Silent, Summary, confinement, index,
};
use fer_index::raster::Raster;
use fer_index::store::Store;

use common::fixture;
use image::RgbImage;
use stand_in::{Death, stand_in};

/// The real program as the decoding process.
fn program() -> Launch {
    Launch {
        program: env!("CARGO_BIN_EXE_fer-index").into(),
        arguments: vec!["decoder".into()],
    }
}

fn settings() -> ProcessSettings {
    ProcessSettings {
        limits: Limits::default(),
        min_face: 16.0,
        detector: Detector::Builtin(DetectorParams::default()),
        model: None,
        workers: 2,
        timeout_margin: ProcessSettings::TIMEOUT_MARGIN,
    }
}

fn in_one_process() -> Analyser {
    let detector = Box::new(Builtin::new(DetectorParams::default()).unwrap());
    let classifier = Box::new(Cnn::embedded().unwrap());
    let local = LocalAnalyser::new(detector, classifier, Limits::default(), 16.0);
    Analyser::Local(local)
}

fn isolated(launch: Launch, settings: ProcessSettings) -> Analyser {
    Analyser::isolated(Processes::start(launch, settings).unwrap(), None)
}

/// All test photos, with what is wrong with some of them.
fn photos() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut photos: Vec<_> = ["astronaut.jpg", "hopper.jpg", "coffee.jpg", "chelsea.jpg"]
        .map(|name| (name.to_owned(), fixture(name)))
        .into();
    for group in ["formats", "matrix"] {
        for entry in std::fs::read_dir(folder.join(group)).unwrap() {
            let path = entry.unwrap().path();
            photos.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    let cut = fixture("astronaut.jpg")[..20_000].to_vec();
    photos.push(("cut".into(), cut));
    photos.push(("empty".into(), Vec::new()));
    photos.push(("text".into(), b"Dear diary".to_vec()));
    photos
}

#[test]
fn several_processes_share_the_weights_and_a_single_one_has_its_own() {
    for (workers, expected) in [(2, true), (1, false)] {
        let settings = ProcessSettings {
            workers,
            ..settings()
        };
        let analyser = isolated(program(), settings);
        let photo = fixture("astronaut.jpg");
        // Two at the same time, as of two workers: the weights are shared from the second process on, and the first one ends.
        let both = [(); 2].map(|()| analyser.open(photo.as_slice()).unwrap());
        drop(both);
        let faces = analyser.photo(&photo).unwrap().faces;
        assert_eq!(faces.len(), 1);
        // Those that this thread has started.
        let children = std::fs::read_to_string("/proc/thread-self/children").unwrap();
        let maps = children.split_whitespace().map(|process| {
            let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
            maps.contains("memfd:fer-index weights")
        });
        let maps: Vec<bool> = maps.collect();
        let (expected, number) = if expected { (true, 1) } else { (false, 2) };
        assert_eq!(maps, vec![expected; number], "{workers} workers");
    }
}

#[test]
fn a_limit_of_the_size_of_files_keeps_no_photo_from_being_indexed() {
    let folder = tempfile::tempdir().unwrap();
    // Two, so that there are two processes, which share the weights.
    for name in ["astronaut.jpg", "hopper.jpg"] {
        std::fs::write(folder.path().join(name), fixture(name)).unwrap();
    }
    // In units of 512 or 1,024 bytes: below the length of the weights.
    let command = format!(
        "ulimit -f 8000; exec {} --threads 2 --database {1}/i.sqlite3 index --json {1}",
        env!("CARGO_BIN_EXE_fer-index"),
        folder.path().display()
    );
    let run = std::process::Command::new("sh")
        .args(["-c", &command])
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && text.contains("\"faces\":2"),
        "{run:?}"
    );
}

#[test]
fn photos_have_the_same_results_as_in_one_process() {
    let (one, other) = (in_one_process(), isolated(program(), settings()));
    assert_eq!(one.models(), other.models());
    let mut faces = 0;
    for (name, bytes) in photos() {
        let expected = one.photo(&bytes);
        faces += expected.as_ref().map_or(0, |photo| photo.faces.len());
        assert_eq!(other.photo(&bytes), expected, "{name}");
    }
    assert!(faces > 10, "{faces}");
}

/// A detector in this process: it returns the whole picture as a face, and refuses small pictures.
struct Whole;

impl FaceDetector for Whole {
    fn model(&self) -> &'static str {
        "whole 1"
    }

    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip> {
        if photo.width() < 200 {
            return Err(Skip::new(SkipReason::DetectorFailed, "too small"));
        }
        Ok(vec![stand_in::face(
            photo.width() as f32,
            photo.height() as f32,
        )])
    }
}

#[test]
fn a_detector_outside_is_asked_about_a_reduced_copy() {
    let settings = ProcessSettings {
        detector: Detector::OfParent {
            model: "whole 1".into(),
            max_pixels: 50_000,
        },
        ..settings()
    };
    let processes = Processes::start(program(), settings).unwrap();
    let analyser = Analyser::isolated(processes, Some(Box::new(Whole)));
    let photo = analyser.photo(&fixture("astronaut.jpg")).unwrap();
    assert_eq!(photo.models.detector, "whole 1");
    let at = photo.faces[0].face.bounding_box;
    assert!((at.width - photo.width as f32).abs() < 0.1, "{at}");
    assert!((at.height - photo.height as f32).abs() < 0.1, "{at}");
    let refused = analyser.photo(&stand_in::picture(100)).unwrap_err();
    assert_eq!(refused, Skip::new(SkipReason::DetectorFailed, "too small"));
    assert!(analyser.photo(&fixture("hopper.jpg")).is_ok());
}

#[test]
fn a_process_has_no_files_no_network_and_limited_memory() {
    let processes = Processes::start(program(), settings()).unwrap();
    let all = Confinement {
        calls: true,
        files: true,
        memory: true,
    };
    assert_eq!(processes.confinement(), all);
    assert_eq!(confinement(&program()).unwrap(), all);
    // In the decoding process, the stand-in tries what an attacker who controls a decoder would try.
    let analyser = isolated(stand_in(), settings());
    let tried = analyser.photo(&stand_in::picture(Death::Escape.width()));
    let found = tried.unwrap().faces;
    let escapes: Vec<_> = found.iter().map(|face| face.face.score).collect();
    assert_eq!(escapes, [0.5], "the score counts what succeeded");
}

#[test]
fn every_death_is_survived_and_recorded_and_the_other_photos_are_indexed() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    let deaths = [
        (Death::Overflow, SkipReason::Crashed),
        (Death::Abort, SkipReason::Crashed),
        (Death::Exhaustion, SkipReason::Crashed),
        (Death::Exit, SkipReason::Crashed),
        (Death::EndlessLoop, SkipReason::TimedOut),
    ];
    for (death, _) in deaths {
        let name = format!("{death:?}.png");
        std::fs::write(photos.join(name), stand_in::picture(death.width())).unwrap();
    }
    for width in 300..312 {
        let name = format!("{width}.png");
        std::fs::write(photos.join(name), stand_in::picture(width)).unwrap();
    }
    let settings = ProcessSettings {
        // The memory limit of the process depends on these.
        limits: Limits {
            max_time: Duration::from_millis(100),
            max_pixels: 10_000_000,
            max_bytes: 10_000_000,
        },
        timeout_margin: Duration::from_secs(5),
        ..settings()
    };
    let analyser = isolated(stand_in(), settings);
    let mut store = Store::open(&folder.path().join("index.sqlite3")).unwrap();
    let start = Instant::now();
    let summary = run(&mut store, &analyser, &photos, false);
    assert!(start.elapsed() < Duration::from_mins(2));
    assert_eq!(summary.photos, 12, "{:?}", summary.skipped);
    for (death, reason) in deaths {
        let path = photos.join(format!("{death:?}.png"));
        let path = path.canonicalize().unwrap();
        let id = store.file(&path).unwrap().unwrap().unwrap();
        let skip = store.photo(id).unwrap().unwrap().content.unwrap_err();
        assert_eq!(skip.reason, reason, "{death:?}: {skip}");
        assert!(skip.detail.contains("process"), "{death:?}: {skip}");
    }
    // Not tried again until the file changes or a person asks for it.
    let again = run(&mut store, &analyser, &photos, false);
    assert_eq!((again.unchanged, again.photos), (17, 0));
    std::fs::write(photos.join("Abort.png"), stand_in::picture(320)).unwrap();
    assert_eq!(run(&mut store, &analyser, &photos, false).photos, 1);
    let all = run(&mut store, &analyser, &photos, true);
    assert_eq!(all.photos, 13, "{:?}", all.skipped);
}

fn run(store: &mut Store, analyser: &Analyser, photos: &Path, again: bool) -> Summary {
    let options = IndexOptions {
        threads: NonZeroUsize::new(2).unwrap(),
        reanalyse: again,
    };
    let filter = AlbumFilter::new(&AlbumFilterSettings::default()).unwrap();
    let roots = [photos.to_owned()];
    index(store, analyser, &roots, &filter, options, &Silent).unwrap()
}

#[test]
fn a_photo_whose_process_got_no_cpu_time_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    let idle = stand_in::picture(Death::Idleness.width());
    std::fs::write(photos.join("idle.png"), idle).unwrap();
    let settings = ProcessSettings {
        limits: Limits {
            max_time: Duration::from_millis(500),
            ..Limits::default()
        },
        timeout_margin: Duration::from_secs(5),
        ..settings()
    };
    let mut store = Store::open(&folder.path().join("index.sqlite3")).unwrap();
    let analyser = isolated(stand_in(), settings);
    assert_eq!(run(&mut store, &analyser, &photos, false).photos, 0);
    let path = photos.join("idle.png").canonicalize().unwrap();
    let id = store.file(&path).unwrap().unwrap().unwrap();
    let skip = store.photo(id).unwrap().unwrap().content.unwrap_err();
    assert_eq!(skip.reason, SkipReason::Unreadable, "{skip}");
    assert!(skip.detail.contains("CPU time"), "{skip}");
    // An analyser without the stand-in processes the photo.
    let analyser = in_one_process();
    assert_eq!(run(&mut store, &analyser, &photos, false).photos, 1);
}

fn decoders(launch: Launch) -> Decoder {
    Decoder::Isolated(Box::new(Decoders::new(launch, Limits::default())))
}

#[test]
fn copies_are_the_same_as_in_one_process() {
    let (one, other) = (Decoder::Local(Limits::default()), decoders(program()));
    for (name, bytes) in photos() {
        let expected = one.copy(&bytes, (300, 200));
        assert_eq!(other.copy(&bytes, (300, 200)), expected, "{name}");
    }
}

#[test]
fn a_decoder_that_dies_of_a_photo_shows_the_next_one() {
    let decoder = decoders(stand_in::poor_stand_in());
    let small = || decoder.copy(&stand_in::picture(300), (100, 100));
    assert!(small().is_ok());
    let mut large = std::io::Cursor::new(Vec::new());
    RgbImage::new(8000, 6000)
        .write_to(&mut large, image::ImageFormat::Png)
        .unwrap();
    let skip = decoder.copy(large.get_ref(), (100, 100)).unwrap_err();
    assert_eq!(skip.reason, SkipReason::Crashed, "{skip}");
    assert!(small().is_ok());
}

#[test]
fn no_process_is_left_when_the_work_is_done() {
    // This argument has no effect; by it the test recognises its own processes.
    let mark = "--skip=of-this-test";
    let mut launch = stand_in();
    launch.arguments.push(mark.into());
    let analyser = isolated(launch, settings());
    analyser.photo(&stand_in::picture(300)).unwrap();
    let running = || {
        let commands = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let line = std::fs::read(entry.unwrap().path().join("cmdline")).ok()?;
            String::from_utf8_lossy(&line).contains(mark).then_some(())
        });
        commands.count()
    };
    assert_eq!(running(), 1);
    drop(analyser);
    assert_eq!(running(), 0);
}

#[test]
fn a_program_that_is_no_decoding_process_is_refused_with_what_to_do() {
    for program in ["/nonexistent/program", "/bin/true", "/bin/cat"] {
        let launch = Launch {
            program: program.into(),
            arguments: Vec::new(),
        };
        let settings = ProcessSettings {
            timeout_margin: Duration::from_secs(1),
            ..settings()
        };
        let error = Processes::start(launch, settings).unwrap_err();
        assert!(error.to_string().contains("limits.isolate"), "{error}");
    }
}
