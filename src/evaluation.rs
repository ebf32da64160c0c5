//! Measures the whole pipeline, from the file to the scores, on labelled photos.

mod cut;
mod groups;
mod labelled;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use crate::emotion::Emotion;
use crate::error::{Error, Result};
use crate::face::{BoundingBox, ScoredFace};
use crate::file::read_bytes;
use crate::pipeline::Analyser;
use fer_train::evaluate::{ExpressionFigures, LabelledFace, average_precision};

pub use cut::cut_faces;
pub use groups::GroupFigures;
use groups::{GroupedFace, groups};
pub use labelled::MarkFigures;
use labelled::{LabelledBox, MarkColumns};

/// A found box and a labelled one with at least this intersection over union are the same face. The value
/// is low because people draw looser boxes than a detector.
const MIN_IOU: f32 = 0.4;

/// Labelled faces with a shorter side than this, in pixels, are not counted.
const MIN_SIDE: f32 = 20.0;

/// The detection score thresholds at which boxes are counted.
const THRESHOLDS: [f32; 6] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

/// The labels of the photos in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct AlbumLabels {
    /// By file name.
    photos: BTreeMap<String, PhotoLabels>,
    /// The titles of the columns that have no meaning of their own and can divide the photos into groups.
    columns: Vec<String>,
}

/// What [`evaluate_album`] measures besides what the labels say.
#[derive(Debug, Clone, Default)]
pub struct AlbumMeasures {
    /// Columns by which the faces are grouped.
    pub by: Vec<String>,
    /// Faces with these labels are left out of the figures of expressions.
    pub leave_out: Vec<Emotion>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct PhotoLabels {
    /// For each labelled emotion whether the photo shows it.
    shows: BTreeMap<Emotion, bool>,
    /// The emotion of the largest face.
    emotion: Option<Emotion>,
    /// Who the largest face is.
    person: String,
    /// The values of the columns that have no meaning of their own, in the order of [`AlbumLabels::columns`].
    values: Vec<String>,
    boxes: Vec<LabelledBox>,
}

/// The figures of the pipeline on a folder of labelled photos.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlbumFigures {
    /// Number of photos that were analysed.
    pub photos: usize,
    /// Number of photos that could not be read.
    pub unreadable: usize,
    /// Number of photos in which a face was found at the configured threshold.
    pub with_face: usize,
    /// For each labelled emotion how well the scores of a query rank the photos.
    pub ranking: Vec<RankingFigures>,
    /// For each threshold how many labelled boxes were found; empty without labelled boxes.
    pub boxes: Vec<BoxFigures>,
    /// How well the scores of the largest faces tell the labels of the column `emotion`; `None` without it.
    pub expressions: Option<ExpressionFigures>,
    /// How the largest faces of groups of photos are read.
    pub groups: Vec<GroupFigures>,
}

/// How well photos are ranked by the score that a query uses, that of the best face.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankingFigures {
    /// The emotion.
    pub emotion: &'static str,
    /// Number of photos that show it.
    pub positives: usize,
    /// Average precision: the mean of the precisions at each photo that shows the emotion, not interpolated.
    pub average_precision: f64,
}

