//! The Unix socket through which other processes of the user ask the daemon: one line of JSON each
//! way.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};

use super::handle::{Handle, Request};
use super::{Activity, beside};
use crate::error::{Error, Result};

/// What the system's socket addresses hold (`sockaddr_un`), with room for a suffix.
const LONGEST_PATH: usize = 100;

/// Longest line that is read: a question is a few bytes.
const LONGEST_QUESTION: u64 = 1024;

/// A question to the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Question {
    /// What it does.
    Status,
    /// To answer once everything that was closed before is in the index.
    Fresh,
}

fn path(database: &Path) -> PathBuf {
    beside(database, "sock")
}

/// Listens beside the database; for the user only from the first moment on.
pub(super) fn listen(database: &Path) -> Result<tokio::net::UnixListener> {
    let path = path(database);
    if path.as_os_str().len() > LONGEST_PATH {
        return Err(Error::Usage(format!(
            "{} is too long a name for a socket; put the database where the path is shorter",
            path.display()
        )));
    }
    let bind = || {
        let draft = beside(database, "sock.new");
        for name in [&path, &draft] {
            if name.symlink_metadata().is_ok() && !is_socket(name) {
                return Err(std::io::Error::other(
                    "the daemon's socket belongs here (and to the same name with .new); move what \
                     is there, or put the database elsewhere",
                ));
            }
        }
        if is_socket(&draft) {
            fs::remove_file(&draft)?;
        }
        let listener = UnixListener::bind(&draft)?;
        fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
        // In the place of one that a killed daemon left.
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

/// Takes the socket away.
pub(super) fn remove(database: &Path) {
    let path = path(database);
    if is_socket(&path) {
        let _ = fs::remove_file(path);
    }
}

/// Answers whoever asks.
pub(super) async fn serve(listener: tokio::net::UnixListener, follower: Handle) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let follower = follower.clone();
                tokio::spawn(async move {
                    if let Err(error) = answer(stream, follower).await {
                        tracing::debug!(%error, "someone who asked has gone");
                    }
                });
            }
            Err(error) => {
                // Out of file handles, most likely: they come back.
                tracing::debug!(%error, "accept");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn answer(stream: tokio::net::UnixStream, follower: Handle) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let read = tokio::io::AsyncReadExt::take(read, LONGEST_QUESTION);
    tokio::io::BufReader::new(read).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(Question::Status) => serde_json::to_string(&follower.activity()),
        Ok(Question::Fresh) => {
            let (reply, answer) = tokio::sync::oneshot::channel();
            follower.ask(Request::Fresh(reply));
            let is_fresh = answer.await.is_ok();
            serde_json::to_string(&is_fresh)
        }
        Err(error) => serde_json::to_string(&error.to_string()),
    };
    let mut answer = answer.unwrap_or_default();
    answer.push('\n');
    write.write_all(answer.as_bytes()).await
}

/// Asks the daemon of a database what it does; `None` where none runs.
///
/// # Errors
/// When it does not answer.
pub fn activity(database: &Path) -> Result<Option<Activity>> {
    ask(database, Question::Status, Duration::from_secs(10))
}

/// Waits until everything that was closed before is in the index; `None` where no daemon runs.
///
/// # Errors
/// [`Error::Usage`] when it takes longer than `limit`.
pub fn wait_until_fresh(database: &Path, limit: Duration) -> Result<Option<()>> {
    match ask(database, Question::Fresh, limit)? {
        Some(true) => Ok(Some(())),
        Some(false) => Err(Error::Usage(
            "the daemon was stopped before the index was up to date; start it again".into(),
        )),
        None => Ok(None),
    }
}

fn ask<T: for<'a> Deserialize<'a>>(
    database: &Path,
    question: Question,
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
        let mut line = serde_json::to_string(&question)?;
        line.push('\n');
        stream.write_all(line.as_bytes())?;
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = exchange().map_err(|source| match source.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Usage(format!(
            "the daemon has not got everything into the index within {} s; `fer-index status` \
             tells how much is left",
            limit.as_secs_f64()
        )),
        _ => Error::Io {
            path: path.clone(),
            source,
        },
    })?;
    serde_json::from_str(&answer).map(Some).map_err(|error| {
        Error::Usage(format!(
            "the daemon does not speak this version's language ({error}); start it anew"
        ))
    })
}
