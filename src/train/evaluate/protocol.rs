//! What counts as the truth, and which answers are allowed.

use serde::Serialize;

use super::figures::Sample;
use super::predict::Predictions;
use crate::classify::network::HeadSpec;
use crate::emotion::Emotion;
use crate::train::dataset::Dataset;
use crate::train::targets::FERPLUS_HEAD;

/// A way to measure that others use too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// All labels of the data set: FER2013's seven, or fewer where the import kept fewer.
    Labels,
    /// The rows labelled angry, happy, sad or neutral, answered among these four.
    FourLabels,
    /// FER+'s majority protocol over eight emotions.
    FerplusMajority,
}

/// The emotions of [`Protocol::FourLabels`].
const FOUR: [Emotion; 4] = [
    Emotion::Angry,
    Emotion::Happy,
    Emotion::Sad,
    Emotion::Neutral,
];

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 3] = [Self::Labels, Self::FourLabels, Self::FerplusMajority];

    /// Its name in JSON and in file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::FourLabels => "four-labels",
            Self::FerplusMajority => "ferplus-majority",
        }
    }

    /// What the tables call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Labels => "FER2013 labels",
            Self::FourLabels => "FER2013 labels, four emotions",
            Self::FerplusMajority => "FER+ majority, eight emotions",
        }
    }

    /// The emotions among which it asks.
    pub(super) fn emotions(self, dataset: &Dataset) -> Vec<Emotion> {
        match self {
            Self::Labels => dataset.emotions().to_vec(),
            Self::FourLabels => FOUR.to_vec(),
            Self::FerplusMajority => Emotion::ALL.to_vec(),
        }
    }

    /// The name of the head that it asks.
    pub fn head<'a>(self, predictions: &'a Predictions, dataset: &Dataset) -> Option<&'a str> {
        let (head, _) = self.answers(predictions, &self.emotions(dataset))?;
        Some(&head.name)
    }

    fn answers<'a>(
        self,
        predictions: &'a Predictions,
        emotions: &[Emotion],
    ) -> Option<&'a (HeadSpec, Vec<f32>)> {
        predictions.heads.iter().find(|(head, _)| {
            (head.name == FERPLUS_HEAD) == (self == Self::FerplusMajority)
                && emotions.iter().all(|e| head.emotions.contains(e))
        })
    }

    /// Truth and answer for each row that takes part; `None` where the protocol does not fit the
    /// heads, or is no other than [`Protocol::Labels`].
    pub fn samples(self, predictions: &Predictions, dataset: &Dataset) -> Option<Vec<Sample>> {
        let emotions = self.emotions(dataset);
        if self == Self::FourLabels && dataset.emotions() == FOUR {
            return None;
        }
        let (head, probabilities) = self.answers(predictions, &emotions)?;
        let rows = predictions.rows.iter();
        let samples: Vec<Sample> = rows
            .zip(probabilities.chunks_exact(head.emotions.len()))
            .filter_map(|(&row, probabilities)| {
                let facts = &dataset.rows()[row];
                let truth = match self {
                    Self::Labels | Self::FourLabels => facts.label,
                    Self::FerplusMajority => facts.votes?.majority()?,
                };
                let truth = emotions.iter().position(|&e| e == truth)?;
                let allowed: Vec<f32> = head
                    .emotions
                    .iter()
                    .zip(probabilities)
                    .filter(|(emotion, _)| emotions.contains(emotion))
                    .map(|(_, &p)| p)
                    .collect();
                let sum: f32 = allowed.iter().sum();
                Some(Sample {
                    row,
                    truth,
                    probabilities: allowed.iter().map(|p| p / sum).collect(),
                })
            })
            .collect();
        (!samples.is_empty()).then_some(samples)
    }
}