/// How many labelled boxes were found at a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoxFigures {
    /// The lowest detection score that counts.
    pub threshold: f32,
    /// By kind, the number of found and of all labelled faces.
    pub found: BTreeMap<String, (usize, usize)>,
    /// By kind, the found faces with the labelled eyes and emotion; empty if the labels have neither.
    pub marks: BTreeMap<String, MarkFigures>,
    /// Found boxes that match no label, per photo.
    pub unlabelled_per_photo: f64,
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
    /// `emotion`, which names that of the face or, without boxes, of the largest face, and `person`, who it is. By default, names like `Ann_Lee_0001.jpg` say that. Other columns can group the photos.
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
    fn column(&self, name: &str) -> Result<usize> {
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

/// Analyses every labelled photo of a folder, and calls `done` after each. The analyser's detector must return
/// faces from a score of 0.3 on; only faces with a score of at least `threshold` count as found and in the
/// ranking.
///
/// # Errors
/// [`Error::Usage`] if none of the labelled photos can be read, or the labels lack a column to group by.
pub fn evaluate_album(
    analyser: &Analyser,
    folder: &Path,
    labels: &AlbumLabels,
    threshold: f32,
    measures: &AlbumMeasures,
    done: impl Fn() + Sync,
) -> Result<AlbumFigures> {
    let by: Vec<usize> = (measures.by.iter())
        .map(|name| labels.column(name))
        .collect::<Result<_>>()?;
    let analysed: Vec<(&PhotoLabels, Option<Vec<ScoredFace>>)> = labels
        .photos
        .par_iter()
        .map(|(name, labels)| {
            let bytes = read_bytes(&folder.join(name), analyser.limits().max_bytes);
            let scan = bytes.and_then(|bytes| analyser.photo(&bytes));
            let faces = scan.ok().map(|scan| {
                let human = |face: &ScoredFace| face.scores.is_human();
                scan.faces.into_iter().filter(human).collect()
            });
            done();
            (labels, faces)
        })
        .collect();
    let unreadable = analysed.iter().filter(|(_, faces)| faces.is_none()).count();
    let read: Vec<(&PhotoLabels, Vec<ScoredFace>)> = analysed
        .into_iter()
        .filter_map(|(labels, faces)| Some((labels, faces?)))
        .collect();
    if read.is_empty() {
        let folder = folder.display();
        return Err(Error::Usage(format!(
            "none of the labelled photos in {folder} can be read; check the folder and the column \"file\""
        )));
    }
    let counts = |face: &&ScoredFace| face.face.score >= threshold;
    let largest: Vec<(&PhotoLabels, &ScoredFace)> = read
        .iter()
        .filter_map(|(labels, faces)| {
            let area = |face: &ScoredFace| face.face.bounding_box.area();
            let faces = faces.iter().filter(counts);
            Some((*labels, faces.max_by(|a, b| area(a).total_cmp(&area(b)))?))
        })
        .collect();
    Ok(AlbumFigures {
        expressions: expressions(&largest, &measures.leave_out),
        groups: (measures.by.iter().zip(by))
            .flat_map(|(name, index)| groups(name, &grouped(&largest, index)))
            .collect(),
        photos: read.len(),
        unreadable,
        with_face: read
            .iter()
            .filter(|(_, faces)| faces.iter().any(|f| counts(&f)))
            .count(),
        ranking: Emotion::ALL
            .into_iter()
            .filter_map(|e| ranking(&read, e, counts))
            .collect(),
        boxes: THRESHOLDS
            .into_iter()
            .filter_map(|threshold| boxes(&read, threshold))
            .collect(),
    })
}

/// The ranking by one emotion; `None` if no photo shows it.
fn ranking(
    photos: &[(&PhotoLabels, Vec<ScoredFace>)],
    emotion: Emotion,
    counts: impl Fn(&&ScoredFace) -> bool,
) -> Option<RankingFigures> {
    let ranked: Vec<(f64, bool)> = photos
        .iter()
        .filter_map(|(labels, faces)| {
            let best = faces
                .iter()
                .filter(&counts)
                .map(|face| face.face.weighted(face.scores[emotion]));
            Some((best.fold(0.0, f64::max), *labels.shows.get(&emotion)?))
        })
        .collect();
    let positives = ranked.iter().filter(|(_, shows)| *shows).count();
    if positives == 0 {
        return None;
    }
    Some(RankingFigures {
        emotion: emotion.name(),
        positives,
        average_precision: average_precision(ranked)?,
    })
}

/// The figures of the largest faces with a labelled emotion that is not among those left out.
fn expressions(
    faces: &[(&PhotoLabels, &ScoredFace)],
    leave_out: &[Emotion],
) -> Option<ExpressionFigures> {
    let labelled = faces.iter().filter_map(|(labels, face)| {
        Some(LabelledFace {
            truth: labels.emotion.filter(|e| !leave_out.contains(e))?,
            person: labels.person.clone(),
            scores: face.scores,
        })
    });
    ExpressionFigures::new(&labelled.collect::<Vec<_>>())
}

/// The largest faces with the value of a column and their label: the labelled emotion, or the emotions that the
/// photo is labelled to show or not to show.
fn grouped<'a>(faces: &[(&'a PhotoLabels, &ScoredFace)], column: usize) -> Vec<GroupedFace<'a>> {
    let face = |(labels, face): &(&'a PhotoLabels, &ScoredFace)| {
        let shown = labels.shows.iter().map(|(emotion, shows)| match shows {
            true => emotion.to_string(),
            false => format!("not {emotion}"),
        });
        let words: BTreeSet<String> = match labels.emotion {
            Some(emotion) => [emotion.to_string()].into(),
            None => shown.collect(),
        };
        GroupedFace {
            labelled: words.into_iter().collect::<Vec<_>>().join(", "),
            value: &labels.values[column],
            scores: face.scores,
        }
    };
    faces.iter().map(face).collect()
}

