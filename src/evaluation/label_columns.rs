//! The columns of a file with labels of photos.

use csv::StringRecord;

use super::labelled::{LabelledBox, MarkColumns};
use super::labels::PhotoLabels;
use crate::emotion::Emotion;
use crate::face::BoundingBox;

/// The titles of a box's columns.
const CORNERS: [&str; 4] = ["xmin", "ymin", "xmax", "ymax"];

/// Where a table has which labels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LabelColumns {
    /// Of all columns.
    pub titles: Vec<String>,
    /// The photo's name.
    pub file: usize,
    emotion: Option<usize>,
    person: Option<usize>,
    /// Whether an emotion is shown.
    shows: Vec<(usize, Emotion)>,
    corners: Option<[usize; 4]>,
    state: Option<usize>,
    eyes: Option<MarkColumns>,
    /// Those by which photos can be grouped.
    groups: Vec<usize>,
}

impl LabelColumns {
    /// The columns of a header.
    ///
    /// # Errors
    /// If there are no file names, or only some columns of a box or of the eyes.
    pub fn of(header: &StringRecord) -> Result<Self, String> {
        let find = |name: &str| {
            let same = |title: &str| title.eq_ignore_ascii_case(name);
            header.iter().position(same)
        };
        let file = find("file").ok_or_else(|| {
            let titles: Vec<&str> = header.iter().collect();
            format!(
                "the column \"file\" is missing; add one with the file names (its columns are {})",
                titles.join(", ")
            )
        })?;
        let (emotion, person, state) = (find("emotion"), find("person"), find("state"));
        let corners = all_or_none(CORNERS, find)?;
        let eyes = all_or_none(MarkColumns::TITLES, find)?;
        // The others differ between the faces of a photo, or all photos differ in them.
        let in_boxes = corners.iter().chain(&eyes).flatten().copied();
        let state_of_face = state.filter(|_| corners.is_some());
        let ungrouped: Vec<usize> = in_boxes.chain([file]).chain(state_of_face).collect();
        Ok(Self {
            titles: header.iter().map(str::to_owned).collect(),
            file,
            emotion,
            person,
            shows: header
                .iter()
                .enumerate()
                .filter_map(|(index, title)| Some((index, title.parse().ok()?)))
                .collect(),
            corners,
            state,
            eyes: eyes.map(MarkColumns),
            groups: (0..header.len())
                .filter(|index| !ungrouped.contains(index))
                .collect(),
        })
    }

    /// Whether each row has a box, and so a face.
    pub fn has_boxes(&self) -> bool {
        self.corners.is_some()
    }

    /// Whether any column says what a photo shows.
    pub fn has_labels(&self) -> bool {
        self.emotion.is_some() || self.has_boxes() || !self.shows.is_empty()
    }

    /// The titles of the columns by which photos can be grouped, in the order of [`PhotoLabels::values`].
    pub fn group_titles(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|&index| self.titles[index].as_str())
    }

    /// The position of such a column.
    pub fn group(&self, name: &str) -> Option<usize> {
        self.group_titles()
            .position(|title| title.eq_ignore_ascii_case(name))
    }

    /// What a row says; its error does not name the line.
    pub fn row(&self, record: &StringRecord) -> Result<PhotoLabels, String> {
        let (found, expected) = (record.len(), self.titles.len());
        if found != expected {
            return Err(format!("{found} columns where the header has {expected}"));
        }
        let number = |index: usize| {
            let text = &record[index];
            let number = text.parse::<f32>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| format!("\"{text}\" is not a number"))
        };
        let emotion = self.emotion.map(|index| record[index].parse::<Emotion>());
        let emotion = emotion.transpose().map_err(|e| e.to_string())?;
        let mut labels = PhotoLabels {
            emotion,
            person: match self.person {
                Some(index) => record[index].to_owned(),
                None => person_of(&record[self.file]).to_owned(),
            },
            values: (self.groups.iter())
                .map(|&index| record[index].to_owned())
                .collect(),
            ..PhotoLabels::default()
        };
        for &(index, emotion) in &self.shows {
            labels.shows.insert(emotion, number(index)? > 0.5);
        }
        if let Some(corners) = self.corners {
            let [left, upper, right, lower] = corners;
            let (x, y) = (number(left)?, number(upper)?);
            let (width, height) = (number(right)? - x, number(lower)? - y);
            labels.boxes.push(LabelledBox {
                at: BoundingBox {
                    x,
                    y,
                    width,
                    height,
                },
                kind: self.state.map_or("", |state| &record[state]).to_owned(),
                eyes: (self.eyes.as_ref())
                    .map(|eyes| eyes.read(number))
                    .transpose()?,
                emotion,
            });
        }
        Ok(labels)
    }
}

/// The positions of columns that are only of use together; `None` if there is none of them.
fn all_or_none(
    titles: [&str; 4],
    find: impl Fn(&str) -> Option<usize>,
) -> Result<Option<[usize; 4]>, String> {
    let found = titles.map(find);
    match found {
        [Some(a), Some(b), Some(c), Some(d)] => Ok(Some([a, b, c, d])),
        [None, None, None, None] => Ok(None),
        _ => {
            let names = |is_there: bool| {
                let pairs = titles.iter().zip(found);
                let some = pairs.filter(|(_, at)| at.is_some() == is_there);
                let some: Vec<&str> = some.map(|(title, _)| *title).collect();
                some.join(", ")
            };
            Err(format!(
                "the columns {} are there without {}; add what is missing",
                names(true),
                names(false)
            ))
        }
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
