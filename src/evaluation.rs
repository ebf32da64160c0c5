//! Measuring the whole pipeline, from the file to the scores, on labelled photos.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use crate::emotion::Emotion;
use crate::error::{Error, Result};
use crate::face::{BoundingBox, ScoredFace};
use crate::file::read_bytes;
use crate::pipeline::Analyser;

/// Least intersection over union of a found and a labelled box that are the same face. The boxes of
/// people are drawn more loosely than a detector's.
const SAME_FACE: f32 = 0.4;

/// Labelled faces whose shorter side is less are left out, in pixels.
const LEAST_SIDE: f32 = 20.0;

/// The detection scores at which boxes are counted.
const THRESHOLDS: [f32; 6] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

/// What is known of the photos of a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct AlbumLabels {
    /// By file name.
    photos: BTreeMap<String, PhotoLabels>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct PhotoLabels {
    /// Whether the photo shows an emotion.
    shows: BTreeMap<Emotion, bool>,
    /// Faces, each with its kind (empty where the labels tell none).
    boxes: Vec<(BoundingBox, String)>,
}

/// The figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlbumFigures {
    /// Photos that were looked at.
    pub photos: usize,
    /// Photos that could not be read.
    pub unreadable: usize,
    /// Photos in which a face was found at the detector's default threshold.
    pub with_face: usize,
    /// Per labelled emotion, how well the score of a query ranks the photos.
    pub ranking: Vec<RankingFigures>,
    /// Per threshold, what became of labelled boxes; empty without labelled boxes.
    pub boxes: Vec<BoxFigures>,
}

/// How well a photo's score, its best face's as a query has it, ranks photos.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankingFigures {
    /// The emotion.
    pub emotion: &'static str,
    /// Photos that show it.
    pub positives: usize,
    /// Mean precision at each photo that shows it (non-interpolated average precision).
    pub average_precision: f64,
}

/// What became of labelled boxes at a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoxFigures {
    /// Least detection score.
    pub threshold: f32,
    /// Found and all labelled faces, by kind.
    pub found: BTreeMap<String, (usize, usize)>,
    /// Found boxes without a label, per photo.
    pub unlabelled_per_photo: f64,
}

impl AlbumLabels {
    /// How many photos are labelled.
    pub fn len(&self) -> u64 {
        self.photos.len() as u64
    }

    /// Whether no photo is.
    pub fn is_empty(&self) -> bool {
        self.photos.is_empty()
    }

    /// Reads a CSV with a column `file` and either columns named by emotions (`smile` counts as
    /// happy) that hold 0 or 1, or columns `xmin`, `ymin`, `xmax`, `ymax` and perhaps `state`, one
    /// face a row, in pixels. Other columns are passed over.
    ///
    /// # Errors
    /// [`Error::Usage`] with the line, where the file is no such table.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |problem: String| Error::Usage(format!("{}: {problem}", path.display()));
        let mut reader = csv::Reader::from_path(path).map_err(|e| wrong(e.to_string()))?;
        let header = reader.headers().map_err(|e| wrong(e.to_string()))?.clone();
        let column = |name: &str| header.iter().position(|title| title == name);
        let file = column("file").ok_or_else(|| wrong("there is no column \"file\"".into()))?;
        let corners = [
            column("xmin"),
            column("ymin"),
            column("xmax"),
            column("ymax"),
        ];
        let state = column("state");
        let emotions: Vec<(usize, Emotion)> = header
            .iter()
            .enumerate()
            .filter_map(|(index, title)| Some((index, title.parse().ok()?)))
            .collect();
        let mut photos: BTreeMap<String, PhotoLabels> = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| wrong(e.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let number = |index: usize| {
                record[index]
                    .parse::<f32>()
                    .map_err(|_| wrong(format!("line {line}: \"{}\" is no number", &record[index])))
            };
            let photo = photos.entry(record[file].to_owned()).or_default();
            for &(index, emotion) in &emotions {
                photo.shows.insert(emotion, number(index)? > 0.5);
            }
            if let [Some(left), Some(upper), Some(right), Some(lower)] = corners {
                let (x, y) = (number(left)?, number(upper)?);
                let (width, height) = (number(right)? - x, number(lower)? - y);
                let kind = state.map_or("", |state| &record[state]);
                photo.boxes.push((
                    BoundingBox {
                        x,
                        y,
                        width,
                        height,
                    },
                    kind.to_owned(),
                ));
            }
        }
        Ok(Self { photos })
    }
}

