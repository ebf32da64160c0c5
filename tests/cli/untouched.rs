//! No command changes files that fer-index did not write: a randomised test that fills folders with the user's files
//! and runs every kind of output into them, repeatedly.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::common::fixture;
use crate::testenv::{Run, TestEnv};

/// Names of outputs, of their temporary files, and other names.
const NAMES: &[&str] = &[
    "out",
    "sheet.html",
    "sheet.png",
    "sheet (1).html",
    "drawing.png",
    "drawing.jpg",
    "astronaut.jpg",
    "astronaut.jpg.png",
    "astronaut.jpg.xmp",
    "shares.svg",
    "shares.png",
    "mean.safetensors",
    "index.sqlite3",
    "index.sqlite3-wal",
    "index.sqlite3-journal",
    "001 astronaut.jpg",
    "002 hopper.jpg",
    "sheet.html.partial",
    "sheet.png.partial",
    ".out.fer-index-new",
    ".out.fer-index-old",
    ".fer-index-album",
    ".fer-index-manifest",
    ".DS_Store",
];

/// The entry at a path.
#[derive(Debug, Clone, PartialEq)]
enum Thing {
    Folder(u32),
    File(u32, Vec<u8>),
    Link(PathBuf),
}

/// Everything below a folder.
fn things(folder: &Path) -> BTreeMap<PathBuf, Thing> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(|entry| {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type());
        let mode = || entry.metadata().unwrap().permissions().mode();
        let thing = if kind.is_symlink() {
            Thing::Link(fs::read_link(path).unwrap())
        } else if kind.is_dir() {
            Thing::Folder(mode())
        } else {
            Thing::File(mode(), fs::read(path).unwrap())
        };
        (path.to_owned(), thing)
    });
    entries.collect()
}

/// A simulated user, whose files must not change.
struct User {
    rng: ChaCha8Rng,
    env: TestEnv,
    /// The entries that the user made.
    own: BTreeMap<PathBuf, Thing>,
}

