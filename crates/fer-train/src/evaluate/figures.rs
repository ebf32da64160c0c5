//! Accuracy, F1, confusion and calibration of a list of answers.

use rand::Rng;
use serde::Serialize;

use super::interval::Proportion;
use crate::metrics::argmax;
use crate::random::{Purpose, rng};
use fer_core::emotion::Emotion;

/// Bins of the calibration error.
const BINS: usize = 15;

/// Resamplings of the bootstrap.
const RESAMPLINGS: u64 = 1000;

/// A row's truth and the answer to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The row of the data set.
    pub row: usize,
    /// Index of the true emotion among those asked for.
    pub truth: usize,
    /// Probability of each emotion asked for.
    pub probabilities: Vec<f32>,
}

/// The figures of one emotion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EmotionFigures {
    /// The emotion's name.
    pub emotion: &'static str,
    /// Share of its rows that were found.
    pub recall: Proportion,
    /// Share of its answers that were right.
    pub precision: Proportion,
    /// Harmonic mean of the two.
    pub f1: f64,
}

/// Answers of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// How many.
    pub rows: usize,
    /// Their mean probability of the answer.
    pub confidence: f64,
    /// Share of right answers.
    pub accuracy: f64,
}

/// Every figure of a list of answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Share of right answers.
    pub accuracy: Proportion,
    /// Mean of the emotions' F1.
    pub macro_f1: f64,
    /// 95 % interval of the macro-F1 (percentile bootstrap, Efron 1979).
    pub macro_f1_interval: [f64; 2],
    /// Mean of the emotions' recall.
    pub macro_recall: f64,
    /// Emotion by emotion.
    pub emotions: Vec<EmotionFigures>,
    /// Rows by truth (outer) and answer (inner).
    pub confusion: Vec<Vec<usize>>,
    /// Expected calibration error over 15 bins of equal width (Guo et al., ICML 2017).
    pub ece: f64,
    /// The bins of the calibration error that are not empty.
    pub calibration: Vec<CalibrationBin>,
}

impl Figures {
    /// Works out the figures; the samples' indices point into `emotions`.
    pub fn new(emotions: &[Emotion], samples: &[Sample]) -> Self {
        let answers: Vec<(usize, usize)> = samples
            .iter()
            .map(|sample| (sample.truth, argmax(&sample.probabilities)))
            .collect();
        let confusion = confusion(emotions.len(), answers.iter().copied());
        let per_emotion: Vec<EmotionFigures> = emotions
            .iter()
            .enumerate()
            .map(|(index, emotion)| {
                let found = confusion[index][index];
                let answered = confusion.iter().map(|row| row[index]).sum();
                EmotionFigures {
                    emotion: emotion.name(),
                    recall: Proportion::new(found, confusion[index].iter().sum()),
                    precision: Proportion::new(found, answered),
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
            macro_f1_interval: bootstrap(emotions.len(), &answers),
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

fn confusion(classes: usize, answers: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; classes]; classes];
    for (truth, answer) in answers {
        table[truth][answer] += 1;
    }
    table
}

fn f1(confusion: &[Vec<usize>], class: usize) -> f64 {
    let true_rows: usize = confusion[class].iter().sum();
    let answered: usize = confusion.iter().map(|row| row[class]).sum();
    2.0 * confusion[class][class] as f64 / (true_rows + answered).max(1) as f64
}

/// The mean over the classes that occur, as truth or as answer.
fn macro_f1(confusion: &[Vec<usize>]) -> f64 {
    let occurs = |class: usize| {
        confusion[class].iter().sum::<usize>() > 0 || confusion.iter().any(|row| row[class] > 0)
    };
    let classes: Vec<usize> = (0..confusion.len()).filter(|&c| occurs(c)).collect();
    let sum: f64 = classes.iter().map(|&class| f1(confusion, class)).sum();
    sum / classes.len().max(1) as f64
}

fn bootstrap(classes: usize, answers: &[(usize, usize)]) -> [f64; 2] {
    if answers.is_empty() {
        return [0.0, 1.0];
    }
    let mut values: Vec<f64> = (0..RESAMPLINGS)
        .map(|index| {
            let mut rng = rng(0, Purpose::Bootstrap, 0, index);
            let resampled = answers
                .iter()
                .map(|_| answers[rng.random_range(0..answers.len())]);
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
        let answer = argmax(&sample.probabilities);
        let confidence = f64::from(sample.probabilities[answer]);
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        let (rows, confidences, correct) = &mut sums[bin];
        *rows += 1;
        *confidences += confidence;
        *correct += usize::from(answer == sample.truth);
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
    fn figures_of_four_answers() {
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
        // Both bins are off by a tenth: .9 sure and always right, .6 sure and half right.
        assert!(close(figures.ece, 0.1), "{}", figures.ece);
        let [low, high] = figures.macro_f1_interval;
        assert!(low < figures.macro_f1 && figures.macro_f1 < high);
    }
}
