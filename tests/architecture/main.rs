//! Enforces the rules between the program's modules that crates and visibility cannot: which modules a module may name,
//! and which modules may name certain crates.
//!
//! The check works on tokens, so that it ignores comments and strings.

mod names;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use names::names;

/// The modules by layer, the top layer first. A module may name those of the layers below its own. The
/// leaves, in the lowest layer, may name each other.
const LAYERS: &[&[&str]] = &[
    &["cli"],
    &["daemon", "evaluation", "export", "gallery"],
    &["pipeline", "query"],
    &["album", "imaging", "detect", "store"],
    &["config"],
    LEAVES,
];

const LEAVES: &[&str] = &[
    "borders",
    "canvas",
    "error",
    "facts",
    "file",
    "geo",
    "lock",
    "mount",
    "names",
    "photo",
    "real_path",
    "sidecar",
    "xmp",
    "zones",
];

/// The modules of `fer-core` that the root re-exports; any module may name them.
const CORE: &[&str] = &[
    "affine", "atomic", "classify", "emotion", "face", "features", "likeness", "network", "output",
    "personal", "raster", "sample",
];

/// A crate that only certain modules may name.
struct Reserved {
    name: &'static str,
    /// The modules that may name it, with their submodules.
    to: &'static [&'static str],
    because: &'static str,
}

#[rustfmt::skip]
const RESERVED: &[Reserved] = &[
    Reserved { name: "rusqlite", to: &["store"],       because: "only `store` holds SQL" },
    Reserved { name: "notify",   to: &["album/watch"], because: "only `album::watch` follows the file system" },
];

#[test]
fn the_modules_keep_to_their_layers() {
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
fn each_kind_of_violation_is_reported() {
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
        ("kitchen", "", "has no layer"),
    ] {
        let broken = check(&[source(module, text)]);
        assert!(
            broken.len() == 1 && broken[0].contains(expected),
            "{module}: {text}\n{broken:?}"
        );
    }
}

#[test]
fn allowed_names_are_not_reported() {
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
    /// Path of the module below the crate, such as `store/query`; empty for the crate's root.
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

/// A message for each violation of a rule.
fn check(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        let names = names(source);
        let module = source.module.as_str();
        let top = module.split('/').next().unwrap_or_default();
        if !top.is_empty() && layer(top).is_none() {
            broken.push(format!(
                "`{top}` has no layer: add it to LAYERS in tests/architecture/main.rs"
            ));
        }
        let mut report = |line: usize, name: &str, why: &str| {
            broken.push(format!("`{module}`, line {line}, names `{name}`: {why}"));
        };
        for (line, other) in &names.modules {
            if let Some(why) = forbidden(top, other) {
                report(*line, other, &why);
            }
        }
        for (line, reserved) in &names.reserved {
            if !reserved.to.iter().any(|place| within(module, place)) {
                report(*line, reserved.name, reserved.because);
            }
        }
    }
    broken
}

/// Why module `from` may not import module `to`; `None` if it may.
fn forbidden(from: &str, to: &str) -> Option<String> {
    if CORE.contains(&to) {
        return None;
    }
    let (Some(above), Some(below)) = (layer(from), layer(to)) else {
        return None; // the root may name all; modules without a layer are reported by `check`
    };
    if from == to || above < below || (LEAVES.contains(&from) && LEAVES.contains(&to)) {
        None
    } else if above == below {
        Some("modules of one layer do not import each other; move what they share to a leaf".into())
    } else {
        Some(format!(
            "imports run down only, and `{to}` is in a layer above `{from}`"
        ))
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn within(module: &str, place: &str) -> bool {
    module
        .strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
