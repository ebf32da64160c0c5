//! Targets of training: for each row and head a distribution over the emotions, with its weight in the
//! loss.

mod teacher_predictions;

use serde::{Deserialize, Serialize};

use super::dataset::{Dataset, Row};
use fer_core::emotion::Emotion;
use fer_core::error::{Error, Result};
use fer_core::network::HeadSpec;

pub use teacher_predictions::TeacherPredictions;

/// The head that predicts FER+'s votes; every other head predicts labels.
pub const FERPLUS_HEAD: &str = "ferplus";

/// How labels and votes become targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetRecipe {
    /// Label smoothing: the share of each label that is spread evenly over all classes (Szegedy et al.,
    /// CVPR 2016).
    pub label_smoothing: f32,
    /// Share of the votes in the targets of the label head; the label has the rest.
    pub soft_labels: f32,
    /// Exponent of the class weights: with 0 every row has weight 1, with 1 the inverse of its label's
    /// relative frequency.
    pub class_balance: f32,
    /// Training rows with fewer FER+ votes that name an emotion are left out.
    pub min_votes: u32,
    /// Weight of the label heads in the loss.
    pub label_weight: f64,
    /// Weight of the vote head in the loss.
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

/// The targets of one head for some rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeadTargets {
    /// Rows × classes: distributions, each multiplied by the weight of its row.
    pub values: Vec<f32>,
    /// The weight of each row in the loss; 0 for a row without a target.
    pub weights: Vec<f32>,
}

impl HeadTargets {
    /// Mixes predictions of teachers (rows × classes, each row a distribution) into the targets with
    /// weight `share`; for a row without a target they become the target, with weight 1.
    pub fn mix(&mut self, share: f32, predicted: &[f32]) {
        if share == 0.0 {
            return;
        }
        let classes = predicted.len() / self.weights.len();
        let rows = self.values.chunks_exact_mut(classes);
        let rows = rows
            .zip(&mut self.weights)
            .zip(predicted.chunks_exact(classes));
        for ((values, weight), predicted) in rows {
            let share = if *weight == 0.0 {
                *weight = 1.0;
                1.0
            } else {
                share
            };
            for (value, p) in values.iter_mut().zip(predicted) {
                *value += share * (*weight * p - *value);
            }
        }
    }
}

/// What a head predicts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TargetKind {
    /// The label.
    Label,
    /// The distribution of FER+'s votes over the eight emotions.
    Votes,
}

/// Computes the targets for the heads of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    recipe: TargetRecipe,
    /// One for each head.
    kinds: Vec<TargetKind>,
    emotions: Vec<Emotion>,
    /// For each label the weight of its rows.
    balance: Vec<f32>,
    /// The predictions that teachers made before the run.
    teacher_predictions: Option<TeacherPredictions>,
}

