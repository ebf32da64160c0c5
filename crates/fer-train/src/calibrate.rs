//! Calibrates the probabilities of a model by temperature scaling (Guo et al., "On calibration of modern
//! neural networks", ICML 2017), and fits the ensemble weights of its heads.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use candle_core::{DType, Tensor};

use super::dataset::{Dataset, Usage};
use super::ensemble::{self, EnsembleFit};
use super::evaluate::{Protocol, Sample, predict};
use super::model_info::ModelInfo;
use super::weights;
use fer_core::classify::softmax;
use fer_core::emotion::Emotion;
use fer_core::error::{Error, Result};
use fer_core::network::{EnsembleWeights, HeadSpec, NetworkSpec};

/// The calibration of a head: its logits are divided by the temperature, then shifted.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadCalibration {
    /// The head's name.
    pub head: String,
    /// More than 1 for an overconfident head, less than 1 for an underconfident one.
    pub temperature: f64,
    /// Added to the logits after the division.
    pub shift: LogitShift,
}

/// An amount for each emotion, added to its logit (logit adjustment, Menon et al., ICLR 2021); 0 for an
/// emotion that is missing.
pub type LogitShift = BTreeMap<Emotion, f32>;

/// The result of a calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// One entry for each head for which the data set has a protocol.
    pub heads: Vec<HeadCalibration>,
    /// The ensemble weights of a model with two heads.
    pub ensemble: Option<EnsembleFit>,
}

/// Calibrates a model on the validation rows and writes it to `out`.
///
/// Divides the logits of each head by the temperature that maximises the likelihood of the validation rows
/// (face and mirror image averaged), and adds `shift` to the logits of the label head. The label head is
/// fitted to the labels, the FER+ head to the majority of the votes. Then fits the ensemble weights of the
/// album scores; they become part of the network description in the file.
///
/// With `half`, weights are stored as 16-bit floats: half the size, and probabilities that differ by less
/// than a thousandth.
///
/// # Errors
/// If the model or the data cannot be used, the model was trained on the validation rows, or `shift`
/// names an emotion that the label head does not have.
pub fn calibrate(
    model: &Path,
    dataset: &Dataset,
    shift: &LogitShift,
    half: bool,
    out: &Path,
) -> Result<Calibration> {
    if ModelInfo::read(model)?.was_trained_on(Usage::PublicTest) {
        return Err(Error::Usage(format!(
            "{} was trained on the PublicTest rows, which can therefore not calibrate it; copy the \
             calibration of a model that was trained without them (--like)",
            model.display()
        )));
    }
    let network = weights::load(model)?;
    let rows = dataset.indices(Usage::PublicTest);
    let mut predictions = predict(&network, dataset, &rows, true)?;
    let heads: Vec<HeadCalibration> = [Protocol::Labels, Protocol::FerplusMajority]
        .into_iter()
        .filter_map(|protocol| {
            let samples = protocol.samples(&predictions, dataset)?;
            Some(HeadCalibration {
                head: protocol.head(&predictions, dataset)?.to_owned(),
                temperature: temperature(&samples),
                shift: match protocol {
                    Protocol::Labels => shift.clone(),
                    _ => LogitShift::new(),
                },
            })
        })
        .collect();
    for calibration in &heads {
        let found = predictions.heads.iter_mut();
        for (spec, probabilities) in found.filter(|(spec, _)| spec.name == calibration.head) {
            let shifts = calibration.shifts(spec)?;
            for row in probabilities.chunks_exact_mut(spec.emotions.len()) {
                apply_temperature(row, calibration.temperature, &shifts);
            }
        }
    }
    let ensemble = ensemble::fit(&predictions, dataset);
    let album = ensemble.as_ref().map(|weights| weights.heads.as_slice());
    write(model, network.spec().clone(), &heads, album, half, out)?;
    Ok(Calibration { heads, ensemble })
}

