//! Serves and queries the daemon's Unix socket, to which only processes of the same user can connect. A connection
//! carries one request and one answer, each a line of JSON.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};

use super::Activity;
use super::handle::{Handle, Message};
use super::lock;
use crate::error::{Error, Result};
use crate::file::database_companion;
use crate::lock::in_brackets;

/// Longest path of a socket, in bytes: the system's limit (`sockaddr_un`) minus room for the suffix of the draft.
const LONGEST_PATH: usize = 100;

/// Maximum number of bytes that are read of a request; real ones have about ten.
const LONGEST_REQUEST: u64 = 1024;

/// How long the daemon may take to tell its activity.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A request to the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Request {
    /// Answer with the current [`Activity`].
    Status,
    /// Answer once every file that was closed before is in the index.
    Fresh,
}

fn path(database: &Path) -> PathBuf {
    database_companion(database, "sock")
}

/// Listens on a socket beside the database. Its permissions are restricted to the user before it is renamed into place,
/// so that no other user can ever connect.
///
/// # Errors
/// If the path is too long for a socket, another file is at it, or the system does not create the socket.
pub(super) fn listen(database: &Path) -> Result<tokio::net::UnixListener> {
    let path = path(database);
    if path.as_os_str().len() > LONGEST_PATH {
        return Err(Error::Daemon(format!(
            "{} is too long for the path of a socket; put the database into a folder with a shorter \
             path",
            path.display()
        )));
    }
    let bind = || {
        let draft = database_companion(database, "sock.new");
        for name in [&path, &draft] {
            if name.symlink_metadata().is_ok() && !is_socket(name) {
                return Err(std::io::Error::other(
                    "the daemon needs this name, and the same with .new, for its socket; move the \
                     file that has it, or put the database elsewhere",
                ));
            }
        }
        if is_socket(&draft) {
            fs::remove_file(&draft)?;
        }
        let listener = UnixListener::bind(&draft)?;
        fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
        // Replaces a socket that a killed daemon left.
        fs::rename(&draft, &path)?;
        listener.set_nonblocking(true)?;
        tokio::net::UnixListener::from_std(listener)
    };
    bind().map_err(|source| Error::Io {
        path: path.clone(),
        source,
    })
}

fn is_socket(path: &Path) -> bool {
    let metadata = path.symlink_metadata();
    metadata.is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Removes the socket.
pub(super) fn remove(database: &Path) {
    let path = path(database);
    if is_socket(&path) {
        let _ = fs::remove_file(path);
    }
}

/// Accepts connections and answers their requests.
pub(super) async fn serve(listener: tokio::net::UnixListener, follower: Handle) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let follower = follower.clone();
                tokio::spawn(async move {
                    if let Err(error) = answer(stream, follower).await {
                        tracing::debug!(%error, "a client closed its connection early");
                    }
                });
            }
            Err(error) => {
                // Most likely the process is out of file descriptors for the moment.
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn answer(stream: tokio::net::UnixStream, follower: Handle) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let read = tokio::io::AsyncReadExt::take(read, LONGEST_REQUEST);
    tokio::io::BufReader::new(read).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(Request::Status) => serde_json::to_string(&follower.activity()),
        Ok(Request::Fresh) => {
            let (reply, answer) = tokio::sync::oneshot::channel();
            follower.send(Message::Fresh(reply));
            let is_fresh = answer.await.is_ok();
            serde_json::to_string(&is_fresh)
        }
        Err(error) => serde_json::to_string(&error.to_string()),
    };
    let mut answer = answer.unwrap_or_default();
    answer.push('\n');
    write.write_all(answer.as_bytes()).await
}

/// Asks the daemon of a database for its activity; `None` if no daemon runs.
///
/// # Errors
/// [`Error::Daemon`] with the number of its process when the daemon does not answer.
pub fn activity(database: &Path) -> Result<Option<Activity>> {
    send(database, Request::Status, ANSWER_TIMEOUT)
}

/// Waits until every file that was closed before is in the index; `None` if no daemon runs.
///
/// # Errors
/// [`Error::Daemon`] when it takes longer than `limit`.
pub fn wait_until_fresh(database: &Path, limit: Duration) -> Result<Option<()>> {
    match send(database, Request::Fresh, limit)? {
        Some(true) => Ok(Some(())),
        Some(false) => Err(Error::Daemon(
            "the daemon was stopped before the index was up to date; start it again".into(),
        )),
        None => Ok(None),
    }
}

/// Sends a request and reads the answer; `None` if no daemon runs.
fn send<T: for<'a> Deserialize<'a>>(
    database: &Path,
    request: Request,
    limit: Duration,
) -> Result<Option<T>> {
    let path = path(database);
    let mut stream = match UnixStream::connect(&path) {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput
            ) =>
        {
            return Ok(None);
        }
        Err(source) => return Err(Error::Io { path, source }),
    };
    let mut exchange = || {
        stream.set_read_timeout(Some(limit))?;
        let mut line = serde_json::to_string(&request)?;
        line.push('\n');
        stream.write_all(line.as_bytes())?;
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = exchange().map_err(|source| match source.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => too_late(database, request, limit),
        _ => Error::Io {
            path: path.clone(),
            source,
        },
    })?;
    serde_json::from_str(&answer).map(Some).map_err(|error| {
        Error::Daemon(format!(
            "the running daemon is another version of fer-index ({error}); restart it"
        ))
    })
}

/// The error that a request was not answered in time.
fn too_late(database: &Path, request: Request, limit: Duration) -> Error {
    let seconds = limit.as_secs_f64();
    Error::Daemon(match request {
        Request::Fresh => format!(
            "the daemon did not index all changes within {seconds} s; `fer-index status` shows how many files are left"
        ),
        // Its other threads answer while it works, so the process was stopped, or the machine is out of memory.
        Request::Status => {
            let holder = in_brackets(lock::holder(database).as_deref());
            format!("the daemon{holder} runs, but does not answer within {seconds} s")
        }
    })
}
