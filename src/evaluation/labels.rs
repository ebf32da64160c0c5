//! The labels of photos, as a CSV file has them.

use std::collections::BTreeMap;
use std::path::Path;

use super::labelled::{LabelledBox, MarkColumns};
use crate::emotion::Emotion;
use crate::error::{Error, Result};
use crate::face::BoundingBox;

/// The labels of the photos in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct AlbumLabels {
    /// By file name.
    pub(super) photos: BTreeMap<String, PhotoLabels>,
    /// The titles of the columns that have no meaning of their own and can divide the photos into groups.
    columns: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PhotoLabels {
    /// For each labelled emotion whether the photo shows it.
    pub shows: BTreeMap<Emotion, bool>,
    /// The emotion of the largest face.
    pub emotion: Option<Emotion>,
    /// Who the largest face is.
    pub person: String,
    /// The values of the columns that have no meaning of their own, in the order of [`AlbumLabels::columns`].
    pub values: Vec<String>,
    pub boxes: Vec<LabelledBox>,
}

impl AlbumLabels {
    /// Number of labelled photos.
    pub fn len(&self) -> u64 {
        self.photos.len() as u64
    }

    /// Whether no photo is labelled.
    pub fn is_empty(&self) -> bool {
        self.photos.is_empty()
    }

    /// Reads a CSV file with a column `file` and either columns named after emotions (`smile` counts as
    /// happy) with the values 0 and 1, or columns `xmin`, `ymin`, `xmax`, `ymax` in pixels and optionally
    /// `state`, with one face a row, and the positions of its eyes, `left_eye_x` to `right_eye_y`; and optionally
    /// `emotion`, which names that of the face or, without boxes, of the largest face, and `person`, who it is. By
    /// default, names like `Ann_Lee_0001.jpg` say that. Other columns can group the photos.
    ///
    /// # Errors
    /// [`Error::Input`] with the line if the file is not such a table.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |problem: String| Error::input(path, problem);
        let mut reader = csv::Reader::from_path(path).map_err(|e| wrong(e.to_string()))?;
        let header = reader.headers().map_err(|e| wrong(e.to_string()))?.clone();
        let column = |name: &str| header.iter().position(|title| title == name);
        let file = column("file").ok_or_else(|| {
            wrong("the column \"file\" is missing; add one with the file names".into())
        })?;
        let corners = [
            column("xmin"),
            column("ymin"),
            column("xmax"),
            column("ymax"),
        ];
        let state = column("state");
        let eyes = MarkColumns::of(&header);
        let (emotion, person) = (column("emotion"), column("person"));
        let emotions: Vec<(usize, Emotion)> = header
            .iter()
            .enumerate()
            .filter_map(|(index, title)| Some((index, title.parse().ok()?)))
            .collect();
        let known = [Some(file), state, emotion, person];
        let others: Vec<usize> = (0..header.len())
            .filter(|index| !known.iter().chain(&corners).flatten().any(|i| i == index))
            .filter(|index| !eyes.as_ref().is_some_and(|eyes| eyes.0.contains(index)))
            .collect();
        let mut photos: BTreeMap<String, PhotoLabels> = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| wrong(e.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let number = |index: usize| {
                record[index].parse::<f32>().map_err(|_| {
                    wrong(format!(
                        "line {line}: \"{}\" is not a number",
                        &record[index]
                    ))
                })
            };
            let photo = photos.entry(record[file].to_owned()).or_default();
            if let Some(index) = emotion {
                let word = record[index].parse();
                photo.emotion = Some(word.map_err(|e| wrong(format!("line {line}: {e}")))?);
            }
            photo.person = person.map_or_else(
                || person_of(&record[file]).to_owned(),
                |index| record[index].to_owned(),
            );
            photo.values = others.iter().map(|&i| record[i].to_owned()).collect();
            for &(index, emotion) in &emotions {
                photo.shows.insert(emotion, number(index)? > 0.5);
            }
            if let [Some(left), Some(upper), Some(right), Some(lower)] = corners {
                let (x, y) = (number(left)?, number(upper)?);
                let (width, height) = (number(right)? - x, number(lower)? - y);
                let kind = state.map_or("", |state| &record[state]);
                photo.boxes.push(LabelledBox {
                    at: BoundingBox {
                        x,
                        y,
                        width,
                        height,
                    },
                    kind: kind.to_owned(),
                    eyes: eyes.as_ref().map(|eyes| eyes.read(number)).transpose()?,
                    emotion: photo.emotion,
                });
            }
        }
        let columns = others.iter().map(|&i| header[i].to_owned()).collect();
        Ok(Self { photos, columns })
    }

    /// The position of a column that can group the photos.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the columns there are.
    pub(super) fn column(&self, name: &str) -> Result<usize> {
        let position = self.columns.iter().position(|column| column == name);
        position.ok_or_else(|| {
            Error::Usage(format!(
                "the labels have no column \"{name}\" to group by; they have {}",
                self.columns.join(", ")
            ))
        })
    }
}

/// Who the largest face is, by the names of Labeled Faces in the Wild: the file's name without its extension and the
/// number at its end.
fn person_of(file: &str) -> &str {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    match stem.rsplit_once('_') {
        Some((name, number)) if number.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => stem,
    }
}
