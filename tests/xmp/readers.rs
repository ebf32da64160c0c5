//! Reads sidecars with exiftool and exiv2.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common;

/// The properties of a sidecar as a program reads them, by group and name, such as `dc:subject`; all values are texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, Vec<String>>);

impl Facts {
    /// The keywords of a property, sorted, without empty ones.
    pub fn keywords(&self, prefix: &str, name: &str) -> Vec<String> {
        let key = key(prefix, name);
        let mut words = self.0.get(&key).cloned().unwrap_or_default();
        words.retain(|word| !word.trim().is_empty());
        words.sort();
        words
    }

    /// All other properties.
    pub fn rest(&self) -> BTreeMap<String, Vec<String>> {
        let mut rest = self.0.clone();
        for (_, prefix, name) in crate::forms::KEYWORDS {
            rest.remove(&key(prefix, name));
        }
        // The list of exported keywords.
        rest.remove("ferindex:exported");
        rest
    }

    /// Whether the program read nothing from the file.
    pub fn is_nothing(&self) -> bool {
        self.0.keys().all(|key| key.starts_with("complaint"))
    }

    /// The faults that the program found in the file.
    pub fn complaints(&self) -> Vec<&String> {
        let complaints = self
            .0
            .iter()
            .filter(|(key, _)| key.starts_with("complaint"));
        complaints.flat_map(|(_, complaint)| complaint).collect()
    }
}

fn key(prefix: &str, name: &str) -> String {
    format!("{prefix}:{name}").to_lowercase()
}

/// Reads all sidecars of a folder with exiftool; `None`, with a message, if it is not installed.
pub fn exiftool(folder: &Path) -> Option<BTreeMap<PathBuf, Facts>> {
    let mut command = Command::new("exiftool");
    command.args([
        "-j", "-a", "-G1", "-struct", "-n", "-XMP:all", "-Error", "-Warning",
    ]);
    let Ok(output) = command.args(["-ext", "xmp"]).arg(folder).output() else {
        common::skip("exiftool is not installed");
        return None;
    };
    let files: Vec<BTreeMap<String, Value>> = serde_json::from_slice(&output.stdout).unwrap();
    let facts = files.into_iter().map(|mut file| {
        let path = file.remove("SourceFile").unwrap();
        let facts = file.into_iter().map(|(name, value)| {
            let name = name.strip_prefix("XMP-").unwrap_or(&name);
            let name = match name.rsplit_once(':').map_or(name, |(_, name)| name) {
                "Error" | "Warning" => "complaint".to_owned(),
                _ => name.to_lowercase(),
            };
            let values = match value {
                Value::Array(values) => values.iter().map(text).collect(),
                value => vec![text(&value)],
            };
            (name, values)
        });
        (
            PathBuf::from(path.as_str().unwrap()),
            Facts(facts.collect()),
        )
    });
    Some(facts.collect())
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Reads a sidecar with exiv2; `None`, with a message, if it is not installed.
pub fn exiv2(path: &Path) -> Option<Facts> {
    let mut command = Command::new("exiv2");
    let Ok(output) = command.args(["-q", "-PXkt"]).arg(path).output() else {
        common::skip("exiv2 is not installed");
        return None;
    };
    let mut facts = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let name = name
            .strip_prefix("Xmp.")
            .unwrap_or(name)
            .replacen('.', ":", 1);
        let is_list = crate::forms::KEYWORDS
            .iter()
            .any(|(_, prefix, of)| key(prefix, of) == name.to_lowercase());
        let values: Vec<String> = if is_list {
            value.trim().split(", ").map(str::to_owned).collect()
        } else {
            vec![value.trim().to_owned()]
        };
        facts
            .entry(name.to_lowercase())
            .or_insert_with(Vec::new)
            .extend(values);
    }
    if !output.status.success() {
        facts.insert("complaint".to_owned(), vec![output.status.to_string()]);
    }
    Some(Facts(facts))
}
