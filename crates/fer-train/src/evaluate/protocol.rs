//! Evaluation protocols: which emotion of a row is the true one, and which ones may be predicted.

use std::borrow::Cow;

use serde::Serialize;

use super::figures::Sample;
use super::predict::Predictions;
use crate::dataset::Dataset;
use crate::targets::FERPLUS_HEAD;
use fer_core::emotion::Emotion;

/// A protocol for which others report figures, or the same protocol for the album scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// All labels of the data set: FER2013's seven, or fewer if the import kept fewer.
    Labels,
    /// The rows labelled angry, happy, sad or neutral, predicted among these four.
    FourLabels,
    /// FER+'s majority protocol over eight emotions.
    FerplusMajority,
    /// [`Protocol::Labels`], predicted by the album scores.
    AlbumLabels,
    /// [`Protocol::FourLabels`], predicted by the album scores.
    AlbumFourLabels,
    /// [`Protocol::FerplusMajority`], predicted by the album scores.
    AlbumFerplusMajority,
}

/// The emotions of [`Protocol::FourLabels`].
const FOUR: [Emotion; 4] = [
    Emotion::Angry,
    Emotion::Happy,
    Emotion::Sad,
    Emotion::Neutral,
];

/// The predictions that a protocol measures.
struct ProtocolPredictions<'a> {
    /// The name of the head; `None` for the album scores.
    head: Option<&'a str>,
    emotions: &'a [Emotion],
    /// Rows × emotions.
    probabilities: Cow<'a, [f32]>,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 6] = [
        Self::Labels,
        Self::FourLabels,
        Self::FerplusMajority,
        Self::AlbumLabels,
        Self::AlbumFourLabels,
        Self::AlbumFerplusMajority,
    ];

    /// Its name in JSON and in file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::FourLabels => "four-labels",
            Self::FerplusMajority => "ferplus-majority",
            Self::AlbumLabels => "album-labels",
            Self::AlbumFourLabels => "album-four-labels",
            Self::AlbumFerplusMajority => "album-ferplus-majority",
        }
    }

    /// Its name in tables.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Labels => "FER2013 labels",
            Self::FourLabels => "FER2013 labels, four emotions",
            Self::FerplusMajority => "FER+ majority, eight emotions",
            Self::AlbumLabels => "FER2013 labels, by the album scores",
            Self::AlbumFourLabels => "FER2013 labels, four emotions, by the album scores",
            Self::AlbumFerplusMajority => "FER+ majority, eight emotions, by the album scores",
        }
    }

    /// The emotions that may be predicted.
    pub fn emotions(self, dataset: &Dataset) -> Vec<Emotion> {
        match self {
            Self::Labels | Self::AlbumLabels => dataset.emotions().to_vec(),
            Self::FourLabels | Self::AlbumFourLabels => FOUR.to_vec(),
            Self::FerplusMajority | Self::AlbumFerplusMajority => Emotion::ALL.to_vec(),
        }
    }

    /// The name of the head that it measures; `None` for the album scores.
    pub fn head<'a>(self, predictions: &'a Predictions, dataset: &Dataset) -> Option<&'a str> {
        self.select(predictions, &self.emotions(dataset))?.head
    }

    /// Selects the predictions to measure; `None` if no head fits.
    fn select<'a>(
        self,
        predictions: &'a Predictions,
        emotions: &[Emotion],
    ) -> Option<ProtocolPredictions<'a>> {
        let votes = match self {
            Self::Labels | Self::FourLabels => false,
            Self::FerplusMajority => true,
            _ if predictions.heads.len() < 2 => return None,
            Self::AlbumLabels | Self::AlbumFourLabels | Self::AlbumFerplusMajority => {
                return Some(ProtocolPredictions {
                    head: None,
                    emotions: &Emotion::ALL,
                    probabilities: Cow::Owned(predictions.album_scores()),
                });
            }
        };
        let (head, probabilities) = predictions.heads.iter().find(|(head, _)| {
            (head.name == FERPLUS_HEAD) == votes
                && emotions.iter().all(|e| head.emotions.contains(e))
        })?;
        Some(ProtocolPredictions {
            head: Some(&head.name),
            emotions: &head.emotions,
            probabilities: Cow::Borrowed(probabilities),
        })
    }

    /// True emotion and prediction of each row that the protocol includes; `None` if the protocol does not fit the
    /// heads, or equals [`Protocol::Labels`] for this data set.
    pub fn samples(self, predictions: &Predictions, dataset: &Dataset) -> Option<Vec<Sample>> {
        let emotions = self.emotions(dataset);
        if matches!(self, Self::FourLabels | Self::AlbumFourLabels) && dataset.emotions() == FOUR {
            return None;
        }
        let selected = self.select(predictions, &emotions)?;
        let rows = predictions.rows.iter();
        let samples: Vec<Sample> = rows
            .zip(selected.probabilities.chunks_exact(selected.emotions.len()))
            .filter_map(|(&row, probabilities)| {
                let facts = &dataset.rows()[row];
                let truth = match self {
                    Self::FerplusMajority | Self::AlbumFerplusMajority => {
                        facts.votes?.majority()?
                    }
                    _ => facts.label,
                };
                let truth = emotions.iter().position(|&e| e == truth)?;
                let allowed: Vec<f32> = selected
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
                    probabilities: allowed
                        .iter()
                        .map(|p| p / sum.max(f32::MIN_POSITIVE))
                        .collect(),
                })
            })
            .collect();
        (!samples.is_empty()).then_some(samples)
    }
}
