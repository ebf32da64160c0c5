//! The training data of a photo head: the features of faces, of changed copies of them, and of rows of FER2013.

use rayon::prelude::*;

use super::faces::PhotoFace;
use super::head::PhotoHeadOptions;
use super::objective::{Examples, Target};
use crate::augment::{Augmentation, Degradation, Jitter, Range};
use crate::dataset::{Dataset, PIXELS, Usage};
use crate::random::{Purpose, rng};
use fer_core::classify::FACE_SIDE;
use fer_core::emotion::Emotion;
use fer_core::network::{FoldedNetwork, PixelScaling, Workspace};

/// Shares of the loss: labelled emotions, labelled smiles, rows of FER2013.
const LOSS_SHARES: [f32; 3] = [0.5, 0.2, 0.3];

/// Most rows of FER2013, which keep the head near its prior.
const MAX_ROWS: usize = 3000;

/// Least number of votes of such a row.
const MIN_VOTES: u32 = 5;

/// An emotion with fewer faces has the class weight of one with this many.
const MIN_CLASS_COUNT: f32 = 20.0;

/// The probability of neutral in the target of a face that does not smile.
const NEUTRAL_IF_NOT_SMILING: f32 = 0.8;

/// The probability of happy in the target of a face that is labelled as not smiling.
const HAPPY_IF_NOT_SMILING: f32 = 0.02;

/// Computes the outputs of all blocks, averaged over the pixels and over a face and its mirror image.
pub(super) struct Extractor {
    pub network: FoldedNetwork,
    /// The scaling of grey values.
    pub pixels: PixelScaling,
}

impl Extractor {
    /// The head's input for a face of 48 × 48 grey values.
    fn features(&self, workspace: &mut Workspace, grey: Vec<f32>) -> Vec<f32> {
        let mut input = grey;
        self.pixels.apply(&mut input);
        let mirrored: Vec<f32> = input
            .chunks_exact(FACE_SIDE)
            .flat_map(|row| row.iter().rev().copied())
            .collect();
        input.extend(mirrored);
        self.network.features(workspace, &input);
        self.network.levels(workspace)
    }
}

/// The changes in a copy of a face: those that cameras, files and detectors cause.
fn copy_augmentation() -> Augmentation {
    let jitter = |by| {
        Some(Jitter {
            probability: 0.7,
            by,
        })
    };
    let range = |from, to| {
        Some(Range {
            probability: 0.3,
            from,
            to,
        })
    };
    Augmentation {
        rotate: jitter(8.0),
        scale: jitter(0.06),
        shift: jitter(0.05),
        degrade: Degradation {
            gamma: jitter(0.4),
            blur: range(0.3, 1.0),
            low_resolution: range(24.0, 44.0),
            jpeg: range(40.0, 80.0),
            ..Degradation::default()
        },
        ..Augmentation::default()
    }
}

/// The features of faces and of their changed copies.
pub(super) struct TrainingFeatures {
    /// For each face, the features of the face itself, then of its copies.
    features: Vec<f32>,
    /// Number of features.
    width: usize,
    /// Faces and copies for each face.
    views: usize,
}

impl TrainingFeatures {
    /// Computes the features of faces and of `copies` changed copies of each.
    pub fn new(network: &Extractor, faces: &[&PhotoFace], copies: usize) -> Self {
        let changes = copy_augmentation();
        let views = copies + 1;
        let of = |workspace: &mut Workspace, index: usize| {
            let pixels = &faces[index / views].pixels;
            let grey = if index.is_multiple_of(views) {
                pixels.iter().map(|&p| f32::from(p)).collect()
            } else {
                let mut rng = rng(0, Purpose::Augmentation, 0, index as u64);
                let mut image = changes.transform_geometry(pixels, &mut rng);
                changes.degrade.apply(&mut image, &mut rng);
                image
            };
            network.features(workspace, grey)
        };
        let all: Vec<Vec<f32>> = (0..faces.len() * views)
            .into_par_iter()
            .map_init(Workspace::default, of)
            .collect();
        Self {
            width: all.first().map_or(0, Vec::len),
            features: all.concat(),
            views,
        }
    }

    /// The features of a face and its copies.
    pub fn of(&self, face: usize) -> impl Iterator<Item = &[f32]> {
        let values = self.width * self.views;
        self.features[face * values..][..values].chunks_exact(self.width)
    }

