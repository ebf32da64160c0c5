//! Simulates a person who corrects wrong faces of an album, and measures how that changes the scores of the others.
//! `docs/corrections.md` has the results.
//!
//!     cargo run --release -p fer-train --example corrections -- MODEL FER2013 SEEDS FOLDER FACES...
//!
//! FACES are files of `fer-index dataset photos`; the first has the faces of the album, the others are further training
//! data of the photo head. Each of five folds of people is classified by a photo head that was fitted to the other
//! four. The results are stored in FOLDER, so that an interrupted run can continue. For each seed the people of the
//! album are divided into two halves, and each half is the album of a person. The person views the first twenty faces
//! of each emotion, corrects the wrong ones in random order, continues with the next twenty, and so on. The figures are
//! those of the uncorrected faces, minus the same figures without any correction.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::path::{Path, PathBuf};

use fer_core::emotion::{Emotion, EmotionScores};
use fer_core::features::Features;
use fer_core::personal::{ClassifiedFace, PersonalLayer, TrainingFaces, learn};
use fer_train::dataset::Dataset;
use fer_train::evaluate::{LabelledFace, average_precision, macro_recall, person_folds};
use fer_train::photos::{HeldOutHeads, PhotoFaces, PhotoHeadOptions};
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Numbers of corrections after which the figures are computed.
const CORRECTIONS: [usize; 3] = [10, 30, 100];

/// The factor of the logits, about the one that `fer-index model photo-head` chooses.
const SHARPNESS: f32 = 1.5;

/// Number of folds of people.
const FOLDS: usize = 5;

/// Faces of each emotion that the person views before those of the next emotion.
const PAGE: usize = 20;

/// The figures: the macro recall of four emotions, and the average precision of these.
const RANKED: [Emotion; 3] = [Emotion::Angry, Emotion::Sad, Emotion::Happy];

type Figures = [f64; 1 + RANKED.len()];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, data, seeds, folder, faces @ ..] = arguments.as_slice() else {
        return Err("give MODEL FER2013 SEEDS FOLDER FACES...".into());
    };
    let sets = faces
        .iter()
        .map(|file| PhotoFaces::load(&PathBuf::from(file)));
    let mut sets: Vec<PhotoFaces> = sets.collect::<Result<_, _>>()?;
    let options = PhotoHeadOptions::shipped(2);
    for set in &mut sets {
        set.0
            .retain(|face| !face.emotion.is_some_and(|e| options.leave_out.contains(&e)));
    }
    let faces = read(
        Path::new(folder),
        Path::new(model),
        Path::new(data),
        &sets,
        &options,
    )?;
    let mut outcomes: Vec<Vec<Outcome>> = vec![Vec::new(); CORRECTIONS.len()];
    for seed in 0..seeds.parse()? {
        for (half, album) in (0..).zip(halves(&faces, seed)) {
            let mut rng = ChaCha8Rng::seed_from_u64(2 * seed + half);
            let wrong = wrong_faces(&album.read, &album.truth, &mut rng);
            for (outcomes, count) in outcomes.iter_mut().zip(CORRECTIONS) {
                let corrected = &wrong[..count.min(wrong.len())];
                outcomes.push(Outcome::of(&album.read, &album.truth, corrected));
            }
        }
    }
    for (outcomes, count) in outcomes.iter().zip(CORRECTIONS) {
        let used = outcomes.iter().filter(|outcome| outcome.is_used).count();
        println!(
            "{count} corrections: the layer is used in {used} of {} albums",
            outcomes.len()
        );
        let names = ["macro recall".to_owned()].into_iter();
        let names = names.chain(RANKED.map(|emotion| format!("average precision of {emotion}")));
        for (figure, name) in names.enumerate() {
            let spread = |of: &dyn Fn(&Outcome) -> f64| {
                let values: Vec<f64> = outcomes.iter().map(of).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                (mean, values.into_iter().fold(f64::INFINITY, f64::min))
            };
            let (before, _) = spread(&|outcome| outcome.before[figure]);
            let (mean, least) = spread(&|outcome| outcome.gain(figure, outcome.is_used));
            let (always, worst) = spread(&|outcome| outcome.gain(figure, true));
            println!(
                "  {name}: {before:.3} before; {mean:+.4}, at least {least:+.4}; if it were always used {always:+.4}, \
                 at least {worst:+.4}"
            );
        }
    }
    Ok(())
}

/// A stored face: the index of its emotion, the person, its scores, and its features.
type Kept = (usize, String, [f32; Emotion::COUNT], Vec<u8>);

/// The results for the labelled faces of the first set, each by a head that was not fitted to this person.
fn read(
    folder: &Path,
    model: &Path,
    data: &Path,
    sets: &[PhotoFaces],
    options: &PhotoHeadOptions,
) -> Result<Vec<Kept>, Box<dyn Error>> {
    let all = sets.iter().flat_map(|set| &set.0);
    let facts: Vec<(&str, Emotion)> = all
        .map(|face| {
            (
                face.person.as_str(),
                face.emotion.unwrap_or(Emotion::Contempt),
            )
        })
        .collect();
    let folds = person_folds(&facts, FOLDS);
    let mut heads = None;
    let mut faces = Vec::new();
    for fold in 0..FOLDS {
        let file = folder.join(format!("fold-{fold}.json"));
        if !file.exists() {
            if heads.is_none() {
                let dataset = Dataset::load(data)?;
                heads = Some(HeldOutHeads::new(model, sets, &dataset, options)?);
            }
            let kept = heads.iter().flat_map(|heads| kept(heads, &folds, fold));
            std::fs::create_dir_all(folder)?;
            std::fs::write(&file, serde_json::to_vec(&kept.collect::<Vec<Kept>>())?)?;
        }
        faces.extend(serde_json::from_slice::<Vec<Kept>>(&std::fs::read(&file)?)?);
    }
    Ok(faces)
}

