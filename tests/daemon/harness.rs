//! Helpers: a daemon that follows the album of a test, cheap test files, and queries of the database.

use std::fmt::Display;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};
use std::{env, thread};

use image::imageops::crop_imm;
use rusqlite::Connection;
use serde_json::Value;

use fer_index::face::ScoredFace;
use fer_index::features::Features;
use fer_index::file::FileMeta;
use fer_index::imaging::{Limits, facts};
use fer_index::photo::ContentHash;
use fer_index::store::{Batch, PhotoAnalysis, PhotoRecord, Store};

use crate::common::{jpeg, photo, with_comment};
use crate::testenv::TestEnv;

/// How long a test waits for a condition; far more than necessary, even on a busy machine.
const DEADLINE: Duration = Duration::from_mins(4);

/// Settings with short intervals, so that tests do not wait long.
pub const QUICK: [(&str, &str); 2] = [
    ("FER_INDEX_WATCH_SETTLE_SECONDS", "0.3"),
    ("FER_INDEX_WATCH_RESCAN_SECONDS", "3600"),
];

/// A running daemon, which is killed on drop.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `watch album` and waits until the daemon has reconciled the album.
    pub fn start(env: &TestEnv) -> Self {
        Self::start_with(env, &[])
    }

    /// Like [`start`](Self::start), with settings from the environment.
    pub fn start_with(env: &TestEnv, settings: &[(&str, &str)]) -> Self {
        Self::follow(env, "album", settings)
    }

    /// Like [`start_with`](Self::start_with), for these folders; an empty string for those of the settings.
    pub fn follow(env: &TestEnv, roots: &str, settings: &[(&str, &str)]) -> Self {
        let daemon = Self::spawn_for(env, roots, settings);
        wait_until("the daemon is ready", || {
            status(env)["daemon"]["is_ready"] == true
        });
        daemon
    }

    /// Starts the daemon without waiting until it is ready.
    pub fn spawn(env: &TestEnv, settings: &[(&str, &str)]) -> Self {
        Self::spawn_for(env, "album", settings)
    }

    fn spawn_for(env: &TestEnv, roots: &str, settings: &[(&str, &str)]) -> Self {
        let log = env.path("daemon.log");
        let mut command = env.command(&format!("watch {roots}"));
        command.envs(QUICK).envs(settings.iter().copied());
        command.stderr(
            File::options()
                .create(true)
                .append(true)
                .open(&log)
                .unwrap(),
        );
        Self {
            child: command.spawn().unwrap(),
            log,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal such as TERM or STOP.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Kills the daemon.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops the daemon with SIGTERM, like a supervisor. Returns its exit status and how long it took.
    pub fn stop(mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        self.signal("TERM");
        let mut status = None;
        wait_until("the daemon stops", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        (status.unwrap(), start.elapsed())
    }

    /// The CPU time of all its threads so far, including those that have ended.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        // `proc_pid_stat(5)`: fields 14 and 15. Field 2, the name, may contain spaces.
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        let ticks: u64 = fields
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum();
        Duration::from_millis(ticks * 10) // 100 ticks a second on every Linux
    }

    /// Whether the daemon still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// A value of `/proc/PID/status` in KiB, such as `VmRSS`.
    pub fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the daemon logged:\n{}", self.log());
        }
    }
}

/// Polls a condition until it is true; panics after [`DEADLINE`].
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting for: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The output of `status --json`; null while there is no database.
pub fn status(env: &TestEnv) -> Value {
    let run = env.run("status --json");
    if run.code == 0 {
        run.json()
    } else {
        Value::Null
    }
}

/// Whether the tests run in full size.
pub fn is_full() -> bool {
    env::var("RELIABILITY").is_ok_and(|size| size == "full")
}

/// A size of a test: `small`, or `full` in a full run.
pub fn size<T>(small: T, full: T) -> T {
    if is_full() { full } else { small }
}

/// Prints a figure for the table in `docs/reliability.md`.
pub fn report(promise: &str, figure: impl Display) {
    eprintln!("RESULT {promise}: {figure}");
}

