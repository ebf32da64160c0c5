//! Knowledge distillation (Hinton et al. 2015): the targets are in part what other networks answer.

mod answers;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::dataset::Dataset;
use super::evaluate::predict;
use super::weights;
use crate::network::Network;
use fer_core::classify::softmax;
use fer_core::error::{Error, Result};
use fer_core::network::{FoldedNetwork, HeadSpec};

pub use answers::Answers;

/// Faces that a thread asks a teacher about at a time.
const BATCH: usize = 16;

/// The networks to learn from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TeacherRecipe {
    /// Model files; their answers are averaged, head by head of the same name.
    pub models: Vec<PathBuf>,
    /// Share of the answers in the targets, 0 to 1.
    pub share: f32,
    /// What the teachers look at.
    pub asked: Asked,
}

/// What teachers look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Each training face and its mirror image, before the run: cheap, but a teacher that has learned
    /// these faces answers little more than their labels.
    #[default]
    Once,
    /// The very images that the pupil is shown, varied and mixed as they are (Beyer et al., "Knowledge
    /// distillation: a good teacher is patient and consistent", CVPR 2022).
    EachStep,
}

/// Networks that answer the heads of a pupil.
#[derive(Debug)]
pub struct Teachers {
    recipe: TeacherRecipe,
    networks: Vec<Teacher>,
}

/// One network, and where it answers each head of the pupil.
#[derive(Debug)]
struct Teacher {
    network: Network,
    folded: FoldedNetwork,
    heads: Vec<usize>,
}

impl Teachers {
    /// Reads the teachers of a pupil with these heads; `None` where the recipe has none.
    ///
    /// # Errors
    /// If a model cannot be used or lacks one of the heads.
    pub fn load(recipe: &TeacherRecipe, heads: &[HeadSpec]) -> Result<Option<Self>> {
        if recipe.models.is_empty() {
            return Ok(None);
        }
        let teacher = |path: &PathBuf| {
            tracing::info!("asking {}", path.display());
            let network = weights::load(path)?;
            let own = &network.spec().heads;
            let place = |head: &HeadSpec| {
                let same = |o: &HeadSpec| o.name == head.name && o.emotions == head.emotions;
                own.iter().position(same).ok_or_else(|| {
                    Error::Config(format!(
                        "the teacher {} has no head \"{}\" with the same emotions",
                        path.display(),
                        head.name
                    ))
                })
            };
            Ok(Teacher {
                heads: heads.iter().map(place).collect::<Result<_>>()?,
                folded: (network.fold(BATCH))
                    .map_err(|e| Error::Model(format!("{}: {e}", path.display())))?,
                network,
            })
        };
        Ok(Some(Self {
            networks: recipe.models.iter().map(teacher).collect::<Result<_>>()?,
            recipe: recipe.clone(),
        }))
    }

    /// What they are to look at.
    pub const fn asked(&self) -> Asked {
        self.recipe.asked
    }

    /// Asks about each of `rows` and its mirror image.
    ///
    /// # Errors
    /// If candle cannot run a network.
    pub fn answer(&self, dataset: &Dataset, rows: &[usize]) -> Result<Answers> {
        let mut sums = Vec::new();
        for teacher in &self.networks {
            let predictions = predict(&teacher.network, dataset, rows, true)?;
            let answers: Vec<_> = predictions.heads.into_iter().map(|(_, all)| all).collect();
            teacher.add(&answers, &mut sums);
        }
        let heads = self.averaged(sums);
        Ok(Answers::new(
            self.recipe.share,
            dataset.rows().len(),
            rows,
            heads,
        ))
    }

    /// Asks about the images of a batch, and mixes the answers into its targets.
    pub fn teach(&self, batch: &mut Batch) {
        let mut sums = Vec::new();
        for teacher in &self.networks {
            let mut answers = teacher.folded.infer_all(&batch.images);
            for logits in &mut answers {
                let classes = logits.len() / batch.len;
                logits.chunks_exact_mut(classes).for_each(softmax);
            }
            teacher.add(&answers, &mut sums);
        }
        let share = self.recipe.share;
        for (targets, taught) in batch.targets.iter_mut().zip(self.averaged(sums)) {
            targets.mix(share, &taught);
        }
    }

    /// Sums over the teachers become means.
    fn averaged(&self, mut sums: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        let weight = 1.0 / self.networks.len() as f32;
        sums.iter_mut().flatten().for_each(|sum| *sum *= weight);
        sums
    }
}

impl Teacher {
    /// Adds what it answers to the heads of the pupil.
    fn add(&self, answers: &[Vec<f32>], sums: &mut Vec<Vec<f32>>) {
        let answers = self.heads.iter().map(|&head| &answers[head]);
        if sums.is_empty() {
            sums.extend(answers.cloned());
            return;
        }
        for (sums, answers) in sums.iter_mut().zip(answers) {
            sums.iter_mut().zip(answers).for_each(|(sum, p)| *sum += p);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Row, Usage};
    use crate::fit::Run;
    use crate::testing::{recipe, signal, train};
    use fer_core::emotion::Emotion;

    /// The faces that are learned from say nothing of themselves.
    fn silent(dataset: &Dataset) -> Dataset {
        let rows = dataset.rows().iter().map(|&row| match row.usage {
            Usage::Training => Row {
                label: Emotion::Happy,
                votes: None,
                ..row
            },
            _ => row,
        });
        let pixels = (0..dataset.rows().len()).flat_map(|row| dataset.pixels(row));
        let emotions = dataset.emotions().to_vec();
        Dataset::new(emotions, rows.collect(), pixels.copied().collect())
    }

    #[test]
    fn a_pupil_learns_from_its_teacher_alone() {
        let (dataset, folder) = (signal(800), tempfile::tempdir().unwrap());
        let teacher = train(&[], &dataset, &folder.path().join("teacher"));
        let models = format!("teachers.models=['{}']", teacher.display());
        let silent = silent(&dataset);
        for asked in ["once", "each-step"] {
            let asked = format!("teachers.asked={asked}");
            let pupil = recipe(&["seed=9", "teachers.share=1", &models, &asked]);
            let folder = folder.path().join(&asked);
            let mut run = Run::new(&pupil, &silent, &folder).unwrap();
            run.fit(&mut ()).unwrap();
            let accuracy = &run.history().last().unwrap().validation.accuracy;
            assert!(accuracy.values().all(|&a| a >= 0.8), "{asked} {accuracy:?}");
        }
    }

    #[test]
    fn a_teacher_must_know_every_head() {
        let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
        let teachers = TeacherRecipe {
            models: vec![train(&["epochs=1"], &dataset, folder.path())],
            share: 0.5,
            ..TeacherRecipe::default()
        };
        let refusal = Teachers::load(&teachers, &[HeadSpec::fer2013()]).unwrap_err();
        assert!(
            refusal.to_string().contains("head \"fer2013\""),
            "{refusal}"
        );
    }
}