impl User {
    fn new(seed: u64) -> Self {
        let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
        env.index();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/emotion.safetensors");
        fs::copy(shipped, env.path("model.safetensors")).unwrap();
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            env,
            own: BTreeMap::new(),
        }
    }

    fn name(&mut self) -> &'static str {
        NAMES.choose(&mut self.rng).unwrap()
    }

    /// Adds a new entry to a folder.
    fn put(&mut self, folder: &Path, depth: usize) {
        let path = folder.join(self.name());
        if path.symlink_metadata().is_ok() {
            return;
        }
        let photo = ["astronaut.jpg", "hopper.jpg"]
            .choose(&mut self.rng)
            .unwrap();
        match self.rng.random_range(0..10) {
            0 => fs::write(&path, "").unwrap(),
            1 => fs::hard_link(self.env.album(photo), &path).unwrap(),
            2 => fs::write(&path, fixture(photo)).unwrap(),
            3 => symlink(self.env.album(photo), &path).unwrap(),
            4 => symlink("nowhere", &path).unwrap(),
            5 => symlink("..", &path).unwrap(),
            6 if path.ends_with(".fer-index-album") => {
                fs::write(&path, "fer-index replaces what is in this folder.\n").unwrap();
            }
            6 | 7 if depth > 0 => {
                fs::create_dir(&path).unwrap();
                for _ in 0..self.rng.random_range(0..5) {
                    self.put(&path, depth - 1);
                }
            }
            _ => {
                let text = format!("mine {}\n", self.rng.random::<u32>());
                fs::write(&path, text).unwrap();
                let mode = *[0o600, 0o640, 0o644].choose(&mut self.rng).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }

    /// Changes an entry that the program made, or adds to it; the entry then belongs to the user.
    fn modify(&mut self, folder: &Path) {
        let made: Vec<_> = things(folder)
            .into_iter()
            .filter(|(path, _)| !self.own.contains_key(path) && !is_manifest(path))
            .collect();
        let Some((path, thing)) = made.choose(&mut self.rng) else {
            return;
        };
        match thing {
            Thing::Folder(_) => {
                let before = things(path);
                self.put(path, 1);
                let new = things(path).into_iter();
                self.own
                    .extend(new.filter(|(path, _)| !before.contains_key(path)));
            }
            Thing::File(_, bytes) if !is_database(path) => {
                // Replaced by a new file, as editors do: the old one may have another name elsewhere.
                let changed = [bytes.as_slice(), b"\nedited"].concat();
                fs::remove_file(path).unwrap();
                fs::write(path, changed).unwrap();
                self.own.insert(path.clone(), things(path)[path].clone());
            }
            _ => {}
        }
    }

    /// A command that writes to a path.
    fn command(&mut self, folder: &Path) -> Vec<String> {
        let target = match self.rng.random_range(0..8) {
            0 => self.env.album("astronaut.jpg"),
            1 => self.env.path("album"),
            _ => folder.join(self.name()),
        };
        let target = target.display().to_string();
        let photo = self.env.album("astronaut.jpg").display().to_string();
        let words: &[&str] = match self.rng.random_range(0..14) {
            0 | 1 => &["query", "--emotion", "happy", "--copy-into", &target],
            2 | 3 => &["query", "--emotion", "happy", "--link-into", &target],
            4 | 5 => &["query", "--emotion", "happy", "--contact-sheet", &target],
            6 => &[
                "query",
                "--limit",
                "1",
                "--contact-sheet",
                &target,
                "--link-into",
                &target,
            ],
            7 | 8 => &["detect", &photo, "--draw", &target],
            9 => &["stats", "--plot", &target],
            10 => &[
                "model",
                "average",
                "model.safetensors",
                "model.safetensors",
                "--out",
                &target,
            ],
            11 => &["backup", &target],
            12 => &["model", "export", "built-in", "--onnx", &target],
            13 => &["model", "pack", "model.safetensors", "--out", &target],
            _ => &["index", "album", "--database", &target],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// Checks that all entries of the user are unchanged. Files that were renamed with --force are expected under their
    /// new names afterwards.
    fn check(&mut self, folder: &Path, force: bool, output: &str) {
        let mut after = things(folder);
        after.extend(things(&self.env.path("album")));
        let mut own = BTreeMap::new();
        for (path, thing) in std::mem::take(&mut self.own) {
            let mut place = path.clone();
            if after.get(&place) != Some(&thing) {
                let kept = (1..9).map(|number| numbered(&path, number));
                place = kept
                    .into_iter()
                    .find(|kept| force && after.get(kept) == Some(&thing))
                    .unwrap_or_else(|| panic!("{} is lost or changed: {output}", path.display()));
            }
            own.insert(place, thing);
        }
        self.own = own;
    }
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap().to_owned();
    name.push(format!(" ({number})"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn is_manifest(path: &Path) -> bool {
    path.ends_with(".fer-index-manifest")
}

/// Files of SQLite, which the test does not edit: that would break the database.
fn is_database(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0"))
        || path.to_string_lossy().contains("-wal")
        || path.to_string_lossy().contains("-shm")
}

/// Runs the simulation. Returns whether any run succeeded and any was refused; otherwise the test would prove nothing.
fn live(seed: u64, folders: usize) -> (bool, bool) {
    let mut user = User::new(seed);
    let (mut worked, mut refused) = (false, false);
    for number in 0..folders {
        let folder = user.env.path(format!("folder-{number}"));
        fs::create_dir(&folder).unwrap();
        for _ in 0..user.rng.random_range(2..12) {
            user.put(&folder, 2);
        }
        user.own = things(&folder);
        user.own.extend(things(&user.env.path("album")));
        for _ in 0..4 {
            let words = user.command(&folder);
            let force = user.rng.random_bool(0.4);
            for time in ["once", "twice"] {
                let mut command = user.env.command("");
                command.args(&words);
                if force && words[0] != "index" {
                    command.arg("--force");
                }
                let run = Run::of(&mut command);
                let output = format!("seed {seed}, {words:?}, force {force}, {time}: {run:?}");
                assert!(run.code <= 2, "{output}");
                worked |= run.code == 0;
                refused |= run.code == 2;
                user.check(&folder, force, &output);
                if user.rng.random_bool(0.3) {
                    user.modify(&folder);
                }
            }
        }
    }
    (worked, refused)
}

#[test]
fn files_of_the_user_are_unchanged() {
    assert_eq!(live(1, 6), (true, true));
}

#[test]
fn files_of_the_user_are_unchanged_with_another_seed() {
    assert_eq!(live(2, 6), (true, true));
}
