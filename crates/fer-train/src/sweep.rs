//! Hyperparameter sweeps: one run for every combination of some settings.

use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use super::dataset::Dataset;
use super::fit::{Run, TrainingObserver};
use super::metrics::EpochMetrics;
use super::recipe::Recipe;
use fer_core::error::{Error, Result};

/// A setting of a recipe with the values to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variation {
    /// The setting's dotted key.
    pub key: String,
    /// The values, as TOML.
    pub values: Vec<String>,
}

/// The error for a variation that is not written `key=value,value`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no variation; write key=value,value,…")]
pub struct BadVariation(String);

impl FromStr for Variation {
    type Err = BadVariation;

    /// Splits values at commas outside of brackets and braces.
    fn from_str(text: &str) -> Result<Self, BadVariation> {
        let bad = || BadVariation(text.to_owned());
        let (key, list) = text.split_once('=').ok_or_else(bad)?;
        let mut depth = 0i32;
        let values: Vec<String> = list
            .split(|c| {
                depth += i32::from(matches!(c, '[' | '{')) - i32::from(matches!(c, ']' | '}'));
                c == ',' && depth == 0
            })
            .map(|value| value.trim().to_owned())
            .collect();
        if key.trim().is_empty() || values.iter().any(String::is_empty) {
            return Err(bad());
        }
        Ok(Self {
            key: key.trim().to_owned(),
            values,
        })
    }
}

/// One run of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepRun {
    /// The varied settings as `key=value`; they also name the run's folder.
    pub settings: Vec<String>,
    /// The metrics of every epoch.
    pub history: Vec<EpochMetrics>,
    /// The metrics of the best epoch.
    pub best: Option<EpochMetrics>,
    /// Why it ended before its last epoch, if its loss was not finite any more.
    pub diverged: Option<String>,
}

impl SweepRun {
    /// The settings, separated by spaces.
    pub fn name(&self) -> String {
        name(&self.settings)
    }
}

fn name(settings: &[String]) -> String {
    settings.join(" ")
}

/// The variations with the values of a repeated key joined, as repeated filters of a query are: each of them is tried.
pub fn joined(variations: &[Variation]) -> Vec<Variation> {
    let mut joined: Vec<Variation> = Vec::new();
    for variation in variations {
        match joined.iter_mut().find(|other| other.key == variation.key) {
            Some(first) => first.values.extend(variation.values.iter().cloned()),
            None => joined.push(variation.clone()),
        }
    }
    joined
}

/// Every combination of values, as overrides of a recipe; the last variation varies fastest.
pub fn combinations(variations: &[Variation]) -> Vec<Vec<String>> {
    variations
        .iter()
        .fold(vec![Vec::new()], |combinations, variation| {
            let longer = |settings: &Vec<String>, value: &String| {
                let setting = format!("{}={value}", variation.key);
                settings.iter().cloned().chain([setting]).collect()
            };
            combinations
                .iter()
                .flat_map(|settings| variation.values.iter().map(|v| longer(settings, v)))
                .collect()
        })
}

/// Trains a run for every combination, each in its own folder below `folder`; a run that is already
/// finished there is not trained again. The values of a repeated key are joined.
///
/// # Errors
/// If a combination is not a valid recipe, or two are the same (checked before any training), or a run fails other than by
/// diverging.
pub fn sweep(
    recipe: &Path,
    overrides: &[String],
    variations: &[Variation],
    dataset: &Dataset,
    folder: &Path,
    observer: &mut dyn TrainingObserver,
) -> Result<Vec<SweepRun>> {
    let planned = combinations(&joined(variations))
        .into_iter()
        .map(|settings| {
            let overrides = [overrides, &settings].concat();
            Ok((Recipe::load(recipe, &overrides)?, settings))
        })
        .collect::<Result<Vec<_>>>()?;
    check_differences(&planned)?;
    let mut runs = Vec::with_capacity(planned.len());
    for (recipe, settings) in &planned {
        let name = name(settings);
        observer.run_started(&name, planned.len());
        let mut run = Run::new(recipe, dataset, &folder.join(folder_name(settings)))?;
        // A sweep is there to find such values, too.
        let diverged = match run.fit(observer) {
            Ok(()) => None,
            Err(Error::Diverged(why)) => Some(why),
            Err(error) => return Err(error),
        };
        runs.push(SweepRun {
            settings: settings.clone(),
            history: run.history().to_vec(),
            best: run.best().cloned(),
            diverged,
        });
    }
    Ok(runs)
}

