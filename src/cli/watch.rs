//! `fer-index watch`: runs the daemon in the foreground.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::context::Context;
use super::{GlobalArgs, Outcome, resolve};
use crate::album::resolve_root;
use crate::daemon::{self, Setup};
use crate::error::{Error, Result};
use crate::store::{FactRules, Store};

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// Folders to watch [default: the setting album.roots, initially ~/Pictures]
    #[arg(value_name = "DIR")]
    roots: Vec<PathBuf>,
}

pub(super) fn run(args: &WatchArgs, context: &Context, global: GlobalArgs) -> Result<Outcome> {
    let database = context.config().database.clone();
    let mut roots = Vec::new();
    for root in &args.roots {
        if root.is_file() {
            return Err(Error::Usage(format!(
                "{} is a file; name the folder that contains it",
                root.display()
            )));
        }
        roots.push(given_root(root, &database)?);
    }
    let settings = move || setup(&Context::new(global.clone())?, &roots);
    daemon::run(&database, Box::new(settings))?;
    Ok(Outcome::Found)
}

/// The absolute path of a folder named on the command line. The folder must exist or be in the index, since its disk may be
/// unplugged.
fn given_root(root: &Path, database: &Path) -> Result<PathBuf> {
    if let Err(error) = resolve_root(root) {
        let path = resolve(root.to_owned())?;
        let found = Store::open_existing(database).and_then(|store| store.find_path(&path));
        if !found.is_ok_and(|found| found == Some(path)) {
            return Err(error);
        }
    }
    absolute(root)
}

fn setup(context: &Context, roots: &[PathBuf]) -> Result<Setup> {
    let config = context.config();
    let watch = &config.watch;
    let roots = if roots.is_empty() {
        config
            .album
            .roots
            .iter()
            .map(|root| absolute(root))
            .collect::<Result<_>>()?
    } else {
        roots.to_vec()
    };
    let loader = context.clone();
    Ok(Setup {
        database: config.database.clone(),
        roots,
        filter: context.filter()?,
        threads: context.threads(),
        max_watches: watch.max_watches,
        debounce: Duration::from_secs_f64(watch.settle_seconds),
        rescan: Duration::from_secs_f64(watch.rescan_seconds),
        poll: Duration::from_secs_f64(watch.poll_seconds),
        keep: Duration::from_secs_f64(watch.keep_days * 86_400.0),
        facts: FactRules::from(&config.facts),
        models: context.models()?,
        load: Box::new(move || loader.analyser()),
    })
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}
