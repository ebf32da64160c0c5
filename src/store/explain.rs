//! Turns SQLite's errors into sentences that say what to do.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::Error;

/// Whether an error says that the database is damaged, and not merely inaccessible.
pub fn is_damage(error: &Error) -> bool {
    let Error::Store {
        source: Some(source),
        ..
    } = error
    else {
        return false;
    };
    let code = source
        .downcast_ref::<rusqlite::Error>()
        .and_then(rusqlite::Error::sqlite_error_code);
    matches!(
        code,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// The error to report for an SQLite `error` of a database.
pub(super) fn sentence(database: &Path, error: rusqlite::Error) -> Error {
    let path = database.display();
    let problem = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => format!(
            "{path} is not a database; name another file with --database, or move this one away"
        ),
        Some(ErrorCode::DatabaseCorrupt) => format!(
            "the database {path} is damaged ({error}); fer-index doctor --recover makes a sound one of what can be \
             read, and keeps this one"
        ),
        Some(ErrorCode::ReadOnly) => format!(
            "the database {path} is read-only; make it and its folder writable, or name another \
             database with --database"
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => format!(
            "the database {path} cannot be opened ({error}); check that the file and its folder \
             are readable and writable for you, or name another database with --database"
        ),
        Some(ErrorCode::DiskFull) => format!(
            "no space is left on the disk for the database {path}; free some space. Finished work is kept; the daemon then \
             goes on by itself, and any other command can be run again"
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => format!(
            "the database {path} is still locked by another program after 30 s; try again when that \
             program has finished"
        ),
        Some(ErrorCode::SystemIoFailure) => format!(
            "the database {path} cannot be read or written ({error}); check the disk. Finished work is kept; the daemon \
             tries again by itself, and any other command can be run again"
        ),
        _ => format!("the database {path} failed: {error}"),
    };
    Error::Store {
        path: database.to_owned(),
        problem,
        source: Some(Box::new(error)),
    }
}
