//! A soak test: random changes to files for some time, after which the index must equal a fresh one.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use image::{Rgb, RgbImage};

use fer_index::emotion::Emotion;
use fer_index::store::{Query, Store};

use crate::common::dump::{difference, dump};
use crate::common::exif_block::ExifBlock;
use crate::common::{jpeg, jpeg_with_exif, rewrite_keeping_time, sidecar, with_comment};
use crate::crashes::Random;
use crate::harness::{Daemon, assert_intact, non_image, numbered, portrait, report, size};
use crate::testenv::TestEnv;

/// Makes random changes to files and folders.
struct RandomChanges<'a> {
    env: &'a TestEnv,
    random: Random,
    pictures: Vec<Vec<u8>>,
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

    /// A photo without a face, with one of seven pictures, one of four orientations, and a comment: a rewritten file
    /// may have the same picture. (It has no face because boxes are turned with the orientation, while a fresh index
    /// detects them again, at nearly the same position.)
    fn photo(&mut self) -> Vec<u8> {
        let orientation = [1, 3, 6, 8][self.random.below(4) as usize];
        let block = ExifBlock::new().with_orientation(orientation).bytes();
        let picture = &self.pictures[1 + self.random.below(7) as usize];
        with_comment(&jpeg_with_exif(picture, &block), &self.made.to_string())
    }

    fn content(&mut self) -> Vec<u8> {
        self.made += 1;
        match self.random.below(12) {
            0 => numbered(&self.pictures[0], self.made),
            1 | 2 => self.photo(),
            3 => non_image(self.random.below(20) as usize).into(), // a copy of another
            _ => non_image(1000 + self.made).into(),
        }
    }

    /// Changes a photo's metadata as a tagging program does: a comment or another orientation. `write` determines how
    /// it writes the file.
    fn tag(&mut self, path: &Path, write: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let bytes = fs::read(path)?;
        if !bytes.starts_with(b"\xff\xd8") {
            return Ok(());
        }
        self.made += 1;
        let mut tagged = with_comment(&bytes, &self.made.to_string());
        // The entry of the orientation, one number of 16 bits, followed by the value.
        let entry = tagged
            .windows(8)
            .position(|bytes| bytes == b"\x12\x01\x03\0\x01\0\0\0");
        if let Some(entry) = entry {
            tagged[entry + 8] = [1, 3, 6, 8][self.random.below(4) as usize];
        }
        write(&tagged)
    }

    fn make_one(&mut self) {
        let path = self.some_path();
        let other = self.some_path();
        // Some of these calls fail, for instance because the file does not exist; this is intended.
        let _ = match self.random.below(24) {
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
            17 => self.tag(&path, |bytes| fs::write(&path, bytes)),
            18 => self.tag(&path, |bytes| {
                let written = path.with_extension("jpg_tmp");
                fs::write(&written, bytes).and_then(|()| fs::rename(&written, &path))
            }),
            19 => self.tag(&path, |bytes| {
                rewrite_keeping_time(&path, bytes);
                Ok(())
            }),
            // A link to a folder; changes of the target of a link to a file would be found only by a rescan.
            20 => {
                let link = self.env.album("link");
                let _ = fs::remove_file(&link);
                symlink(self.some_folder(), link)
            }
            21 => {
                let marker = self.some_folder().join(".nomedia");
                match self.random.below(3) {
                    0 => fs::write(marker, ""),
                    _ => fs::remove_file(marker),
                }
            }
            _ => fs::remove_file(&path),
        };
        self.done += 1;
    }
}

/// Eight small pictures, one of them with a face.
fn pictures() -> Vec<Vec<u8>> {
    let mut pictures = vec![portrait()];
    for shade in 1..8 {
        pictures.push(jpeg(RgbImage::from_pixel(64, 48, Rgb([30 * shade; 3]))));
    }
    pictures
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
        pictures: pictures(),
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
