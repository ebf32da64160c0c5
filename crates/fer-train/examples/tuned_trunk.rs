//! Fine-tunes the trunk of the emotion network on faces of photos, and measures the gain on held-out people.
//! `docs/accuracy.md` has the results.
//!
//!     cargo run --release -p fer-train --example tuned_trunk -- FOLDER MODEL FER2013 SHARE FOLD,FOLD... FACES...
//!     cargo run --release -p fer-train --example tuned_trunk -- FOLDER MODEL FER2013 SHARE all FACES...
//!
//! FACES are files of `fer-index dataset photos`; SHARE is the share of the tuned weights in their mean with those of
//! MODEL. For each of the given folds of people, from 0 to 4, the trunk is tuned on the other four. Then photo heads on
//! the tuned and on the original trunk, both fitted to these four folds, classify the fold. The results are stored in
//! FOLDER, so that an interrupted run can continue. `all` tunes the trunk on all faces; `fer-index model photo-head`
//! and `models/human_head.sh` then make the other heads.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fer_core::classify::softmax;
use fer_core::emotion::{Emotion, EmotionScores};
use fer_train::dataset::Dataset;
use fer_train::evaluate::{
    LabelledFace, average_precision, calibration_error, macro_recall, person_folds,
};
use fer_train::photos::{
    HeldOutHeads, PhotoFace, PhotoFaces, PhotoHeadOptions, TuneOptions, tune_trunk,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Number of folds of people.
const FOLDS: usize = 5;

/// Resamples of the people, for the intervals.
const RESAMPLES: usize = 400;

/// Logits of a face, then of each of its changed copies.
type Views = Vec<[f32; Emotion::COUNT]>;

/// A stored face: the index of its emotion, the person, and its logits.
type Read = (usize, String, Views);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, model, data, share, folds, files @ ..] = arguments.as_slice() else {
        return Err("give FOLDER MODEL FER2013 SHARE FOLDS FACES...".into());
    };
    std::fs::create_dir_all(folder)?;
    let head = PhotoHeadOptions::shipped(2);
    let mut sets = Vec::new();
    for file in files {
        let mut set = PhotoFaces::load(&PathBuf::from(file))?;
        set.0.retain(|face| {
            face.emotion
                .map_or(face.smile.is_some(), |e| !head.leave_out.contains(&e))
        });
        sets.push(set);
    }
    let experiment = Experiment {
        folder: Path::new(folder),
        model: Path::new(model),
        dataset: Dataset::load(Path::new(data))?,
        options: TuneOptions {
            seed: 1,
            steps: 300,
            learning_rate: 0.01,
            ema: 0.99,
            consistency: 1.0,
            teacher_share: 0.4,
            share: share.parse()?,
        },
        folds: folds_of(&sets),
        sets,
        head,
    };
    if folds == "all" {
        println!("{}", experiment.tuned("all", |_| true)?.display());
        return Ok(());
    }
    let mut sides = [Vec::new(), Vec::new()];
    for fold in folds.split(',') {
        let fold: usize = fold.parse()?;
        let name = fold.to_string();
        sides[0].extend(experiment.read("before", experiment.model, fold)?);
        let trunk = experiment.tuned(&name, |face| experiment.folds[face] != fold)?;
        sides[1].extend(experiment.read(&format!("tuned-{share}"), &trunk, fold)?);
    }
    compare(&sides);
    Ok(())
}

/// The fold of each face.
fn folds_of(sets: &[PhotoFaces]) -> Vec<usize> {
    let facts: Vec<(&str, Emotion)> = sets
        .iter()
        .flat_map(|set| &set.0)
        .map(|face| {
            (
                face.person.as_str(),
                face.emotion.unwrap_or(Emotion::Contempt),
            )
        })
        .collect();
    person_folds(&facts, FOLDS)
}

struct Experiment<'a> {
    folder: &'a Path,
    model: &'a Path,
    sets: Vec<PhotoFaces>,
    folds: Vec<usize>,
    dataset: Dataset,
    options: TuneOptions,
    head: PhotoHeadOptions,
}

impl Experiment<'_> {
    /// The model file whose trunk was tuned on the faces for which `is_trained_on` is true.
    fn tuned(&self, name: &str, is_trained_on: impl Fn(usize) -> bool) -> Result<PathBuf> {
        let share = self.options.share;
        let out = self
            .folder
            .join(format!("trunk-{share}-{name}.safetensors"));
        if !out.exists() {
            let all = self.sets.iter().flat_map(|set| &set.0).enumerate();
            let faces: Vec<&PhotoFace> = all
                .filter(|(face, _)| is_trained_on(*face))
                .map(|(_, face)| face)
                .collect();
            let start = Instant::now();
            let options = (&self.options, &self.head);
            let progress = |step, losses| {
                if step % 20 == 0 {
                    let seconds = start.elapsed().as_secs();
                    eprintln!("{name}: step {step} after {seconds} s, losses {losses:.3?}");
                }
            };
            tune_trunk(self.model, &faces, &self.dataset, options, &out, progress)?;
        }
        Ok(out)
    }

    /// The results for the faces of a fold, by a head on a model's trunk that was fitted to the other folds.
    fn read(&self, name: &str, model: &Path, fold: usize) -> Result<Vec<Read>> {
        let file = self.folder.join(format!("{name}-{fold}.json"));
        if let Ok(bytes) = std::fs::read(&file) {
            return Ok(serde_json::from_slice(&bytes)?);
        }
        let heads = HeldOutHeads::new(model, &self.sets, &self.dataset, &self.head)?;
        let faces = heads.faces();
        let is_own = |face: &usize| self.folds[*face] == fold && faces[*face].emotion.is_some();
        let own: Vec<usize> = (0..faces.len()).filter(is_own).collect();
        let logits = heads.logits(&own, |face| self.folds[face] != fold);
        let read = own.iter().zip(logits).filter_map(|(&face, views)| {
            Some((
                faces[face].emotion?.index(),
                faces[face].person.clone(),
                views,
            ))
        });
        let read: Vec<Read> = read.collect();
        std::fs::write(&file, serde_json::to_vec(&read)?)?;
        Ok(read)
    }
}

