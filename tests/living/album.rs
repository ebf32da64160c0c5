//! The album of the matrix: six small pictures, each with one face that [`detector.py`](detector.py) finds.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};

use crate::common::dump::dump_without;
use crate::common::exif_block::ExifBlock;
use crate::common::jpeg;
use crate::testenv::TestEnv;

/// Two roots, `album` and `other`, and their index.
pub struct Album {
    pub env: TestEnv,
}

impl Album {
    /// Two photos in `album/trip`, of which `c.jpg` gets a correction, and four that never change. Nothing is indexed
    /// yet.
    pub fn new() -> Self {
        let env = TestEnv::new();
        for (number, name) in (0..).zip([
            "album/trip/c.jpg",
            "album/trip/p.jpg",
            "album/1.jpg",
            "album/home/2.jpg",
            "album/home/3.jpg",
            "other/4.jpg",
        ]) {
            let path = env.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, picture(number)).unwrap();
        }
        let album = Self { env };
        let config = album.env.config_file();
        fs::create_dir_all(config.parent().unwrap()).unwrap();
        fs::write(config, album.settings("log")).unwrap();
        fs::write(album.env.path("fresh.toml"), album.settings("fresh.log")).unwrap();
        album
    }

    /// Adds the raw file of the same shot beside each of the two photos in `album/trip`. Its preview is another picture
    /// of the same face.
    pub fn add_raw_files(&self) {
        for (number, name) in [(6, "album/trip/c.dng"), (7, "album/trip/p.dng")] {
            let raw = ExifBlock::new().dng(&picture(number), (WIDTH, HEIGHT));
            fs::write(self.env.path(name), raw).unwrap();
        }
    }

    /// Settings with the tests' detector, which counts in the file `log`.
    fn settings(&self, log: &str) -> String {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/living/detector.py");
        format!(
            "threads = 1\n[detector]\nbackend = \"command\"\ncommand = [\"python3\", \"{}\", \"{}\"]\n",
            program.display(),
            self.env.path(log).display()
        )
    }

    /// How many photos the detector has seen so far.
    pub fn inferences(&self) -> usize {
        let log = fs::read_to_string(self.env.path("log"));
        log.unwrap_or_default().lines().count()
    }

    /// Indexes both roots.
    pub fn index(&self) {
        self.env.run("index album other --json").found();
    }

    /// Corrects the face in a photo to sad.
    pub fn correct(&self, photo: &Path, options: &str) {
        let shown = self
            .env
            .run(&format!("show --json {} {options}", photo.display()));
        let face = &shown.found().json()["faces"][0]["id"];
        let corrected = self
            .env
            .run(&format!("correct {face} --emotion sad {options}"));
        corrected.found();
    }

    /// The whole database.
    pub fn dump(&self) -> String {
        comparable(&self.env.database())
    }

    /// The whole database of a fresh index of the same files, in which the same photo is corrected.
    pub fn fresh(&self, corrected: &Path) -> String {
        let database = self.env.path("fresh.sqlite3");
        for ending in ["", "-wal", "-shm"] {
            let mut path = database.clone().into_os_string();
            path.push(ending);
            if Path::new(&path).exists() {
                fs::remove_file(path).unwrap();
            }
        }
        let options = "--database fresh.sqlite3 --config fresh.toml";
        let indexed = self.env.run(&format!("index album other --json {options}"));
        assert_eq!(indexed.code, 0, "{indexed:?}");
        self.correct(corrected, options);
        comparable(&database)
    }

    /// Whether the index has the correction of this photo, and a query for the emotion finds the photo.
    pub fn has_correction(&self, photo: &Path) -> bool {
        let shown = self.env.run(&format!("show --json {}", photo.display()));
        let found = self
            .env
            .run("query --format jsonl --emotion sad --min-score 1");
        let found: Vec<_> = found.json_lines();
        shown.code == 0 && shown.json()["faces"][0]["correction"] == "sad" && found.len() == 1
    }
}

/// The size of each picture.
const WIDTH: u32 = 192;
const HEIGHT: u32 = 128;

/// A picture without metadata: grey, with a magenta square as a face, and in the corner a colour for each number. The
/// blocks of the JPEG are uniform, so that rotating the file rotates its pixels exactly.
fn picture(number: u8) -> Vec<u8> {
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        if (96..144).contains(&x) && (32..80).contains(&y) {
            Rgb([255, 0, 255])
        } else if x < 16 && y < 16 {
            Rgb([36 * number, 120, 30])
        } else {
            Rgb([120, 120, 120])
        }
    });
    jpeg(picture)
}

/// The dump of a database, with rounded numbers and without the position at which a correction was made, which differs
/// if the photo was rotated afterwards.
fn comparable(database: &Path) -> String {
    let mut text = String::new();
    for line in dump_without(database, &["corrections"]).lines() {
        for column in line.split(" | ") {
            let (name, value) = column.split_once(' ').unwrap_or((column, ""));
            let value = match value.parse::<f64>() {
                Ok(number) if value.contains('.') => format!("{number:.3}"),
                _ if name == "correction" => {
                    value.split(" at ").next().unwrap_or_default().to_owned()
                }
                _ => value.to_owned(),
            };
            write!(text, "{name} {value} | ").unwrap();
        }
        text.push('\n');
    }
    text
}
