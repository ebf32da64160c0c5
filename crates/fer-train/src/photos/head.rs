//! Fits the photo head: a linear head on the outputs of all blocks of a trained network, which gives the album scores.

use std::path::Path;

use candle_core::Tensor;

use super::faces::{PhotoFace, PhotoFaces};
use super::objective::{Linear, fit};
use super::training_data::{Extractor, TrainingFeatures, fer2013_rows};
use crate::calibrate::LogitShift;
use crate::dataset::Dataset;
use crate::evaluate::{ExpressionFigures, LabelledFace, calibration_error, person_folds};
use crate::pack::halve;
use crate::targets::FERPLUS_HEAD;
use crate::weights::{self, model_error};
use fer_core::classify::softmax;
use fer_core::emotion::{Emotion, EmotionScores};
use fer_core::error::{Error, Result};
use fer_core::network::{HeadInput, HeadSpec, ModelFile, TrunkSpec};

/// The name of the head in a model file.
pub const PHOTO_HEAD: &str = "photos";

/// Number of folds of people in the cross-validation of the fit.
const FOLDS: usize = 5;

/// Candidate factors of the logits.
const SHARPNESS: [f32; 14] = [
    0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0,
];

/// The settings of the fit.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoHeadOptions {
    /// Strength of the Gaussian prior around the mean of the network's heads.
    pub strength: f64,
    /// Exponent of the class weights: 0 weighs faces alike, 1 emotions.
    pub balance: f32,
    /// Share of each label that is spread over all emotions, since labels are noisy.
    pub smoothing: f32,
    /// Changed copies of each face that are training data beside the face itself.
    pub views: usize,
    /// Labelled faces of these emotions are left out.
    pub leave_out: Vec<Emotion>,
    /// Added to the fitted logits, since the fitted head predicts rare emotions as rarely as they are labelled.
    pub shift: LogitShift,
    /// Whether to store large tensors as 16-bit floats.
    pub half: bool,
}

