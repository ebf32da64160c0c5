//! Fine-tunes the trunk of a trained network on faces of photos, so that the photo head that is fitted afterwards reads
//! features that were trained on such faces.
//!
//! Each step has faces of photos, each in two changed copies, and rows of FER2013. The photos' part of the loss is the
//! cross-entropy to labels that are mixed with the scores of a photo head on the original trunk (labels of photos are
//! noisy), and the divergence between the two copies (consistency; Laine and Aila, "Temporal ensembling for
//! semi-supervised learning", ICLR 2017). On the rows of FER2013 the targets are the original network's own scores (Li
//! and Hoiem, "Learning without forgetting", ECCV 2016).

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{D, DType, Device, Result as Candle, Tensor, Var};
use candle_nn::VarMap;
use candle_nn::ops::log_softmax;
use rand::Rng;
use rayon::prelude::*;

use super::faces::PhotoFace;
use super::head::{PHOTO_HEAD, PhotoHeadOptions, prior};
use super::objective::{Target, fit};
use super::training_data::{Extractor, TrainingFeatures, fer2013_rows, not_smiling, smoothed};
use crate::augment::{Augmentation, Degradation, Erase, Jitter, Range};
use crate::dataset::{Dataset, PIXELS, Usage};
use crate::ema::Ema;
use crate::initial_weights::InitialWeightsRecipe;
use crate::optimizer::{Optimizer, OptimizerRecipe};
use crate::random::{Purpose, rng};
use crate::weights::{self, model_error};
use fer_core::classify::{FACE_SIDE, softmax};
use fer_core::emotion::Emotion;
use fer_core::error::{Error, Result};
use fer_core::network::{FoldedNetwork, HeadSpec, ModelFile, NetworkSpec, PixelScaling};

/// Faces of photos in a step; each occurs twice.
const PHOTOS_PER_STEP: usize = 48;

/// Rows of FER2013 in a step.
const ROWS_PER_STEP: usize = 64;

/// Share of the photos in a step that are labelled with an emotion, the others with a smile.
const EXPRESSION_SHARE: f32 = 0.7;

/// Weight of each of the two heads of FER2013 in the loss.
const FER2013_LOSS_WEIGHT: f64 = 0.5;

/// The settings of the fine-tuning.
#[derive(Debug, Clone, PartialEq)]
pub struct TuneOptions {
    /// Seed of everything random.
    pub seed: u64,
    /// Number of steps.
    pub steps: usize,
    /// The learning rate at the beginning; it falls to 0 along a cosine.
    pub learning_rate: f64,
    /// Decay of the moving average of the weights.
    pub ema: f64,
    /// Weight of the divergence between the two copies of a face.
    pub consistency: f64,
    /// Share of the original photo head's scores in the targets.
    pub teacher_share: f32,
    /// Share of the tuned weights in the written ones; the rest is that of the original weights (Wortsman et al.,
    /// "Robust fine-tuning of zero-shot models", CVPR 2022).
    pub share: f64,
}

/// The mean losses of some steps: of the photos' labels, of their consistency, and of FER2013's rows.
pub type Losses = [f64; 3];

