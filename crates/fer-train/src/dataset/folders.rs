//! Reads folders of pictures by emotion, the form in which FER2013 and similar sets are most often distributed:
//! `train/angry/*.png`, `test/angry/*.png`, or the folders of emotions alone.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};

use super::{Dataset, Row, Usage};
use fer_core::classify::FACE_SIDE;
use fer_core::emotion::Emotion;
use fer_core::error::{Error, Result};

/// The names of the folders of each part.
const PARTS: [(Usage, &[&str]); 3] = [
    (Usage::Training, &["train", "training"]),
    (
        Usage::PublicTest,
        &[
            "validation",
            "valid",
            "val",
            "public",
            "publictest",
            "public_test",
        ],
    ),
    (
        Usage::PrivateTest,
        &["test", "testing", "private", "privatetest", "private_test"],
    ),
];

/// Reads every picture, and warns of folders and files that are left out. If `divided`, the rows will be divided again, so the folders need not divide them.
///
/// If no folder is for validation, the test pictures are used for it: they choose the epoch, and no pictures are left
/// for the final measurement.
pub(super) fn read(folder: &Path, divided: bool) -> Result<Dataset> {
    let folder = &folder_of_parts(folder)?;
    let mut parts: BTreeMap<Usage, Vec<PathBuf>> = BTreeMap::new();
    for path in entries(folder)? {
        if let (Some(usage), true) = (part_named(&name(&path)), path.is_dir()) {
            parts.entry(usage).or_default().push(path);
        }
    }
    if !parts.is_empty() {
        warn_of_others(folder, &parts)?;
    }
    if parts.is_empty() {
        parts.insert(Usage::Training, vec![folder.to_owned()]);
    }
    if !parts.contains_key(&Usage::PublicTest)
        && let Some(test) = parts.remove(&Usage::PrivateTest)
    {
        parts.insert(Usage::PublicTest, test);
    }
    let (mut rows, mut pixels) = (Vec::new(), Vec::new());
    for (usage, folders) in &parts {
        for (emotion, path) in folders
            .iter()
            .map(|f| pictures(f))
            .collect::<Result<Vec<_>>>()?
            .concat()
        {
            match read_picture(&path) {
                Ok(picture) => pixels.extend(picture),
                Err(error) => {
                    tracing::warn!("left out: {error}");
                    continue;
                }
            }
            rows.push(Row {
                label: emotion,
                votes: None,
                usage: *usage,
            });
        }
    }
    if rows.is_empty() {
        return Err(Error::Usage(format!(
            "{} has no folders of pictures that are named after emotions, such as train/angry; give such a folder or \
             Kaggle's fer2013.csv",
            folder.display()
        )));
    }
    if parts.len() == 1 && !divided {
        return Err(Error::Usage(format!(
            "{} does not say which pictures are for validation; divide them with --train-fraction 0.9",
            folder.display()
        )));
    }
    let labelled = |emotion: &Emotion| rows.iter().any(|row| row.label == *emotion);
    let emotions = Emotion::ALL.into_iter().filter(labelled).collect();
    Ok(Dataset::new(emotions, rows, pixels))
}

/// The part of which this is the name of a folder.
fn part_named(name: &str) -> Option<Usage> {
    let part = PARTS.iter().find(|(_, names)| names.contains(&name));
    part.map(|(usage, _)| *usage)
}

/// The folder in which those of the parts or emotions are. Archives often have it within another one, alone or beside the
/// `__MACOSX` of a Mac. If there is none, the folder itself.
fn folder_of_parts(folder: &Path) -> Result<PathBuf> {
    let mut current = folder.to_owned();
    loop {
        let mut inner = entries(&current)?;
        inner.retain(|path| path.is_dir() && !path.is_symlink());
        inner.retain(|path| !name(path).starts_with(['.', '_']));
        let is_of_data =
            |name: String| part_named(&name).is_some() || name.parse::<Emotion>().is_ok();
        if inner.iter().any(|path| is_of_data(name(path))) {
            return Ok(current);
        }
        let [only] = &inner[..] else {
            return Ok(folder.to_owned());
        };
        current.clone_from(only);
    }
}

