//! What the network is to answer for a row, and how much that counts.

use serde::{Deserialize, Serialize};

use super::dataset::{Dataset, Row};
use super::teachers::Answers;
use fer_core::emotion::Emotion;
use fer_core::error::{Error, Result};
use fer_core::network::HeadSpec;

/// The head that answers FER+'s votes; any other answers labels.
pub const FERPLUS_HEAD: &str = "ferplus";

/// How labels and votes become targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetRecipe {
    /// Share of each label that is spread evenly over all classes (Szegedy et al., CVPR 2016).
    pub label_smoothing: f32,
    /// Share of the votes in the targets of the label head, in place of the label.
    pub soft_labels: f32,
    /// How far the loss makes up for rare labels: 0 not at all, 1 wholly (a row weighs the inverse
    /// of its label's frequency).
    pub class_balance: f32,
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
            soft_labels: 0.0,
            class_balance: 0.0,
            min_votes: 0,
            label_weight: 1.0,
            vote_weight: 1.0,
        }
    }
}

/// What a head is asked about some rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeadTargets {
    /// Rows × classes; each row adds up to its weight.
    pub values: Vec<f32>,
    /// How much each row counts in the loss; 0 for one that the head is not asked about.
    pub weights: Vec<f32>,
}

impl HeadTargets {
    /// Gives `taught` (rows × classes, each row a distribution) a share in the targets; a row that the
    /// head was not asked about has nothing else.
    pub fn mix(&mut self, share: f32, taught: &[f32]) {
        if share == 0.0 {
            return;
        }
        let classes = taught.len() / self.weights.len();
        let rows = self.values.chunks_exact_mut(classes);
        let rows = rows
            .zip(&mut self.weights)
            .zip(taught.chunks_exact(classes));
        for ((values, weight), taught) in rows {
            let share = if *weight == 0.0 {
                *weight = 1.0;
                1.0
            } else {
                share
            };
            for (value, taught) in values.iter_mut().zip(taught) {
                *value += share * (*weight * taught - *value);
            }
        }
    }
}

/// What one head is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Question {
    /// The label.
    Label,
    /// The shares of the votes for each of the eight emotions.
    Votes,
}

/// Makes the targets for the heads of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    recipe: TargetRecipe,
    questions: Vec<Question>,
    emotions: Vec<Emotion>,
    /// The weight of a row with each label.
    balance: Vec<f32>,
    /// What teachers answered before the run.
    answers: Option<Answers>,
}

impl Targets {
    /// Sees to it that the heads fit the data; `training` are the rows that tell how frequent each
    /// label is.
    ///
    /// # Errors
    /// If a head's emotions are not those of the data set.
    pub fn new(
        recipe: TargetRecipe,
        heads: &[HeadSpec],
        dataset: &Dataset,
        training: &[usize],
    ) -> Result<Self> {
        let question = |head: &HeadSpec| {
            let (question, expected) = if head.name == FERPLUS_HEAD {
                (Question::Votes, Emotion::ALL.as_slice())
            } else {
                (Question::Label, dataset.emotions())
            };
            if head.emotions == expected {
                return Ok(question);
            }
            Err(Error::Config(format!(
                "head \"{}\" has the emotions {}, the data set {}",
                head.name,
                names(&head.emotions),
                names(expected)
            )))
        };
        let frequency = |&emotion: &Emotion| {
            let rows = training.iter().map(|&index| dataset.rows()[index].label);
            rows.filter(|&label| label == emotion).count()
        };
        let even = training.len() as f32 / dataset.emotions().len() as f32;
        let weight = |rows: usize| (even / rows.max(1) as f32).powf(recipe.class_balance);
        Ok(Self {
            recipe,
            questions: heads.iter().map(question).collect::<Result<_>>()?,
            emotions: dataset.emotions().to_vec(),
            answers: None,
            balance: dataset
                .emotions()
                .iter()
                .map(frequency)
                .map(weight)
                .collect(),
        })
    }

    /// Number of heads.
    pub const fn heads(&self) -> usize {
        self.questions.len()
    }

    /// The weight of each head in the loss.
    pub fn head_weights(&self) -> Vec<f64> {
        let weight = |question: &Question| match question {
            Question::Label => self.recipe.label_weight,
            Question::Votes => self.recipe.vote_weight,
        };
        self.questions.iter().map(weight).collect()
    }

    /// Leaves out the rows that are not to be trained on.
    pub fn retain_trainable(recipe: TargetRecipe, dataset: &Dataset, rows: &mut Vec<usize>) {
        let votes = |row: &Row| row.votes.map_or(0, |votes| votes.usable());
        rows.retain(|&index| votes(&dataset.rows()[index]) >= recipe.min_votes);
    }

    /// Mixes teachers' answers into every target.
    #[must_use]
    pub fn taught_by(self, answers: Option<Answers>) -> Self {
        Self { answers, ..self }
    }

