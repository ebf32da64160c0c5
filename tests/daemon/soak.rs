//! A soak test: random changes to files for some time, after which the index must equal a fresh one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fer_index::emotion::Emotion;
use fer_index::store::{Query, Store};

use crate::common::dump::{difference, dump};
use crate::common::{rewrite_keeping_time, sidecar};
use crate::crashes::Random;
use crate::harness::{Daemon, assert_intact, non_image, numbered, portrait, report, size};
use crate::testenv::TestEnv;

/// Makes random changes to files and folders.
struct RandomChanges<'a> {
    env: &'a TestEnv,
    random: Random,
    portrait: Vec<u8>,
    made: usize,
    done: usize,
}

impl RandomChanges<'_> {
    fn some_path(&mut self) -> PathBuf {
        let (folder, name) = (self.random.below(6), self.random.below(40));
        self.env
            .album(format!("{folder}/{}/{name}.jpg", self.random.below(3)))
    }

    fn some_folder(&mut self) -> PathBuf {
        let (a, b) = (self.random.below(6), self.random.below(3));
        self.env.album(format!("{a}/{b}"))
    }

    /// One of the two sidecars of a photo.
    fn some_sidecar(&mut self, photo: &Path) -> PathBuf {
        let extension = ["jpg.xmp", "xmp"][self.random.below(2) as usize];
        photo.with_extension(extension)
    }

    fn content(&mut self) -> Vec<u8> {
        self.made += 1;
        match self.random.below(12) {
            0 => numbered(&self.portrait, self.made),
            1 => non_image(self.random.below(20) as usize).into(), // a copy of another
            _ => non_image(1000 + self.made).into(),
        }
    }

    fn make_one(&mut self) {
        let path = self.some_path();
        let other = self.some_path();
        // Some of these calls fail, for instance because the file does not exist; this is intended.
        let _ = match self.random.below(18) {
            0..=4 => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let content = self.content();
                fs::write(&path, content)
            }
            5 => fs::rename(&path, &other),
            6 => fs::copy(&path, &other).map(drop),
            7 => fs::hard_link(&path, &other).and_then(|()| fs::remove_file(&path)),
            8 => {
                let half = path.with_extension("jpg.part");
                let content = self.content();
                fs::write(&half, content).and_then(|()| fs::rename(&half, &path))
            }
            9 => fs::File::options()
                .write(true)
                .open(&path)
                .and_then(|file| file.set_len(5)),
            10 => fs::rename(self.some_folder(), self.some_folder()),
            11 if self.random.below(8) == 0 => fs::remove_dir_all(self.some_folder()),
            12 | 13 => {
                let keyword = self.random.below(9).to_string();
                fs::write(self.some_sidecar(&path), sidecar(&[&keyword]))
            }
            14 => fs::rename(self.some_sidecar(&path), self.some_sidecar(&other)),
            15 => fs::remove_file(self.some_sidecar(&path)),
            16 => fs::read(&path).map(|mut bytes| {
                let other_last = bytes.pop().map(|last| last ^ 1);
                bytes.extend(other_last);
                rewrite_keeping_time(&path, &bytes);
            }),
            _ => fs::remove_file(&path),
        };
        self.done += 1;
    }
}

#[test]
fn after_a_soak_the_index_equals_a_fresh_one() {
    let env = TestEnv::new();
    let span = size(Duration::from_mins(1), Duration::from_mins(10));
    let daemon = Daemon::start(&env);
    let is_over = AtomicBool::new(false);
    let mut changes = RandomChanges {
        env: &env,
        random: Random(42),
        portrait: portrait(),
        made: 0,
        done: 0,
    };
    let queries: usize = thread::scope(|scope| {
        let loops: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let store = Store::open_existing(&env.database()).unwrap();
                    let mut count = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        store
                            .query(&Query::for_emotion(Emotion::Happy))
                            .expect("a query must not fail");
                        count += 1;
                        thread::sleep(Duration::from_millis(20));
                    }
                    count
                })
            })
            .collect();
        let end = Instant::now() + span;
        while Instant::now() < end {
            changes.make_one();
            thread::sleep(Duration::from_millis(changes.random.below(20)));
        }
        is_over.store(true, Ordering::Relaxed);
        loops
            .into_iter()
            .map(|queries| queries.join().unwrap())
            .sum()
    });
    let run = env.run("query --emotion happy --all --fresh --fresh-within 200");
    assert!(run.code <= 1, "{run:?}");
    let log = daemon.log();
    daemon.stop();
    assert_intact(&env.database());

    let fresh = env.path("fresh.sqlite3");
    let run = env.run("index album --database fresh.sqlite3 --json");
    assert_eq!(run.code, 0, "{run:?}");
    let (followed, fresh) = (dump(&env.database()), dump(&fresh));
    let difference = difference(&followed, &fresh);
    assert!(
        difference.is_empty(),
        "only in the followed index (-), only in the fresh one (+):\n{difference}\n{log}"
    );
    let run = env.run("doctor");
    assert_eq!(run.code, 0, "{run:?}");
    report(
        "soak",
        format!(
            "{span:?}, {} changes, {queries} queries: {} rows, equal to a fresh index",
            changes.done,
            fresh.lines().count()
        ),
    );
}
