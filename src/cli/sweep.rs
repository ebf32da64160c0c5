//! `fer-index sweep`: trains every combination of some settings and compares the runs.

use std::path::PathBuf;

use clap::Args;
use comfy_table::{Table, presets};

use super::Outcome;
use super::epochs::EpochProgress;
use super::stdout::Stdout;
use super::train::{RecipeArgs, run_folder};
use crate::error::{Error, Result};
use crate::output;
use fer_train::Recipe;
use fer_train::dataset::Dataset;
use fer_train::plots::{Plot, TrainingCurves, plot_files};
use fer_train::sweep::{SweepRun, Variation, joined, sweep};

/// Train every combination of some settings, and compare the runs in a table and in plots.
#[derive(Debug, Args)]
pub(super) struct SweepArgs {
    #[command(flatten)]
    source: RecipeArgs,
    /// A setting and the values to try, such as `optimizer.weight_decay=0.001,0.0005`; may be repeated.
    #[arg(long, required = true, value_name = "KEY=VALUE,…")]
    vary: Vec<Variation>,
    /// Folder of the runs and plots; by default runs/NAME, with the name of the recipe.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &SweepArgs, out: &mut Stdout) -> Result<Outcome> {
    let RecipeArgs { recipe, data, set } = &args.source;
    let base = Recipe::load(recipe, set)?;
    let dataset = Dataset::load(data)?;
    let folder = run_folder(args.out.as_deref(), &base.name);
    let varied = varied(&args.vary);
    let plot = |head: &str| folder.join(format!("accuracy-{head}-{varied}"));
    let loss = folder.join(format!("loss-{varied}"));
    let heads = base.network.heads.iter().map(|head| head.name.as_str());
    let heads: Vec<&str> = heads.collect();
    let stems = heads.iter().map(|head| plot(head)).chain([loss.clone()]);
    for file in stems.flat_map(|stem| plot_files(&stem)) {
        output::check(&file, "give another folder with --out")?;
    }
    let mut progress = EpochProgress::new(out);
    let runs = sweep(recipe, set, &args.vary, &dataset, &folder, &mut progress)?;
    out.line(table(&runs, &heads))?;
    let diverged = diverged(&runs);
    if runs.iter().all(|run| run.best.is_none()) {
        return Err(Error::Diverged(format!(
            "no run of the sweep has a finished epoch: {diverged}"
        )));
    }
    if !diverged.is_empty() {
        out.line(diverged)?;
    }
    let histories: Vec<_> = runs
        .iter()
        .filter(|run| run.best.is_some())
        .map(|run| (run.name(), run.history.as_slice()))
        .collect();
    TrainingCurves::loss(&histories).save(&loss)?;
    for head in heads {
        TrainingCurves::accuracy(&histories, head).save(&plot(head))?;
    }
    out.line(format_args!(
        "the runs are in {}, the plots in …-{varied}.svg and .png there",
        folder.display()
    ))?;
    Ok(Outcome::Found)
}

/// Which runs diverged, and why; empty if none did.
fn diverged(runs: &[SweepRun]) -> String {
    let sentences: Vec<String> = runs
        .iter()
        .filter_map(|run| {
            Some(format!(
                "{} diverged: {}",
                run.name(),
                run.diverged.as_ref()?
            ))
        })
        .collect();
    sentences.join("\n")
}

/// The end of the names of the plots: the keys that vary. A run in the same folder and a sweep of other keys have plots of
/// their own.
fn varied(variations: &[Variation]) -> String {
    let variations = joined(variations);
    let keys: Vec<&str> = variations.iter().map(|v| v.key.as_str()).collect();
    format!("by-{}", keys.join("-").replace('/', "_"))
}

/// A row for each run: its settings, the loss and accuracies of its best epoch, and its accuracy at the end.
fn table(runs: &[SweepRun], heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let mut header = vec!["run".to_owned(), "epoch".to_owned()];
    header.extend(["train loss".to_owned(), "validation loss".to_owned()]);
    for head in heads {
        header.extend([
            format!("train {head}"),
            format!("validation {head}"),
            format!("at the end {head}"),
        ]);
    }
    table.set_header(header);
    for run in runs {
        let Some(best) = &run.best else {
            table.add_row([run.name(), "diverged".to_owned()]);
            continue;
        };
        let mut cells = vec![
            run.name(),
            if run.diverged.is_some() {
                format!("{}, then diverged", best.epoch)
            } else {
                best.epoch.to_string()
            },
            format!("{:.3}", best.train.loss),
            format!("{:.3}", best.validation.loss),
        ];
        for head in heads {
            let last = run.history.last().map(|last| &last.validation);
            for metrics in [Some(&best.train), Some(&best.validation), last] {
                let metrics = metrics.unwrap_or(&best.validation);
                let accuracy = metrics.accuracy.get(*head).copied().unwrap_or_default();
                cells.push(format!("{:.1} %", 100.0 * accuracy));
            }
        }
        table.add_row(cells);
    }
    table
}