/// Fine-tunes the trunk of `model` on labelled `faces` and rows of `dataset` with votes, and writes it to `out` with
/// the heads for FER2013. `head` has the options of the photo head that is fitted to the original trunk, for the
/// targets. The photo head and the head for the human score must be fitted again to the new trunk afterwards.
/// `progress` is called after each step with the number of steps so far.
///
/// # Errors
/// If the model cannot be used, the loss is no longer finite, or the file cannot be written.
pub fn tune_trunk(
    model: &Path,
    faces: &[&PhotoFace],
    dataset: &Dataset,
    (options, head): (&TuneOptions, &PhotoHeadOptions),
    out: &Path,
    mut progress: impl FnMut(usize, Losses),
) -> Result<()> {
    let file = ModelFile::parse(&weights::read_bytes(model)?, &model.display().to_string())?;
    let pixels = file.spec.pixels;
    let mut spec = file.spec.clone();
    spec.heads.retain(|head| head.name != PHOTO_HEAD);
    let fer2013_heads = spec.heads.len();
    spec.heads.push(HeadSpec::new(PHOTO_HEAD, &Emotion::ALL));
    let photos = Photos::new(&file, faces, dataset, options, head)?;
    let teacher = file.fold(ROWS_PER_STEP)?;

    let (map, network) = weights::build_network(&spec).map_err(model_error)?;
    let start = InitialWeightsRecipe {
        init: Some(model.to_owned()),
        ..InitialWeightsRecipe::default()
    };
    start.apply(&map, options.seed)?;
    initialise_photo_head(&map, &file).map_err(|e| file.unusable(&e))?;
    let ema = Ema::new(&spec, &map, options.ema).map_err(model_error)?;
    let mut trained = weights::sorted_variables(&map);
    trained.retain(|(name, _)| start.is_trained(name));
    let recipe = OptimizerRecipe {
        weight_decay: 5e-4,
        ..OptimizerRecipe::default()
    };
    let mut optimizer = Optimizer::new(recipe, trained).map_err(model_error)?;
    let mut usable = dataset.indices(Usage::Training);
    usable.retain(|&row| dataset.rows()[row].votes.is_some_and(|v| v.usable() >= 5));

    for step in 0..options.steps {
        let batch = photos.batch(step, &usable, dataset, pixels, options.seed);
        let probabilities = teacher_probabilities(
            &teacher,
            &batch.images[2 * PHOTOS_PER_STEP * PIXELS..],
            fer2013_heads,
        );
        let seed = rng(options.seed, Purpose::Dropout, step, 0).random();
        let rate = 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / options.steps as f64).cos());
        let mut take = || -> Candle<Losses> {
            let shape = (2 * PHOTOS_PER_STEP + ROWS_PER_STEP, FACE_SIDE, FACE_SIDE, 1);
            let images = Tensor::from_slice(&batch.images, shape, &Device::Cpu)?;
            let logits = network.forward_train(&images, seed)?;
            let read = |from| {
                log_softmax(
                    &logits[fer2013_heads].narrow(0, from, PHOTOS_PER_STEP)?,
                    D::Minus1,
                )
            };
            let [one, two] = [read(0)?, read(PHOTOS_PER_STEP)?];
            let targets = Tensor::from_slice(&batch.targets, one.shape(), &Device::Cpu)?;
            let labels =
                ((&targets * (&one + &two)?)?.sum_all()? * (-0.5 / PHOTOS_PER_STEP as f64))?;
            let divergence = ((one.exp()? - two.exp()?)? * (&one - &two)?)?.sum_all()?;
            let divergence = (divergence * (1.0 / PHOTOS_PER_STEP as f64))?;
            let mut fer2013 = Tensor::zeros((), DType::F32, &Device::Cpu)?;
            for (logits, probabilities) in logits.iter().zip(&probabilities) {
                let log_p = log_softmax(
                    &logits.narrow(0, 2 * PHOTOS_PER_STEP, ROWS_PER_STEP)?,
                    D::Minus1,
                )?;
                let probabilities = Tensor::from_slice(probabilities, log_p.shape(), &Device::Cpu)?;
                let loss = ((probabilities * log_p)?.sum_all()?
                    * (-FER2013_LOSS_WEIGHT / ROWS_PER_STEP as f64))?;
                fer2013 = (fer2013 + loss)?;
            }
            let loss = ((&labels + (&divergence * options.consistency)?)? + &fer2013)?;
            optimizer.step(&loss.backward()?, options.learning_rate * rate)?;
            ema.update(optimizer.steps())?;
            let value =
                |loss: &Tensor| Ok::<_, candle_core::Error>(f64::from(loss.to_scalar::<f32>()?));
            Ok([value(&labels)?, value(&divergence)?, value(&fer2013)?])
        };
        let losses = take().map_err(model_error)?;
        if losses.iter().any(|loss| !loss.is_finite()) {
            return Err(Error::Model(format!(
                "the loss became {losses:?} in step {}; try a lower learning rate",
                step + 1
            )));
        }
        progress(step + 1, losses);
    }
    write(model, spec, ema.weights(), options.share, out)
}

