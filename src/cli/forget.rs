//! `fer-index forget`: removes every trace of photos, and keeps them from coming back.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::context::Context;
use super::index::count;
use super::stdout::Stdout;
use super::{Outcome, resolve};
use crate::error::{Error, Result};
use crate::imaging::Thumbnails;
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct ForgetArgs {
    /// A folder, or a photo with all its copies
    #[arg(value_name = "DIR|PHOTO", value_hint = ValueHint::AnyPath)]
    path: PathBuf,
    /// Index it again from now on; corrections do not come back
    #[arg(long)]
    undo: bool,
}

pub(super) fn run(args: &ForgetArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let config = context.config();
    let mut store = Store::open_existing(&config.database)?;
    let path = match store.find_path(&args.path)? {
        Some(path) => path,
        None => resolve(args.path.clone())?,
    };
    if args.undo {
        return undo(&mut store, &path, out);
    }
    let is_root = |root: &crate::store::Root| root.path.starts_with(&path);
    if store.find_path(&path)?.is_none()
        && path.symlink_metadata().is_err()
        && !store.roots()?.iter().any(is_root)
    {
        return Err(Error::Usage(format!(
            "there is no {}, neither on the disk nor in the index; write the path as fer-index status or query \
             prints it",
            path.display()
        )));
    }
    let removed = store.forget_for_good(&path)?;
    let is_clean = store.clean()?;
    let known = |hash: &_| store.photo_by_hash(hash).map(|photo| photo.is_some());
    Thumbnails::new(config.thumbnails.clone()).retain(known)?;
    out.line(format_args!(
        "{} in {} and {} were removed from the index; {} will not be indexed again, unless fer-index forget --undo \
         allows it",
        count(removed.photos, "photo"),
        count(removed.files, "file"),
        count(removed.corrections, "correction"),
        path.display()
    ))?;
    out.line("The photos themselves are unchanged, as are sidecars, contact sheets, backups and other files that you made")?;
    if !is_clean {
        tracing::warn!(
            "another process is reading the database, so that parts of it are still in {}-wal; run the command again",
            config.database.display()
        );
        return Ok(Outcome::PartialFailure);
    }
    Ok(Outcome::Found)
}

fn undo(store: &mut Store, path: &Path, out: &mut Stdout) -> Result<Outcome> {
    if store.allow_again(path)? {
        out.line(format_args!(
            "{} may be indexed again; fer-index index {0} does it",
            path.display()
        ))?;
        return Ok(Outcome::Found);
    }
    let folder = path.parent().unwrap_or(path);
    if store.is_forgotten(folder)? {
        return Err(Error::Usage(format!(
            "{} lies in a folder that was forgotten; name that folder",
            path.display()
        )));
    }
    tracing::warn!("{} was not forgotten", path.display());
    Ok(Outcome::Nothing)
}
