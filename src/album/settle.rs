//! When a file that changes is ready to be read.
//!
//! A writer that closes its file has finished. Where nobody tells (a hard link, a network share, a
//! file found by a scan), size and modification time have to stay as they are for a while. The
//! time is handed in, so that this can be tested without waiting.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::file::FileMeta;

/// After a close: a program may open the file once more at once, as to write its metadata.
const AFTER_CLOSE: Duration = Duration::from_millis(100);

/// How many times the settling time a file may rest while someone has it open for writing.
const PATIENCE: u32 = 30;

/// What is known of a file that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It was closed, moved into place or removed: nothing more is to come.
    Closed,
    /// It appeared or was seen with these figures; nobody says whether it is whole.
    Seen(Option<FileMeta>),
    /// It is being written to.
    Writing,
}

/// Files that changed, each with the moment at which it is looked at.
#[derive(Debug, Default)]
pub struct Settling {
    files: HashMap<PathBuf, (Instant, Readiness)>,
    by_time: BTreeSet<(Instant, PathBuf)>,
}

impl Settling {
    /// Notes a change at `now`. `rest` is for how long a file has to stay as it is. Another look
    /// at a file does not undo that it was closed, or that it is open.
    pub fn note(&mut self, path: &Path, readiness: Readiness, now: Instant, rest: Duration) {
        let readiness = match (readiness, self.files.get(path)) {
            (Readiness::Seen(_), Some((_, known @ (Readiness::Closed | Readiness::Writing)))) => {
                *known
            }
            _ => readiness,
        };
        let wait = match readiness {
            Readiness::Closed => AFTER_CLOSE,
            Readiness::Seen(_) => rest,
            Readiness::Writing => rest * PATIENCE,
        };
        self.put(path.to_path_buf(), now + wait, readiness);
    }

    /// Takes out a file whose moment has come.
    pub fn next_due(&mut self, now: Instant) -> Option<(PathBuf, Readiness)> {
        let first = self.by_time.first()?;
        if first.0 > now {
            return None;
        }
        let (_, path) = self.by_time.pop_first()?;
        let (_, readiness) = self.files.remove(&path)?;
        if self.files.is_empty() {
            // What a great many files took is not kept.
            self.files.shrink_to(1024);
        }
        Some((path, readiness))
    }

    /// When the next file is due.
    pub fn next_moment(&self) -> Option<Instant> {
        self.by_time.first().map(|(moment, _)| *moment)
    }

    /// The files that are not being written to.
    pub fn ready(&self) -> impl Iterator<Item = PathBuf> {
        let files = self.files.iter();
        let ready = files.filter(|(_, (_, readiness))| *readiness != Readiness::Writing);
        ready.map(|(path, _)| path.clone())
    }

    /// Makes everything due that is not being written to, for someone who waits for it.
    pub fn hurry(&mut self, now: Instant) -> Vec<PathBuf> {
        let ready: Vec<_> = self.ready().collect();
        for path in &ready {
            let readiness = self.files[path].1;
            self.put(path.clone(), now, readiness);
        }
        ready
    }

    /// Whether the file waits here.
    pub fn contains(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// How many files wait.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn put(&mut self, path: PathBuf, moment: Instant, readiness: Readiness) {
        if let Some((before, _)) = self.files.insert(path.clone(), (moment, readiness)) {
            self.by_time.remove(&(before, path.clone()));
        }
        self.by_time.insert((moment, path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(2);

    fn second(start: Instant, second: f32) -> Instant {
        start + Duration::from_secs_f32(second)
    }

    #[test]
    fn a_file_that_is_written_waits_for_the_close() {
        let (mut settling, start, path) = (Settling::default(), Instant::now(), Path::new("a"));
        for second_of_write in 0..30 {
            let now = second(start, second_of_write as f32);
            settling.note(path, Readiness::Writing, now, REST);
            assert_eq!(settling.next_due(second(now, 0.9)), None);
        }
        settling.note(path, Readiness::Closed, second(start, 30.0), REST);
        assert_eq!(settling.next_due(second(start, 30.05)), None);
        let due = settling.next_due(second(start, 30.2));
        assert_eq!(due, Some((path.to_path_buf(), Readiness::Closed)));
        assert!(settling.is_empty() && settling.next_moment().is_none());
    }

    #[test]
    fn a_writer_that_never_closes_is_not_waited_for_for_ever() {
        let (mut settling, start, path) = (Settling::default(), Instant::now(), Path::new("a"));
        settling.note(path, Readiness::Writing, start, REST);
        assert_eq!(settling.next_due(second(start, 59.0)), None);
        assert!(settling.next_due(second(start, 61.0)).is_some());
    }

    #[test]
    fn each_file_waits_once_and_the_earliest_comes_first() {
        let (mut settling, start) = (Settling::default(), Instant::now());
        let (a, b) = (Path::new("a"), Path::new("b"));
        settling.note(b, Readiness::Seen(None), start, REST);
        settling.note(a, Readiness::Closed, start, REST);
        // Its times are set after the close, as `cp -p` does.
        settling.note(a, Readiness::Seen(None), start, REST);
        assert_eq!(settling.len(), 2);
        let now = second(start, 3.0);
        let first = settling.next_due(now);
        assert_eq!(first, Some((a.to_path_buf(), Readiness::Closed)));
        assert_eq!(settling.next_due(now).unwrap().0, b);
        assert_eq!(settling.next_due(now), None);
    }

    #[test]
    fn who_waits_hurries_all_but_what_is_being_written() {
        let (mut settling, start) = (Settling::default(), Instant::now());
        settling.note(Path::new("open"), Readiness::Writing, start, REST);
        settling.note(Path::new("seen"), Readiness::Seen(None), start, REST);
        assert_eq!(settling.hurry(start), [PathBuf::from("seen")]);
        assert_eq!(settling.next_due(start).unwrap().0, Path::new("seen"));
        assert_eq!(settling.next_due(start), None);
        assert!(settling.contains(Path::new("open")));
    }
}
