//! Answers requests to wait until the index is up to date, such as that of `query --fresh`.
//!
//! For each request a *sync cookie* is created: an empty file in a watched folder beside the database. Since
//! events arrive in order, every earlier change has been reported once the closing of the sync cookie is. The
//! request is answered when the files that are pending at that moment, and those found because of them,
//! are done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use crate::album::{Followed, Watch};
use crate::file::database_companion;

/// A request that is not answered yet.
#[derive(Debug)]
struct Waiter {
    sync_cookie: PathBuf,
    /// The paths that have to be done before the answer; `None` until the closing of the sync cookie was reported.
    pending: Option<Vec<PathBuf>>,
    reply: oneshot::Sender<()>,
}

/// The requests that are not answered yet; see the module's documentation.
#[derive(Debug)]
pub(super) struct Waiters {
    /// The folder of the sync cookies.
    folder: PathBuf,
    is_watched: bool,
    /// Number of the last sync cookie; the number is the sync cookie's name.
    last_sync_cookie: u64,
    waiting: Vec<Waiter>,
}

impl Waiters {
    pub fn new(database: &Path) -> Self {
        Self {
            folder: database_companion(database, "cookies"),
            is_watched: false,
            last_sync_cookie: 0,
            waiting: Vec::new(),
        }
    }

    /// Creates and watches the folder of the sync cookies, and removes the sync cookies that a killed daemon left.
    pub fn prepare(&mut self, watch: &mut Watch) {
        if let Err(error) = create_or_empty(&self.folder) {
            tracing::warn!("{}: {error}", self.folder.display());
        }
        self.is_watched = watch.add(&self.folder) == Followed::Watched;
    }

    /// Whether a path is the folder of the sync cookies or is in it.
    pub fn owns(&self, path: &Path) -> bool {
        path.starts_with(&self.folder)
    }

    /// Adds a request and creates its sync cookie. Returns whether the folder of the sync cookies is watched; if not,
    /// the caller has to scan the roots instead.
    ///
    /// # Errors
    /// If the sync cookie cannot be created; the request is added nevertheless.
    pub fn add(&mut self, reply: oneshot::Sender<()>) -> io::Result<bool> {
        let (sync_cookie, created) = loop {
            self.last_sync_cookie += 1;
            let sync_cookie = self.folder.join(self.last_sync_cookie.to_string());
            match fs::File::create_new(&sync_cookie) {
                // A file of this name that is no sync cookie of ours is left alone.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => break (sync_cookie, created.map(drop)),
            }
        };
        self.waiting.push(Waiter {
            sync_cookie,
            pending: None,
            reply,
        });
        created.map(|()| self.is_watched)
    }

    /// The sync cookies whose closing was not reported yet.
    pub fn sync_cookies(&self) -> Vec<PathBuf> {
        let unseen = self.waiting.iter().filter(|w| w.pending.is_none());
        unseen.map(|waiter| waiter.sync_cookie.clone()).collect()
    }

