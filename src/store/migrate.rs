//! Migrates the schema to the current version by running the files of `migrations/`, each once and
//! in order.

use std::path::Path;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, TransactionBehavior};

use jiff::tz::Offset;

use crate::error::{Error, Result};
use crate::facts::Statements;
use crate::photo::{Capture, DateSource, GeoPoint, Precision, TakenAt};

use super::codec::from_civil_ms;
use super::path::{decode, encode};
use super::shots::Shot;
use super::{derived, explain, words};

/// All migrations; the schema's version is the number of migrations that have run.
pub(super) const MIGRATIONS: &[&str] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// "FERI": the `PRAGMA application_id` that marks a database as one of fer-index.
const APPLICATION_ID: i64 = 0x4645_5249;

/// Runs the migrations that the database at `path` lacks, in one exclusive transaction.
///
/// # Errors
/// If the database belongs to another program, has a newer schema, or cannot be written; in these
/// cases it is unchanged.
pub(super) fn run(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<()> {
    let latest = migrations.len();
    let explain = |error| explain::sentence(path, error);
    // Both values are read from one snapshot: between two reads another process may commit, and the
    // values would not belong together.
    let snapshot = connection.transaction().map_err(explain)?;
    let found = version(&snapshot, path, latest)?;
    snapshot.finish().map_err(explain)?;
    if found == latest {
        return Ok(());
    }
    add_functions(connection).map_err(explain)?;
    // Foreign keys are off, since a migration may rebuild a table that others refer to; the check
    // below makes up for it. The setting cannot be changed within a transaction.
    connection
        .pragma_update(None, "foreign_keys", false)
        .map_err(explain)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Exclusive)
        .map_err(explain)?;
    // Read again, since another process may have migrated the database meanwhile.
    let from = version(&transaction, path, latest)?;
    let apply = || {
        for migration in &migrations[from..] {
            transaction.execute_batch(migration)?;
        }
        // The statements that derive rows are those of the current schema.
        if latest == MIGRATIONS.len() {
            derived::update(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", latest as i64)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.prepare("PRAGMA foreign_key_check")?.exists([])
    };
    if apply().map_err(explain)? {
        return Err(Error::store(
            path,
            format!(
                "the database {} has rows that refer to missing rows, and was left unchanged; move it away \
             and run `fer-index index` to build it anew from the photos",
                path.display()
            ),
        ));
    }
    transaction.commit().map_err(explain)?;
    if from < latest {
        tracing::info!(from, to = latest, "database schema brought up to date");
    }
    Ok(())
}

/// Adds the SQL functions that migrations use, for what SQL cannot read: stored paths, which are blobs, and statements,
/// which are JSON.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_UTF8;
    let path = |context: &Context<'_>| {
        context
            .get_raw(0)
            .as_blob()
            .map(decode)
            .map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
    };
    connection.create_scalar_function("folder_of", 1, flags, move |context| {
        Ok(path(context)?.parent().map(encode))
    })?;
    connection.create_scalar_function("words_of", 1, flags, move |context| {
        Ok(words::of_path(&path(context)?))
    })?;
    // When and with what camera a photo was taken, by the EXIF data in its content.
    let shot = |context: &Context<'_>| {
        let statements: Option<String> = context.get(0)?;
        Ok::<_, rusqlite::Error>(statements.as_deref().and_then(Shot::of_json))
    };
    connection.create_scalar_function("exif_local_of", 1, flags, move |context| {
        Ok(shot(context)?.map(|shot| shot.local))
    })?;
    connection.create_scalar_function("exif_camera_of", 1, flags, move |context| {
        Ok(shot(context)?.and_then(|shot| shot.camera))
    })?;
    // Converts the facts that an older index had of a photo to statements of its content.
    connection.create_scalar_function("facts_of", 9, flags, |context| {
        let local: Option<i64> = context.get(0)?;
        let offset: Option<i32> = context.get(1)?;
        let source: Option<String> = context.get(2)?;
        let source = source.as_deref().and_then(DateSource::from_name);
        let taken = local.and_then(from_civil_ms).zip(source);
        let (latitude, longitude): (Option<f64>, Option<f64>) = (context.get(3)?, context.get(4)?);
        let keywords: Option<String> = context.get(8)?;
        let capture = Capture {
            taken_at: taken.map(|(local, source)| TakenAt {
                local,
                offset: offset.and_then(|seconds| Offset::from_seconds(seconds).ok()),
                precision: Precision::Second,
                source,
            }),
            position: latitude
                .zip(longitude)
                .map(|(latitude, longitude)| GeoPoint {
                    latitude,
                    longitude,
                }),
            camera: context.get(5)?,
            lens: context.get(6)?,
            description: context.get(7)?,
            keywords: keywords
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
            ..Capture::default()
        };
        let statements = Statements {
            version: 0, // so that the next run reads the metadata anew
            ..Statements::from(&capture)
        };
        Ok(statements.to_json())
    })
}

/// Checks, without changing the database, that this program can work with it.
///
/// # Errors
/// If it belongs to another program, is empty, or has a newer schema.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<()> {
    if version(connection, path, MIGRATIONS.len())? == 0 {
        return Err(Error::store(
            path,
            format!(
                "{} is empty and no index of fer-index; name another file",
                path.display()
            ),
        ));
    }
    Ok(())
}

/// The schema's version; an error if this program cannot work with it.
fn version(connection: &Connection, path: &Path, latest: usize) -> Result<usize> {
    let explain = |error| explain::sentence(path, error);
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(explain)
    };
    let version = pragma("user_version")?;
    if pragma("application_id")? != APPLICATION_ID {
        let is_empty: bool = connection
            .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
                row.get(0)
            })
            .map_err(explain)?;
        if version != 0 || !is_empty {
            return Err(Error::store(
                path,
                format!(
                    "the database {} belongs to another program; name another file with --database",
                    path.display()
                ),
            ));
        }
    }
    usize::try_from(version)
        .ok()
        .filter(|version| *version <= latest)
        .ok_or_else(|| {
            Error::store(
                path,
                format!(
                    "the database {} was made by a newer fer-index (schema {version}; this program \
                 supports up to {latest}); update fer-index, or name another file with --database",
                    path.display()
                ),
            )
        })
}

#[cfg(test)]
mod tests;
