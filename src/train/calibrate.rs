//! Honest probabilities: temperature scaling (Guo et al., "On calibration of modern neural
//! networks", ICML 2017).

use std::path::Path;

use candle_core::DType;

use super::dataset::{Dataset, Usage};
use super::evaluate::{Protocol, Sample, predict};
use super::shares::{self, Shares};
use super::weights;
use crate::classify::softmax;
use crate::error::{Error, Result};

/// A head's temperature: what its logits were divided by.
#[derive(Debug, Clone, PartialEq)]
pub struct Temperature {
    /// The head's name.
    pub head: String,
    /// More than 1 where it was too sure, less where it was too modest.
    pub temperature: f64,
}

/// What calibration found.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// One for each head that the data can judge.
    pub temperatures: Vec<Temperature>,
    /// What each head contributes to an album's scores, where it has two.
    pub shares: Option<Shares>,
}

/// Divides the logits of each head by the temperature under which the validation rows (faces and
/// mirror images averaged) are most likely, and writes the model with these heads to `out`. No
/// answer of a head changes, only how sure it is. Then fits what each head contributes to an album's
/// scores, and writes that into the model's description.
///
/// The label head is fitted to the labels, the FER+ head to its majority labels.
///
/// With `half`, weights are stored as 16-bit floats: half the size, and answers that differ by less
/// than a thousandth.
///
/// # Errors
/// If the model or the data cannot be used.
pub fn calibrate(model: &Path, dataset: &Dataset, half: bool, out: &Path) -> Result<Calibration> {
    let network = weights::load(model)?;
    let rows = dataset.indices(Usage::PublicTest);
    let mut predictions = predict(&network, dataset, &rows, true)?;
    let fitted: Vec<Temperature> = [Protocol::Labels, Protocol::FerplusMajority]
        .into_iter()
        .filter_map(|protocol| {
            let samples = protocol.samples(&predictions, dataset)?;
            Some(Temperature {
                head: protocol.head(&predictions, dataset)?.to_owned(),
                temperature: temperature(&samples),
            })
        })
        .collect();
    let mut file = weights::read_file(model)?;
    let unusable = |e: candle_core::Error| Error::Model(format!("{}: {e}", model.display()));
    for Temperature { head, temperature } in &fitted {
        for part in ["weight", "bias"] {
            let name = format!("heads.{head}.{part}");
            let tensors = file.tensors.iter_mut();
            for (_, tensor) in tensors.filter(|(found, _)| *found == name) {
                *tensor = (&*tensor / *temperature).map_err(unusable)?;
            }
        }
        let key = format!("temperature.{head}");
        file.metadata.insert(key, temperature.to_string());
    }
    if half {
        for (_, tensor) in &mut file.tensors {
            *tensor = tensor.to_dtype(DType::F16).map_err(unusable)?;
        }
    }
    for Temperature { head, temperature } in &fitted {
        let heads = predictions.heads.iter_mut();
        for (spec, probabilities) in heads.filter(|(spec, _)| spec.name == *head) {
            for row in probabilities.chunks_exact_mut(spec.emotions.len()) {
                temper(row, *temperature);
            }
        }
    }
    let shares = shares::fit(&predictions, dataset);
    if let Some(shares) = &shares {
        let mut spec = network.spec().clone();
        for (head, share) in spec.heads.iter_mut().zip(&shares.heads) {
            head.album = share.clone();
        }
        let json = serde_json::to_string(&spec);
        let json = json.map_err(|e| Error::Model(format!("{}: {e}", model.display())))?;
        file.metadata.insert("spec".to_owned(), json);
    }
    weights::save(out, file.tensors, file.metadata)?;
    Ok(Calibration {
        temperatures: fitted,
        shares,
    })
}

/// The probabilities that logits divided by `temperature` give.
fn temper(probabilities: &mut [f32], temperature: f64) {
    for p in &mut *probabilities {
        *p = (f64::from(p.max(f32::MIN_POSITIVE)).ln() / temperature) as f32;
    }
    softmax(probabilities);
}

/// The temperature that makes the truth of the samples most likely.
fn temperature(samples: &[Sample]) -> f64 {
    // The likelihood has one maximum in 1/T: narrow it down by golden sections of ln T.
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

/// −Σ ln of the truth's probability after raising all to `power`.
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
    use crate::train::fit::{Rows, Run};
    use crate::train::testing::{recipe, signal};

    #[test]
    fn temperature_makes_confidence_equal_accuracy() {
        // Nine of ten right at a confidence of .6: logits must grow by ln 9 / ln 1.5.
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
    fn a_calibrated_model_answers_the_same_with_a_better_likelihood() {
        let folder = tempfile::tempdir().unwrap();
        let (dataset, recipe) = (signal(200), recipe(&["epochs=1"]));
        let rows = Rows::by_usage(&dataset);
        let mut run = Run::new(&recipe, &dataset, rows, folder.path()).unwrap();
        run.fit(&mut ()).unwrap();
        let (before, after) = (run.folder().best(), folder.path().join("calibrated"));
        let fitted = calibrate(&before, &dataset, false, &after).unwrap();
        assert_eq!(fitted.temperatures.len(), 2);
        let shares = fitted.shares.unwrap();
        let heads = weights::load(&after).unwrap().spec().heads.clone();
        let written: Vec<_> = heads.into_iter().map(|head| head.album).collect();
        assert_eq!(written, shares.heads);

        let answers = |model: &Path| {
            let network = weights::load(model).unwrap();
            let rows = dataset.indices(Usage::PublicTest);
            let predictions = predict(&network, &dataset, &rows, true).unwrap();
            Protocol::Labels.samples(&predictions, &dataset).unwrap()
        };
        let (plain, calibrated) = (answers(&before), answers(&after));
        let likelihood = |samples: &[Sample]| negative_log_likelihood(samples, 1.0);
        assert!(likelihood(&calibrated) < likelihood(&plain));
        let small = folder.path().join("small");
        calibrate(&before, &dataset, true, &small).unwrap();
        let size = |path: &Path| std::fs::metadata(path).unwrap().len();
        assert!(size(&small) < size(&after));
        for (a, b) in calibrated.iter().zip(answers(&small)) {
            let pairs = a.probabilities.iter().zip(&b.probabilities);
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 0.01));
        }
        let tops = |samples: &[Sample]| -> Vec<usize> {
            let top = |s: &Sample| crate::train::metrics::argmax(&s.probabilities);
            samples.iter().map(top).collect()
        };
        assert_eq!(tops(&plain), tops(&calibrated));
        assert_eq!(
            weights::describe(&after).unwrap(),
            weights::describe(&before).unwrap()
        );
    }
}
