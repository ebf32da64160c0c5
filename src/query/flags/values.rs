//! Parses and prints the values of filters.

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::time::SystemTime;

use crate::emotion::{Emotion, EmotionSet};

use super::super::dates::{now, parse_span};
use super::super::filters::UserDate;

/// Parses one emotion or several that are separated by commas.
pub(super) fn parse_emotions(value: &OsStr) -> Result<EmotionSet, String> {
    let words = valid_text(value)?.split(',');
    let emotions = words.map(|word| word.trim().parse::<Emotion>());
    emotions
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

pub(super) fn name_of_emotion(emotion: Emotion) -> String {
    emotion.name().to_owned()
}

pub(super) fn switch_values(is_on: bool) -> Vec<String> {
    is_on.then(String::new).into_iter().collect()
}

pub(super) fn optional_value(value: Option<impl ToString>) -> Vec<String> {
    value.into_iter().map(|value| value.to_string()).collect()
}

pub(super) fn valid_text(value: &OsStr) -> Result<&str, String> {
    let explain = || format!("{} is not UTF-8", value.display());
    value.to_str().ok_or_else(explain)
}

/// Refuses an empty value, such as that of a shell variable that is not set: it would find all photos.
pub(super) fn not_empty(value: &OsStr) -> Result<&OsStr, String> {
    if value.is_empty() {
        return Err(
            "it is empty, which would find all photos; leave the option out for that".to_owned(),
        );
    }
    Ok(value)
}

pub(super) fn parse<T: std::str::FromStr<Err: ToString>>(value: &OsStr) -> Result<T, String> {
    valid_text(value)?
        .parse()
        .map_err(|error: T::Err| error.to_string())
}

/// Parses a whole number, 0 or more.
pub(super) fn parse_number<T: std::str::FromStr>(value: &OsStr) -> Result<T, String> {
    let text = valid_text(value)?;
    text.trim()
        .parse()
        .map_err(|_| format!("\"{text}\" is no whole number of 0 or more"))
}

/// Parses a number of pixels.
pub(super) fn parse_pixels(value: &OsStr) -> Result<f32, String> {
    let text = valid_text(value)?;
    match text.trim().parse() {
        Ok(pixels) if (0.0..=f32::MAX).contains(&pixels) => Ok(pixels),
        _ => Err(format!(
            "\"{text}\" is no number of pixels; write for example 40"
        )),
    }
}

pub(super) fn seed_from_clock() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64)
}

/// Parses a probability: `0.9`, or a percentage: `90%`, `90 %`, `90`. A number of 2 or more without a sign is a
/// percentage; one between 1 and 2 could be either and is refused.
///
/// # Errors
/// A sentence that says how to write a probability.
pub fn parse_probability(text: &str) -> Result<f32, String> {
    let (number, is_percentage) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), true),
        None => (text.trim(), false),
    };
    let value = match number.parse::<f32>() {
        Ok(value) if is_percentage || value >= 2.0 => value / 100.0,
        Ok(value) => value,
        Err(_) => f32::NAN,
    };
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(format!(
        "\"{text}\" is no probability, which lies between 0 and 1; write 0.9 or 90%"
    ))
}

pub(super) fn parse_km(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(km) if (0.0..=20_038.0).contains(&km) => Ok(km),
        _ => Err("a distance on Earth is 0 to 20038 km".to_owned()),
    }
}

pub(super) fn parse_when(text: &str) -> Result<UserDate, String> {
    Ok(UserDate {
        text: text.to_owned(),
        span: parse_span(text, now())?,
    })
}

/// Parses a range with both of its ends: `3`, `2..5`, `2..`, `..5`.
pub(super) fn parse_range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let explain = || format!("\"{text}\" is no number of faces; write 2, 2..5 or 3..");
    let bound = |text: &str, open: u32| match text.trim_start_matches('=') {
        "" => Ok(open),
        number => number.parse().map_err(|_| explain()),
    };
    let range = if let Some((least, most)) = text.split_once("..") {
        bound(least, 0)?..=bound(most, u32::MAX)?
    } else {
        let count = text.parse().map_err(|_| explain())?;
        count..=count
    };
    if range.is_empty() {
        return Err(explain());
    }
    Ok(range)
}

/// The range as [`parse_range`] accepts it: `3`, `2..5`, `2..`.
pub(super) fn format_range(range: &RangeInclusive<u32>) -> String {
    match (*range.start(), *range.end()) {
        (least, most) if least == most => least.to_string(),
        (least, u32::MAX) => format!("{least}.."),
        (least, most) => format!("{least}..{most}"),
    }
}