/// The name of the folder of a run.
fn folder_name(settings: &[String]) -> String {
    name(settings).replace('/', "_")
}

/// Checks that no run is trained twice, such as for 0.002 and 0.0020, and that no two runs share a folder.
fn check_differences(planned: &[(Recipe, Vec<String>)]) -> Result<()> {
    for (index, (recipe, settings)) in planned.iter().enumerate() {
        let same = planned[..index].iter().find(|(other, others)| {
            other == recipe || folder_name(others) == folder_name(settings)
        });
        if let Some((_, others)) = same {
            return Err(Error::Usage(format!(
                "the sweep would train \"{}\" and \"{}\" as one run; give each value once",
                name(others),
                name(settings)
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{RECIPE, signal};

    fn variation(text: &str) -> Variation {
        text.parse().unwrap()
    }

    #[test]
    fn combinations_cover_every_value_in_order() {
        let variations = [variation("a.b=1,2"), variation("c=[1,2],{x=1, y=2}")];
        assert_eq!(
            combinations(&variations),
            [
                ["a.b=1", "c=[1,2]"],
                ["a.b=1", "c={x=1, y=2}"],
                ["a.b=2", "c=[1,2]"],
                ["a.b=2", "c={x=1, y=2}"],
            ]
        );
        assert_eq!(combinations(&[]), [Vec::<String>::new()]);
    }

    #[test]
    fn a_variation_needs_a_key_and_values() {
        for text in ["a", "=1", "a=", "a=1,,2"] {
            assert!(text.parse::<Variation>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_values_of_a_repeated_key_are_joined() {
        let variations = ["a=1", "b=3,4", "a=2"].map(variation);
        let names: Vec<String> = combinations(&joined(&variations))
            .iter()
            .map(|settings| name(settings))
            .collect();
        assert_eq!(names, ["a=1 b=3", "a=1 b=4", "a=2 b=3", "a=2 b=4"]);
    }

    #[test]
    fn a_setting_that_would_be_without_effect_is_refused_before_any_training() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recipe.toml");
        std::fs::write(&path, RECIPE).unwrap();
        let dataset = signal(60);
        let without_effect: [&[&str]; 5] = [
            &["seed=1,1"],
            &["optimizer.weight_decay=0.002,0.0020"],
            &["seed=1", "seed=1"],
            &["epochs=1,2"],
            &["seed=1", "name=a/b,a_b"],
        ];
        for vary in without_effect {
            let vary: Vec<Variation> = vary.iter().map(|text| variation(text)).collect();
            let runs = folder.path().join("runs");
            let set = ["epochs=1".to_owned()];
            let refusal = sweep(&path, &set, &vary, &dataset, &runs, &mut ()).unwrap_err();
            assert!(refusal.to_string().contains("once"), "{refusal}");
            assert!(!runs.exists());
        }
    }

    /// Counts the trained epochs.
    struct Count(usize);

    impl TrainingObserver for Count {
        fn epoch_started(&mut self, _: usize, _: usize, _: usize) {
            self.0 += 1;
        }
    }

    #[test]
    fn a_repeated_sweep_does_not_train_finished_runs_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recipe.toml");
        std::fs::write(&path, RECIPE).unwrap();
        let (dataset, mut count) = (signal(60), Count(0));
        let mut train = |vary: &[Variation]| {
            let overrides = ["epochs=1".to_owned()];
            sweep(&path, &overrides, vary, &dataset, folder.path(), &mut count)
        };
        let vary = [variation("optimizer.weight_decay=0.01,0.001")];
        let runs = train(&vary).unwrap();
        let names: Vec<String> = runs.iter().map(SweepRun::name).collect();
        assert_eq!(
            names,
            [
                "optimizer.weight_decay=0.01",
                "optimizer.weight_decay=0.001"
            ]
        );
        assert!(runs.iter().all(|run| run.best.is_some()));
        assert_eq!(train(&vary).unwrap(), runs);
        assert!(train(&[variation("optimizer.wait=1")]).is_err());
        assert_eq!(count.0, 2, "the second sweep trains nothing");
    }
}
