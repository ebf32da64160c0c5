//! The follower: takes what happens in order, and keeps the queue of the pipeline filled.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use tokio::sync::oneshot;

use super::handle::{Handle, Message, Request, Shown};
use super::queue::Queue;
use super::roots::Root;
use super::status::Pace;
use super::turn::Turns;
use super::waiters::Waiters;
use super::{Activity, RootState, Settings, Setup};
use crate::album::{Readiness, Settling, Watch, outermost};
use crate::error::{Error, Result};
use crate::store::{Models, Store};
use fer_nn::allocator;

mod decide;

/// Messages that may wait; who has more waits too.
const WAITING_MESSAGES: usize = 1024;

/// Changes that are taken in one go before anything else is looked at.
const CHANGES_AT_ONCE: usize = 4096;

/// Time between looks whether the roots are still there.
const CHECK_ROOTS: Duration = Duration::from_secs(2);

/// How long to wait after an error before trying again.
const AFTER_TROUBLE: Duration = Duration::from_secs(10);

/// How often photos that are gone for good are looked for.
const PRUNE: Duration = Duration::from_hours(24);

/// When what is done regularly is due.
struct Timetable {
    rescan: Instant,
    poll: Instant,
    check_roots: Instant,
    prune: Instant,
    /// Not before then: something went wrong.
    work: Instant,
}

/// See the module.
pub(super) struct Follower {
    store: Store,
    settings: Settings,
    setup: Setup,
    models: Models,
    watch: Watch,
    settling: Settling,
    queue: Queue,
    turns: Turns,
    roots: Vec<Root>,
    /// Folders that the system does not tell about.
    polled: BTreeSet<PathBuf>,
    /// Folders that cannot be read, so that each is logged once.
    unreadable: HashSet<PathBuf>,
    waiters: Waiters,
    times: Timetable,
    pace: Pace,
    trouble: Option<String>,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    shown: Arc<Shown>,
}

impl Follower {
    pub fn new(store: Store, settings: Settings) -> Result<Self> {
        let setup = settings()?;
        let (sender, messages) = bounded(WAITING_MESSAGES);
        let now = Instant::now();
        Ok(Self {
            models: setup.models.clone(),
            watch: Watch::new(setup.max_watches)?,
            settling: Settling::default(),
            queue: Queue::default(),
            turns: Turns::default(),
            roots: roots_of(&setup),
            polled: BTreeSet::new(),
            unreadable: HashSet::new(),
            waiters: Waiters::new(store.path()),
            times: Timetable {
                rescan: now,
                poll: now + setup.poll,
                check_roots: now + CHECK_ROOTS,
                prune: now,
                work: now,
            },
            pace: Pace::default(),
            trouble: None,
            messages,
            sender,
            shown: Arc::new(Shown::new()),
            store,
            settings,
            setup,
        })
    }

    pub fn handle(&self) -> Handle {
        let shown = Arc::clone(&self.shown);
        Handle::new(self.sender.clone(), self.queue.clone(), shown)
    }

    /// Follows until it is told to stop, and then until the photos in flight are committed.
    pub fn run(mut self) {
        self.waiters.prepare(&mut self.watch);
        self.publish();
        loop {
            let is_going_on = self.listen();
            if !is_going_on {
                break;
            }
            if let Err(error) = self.act() {
                self.report(&error.to_string());
            }
            self.publish();
        }
        self.waiters.dismiss();
        while self.turns.is_running() {
            match self.messages.recv() {
                Ok(Message::TurnEnded(_)) | Err(_) => self.turns.ended(),
                Ok(_) => {}
            }
        }
    }

    /// Waits for something to happen and notes what does; whether to go on.
    fn listen(&mut self) -> bool {
        let now = Instant::now();
        let times = &self.times;
        let mut next = times.check_roots.min(times.rescan).min(times.prune);
        if !self.polled.is_empty() {
            next = next.min(times.poll);
        }
        if self.queue.has_work() && !self.turns.is_running() {
            next = next.min(times.work);
        }
        if let Some(moment) = self.settling.next_moment() {
            next = next.min(moment);
        }
        let changes = self.watch.changes().clone();
        let messages = self.messages.clone();
        select! {
            recv(changes) -> change => {
                if let Ok(change) = change {
                    self.note(change);
                }
            }
            recv(messages) -> message => {
                if let Ok(message) = message && !self.hear(message) {
                    return false;
                }
            }
            default(next.saturating_duration_since(now)) => {}
        }
        for change in changes.try_iter().take(CHANGES_AT_ONCE) {
            self.note(change);
        }
        for message in messages.try_iter().take(WAITING_MESSAGES) {
            if !self.hear(message) {
                return false;
            }
        }
        true
    }

    /// Takes a message; whether to go on.
    fn hear(&mut self, message: Message) -> bool {
        match message {
            Message::Done(path) => {
                self.queue.done(&path);
                self.pace.count(Instant::now());
            }
            Message::TurnEnded(result) => {
                self.turns.ended();
                let left = self.queue.put_back();
                match result.and_then(|()| self.release_memory()) {
                    Ok(()) => self.trouble = None,
                    Err(error) => self.try_again(&error, &left),
                }
            }
            Message::Request(Request::Fresh(reply)) => self.mark_moment(reply),
            Message::Request(Request::Reload) => self.reload(),
            Message::Request(Request::Stop) => return false,
        }
        true
    }

