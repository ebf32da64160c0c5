//! Debounces changes: decides when a changed file is complete enough to be read.
//!
//! A file that its writer closed is complete. Where no close is reported (a hard link, a network share, a
//! file found by a scan), size and modification time have to stay the same for a quiet interval. The
//! current time is a parameter, so that tests need not wait.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::file::FileMeta;

/// Delay after a close, since some programs reopen the file at once, for instance to write its metadata.
const AFTER_CLOSE: Duration = Duration::from_millis(100);

/// A file that is open for writing counts as complete after this many quiet intervals without a write.
const OPEN_FILE_FACTOR: u32 = 30;

/// How complete a changed file is, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// A program that had opened it for writing closed it: no more changes are expected, and it is read
    /// whatever its metadata are.
    Closed,
    /// It was moved into place or removed: no more changes are expected.
    Moved,
    /// It was seen by a scan with this metadata; whether it is complete is unknown.
    Seen(Option<FileMeta>),
    /// It appeared, or only its attributes changed, and it had this metadata.
    Touched(Option<FileMeta>),
    /// It is being written to.
    Writing,
}

impl Readiness {
    /// What is known of a file after `self` and then `next`.
    fn then(self, next: Self) -> Self {
        use Readiness::{Closed, Moved, Seen, Touched, Writing};
        match (self, next) {
            (Closed | Writing | Moved, Seen(_) | Touched(_)) => self,
            (Seen(_), Touched(meta)) => Seen(meta),
            // It was moved away and back, or written to before: whether its content changed meanwhile is unknown.
            (Closed | Writing | Moved, Moved) => Closed,
            _ => next,
        }
    }

    /// Whether the file was written to, so that it is read even if it looks unchanged.
    pub const fn was_written(self) -> bool {
        matches!(self, Self::Closed | Self::Writing)
    }
}

/// Changed files, each with the time at which it is due to be checked.
#[derive(Debug, Default)]
pub struct Debouncer {
    files: HashMap<PathBuf, (Instant, Readiness)>,
    by_time: BTreeSet<(Instant, PathBuf)>,
}

impl Debouncer {
    /// Records a change at `now` and restarts the wait for the file. `quiet` is the interval for which a
    /// file must not change. What was known of the file before is kept if it says more, such as that it was
    /// closed.
    pub fn note(&mut self, path: &Path, readiness: Readiness, now: Instant, quiet: Duration) {
        let readiness = match self.readiness(path) {
            Some(before) => before.then(readiness),
            None => readiness,
        };
        let wait = match readiness {
            Readiness::Closed | Readiness::Moved => AFTER_CLOSE,
            Readiness::Seen(_) | Readiness::Touched(_) => quiet,
            Readiness::Writing => quiet * OPEN_FILE_FACTOR,
        };
        self.put(path.to_path_buf(), now + wait, readiness);
    }

    /// What is known of a file that is being debounced.
    pub fn readiness(&self, path: &Path) -> Option<Readiness> {
        self.files.get(path).map(|(_, readiness)| *readiness)
    }

    /// Takes the earliest file that is due at `now`.
    pub fn next_due(&mut self, now: Instant) -> Option<(PathBuf, Readiness)> {
        let first = self.by_time.first()?;
        if first.0 > now {
            return None;
        }
        let (_, path) = self.by_time.pop_first()?;
        let (_, readiness) = self.files.remove(&path)?;
        if self.files.is_empty() {
            // Releases the memory of a large number of files.
            self.files.shrink_to(1024);
        }
        Some((path, readiness))
    }

