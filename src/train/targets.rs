//! What the network is to answer for a row.

use serde::{Deserialize, Serialize};

use super::dataset::{Dataset, Row, Usage};
use crate::classify::network::HeadSpec;
use crate::emotion::Emotion;
use crate::error::{Error, Result};

/// The head that answers FER+'s votes; any other answers labels.
pub const FERPLUS_HEAD: &str = "ferplus";

/// How labels and votes become targets, and which rows are trained on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetRecipe {
    /// Share of each label that is spread evenly over all classes (Szegedy et al., CVPR 2016).
    pub label_smoothing: f32,
    /// Training rows with fewer FER+ votes for an emotion are left out.
    pub min_votes: u32,
    /// Weight of the labels in the loss.
    pub label_weight: f64,
    /// Weight of the votes in the loss.
    pub vote_weight: f64,
}

impl Default for TargetRecipe {
    fn default() -> Self {
        Self {
            label_smoothing: 0.0,
            min_votes: 0,
            label_weight: 1.0,
            vote_weight: 1.0,
        }
    }
}

/// What one head is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Question {
    /// The label, among these.
    Label(Vec<Emotion>),
    /// The shares of the votes for each of the eight emotions.
    Votes,
}

/// Makes the targets for the heads of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    recipe: TargetRecipe,
    questions: Vec<Question>,
}

impl Targets {
    /// Sees to it that the heads fit the data.
    ///
    /// # Errors
    /// If a head's emotions are not those of the data set.
    pub fn new(recipe: TargetRecipe, heads: &[HeadSpec], dataset: &Dataset) -> Result<Self> {
        let question = |head: &HeadSpec| {
            let expected = if head.name == FERPLUS_HEAD {
                Emotion::ALL.as_slice()
            } else {
                dataset.emotions()
            };
            if head.emotions != expected {
                return Err(Error::Config(format!(
                    "head \"{}\" has the emotions {}, the data set {}",
                    head.name,
                    names(&head.emotions),
                    names(expected)
                )));
            }
            Ok(if head.name == FERPLUS_HEAD {
                Question::Votes
            } else {
                Question::Label(head.emotions.clone())
            })
        };
        Ok(Self {
            recipe,
            questions: heads.iter().map(question).collect::<Result<_>>()?,
        })
    }

    /// Number of heads.
    pub fn heads(&self) -> usize {
        self.questions.len()
    }

    /// The weight of each head in the loss.
    pub fn weights(&self) -> Vec<f64> {
        let weight = |question: &Question| match question {
            Question::Label(_) => self.recipe.label_weight,
            Question::Votes => self.recipe.vote_weight,
        };
        self.questions.iter().map(weight).collect()
    }

    /// The rows of a part that can be trained on.
    pub fn rows(&self, dataset: &Dataset, usage: Usage) -> Vec<usize> {
        let votes = |row: &Row| row.votes.map_or(0, |votes| votes.usable());
        let mut rows = dataset.indices(usage);
        rows.retain(|&index| votes(&dataset.rows()[index]) >= self.recipe.min_votes);
        rows
    }

    /// Appends a row's target for the head at `head`. A row without votes gets zeros, which ask
    /// nothing.
    pub fn append(&self, head: usize, row: &Row, targets: &mut Vec<f32>) {
        match &self.questions[head] {
            Question::Label(emotions) => {
                let even = self.recipe.label_smoothing / emotions.len() as f32;
                let rest = 1.0 - self.recipe.label_smoothing;
                targets.extend(
                    emotions
                        .iter()
                        .map(|&emotion| even + if emotion == row.label { rest } else { 0.0 }),
                );
            }
            Question::Votes => {
                let shares = row.votes.and_then(|votes| votes.shares());
                targets.extend(shares.unwrap_or_default());
            }
        }
    }
}

fn names(emotions: &[Emotion]) -> String {
    let names: Vec<&str> = emotions.iter().map(|emotion| emotion.name()).collect();
    names.join(", ")
}
