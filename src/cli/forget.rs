//! `fer-index forget`: removes every trace of photos or of a person's name, and keeps it from coming back.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;
use serde_json::json;

use super::context::Context;
use super::index::count;
use super::json::JsonPath;
use super::learn;
use super::stdout::Stdout;
use super::{Outcome, resolve};
use crate::error::{Error, Result};
use crate::imaging::Thumbnails;
use crate::names::FileKind;
use crate::pipeline::{Unmet, unmet};
use crate::store::{Removed, RemovedLost, RemovedNames, Root, Store};

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct ForgetArgs {
    /// A folder, or a photo with all its copies, whatever their metadata
    #[arg(
        value_name = "DIR|PHOTO",
        value_hint = ValueHint::AnyPath,
        required_unless_present_any = ["person", "lost"]
    )]
    path: Option<PathBuf>,
    /// A person: the name is removed, with the regions that it names; the photos stay
    #[arg(long, value_name = "NAME", conflicts_with = "path")]
    person: Option<String>,
    /// What is kept of photos that are no longer there: their corrections, with the pictures of their faces. Not while there
    /// are files that `fer-index index` has not met yet: photos that were moved may be among them
    #[arg(long, conflicts_with_all = ["path", "person", "undo"])]
    lost: bool,
    /// Also while there are files that the index has not met, or folders that cannot be read now
    #[arg(long, requires = "lost")]
    force: bool,
    /// Index it again from now on; corrections do not come back
    #[arg(long)]
    undo: bool,
    /// Print what would be removed, and change nothing
    #[arg(long, conflicts_with = "undo")]
    dry_run: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ForgetArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let mut store = Store::open_existing(&context.config().database)?;
    if let Some(name) = &args.person {
        return person(args, &mut store, name, out);
    }
    if args.lost {
        return lost(args, &mut store, context, out);
    }
    let typed = args.path.clone().unwrap_or_default();
    let (path, is_known) = match store.find_path(&typed)? {
        Some(path) => (path, true),
        None => match store.find_lost_path(&typed)? {
            Some(path) => (path, true),
            None => (resolve(typed)?, false),
        },
    };
    if args.undo {
        return undo(args, &mut store, &path, out);
    }
    let is_root = |root: &Root| root.path.starts_with(&path);
    if !is_known && path.symlink_metadata().is_err() && !store.roots()?.iter().any(is_root) {
        return Err(Error::Usage(format!(
            "there is no {}, neither on the disk nor in the index; write the path as fer-index status or query \
             prints it",
            path.display()
        )));
    }
    if args.dry_run {
        let removed = store.would_forget(&path)?;
        report(args, &path, &removed, None, out)?;
        return Ok(warn_if_nothing(&path, &removed, Outcome::Found));
    }
    let removed = store.forget_for_good(&path)?;
    let is_clean = clean(&mut store, context);
    report(args, &path, &removed, Some(is_clean), out)?;
    let outcome = cleaned(is_clean);
    if removed.roots > 0 {
        return Ok(outcome);
    }
    Ok(warn_if_nothing(&path, &removed, outcome))
}

/// Removes everything that depended on what was removed, and the bytes of it ([`rewrite`]). Returns whether nothing of it is
/// left; warns otherwise, since what was removed is reported in any case.
fn clean(store: &mut Store, context: &Context) -> bool {
    // The personal layer is fitted again without the corrections that were removed.
    let followed = learn::follow(store, context);
    let is_clean = rewrite(store);
    let known = |hash: &_| store.photo_by_hash(hash).map(|photo| photo.is_some());
    let retained = Thumbnails::new(context.config().thumbnails.clone()).retain(known);
    if let Err(error) = followed.and(retained) {
        tracing::warn!("not everything follows what was removed: {error}; run the command again");
        return false;
    }
    is_clean
}

/// Rewrites the database without the bytes of what was removed ([`Store::clean`]). Returns whether that succeeded; warns
/// otherwise.
fn rewrite(store: &mut Store) -> bool {
    match store.clean() {
        Ok(true) => return true,
        Ok(false) => tracing::warn!(
            "another process is reading the database, so parts of what was removed are still in {}-wal; run the command \
             again",
            store.path().display()
        ),
        Err(error) => tracing::warn!(
            "what was removed is no longer found, but parts of it are still in the file {}, which could not be rewritten: \
             {error}; run the same command again then",
            store.path().display()
        ),
    }
    false
}

