//! Recipes: everything about a training run except its data, in TOML.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::augment::Augmentation;
use super::batch::Sampling;
use super::dataset::{Dataset, Usage};
use super::initial_weights::InitialWeightsRecipe;
use super::loss::LossRecipe;
use super::optimizer::OptimizerRecipe;
use super::schedule::ScheduleRecipe;
use super::targets::TargetRecipe;
use super::teachers::TeacherRecipe;
use fer_core::classify::FACE_SIDE;
use fer_core::error::{Error, Result};
use fer_core::network::NetworkSpec;

/// Everything that determines the outcome of a training run, except the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name of the run and of its model.
    pub name: String,
    /// Seed of initial weights, order of rows, augmentation and dropout.
    #[serde(default)]
    pub seed: u64,
    /// Passes over the training rows.
    pub epochs: usize,
    /// The parts of the data set to train on. With `PublicTest` among them, no row is left for validation: only for a
    /// final run, after every choice has been made.
    #[serde(default = "Recipe::train_on")]
    pub train_on: Vec<Usage>,
    /// How the rows of an epoch are chosen.
    #[serde(default)]
    pub sampling: Sampling,
    /// Images per step.
    #[serde(default = "Recipe::batch_size")]
    pub batch_size: usize,
    /// Decay per step of the moving average of the weights (Polyak and Juditsky 1992). If set, the averaged
    /// weights are validated and saved instead of the trained ones.
    pub ema: Option<f64>,
    /// Ends the run when more than this many epochs in a row brought no better validation accuracy.
    pub early_stopping: Option<usize>,
    /// The initial weights.
    #[serde(default)]
    pub start: InitialWeightsRecipe,
    /// The architecture.
    pub network: NetworkSpec,
    /// How labels and votes become targets, and which rows are left out.
    #[serde(default)]
    pub targets: TargetRecipe,
    /// Networks whose predictions are part of the targets.
    #[serde(default)]
    pub teachers: TeacherRecipe,
    /// The loss.
    #[serde(default)]
    pub loss: LossRecipe,
    /// The optimiser.
    #[serde(default)]
    pub optimizer: OptimizerRecipe,
    /// The learning rate over time.
    #[serde(default)]
    pub schedule: ScheduleRecipe,
    /// The augmentation of training images.
    #[serde(default)]
    pub augment: Augmentation,
}

impl Recipe {
    const fn batch_size() -> usize {
        128
    }

    fn train_on() -> Vec<Usage> {
        vec![Usage::Training]
    }

    /// The rows of the parts in `train_on`.
    pub fn training_rows(&self, dataset: &Dataset) -> Vec<usize> {
        let parts = self.train_on.iter();
        parts.flat_map(|&part| dataset.indices(part)).collect()
    }

    /// Reads a recipe file; each override is `key=value` with a dotted key, such as
    /// `optimizer.learning_rate=0.05`.
    ///
    /// # Errors
    /// If the file cannot be read, or the result is not a valid recipe.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, overrides)
            .map_err(|problem| Error::Config(format!("{}: {problem}", path.display())))
    }

    /// Reads a recipe from TOML.
    ///
    /// # Errors
    /// If the text with its overrides is not a valid recipe, or an override replaces an earlier one.
    pub fn parse(text: &str, overrides: &[String]) -> Result<Self> {
        let invalid = |e: toml::de::Error| Error::Config(e.to_string().trim_end().to_owned());
        let recipe: Self = if overrides.is_empty() {
            toml::from_str(text).map_err(invalid)? // the error has the line
        } else {
            check_repetitions(overrides)?;
            let mut table: Table = toml::from_str(text).map_err(invalid)?;
            for assignment in overrides {
                assign(&mut table, assignment)?;
            }
            table.try_into().map_err(invalid)?
        };
        recipe.check()?;
        Ok(recipe)
    }

    /// The recipe as TOML, defaults written out.
    ///
    /// # Panics
    /// Never: every recipe can be written as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a recipe is a table of plain values")
    }

    fn check(&self) -> Result<()> {
        let erase = self.augment.erase;
        let probabilities = [
            ("augment.flip", self.augment.flip),
            (
                "augment.erase.probability",
                erase.map_or(0.0, |e| e.probability),
            ),
            ("targets.soft_labels", self.targets.soft_labels),
            ("teachers.share", self.teachers.share),
            ("targets.label_smoothing", self.targets.label_smoothing),
            ("network.dropout", self.network.dropout),
        ];
        let faults = [
            (self.epochs == 0, "epochs must be at least 1"),
            (self.batch_size == 0, "batch_size must be at least 1"),
            (
                self.train_on.contains(&Usage::PrivateTest),
                "train_on must not name the private rows, which are kept for the final measurement",
            ),
            (
                self.ema.is_some_and(|decay| !(0.0..1.0).contains(&decay)),
                "ema must be at least 0 and less than 1",
            ),
            (
                self.optimizer.learning_rate <= 0.0,
                "optimizer.learning_rate must be more than 0",
            ),
            (
                self.optimizer.sharpness_radius < 0.0,
                "optimizer.sharpness_radius must be at least 0",
            ),
            (
                erase.is_some_and(|e| e.from == 0 || e.from > e.to || e.to > FACE_SIDE),
                "augment.erase needs 1 ≤ from ≤ to ≤ 48",
            ),
            (
                self.augment.mixup.is_some_and(|mixup| mixup.alpha <= 0.0),
                "augment.mixup.alpha must be more than 0",
            ),
        ];
        let fault = faults.into_iter().find(|(wrong, _)| *wrong);
        let improbable = probabilities
            .into_iter()
            .find(|(_, p)| !(0.0..=1.0).contains(p));
        match (fault, improbable) {
            (Some((_, message)), _) => Err(Error::Config(message.to_owned())),
            (_, Some((key, p))) => {
                Err(Error::Config(format!("{key} must be from 0 to 1, not {p}")))
            }
            _ => Ok(()),
        }
    }
}

