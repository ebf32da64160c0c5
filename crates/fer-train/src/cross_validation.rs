//! k-fold cross-validation: each row validates one run and trains the others.

use std::path::Path;

use super::dataset::Dataset;
use super::fit::{RowSplit, Run, TrainingObserver};
use super::metrics::EpochMetrics;
use super::recipe::Recipe;
use fer_core::error::{Error, Result};

/// Divides the recipe's training rows into `k` folds, stratified by label, and for each fold trains a
/// run on the others, in `folder/fold-1` and so on. Returns the best epoch of each run.
///
/// # Errors
/// If `k` is less than 2 or more than there are rows, or a run fails.
pub fn cross_validate(
    recipe: &Recipe,
    dataset: &Dataset,
    k: usize,
    folder: &Path,
    observer: &mut dyn TrainingObserver,
) -> Result<Vec<EpochMetrics>> {
    let rows = recipe.training_rows(dataset);
    if k < 2 || k > rows.len() {
        return Err(Error::Usage(format!(
            "{} training rows cannot be divided into {k} folds; give a number from 2 to the number of rows",
            rows.len()
        )));
    }
    let folds = dataset.folds(&rows, k, recipe.seed);
    let mut best = Vec::with_capacity(k);
    for (index, fold) in folds.iter().enumerate() {
        let name = format!("fold-{}", index + 1);
        observer.run_started(&name, k);
        let others = folds
            .iter()
            .enumerate()
            .filter(|&(other, _)| other != index);
        let rows = RowSplit {
            training: others.flat_map(|(_, fold)| fold).copied().collect(),
            validation: fold.clone(),
        };
        let mut run = Run::with_rows(recipe, dataset, rows, &folder.join(name))?;
        run.fit(observer)?;
        best.extend(run.best().cloned());
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{recipe, signal};

    #[test]
    fn each_fold_gets_its_own_run_and_folder() {
        let (dataset, recipe) = (signal(90), recipe(&["epochs=1"]));
        let folder = tempfile::tempdir().unwrap();
        let best = cross_validate(&recipe, &dataset, 3, folder.path(), &mut ()).unwrap();
        assert_eq!(best.len(), 3);
        assert_ne!(best[0].validation, best[1].validation);
        for fold in ["fold-1", "fold-2", "fold-3"] {
            assert!(folder.path().join(fold).join("best.safetensors").is_file());
        }
        for k in [0, 1, 91] {
            assert!(cross_validate(&recipe, &dataset, k, folder.path(), &mut ()).is_err());
        }
    }
}