    /// Appends what the head at `head` is asked about the row at `index` of the data set.
    pub fn append(&self, head: usize, index: usize, row: &Row, targets: &mut HeadTargets) {
        let class = self.emotions.iter().position(|&e| e == row.label);
        let shares = row.votes.and_then(|votes| votes.shares());
        let (classes, target) = match self.questions[head] {
            Question::Label => {
                let target = self.label_target(row.label, shares);
                (self.emotions.len(), Some(target))
            }
            Question::Votes => (Emotion::COUNT, shares.map(|shares| shares.to_vec())),
        };
        let weight = match target {
            Some(_) => class.map_or(1.0, |class| self.balance[class]),
            None => 0.0,
        };
        let mut asked = HeadTargets {
            values: target.unwrap_or_else(|| vec![0.0; classes]),
            weights: vec![weight],
        };
        asked.values.iter_mut().for_each(|value| *value *= weight);
        if let Some(answers) = &self.answers
            && let Some(taught) = answers.answer(head, index, classes)
        {
            asked.mix(answers.share(), taught);
        }
        targets.values.append(&mut asked.values);
        targets.weights.append(&mut asked.weights);
    }

    /// A distribution over the data set's emotions.
    fn label_target(&self, label: Emotion, shares: Option<[f32; Emotion::COUNT]>) -> Vec<f32> {
        let smoothing = self.recipe.label_smoothing;
        let even = smoothing / self.emotions.len() as f32;
        let hard = self.emotions.iter().map(|&emotion| {
            even + if emotion == label {
                1.0 - smoothing
            } else {
                0.0
            }
        });
        let votes: Option<Vec<f32>> = shares
            .filter(|_| self.recipe.soft_labels > 0.0)
            .map(|shares| self.emotions.iter().map(|e| shares[e.index()]).collect());
        let total: f32 = votes.iter().flatten().sum();
        match votes {
            // Votes may all be for emotions that the label head does not know.
            Some(votes) if total > 0.0 => {
                let soft = self.recipe.soft_labels;
                let pairs = hard.zip(votes);
                pairs
                    .map(|(hard, vote)| (1.0 - soft) * hard + soft * vote / total)
                    .collect()
            }
            _ => hard.collect(),
        }
    }
}

fn names(emotions: &[Emotion]) -> String {
    let names: Vec<&str> = emotions.iter().map(|emotion| emotion.name()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{PIXELS, Usage, Votes};

    const EMOTIONS: [Emotion; 2] = [Emotion::Happy, Emotion::Sad];

    fn dataset() -> Dataset {
        let mut votes = Votes::default();
        votes.emotions[Emotion::Happy.index()] = 3;
        votes.emotions[Emotion::Sad.index()] = 1;
        votes.emotions[Emotion::Fear.index()] = 4;
        let row = |label, votes| Row {
            label,
            votes,
            usage: Usage::Training,
        };
        let rows = vec![
            row(Emotion::Happy, Some(votes)),
            row(Emotion::Happy, None),
            row(Emotion::Happy, None),
            row(Emotion::Sad, None),
        ];
        Dataset::new(EMOTIONS.to_vec(), rows, vec![0; 4 * PIXELS])
    }

    fn asked(recipe: TargetRecipe, row: usize) -> [HeadTargets; 2] {
        let label = HeadSpec::new("labels", &EMOTIONS);
        let dataset = dataset();
        let targets = Targets::new(
            recipe,
            &[label, HeadSpec::ferplus()],
            &dataset,
            &[0, 1, 2, 3],
        )
        .unwrap();
        [0, 1].map(|head| {
            let mut asked = HeadTargets::default();
            targets.append(head, row, &dataset.rows()[row], &mut asked);
            asked
        })
    }

    fn close(found: &[f32], expected: &[f32]) -> bool {
        found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn smoothing_and_votes_mix_into_the_label() {
        let recipe = TargetRecipe {
            label_smoothing: 0.2,
            soft_labels: 0.5,
            ..TargetRecipe::default()
        };
        let [label, votes] = asked(recipe, 0);
        assert!(close(&label.values, &[0.825, 0.175]), "{label:?}");
        assert!(close(
            &votes.values,
            &[0., 0., 0.5, 0.375, 0.125, 0., 0., 0.]
        ));
        let [label, votes] = asked(recipe, 3);
        assert!(close(&label.values, &[0.1, 0.9]), "{label:?}");
        assert!(close(&votes.weights, &[0.0]), "no votes, no question");
    }

    #[test]
    fn teachers_have_their_share_of_what_was_asked_and_all_of_what_was_not() {
        let mut targets = HeadTargets {
            values: vec![2.0, 0.0, 0.0, 0.0],
            weights: vec![2.0, 0.0],
        };
        targets.mix(0.25, &[0.5, 0.5, 0.3, 0.7]);
        assert!(
            close(&targets.values, &[1.75, 0.25, 0.3, 0.7]),
            "{targets:?}"
        );
        assert!(close(&targets.weights, &[2.0, 1.0]));
    }

    #[test]
    fn balance_weighs_by_inverse_frequency() {
        let recipe = TargetRecipe {
            class_balance: 1.0,
            ..TargetRecipe::default()
        };
        assert!(close(&asked(recipe, 0)[0].weights, &[2.0 / 3.0]));
        assert!(close(&asked(recipe, 3)[0].values, &[0.0, 2.0]));
    }
}
