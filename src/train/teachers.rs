//! Knowledge distillation (Hinton et al. 2015): the targets are in part what other networks answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::evaluate::predict;
use super::weights;
use crate::classify::network::HeadSpec;
use crate::error::{Error, Result};

/// The networks to learn from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TeacherRecipe {
    /// Model files; their answers are averaged, head by head of the same name.
    pub models: Vec<PathBuf>,
    /// Share of the answers in the targets, 0 to 1.
    pub share: f32,
}

/// The teachers' answers to the rows of a data set, each face and its mirror image averaged.
#[derive(Debug, Clone, PartialEq)]
pub struct Teachers {
    share: f32,
    /// For each head of the pupil the place of a row's answer, and the answers of all rows.
    rows: Vec<Option<usize>>,
    heads: Vec<Vec<f32>>,
}

impl Teachers {
    /// Asks every teacher about `rows`; `None` where the recipe has no teachers.
    ///
    /// # Errors
    /// If a model cannot be used or lacks one of the pupil's heads.
    pub fn ask(
        recipe: &TeacherRecipe,
        heads: &[HeadSpec],
        dataset: &Dataset,
        rows: &[usize],
    ) -> Result<Option<Self>> {
        if recipe.models.is_empty() {
            return Ok(None);
        }
        let mut answers: Vec<Vec<f32>> = heads
            .iter()
            .map(|head| vec![0.0; rows.len() * head.emotions.len()])
            .collect();
        let weight = 1.0 / recipe.models.len() as f32;
        for path in &recipe.models {
            tracing::info!("asking {}", path.display());
            let predictions = predict(&weights::load(path)?, dataset, rows, true)?;
            for (head, sums) in heads.iter().zip(&mut answers) {
                let found = predictions
                    .heads
                    .iter()
                    .find(|(spec, _)| spec.name == head.name && spec.emotions == head.emotions);
                let Some((_, probabilities)) = found else {
                    return Err(Error::Config(format!(
                        "the teacher {} has no head \"{}\" with the same emotions",
                        path.display(),
                        head.name
                    )));
                };
                for (sum, p) in sums.iter_mut().zip(probabilities) {
                    *sum += weight * p;
                }
            }
        }
        let mut places = vec![None; dataset.rows().len()];
        for (place, &row) in rows.iter().enumerate() {
            places[row] = Some(place);
        }
        Ok(Some(Self {
            share: recipe.share,
            rows: places,
            heads: answers,
        }))
    }

    /// The answer of the head at `head` to a row that was asked about.
    pub fn answer(&self, head: usize, row: usize, classes: usize) -> Option<&[f32]> {
        let place = (*self.rows.get(row)?)?;
        self.heads.get(head)?.get(place * classes..)?.get(..classes)
    }

    /// Share of the answers in the targets.
    pub const fn share(&self) -> f32 {
        self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::fit::Run;
    use crate::train::testing::{recipe, signal};

    #[test]
    fn a_pupil_learns_from_its_teacher_alone() {
        let (dataset, folder) = (signal(800), tempfile::tempdir().unwrap());
        let teacher = recipe(&[]);
        let mut run = Run::new(&teacher, &dataset, folder.path()).unwrap();
        run.fit(&mut ()).unwrap();

        let models = format!("teachers.models=['{}']", run.folder().best().display());
        // A seed of its own, and no labels.
        let pupil = recipe(&["seed=9", "teachers.share=1", &models]);
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(&pupil, &dataset, folder.path()).unwrap();
        run.fit(&mut ()).unwrap();
        let accuracy = &run.history().last().unwrap().validation.accuracy;
        assert!(accuracy.values().all(|&a| a >= 0.8), "{accuracy:?}");
    }

    #[test]
    fn a_teacher_must_know_every_head() {
        let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
        let recipe = recipe(&["epochs=1"]);
        let mut run = Run::new(&recipe, &dataset, folder.path()).unwrap();
        run.fit(&mut ()).unwrap();
        let teachers = TeacherRecipe {
            models: vec![run.folder().best()],
            share: 0.5,
        };
        let heads = [HeadSpec::fer2013()];
        let refusal = Teachers::ask(&teachers, &heads, &dataset, &[0]).unwrap_err();
        assert!(
            refusal.to_string().contains("head \"fer2013\""),
            "{refusal}"
        );
    }
}
