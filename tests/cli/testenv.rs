//! A temporary folder with an album and a home folder, in which tests run the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::fixture;

/// The temporary folder of a test; deleted when this is dropped.
pub struct TestEnv {
    _folder: TempDir,
    /// The path of the folder with symbolic links resolved, as the index stores it.
    root: PathBuf,
    /// The user ID with which commands run; `None` for the user who runs the tests.
    user: Option<u32>,
}

impl TestEnv {
    /// An empty album.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["album", "home"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        Self {
            _folder: folder,
            root,
            user: None,
        }
    }

    /// An album of fixtures.
    pub fn with_fixtures(names: &[&str]) -> Self {
        let env = Self::new();
        for name in names {
            env.add(name, fixture(name));
        }
        env
    }

    /// The path of an entry of the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// The path of an entry of the album.
    pub fn album(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path("album").join(name)
    }

    /// The default path of the database.
    pub fn database(&self) -> PathBuf {
        self.path("home/.local/share/fer-index/index.sqlite3")
    }

    /// The path of the user's settings file.
    pub fn config_file(&self) -> PathBuf {
        self.path("home/.config/fer-index/config.toml")
    }

    /// Writes a file into the album.
    pub fn add(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.album(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The binary with the words of `line` as arguments, to be run in the folder.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fer-index"));
        self.place(&mut command);
        command.args(line.split_whitespace()).stdin(Stdio::null());
        #[cfg(unix)]
        if let Some(user) = self.user {
            std::os::unix::process::CommandExt::uid(&mut command, user);
        }
        command
    }

    /// Makes a command use this folder and nothing from the home folder of the user who runs the tests.
    pub fn place(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let name_bytes = name.as_encoded_bytes();
            if name_bytes.starts_with(b"FER_INDEX_") || name_bytes.starts_with(b"XDG_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(&self.root)
            .env("HOME", self.path("home"));
    }

    /// Runs a command line until it exits.
    pub fn run(&self, line: &str) -> Run {
        Run::of(&mut self.command(line))
    }

    /// Indexes the album and returns the summary.
    pub fn index(&self) -> Value {
        self.run("index album --json").found().json()
    }

    /// The photos that a query finds, in order, as paths within the album.
    pub fn query(&self, options: &str) -> Vec<String> {
        let run = self.run(&format!("query --format paths {options}"));
        assert!(run.code <= 1, "{run:?}");
        let album = self.path("album");
        let name = |line| {
            let path = Path::new(line).strip_prefix(&album).unwrap();
            path.to_str().unwrap().to_owned()
        };
        run.text().lines().map(name).collect()
    }

    /// The output of `show --json` for a file of the album.
    pub fn show(&self, name: &str) -> Value {
        self.run(&format!("show --json album/{name}"))
            .found()
            .json()
    }

    /// The files in the index that meet an SQL condition, relative to the album, in the order of their paths.
    pub fn stored_files(&self, condition: &str) -> Vec<String> {
        let database = self.open().unwrap();
        let files = format!("SELECT CAST(path AS TEXT) FROM files WHERE {condition} ORDER BY path");
        let mut statement = database.prepare(&files).unwrap();
        let album = format!("{}/", self.path("album").display());
        let rows = statement.query_map([], |row| row.get::<_, String>(0));
        rows.unwrap()
            .map(|path| path.unwrap().replace(&album, ""))
            .collect()
    }

    /// The database, opened for reading.
    pub fn open(&self) -> rusqlite::Result<Connection> {
        Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// Makes file permissions apply to commands from now on, which they do not for root: if the tests run as root,
    /// commands run as "nobody", who becomes the owner of the folder. Returns whether this is possible; if not, prints
    /// that the test is skipped.
    #[cfg(unix)]
    #[must_use]
    #[allow(clippy::print_stderr)]
    pub fn heed_permissions(&mut self) -> bool {
        use std::os::unix::fs::{MetadataExt, lchown};
        const NOBODY: u32 = 65534;
        if fs::metadata(&self.root).unwrap().uid() != 0 {
            return true;
        }
        for entry in walkdir::WalkDir::new(&self.root) {
            lchown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        self.user = Some(NOBODY);
        if let Err(error) = self.command("--version").output() {
            eprintln!(
                "SKIPPED: root may read everything, and commands cannot run as nobody: {error}"
            );
            return false;
        }
        true
    }
}

/// The outcome of a command.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Run {
    /// Runs a command until it exits.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let run = Self {
            code: output.status.code().expect("no signal ends it"),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert!(!run.stderr.contains("panicked"), "{run:?}");
        run
    }

    /// Checks that the command succeeded and printed nothing to standard error.
    #[track_caller]
    pub fn found(self) -> Self {
        assert!(self.code == 0 && self.stderr.is_empty(), "{self:?}");
        self
    }

    /// Checks that the command exited with 2 and printed only one sentence, which is returned.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(self.code == 2 && self.stdout.is_empty(), "{self:?}");
        let sentence = self.stderr.strip_prefix("fer-index: ");
        let sentence = sentence.unwrap_or_else(|| panic!("{self:?}")).trim_end();
        assert!(!sentence.contains('\n'), "{sentence}");
        sentence.to_owned()
    }

    /// Standard output as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard output as one JSON value per line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap();
        self.text().lines().map(parse).collect()
    }
}

/// The names in a JSON object, in alphabetical order.
#[track_caller]
pub fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().unwrap().keys().collect();
    names.sort();
    names.into_iter().map(String::as_str).collect()
}

/// A face's box: x, y, width, height.
#[track_caller]
pub fn face_box(face: &Value) -> [f64; 4] {
    serde_json::from_value(face["box"].clone()).unwrap()
}

/// The emotion that a face shows most.
#[track_caller]
pub fn top_emotion(face: &Value) -> &str {
    let scores = face["scores"].as_object().unwrap();
    let score = |name: &str| scores[name].as_f64().unwrap();
    let best = scores.keys().max_by(|a, b| score(a).total_cmp(&score(b)));
    best.unwrap()
}
