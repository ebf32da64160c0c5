//! Accuracy, F1, confusion matrix and calibration error of a list of predictions.

use rand::Rng;
use serde::Serialize;

use super::interval::Proportion;
use crate::metrics::argmax;
use crate::random::{Purpose, rng};
use fer_core::emotion::Emotion;

/// Number of bins of the calibration error.
const BINS: usize = 15;

/// Number of bootstrap resamples.
const RESAMPLES: u64 = 1000;

/// A row's true emotion and the prediction for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The row of the data set.
    pub row: usize,
    /// Index of the true emotion among the emotions of the protocol.
    pub truth: usize,
    /// Predicted probability of each emotion of the protocol.
    pub probabilities: Vec<f32>,
}

/// The figures of one emotion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EmotionFigures {
    /// The emotion's name.
    pub emotion: &'static str,
    /// Share of the rows with this emotion for which it is predicted.
    pub recall: Proportion,
    /// Share of the predictions of this emotion that are correct.
    pub precision: Proportion,
    /// Harmonic mean of recall and precision.
    pub f1: f64,
}

/// Predictions of similar confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Number of rows.
    pub rows: usize,
    /// Mean probability of the predicted emotion.
    pub confidence: f64,
    /// Share of correct predictions.
    pub accuracy: f64,
}

/// Every figure of a list of predictions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Share of correct predictions.
    pub accuracy: Proportion,
    /// Mean F1 of the emotions.
    pub macro_f1: f64,
    /// 95 % interval of the macro-F1 (percentile bootstrap, Efron 1979).
    pub macro_f1_interval: [f64; 2],
    /// Mean recall of the emotions.
    pub macro_recall: f64,
    /// The figures of each emotion.
    pub emotions: Vec<EmotionFigures>,
    /// Number of rows by true emotion (outer) and predicted emotion (inner).
    pub confusion: Vec<Vec<usize>>,
    /// Expected calibration error over 15 bins of equal width (Guo et al., ICML 2017).
    pub ece: f64,
    /// The bins of the calibration error that are not empty.
    pub calibration: Vec<CalibrationBin>,
}

impl Figures {
    /// Computes the figures; `Sample::truth` is an index of `emotions`.
    pub fn new(emotions: &[Emotion], samples: &[Sample]) -> Self {
        let predictions: Vec<(usize, usize)> = samples
            .iter()
            .map(|sample| (sample.truth, argmax(&sample.probabilities)))
            .collect();
        let confusion = confusion(emotions.len(), predictions.iter().copied());
        let per_emotion: Vec<EmotionFigures> = emotions
            .iter()
            .enumerate()
            .map(|(index, emotion)| {
                let found = confusion[index][index];
                let predicted = confusion.iter().map(|row| row[index]).sum();
                EmotionFigures {
                    emotion: emotion.name(),
                    recall: Proportion::new(found, confusion[index].iter().sum()),
                    precision: Proportion::new(found, predicted),
                    f1: f1(&confusion, index),
                }
            })
            .collect();
        let correct = (0..emotions.len()).map(|i| confusion[i][i]).sum();
        let present = per_emotion.iter().filter(|e| e.recall.total > 0);
        let recalls = present.clone().map(|e| e.recall.value).sum::<f64>();
        let calibration = calibration(samples);
        Self {
            accuracy: Proportion::new(correct, samples.len()),
            macro_f1: macro_f1(&confusion),
            macro_f1_interval: bootstrap(emotions.len(), &predictions),
            macro_recall: recalls / present.count().max(1) as f64,
            emotions: per_emotion,
            ece: calibration
                .iter()
                .map(|bin| bin.rows as f64 * (bin.confidence - bin.accuracy).abs())
                .sum::<f64>()
                / samples.len().max(1) as f64,
            confusion,
            calibration,
        }
    }
}

fn confusion(classes: usize, predictions: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; classes]; classes];
    for (truth, predicted) in predictions {
        table[truth][predicted] += 1;
    }
    table
}

fn f1(confusion: &[Vec<usize>], class: usize) -> f64 {
    let true_rows: usize = confusion[class].iter().sum();
    let predicted: usize = confusion.iter().map(|row| row[class]).sum();
    2.0 * confusion[class][class] as f64 / (true_rows + predicted).max(1) as f64
}

/// The mean F1 of the classes that occur, as truth or as prediction.
fn macro_f1(confusion: &[Vec<usize>]) -> f64 {
    let occurs = |class: usize| {
        confusion[class].iter().sum::<usize>() > 0 || confusion.iter().any(|row| row[class] > 0)
    };
    let classes: Vec<usize> = (0..confusion.len()).filter(|&c| occurs(c)).collect();
    let sum: f64 = classes.iter().map(|&class| f1(confusion, class)).sum();
    sum / classes.len().max(1) as f64
}

fn bootstrap(classes: usize, predictions: &[(usize, usize)]) -> [f64; 2] {
    if predictions.is_empty() {
        return [0.0, 1.0];
    }
    let mut values: Vec<f64> = (0..RESAMPLES)
        .map(|index| {
            let mut rng = rng(0, Purpose::Bootstrap, 0, index);
            let resampled = predictions
                .iter()
                .map(|_| predictions[rng.random_range(0..predictions.len())]);
            macro_f1(&confusion(classes, resampled))
        })
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
    [at(0.025), at(0.975)]
}

fn calibration(samples: &[Sample]) -> Vec<CalibrationBin> {
    let mut sums = [(0usize, 0f64, 0usize); BINS];
    for sample in samples {
        let predicted = argmax(&sample.probabilities);
        let confidence = f64::from(sample.probabilities[predicted]);
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        let (rows, confidences, correct) = &mut sums[bin];
        *rows += 1;
        *confidences += confidence;
        *correct += usize::from(predicted == sample.truth);
    }
    sums.into_iter()
        .filter(|&(rows, ..)| rows > 0)
        .map(|(rows, confidences, correct)| CalibrationBin {
            rows,
            confidence: confidences / rows as f64,
            accuracy: correct as f64 / rows as f64,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(truth: usize, probabilities: [f32; 2]) -> Sample {
        Sample {
            row: 0,
            truth,
            probabilities: probabilities.to_vec(),
        }
    }

    #[test]
    fn figures_of_four_predictions() {
        let samples = [
            sample(0, [0.9, 0.1]),
            sample(0, [0.9, 0.1]),
            sample(0, [0.4, 0.6]),
            sample(1, [0.4, 0.6]),
        ];
        let figures = Figures::new(&[Emotion::Happy, Emotion::Sad], &samples);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert_eq!(figures.confusion, [[2, 1], [0, 1]]);
        assert!(close(figures.accuracy.value, 0.75));
        assert!(close(figures.macro_f1, f64::midpoint(4.0 / 5.0, 2.0 / 3.0)));
        assert!(close(figures.macro_recall, f64::midpoint(2.0 / 3.0, 1.0)));
        assert!(close(figures.emotions[1].precision.value, 0.5));
        // Both bins are off by a tenth: confidence .9 and accuracy 1, confidence .6 and accuracy .5.
        assert!(close(figures.ece, 0.1), "{}", figures.ece);
        let [low, high] = figures.macro_f1_interval;
        assert!(low < figures.macro_f1 && figures.macro_f1 < high);
    }
}