/// Writes `model` with the calibration of the model `like`, which has the same heads: for a model that was
/// trained on the validation rows too.
///
/// # Errors
/// If a model cannot be used, `like` is not calibrated, or the heads differ.
pub fn calibrate_like(model: &Path, like: &Path, half: bool, out: &Path) -> Result<()> {
    let metadata = weights::read_tensors(like)?.metadata;
    let (other, network) = (weights::load(like)?, weights::load(model)?);
    if !same_heads(other.spec(), network.spec()) {
        return Err(Error::Usage(format!(
            "{} has other heads than {}; give a model with the same heads",
            like.display(),
            model.display()
        )));
    }
    let heads = &other.spec().heads;
    let calibrations: Vec<HeadCalibration> = heads
        .iter()
        .filter_map(|head| HeadCalibration::from_metadata(&head.name, &metadata))
        .collect();
    if calibrations.is_empty() {
        return Err(Error::Usage(format!(
            "{} is not calibrated; run `fer-index model calibrate` on it first",
            like.display()
        )));
    }
    let album: Vec<EnsembleWeights> = heads.iter().map(|head| head.album.clone()).collect();
    write(
        model,
        network.spec().clone(),
        &calibrations,
        Some(&album),
        half,
        out,
    )
}

/// Whether two networks have heads of the same names and emotions.
pub fn same_heads(one: &NetworkSpec, other: &NetworkSpec) -> bool {
    let identity = |head: &HeadSpec| (head.name.clone(), head.emotions.clone());
    let [one, other] = [one, other].map(|spec| spec.heads.iter().map(identity));
    one.eq(other)
}

impl HeadCalibration {
    /// Reads the calibration of a head from a model's metadata; `None` if it is not calibrated.
    fn from_metadata(head: &str, metadata: &BTreeMap<String, String>) -> Option<Self> {
        let shift = metadata.get(&format!("shift.{head}"));
        Some(Self {
            head: head.to_owned(),
            temperature: metadata.get(&format!("temperature.{head}"))?.parse().ok()?,
            shift: shift
                .and_then(|json| serde_json::from_str(json).ok())
                .unwrap_or_default(),
        })
    }

    /// The composition: this calibration followed by `next`.
    fn then(self, next: &Self) -> Self {
        let mut shift = next.shift.clone();
        for (emotion, amount) in self.shift {
            *shift.entry(emotion).or_default() += amount / next.temperature as f32;
        }
        Self {
            temperature: self.temperature * next.temperature,
            shift,
            ..self
        }
    }

    /// The shift of each logit of the head.
    fn shifts(&self, spec: &HeadSpec) -> Result<Vec<f32>> {
        if let Some(unknown) = self.shift.keys().find(|e| !spec.emotions.contains(e)) {
            let message = format!(
                "the head \"{}\" has no logit for {unknown} to shift",
                spec.name
            );
            return Err(Error::Usage(message));
        }
        let shift = |emotion| self.shift.get(emotion).copied().unwrap_or_default();
        Ok(spec.emotions.iter().map(shift).collect())
    }
}