/// The labelled faces of a fold, classified by a head that was fitted to the other folds.
fn kept(heads: &HeldOutHeads<'_>, folds: &[usize], fold: usize) -> Vec<Kept> {
    let faces = heads.faces();
    let is_own = |face: &usize| folds[*face] == fold && faces[*face].emotion.is_some();
    let own: Vec<usize> = (0..faces.len()).filter(is_own).collect();
    let read = heads.read(&own, |face| folds[face] != fold);
    let kept = |(&face, read): (&usize, ClassifiedFace)| {
        let face = faces[face];
        let (scores, features) = (*read.scores.as_array(), read.features.as_bytes());
        let shows = face.emotion?.index();
        Some((shows, face.person.clone(), scores, features.to_vec()))
    };
    own.iter().zip(read).filter_map(kept).collect()
}

/// The album of a person.
#[derive(Default)]
struct Album {
    read: Vec<ClassifiedFace>,
    truth: Vec<Emotion>,
}

/// Two albums, with half of the people in each.
fn halves(faces: &[Kept], seed: u64) -> [Album; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut people = BTreeMap::new();
    let mut albums = [Album::default(), Album::default()];
    for (shows, person, scores, features) in faces {
        let half: &mut bool = people
            .entry(person.as_str())
            .or_insert_with(|| rng.random());
        let album = &mut albums[usize::from(*half)];
        if let (Some(truth), Some(features)) =
            (Emotion::from_index(*shows), Features::from_bytes(features))
        {
            album.truth.push(truth);
            let raised = scores.map(|score| score.powf(SHARPNESS));
            let sum: f32 = raised.iter().sum();
            album.read.push(ClassifiedFace {
                features,
                scores: EmotionScores::new(raised.map(|score| score / sum)),
            });
        }
    }
    albums
}

/// The wrong faces in the order in which the person corrects them.
fn wrong_faces(read: &[ClassifiedFace], truth: &[Emotion], rng: &mut ChaCha8Rng) -> Vec<usize> {
    let lists = Emotion::ALL.map(|emotion| {
        let mut list: Vec<usize> = (0..read.len()).collect();
        list.sort_by(|&a, &b| read[b].scores[emotion].total_cmp(&read[a].scores[emotion]));
        (emotion, list)
    });
    let mut wrong: Vec<usize> = Vec::new();
    for page in 0..read.len().div_ceil(PAGE) {
        let mut found = Vec::new();
        for (emotion, list) in &lists {
            let seen = list.iter().skip(page * PAGE).take(PAGE);
            let is_new = |face: &&usize| truth[**face] != *emotion;
            for face in seen.filter(is_new) {
                if !wrong.contains(face) && !found.contains(face) {
                    found.push(*face);
                }
            }
        }
        found.shuffle(rng);
        wrong.extend(found);
    }
    wrong
}

/// The effect of some corrections.
#[derive(Debug, Clone)]
struct Outcome {
    /// Whether the program would use the learned layer.
    is_used: bool,
    before: Figures,
    after: Figures,
}

impl Outcome {
    fn of(read: &[ClassifiedFace], truth: &[Emotion], corrected: &[usize]) -> Self {
        let rest: Vec<usize> = (0..read.len())
            .filter(|face| !corrected.contains(face))
            .collect();
        let corrections = corrected
            .iter()
            .map(|&face| (read[face].clone(), truth[face]));
        let each = |visit: &mut dyn FnMut(ClassifiedFace)| -> Result<(), Infallible> {
            for &face in &rest {
                visit(read[face].clone());
            }
            Ok(())
        };
        let lessons = TrainingFaces::choose(corrections.collect(), each)
            .unwrap_or_else(|never| match never {});
        let training_features = learn(&lessons);
        let layer = training_features.as_ref().map(|(layer, _)| layer);
        Self {
            is_used: training_features
                .as_ref()
                .is_some_and(|(_, proof)| proof.is_convincing()),
            before: figures(read, truth, &rest, None),
            after: figures(read, truth, &rest, layer),
        }
    }

    /// The rise of a figure by the layer if `is_used`, otherwise 0.
    fn gain(&self, figure: usize, is_used: bool) -> f64 {
        if is_used {
            self.after[figure] - self.before[figure]
        } else {
            0.0
        }
    }
}

/// The figures of some faces.
fn figures(
    read: &[ClassifiedFace],
    truth: &[Emotion],
    of: &[usize],
    layer: Option<&PersonalLayer>,
) -> Figures {
    let scores = |face: &ClassifiedFace| -> EmotionScores {
        let training_features = layer.and_then(|layer| layer.scores(&face.scores, &face.features));
        training_features.unwrap_or(face.scores)
    };
    let faces: Vec<LabelledFace> = of
        .iter()
        .map(|&face| LabelledFace {
            truth: truth[face],
            person: String::new(),
            scores: scores(&read[face]),
        })
        .collect();
    let all: Vec<&LabelledFace> = faces.iter().collect();
    let mut figures = [macro_recall(&all).unwrap_or_default(); 1 + RANKED.len()];
    for (figure, emotion) in figures[1..].iter_mut().zip(RANKED) {
        let ranked = faces
            .iter()
            .map(|face| (face.scores[emotion].into(), face.truth == emotion));
        *figure = average_precision(ranked).unwrap_or_default();
    }
    figures
}