/// A JPEG with its own content hash: the same pixels and a comment with the number.
pub fn numbered(jpeg: &[u8], number: usize) -> Vec<u8> {
    with_comment(jpeg, &format!("{number:08}"))
}

/// A small portrait for [`numbered`].
pub fn portrait() -> Vec<u8> {
    jpeg(crop_imm(&photo("astronaut.jpg"), 110, 5, 170, 170).to_image())
}

/// The content of a file that is skipped as "not an image", so that it gets a row without decoding.
pub fn non_image(number: usize) -> String {
    format!("photo number {number}, or not")
}

/// Adds the files of [`non_image`] with these numbers to the album, a thousand per folder.
pub fn add_non_images(env: &TestEnv, folder: &str, range: std::ops::Range<usize>) {
    for number in range {
        let name = format!("{folder}/{:03}/{number:06}.jpg", number / 1000);
        env.add(name, non_image(number));
    }
}

/// Adds portraits with these numbers to a folder of the album, five hundred per folder in it, and their rows to the
/// index. Only the first is processed; the others get the same results, as a run of `index` would store them.
pub fn add_indexed(env: &TestEnv, folder: &str, range: std::ops::Range<usize>) {
    let portrait = portrait();
    let first = env.add(
        format!("{folder}/first.jpg"),
        numbered(&portrait, range.start),
    );
    assert_eq!(env.index()["photos"], 1);
    let mut store = Store::open(&env.database()).unwrap();
    let id = store.file(&first).unwrap().unwrap().unwrap();
    let scan = store.photo(id).unwrap().unwrap().content.unwrap();
    let scan = PhotoAnalysis {
        faces: scan
            .faces
            .iter()
            .map(|stored| ScoredFace {
                face: stored.face,
                scores: stored.scores,
                features: Some(Features::none()),
            })
            .collect(),
        format: scan.format,
        width: scan.width,
        height: scan.height,
        statements: scan.statements,
        capture: scan.capture,
        people: Vec::new(),
        models: scan.models,
        unread: scan.unread,
        incomplete: scan.incomplete,
    };
    let numbers: Vec<usize> = range.skip(1).collect();
    for numbers in numbers.chunks(500) {
        let add = |batch: &Batch<'_>| {
            for number in numbers {
                let bytes = numbered(&portrait, *number);
                let name = format!("{folder}/{:03}/{number:06}.jpg", number / 500);
                let path = env.add(name, &bytes);
                let record = PhotoRecord {
                    hash: ContentHash::of(&bytes),
                    bytes: bytes.len() as u64,
                    picture: Some(facts(&bytes, &Limits::default()).unwrap().picture),
                    content: Ok(scan.clone()),
                };
                let meta = FileMeta::of(&fs::metadata(&path).unwrap());
                batch.put_photo(&record, &[(path, meta)])?;
            }
            Ok(())
        };
        store.batch(add).unwrap();
    }
}

/// The number in the first row of a query's result; 0 while there is no database.
pub fn number(env: &TestEnv, sql: &str) -> i64 {
    let query = |database: Connection| database.query_row(sql, [], |row| row.get(0));
    env.open().and_then(query).unwrap_or_default()
}

/// Number of files in the index.
pub fn files(env: &TestEnv) -> i64 {
    number(env, "SELECT count(*) FROM files")
}

/// The number of each photo and when it was last processed. The result stays the same if no photo is
/// processed again.
pub fn index_times(env: &TestEnv) -> Vec<(i64, i64)> {
    rows(env, "SELECT id, indexed_at FROM photos ORDER BY id")
}

/// The number of each face and that of its photo.
pub fn faces(env: &TestEnv) -> Vec<(i64, i64)> {
    rows(env, "SELECT id, photo_id FROM faces ORDER BY id")
}

fn rows(env: &TestEnv, sql: &str) -> Vec<(i64, i64)> {
    let database = env.open().unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Checks the integrity and the foreign keys of a database.
#[track_caller]
pub fn assert_intact(database: &Path) {
    let database = Connection::open(database).unwrap();
    let verdict: String = database
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    let mut check = database.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(!check.exists([]).unwrap());
}

/// The `share` quantile of the times.
pub fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort();
    times[((times.len() - 1) as f64 * share).round() as usize]
}
