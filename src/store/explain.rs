//! Turns SQLite's errors into sentences that say what to do.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use crate::error::Error;

/// Whether an error says that the database is damaged, and not merely inaccessible.
pub fn is_damage(error: &Error) -> bool {
    matches!(
        code_of(error),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// The code of the SQLite error that an error of the store explains.
fn code_of(error: &Error) -> Option<ErrorCode> {
    let Error::Store {
        source: Some(source),
        ..
    } = error
    else {
        return None;
    };
    source
        .downcast_ref::<rusqlite::Error>()
        .and_then(rusqlite::Error::sqlite_error_code)
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

/// The error to report for one of a file that should be a backup.
pub(super) fn of_backup(file: &Path, error: Error) -> Error {
    if code_of(&error) != Some(ErrorCode::NotADatabase) {
        return error;
    }
    Error::Store {
        path: file.to_owned(),
        problem: format!(
            "{} is not a database; name a file that fer-index backup has written",
            file.display()
        ),
        source: None,
    }
}

/// Whether a file cannot be written, rather than read.
fn fails_to_write(code: Option<ErrorCode>, error: &rusqlite::Error) -> bool {
    match code {
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => true,
        Some(ErrorCode::SystemIoFailure) => error.sqlite_error().is_some_and(|error| {
            let writing = [
                ffi::SQLITE_IOERR_WRITE,
                ffi::SQLITE_IOERR_FSYNC,
                ffi::SQLITE_IOERR_TRUNCATE,
            ];
            writing.contains(&error.extended_code)
        }),
        _ => false,
    }
}

/// The same for an error of copying a database into the file `to`: where writing fails, that file is at fault, which may be
/// on another disk.
pub(super) fn of_copying(database: &Path, to: &Path, error: rusqlite::Error) -> Error {
    let to = std::path::absolute(to).unwrap_or_else(|_| to.to_owned());
    let folder = to.parent().unwrap_or(&to).display();
    let problem = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => format!(
            "no space is left on the disk of the folder {folder} for a copy of the database; free some space, or name a file \
             on another disk"
        ),
        code if fails_to_write(code, &error) => format!(
            "no copy of the database can be written in the folder {folder} ({error}); name a file in another folder"
        ),
        _ => return sentence(database, error),
    };
    Error::Store {
        path: to,
        problem,
        source: Some(Box::new(error)),
    }
}
