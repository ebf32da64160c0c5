//! Simulates a person who corrects wrong faces of an album, and measures what that teaches about the others.
//! `docs/corrections.md` has the results.
//!
//!     cargo run --release -p fer-train --example corrections -- MODEL FER2013 SEEDS FACES...
//!
//! FACES are files of `fer-index dataset photos`; the faces of the first are the album, of the others the photo head learns
//! besides. For each seed the people of the album are divided into two halves. One half is the album of a person, whose
//! scores a photo head gives that has learned from the other half alone. The person looks at the first twenty faces of each
//! emotion, corrects the wrong ones in random order, goes on with the next twenty, and so on. The figures are those of the
//! faces that were not corrected, less those without corrections.
#![allow(clippy::print_stdout)]

use std::convert::Infallible;
use std::error::Error;
use std::path::{Path, PathBuf};

use fer_core::emotion::{Emotion, EmotionScores};
use fer_core::personal::{Lessons, PersonalLayer, ReadFace, learn};
use fer_train::dataset::Dataset;
use fer_train::evaluate::{LabelledFace, average_precision, macro_recall};
use fer_train::photos::{HeldOutHeads, PhotoFaces, PhotoHeadOptions};
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// After how many corrections the figures are taken.
const CORRECTIONS: [usize; 3] = [10, 30, 100];

/// Faces of each emotion that the person looks at before those of the next emotion.
const PAGE: usize = 20;

/// The figures: the macro recall of four emotions, and the average precision of these.
const RANKED: [Emotion; 3] = [Emotion::Angry, Emotion::Sad, Emotion::Happy];

type Figures = [f64; 1 + RANKED.len()];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, data, seeds, faces @ ..] = arguments.as_slice() else {
        return Err("give MODEL FER2013 SEEDS FACES...".into());
    };
    let sets = faces
        .iter()
        .map(|file| PhotoFaces::load(&PathBuf::from(file)));
    let sets: Vec<PhotoFaces> = sets.collect::<Result<_, _>>()?;
    let dataset = Dataset::load(Path::new(data))?;
    let options = shipped();
    let heads = HeldOutHeads::new(Path::new(model), &sets, &dataset, &options)?;
    let album = 0..sets.first().map_or(0, |set| set.0.len());
    let mut outcomes: Vec<Vec<Outcome>> = vec![Vec::new(); CORRECTIONS.len()];
    for seed in 0..seeds.parse()? {
        let in_half = halves(&heads, album.clone(), seed);
        for half in [false, true] {
            let is_own =
                |face: &usize| in_half[*face] == half && heads.faces()[*face].emotion.is_some();
            let own: Vec<usize> = album.clone().filter(is_own).collect();
            let learns = |face: usize| !album.contains(&face) || in_half[face] != half;
            let read = heads.read(&own, learns);
            let truth: Vec<Emotion> = own
                .iter()
                .filter_map(|&face| heads.faces()[face].emotion)
                .collect();
            let mut rng = ChaCha8Rng::seed_from_u64(2 * seed + u64::from(half));
            let wrong = wrong_faces(&read, &truth, &mut rng);
            for (outcomes, count) in outcomes.iter_mut().zip(CORRECTIONS) {
                outcomes.push(Outcome::of(&read, &truth, &wrong[..count.min(wrong.len())]));
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

/// The options with which `models/train.sh` fits the photo head.
fn shipped() -> PhotoHeadOptions {
    PhotoHeadOptions {
        strength: 0.05,
        balance: 0.5,
        smoothing: 0.02,
        views: 4,
        leave_out: vec![Emotion::Disgust],
        shift: [
            (Emotion::Angry, 0.5),
            (Emotion::Sad, 0.7),
            (Emotion::Contempt, 1.5),
        ]
        .into(),
        half: false,
    }
}

/// For each face of the album whether it is in the second half; all faces of a person are in one.
fn halves(heads: &HeldOutHeads<'_>, album: std::ops::Range<usize>, seed: u64) -> Vec<bool> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut people = std::collections::BTreeMap::new();
    let half = |face: usize| -> bool {
        *people
            .entry(heads.faces()[face].person.as_str())
            .or_insert_with(|| rng.random())
    };
    album.map(half).collect()
}

/// The wrong faces in the order in which the person corrects them.
fn wrong_faces(read: &[ReadFace], truth: &[Emotion], rng: &mut ChaCha8Rng) -> Vec<usize> {
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

/// What some corrections have taught.
#[derive(Debug, Clone)]
struct Outcome {
    /// Whether the program would use it.
    is_used: bool,
    before: Figures,
    after: Figures,
}

impl Outcome {
    fn of(read: &[ReadFace], truth: &[Emotion], corrected: &[usize]) -> Self {
        let rest: Vec<usize> = (0..read.len())
            .filter(|face| !corrected.contains(face))
            .collect();
        let said = corrected
            .iter()
            .map(|&face| (read[face].clone(), truth[face]));
        let each = |visit: &mut dyn FnMut(ReadFace)| -> Result<(), Infallible> {
            for &face in &rest {
                visit(read[face].clone());
            }
            Ok(())
        };
        let lessons = Lessons::choose(said.collect(), each).unwrap_or_else(|never| match never {});
        let learned = learn(&lessons);
        let layer = learned.as_ref().map(|(layer, _)| layer);
        Self {
            is_used: learned
                .as_ref()
                .is_some_and(|(_, proof)| proof.is_convincing()),
            before: figures(read, truth, &rest, None),
            after: figures(read, truth, &rest, layer),
        }
    }

    /// By how much a figure rises if the layer is used, or not.
    fn gain(&self, figure: usize, is_used: bool) -> f64 {
        if is_used {
            self.after[figure] - self.before[figure]
        } else {
            0.0
        }
    }
}

/// The figures of some faces; disgust, whose labels are unreliable, is left out.
fn figures(
    read: &[ReadFace],
    truth: &[Emotion],
    of: &[usize],
    layer: Option<&PersonalLayer>,
) -> Figures {
    let scores = |face: &ReadFace| -> EmotionScores {
        let learned = layer.and_then(|layer| layer.scores(&face.scores, &face.features));
        learned.unwrap_or(face.scores)
    };
    let counted = of.iter().filter(|&&face| truth[face] != Emotion::Disgust);
    let faces: Vec<LabelledFace> = counted
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