    /// After an error in the pipeline: what it did not get done is looked at again, later.
    fn try_again(&mut self, error: &Error, left: &[PathBuf]) {
        self.report(&error.to_string());
        let later = Instant::now() + AFTER_TROUBLE;
        self.times.work = later;
        for path in left {
            let settle = self.setup.settle;
            self.settling.note(path, Readiness::Closed, later, settle);
        }
    }

    /// After work: what only the next work needs is not kept.
    fn release_memory(&self) -> Result<()> {
        self.store.release_memory()?;
        allocator::trim();
        Ok(())
    }

    /// Does what is due.
    fn act(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.watch.take_lost() {
            tracing::info!("more changed at once than the system tells: scanning the folders");
            self.times.rescan = now;
        }
        if now >= self.times.rescan {
            self.times.rescan = now + self.setup.rescan;
            self.times.poll = now + self.setup.poll;
            // Before the scan: who asks from now on needs a cookie of their own.
            let cookies = self.waiters.cookies();
            self.try_later(Self::reconcile_all)?;
            for cookie in cookies {
                self.reached(&cookie);
            }
            self.shown.set_ready();
            self.release_memory()?;
        }
        if now >= self.times.check_roots {
            self.times.check_roots = now + CHECK_ROOTS;
            self.try_later(Self::check_roots)?;
            self.turns.rest();
        }
        if now >= self.times.poll {
            self.times.poll = now + self.setup.poll;
            self.try_later(Self::poll)?;
        }
        if now >= self.times.prune && !self.turns.is_running() && self.settling.is_empty() {
            self.times.prune = now + PRUNE;
            self.store.prune(self.setup.keep)?;
        }
        while let Some((path, readiness)) = self.settling.next_due(now) {
            let settle = self.setup.settle;
            if let Err(error) = self.check(&path, readiness, now) {
                self.settling
                    .note(&path, readiness, now + AFTER_TROUBLE, settle);
                return Err(error);
            }
        }
        if self.queue.has_work() && !self.turns.is_running() && now >= self.times.work {
            self.start_turn();
        }
        let (settling, queue) = (&self.settling, &self.queue);
        self.waiters
            .answer(|path| settling.contains(path) || queue.contains(path));
        Ok(())
    }

    fn start_turn(&mut self) {
        let (setup, queue) = (&self.setup, &self.queue);
        match self
            .turns
            .start(self.store.path(), setup, queue, &self.sender)
        {
            Ok(models) if models == self.models => {}
            Ok(models) => {
                // The model's file is another one since the settings were read.
                self.models = models;
                self.times.rescan = Instant::now();
            }
            Err(error) => self.try_again(&error, &[]),
        }
    }

    /// After an error the folders are held against the index again, soon.
    fn try_later(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let result = work(self);
        if result.is_err() {
            self.times.rescan = Instant::now() + AFTER_TROUBLE;
        }
        result
    }

    /// Logs a trouble once.
    fn report(&mut self, trouble: &str) {
        if self.trouble.as_deref() != Some(trouble) {
            tracing::error!("{trouble}");
            self.trouble = Some(trouble.to_owned());
        }
    }

    fn reload(&mut self) {
        match (self.settings)() {
            Ok(setup) => {
                self.models = setup.models.clone();
                self.turns.forget_models();
                let before = std::mem::replace(&mut self.roots, roots_of(&setup));
                for root in before {
                    if !self.roots.iter().any(|new| new.path == root.path) {
                        self.watch.remove_tree(&root.path);
                    }
                }
                self.polled.clear();
                self.setup = setup;
                self.times.rescan = Instant::now();
            }
            Err(error) => tracing::error!("the settings stay as they were: {error}"),
        }
    }

    fn mark_moment(&mut self, reply: oneshot::Sender<()>) {
        let will_be_told = self.waiters.join(reply).unwrap_or_else(|error| {
            self.report(&format!(
                "nothing can be written beside the database: {error}"
            ));
            false
        });
        if !will_be_told {
            // A scan sees everything, too.
            self.times.rescan = Instant::now();
        }
    }

    /// Everything that happened before someone asked is known now.
    fn reached(&mut self, cookie: &Path) {
        if !self.waiters.expect(cookie) {
            return;
        }
        let _ = std::fs::remove_file(cookie);
        if let Err(error) = self.poll() {
            self.report(&error.to_string());
        }
        let mut pending = self.settling.hurry(Instant::now());
        pending.extend(self.queue.paths());
        self.waiters.reached(cookie, pending);
    }

    /// Shows what it does.
    fn publish(&mut self) {
        let now = Instant::now();
        self.shown.beat();
        let polled = &self.polled;
        let state = |root: &Root| match root.state {
            Some(RootState::Offline) => Some(RootState::Offline),
            None => None,
            Some(_) if root.is_polled || polled.iter().any(|f| f.starts_with(&root.path)) => {
                Some(RootState::Polling)
            }
            Some(_) => Some(RootState::Watching),
        };
        let roots = self
            .roots
            .iter()
            .map(|root| (root.path.to_string_lossy().into_owned(), state(root)))
            .collect();
        let activity = Activity {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            roots,
            is_ready: self.shown.is_ready(),
            queue: self.queue.len() + self.settling.len(),
            photos_per_second: self.pace.per_second(now),
            watched_folders: self.watch.count().saturating_sub(1),
            polled_folders: self.polled.len(),
            trouble: self.trouble.clone(),
        };
        self.shown.publish(activity);
    }
}

fn roots_of(setup: &Setup) -> Vec<Root> {
    let folders = outermost(setup.roots.clone());
    folders.into_iter().map(Root::new).collect()
}