/// Looks at every labelled photo of a folder. The analyser's detector should report faces from the
/// lowest threshold on; `threshold` is the one that counts for finding a face and for ranking.
///
/// # Errors
/// [`Error::Usage`] if none of the labelled photos can be read.
pub fn evaluate_album(
    analyser: &Analyser,
    folder: &Path,
    labels: &AlbumLabels,
    threshold: f32,
    done: impl Fn() + Sync,
) -> Result<AlbumFigures> {
    let looked: Vec<(&PhotoLabels, Option<Vec<ScoredFace>>)> = labels
        .photos
        .par_iter()
        .map(|(name, labels)| {
            let bytes = read_bytes(&folder.join(name), analyser.limits().max_bytes);
            let scan = bytes.and_then(|bytes| analyser.photo(&bytes));
            let faces = scan.ok().map(|scan| scan.faces);
            done();
            (labels, faces)
        })
        .collect();
    let unreadable = looked.iter().filter(|(_, faces)| faces.is_none()).count();
    let read: Vec<(&PhotoLabels, Vec<ScoredFace>)> = looked
        .into_iter()
        .filter_map(|(labels, faces)| Some((labels, faces?)))
        .collect();
    if read.is_empty() {
        let folder = folder.display();
        return Err(Error::Usage(format!(
            "none of the labelled photos can be read in {folder}"
        )));
    }
    let counts = |face: &&ScoredFace| face.face.score >= threshold;
    Ok(AlbumFigures {
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
            .filter_map(|least| boxes(&read, least))
            .collect(),
    })
}

fn ranking(
    photos: &[(&PhotoLabels, Vec<ScoredFace>)],
    emotion: Emotion,
    counts: impl Fn(&&ScoredFace) -> bool,
) -> Option<RankingFigures> {
    let mut ranked: Vec<(f64, bool)> = photos
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
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut hits = 0;
    let mut sum = 0.0;
    for (place, (_, shows)) in ranked.iter().enumerate() {
        if *shows {
            hits += 1;
            sum += f64::from(hits) / (place + 1) as f64;
        }
    }
    Some(RankingFigures {
        emotion: emotion.name(),
        positives,
        average_precision: sum / positives as f64,
    })
}

fn boxes(photos: &[(&PhotoLabels, Vec<ScoredFace>)], threshold: f32) -> Option<BoxFigures> {
    let mut found: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut unlabelled = 0;
    for (labels, faces) in photos {
        let mut left: Vec<&BoundingBox> = faces
            .iter()
            .filter(|face| face.face.score >= threshold)
            .map(|face| &face.face.bounding_box)
            .collect();
        for (labelled, kind) in &labels.boxes {
            let best = (0..left.len())
                .max_by(|&a, &b| left[a].iou(labelled).total_cmp(&left[b].iou(labelled)));
            let is_found = best.is_some_and(|best| left[best].iou(labelled) >= SAME_FACE);
            if let (true, Some(best)) = (is_found, best) {
                left.swap_remove(best);
            }
            if labelled.short_side() >= LEAST_SIDE {
                let count = found.entry(kind.clone()).or_default();
                count.0 += usize::from(is_found);
                count.1 += 1;
            }
        }
        unlabelled += left.len();
    }
    (!found.is_empty()).then(|| BoxFigures {
        threshold,
        found,
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
        }
    }

    fn smile(shows: bool) -> PhotoLabels {
        PhotoLabels {
            shows: [(Emotion::Happy, shows)].into(),
            boxes: vec![],
        }
    }

    #[test]
    fn average_precision_counts_places() {
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

    #[test]
    fn boxes_are_matched_once() {
        let labels = PhotoLabels {
            shows: BTreeMap::new(),
            boxes: vec![
                (face(0.0, 0.0, 0.0).face.bounding_box, "bare".into()),
                (face(2.0, 0.0, 0.0).face.bounding_box, "bare".into()),
                (
                    BoundingBox {
                        x: 90.0,
                        y: 0.0,
                        width: 9.0,
                        height: 9.0,
                    },
                    "bare".into(),
                ),
            ],
        };
        let photos = [(&labels, vec![face(1.0, 0.0, 0.9), face(200.0, 0.0, 0.4)])];
        let figures = boxes(&photos, 0.3).unwrap();
        assert_eq!(figures.found["bare"], (1, 2));
        assert!((figures.unlabelled_per_photo - 1.0).abs() < 1e-9);
        assert!(boxes(&photos, 0.5).unwrap().unlabelled_per_photo.abs() < 1e-9);
    }

    #[test]
    fn a_table_without_files_is_refused() {
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