/// Forgets what is kept of photos without files.
fn lost(
    args: &ForgetArgs,
    store: &mut Store,
    context: &Context,
    out: &mut Stdout,
) -> Result<Outcome> {
    if !args.force
        && let Some(unmet) = unmet(
            store,
            &context.models()?,
            &context.filter()?,
            context.limits(),
        )?
    {
        let why = why_not_lost(&unmet);
        if !args.dry_run {
            return Err(Error::Usage(why));
        }
        tracing::warn!("{why}");
    }
    let (removed, is_clean) = if args.dry_run {
        (store.would_forget_lost()?, None)
    } else {
        let removed = store.forget_lost()?;
        (removed, Some(clean(store, context)))
    };
    if args.json {
        out.json(&json!({
            "photos": removed.photos, "corrections": removed.corrections,
            "paths": removed.paths.iter().map(|path| JsonPath::of(path)).collect::<Vec<_>>(),
            "clean": is_clean, "dry_run": args.dry_run,
        }))?;
    } else {
        let what = format!(
            "{} and {} without a file",
            count(removed.photos, "photo"),
            count(removed.corrections, "correction"),
        );
        if args.dry_run {
            out.line(format_args!(
                "{what} would be removed from the index; a photo that was moved is there again after fer-index index"
            ))?;
        } else {
            out.line(format_args!(
                "{what} were removed from the index; photos that come back are indexed without corrections"
            ))?;
        }
        list("Where they were:", &removed.paths, out)?;
    }
    let is_nothing = removed == RemovedLost::default();
    Ok(match is_clean {
        Some(false) => cleaned(false),
        _ if is_nothing => Outcome::Nothing,
        _ => Outcome::Found,
    })
}

/// Why what is kept of photos without files may be that of photos which have one.
fn why_not_lost(unmet: &Unmet) -> String {
    match unmet {
        Unmet::File(path) => format!(
            "the index has not met {} yet, and such a file may be a photo that was moved, whose corrections would be lost; run \
             fer-index index first, or remove them with --force",
            path.display()
        ),
        Unmet::Folder(path) => format!(
            "{} cannot be read now, and photos that were moved may be there, whose corrections would be lost; run fer-index \
             index when it is there, or forget the folder if it is gone for good, or remove them with --force",
            path.display()
        ),
    }
}

/// Warns if the index had nothing of a path and no photo is there, which then is most likely not the path that was meant:
/// who forgets something must not take it for gone. Otherwise the outcome stays as it is.
fn warn_if_nothing(path: &Path, removed: &Removed, outcome: Outcome) -> Outcome {
    let counts = [
        removed.files,
        removed.photos,
        removed.corrections,
        removed.lost_paths,
    ];
    let is_nothing = counts.iter().all(|count| *count == 0);
    if outcome != Outcome::Found || !is_nothing || holds_photos(path) {
        return outcome;
    }
    tracing::warn!(
        "nothing of {} is in the index, and no photo is there; if others were meant, name their folder as fer-index \
         query prints it",
        path.display()
    );
    Outcome::Nothing
}

/// Whether a path is that of a file that may be a photo, or of a folder with photos in it, by their names.
fn holds_photos(path: &Path) -> bool {
    if path.is_file() {
        return FileKind::of(path).may_be_photo();
    }
    let entries = walkdir::WalkDir::new(path).follow_links(true);
    let mut entries = entries.into_iter().flatten();
    entries
        .any(|entry| entry.file_type().is_file() && FileKind::of(entry.path()) == FileKind::Picture)
}

/// What was removed of a folder or photo.
#[derive(Debug, Serialize)]
struct JsonRemoved {
    #[serde(flatten)]
    path: JsonPath,
    photos: u64,
    files: u64,
    corrections: u64,
    copies: Vec<JsonPath>,
    stay: Vec<JsonPath>,
    clean: Option<bool>,
    dry_run: bool,
}

/// Whether a folder or photo was allowed again.
#[derive(Debug, Serialize)]
struct JsonAllowed {
    #[serde(flatten)]
    path: JsonPath,
    allowed: bool,
}

