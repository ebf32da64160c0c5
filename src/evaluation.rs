//! Measures the whole pipeline, from the file to the scores, on labelled photos.

mod cut;
mod groups;
mod label_columns;
mod labelled;
mod labels;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use crate::emotion::Emotion;
use crate::error::{Error, Result, Skip};
use crate::face::ScoredFace;
use crate::file::read_bytes;
use crate::pipeline::Analyser;
use fer_train::evaluate::{ExpressionFigures, LabelledFace, average_precision};

pub use cut::cut_faces;
pub use groups::GroupFigures;
use groups::{GroupedFace, groups};
pub use labelled::MarkFigures;
pub use labels::AlbumLabels;
use labels::PhotoLabels;

/// A found box and a labelled one with at least this intersection over union are the same face. The value
/// is low because people draw looser boxes than a detector.
const MIN_IOU: f32 = 0.4;

/// Labelled faces with a shorter side than this, in pixels, are not counted.
const MIN_SIDE: f32 = 20.0;

/// The detection score thresholds at which boxes are counted.
const THRESHOLDS: [f32; 6] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

/// Further settings of [`evaluate_album`].
#[derive(Debug, Clone, Default)]
pub struct AlbumMeasures {
    /// Columns by which the faces are grouped.
    pub by: Vec<String>,
    /// Faces with these labels are left out of the figures of expressions.
    pub leave_out: Vec<Emotion>,
}

/// The figures of the pipeline on a folder of labelled photos.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlbumFigures {
    /// Number of photos that were analysed.
    pub photos: usize,
    /// Number of photos that could not be read.
    pub unreadable: usize,
    /// Their names and why, in the order of the names.
    pub unreadable_photos: Vec<UnreadablePhoto>,
    /// Number of photos in which a face was found at the configured threshold.
    pub with_face: usize,
    /// For each labelled emotion, how well the scores of a query rank the photos.
    pub ranking: Vec<RankingFigures>,
    /// For each threshold, how many labelled boxes were found; empty without labelled boxes.
    pub boxes: Vec<BoxFigures>,
    /// How well the scores of the largest faces agree with the labels of the column `emotion`; `None` without that
    /// column.
    pub expressions: Option<ExpressionFigures>,
    /// The scores of the largest faces in groups of photos.
    pub groups: Vec<GroupFigures>,
}

/// A labelled photo that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreadablePhoto {
    /// Its name in the labels.
    pub file: String,
    /// One sentence.
    pub reason: String,
}

impl UnreadablePhoto {
    fn new(file: &str, skip: &Skip) -> Self {
        Self {
            file: file.to_owned(),
            reason: skip.to_string(),
        }
    }
}

/// How well photos are ranked by the score that a query uses, that of the best face.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankingFigures {
    /// The emotion.
    pub emotion: &'static str,
    /// Number of photos that show it.
    pub positives: usize,
    /// Average precision: the mean, without interpolation, of the precisions at each photo that shows the emotion.
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

/// Analyses every labelled photo of a folder, and calls `done` after each. The analyser's detector must return
/// faces from a score of 0.3 on; only faces with a score of at least `threshold` count as found and in the
/// ranking.
///
/// # Errors
/// [`Error::Usage`] if none of the labelled photos can be read; [`Error::Input`] if the labels lack a column to group by, or
/// say nothing and no column to group by is named.
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
    if by.is_empty() {
        labels.expect_labels()?;
    }
    let analysed: Vec<Result<(&PhotoLabels, Vec<ScoredFace>), UnreadablePhoto>> = labels
        .photos
        .par_iter()
        .map(|(name, labels)| {
            let bytes = read_bytes(&folder.join(name), analyser.limits().max_bytes);
            let scan = bytes.and_then(|bytes| analyser.photo(&bytes));
            done();
            let scan = scan.map_err(|skip| UnreadablePhoto::new(name, &skip))?;
            let human = |face: &ScoredFace| face.scores.is_human();
            Ok((labels, scan.faces.into_iter().filter(human).collect()))
        })
        .collect();
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    for photo in analysed {
        match photo {
            Ok(photo) => read.push(photo),
            Err(photo) => unreadable.push(photo),
        }
    }
    if read.is_empty() {
        let first = unreadable
            .first()
            .map(|photo| format!(" ({}: {})", photo.file, photo.reason));
        return Err(Error::Usage(format!(
            "none of the labelled photos in {} can be read{}; check the folder and the column \"file\"",
            folder.display(),
            first.unwrap_or_default()
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
        unreadable: unreadable.len(),
        unreadable_photos: unreadable,
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
mod tests;