impl Targets {
    /// Checks the heads against the data set; the frequencies of the labels are those of the rows in
    /// `training`.
    ///
    /// # Errors
    /// If the emotions of a head are not those of its targets.
    pub fn new(
        recipe: TargetRecipe,
        heads: &[HeadSpec],
        dataset: &Dataset,
        training: &[usize],
    ) -> Result<Self> {
        let kind = |head: &HeadSpec| {
            let (kind, expected) = if head.name == FERPLUS_HEAD {
                (TargetKind::Votes, Emotion::ALL.as_slice())
            } else {
                (TargetKind::Label, dataset.emotions())
            };
            if head.emotions == expected {
                return Ok(kind);
            }
            Err(Error::Config(format!(
                "the head \"{}\" has the emotions {}, but the data set has {}",
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
            kinds: heads.iter().map(kind).collect::<Result<_>>()?,
            emotions: dataset.emotions().to_vec(),
            teacher_predictions: None,
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
        self.kinds.len()
    }

    /// The weight of each head in the loss.
    pub fn head_weights(&self) -> Vec<f64> {
        let weight = |kind: &TargetKind| match kind {
            TargetKind::Label => self.recipe.label_weight,
            TargetKind::Votes => self.recipe.vote_weight,
        };
        self.kinds.iter().map(weight).collect()
    }

    /// Checks that the data set has votes if the recipe needs them.
    ///
    /// # Errors
    /// If it needs them and no row has one; the error says how to train without.
    pub fn check_votes(recipe: TargetRecipe, heads: &[HeadSpec], dataset: &Dataset) -> Result<()> {
        let head = heads.iter().any(|head| head.name == FERPLUS_HEAD);
        if (recipe.min_votes == 0 && !head) || dataset.rows().iter().any(|row| row.votes.is_some())
        {
            return Ok(());
        }
        let mut without = vec!["--set targets.min_votes=0".to_owned()];
        if head {
            let label = |head: &&HeadSpec| head.name != FERPLUS_HEAD;
            let emotions: Vec<_> = dataset
                .emotions()
                .iter()
                .map(|e| format!("\"{e}\""))
                .collect();
            without.extend(heads.iter().find(label).map(|head| {
                let (name, emotions) = (&head.name, emotions.join(","));
                format!("--set 'network.heads=[{{name=\"{name}\",emotions=[{emotions}]}}]'")
            }));
        }
        Err(Error::Usage(format!(
            "the recipe needs FER+'s votes and the data set has none; import it with --ferplus fer2013new.csv, or \
             train on its labels alone with {}",
            without.join(" ")
        )))
    }

    /// Removes the rows with fewer votes than the recipe's `min_votes`.
    pub fn retain_trainable(recipe: TargetRecipe, dataset: &Dataset, rows: &mut Vec<usize>) {
        let votes = |row: &Row| row.votes.map_or(0, |votes| votes.usable());
        rows.retain(|&index| votes(&dataset.rows()[index]) >= recipe.min_votes);
    }

    /// Mixes these predictions into every target.
    #[must_use]
    pub fn with_teacher_predictions(self, teacher_predictions: Option<TeacherPredictions>) -> Self {
        Self {
            teacher_predictions,
            ..self
        }
    }

    /// Appends the target of the head with index `head` for the data set's row `index`.
    pub fn append(&self, head: usize, index: usize, row: &Row, targets: &mut HeadTargets) {
        let class = self.emotions.iter().position(|&e| e == row.label);
        let shares = row.votes.and_then(|votes| votes.shares());
        let (classes, target) = match self.kinds[head] {
            TargetKind::Label => {
                let target = self.label_target(row.label, shares);
                (self.emotions.len(), Some(target))
            }
            TargetKind::Votes => (Emotion::COUNT, shares.map(|shares| shares.to_vec())),
        };
        let weight = match target {
            Some(_) => class.map_or(1.0, |class| self.balance[class]),
            None => 0.0,
        };
        let mut appended = HeadTargets {
            values: target.unwrap_or_else(|| vec![0.0; classes]),
            weights: vec![weight],
        };
        appended
            .values
            .iter_mut()
            .for_each(|value| *value *= weight);
        if let Some(teacher_predictions) = &self.teacher_predictions
            && let Some(predicted) = teacher_predictions.row(head, index, classes)
        {
            appended.mix(teacher_predictions.share(), predicted);
        }
        targets.values.append(&mut appended.values);
        targets.weights.append(&mut appended.weights);
    }

    /// The target of a label head: a distribution over the data set's emotions.
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
            // All votes may be for emotions that are no label of the data set.
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

    fn targets_of(recipe: TargetRecipe, row: usize) -> [HeadTargets; 2] {
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
            let mut of_head = HeadTargets::default();
            targets.append(head, row, &dataset.rows()[row], &mut of_head);
            of_head
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
    fn label_smoothing_and_soft_labels_mix_into_the_label_target() {
        let recipe = TargetRecipe {
            label_smoothing: 0.2,
            soft_labels: 0.5,
            ..TargetRecipe::default()
        };
        let [label, votes] = targets_of(recipe, 0);
        assert!(close(&label.values, &[0.825, 0.175]), "{label:?}");
        assert!(close(
            &votes.values,
            &[0., 0., 0.5, 0.375, 0.125, 0., 0., 0.]
        ));
        let [label, votes] = targets_of(recipe, 3);
        assert!(close(&label.values, &[0.1, 0.9]), "{label:?}");
        assert!(
            close(&votes.weights, &[0.0]),
            "without votes the row has no weight"
        );
    }

    #[test]
    fn teachers_get_their_share_of_a_target_and_all_of_a_missing_one() {
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
    fn a_recipe_that_needs_votes_says_how_to_go_without() {
        let labels = HeadSpec::new("labels", &EMOTIONS);
        let heads = [labels.clone(), HeadSpec::ferplus()];
        let mut dataset = dataset();
        let recipe = TargetRecipe::default();
        Targets::check_votes(recipe, &heads, &dataset).unwrap();
        let rows = dataset.rows().iter().map(|row| Row {
            votes: None,
            ..*row
        });
        dataset = Dataset::new(EMOTIONS.to_vec(), rows.collect(), vec![0; 4 * PIXELS]);
        let message = Targets::check_votes(recipe, &heads, &dataset)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(r#"network.heads=[{name="labels",emotions=["happy","sad"]}]"#),
            "{message}"
        );
        Targets::check_votes(recipe, std::slice::from_ref(&labels), &dataset).unwrap();
        let demanding = TargetRecipe {
            min_votes: 5,
            ..recipe
        };
        let message = Targets::check_votes(demanding, &[labels], &dataset)
            .unwrap_err()
            .to_string();
        assert!(message.contains("targets.min_votes=0"), "{message}");
    }

    #[test]
    fn class_balance_weighs_rows_by_inverse_label_frequency() {
        let recipe = TargetRecipe {
            class_balance: 1.0,
            ..TargetRecipe::default()
        };
        assert!(close(&targets_of(recipe, 0)[0].weights, &[2.0 / 3.0]));
        assert!(close(&targets_of(recipe, 3)[0].values, &[0.0, 2.0]));
    }
}