    /// The examples of the faces for which `is_trained_on` is true, with the rows of FER2013.
    pub fn examples(
        &self,
        faces: &[&PhotoFace],
        rows: &Examples,
        options: &PhotoHeadOptions,
        is_trained_on: impl Fn(usize) -> bool,
    ) -> Examples {
        let chosen: Vec<usize> = (0..faces.len())
            .filter(|&face| is_trained_on(face))
            .collect();
        let mut counts = [0.0; Emotion::COUNT];
        for emotion in chosen.iter().filter_map(|&face| faces[face].emotion) {
            counts[emotion.index()] += 1.0;
        }
        let balance = |emotion: Emotion| {
            let count: f32 = counts[emotion.index()];
            count.max(MIN_CLASS_COUNT).powf(-options.balance)
        };
        let (mut examples, mut groups) = (Examples::default(), [0.0; 2]);
        for &face in &chosen {
            let (group, weight, target) = match (faces[face].emotion, faces[face].smile) {
                (Some(emotion), _) => (0, balance(emotion), smoothed(emotion, options.smoothing)),
                (None, Some(true)) => (1, 1.0, smoothed(Emotion::Happy, options.smoothing)),
                (None, _) => (1, 1.0, not_smiling()),
            };
            for features in self.of(face) {
                examples.features.extend(features);
                examples.targets.push(target);
                // Negative at first, to mark the group until its weight is known.
                examples
                    .weights
                    .push(if group == 0 { weight } else { -weight });
                groups[group] += weight;
            }
        }
        for weight in &mut examples.weights {
            let group = usize::from(*weight < 0.0);
            *weight = weight.abs() * LOSS_SHARES[group] / groups[group];
        }
        let each = LOSS_SHARES[2] / rows.targets.len().max(1) as f32;
        examples.features.extend(&rows.features);
        examples.targets.extend(&rows.targets);
        examples.weights.resize(examples.targets.len(), each);
        examples
    }
}

pub(super) fn smoothed(emotion: Emotion, smoothing: f32) -> Target {
    let mut target = [smoothing / Emotion::COUNT as f32; Emotion::COUNT];
    target[emotion.index()] += 1.0 - smoothing;
    target
}

/// The target of a face that is labelled as not smiling: in everyday photos it is mostly neutral. The label does not
/// state that, but without this target the head would learn nothing from such photos about faces that are turned or
/// look down, which are classified as sad too often.
pub(super) fn not_smiling() -> Target {
    let others = Emotion::COUNT as f32 - 2.0;
    let mut target =
        [(1.0 - NEUTRAL_IF_NOT_SMILING - HAPPY_IF_NOT_SMILING) / others; Emotion::COUNT];
    target[Emotion::Neutral.index()] = NEUTRAL_IF_NOT_SMILING;
    target[Emotion::Happy.index()] = HAPPY_IF_NOT_SMILING;
    target
}

/// Training rows of FER2013 with both label and votes, evenly drawn; the target is the mean of both.
pub(super) fn fer2013_rows(network: &Extractor, dataset: &Dataset) -> Examples {
    let mut chosen = dataset.indices(Usage::Training);
    let shares = |index: usize| {
        let votes = dataset.rows()[index].votes;
        votes.filter(|v| v.usable() >= MIN_VOTES)?.shares()
    };
    chosen.retain(|&index| shares(index).is_some());
    let step = chosen.len().div_ceil(MAX_ROWS).max(1);
    let chosen: Vec<usize> = chosen.into_iter().step_by(step).collect();
    let features: Vec<Vec<f32>> = chosen
        .par_iter()
        .map_init(Workspace::default, |workspace, &index| {
            let pixels = &dataset.pixels(index)[..PIXELS];
            network.features(workspace, pixels.iter().map(|&p| f32::from(p)).collect())
        })
        .collect();
    let target = |&index: &usize| {
        let mut target = shares(index).unwrap_or_default().map(|share| share / 2.0);
        target[dataset.rows()[index].label.index()] += 0.5;
        target
    };
    Examples {
        features: features.concat(),
        targets: chosen.iter().map(target).collect(),
        weights: vec![1.0; chosen.len()],
    }
}
