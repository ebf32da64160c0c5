//! Opens the database file with access for its owner only, migrates it to the current schema, and applies the settings by
//! which one writer and many readers work at the same time.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::atomic::create_private;
use crate::error::{Error, Result};
use crate::file::keep_private;

use super::{explain, migrate};

/// How long to wait for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum number of compiled statements that a connection keeps; those that were used last are kept.
const STATEMENT_CACHE: usize = 64;

/// The absolute path, so that SQLite takes names such as `:memory:` or `file:x` for ordinary files.
pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}

/// Creates an empty file with access for its owner only, if there is none. SQLite gives its
/// companion files (`-wal`, `-shm`) the same mode.
pub(super) fn create(path: &Path) -> Result<()> {
    check_companions(path)?;
    match create_private(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_file() => {
            check_empty(path)
        }
        Err(error) => Err(cannot_create(path, &error)),
    }
}

/// SQLite turns any empty file into a database. This check admits only an empty file that fer-index
/// created, which its mode shows: access for the owner only.
fn check_empty(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if path
            .metadata()
            .is_ok_and(|it| it.len() == 0 && it.mode() & 0o077 != 0)
        {
            return Err(Error::store(
                path,
                format!(
                    "{} is an empty file that others may read, and was not made by fer-index; name \
                 another file with --database, or move it away",
                    path.display()
                ),
            ));
        }
    }
    Ok(())
}