/// Writes the mean of the tuned weights and those of `model`, without the photo head.
fn write(
    model: &Path,
    mut spec: NetworkSpec,
    tuned: &VarMap,
    share: f64,
    out: &Path,
) -> Result<()> {
    spec.heads.retain(|head| head.name != PHOTO_HEAD);
    let before = weights::read_tensors(model)?;
    let tuned: BTreeMap<String, Var> = weights::sorted_variables(tuned).into_iter().collect();
    let mean = |(name, before): (String, Tensor)| {
        let tuned = tuned
            .get(&name)
            .filter(|tuned| tuned.shape() == before.shape())?;
        Some((name, average(&before, tuned.as_tensor(), share)))
    };
    let tensors = before.tensors.into_iter().filter_map(mean);
    let tensors = tensors.map(|(name, mean)| Ok((name, mean.map_err(model_error)?)));
    let mut metadata = before.metadata;
    let json = serde_json::to_string(&spec)
        .map_err(|e| Error::Model(format!("cannot write the network's description: {e}")))?;
    metadata.insert("spec".to_owned(), json);
    weights::save(out, tensors.collect::<Result<_>>()?, metadata)
}

fn average(before: &Tensor, tuned: &Tensor, share: f64) -> Candle<Tensor> {
    let before = before.to_dtype(DType::F32)?;
    &before + ((tuned - &before)? * share)?
}

/// Initialises the photo head, which reads the last block during the fine-tuning, to the mean of the other heads.
fn initialise_photo_head(map: &VarMap, file: &ModelFile) -> Candle<()> {
    let prior = prior(file).map_err(candle_core::Error::wrap)?;
    for (name, variable) in weights::sorted_variables(map) {
        let dims = variable.dims().to_vec();
        if name == format!("heads.{PHOTO_HEAD}.weight") {
            let width = prior.weight.len() / Emotion::COUNT;
            let rows = prior.weight.chunks_exact(width);
            let last: Vec<f32> = rows
                .flat_map(|row| &row[width - dims[1]..])
                .copied()
                .collect();
            variable.set(&Tensor::from_vec(last, dims, &Device::Cpu)?)?;
        } else if name == format!("heads.{PHOTO_HEAD}.bias") {
            variable.set(&Tensor::new(&prior.bias[..], &Device::Cpu)?)?;
        }
    }
    Ok(())
}

/// The probabilities that the first `heads` heads of a network give to scaled faces.
fn teacher_probabilities(network: &FoldedNetwork, faces: &[f32], heads: usize) -> Vec<Vec<f32>> {
    let rows = faces.len() / PIXELS;
    let mut all = network.infer_all(faces);
    all.truncate(heads);
    for logits in &mut all {
        let classes = logits.len() / rows;
        logits.chunks_exact_mut(classes).for_each(softmax);
    }
    all
}

/// Faces of photos with their targets.
struct Photos<'a> {
    faces: &'a [&'a PhotoFace],
    targets: Vec<Target>,
    /// The sums of the probabilities by which faces are drawn.
    cumulative: Vec<f32>,
}

/// The faces of a step, scaled, and the targets of the photos.
struct Batch {
    images: Vec<f32>,
    targets: Vec<f32>,
}