impl PhotoHeadOptions {
    /// The options with which `models/train.sh` fits the photo head, but with `views` changed copies of a face, and
    /// stored in full: for measurements, in which fewer copies save time.
    pub fn shipped(views: usize) -> Self {
        Self {
            strength: 0.05,
            balance: 0.5,
            smoothing: 0.02,
            views,
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
}

/// The results of a fit on held-out people.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedHead {
    /// The factor of the logits with the least calibration error.
    pub sharpness: f32,
    /// The figures of the labelled faces, each predicted by a head that was fitted without its person; `None` if no
    /// face has a labelled emotion.
    pub figures: Option<ExpressionFigures>,
    /// The share of faces whose top emotion differs in a changed copy, predicted in the same way.
    pub changed: f64,
}

/// Fits the head to faces of photos and rows of `dataset`, and writes `model` with it to `out`; it alone gives the
/// album scores there.
///
/// # Errors
/// If the model cannot be used, or no face has a label.
pub fn fit_photo_head(
    model: &Path,
    faces: &[PhotoFaces],
    dataset: &Dataset,
    options: &PhotoHeadOptions,
    out: &Path,
) -> Result<FittedHead> {
    let bytes = weights::read_bytes(model)?;
    let file = ModelFile::parse(&bytes, &model.display().to_string())?;
    // Folding checks the architecture against the weights.
    let network = Extractor {
        network: file.fold(2)?,
        pixels: file.spec.pixels,
    };
    let prior = prior(&file)?;
    let kept = |face: &&PhotoFace| {
        let left_out = face.emotion.is_some_and(|e| options.leave_out.contains(&e));
        !left_out && (face.emotion.is_some() || face.smile.is_some())
    };
    let faces: Vec<&PhotoFace> = faces
        .iter()
        .flat_map(|faces| &faces.0)
        .filter(kept)
        .collect();
    if faces.is_empty() {
        return Err(Error::Usage(
            "no face has a labelled emotion or smile; cut faces from labelled photos with `fer-index dataset photos`"
                .to_owned(),
        ));
    }
    let training_features = TrainingFeatures::new(&network, &faces, options.views);
    let rows = fer2013_rows(&network, dataset);
    let facts: Vec<(&str, Emotion)> = faces
        .iter()
        .map(|face| {
            (
                face.person.as_str(),
                face.emotion.unwrap_or(Emotion::Contempt),
            )
        })
        .collect();
    let folds = person_folds(&facts, FOLDS);

    let mut logits = vec![Vec::new(); faces.len()];
    for fold in 0..FOLDS {
        let examples =
            training_features.examples(&faces, &rows, options, |face| folds[face] != fold);
        let head = shifted(fit(&examples, &prior, options.strength), &options.shift);
        for face in (0..faces.len()).filter(|&face| folds[face] == fold) {
            logits[face] = training_features
                .of(face)
                .map(|features| head.logits(features))
                .collect();
        }
    }
    let predicted = |sharpness| cross_validated(&faces, &logits, sharpness);
    let error = |sharpness: &f32| calibration_error(&predicted(*sharpness));
    let sharpness = SHARPNESS
        .into_iter()
        .min_by(|a, b| error(a).total_cmp(&error(b)))
        .unwrap_or(1.0);

    let examples = training_features.examples(&faces, &rows, options, |_| true);
    let mut head = shifted(fit(&examples, &prior, options.strength), &options.shift);
    head.weight
        .iter_mut()
        .chain(&mut head.bias)
        .for_each(|w| *w *= sharpness);
    write(model, file, &head, options.half, out)?;
    Ok(FittedHead {
        sharpness,
        figures: ExpressionFigures::new(&predicted(sharpness)),
        changed: changed(&logits),
    })
}

pub(super) fn shifted(mut head: Linear, shift: &LogitShift) -> Linear {
    for (emotion, amount) in shift {
        head.bias[emotion.index()] += amount;
    }
    head
}

/// The mean of the network's heads: each emotion's weights averaged over the heads that have it. They read the last
/// block.
pub(super) fn prior(file: &ModelFile) -> Result<Linear> {
    let mut sums: Vec<(Vec<f32>, f32, f32)> = vec![(Vec::new(), 0.0, 0.0); Emotion::COUNT];
    for head in file
        .spec
        .heads
        .iter()
        .filter(|head| head.name != PHOTO_HEAD)
    {
        let name = format!("heads.{}", head.name);
        let weight = file.weights.get(&format!("{name}.weight"));
        let weight = weight.map_err(|e| file.unusable(&e))?;
        let bias = file
            .weights
            .values(&format!("{name}.bias"), &[head.emotions.len()]);
        let bias = bias.map_err(|e| file.unusable(&e))?;
        let features = weight.shape.last().copied().unwrap_or(1);
        let rows = weight.values.chunks_exact(features).zip(bias);
        for (emotion, (row, bias)) in head.emotions.iter().zip(rows) {
            let (sum, offset, count) = &mut sums[emotion.index()];
            sum.resize(features, 0.0);
            sum.iter_mut().zip(row).for_each(|(sum, w)| *sum += w);
            *offset += bias;
            *count += 1.0;
        }
    }
    if sums.iter().any(|(_, _, count)| *count == 0.0) {
        let problem = format!(
            "its heads do not have all eight emotions; give a model with a head \"{FERPLUS_HEAD}\""
        );
        return Err(file.unusable(&problem));
    }
    let mut bias = [0.0; Emotion::COUNT];
    let mut weight = Vec::new();
    for (mean, (sum, offset, count)) in bias.iter_mut().zip(sums) {
        *mean = offset / count;
        let earlier = match &file.spec.trunk {
            TrunkSpec::Residual(trunk) => trunk.channels().saturating_sub(sum.len()),
            TrunkSpec::Sequential(_) => 0,
        };
        weight.resize(weight.len() + earlier, 0.0);
        weight.extend(sum.iter().map(|sum| sum / count));
    }
    Ok(Linear { weight, bias })
}

/// The faces with a labelled emotion, with the scores of their logits multiplied by `sharpness`.
fn cross_validated(
    faces: &[&PhotoFace],
    logits: &[Vec<[f32; Emotion::COUNT]>],
    sharpness: f32,
) -> Vec<LabelledFace> {
    let labelled = faces.iter().zip(logits).filter_map(|(face, logits)| {
        let mut p = logits[0].map(|logit| sharpness * logit);
        softmax(&mut p);
        Some(LabelledFace {
            truth: face.emotion?,
            person: face.person.clone(),
            scores: EmotionScores::new(p),
        })
    });
    labelled.collect()
}

/// The share of changed copies whose top emotion is not that of the face.
fn changed(logits: &[Vec<[f32; Emotion::COUNT]>]) -> f64 {
    let top = |logits: &[f32; Emotion::COUNT]| crate::metrics::argmax(logits);
    let (mut copies, mut changed) = (0usize, 0usize);
    for face in logits {
        let Some((itself, others)) = face.split_first() else {
            continue;
        };
        copies += others.len();
        changed += others
            .iter()
            .filter(|copy| top(copy) != top(itself))
            .count();
    }
    changed as f64 / copies.max(1) as f64
}

/// Writes `model` with the head, which alone gives the album scores.
fn write(model: &Path, file: ModelFile, head: &Linear, half: bool, out: &Path) -> Result<()> {
    let mut tensors = weights::read_tensors(model)?;
    let mut spec = file.spec;
    spec.heads.retain(|head| head.name != PHOTO_HEAD);
    for head in &mut spec.heads {
        head.album.weight = 0.0;
    }
    spec.heads.push(HeadSpec {
        input: HeadInput::Blocks,
        ..HeadSpec::new(PHOTO_HEAD, &Emotion::ALL)
    });
    let name = |part: &str| format!("heads.{PHOTO_HEAD}.{part}");
    tensors
        .tensors
        .retain(|(other, _)| !other.starts_with(&name("")));
    let shape = (Emotion::COUNT, head.weight.len() / Emotion::COUNT);
    let device = &candle_core::Device::Cpu;
    let weight = Tensor::from_slice(&head.weight, shape, device).map_err(model_error)?;
    let bias = Tensor::new(&head.bias[..], device).map_err(model_error)?;
    tensors.tensors.push((name("weight"), weight));
    tensors.tensors.push((name("bias"), bias));
    if half {
        halve(&mut tensors.tensors)?;
    }
    let json = serde_json::to_string(&spec)
        .map_err(|e| Error::Model(format!("cannot write the network's description: {e}")))?;
    tensors.metadata.insert("spec".to_owned(), json);
    weights::save(out, tensors.tensors, tensors.metadata)
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::dataset::PIXELS;
    use crate::testing::{signal, train};
    use fer_core::classify::{Cnn, EmotionClassifier};

    /// Faces with the pixels of a data set: the labelled ones surprised where the data set says happy, the others
    /// smiling where it says neutral.
    fn faces(dataset: &Dataset) -> PhotoFaces {
        let face = |index: usize| {
            let label = dataset.rows()[index].label;
            let shown = match label {
                Emotion::Happy => Emotion::Surprise,
                other => other,
            };
            PhotoFace {
                pixels: dataset.pixels(index).to_vec(),
                emotion: (!index.is_multiple_of(4)).then_some(shown),
                smile: Some(label == Emotion::Neutral),
                person: (index / 2).to_string(),
            }
        };
        PhotoFaces((0..dataset.rows().len()).map(face).collect())
    }

    #[test]
    fn the_head_learns_from_photos_and_gives_the_album_scores() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = signal(120);
        let model = train(&["epochs=2"], &dataset, folder.path());
        let out = folder.path().join("with-photos.safetensors");
        let options = PhotoHeadOptions {
            strength: 1e-3,
            balance: 0.5,
            smoothing: 0.02,
            views: 1,
            leave_out: vec![Emotion::Sad],
            shift: LogitShift::new(),
            half: true,
        };
        let faces = faces(&dataset);
        let fitted = fit_photo_head(&model, from_ref(&faces), &dataset, &options, &out).unwrap();
        let figures = fitted.figures.unwrap();
        let surprise = figures.ranking.iter().find(|r| r.emotion == "surprise");
        let precision = surprise.unwrap().average_precision.value;
        assert!(
            precision > 0.75,
            "half of the faces are surprised: {precision}"
        );
        assert!((0.0..1.0).contains(&fitted.changed));

        let cnn = Cnn::read(&std::fs::read(&out).unwrap(), "the fitted model").unwrap();
        let happy: Vec<usize> = (0..120)
            .filter(|&i| dataset.rows()[i].label == Emotion::Happy)
            .collect();
        let crops = happy.iter().map(|&face| {
            let mut crop = [0.0; PIXELS];
            for (grey, &pixel) in crop.iter_mut().zip(dataset.pixels(face)) {
                *grey = f32::from(pixel);
            }
            crop
        });
        let scores = cnn.classify(&crops.collect::<Vec<_>>());
        let surprised = scores.iter().filter(|s| s.top().0 == Emotion::Surprise);
        assert!(surprised.count() > happy.len() / 2, "{scores:?}");

        // A second fit replaces the head of the first.
        let again = folder.path().join("again.safetensors");
        fit_photo_head(&out, &[faces], &dataset, &options, &again).unwrap();
        let spec = weights::load(&again).unwrap().spec().clone();
        assert_eq!(spec.heads.len(), 3);
        let nobody = [PhotoFaces::default()];
        let error = fit_photo_head(&model, &nobody, &dataset, &options, &again).unwrap_err();
        assert!(error.to_string().contains("dataset photos"), "{error}");
    }
}