/// Prints what was removed of a folder or photo.
fn report(
    args: &ForgetArgs,
    path: &Path,
    removed: &Removed,
    is_clean: Option<bool>,
    out: &mut Stdout,
) -> Result<()> {
    if args.json {
        return out.json(&JsonRemoved {
            path: JsonPath::of(path),
            photos: removed.photos,
            files: removed.files,
            corrections: removed.corrections,
            copies: removed
                .copies
                .iter()
                .map(|path| JsonPath::of(path))
                .collect(),
            stay: removed.stay.iter().map(|path| JsonPath::of(path)).collect(),
            clean: is_clean,
            dry_run: args.dry_run,
        });
    }
    let what = format!(
        "{} in {} and {}",
        count(removed.photos, "photo"),
        count(removed.files, "file"),
        count(removed.corrections, "correction"),
    );
    let path = path.display();
    if args.dry_run {
        out.line(format_args!(
            "{what} would be removed from the index; {path} would not be indexed again"
        ))?;
        return list_others(removed, out);
    }
    out.line(format_args!(
        "{what} were removed from the index; {path} will not be indexed again, unless fer-index forget --undo \
         allows it"
    ))?;
    list_others(removed, out)?;
    out.line("The photos themselves are unchanged, as are sidecars, contact sheets, backups and other files that you made")
}

/// Lists the files elsewhere that show the same pictures.
fn list_others(removed: &Removed, out: &mut Stdout) -> Result<()> {
    let lists = [
        (
            "Files with the same picture, which go with it:",
            &removed.copies,
        ),
        (
            "Files elsewhere with the same pictures, which stay:",
            &removed.stay,
        ),
    ];
    for (heading, paths) in lists {
        list(heading, paths, out)?;
    }
    Ok(())
}

/// Lists paths, if there are any, below a heading.
fn list(heading: &str, paths: &[PathBuf], out: &mut Stdout) -> Result<()> {
    if !paths.is_empty() {
        out.line(heading)?;
    }
    for path in paths {
        out.line(format_args!("  {}", path.display()))?;
    }
    Ok(())
}

fn undo(args: &ForgetArgs, store: &mut Store, path: &Path, out: &mut Stdout) -> Result<Outcome> {
    let allowed = store.allow_again(path)?;
    if args.json {
        let path = JsonPath::of(path);
        out.json(&JsonAllowed { path, allowed })?;
    }
    if allowed {
        if !args.json {
            out.line(format_args!(
                "{} may be indexed again; fer-index index {0} does it",
                path.display()
            ))?;
        }
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

/// Forgets the name of a person, or allows it again.
fn person(args: &ForgetArgs, store: &mut Store, name: &str, out: &mut Stdout) -> Result<Outcome> {
    if args.undo {
        let allowed = store.allow_person(name)?;
        if args.json {
            out.json(&json!({"person": name, "allowed": allowed}))?;
        } else if allowed {
            out.line(format_args!(
                "{name} may be stored again; the next fer-index index reads the metadata of all photos anew"
            ))?;
        }
        if allowed {
            return Ok(Outcome::Found);
        }
        tracing::warn!("{name} was not forgotten");
        return Ok(Outcome::Nothing);
    }
    if args.dry_run {
        let removed = store.would_forget_person(name)?;
        report_person(args, name, &removed, None, out)?;
        return Ok(Outcome::Found);
    }
    let removed = store.forget_person(name)?;
    let is_clean = rewrite(store);
    report_person(args, name, &removed, Some(is_clean), out)?;
    Ok(cleaned(is_clean))
}

/// Prints what was removed of a person.
fn report_person(
    args: &ForgetArgs,
    name: &str,
    removed: &RemovedNames,
    is_clean: Option<bool>,
    out: &mut Stdout,
) -> Result<()> {
    if args.json {
        return out.json(&json!({
            "person": name, "photos": removed.photos, "names": removed.people, "keywords": removed.keywords,
            "texts": removed.texts, "files": removed.files, "others": removed.others,
            "clean": is_clean, "dry_run": args.dry_run,
        }));
    }
    let what = format!(
        "{name} in {}: {}, {} and {}",
        count(removed.photos, "photo"),
        count(removed.people, "name"),
        count(removed.keywords, "keyword"),
        count(removed.texts, "text")
    );
    if args.dry_run {
        out.line(format_args!("Would be removed: {what}"))?;
    } else {
        out.line(format_args!("Removed: {what}"))?;
        out.line(
            "The name will not be stored again, unless fer-index forget --undo allows it; the photos stay in the \
             index, and they and their sidecars are unchanged, as are backups and other files that you made",
        )?;
    }
    if removed.files > 0 {
        out.line(format_args!(
            "It stays in the paths of {}: rename them or their folders",
            count(removed.files, "file")
        ))?;
    }
    if !removed.others.is_empty() {
        out.line(format_args!(
            "Other people stay, with longer names: {}",
            removed.others.join(", ")
        ))?;
    }
    Ok(())
}

/// The outcome of a command after which nothing of what was removed is left, or some of it.
const fn cleaned(is_clean: bool) -> Outcome {
    if is_clean {
        Outcome::Found
    } else {
        Outcome::PartialFailure
    }
}