/// The names of the figures.
const FIGURES: [&str; 8] = [
    "macro recall",
    "average precision of angry",
    "of sad",
    "of happy",
    "of surprise",
    "of neutral",
    "log-loss",
    "changed copies with another top emotion",
];

/// The faces with the scores of their logits multiplied by `sharpness`.
fn faces(read: &[Read], sharpness: f32) -> Vec<LabelledFace> {
    let face = |(truth, person, views): &Read| {
        let mut scores = views.first()?.map(|logit| logit * sharpness);
        softmax(&mut scores);
        Some(LabelledFace {
            truth: Emotion::from_index(*truth)?,
            person: person.clone(),
            scores: EmotionScores::new(scores),
        })
    };
    read.iter().filter_map(face).collect()
}

/// The figures of some faces.
fn figures(read: &[Read], faces: &[LabelledFace], of: &[usize]) -> [f64; FIGURES.len()] {
    let some: Vec<&LabelledFace> = of.iter().map(|&face| &faces[face]).collect();
    let precision = |emotion: Emotion| {
        let scored = some
            .iter()
            .map(|face| (face.scores[emotion].into(), face.truth == emotion));
        average_precision(scored).unwrap_or(f64::NAN)
    };
    let top = |logits: &[f32; Emotion::COUNT]| EmotionScores::new(*logits).top().0;
    let (mut copies, mut changed) = (0, 0);
    for (.., views) in of.iter().map(|&face| &read[face]) {
        if let Some((itself, others)) = views.split_first() {
            copies += others.len();
            changed += others
                .iter()
                .filter(|copy| top(copy) != top(itself))
                .count();
        }
    }
    let losses = some
        .iter()
        .map(|face| -f64::from(face.scores[face.truth].max(1e-6)).ln());
    [
        macro_recall(&some).unwrap_or(f64::NAN),
        precision(Emotion::Angry),
        precision(Emotion::Sad),
        precision(Emotion::Happy),
        precision(Emotion::Surprise),
        precision(Emotion::Neutral),
        losses.sum::<f64>() / some.len() as f64,
        changed as f64 / copies as f64,
    ]
}

/// Prints the figures before and after, with the intervals of their differences (95 %, bootstrap over people).
fn compare(sides: &[Vec<Read>; 2]) {
    let scored = sides.each_ref().map(|read| {
        let errors = (5..=20).map(|tenths| {
            let sharpness = tenths as f32 / 10.0;
            (calibration_error(&faces(read, sharpness)), sharpness)
        });
        let least = errors.min_by(|a, b| a.0.total_cmp(&b.0));
        let (error, sharpness) = least.unwrap_or((f64::NAN, 1.0));
        println!("calibration error {error:.3} with the logits multiplied by {sharpness:.1}");
        faces(read, sharpness)
    });
    let mut people: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (face, (_, person, _)) in sides[0].iter().enumerate() {
        people.entry(person).or_default().push(face);
    }
    let people: Vec<Vec<usize>> = people.into_values().collect();
    let both = |of: &[usize]| [0, 1].map(|side: usize| figures(&sides[side], &scored[side], of));
    let all: Vec<usize> = (0..sides[0].len()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let resampled: Vec<_> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..people.len()).map(|_| &people[rng.random_range(0..people.len())]);
            both(&drawn.flatten().copied().collect::<Vec<_>>())
        })
        .collect();
    println!("{} faces of {} people", all.len(), people.len());
    let [before, after] = both(&all);
    for (figure, name) in FIGURES.iter().enumerate() {
        let difference = resampled
            .iter()
            .map(|[before, after]| after[figure] - before[figure]);
        let mut difference: Vec<f64> = difference.collect();
        difference.sort_by(f64::total_cmp);
        let (low, high) = (
            difference[RESAMPLES / 40],
            difference[RESAMPLES - 1 - RESAMPLES / 40],
        );
        let (before, after) = (before[figure], after[figure]);
        let change = after - before;
        println!("{name}: {before:.3}, {after:.3}; {change:+.3} ({low:+.3} to {high:+.3})");
    }
}