/// The pictures in the folders of a part that are named after emotions, however deep, each with its emotion, in the order of
/// the paths.
fn pictures(part: &Path) -> Result<Vec<(Emotion, PathBuf)>> {
    let mut found = Vec::new();
    let mut loose = 0;
    for entry in entries(part)? {
        if !entry.is_dir() {
            loose += usize::from(is_picture(&entry));
            continue;
        }
        let files = files_below(&entry)?.into_iter();
        let (pictures, others): (Vec<_>, Vec<_>) = files.partition(|file| is_picture(file));
        let Ok(emotion) = name(&entry).parse::<Emotion>() else {
            if !pictures.is_empty() {
                let names = Emotion::ALL.map(Emotion::name).join(", ");
                tracing::warn!(
                    "{} ({}) is not named after an emotion and is left out; emotions are {names}",
                    entry.display(),
                    counted(pictures.len(), "picture")
                );
            }
            continue;
        };
        if let Some(first) = others.first() {
            tracing::warn!(
                "left out: {} in {} that cannot be read as a picture, such as {}",
                counted(others.len(), "file"),
                entry.display(),
                name(first)
            );
        }
        found.extend(pictures.into_iter().map(|file| (emotion, file)));
    }
    if loose > 0 {
        tracing::warn!(
            "left out: {} in {} in no folder of an emotion",
            counted(loose, "picture"),
            part.display()
        );
    }
    Ok(found)
}

/// The files in a folder and below it, sorted, without those whose names begin with a dot.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in entries(folder)? {
        if name(&entry).starts_with('.') {
            continue;
        }
        // A link to a folder may lead back to one above it.
        if entry.is_dir() && !entry.is_symlink() {
            files.extend(files_below(&entry)?);
        } else if entry.is_file() {
            files.push(entry);
        }
    }
    Ok(files)
}

/// A number with its noun, such as "2 files".
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Warns of folders with folders of emotions that are named after no part, if others are.
fn warn_of_others(folder: &Path, parts: &BTreeMap<Usage, Vec<PathBuf>>) -> Result<()> {
    for path in entries(folder)? {
        let is_part = parts.values().flatten().any(|part| *part == path);
        let is_emotion = |inner: &PathBuf| name(inner).parse::<Emotion>().is_ok() && inner.is_dir();
        if !is_part && path.is_dir() && entries(&path)?.iter().any(is_emotion) {
            tracing::warn!(
                "{} is not named after a part and is left out; parts are train, validation and test",
                path.display()
            );
        }
    }
    Ok(())
}

/// Whether a file is a picture by its first bytes, in a format that can be read.
fn is_picture(path: &Path) -> bool {
    let first_bytes = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(64).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let format = |bytes: Vec<u8>| image::guess_format(&bytes).ok();
    path.is_file()
        && first_bytes()
            .ok()
            .and_then(format)
            .is_some_and(|format| format.reading_enabled())
}

/// The grey values of a picture, scaled to the size of a face if it has another.
fn read_picture(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })?;
    let picture = image::load_from_memory(&bytes).map_err(|e| Error::input(path, e))?;
    let (grey, side) = (picture.into_luma8(), FACE_SIDE as u32);
    Ok(if grey.dimensions() == (side, side) {
        grey.into_raw()
    } else {
        imageops::resize(&grey, side, side, FilterType::Triangle).into_raw()
    })
}

/// The last part of a path in lower case.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().to_lowercase()
}

/// The sorted entries of a folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |source| Error::Io {
        path: folder.to_owned(),
        source,
    };
    let entries = fs::read_dir(folder).map_err(io)?;
    let mut paths = entries
        .map(|entry| Ok(entry.map_err(io)?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