/// The first bytes of SQLite's write-ahead log and of its rollback journal.
const COMPANIONS: [(&str, &[&[u8]]); 2] = [
    ("-wal", &[b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"]),
    ("-journal", &[b"\xd9\xd5\x05\xf9"]),
];

/// SQLite's shared memory consists of blocks of 32 KiB. SQLite appends a block in steps of this many bytes, so another
/// process may see an unfinished one.
const SHM_PAGE: u64 = 4096;

/// SQLite overwrites or removes any file that has the name of one of its companion files. This
/// check makes sure that no other file has such a name.
fn check_companions(path: &Path) -> Result<()> {
    for (ending, beginnings) in COMPANIONS {
        check_companion(path, ending, |file, _| {
            let mut begin = Vec::new();
            let read = File::open(file).and_then(|file| file.take(4).read_to_end(&mut begin));
            // SQLite may have removed it meanwhile. It contains zeros while SQLite creates it, or after a power failure.
            read.is_err() || begin.iter().all(|b| *b == 0) || beginnings.contains(&&*begin)
        })?;
    }
    // The shared memory must never be opened here: closing it would drop all POSIX locks that this process has on it, and
    // another process would truncate it while this one has it mapped (<https://sqlite.org/howtocorrupt.html>, section
    // 2.2). Its size is enough: the first connection truncates it to 3 bytes, and then appends pages.
    check_companion(path, "-shm", |_, metadata| {
        metadata.len() <= 3 || metadata.len().is_multiple_of(SHM_PAGE)
    })
}

/// The path of a companion file.
fn companion(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Checks one companion file, if it exists.
fn check_companion(
    path: &Path,
    ending: &str,
    is_of_sqlite: impl Fn(&Path, &Metadata) -> bool,
) -> Result<()> {
    let file = companion(path, ending);
    // If the folder itself is missing, opening the database reports it.
    let Ok(metadata) = file.symlink_metadata() else {
        return Ok(());
    };
    if metadata.is_file() && is_of_sqlite(&file, &metadata) {
        return Ok(());
    }
    Err(Error::store(
        path,
        format!(
            "{} is in the way of the database {}: SQLite would write over it; move it, or name \
             another database with --database",
            file.display(),
            path.display()
        ),
    ))
}

fn cannot_create(path: &Path, error: &io::Error) -> Error {
    Error::store(
        path,
        format!(
            "the database {} cannot be created ({error}); name a file in a folder that is yours to \
         write with --database",
            path.display()
        ),
    )
}

/// Reports that nothing is indexed if there is no database.
pub(super) fn require(path: &Path) -> Result<()> {
    let what = match path.metadata() {
        // SQLite would turn an empty file into a database. But a database of which everything is still in the log is an
        // empty file, too.
        Ok(file) if file.is_file() && file.len() == 0 && !has_log(path) => "is empty",
        Ok(file) if file.is_file() => return Ok(()),
        Ok(file) if file.is_dir() => "is a folder, and no database",
        Ok(_) => "is no file",
        Err(_) => "is not there",
    };
    Err(Error::store(
        path,
        format!(
            "nothing is indexed yet: the database {} {what}; run `fer-index index DIR` first, or name another \
             database with --database",
            path.display()
        ),
    ))
}

/// Whether a database has a log with content.
fn has_log(path: &Path) -> bool {
    let log = companion(path, "-wal").metadata();
    log.is_ok_and(|log| log.len() > 0)
}

/// Opens a database for indexing.
pub(super) fn open_writable(path: &Path) -> Result<Connection> {
    let connection = open(path)?;
    if connection
        .is_readonly("main")
        .map_err(|error| explain::sentence(path, error))?
    {
        return Err(Error::store(
            path,
            format!(
                "the database {} is read-only; make it writable, or name another database with --database",
                path.display()
            ),
        ));
    }
    Ok(connection)
}

/// Opens and migrates a database, also one that is read-only.
pub(super) fn open(path: &Path) -> Result<Connection> {
    let explain = |error| explain::sentence(path, error);
    check_companions(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(explain)?;
    if lacks_shared_memory(&connection, path) {
        connection = open_alone(path).map_err(explain)?;
    }
    migrate::run(&mut connection, path, migrate::MIGRATIONS)?;
    // A database that was copied here may have the permissions that the umask gives. One that is only read, such as a
    // backup on a disc, is not changed.
    if !connection.is_readonly("main").map_err(explain)? {
        keep_private(path);
        for ending in ["-wal", "-shm"] {
            keep_private(&companion(path, ending));
        }
    }
    configure(&connection).map_err(explain)?;
    Ok(connection)
}

/// Opens a database only for reading; it is neither migrated nor changed.
pub(super) fn open_unchanged(path: &Path) -> Result<Connection> {
    let explain = |error| explain::sentence(path, error);
    check_companions(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(explain)?;
    if lacks_shared_memory(&connection, path) {
        return open_alone(path).map_err(explain);
    }
    Ok(connection)
}

/// Writes everything in the log of a database into the database itself, and removes the log.
///
/// # Errors
/// [`Error::Usage`] if another process has the database open; [`Error::Store`] if it cannot be read.
pub(super) fn close_down(path: &Path) -> Result<()> {
    let explain = |error| explain::sentence(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    connection
        .busy_timeout(Duration::from_secs(1))
        .map_err(explain)?;
    // Without this, SQLite would also remove the log of a damaged database when the connection is closed.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(explain)?;
    // SQLite leaves WAL mode only for the sole connection to a database.
    let mode = connection.pragma_update_and_check(None, "journal_mode", "delete", |row| {
        row.get::<_, String>(0)
    });
    let is_busy = match &mode {
        Ok(mode) => mode != "delete",
        Err(error) => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        ),
    };
    if is_busy {
        return Err(Error::Usage(format!(
            "another program, such as fer-index gallery, uses the database {}; end it and run this command again",
            path.display()
        )));
    }
    mode.map(drop).map_err(explain)
}

/// Whether this is a database in WAL mode whose shared memory does not exist and cannot be created, because its
/// folder may not be written: a backup, a network share, a disc.
fn lacks_shared_memory(connection: &Connection, path: &Path) -> bool {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    let code = version.err().and_then(|error| error.sqlite_error_code());
    matches!(
        code,
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    ) && path.parent().is_some_and(|folder| !is_writable(folder))
}

#[cfg(unix)]
fn is_writable(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(folder: &Path) -> bool {
    folder
        .metadata()
        .is_ok_and(|metadata| !metadata.permissions().readonly())
}

/// Opens a database for reading without locks and shared memory. Nothing may write to it meanwhile; since the folder
/// cannot be written, only another machine that shares it could.
///
/// Without a log beside it (`-wal`) the database is opened as immutable. A log is read in exclusive locking mode, in
/// which SQLite keeps the index of the log in its own memory, and with SQLite's methods that take no locks, since only
/// a file that is opened for writing can be locked exclusively.
fn open_alone(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = Path::new(&log)
        .metadata()
        .is_ok_and(|metadata| metadata.len() > 0);
    if !has_log {
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        return Connection::open_with_flags(immutable(path), flags);
    }
    let without_locks = if cfg!(unix) {
        c"unix-none"
    } else {
        c"win32-none"
    };
    let connection = Connection::open_with_flags_and_vfs(path, flags, without_locks)?;
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    Ok(connection)
}

/// The URI by which SQLite opens the file at an absolute path as a database that nobody changes.
fn immutable(path: &Path) -> String {
    let mut uri = String::from("file:");
    if cfg!(windows) {
        uri.push('/');
    }
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b':' => {
                uri.push(char::from(*byte));
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            byte => uri.extend(format!("%{byte:02X}").chars()),
        }
    }
    uri + "?immutable=1"
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Without the query planner stability guarantee, SQLite recompiles a cached statement for each
    // value that is bound to it, in search of a better plan. The plans of these statements are
    // fixed (see `query/plans.rs`), and recompiling took a third of the time of writing a photo.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" && !connection.is_readonly("main")? {
        use_wal(connection)?;
    }
    // In WAL mode a power failure costs at most the last transactions, and a killed process
    // nothing.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Without it, a row that a REPLACE removes fires no trigger, and what is derived from it would stay.
    connection.pragma_update(None, "recursive_triggers", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // 2 MiB of page cache and no memory mapping: each worker has a connection, and the memory of
    // the process must not grow with the index. Without the mapping a failing disk gives an error
    // instead of a SIGBUS.
    connection.pragma_update(None, "cache_size", -2_048)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    // After a checkpoint, SQLite truncates a larger log to this size.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(())
}

/// Sets the page cache to 8 MiB: the rows of the first twenty photos of each emotion, with their indexes, take some 5
/// MiB.
pub(super) fn keep_more_pages(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -8_192)
}

/// Retries until the busy timeout ends, which SQLite does not apply to this change: of two
/// connections that switch to WAL mode at once, SQLite refuses one without waiting, since each
/// might block the other.
fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let end = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < end =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests;