/// Matches found and labelled boxes at a threshold; `None` without a labelled box that counts.
fn boxes(photos: &[(&PhotoLabels, Vec<ScoredFace>)], threshold: f32) -> Option<BoxFigures> {
    let mut found: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut marks: BTreeMap<String, MarkFigures> = BTreeMap::new();
    let mut unlabelled = 0;
    for (labels, faces) in photos {
        let mut left: Vec<&ScoredFace> = faces
            .iter()
            .filter(|face| face.face.score >= threshold)
            .collect();
        for labelled in &labels.boxes {
            let iou = |index: usize| left[index].face.bounding_box.iou(&labelled.at);
            let best = (0..left.len()).max_by(|&a, &b| iou(a).total_cmp(&iou(b)));
            let best = best.filter(|&best| iou(best) >= MIN_IOU);
            let face = best.map(|best| left.swap_remove(best));
            if labelled.at.short_side() >= MIN_SIDE {
                let count = found.entry(labelled.kind.clone()).or_default();
                count.0 += usize::from(face.is_some());
                count.1 += 1;
                if labelled.is_marked() {
                    let marks = marks.entry(labelled.kind.clone()).or_default();
                    labelled.compare(face, marks);
                }
            }
        }
        unlabelled += left.len();
    }
    (!found.is_empty()).then(|| BoxFigures {
        threshold,
        found,
        marks,
        unlabelled_per_photo: unlabelled as f64 / photos.len() as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::EmotionScores;
    use crate::face::DetectedFace;

    fn face(x: f32, happy: f32, score: f32) -> ScoredFace {
        let bounding_box = BoundingBox {
            x,
            y: 0.0,
            width: 30.0,
            height: 30.0,
        };
        let mut probabilities = [0.0; Emotion::COUNT];
        probabilities[Emotion::Happy.index()] = happy;
        ScoredFace {
            face: DetectedFace {
                bounding_box,
                landmarks: None,
                score,
            },
            scores: EmotionScores::new(probabilities),
            features: None,
        }
    }

    fn smile(shows: bool) -> PhotoLabels {
        PhotoLabels {
            shows: [(Emotion::Happy, shows)].into(),
            ..PhotoLabels::default()
        }
    }

    #[test]
    fn average_precision_is_the_mean_precision_at_positives() {
        let (yes, no) = (smile(true), smile(false));
        let photos = [
            (&yes, vec![face(0.0, 0.9, 0.8)]),
            (&no, vec![face(0.0, 0.5, 0.8)]),
            (&yes, vec![face(0.0, 0.4, 0.8), face(0.0, 1.0, 0.1)]),
        ];
        let figures = ranking(&photos, Emotion::Happy, |face| face.face.score > 0.5).unwrap();
        // Precision 1/1 at the first smile, 2/3 at the second.
        assert!((figures.average_precision - 5.0 / 6.0).abs() < 1e-9);
        assert!(ranking(&photos, Emotion::Sad, |_| true).is_none());
    }

    fn bare(at: BoundingBox) -> LabelledBox {
        LabelledBox {
            at,
            kind: "bare".into(),
            eyes: None,
            emotion: None,
        }
    }

    #[test]
    fn each_found_box_matches_at_most_one_label() {
        let labels = PhotoLabels {
            boxes: vec![
                bare(face(0.0, 0.0, 0.0).face.bounding_box),
                bare(face(2.0, 0.0, 0.0).face.bounding_box),
                bare(BoundingBox {
                    x: 90.0,
                    y: 0.0,
                    width: 9.0,
                    height: 9.0,
                }),
            ],
            ..PhotoLabels::default()
        };
        let photos = [(&labels, vec![face(1.0, 0.0, 0.9), face(200.0, 0.0, 0.4)])];
        let figures = boxes(&photos, 0.3).unwrap();
        assert_eq!(figures.found["bare"], (1, 2));
        assert!((figures.unlabelled_per_photo - 1.0).abs() < 1e-9);
        assert!(boxes(&photos, 0.5).unwrap().unlabelled_per_photo.abs() < 1e-9);
    }

    #[test]
    fn labels_of_emotions_persons_and_groups_are_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "file,emotion,yaw\nAnn_Lee_0001.jpg,happiness,0.5\nx.y.png,sad,\n";
        std::fs::write(file.path(), text).unwrap();
        let labels = AlbumLabels::read(file.path()).unwrap();
        let ann = &labels.photos["Ann_Lee_0001.jpg"];
        assert_eq!(
            (ann.emotion, ann.person.as_str()),
            (Some(Emotion::Happy), "Ann_Lee")
        );
        assert_eq!(
            (labels.column("yaw").unwrap(), ann.values[0].as_str()),
            (0, "0.5")
        );
        assert_eq!(labels.photos["x.y.png"].person, "x.y");
        let error = labels.column("age").unwrap_err().to_string();
        assert!(
            error.contains("\"age\"") && error.contains("yaw"),
            "{error}"
        );

        std::fs::write(file.path(), "file,emotion,person\na,glee,Ann\n").unwrap();
        let error = AlbumLabels::read(file.path()).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("glee"),
            "{error}"
        );
    }

    #[test]
    fn the_largest_face_that_counts_is_compared_with_the_label() {
        let labels = |emotion, person: &str| PhotoLabels {
            emotion: Some(emotion),
            person: person.to_owned(),
            ..PhotoLabels::default()
        };
        let (smile, rage) = (labels(Emotion::Happy, "a"), labels(Emotion::Disgust, "b"));
        let (happy, calm) = (face(0.0, 0.9, 0.8), face(0.0, 0.0, 0.8));
        let faces = [(&smile, &happy), (&rage, &calm)];
        let all = expressions(&faces, &[]).unwrap();
        assert_eq!((all.faces, all.people), (2, 2));
        let some = expressions(&faces, &[Emotion::Disgust]).unwrap();
        assert_eq!(some.faces, 1);
        assert!((some.all.accuracy.value - 1.0).abs() < 1e-9);
        assert!(expressions(&[], &[]).is_none());
    }

    #[test]
    fn a_table_without_file_names_or_numbers_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "name,smile\na,1\n").unwrap();
        assert!(
            AlbumLabels::read(file.path())
                .unwrap_err()
                .to_string()
                .contains("\"file\"")
        );
        std::fs::write(file.path(), "file,smile\na,yes\n").unwrap();
        assert!(
            AlbumLabels::read(file.path())
                .unwrap_err()
                .to_string()
                .contains("line 2")
        );
    }
}