/// Writes `model`, which `spec` describes, to `out` with calibrated heads and, if given, ensemble weights.
fn write(
    model: &Path,
    mut spec: NetworkSpec,
    calibrations: &[HeadCalibration],
    album: Option<&[EnsembleWeights]>,
    half: bool,
    out: &Path,
) -> Result<()> {
    let unusable = |problem: &dyn Display| Error::Model(format!("{}: {problem}", model.display()));
    let mut file = weights::read_tensors(model)?;
    for calibration in calibrations {
        let HeadCalibration {
            head, temperature, ..
        } = calibration;
        let Some(found) = spec.heads.iter().find(|spec| spec.name == *head) else {
            continue;
        };
        let shifts = calibration.shifts(found)?;
        for (name, tensor) in &mut file.tensors {
            let part = name.strip_prefix(&format!("heads.{head}."));
            let scaled = match part {
                Some("weight") => &*tensor / *temperature,
                Some("bias") => Tensor::new(shifts.as_slice(), tensor.device())
                    .and_then(|shifts| (&*tensor / *temperature)? + shifts),
                _ => continue,
            };
            *tensor = scaled.map_err(|e| unusable(&e))?;
        }
        let metadata = &mut file.metadata;
        let whole = match HeadCalibration::from_metadata(head, metadata) {
            Some(first) => first.then(calibration),
            None => calibration.clone(),
        };
        metadata.insert(format!("temperature.{head}"), whole.temperature.to_string());
        if !whole.shift.is_empty() {
            let json = serde_json::to_string(&whole.shift).map_err(|e| unusable(&e))?;
            metadata.insert(format!("shift.{head}"), json);
        }
    }
    if half {
        for (_, tensor) in &mut file.tensors {
            *tensor = tensor.to_dtype(DType::F16).map_err(|e| unusable(&e))?;
        }
    }
    if let Some(album) = album {
        for (head, share) in spec.heads.iter_mut().zip(album) {
            head.album = share.clone();
        }
        let json = serde_json::to_string(&spec).map_err(|e| unusable(&e))?;
        file.metadata.insert("spec".to_owned(), json);
    }
    weights::save(out, file.tensors, file.metadata)
}

/// Replaces probabilities by those of their logits divided by `temperature` and shifted.
fn apply_temperature(probabilities: &mut [f32], temperature: f64, shifts: &[f32]) {
    for (p, shift) in probabilities.iter_mut().zip(shifts) {
        *p = (f64::from(p.max(f32::MIN_POSITIVE)).ln() / temperature) as f32 + shift;
    }
    softmax(probabilities);
}

/// The temperature that maximises the likelihood of the samples' true emotions.
fn temperature(samples: &[Sample]) -> f64 {
    // The likelihood has a single maximum in 1/T; a golden-section search over ln T finds it.
    const RATIO: f64 = 0.618_033_988_749_894_9;
    let loss = |ln_t: f64| negative_log_likelihood(samples, (-ln_t).exp());
    let (mut low, mut high) = (-2.5, 2.5);
    while high - low > 1e-4 {
        let step = RATIO * (high - low);
        let (left, right) = (high - step, low + step);
        if loss(left) < loss(right) {
            high = right;
        } else {
            low = left;
        }
    }
    f64::midpoint(low, high).exp()
}