    /// When the next file is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.by_time.first().map(|(deadline, _)| *deadline)
    }

    /// The files that are not being written to.
    pub fn ready(&self) -> impl Iterator<Item = PathBuf> {
        let files = self.files.iter();
        let ready = files.filter(|(_, (_, readiness))| *readiness != Readiness::Writing);
        ready.map(|(path, _)| path.clone())
    }

    /// Makes every file due that is not being written to, and returns these files: a request waits for
    /// them.
    pub fn expedite(&mut self, now: Instant) -> Vec<PathBuf> {
        let ready: Vec<_> = self.ready().collect();
        for path in &ready {
            let readiness = self.files[path].1;
            self.put(path.clone(), now, readiness);
        }
        ready
    }

    /// Whether the file is being debounced.
    pub fn contains(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// Number of files that are being debounced.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether no file is being debounced.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn put(&mut self, path: PathBuf, deadline: Instant, readiness: Readiness) {
        if let Some((before, _)) = self.files.insert(path.clone(), (deadline, readiness)) {
            self.by_time.remove(&(before, path.clone()));
        }
        self.by_time.insert((deadline, path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(2);

    fn second(start: Instant, second: f32) -> Instant {
        start + Duration::from_secs_f32(second)
    }

    #[test]
    fn a_file_that_is_being_written_waits_for_its_close() {
        let (mut debouncer, start, path) = (Debouncer::default(), Instant::now(), Path::new("a"));
        for second_of_write in 0..30 {
            let now = second(start, second_of_write as f32);
            debouncer.note(path, Readiness::Writing, now, QUIET);
            assert_eq!(debouncer.next_due(second(now, 0.9)), None);
        }
        debouncer.note(path, Readiness::Closed, second(start, 30.0), QUIET);
        assert_eq!(debouncer.next_due(second(start, 30.05)), None);
        let due = debouncer.next_due(second(start, 30.2));
        assert_eq!(due, Some((path.to_path_buf(), Readiness::Closed)));
        assert!(debouncer.is_empty() && debouncer.next_deadline().is_none());
    }

    #[test]
    fn a_file_that_is_never_closed_is_due_in_the_end() {
        let (mut debouncer, start, path) = (Debouncer::default(), Instant::now(), Path::new("a"));
        debouncer.note(path, Readiness::Writing, start, QUIET);
        assert_eq!(debouncer.next_due(second(start, 59.0)), None);
        assert!(debouncer.next_due(second(start, 61.0)).is_some());
    }

    #[test]
    fn each_file_is_due_once_and_the_earliest_comes_first() {
        let (mut debouncer, start) = (Debouncer::default(), Instant::now());
        let (a, b) = (Path::new("a"), Path::new("b"));
        debouncer.note(b, Readiness::Seen(None), start, QUIET);
        debouncer.note(a, Readiness::Closed, start, QUIET);
        // `cp -p` sets the times after the close.
        debouncer.note(a, Readiness::Seen(None), start, QUIET);
        assert_eq!(debouncer.len(), 2);
        let now = second(start, 3.0);
        let first = debouncer.next_due(now);
        assert_eq!(first, Some((a.to_path_buf(), Readiness::Closed)));
        assert_eq!(debouncer.next_due(now).unwrap().0, b);
        assert_eq!(debouncer.next_due(now), None);
    }

    #[test]
    fn what_tells_more_is_kept() {
        let (mut debouncer, start, path) = (Debouncer::default(), Instant::now(), Path::new("a"));
        let (seen, touched) = (Readiness::Seen(None), Readiness::Touched(None));
        for (changes, expected) in [
            (&[touched, touched][..], touched),
            (&[seen, touched], seen),
            (&[touched, seen], seen),
            (
                &[touched, Readiness::Moved, touched, seen],
                Readiness::Moved,
            ),
            (&[Readiness::Closed, touched], Readiness::Closed),
            // Written, and renamed over by another file or moved away and back again.
            (&[Readiness::Writing, Readiness::Moved], Readiness::Closed),
            (&[Readiness::Moved, Readiness::Moved], Readiness::Closed),
            (&[Readiness::Closed, Readiness::Writing], Readiness::Writing),
        ] {
            for change in changes {
                debouncer.note(path, *change, start, QUIET);
            }
            assert_eq!(debouncer.readiness(path), Some(expected), "{changes:?}");
            assert!(debouncer.next_due(second(start, 100.0)).is_some());
        }
    }

    #[test]
    fn expedite_makes_all_files_due_that_are_not_being_written() {
        let (mut debouncer, start) = (Debouncer::default(), Instant::now());
        debouncer.note(Path::new("open"), Readiness::Writing, start, QUIET);
        debouncer.note(Path::new("seen"), Readiness::Seen(None), start, QUIET);
        assert_eq!(debouncer.expedite(start), [PathBuf::from("seen")]);
        assert_eq!(debouncer.next_due(start).unwrap().0, Path::new("seen"));
        assert_eq!(debouncer.next_due(start), None);
        assert!(debouncer.contains(Path::new("open")));
    }
}