impl<'a> Photos<'a> {
    fn new(
        file: &ModelFile,
        faces: &'a [&'a PhotoFace],
        dataset: &Dataset,
        options: &TuneOptions,
        head: &PhotoHeadOptions,
    ) -> Result<Self> {
        let network = Extractor {
            network: file.fold(2)?,
            pixels: file.spec.pixels,
        };
        let training_features = TrainingFeatures::new(&network, faces, head.views);
        let examples =
            training_features.examples(faces, &fer2013_rows(&network, dataset), head, |_| true);
        let teacher = fit(&examples, &prior(file)?, head.strength);
        let target = |(index, face): (usize, &&PhotoFace)| {
            let mut target = match (face.emotion, face.smile) {
                (Some(emotion), _) => smoothed(emotion, head.smoothing),
                (None, Some(true)) => smoothed(Emotion::Happy, head.smoothing),
                (None, _) => not_smiling(),
            };
            let mut taught = teacher.logits(training_features.of(index).next().unwrap_or_default());
            softmax(&mut taught);
            for (target, taught) in target.iter_mut().zip(taught) {
                *target += options.teacher_share * (taught - *target);
            }
            target
        };
        let mut counts = [0.0_f32; Emotion::COUNT];
        let smiles = faces.iter().filter(|face| face.emotion.is_none()).count();
        for emotion in faces.iter().filter_map(|face| face.emotion) {
            counts[emotion.index()] += 1.0;
        }
        let balance = |count: f32| count.max(20.0).powf(-head.balance);
        let all: f32 = counts.iter().map(|&count| count * balance(count)).sum();
        let mut sum = 0.0;
        let cumulative = faces.iter().map(|face| {
            sum += match face.emotion {
                Some(emotion) => EXPRESSION_SHARE * balance(counts[emotion.index()]) / all,
                None => (1.0 - EXPRESSION_SHARE) / smiles as f32,
            };
            sum
        });
        Ok(Self {
            cumulative: cumulative.collect(),
            targets: faces.iter().enumerate().map(target).collect(),
            faces,
        })
    }

    fn batch(
        &self,
        step: usize,
        rows: &[usize],
        dataset: &Dataset,
        scaling: PixelScaling,
        seed: u64,
    ) -> Batch {
        let mut order = rng(seed, Purpose::Order, step, 0);
        let last = self.cumulative.last().copied().unwrap_or_default();
        let photos: Vec<usize> = (0..PHOTOS_PER_STEP)
            .map(|_| {
                let at = order.random::<f32>() * last;
                self.cumulative
                    .partition_point(|sum| *sum < at)
                    .min(self.faces.len() - 1)
            })
            .collect();
        let drawn: Vec<usize> = (0..ROWS_PER_STEP)
            .map(|_| rows[order.random_range(0..rows.len())])
            .collect();
        let (strong, light) = (strong_augmentation(), light_augmentation());
        let image = |index: usize| {
            let mut rng = rng(seed, Purpose::Augmentation, step, index as u64);
            let (changes, source) = match index.checked_sub(2 * PHOTOS_PER_STEP) {
                Some(row) => (&light, dataset.pixels(drawn[row])),
                None => (
                    &strong,
                    self.faces[photos[index % PHOTOS_PER_STEP]]
                        .pixels
                        .as_slice(),
                ),
            };
            let mut image = changes.transform_geometry(source, &mut rng);
            changes.degrade.apply(&mut image, &mut rng);
            scaling.apply(&mut image);
            changes.transform_intensity(&mut image, &mut rng);
            image
        };
        let images: Vec<Vec<f32>> = (0..2 * PHOTOS_PER_STEP + ROWS_PER_STEP)
            .into_par_iter()
            .map(image)
            .collect();
        Batch {
            images: images.concat(),
            targets: photos.iter().flat_map(|&face| self.targets[face]).collect(),
        }
    }
}

const fn jitter(probability: f32, by: f32) -> Jitter {
    Jitter { probability, by }
}