/// Checks that no override replaces an earlier one: the name of a run in a sweep would say both, and whoever wrote both
/// expects both to count. A part of a table that was set whole may be changed.
fn check_repetitions(overrides: &[String]) -> Result<()> {
    let split = |text: &String| {
        let (key, value) = text.split_once('=')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    let settings: Vec<_> = overrides.iter().filter_map(split).collect();
    for (index, (key, value)) in settings.iter().enumerate() {
        let replaced = settings[..index].iter().find(|(earlier, _)| {
            let rest = earlier.strip_prefix(key.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        if let Some((earlier, first)) = replaced {
            return Err(Error::Config(format!(
                "{earlier}={first} would be replaced by {key}={value}; set each key once"
            )));
        }
    }
    Ok(())
}

/// Sets `key=value` in a TOML table.
fn assign(table: &mut Table, assignment: &str) -> Result<()> {
    let Some((key, value)) = assignment.split_once('=') else {
        return Err(Error::Config(format!(
            "\"{assignment}\" is no setting; write key=value"
        )));
    };
    let value = value.trim();
    // Text that is not a TOML value counts as a string, so that the shell's quotes suffice.
    let value = toml::from_str::<Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| Value::String(value.to_owned()));
    let mut path: Vec<&str> = key.trim().split('.').collect();
    let last = path.pop().unwrap_or_default();
    let mut inner = table;
    for part in path {
        inner = inner
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| Error::Config(format!("{key}: {part} is not a table")))?;
    }
    inner.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::OptimizerKind;

    const TEXT: &str = r#"
        name = "small"
        epochs = 3
        [network]
        heads = [{ name = "fer2013", emotions = ["happy", "sad"] }]
        trunk = { kind = "residual", stem = 8, blocks = [{ width = 8 }] }
        [optimizer]
        learning_rate = 0.2
    "#;

    fn parse(overrides: &[&str]) -> Result<Recipe> {
        let overrides: Vec<String> = overrides.iter().map(|&o| o.to_owned()).collect();
        Recipe::parse(TEXT, &overrides)
    }

    #[test]
    fn overrides_set_values_at_every_depth() {
        let recipe = parse(&[
            "epochs=5",
            "optimizer.kind=adam",
            "augment.erase={probability=0.5, from=6, to=20}",
            "augment.erase.to=12",
        ])
        .unwrap();
        assert_eq!(recipe.epochs, 5);
        assert_eq!(recipe.optimizer.kind, OptimizerKind::Adam);
        assert_eq!(recipe.augment.erase.unwrap().to, 12);
        assert_eq!(Recipe::parse(&recipe.to_toml(), &[]).unwrap(), recipe);
    }

    #[test]
    fn an_override_that_replaces_another_one_is_refused() {
        for overrides in [
            ["epochs=5", "epochs=6"],
            ["optimizer.kind=adam", " optimizer.kind = sgd"],
            ["optimizer.kind=adam", "optimizer={ learning_rate = 0.1 }"],
        ] {
            let message = parse(&overrides).unwrap_err().to_string();
            assert!(message.contains("set each key once"), "{message}");
        }
        parse(&["optimizer={ learning_rate = 0.1 }", "optimizer.kind=adam"]).unwrap();
    }

    #[test]
    fn errors_name_the_faulty_setting() {
        for (change, hint) in [
            ("optimizer.learning_rat=1", "learning_rat"),
            ("optimizer.kind=sgdd", "sgdd"),
            ("epochs=0", "epochs"),
            ("train_on=['training', 'private']", "private"),
            ("train_on=['test']", "test"),
            ("augment.flip=1.5", "augment.flip"),
            ("name.x=1", "not a table"),
            ("epochs", "key=value"),
        ] {
            let message = parse(&[change]).unwrap_err().to_string();
            assert!(message.contains(hint), "{change}: {message}");
        }
    }

    /// The commands that make the shipped model.
    const SCRIPT: &str = include_str!("../../../models/train.sh");

    #[test]
    fn every_recipe_in_the_tree_is_valid_and_named_like_its_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/recipes");
        let mut names: Vec<String> = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let recipe = Recipe::load(&path, &[]).unwrap();
            assert_eq!(path.file_stem().unwrap(), recipe.name.as_str());
            for model in recipe.start.init.iter().chain(&recipe.teachers.models) {
                let run = model.parent().and_then(Path::file_name).unwrap();
                let run = run.to_str().unwrap();
                assert!(SCRIPT.contains(run), "models/train.sh does not make {run}");
            }
            names.push(recipe.name);
        }
        for name in names.iter().filter(|name| *name != "case-study") {
            assert!(
                SCRIPT.contains(name.as_str()),
                "models/train.sh skips {name}"
            );
        }
        assert!(names.len() > 8, "{names:?}");
    }
}
