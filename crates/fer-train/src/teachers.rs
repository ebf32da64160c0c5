//! Knowledge distillation (Hinton et al. 2015): part of a network's targets are the predictions of other
//! networks, its teachers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::dataset::Dataset;
use super::evaluate::predict;
use super::targets::TeacherPredictions;
use super::weights;
use crate::network::Network;
use fer_core::classify::softmax;
use fer_core::error::{Error, Result};
use fer_core::network::{FoldedNetwork, HeadSpec, NetworkSpec};

/// Faces that a thread passes to a teacher at a time.
const BATCH: usize = 16;

/// The teachers of a run, and how they are used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TeacherRecipe {
    /// Model files; the predictions of heads with the same name are averaged.
    pub models: Vec<PathBuf>,
    /// Share of the predictions in the targets, 0 to 1.
    pub share: f32,
    /// When, and for which images, the teachers predict.
    #[serde(rename = "asked")]
    pub mode: TeacherMode,
}

/// When, and for which images, teachers predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TeacherMode {
    /// Once before the run, for each training face and its mirror image. This is fast, but the predictions of a teacher
    /// that was trained on these faces contain little more than their labels.
    #[default]
    Once,
    /// At each step, for the images of the batch with their augmentation and mixup (Beyer et al.,
    /// "Knowledge distillation: a good teacher is patient and consistent", CVPR 2022).
    EachStep,
}

/// Networks whose predictions are targets for the heads of a student.
#[derive(Debug)]
pub struct Teachers {
    recipe: TeacherRecipe,
    networks: Vec<Teacher>,
}

/// One teacher.
#[derive(Debug)]
struct Teacher {
    network: Network,
    folded: FoldedNetwork,
    /// For each head of the student the index of the teacher's head.
    heads: Vec<usize>,
}

impl Teachers {
    /// Loads the teachers of a student; `None` if the recipe has no teacher.
    ///
    /// # Errors
    /// If a model cannot be used, lacks one of the heads, or takes pixels in another scaling.
    pub fn load(recipe: &TeacherRecipe, student: &NetworkSpec) -> Result<Option<Self>> {
        if recipe.models.is_empty() {
            return Ok(None);
        }
        let teacher = |path: &PathBuf| {
            tracing::info!("loading the teacher {}", path.display());
            weights::require(path, "a teacher", "'teachers.models=[\"FILE\"]'")?;
            let network = weights::load(path)?;
            if network.spec().pixels != student.pixels {
                return Err(Error::Config(format!(
                    "the teacher {} takes pixels in another scaling than the network",
                    path.display()
                )));
            }
            let own = &network.spec().heads;
            let index = |head: &HeadSpec| {
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
                heads: student.heads.iter().map(index).collect::<Result<_>>()?,
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

    /// When, and for which images, they predict.
    pub const fn mode(&self) -> TeacherMode {
        self.recipe.mode
    }

    /// Predicts each of `rows`, averaged over the face and its mirror image.
    ///
    /// # Errors
    /// If candle cannot run a network.
    pub fn predict(&self, dataset: &Dataset, rows: &[usize]) -> Result<TeacherPredictions> {
        let mut sums = Vec::new();
        for teacher in &self.networks {
            let predictions = predict(&teacher.network, dataset, rows, true)?;
            let heads: Vec<_> = predictions.heads.into_iter().map(|(_, all)| all).collect();
            teacher.add(&heads, &mut sums);
        }
        let heads = self.averaged(sums);
        Ok(TeacherPredictions::new(
            self.recipe.share,
            dataset.rows().len(),
            rows,
            heads,
        ))
    }

    /// Predicts the images of a batch, and mixes the predictions into its targets.
    pub fn mix_predictions_into(&self, batch: &mut Batch) {
        let mut sums = Vec::new();
        for teacher in &self.networks {
            let mut heads = teacher.folded.infer_all(&batch.images);
            for logits in &mut heads {
                let classes = logits.len() / batch.len;
                logits.chunks_exact_mut(classes).for_each(softmax);
            }
            teacher.add(&heads, &mut sums);
        }
        let share = self.recipe.share;
        for (targets, predicted) in batch.targets.iter_mut().zip(self.averaged(sums)) {
            targets.mix(share, &predicted);
        }
    }

    /// Divides sums over the teachers by their number.
    fn averaged(&self, mut sums: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        let weight = 1.0 / self.networks.len() as f32;
        sums.iter_mut().flatten().for_each(|sum| *sum *= weight);
        sums
    }
}

impl Teacher {
    /// Adds the probabilities of this teacher's heads to the sums for the student's heads.
    fn add(&self, heads: &[Vec<f32>], sums: &mut Vec<Vec<f32>>) {
        let heads = self.heads.iter().map(|&head| &heads[head]);
        if sums.is_empty() {
            sums.extend(heads.cloned());
            return;
        }
        for (sums, probabilities) in sums.iter_mut().zip(heads) {
            let pairs = sums.iter_mut().zip(probabilities);
            pairs.for_each(|(sum, p)| *sum += p);
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

    /// The data set with the same label for every training row, and without their votes.
    fn unlabelled(dataset: &Dataset) -> Dataset {
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
    fn a_student_learns_from_its_teacher_alone() {
        let (dataset, folder) = (signal(800), tempfile::tempdir().unwrap());
        let teacher = train(&[], &dataset, &folder.path().join("teacher"));
        let models = format!("teachers.models=['{}']", teacher.display());
        let unlabelled = unlabelled(&dataset);
        for mode in ["once", "each-step"] {
            let mode = format!("teachers.asked={mode}");
            let student = recipe(&["seed=9", "teachers.share=1", &models, &mode]);
            let folder = folder.path().join(&mode);
            let mut run = Run::new(&student, &unlabelled, &folder).unwrap();
            run.fit(&mut ()).unwrap();
            let accuracy = &run.history().last().unwrap().validation.accuracy;
            assert!(accuracy.values().all(|&a| a >= 0.8), "{mode} {accuracy:?}");
        }
    }

    #[test]
    fn a_teacher_must_have_every_head_of_the_student() {
        let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
        let teachers = TeacherRecipe {
            models: vec![train(&["epochs=1"], &dataset, folder.path())],
            share: 0.5,
            ..TeacherRecipe::default()
        };
        let refusal =
            Teachers::load(&teachers, &NetworkSpec::residual(8, &[(8, 1)], 0.0)).unwrap_err();
        assert!(
            refusal.to_string().contains("head \"fer2013\""),
            "{refusal}"
        );
    }
}