/// The changes of faces of photos: those that detectors, light, cameras and files cause.
fn strong_augmentation() -> Augmentation {
    let range = |probability, from, to| {
        Some(Range {
            probability,
            from,
            to,
        })
    };
    Augmentation {
        flip: 0.5,
        rotate: Some(jitter(0.7, 10.0)),
        scale: Some(jitter(0.7, 0.1)),
        shift: Some(jitter(0.7, 0.06)),
        degrade: Degradation {
            light: Some(jitter(0.3, 0.4)),
            gamma: Some(jitter(0.5, 0.4)),
            blur: range(0.3, 0.3, 1.4),
            low_resolution: range(0.3, 18.0, 44.0),
            noise: range(0.2, 1.0, 6.0),
            jpeg: range(0.4, 30.0, 85.0),
        },
        contrast: Some(jitter(1.0, 0.15)),
        brightness: Some(jitter(1.0, 0.15)),
        erase: Some(Erase {
            probability: 0.15,
            from: 6,
            to: 16,
        }),
        ..Augmentation::default()
    }
}

/// The changes of FER2013's rows, as in the final runs of the network.
fn light_augmentation() -> Augmentation {
    Augmentation {
        flip: 0.5,
        rotate: Some(jitter(0.5, 8.0)),
        scale: Some(jitter(0.5, 0.1)),
        shift: Some(jitter(0.5, 0.05)),
        contrast: Some(jitter(1.0, 0.15)),
        brightness: Some(jitter(1.0, 0.15)),
        ..Augmentation::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{signal, train};
    use fer_core::classify::{Cnn, EmotionClassifier};

    #[test]
    fn a_tuned_trunk_reads_the_rows_as_before_and_a_share_of_none_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = signal(120);
        let model = train(&["epochs=2"], &dataset, folder.path());
        let face = |row: usize| PhotoFace {
            pixels: dataset.pixels(row).to_vec(),
            emotion: row.is_multiple_of(2).then_some(dataset.rows()[row].label),
            smile: Some(dataset.rows()[row].label == Emotion::Happy),
            person: row.to_string(),
        };
        let faces: Vec<PhotoFace> = (0..120).map(face).collect();
        let faces: Vec<&PhotoFace> = faces.iter().collect();
        let head = PhotoHeadOptions {
            strength: 0.05,
            balance: 0.5,
            smoothing: 0.02,
            views: 1,
            leave_out: Vec::new(),
            shift: crate::calibrate::LogitShift::new(),
            half: false,
        };
        let tune = |share: f64| {
            let out = folder.path().join(format!("{share}.safetensors"));
            let options = TuneOptions {
                seed: 1,
                steps: 4,
                learning_rate: 0.01,
                ema: 0.5,
                consistency: 1.0,
                teacher_share: 0.4,
                share,
            };
            let mut steps = 0;
            let progress = |step, losses: Losses| {
                assert!(losses.iter().all(|loss| *loss >= 0.0), "{losses:?}");
                steps = step;
            };
            tune_trunk(&model, &faces, &dataset, (&options, &head), &out, progress).unwrap();
            assert_eq!(steps, 4);
            std::fs::read(out).unwrap()
        };
        let crops: Vec<_> = (0..30)
            .map(|row| {
                let mut crop = [0.0; PIXELS];
                let pixels = dataset.pixels(row).iter();
                crop.iter_mut()
                    .zip(pixels)
                    .for_each(|(grey, p)| *grey = f32::from(*p));
                crop
            })
            .collect();
        let read = |bytes: &[u8]| Cnn::read(bytes, "the model").unwrap().classify(&crops);
        let before = read(&std::fs::read(&model).unwrap());
        assert_eq!(read(&tune(0.0)), before);
        let (tuned, again) = (tune(1.0), tune(1.0));
        assert_eq!(tuned, again);
        let after = read(&tuned);
        assert_ne!(after, before);
        let pairs = before.iter().zip(&after);
        let same = pairs.filter(|(a, b)| a.top().0 == b.top().0).count();
        assert!(same > 24, "{same} of 30");
    }
}
