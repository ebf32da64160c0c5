//! `fer-index backup` and `restore`: copies of the database.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::Outcome;
use super::context::Context;
use super::index::count;
use super::index_lock::IndexLock;
use super::stdout::Stdout;
use crate::error::{Error, Result};
use crate::file::database_companion;
use crate::lock::{ProcessLock, Unavailable, in_brackets};
use crate::output;
use crate::store::{Contents, ForgottenAgain, Store};

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// A file that `fer-index backup` has written
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

pub(super) fn backup(args: &BackupArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let store = Store::open_existing(&context.config().database)?;
    if args.file.as_os_str() == "-" {
        return Err(Error::Usage(
            "a backup cannot be written to standard output; name a file".into(),
        ));
    }
    if args.file.to_str().is_none() {
        return Err(Error::Usage(format!(
            "{} is not UTF-8, and SQLite cannot write a copy there; name another file",
            args.file.display()
        )));
    }
    let contents = output::write_private(&args.file, |draft| store.back_up(draft))?;
    out.line(format_args!(
        "{} are in {}, which only you can read",
        sentence(contents),
        args.file.display()
    ))?;
    Ok(Outcome::Found)
}

pub(super) fn restore(args: &RestoreArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let database = &context.config().database;
    if !args.file.is_file() || database.parent().is_none_or(|folder| !folder.is_dir()) {
        // Checked before the lock files are made. The store makes the folder.
        return print(&Store::restore(database, &args.file)?, &args.file, out);
    }
    let _daemon = lock_out_daemon(database)?;
    let _run = IndexLock::take(database)?;
    print(&Store::restore(database, &args.file)?, &args.file, out)
}

fn print(restored: &crate::store::Restored, from: &Path, out: &mut Stdout) -> Result<Outcome> {
    out.line(format_args!(
        "{} were restored from {}; fer-index index adds what has changed since",
        sentence(restored.contents),
        from.display()
    ))?;
    match &restored.forgotten {
        Some(forgotten) if *forgotten != ForgottenAgain::default() => out.line(format_args!(
            "What has been forgotten since stays forgotten: {} and the people named in {} were removed",
            count(forgotten.files, "file"),
            count(forgotten.named, "photo")
        ))?,
        Some(_) => {}
        None => tracing::warn!(
            "the database that was replaced does not say what was forgotten, so that may be back; forget it \
             again with fer-index forget"
        ),
    }
    if let Some(kept) = &restored.kept {
        out.line(format_args!(
            "The database that was replaced is kept as {}",
            kept.display()
        ))?;
    }
    Ok(Outcome::Found)
}

/// The contents of a copy in words: `12 photos and 1 correction`.
fn sentence(contents: Contents) -> String {
    let photos = count(contents.photos, "photo");
    format!("{photos} and {}", count(contents.corrections, "correction"))
}

/// Takes the daemon's lock, so that no daemon runs or starts meanwhile.
pub(super) fn lock_out_daemon(database: &Path) -> Result<ProcessLock> {
    let path = database_companion(database, "lock");
    match ProcessLock::take(&path, "which replaces the database")? {
        Ok(lock) => Ok(lock),
        Err(Unavailable::Held(holder)) => Err(Error::Usage(format!(
            "a daemon{} runs for {}; stop it first, by systemctl --user stop fer-index or by Ctrl-C where \
             fer-index watch runs",
            in_brackets(holder.as_deref()),
            database.display()
        ))),
        Err(Unavailable::Foreign) => Err(Error::Usage(format!(
            "{} is not the lock file of a daemon, which belongs there; move it, or name another database with \
             --database",
            path.display()
        ))),
    }
}
