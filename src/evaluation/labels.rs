//! The labels of photos, as a CSV file has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, StringRecord};

use super::label_columns::LabelColumns;
use super::labelled::LabelledBox;
use crate::emotion::Emotion;
use crate::error::{Error, Result};
use fer_train::dataset::{csv_reader, line_of};

/// The labels of the photos in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct AlbumLabels {
    /// The file that they were read from.
    path: PathBuf,
    /// By file name.
    pub(super) photos: BTreeMap<String, PhotoLabels>,
    columns: LabelColumns,
}

/// What a row says of a photo.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PhotoLabels {
    /// For each labelled emotion whether the photo shows it.
    pub shows: BTreeMap<Emotion, bool>,
    /// The emotion of the largest face.
    pub emotion: Option<Emotion>,
    /// Who the largest face is.
    pub person: String,
    /// The values of the columns by which photos can be grouped, in the order of [`LabelColumns::groups`].
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

    /// Reads a CSV file, separated by commas or semicolons, with a column `file` and either columns named after emotions
    /// (`smile` counts as happy) with the values 0 and 1, or columns `xmin`, `ymin`, `xmax`, `ymax` in pixels and
    /// optionally `state`, with one face a row, and the positions of its eyes, `left_eye_x` to `right_eye_y`; and
    /// optionally `emotion`, which names that of the face or, without boxes, of the largest face, and `person`, who it
    /// is. By default, names like `Ann_Lee_0001.jpg` say that. All columns can group the photos, but `file` and those of
    /// boxes. Titles may be in capitals.
    ///
    /// # Errors
    /// [`Error::Input`] with the line if the file is not such a table, or two of its rows contradict each other.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |problem: String| Error::input(path, problem);
        let mut reader = csv_reader(path, &["labels.csv"])?;
        let header = reader.headers().map_err(|e| wrong(e.to_string()))?;
        let columns = LabelColumns::of(header).map_err(wrong)?;
        let mut photos: BTreeMap<String, PhotoLabels> = BTreeMap::new();
        let mut row = ByteRecord::new();
        while (reader.read_byte_record(&mut row)).map_err(|e| wrong(e.to_string()))? {
            let at_line = |problem: String| {
                let line = line_of(&reader, &row);
                wrong(format!("line {line}: {problem}"))
            };
            let record = StringRecord::from_byte_record(row.clone());
            let record =
                record.map_err(|_| at_line("not UTF-8; save the file as UTF-8".to_owned()))?;
            let labels = columns.row(&record).map_err(at_line)?;
            let name = record[columns.file].to_owned();
            match photos.get_mut(&name) {
                None => {
                    photos.insert(name, labels);
                }
                Some(before) if columns.has_boxes() => before.add_face(labels),
                Some(before) if *before == labels => {}
                Some(_) => {
                    return Err(at_line(format!(
                        "{name} has other labels on an earlier line; keep one of them, or give the faces boxes"
                    )));
                }
            }
        }
        Ok(Self {
            path: path.to_owned(),
            photos,
            columns,
        })
    }

    /// Checks that the file says more of its photos than their names.
    ///
    /// # Errors
    /// [`Error::Input`] that says which columns are read, and names those there are.
    pub(super) fn expect_labels(&self) -> Result<()> {
        if self.columns.has_labels() {
            return Ok(());
        }
        Err(Error::input(
            &self.path,
            format!(
                "no column says what the photos show: name one \"emotion\", or name some after emotions, or give boxes as \
                 xmin, ymin, xmax, ymax; its columns are {}",
                self.columns.titles.join(", ")
            ),
        ))
    }

    /// The position of a column that can group the photos, in their [`PhotoLabels::values`].
    ///
    /// # Errors
    /// [`Error::Input`] that names the columns there are.
    pub(super) fn column(&self, name: &str) -> Result<usize> {
        self.columns.group(name).ok_or_else(|| {
            let groups: Vec<&str> = self.columns.group_titles().collect();
            let others = match groups.as_slice() {
                [] => "and no other by which photos can be grouped; add it".to_owned(),
                titles => format!("but {}; name one of these", titles.join(", ")),
            };
            let problem = format!("there is no column \"{name}\" to group by, {others}");
            Error::input(&self.path, problem)
        })
    }
}

impl PhotoLabels {
    /// Adds what another row says of another face of the photo. What holds for the photo is that of the largest face.
    fn add_face(&mut self, other: Self) {
        let largest = |labels: &Self| {
            let areas = labels.boxes.iter().map(|face| face.at.area());
            areas.fold(0.0, f32::max)
        };
        let is_larger = largest(&other) > largest(self);
        let Self {
            shows,
            emotion,
            person,
            values,
            boxes,
        } = other;
        for (emotion, shown) in shows {
            *self.shows.entry(emotion).or_default() |= shown;
        }
        self.boxes.extend(boxes);
        if is_larger {
            (self.emotion, self.person, self.values) = (emotion, person, values);
        }
    }
}
