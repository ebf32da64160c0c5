//! Those who wait until the index is up to date, as `query --fresh` does.
//!
//! A file is made beside the database, in a folder that is watched: once its closing is told, all
//! that happened before is told as well. What is pending at that moment, and what comes of it, is
//! what is waited for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use super::beside;
use crate::album::{Followed, Watch};

/// Someone who waits.
#[derive(Debug)]
struct Waiter {
    /// The file whose closing marks the moment.
    cookie: PathBuf,
    /// What is still to be done, once the moment was reached.
    pending: Option<Vec<PathBuf>>,
    reply: oneshot::Sender<()>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Waiters {
    /// The folder of the cookies.
    folder: PathBuf,
    is_watched: bool,
    /// How many cookies there have been.
    moments: u64,
    waiting: Vec<Waiter>,
}

impl Waiters {
    pub fn new(database: &Path) -> Self {
        Self {
            folder: beside(database, "cookies"),
            is_watched: false,
            moments: 0,
            waiting: Vec::new(),
        }
    }

    /// Makes the folder of the cookies, takes those of a killed daemon away, and has it watched.
    pub fn prepare(&mut self, watch: &mut Watch) {
        if let Err(error) = empty(&self.folder) {
            tracing::warn!("{}: {error}", self.folder.display());
        }
        self.is_watched = watch.add(&self.folder) == Followed::Watched;
    }

    /// Whether a path is a cookie, or the folder of them.
    pub fn owns(&self, path: &Path) -> bool {
        path.starts_with(&self.folder)
    }

    /// Someone begins to wait. Whether the moment will be told; if not, a scan has to reach it.
    ///
    /// # Errors
    /// When there can be no cookie, and as if it was not told.
    pub fn join(&mut self, reply: oneshot::Sender<()>) -> io::Result<bool> {
        let (cookie, written) = loop {
            self.moments += 1;
            let cookie = self.folder.join(self.moments.to_string());
            match fs::File::create_new(&cookie) {
                // Not ours: it stays.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => break (cookie, made.map(drop)),
            }
        };
        self.waiting.push(Waiter {
            cookie,
            pending: None,
            reply,
        });
        written.map(|()| self.is_watched)
    }

    /// The moments that were not reached yet.
    pub fn cookies(&self) -> Vec<PathBuf> {
        let unreached = self.waiting.iter().filter(|w| w.pending.is_none());
        unreached.map(|waiter| waiter.cookie.clone()).collect()
    }

    /// Whether somebody waits for this moment.
    pub fn expect(&self, cookie: &Path) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|waiter| waiter.cookie == cookie && waiter.pending.is_none())
    }

    /// All that happened before the moment is known now, and so much of it is `pending`.
    pub fn reached(&mut self, cookie: &Path, pending: Vec<PathBuf>) {
        let mut waiting = self.waiting.iter_mut();
        if let Some(waiter) = waiting.find(|waiter| waiter.cookie == cookie) {
            waiter.pending = Some(pending);
        }
    }

    /// Whether somebody waits for something in or below `folder`.
    pub fn wait_below(&self, folder: &Path) -> bool {
        let mut pending = self.waiting.iter().filter_map(|w| w.pending.as_ref());
        pending.any(|paths| paths.iter().any(|path| path.starts_with(folder)))
    }

    /// A look at `folder` turned up these paths: whoever waits for something there waits for them.
    pub fn turned_up(&mut self, folder: &Path, paths: &[PathBuf]) {
        for pending in self.waiting.iter_mut().filter_map(|w| w.pending.as_mut()) {
            if pending.iter().any(|path| path.starts_with(folder)) {
                pending.extend_from_slice(paths);
            }
        }
    }

    /// What is waited for has another name, or lies in a folder that has.
    pub fn renamed(&mut self, from: &Path, to: &Path) {
        if self.wait_below(from) {
            self.turned_up(from, &[to.to_path_buf()]);
        }
    }

    /// Answers those for whom nothing is pending any more, and forgets those who have gone.
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
                let _ = fs::remove_file(&waiter.cookie);
            }
            let _ = waiter.reply.send(());
        }
    }

    /// Nobody is answered any more.
    pub fn dismiss(&mut self) {
        self.waiting.clear();
    }
}

/// Makes a folder, or takes the cookies out of it: nothing else that may be there.
fn empty(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
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
    fn who_waits_for_a_folder_waits_for_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut waiters = Waiters::new(&folder.path().join("index"));
        fs::create_dir(&waiters.folder).unwrap();
        let (reply, mut answer) = oneshot::channel();
        assert!(!waiters.join(reply).unwrap(), "nobody watches here");
        let cookie = waiters.cookies().remove(0);
        assert!(cookie.is_file() && waiters.owns(&cookie) && waiters.expect(&cookie));
        let mut pending: HashSet<_> = paths(&["/a/new", "/a/1.jpg"]).into_iter().collect();
        let mut look = |waiters: &mut Waiters, done: &str, found: &[&str]| {
            pending.remove(Path::new(done));
            pending.extend(paths(found));
            waiters.turned_up(Path::new(done), &paths(found));
            waiters.answer(|path| pending.contains(path));
            answer.try_recv().is_ok()
        };

        waiters.answer(|_| false);
        waiters.reached(&cookie, paths(&["/a/new", "/a/1.jpg"]));
        assert!(!waiters.expect(&cookie) && waiters.cookies().is_empty());
        assert!(!look(&mut waiters, "/a/new", &["/a/new/2.jpg"]));
        assert!(!look(&mut waiters, "/b", &["/b/elsewhere.jpg"]));
        assert!(!look(&mut waiters, "/a/1.jpg", &[]));
        waiters.renamed(Path::new("/a/new"), Path::new("/a/old"));
        assert!(!look(&mut waiters, "/a/new/2.jpg", &["/a/old"]));
        assert!(look(&mut waiters, "/a/old", &[]));
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut waiters = Waiters::new(&folder.path().join("index"));
        let (reply, answer) = oneshot::channel();
        assert!(waiters.join(reply).is_err(), "there is no folder");
        waiters.answer(|_| true);
        assert_eq!(waiters.cookies().len(), 1);
        drop(answer);
        waiters.answer(|_| true);
        assert_eq!(waiters.cookies().len(), 0);
    }
}
