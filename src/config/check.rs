//! Checks the types and ranges of settings, and writes the errors.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use globset::Glob;
use toml::Value;

use crate::error::{Error, Result};

use super::clock::ClockOffset;
use super::origin::Origin;

/// The range of every numeric setting.
const RANGES: [(&str, RangeInclusive<f64>); 15] = [
    ("threads", 0.0..=1024.0),
    ("limits.max_pixels", 10_000.0..=4_000_000_000.0),
    ("limits.max_file_bytes", 10_000.0..=1_000_000_000_000.0),
    ("limits.decode_seconds", 1.0..=3600.0),
    ("detector.threshold", 0.0..=1.0),
    ("detector.command_seconds", 1.0..=3600.0),
    ("detector.resolution", 0.0..=100_000_000.0),
    ("detector.min_face", 0.0..=10_000.0),
    ("query.limit", 1.0..=1_000_000_000.0),
    ("query.min_detection", 0.0..=1.0),
    ("watch.settle_seconds", 0.1..=3600.0),
    ("watch.rescan_seconds", 1.0..=31_536_000.0),
    ("watch.poll_seconds", 1.0..=31_536_000.0),
    ("watch.max_watches", 0.0..=1_000_000_000.0),
    ("watch.keep_days", 0.0..=36_500.0),
];

/// The values of those string settings that do not take any string.
const CHOICES: [(&str, &[&str]); 2] = [
    ("detector.backend", &["builtin", "command"]),
    ("query.raws", &["alone", "all"]),
];

/// The values that the string setting `key` may have; `None` for any.
fn choices(key: &str) -> Option<&'static [&'static str]> {
    let found = CHOICES.iter().find(|(name, _)| *name == key);
    found.map(|(_, words)| *words)
}

/// The range of the numeric setting `key`; `None` if it is not numeric.
pub(super) fn range(key: &str) -> Option<&'static RangeInclusive<f64>> {
    RANGES
        .iter()
        .find(|(name, _)| *name == key)
        .map(|(_, range)| range)
}

/// Checks a value for the setting `key`, whose type is that of `current`. An integer for a float setting is
/// converted.
///
/// # Errors
/// [`Error::Config`] with the key, the origin of the value and the values that are allowed.
pub(super) fn check(key: &str, value: Value, current: &Value, origin: &Origin) -> Result<Value> {
    let in_range = |number: f64| range(key).is_none_or(|range| range.contains(&number));
    let fits = match (current, &value) {
        (Value::Boolean(_), Value::Boolean(_)) => true,
        (Value::String(_), Value::String(text)) => {
            choices(key).is_none_or(|words| words.contains(&text.as_str()))
        }
        (Value::Integer(_) | Value::Float(_), Value::Integer(number)) => in_range(*number as f64),
        (Value::Float(_), Value::Float(number)) => in_range(*number),
        (Value::Array(_), Value::Array(entries)) => entries.iter().all(Value::is_str),
        _ => false,
    };
    if !fits {
        return Err(Error::Config(format!(
            "`{key}` in {origin} must be {}, not {value}",
            allowed(key, current)
        )));
    }
    match key {
        "album.exclude" => check_globs(key, &value, origin)?,
        "facts.clock_offsets" => check_clocks(key, &value, origin)?,
        "gallery.listen" => check_address(key, &value, origin)?,
        _ => {}
    }
    Ok(match (current, value) {
        (Value::Float(_), Value::Integer(number)) => Value::Float(number as f64),
        (_, value) => value,
    })
}

fn check_globs(key: &str, value: &Value, origin: &Origin) -> Result<()> {
    let patterns = value.as_array().into_iter().flatten();
    for pattern in patterns.filter_map(Value::as_str) {
        Glob::new(pattern).map_err(|error| {
            Error::Config(format!(
                "`{key}` in {origin} must be a list of globs, and \"{pattern}\" is not one: {}",
                error.kind()
            ))
        })?;
    }
    Ok(())
}

fn check_clocks(key: &str, value: &Value, origin: &Origin) -> Result<()> {
    let offsets = value.as_array().into_iter().flatten();
    for offset in offsets.filter_map(Value::as_str) {
        offset.parse::<ClockOffset>().map_err(|problem| {
            Error::Config(format!(
                "`{key}` in {origin} must be a list of offsets, and {problem}"
            ))
        })?;
    }
    Ok(())
}

fn check_address(key: &str, value: &Value, origin: &Origin) -> Result<()> {
    let is_address = |text: &str| text.parse::<SocketAddr>().is_ok();
    if value.as_str().is_some_and(is_address) {
        return Ok(());
    }
    Err(Error::Config(format!(
        "`{key}` in {origin} must be an address and a port such as \"127.0.0.1:3373\", not {value}"
    )))
}

fn allowed(key: &str, current: &Value) -> String {
    let span = range(key).map_or_else(String::new, |range| {
        format!(" from {} to {}", range.start(), range.end())
    });
    match current {
        Value::Boolean(_) => "true or false".into(),
        Value::Integer(_) => format!("a whole number{span}"),
        Value::Float(_) => format!("a number{span}"),
        Value::Array(_) => "a list of strings in quotes".into(),
        _ => choices(key).map_or_else(
            || "a string in quotes".into(),
            |words| format!("\"{}\"", words.join("\" or \"")),
        ),
    }
}

/// The error for a key that does not exist; `origin` is where it was given, `known` has all keys.
pub(super) fn unknown(key: &str, origin: &str, known: &[String]) -> Error {
    let name = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    // The same name in another section is a better suggestion than a similar name.
    let nearest = known
        .iter()
        .find(|other| name(other) == name(key))
        .or_else(|| {
            known.iter().max_by(|a, b| {
                let near = |other: &str| strsim::normalized_damerau_levenshtein(key, other);
                near(a).total_cmp(&near(b))
            })
        });
    let hint = nearest.map_or_else(String::new, |nearest| {
        format!("; did you mean `{nearest}`?")
    });
    Error::Config(format!("there is no setting `{key}` (in {origin}){hint}"))
}
