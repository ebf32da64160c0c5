//! The order of the program's modules, enforced where crates and visibility cannot say it: which
//! module may name which, and who may name a crate.
//!
//! Works on tokens, so that comments and strings do not count.

mod names;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use names::names;

/// The modules, top floor first. A module may name those on the floors below its own; the leaves,
/// on the ground floor, may name each other.
const FLOORS: &[&[&str]] = &[
    &["cli"],
    &["daemon", "evaluation", "export", "gallery"],
    &["pipeline", "query"],
    &["album", "imaging", "detect", "store"],
    &["config"],
    LEAVES,
];

const LEAVES: &[&str] = &["canvas", "error", "file", "geo", "photo"];

/// What the root re-exports of `fer-core`, and any module may name.
const CORE: &[&str] = &[
    "affine", "atomic", "classify", "emotion", "face", "network", "output", "raster", "sample",
];

/// A crate that only some modules may name.
struct Reserved {
    name: &'static str,
    /// Modules that may, with all that is in them.
    to: &'static [&'static str],
    because: &'static str,
}

#[rustfmt::skip]
const RESERVED: &[Reserved] = &[
    Reserved { name: "rusqlite", to: &["store"],       because: "only `store` holds SQL" },
    Reserved { name: "notify",   to: &["album/watch"], because: "only `album::watch` follows the file system" },
];

#[test]
fn the_source_keeps_to_the_house_plan() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources: Vec<Source> = rust_files(&src)
        .into_iter()
        .map(|file| Source {
            module: module_path(file.strip_prefix(&src).unwrap()),
            text: fs::read_to_string(&file).unwrap(),
        })
        .collect();
    assert!(sources.len() > 10, "no source in {}", src.display());
    let broken = check(&sources);
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn each_kind_of_breach_is_caught() {
    for (module, text, expected) in [
        (
            "detect",
            "use crate::store::Store;",
            "do not import each other",
        ),
        (
            "detect/yunet",
            "fn f() { crate::store::open() }",
            "do not import each other",
        ),
        (
            "detect",
            "use crate::{\n face::{Point, self},\n pipeline,\n};",
            "run down",
        ),
        ("error", "use super::config;", "run down"),
        ("album/scan", "use rusqlite::Connection;", "holds SQL"),
        (
            "album/scan",
            "use notify::Watcher;",
            "follows the file system",
        ),
        ("kitchen", "", "has no floor"),
    ] {
        let broken = check(&[source(module, text)]);
        assert!(
            broken.len() == 1 && broken[0].contains(expected),
            "{module}: {text}\n{broken:?}"
        );
    }
}

#[test]
fn what_is_allowed_passes() {
    let sources = [
        source("cli/index", "use crate::pipeline;"),
        source(
            "store/query",
            "use super::super::config::Config; use super::faces;",
        ),
        source(
            "store/path",
            "mod tests { use super::super::testing; use super::super::super::error; }",
        ),
        source("album/watch/poll", "use notify::Watcher;"),
        source(
            "daemon/ready",
            "fn f() { sd_notify::notify(&[]); self.notify(); }",
        ),
        source(
            "geo",
            "use crate::emotion::EmotionScores; pub(crate) fn f() {}",
        ),
        source(
            "store",
            "// use crate::detect;\n/* crate::cli */ const A: &str = \"crate::cli\";",
        ),
        source(
            "store",
            "const A: &str = r#\"\"crate::cli\"#; const B: char = '\"'; fn f<'a>() {}",
        ),
    ];
    assert_eq!(check(&sources), [] as [&str; 0]);
}

struct Source {
    /// Path of the module without the crate: `store/query`; empty for the crate's root.
    module: String,
    text: String,
}

fn source(module: &str, text: &str) -> Source {
    Source {
        module: module.into(),
        text: text.into(),
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn module_path(file: &Path) -> String {
    let path = file.with_extension("").to_str().unwrap().replace('\\', "/");
    match path.as_str() {
        "lib" | "main" => String::new(),
        path => path.strip_suffix("/mod").unwrap_or(path).to_owned(),
    }
}

/// Everything that breaks a rule, as sentences.
fn check(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        let names = names(source);
        let module = source.module.as_str();
        let top = module.split('/').next().unwrap_or_default();
        if !top.is_empty() && floor(top).is_none() {
            broken.push(format!(
                "`{top}` has no floor: say in tests/architecture/main.rs where it stands"
            ));
        }
        let mut breach = |line: usize, name: &str, why: &str| {
            broken.push(format!("`{module}`, line {line}, names `{name}`: {why}"));
        };
        for (line, other) in &names.modules {
            if let Some(why) = forbidden(top, other) {
                breach(*line, other, &why);
            }
        }
        for (line, reserved) in &names.reserved {
            if !reserved.to.iter().any(|place| within(module, place)) {
                breach(*line, reserved.name, reserved.because);
            }
        }
    }
    broken
}

/// Why module `from` may not import module `to`.
fn forbidden(from: &str, to: &str) -> Option<String> {
    if CORE.contains(&to) {
        return None;
    }
    let (Some(above), Some(below)) = (floor(from), floor(to)) else {
        return None; // the root names everything; what has no floor is reported elsewhere
    };
    if from == to || above < below || (LEAVES.contains(&from) && LEAVES.contains(&to)) {
        None
    } else if above == below {
        Some("siblings do not import each other; what two of them share is a leaf".into())
    } else {
        Some(format!(
            "imports run down only, and `{to}` stands above `{from}`"
        ))
    }
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn within(module: &str, place: &str) -> bool {
    module
        .strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