/// −Σ ln p of the true emotions, after raising all probabilities to `power` and normalising them.
fn negative_log_likelihood(samples: &[Sample], power: f64) -> f64 {
    let of = |sample: &Sample| {
        let log = |p: f32| f64::from(p.max(f32::MIN_POSITIVE)).ln() * power;
        let sum: f64 = sample.probabilities.iter().map(|&p| log(p).exp()).sum();
        sum.ln() - log(sample.probabilities[sample.truth])
    };
    samples.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{signal, train};

    #[test]
    fn the_fitted_temperature_makes_confidence_equal_accuracy() {
        // Accuracy .9 at confidence .6: the logits must grow by a factor of ln 9 / ln 1.5.
        let samples: Vec<Sample> = (0..10)
            .map(|i| Sample {
                row: i,
                truth: usize::from(i == 0),
                probabilities: vec![0.6, 0.4],
            })
            .collect();
        let expected = 1.5f64.ln() / 9f64.ln();
        let found = temperature(&samples);
        assert!((found - expected).abs() < 1e-3, "{found}, not {expected}");
    }

    #[test]
    fn calibration_improves_the_likelihood_and_keeps_the_predictions() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = signal(200);
        let before = train(&["epochs=1"], &dataset, folder.path());
        let after = folder.path().join("calibrated");
        let fitted = calibrate(&before, &dataset, &LogitShift::new(), false, &after).unwrap();
        assert_eq!(fitted.heads.len(), 2);
        let ensemble = fitted.ensemble.unwrap();
        let heads = weights::load(&after).unwrap().spec().heads.clone();
        let written: Vec<_> = heads.into_iter().map(|head| head.album).collect();
        assert_eq!(written, ensemble.heads);

        let samples = |model: &Path| {
            let network = weights::load(model).unwrap();
            let rows = dataset.indices(Usage::PublicTest);
            let predictions = predict(&network, &dataset, &rows, true).unwrap();
            Protocol::Labels.samples(&predictions, &dataset).unwrap()
        };
        let (plain, calibrated) = (samples(&before), samples(&after));
        let likelihood = |samples: &[Sample]| negative_log_likelihood(samples, 1.0);
        assert!(likelihood(&calibrated) < likelihood(&plain));
        let small = folder.path().join("small");
        calibrate(&before, &dataset, &LogitShift::new(), true, &small).unwrap();
        let size = |path: &Path| std::fs::metadata(path).unwrap().len();
        assert!(size(&small) < size(&after));
        for (a, b) in calibrated.iter().zip(samples(&small)) {
            let pairs = a.probabilities.iter().zip(&b.probabilities);
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 0.01));
        }
        let tops = |samples: &[Sample]| -> Vec<usize> {
            let top = |s: &Sample| crate::metrics::argmax(&s.probabilities);
            samples.iter().map(top).collect()
        };
        assert_eq!(tops(&plain), tops(&calibrated));
        assert_eq!(
            ModelInfo::read(&after).unwrap(),
            ModelInfo::read(&before).unwrap()
        );
    }

    #[test]
    fn two_calibrations_compose() {
        let of = |temperature, shift: &[(Emotion, f32)]| HeadCalibration {
            head: "fer2013".to_owned(),
            temperature,
            shift: shift.iter().copied().collect(),
        };
        let first = of(0.5, &[(Emotion::Sad, 1.0), (Emotion::Angry, 0.5)]);
        let both = first.then(&of(2.0, &[(Emotion::Sad, 0.25)]));
        let expected = [(Emotion::Sad, 0.75), (Emotion::Angry, 0.25)];
        assert_eq!(both, of(1.0, &expected));
    }

    #[test]
    fn a_shift_changes_predictions_and_a_model_trained_on_all_rows_copies_a_calibration() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = signal(60);
        let [first, last] = [
            train(&["epochs=1"], &dataset, &folder.path().join("first")),
            train(
                &["epochs=1", "train_on=['training', 'public']"],
                &dataset,
                &folder.path().join("last"),
            ),
        ];
        let (calibrated, out) = (folder.path().join("calibrated"), folder.path().join("out"));
        let shift = LogitShift::from([(Emotion::Sad, 20.0)]);
        calibrate(&first, &dataset, &shift, false, &calibrated).unwrap();
        calibrate(&last, &dataset, &shift, false, &out).unwrap_err();
        assert!(calibrate_like(&last, &first, false, &out).is_err());
        calibrate_like(&last, &calibrated, false, &out).unwrap();
        for model in [&calibrated, &out] {
            let network = weights::load(model).unwrap();
            let rows = dataset.indices(Usage::Training);
            let predictions = predict(&network, &dataset, &rows, false).unwrap();
            let (head, probabilities) = &predictions.heads[0];
            let sad = head
                .emotions
                .iter()
                .position(|&e| e == Emotion::Sad)
                .unwrap();
            for row in probabilities.chunks_exact(head.emotions.len()) {
                assert!(row[sad] > 0.9, "{row:?}");
            }
            let (heads, file) = (&network.spec().heads, weights::read_tensors(model).unwrap());
            assert!(heads[0].album.weight + heads[1].album.weight > 0.99);
            assert_eq!(file.metadata["shift.fer2013"], r#"{"sad":20.0}"#);
        }

        let unknown = LogitShift::from([(Emotion::Contempt, 1.0)]);
        let refusal = calibrate(&first, &dataset, &unknown, false, &out).unwrap_err();
        assert!(refusal.to_string().contains("contempt"), "{refusal}");
    }
}