    /// Whether a request still waits for the closing of this sync cookie.
    pub fn is_expecting(&self, sync_cookie: &Path) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|waiter| waiter.sync_cookie == sync_cookie && waiter.pending.is_none())
    }

    /// Records that the closing of the sync cookie was reported, so that every earlier change is known: its request now waits
    /// for `pending`.
    pub fn sync_cookie_seen(&mut self, sync_cookie: &Path, pending: Vec<PathBuf>) {
        let mut waiting = self.waiting.iter_mut();
        if let Some(waiter) = waiting.find(|waiter| waiter.sync_cookie == sync_cookie) {
            waiter.pending = Some(pending);
        }
    }

    /// Whether a request waits for a path at or below `folder`.
    pub fn is_waiting_below(&self, folder: &Path) -> bool {
        let mut pending = self.waiting.iter().filter_map(|w| w.pending.as_ref());
        pending.any(|paths| paths.iter().any(|path| path.starts_with(folder)))
    }

    /// Adds paths that were found in `folder` to the requests that wait for a path at or below `folder`.
    pub fn add_pending(&mut self, folder: &Path, paths: &[PathBuf]) {
        for pending in self.waiting.iter_mut().filter_map(|w| w.pending.as_mut()) {
            if pending.iter().any(|path| path.starts_with(folder)) {
                pending.extend_from_slice(paths);
            }
        }
    }

    /// Adds paths to every request whose sync cookie was seen.
    pub fn wait_for(&mut self, paths: &[PathBuf]) {
        for pending in self.waiting.iter_mut().filter_map(|w| w.pending.as_mut()) {
            pending.extend_from_slice(paths);
        }
    }

    /// Follows a rename of a file or folder: requests that wait for a path at or below `from` also wait for
    /// `to`.
    pub fn renamed(&mut self, from: &Path, to: &Path) {
        if self.is_waiting_below(from) {
            self.add_pending(from, &[to.to_path_buf()]);
        }
    }

    /// Answers the requests for which nothing is pending any more, and drops those whose caller has gone.
    pub fn answer(&mut self, is_pending: impl Fn(&Path) -> bool) {
        let is_done = |waiter: &mut Waiter| {
            if let Some(pending) = &mut waiter.pending {
                while pending.pop_if(|path| !is_pending(path)).is_some() {}
                return pending.is_empty() || waiter.reply.is_closed();
            }
            waiter.reply.is_closed()
        };
        for waiter in self.waiting.extract_if(.., is_done) {
            if waiter.pending.is_none() {
                let _ = fs::remove_file(&waiter.sync_cookie);
            }
            let _ = waiter.reply.send(());
        }
    }

    /// Drops all requests without an answer.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// Creates the folder of the sync cookies, or, if it exists, removes the sync cookies in it and nothing else.
fn create_or_empty(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => return created,
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_number = name
            .to_str()
            .is_some_and(|name| name.parse::<u64>().is_ok());
        let metadata = entry.metadata()?;
        if is_number && metadata.is_file() && metadata.len() == 0 {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn a_request_that_waits_for_a_folder_waits_for_the_files_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut waiters = Waiters::new(&folder.path().join("index"));
        fs::create_dir(&waiters.folder).unwrap();
        let (reply, mut answer) = oneshot::channel();
        assert!(!waiters.add(reply).unwrap(), "the folder is not watched");
        let sync_cookie = waiters.sync_cookies().remove(0);
        assert!(
            sync_cookie.is_file()
                && waiters.owns(&sync_cookie)
                && waiters.is_expecting(&sync_cookie)
        );
        let mut pending: HashSet<_> = paths(&["/a/new", "/a/1.jpg"]).into_iter().collect();
        let mut is_answered_after = |waiters: &mut Waiters, done: &str, found: &[&str]| {
            pending.remove(Path::new(done));
            pending.extend(paths(found));
            waiters.add_pending(Path::new(done), &paths(found));
            waiters.answer(|path| pending.contains(path));
            answer.try_recv().is_ok()
        };

        waiters.answer(|_| false);
        waiters.sync_cookie_seen(&sync_cookie, paths(&["/a/new", "/a/1.jpg"]));
        assert!(!waiters.is_expecting(&sync_cookie) && waiters.sync_cookies().is_empty());
        assert!(!is_answered_after(
            &mut waiters,
            "/a/new",
            &["/a/new/2.jpg"]
        ));
        assert!(!is_answered_after(
            &mut waiters,
            "/b",
            &["/b/elsewhere.jpg"]
        ));
        assert!(!is_answered_after(&mut waiters, "/a/1.jpg", &[]));
        waiters.renamed(Path::new("/a/new"), Path::new("/a/old"));
        assert!(!is_answered_after(
            &mut waiters,
            "/a/new/2.jpg",
            &["/a/old"]
        ));
        assert!(is_answered_after(&mut waiters, "/a/old", &[]));
    }

    #[test]
    fn a_request_whose_caller_has_gone_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut waiters = Waiters::new(&folder.path().join("index"));
        let (reply, answer) = oneshot::channel();
        assert!(waiters.add(reply).is_err(), "there is no folder");
        waiters.answer(|_| true);
        assert_eq!(waiters.sync_cookies().len(), 1);
        drop(answer);
        waiters.answer(|_| true);
        assert_eq!(waiters.sync_cookies().len(), 0);
    }
}
