//! Merges the layers of settings (defaults, file, environment, flags) and keeps the origin of each value.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::error::{Error, Result};

use super::check::{check, unknown};
use super::origin::Origin;
use super::{Config, DEFAULTS, Overrides};

/// The prefix of fer-index's environment variables.
const PREFIX: &str = "FER_INDEX_";

/// Variables with this prefix that are not settings: the configuration file and the log filter.
const NOT_SETTINGS: [&str; 2] = ["FER_INDEX_CONFIG", "FER_INDEX_LOG"];

/// The value and origin of each setting by its dotted key. The keys are those of the defaults, and every
/// value has the type and range of its setting.
#[derive(Debug, Clone)]
pub(super) struct Layers(BTreeMap<String, (Value, Origin)>);

impl Layers {
    pub fn defaults() -> Self {
        let table: Table = DEFAULTS.parse().expect("config/default.toml is tested");
        Self(
            flatten(table)
                .into_iter()
                .map(|(key, value)| (key, (value, Origin::Default)))
                .collect(),
        )
    }

    pub fn add_file(&mut self, path: &Path, text: &str) -> Result<()> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text[..start].matches('\n').count();
            Error::Config(format!(
                "{}, line {line}, is not TOML: {}",
                path.display(),
                error.message()
            ))
        })?;
        for (key, value) in flatten(table) {
            self.set(&key, value, Origin::File(path.to_owned()))?;
        }
        Ok(())
    }

    pub fn add_environment(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<()> {
        for (name, text) in variables {
            let Some(name) = name.to_str().filter(|name| {
                name.starts_with(PREFIX) && !NOT_SETTINGS.contains(name) && !text.is_empty()
            }) else {
                continue;
            };
            let known = self.0.iter().find(|(key, _)| variable(key) == name);
            let Some((key, (current, _))) = known else {
                let names: Vec<_> = self.0.keys().map(|key| variable(key)).collect();
                return Err(unknown(name, "the environment", &names));
            };
            let Some(text) = text.to_str() else {
                return Err(Error::Config(format!(
                    "{name} in the environment is not Unicode; set it in the configuration file"
                )));
            };
            let (key, value) = (key.clone(), read_variable(key, text, current));
            self.set(&key, value, Origin::Environment(name.to_owned()))?;
        }
        Ok(())
    }

    pub fn add_flags(&mut self, flags: &Overrides) -> Result<()> {
        let number = |count: usize| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        // Converted through the shortest decimal, so that 0.7f32 gives 0.7 and not 0.699999988079071.
        let decimal = |value: f32| Value::Float(value.to_string().parse().unwrap_or(f64::NAN));
        let given = [
            (
                "database",
                "--database",
                flags.database.as_ref().map(path_text),
            ),
            ("threads", "--threads", flags.threads.map(number)),
            (
                "classifier.model",
                "--model",
                flags.model.as_ref().map(path_text),
            ),
            ("query.limit", "--limit", flags.limit.map(number)),
            (
                "query.min_detection",
                "--min-detection",
                flags.min_detection.map(decimal),
            ),
        ];
        for (key, flag, value) in given {
            if let Some(value) = value {
                self.set(key, value, Origin::Flag(flag))?;
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: Value, origin: Origin) -> Result<()> {
        let Some((current, from)) = self.0.get_mut(key) else {
            return self.not_a_setting(key, &value, &origin);
        };
        *current = check(key, value, current, &origin)?;
        *from = origin;
        Ok(())
    }

    fn not_a_setting(&self, key: &str, value: &Value, origin: &Origin) -> Result<()> {
        let section = format!("{key}.");
        if !self.0.keys().any(|known| known.starts_with(&section)) {
            let keys: Vec<_> = self.0.keys().cloned().collect();
            return Err(unknown(key, &origin.to_string(), &keys));
        }
        if value.as_table().is_some_and(Table::is_empty) {
            return Ok(());
        }
        Err(Error::Config(format!(
            "`{key}` in {origin} is a section; write [{key}] and its settings on lines below"
        )))
    }

    pub fn to_config(&self) -> Result<Config> {
        let mut table = Table::new();
        for (key, (value, _)) in &self.0 {
            match key.split_once('.') {
                None => {
                    table.insert(key.clone(), value.clone());
                }
                Some((section, name)) => {
                    table
                        .entry(section)
                        .or_insert_with(|| Value::Table(Table::new()))
                        .as_table_mut()
                        .map(|inner| inner.insert(name.to_owned(), value.clone()));
                }
            }
        }
        table
            .try_into()
            .map_err(|error| Error::Config(error.message().to_owned()))
    }

    /// Where the value of a setting comes from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.0
            .get(key)
            .map_or(&Origin::Default, |(_, origin)| origin)
    }

    /// Replaces empty values by the platform's defaults, and paths by what they mean.
    pub fn set_resolved(&mut self, config: &Config) {
        let values = [
            ("database", path_text(&config.database)),
            ("thumbnails", path_text(&config.thumbnails)),
            ("threads", Value::Integer(config.threads as i64)),
            ("classifier.model", path_text(&config.classifier.model)),
            (
                "album.roots",
                Value::Array(config.album.roots.iter().map(path_text).collect()),
            ),
        ];
        for (key, value) in values {
            if let Some((current, _)) = self.0.get_mut(key) {
                *current = value;
            }
        }
    }

    /// Key, value and origin of every setting, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value, &Origin)> {
        self.0
            .iter()
            .map(|(key, (value, origin))| (key.as_str(), value, origin))
    }
}

/// The leaves of a table under dotted keys; an empty table counts as one.
fn flatten(table: Table) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) if !inner.is_empty() => leaves.extend(
                flatten(inner)
                    .into_iter()
                    .map(|(name, value)| (format!("{key}.{name}"), value)),
            ),
            value => leaves.push((key, value)),
        }
    }
    leaves
}

// Iterators over paths pass `&PathBuf`.
#[allow(clippy::ptr_arg)]
fn path_text(path: &PathBuf) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}

/// Name of the environment variable for `key`.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_uppercase())
}

/// Converts a variable's text to the type of `current`. Text that cannot be converted stays a string,
/// which the check of the type rejects.
fn read_variable(key: &str, text: &str, current: &Value) -> Value {
    let as_text = || Value::String(text.to_owned());
    match current {
        // An offset contains a colon, so the list is not split at colons.
        Value::Array(_) if key == "facts.clock_offsets" => Value::Array(
            text.split(';')
                .map(|offset| Value::String(offset.trim().to_owned()))
                .collect(),
        ),
        Value::Array(_) => Value::Array(
            std::env::split_paths(text)
                .map(|entry| path_text(&entry))
                .collect(),
        ),
        Value::String(_) => as_text(),
        _ => text.trim().parse().unwrap_or_else(|_| as_text()),
    }
}
