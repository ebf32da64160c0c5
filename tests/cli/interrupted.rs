//! A killed run loses nothing: the next run continues, and the final index equals that of an uninterrupted run.

use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use image::imageops::crop_imm;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, jpeg, jpeg_with_exif, photo, truncated};
use crate::testenv::TestEnv;

/// Number of photos: far more than may be committed before the test of a busy machine checks.
const PHOTOS: u32 = 600;

/// Far longer than any commit takes.
const DEADLINE: Duration = Duration::from_mins(5);

/// The contents of the database without numbers that depend on the order and time of processing.
const TABLES: [&str; 4] = [
    "SELECT path, size, mtime_ns, inode, device, hash, f.skip_reason, f.skip_detail
     FROM files f LEFT JOIN photos p ON p.id = photo_id ORDER BY path",
    "SELECT hash, bytes, skip_reason, skip_detail, format, width, height, taken_local,
            taken_offset, taken_source, latitude, longitude, camera, lens, description,
            d.name, c.name, face_count
     FROM photos LEFT JOIN models d ON d.id = detector LEFT JOIN models c ON c.id = classifier
     ORDER BY hash",
    "SELECT hash, position, x, y, f.width, f.height, landmarks, detection_score,
            angry, disgust, fear, happy, sad, surprise, neutral, contempt
     FROM faces f JOIN photos p ON p.id = photo_id ORDER BY hash, position",
    "SELECT hash, emotion, score, taken
     FROM photo_scores JOIN photos p ON p.id = photo_id ORDER BY hash, emotion",
];

/// Small, different photos; among them copies, damaged ones and ones without a face.
fn album() -> TestEnv {
    let env = TestEnv::new();
    let person = photo("astronaut.jpg");
    for number in 0..PHOTOS {
        let (x, y) = (110 + 3 * (number % 15), 5 + 3 * (number / 15));
        let picture = jpeg(crop_imm(&person, x, y, 170, 170).to_image());
        env.add(format!("{number:03}.jpg"), picture);
    }
    // With a date in EXIF: otherwise a photo gets the file time of the copy that is processed first.
    let block = ExifBlock::new().with_date("2008:05:30 15:56:01", "25", "+02:00");
    let dated = jpeg_with_exif(&fixture("hopper.jpg"), &block.bytes());
    for name in ["000-copy.jpg", "075-copy.jpg", "149-copy.jpg"] {
        env.add(name, &dated);
    }
    env.add("020-cut.jpg", truncated(&dated, 50));
    env.add("100-empty.jpg", "");
    env.add("120-cat.jpg", fixture("chelsea.jpg"));
    env
}

fn tables(database: &Connection) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in TABLES {
        let mut statement = database.prepare(table).unwrap();
        let columns = statement.column_count();
        let found = statement.query_map([], |row| (0..columns).map(|i| row.get(i)).collect());
        let before = rows.len();
        rows.extend(found.unwrap().map(Result::unwrap));
        assert!(rows.len() > before, "nothing in {table}");
    }
    rows
}

/// Number of files in the database; 0 while there is no database yet.
fn committed(env: &TestEnv) -> u32 {
    let count = |database: Connection| {
        database.query_row("SELECT count(*) FROM files", [], |row| row.get(0))
    };
    env.open().and_then(count).unwrap_or(0)
}

/// Waits until at least `files` are committed, kills the run, and returns the number of committed files.
fn kill_after(files: u32, env: &TestEnv, mut run: Child) -> u32 {
    let deadline = Instant::now() + DEADLINE;
    while committed(env) < files {
        assert!(Instant::now() < deadline, "{files} files");
        assert!(
            run.try_wait().unwrap().is_none(),
            "it ended before {files} files"
        );
        thread::yield_now();
    }
    run.kill().unwrap();
    assert_eq!(run.wait().unwrap().code(), None, "killed, not ended");
    committed(env)
}

#[test]
fn the_next_run_completes_a_killed_one() {
    let env = album();
    let mut command = env.command("index album");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let files = PHOTOS + 6;

    let mut so_far = 0;
    for least in [1, 70] {
        so_far = kill_after(least.max(so_far + 1), &env, command.spawn().unwrap());
        assert!(so_far < files, "it was done before it was killed");
        // Queries find what was committed.
        assert!(!env.query("--emotion happy --all").is_empty());
    }
    let last = env.index();
    assert_eq!(last["unchanged"], so_far);
    assert_eq!(committed(&env), files);
    let interrupted = tables(&env.open().unwrap());
    assert_eq!(env.index()["unchanged"], files, "nothing is left to do");

    for end in ["", "-wal", "-shm"] {
        let mut path = env.database().into_os_string();
        path.push(end);
        let _ = std::fs::remove_file(path);
    }
    assert_eq!(env.index()["unchanged"], 0);
    let uninterrupted = tables(&env.open().unwrap());
    assert_eq!(interrupted.len(), uninterrupted.len());
    for (row, expected) in interrupted.iter().zip(&uninterrupted) {
        assert_eq!(row, expected);
    }
}

/// Waits until at least `files` are committed.
#[cfg(unix)]
fn wait_for(files: u32, env: &TestEnv) {
    let deadline = Instant::now() + DEADLINE;
    while committed(env) < files {
        assert!(Instant::now() < deadline, "{files} files");
        thread::yield_now();
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_says_what_is_kept_and_a_second_run_says_who_is_at_work() {
    use rustix::process::{Pid, Signal, kill_process};

    let env = album();
    let mut command = env.command("index album --json");
    let run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let run = run.unwrap();
    wait_for(1, &env);
    let sentence = env.run("index album").refused();
    let process = format!("(process {}, since ", run.id());
    assert!(sentence.contains(&process), "{sentence}");
    assert!(
        sentence.contains(&format!("kill {}", run.id())),
        "{sentence}"
    );

    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    let output = run.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let so_far = committed(&env);
    assert!(
        stderr.contains("stopping when the photos in progress are finished"),
        "{stderr}"
    );
    let kept = format!("stopped after {so_far} of {} files", PHOTOS + 6);
    assert!(stderr.contains(&kept), "{kept}: {stderr}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["interrupted"], true);

    let last = env.index();
    assert_eq!(last["unchanged"], so_far);
    assert_eq!(committed(&env), PHOTOS + 6);
}
