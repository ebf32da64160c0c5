//! The queue of files that wait for the pipeline.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::album::FoundFile;

/// A queue that the follower fills and the pipeline empties. It also contains the paths *in flight*, which the pipeline
/// has taken and not committed yet. Each path is queued at most once.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<FoundFile>,
    queued: HashSet<PathBuf>,
    in_flight: HashSet<PathBuf>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a file that changed just now at the front, since a `--fresh` query may be waiting for it.
    pub fn push_first(&self, file: FoundFile) {
        let mut inner = self.lock();
        if inner.queued.insert(file.path.clone()) {
            inner.waiting.push_front(file);
        }
    }

    /// Adds a file that a scan found at the back: it can wait.
    pub fn push_last(&self, file: FoundFile) {
        let mut inner = self.lock();
        if inner.queued.insert(file.path.clone()) {
            inner.waiting.push_back(file);
        }
    }

    /// Removes the files below `folder` from the queue, and returns those that are in flight.
    pub fn drop_below(&self, folder: &Path) -> Vec<PathBuf> {
        let mut inner = self.lock();
        inner.waiting.retain(|file| !file.path.starts_with(folder));
        inner.queued.retain(|path| !path.starts_with(folder));
        let in_flight = inner.in_flight.iter();
        let below = in_flight.filter(|path| path.starts_with(folder));
        below.cloned().collect()
    }

    /// Removes a committed file from those in flight.
    pub fn done(&self, path: &Path) {
        self.lock().in_flight.remove(path);
    }

    /// Takes the files that a batch run left in flight when it ended; there are some only after an error.
    pub fn take_in_flight(&self) -> Vec<PathBuf> {
        self.lock().in_flight.drain().collect()
    }

    /// Closes the queue: the pipeline gets no more files.
    pub fn close(&self) {
        self.lock().closed = true;
    }

    /// Whether a file at or below `path` is in flight.
    pub fn is_in_flight(&self, path: &Path) -> bool {
        let inner = self.lock();
        inner.in_flight.iter().any(|file| file.starts_with(path))
    }

    /// Whether a file in flight meets the condition.
    pub fn is_any_in_flight(&self, condition: impl Fn(&Path) -> bool) -> bool {
        let inner = self.lock();
        inner.in_flight.iter().any(|file| condition(file))
    }

    /// Whether the file is queued or in flight.
    pub fn contains(&self, path: &Path) -> bool {
        let inner = self.lock();
        inner.queued.contains(path) || inner.in_flight.contains(path)
    }

    /// All files that are queued or in flight.
    pub fn paths(&self) -> Vec<PathBuf> {
        let inner = self.lock();
        inner.queued.union(&inner.in_flight).cloned().collect()
    }

    /// Whether the pipeline can take a file: one waits, and the queue is not closed.
    pub fn has_work(&self) -> bool {
        let inner = self.lock();
        !inner.closed && !inner.waiting.is_empty()
    }

    /// Number of files that are queued or in flight.
    pub fn len(&self) -> usize {
        let inner = self.lock();
        inner.waiting.len() + inner.in_flight.len()
    }
}

/// Takes the next file for the pipeline; it is in flight from then on.
impl Iterator for Queue {
    type Item = FoundFile;

    fn next(&mut self) -> Option<FoundFile> {
        let mut inner = self.lock();
        if inner.closed {
            return None;
        }
        let file = inner.waiting.pop_front()?;
        inner.queued.remove(&file.path);
        if inner.waiting.is_empty() {
            // Releases the memory of a long queue.
            inner.waiting.shrink_to(1024);
            inner.queued.shrink_to(1024);
        }
        inner.in_flight.insert(file.path.clone());
        Some(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::FileMeta;

    fn file(path: &str) -> FoundFile {
        FoundFile {
            path: path.into(),
            meta: FileMeta {
                size: 1,
                mtime_ns: 0,
                ctime_ns: 1_700_000_000_123_456_789,
                inode: 0,
                device: 0,
            },
        }
    }

    #[test]
    fn changed_files_go_first_and_each_is_queued_once() {
        let mut queue = Queue::default();
        queue.push_last(file("/a/1"));
        queue.push_last(file("/a/2"));
        queue.push_first(file("/b/3"));
        queue.push_first(file("/a/1"));
        assert_eq!((queue.has_work(), queue.len()), (true, 3));
        assert_eq!(queue.next().unwrap().path, Path::new("/b/3"));
        assert!(queue.is_in_flight(Path::new("/b")) && !queue.is_in_flight(Path::new("/a")));
        assert!(queue.contains(Path::new("/b/3")) && queue.contains(Path::new("/a/1")));
        queue.done(Path::new("/b/3"));
        assert!(!queue.contains(Path::new("/b/3")));
        queue.next();
        assert_eq!(queue.take_in_flight(), [PathBuf::from("/a/1")]);
        queue.close();
        assert_eq!(queue.next(), None);
        assert_eq!((queue.has_work(), queue.len()), (false, 1));
    }

    #[test]
    fn files_in_flight_are_not_dropped_with_those_that_wait() {
        let mut queue = Queue::default();
        for path in ["/a/1", "/a/2", "/b/3"] {
            queue.push_last(file(path));
        }
        queue.next();
        assert_eq!(queue.drop_below(Path::new("/a")), [PathBuf::from("/a/1")]);
        assert!(!queue.contains(Path::new("/a/2")));
        assert_eq!(queue.next().unwrap().path, Path::new("/b/3"));
    }
}
