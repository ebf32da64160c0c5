//! The follower: takes what happens in order, and keeps the queue of the pipeline filled.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use tokio::sync::{Notify, oneshot};

use super::queue::Queue;
use super::roots::{Root, distinct};
use super::status::Pace;
use super::turn::Turns;
use super::{Activity, RootState, Settings, Setup, beside};
use crate::album::{Followed, Readiness, Settling, Watch};
use crate::error::{Error, Result};
use crate::store::{Models, Store};

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

/// What others want from the follower.
pub(super) enum Request {
    /// An answer once everything that was closed before is in the index.
    Fresh(oneshot::Sender<()>),
    /// Reading the settings again.
    Reload,
    /// An end.
    Stop,
}

/// What the follower is told.
pub(super) enum Message {
    /// A file is committed.
    Done(PathBuf),
    /// The queue was empty, or an error ended the work.
    TurnEnded(Result<()>),
    /// Someone wants something.
    Request(Request),
}

/// What the follower shows to the other threads.
struct Shared {
    activity: Mutex<Activity>,
    ready: Notify,
    is_ready: AtomicBool,
    pulse: Mutex<Instant>,
}

impl Shared {
    fn beat(&self) {
        *self.pulse.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// The follower as the other threads know it.
#[derive(Clone)]
pub(super) struct Handle {
    messages: Sender<Message>,
    queue: Queue,
    shared: Arc<Shared>,
}

impl Handle {
    /// Hands over a request. It is answered in its own time, if at all.
    pub fn ask(&self, request: Request) {
        let messages = self.messages.clone();
        // The channel is bounded, and a runtime's thread must not wait.
        tokio::task::spawn_blocking(move || messages.send(Message::Request(request)));
    }

    /// Lets the photos in flight be finished, and no more.
    pub fn stop(&self) {
        self.queue.close();
        self.ask(Request::Stop);
    }

    /// What it does right now.
    pub fn activity(&self) -> Activity {
        let activity = self.shared.activity.lock();
        let mut activity = activity.unwrap_or_else(PoisonError::into_inner).clone();
        activity.queue = activity.queue.max(self.queue.len());
        activity
    }

    /// Waits until the folders were held against the index once.
    pub async fn ready(&self) {
        let ready = self.shared.ready.notified();
        if !self.shared.is_ready.load(Ordering::Acquire) {
            ready.await;
        }
    }

    /// Whether it did something within `limit`.
    pub fn is_alive(&self, limit: Duration) -> bool {
        let pulse = self.shared.pulse.lock();
        pulse.unwrap_or_else(PoisonError::into_inner).elapsed() < limit
    }
}

/// Someone who waits until the index is up to date.
struct Waiter {
    /// The file whose closing marks the moment.
    cookie: PathBuf,
    /// What is still to be done, once the moment was reached.
    pending: Option<Vec<PathBuf>>,
    reply: oneshot::Sender<()>,
}

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
    cookies: PathBuf,
    /// Whether the folder of cookies is watched.
    has_cookies: bool,
    waiters: Vec<Waiter>,
    /// How many cookies there have been.
    moments: u64,
    times: Timetable,
    pace: Pace,
    trouble: Option<String>,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    shared: Arc<Shared>,
}

impl Follower {
    pub fn new(store: Store, settings: Settings) -> Result<Self> {
        let setup = settings()?;
        let analyser = (setup.load)()?;
        let (sender, messages) = bounded(WAITING_MESSAGES);
        let now = Instant::now();
        let shared = Shared {
            activity: Mutex::default(),
            ready: Notify::new(),
            is_ready: AtomicBool::new(false),
            pulse: Mutex::new(now),
        };
        Ok(Self {
            models: analyser.models(),
            watch: Watch::new(setup.max_watches)?,
            settling: Settling::default(),
            queue: Queue::default(),
            turns: Turns::new(analyser),
            roots: distinct(setup.roots.clone()),
            polled: BTreeSet::new(),
            unreadable: HashSet::new(),
            cookies: beside(store.path(), "cookies"),
            has_cookies: false,
            waiters: Vec::new(),
            moments: 0,
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
            shared: Arc::new(shared),
            store,
            settings,
            setup,
        })
    }

    pub fn handle(&self) -> Handle {
        Handle {
            messages: self.sender.clone(),
            queue: self.queue.clone(),
            shared: Arc::clone(&self.shared),
        }
    }

    /// Follows until it is told to stop, and then until the photos in flight are committed.
    pub fn run(mut self) {
        self.prepare_cookies();
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
        self.waiters.clear();
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
                match result {
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
            let waiting: Vec<_> = self.waiters.iter().map(|w| w.cookie.clone()).collect();
            self.try_later(Self::reconcile_all)?;
            for cookie in waiting {
                self.reached(&cookie);
            }
            if !self.shared.is_ready.swap(true, Ordering::AcqRel) {
                self.shared.ready.notify_waiters();
            }
        }
        if now >= self.times.check_roots {
            self.times.check_roots = now + CHECK_ROOTS;
            self.try_later(Self::check_roots)?;
            if self.turns.rest() {
                self.store.release_memory()?;
            }
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
            let database = self.store.path().to_owned();
            let (setup, queue) = (&self.setup, &self.queue);
            if let Err(error) = self.turns.start(&database, setup, queue, &self.sender) {
                self.try_again(&error, &[]);
            }
        }
        self.answer_waiters();
        Ok(())
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
        let loaded = (self.settings)().and_then(|setup| {
            let analyser = (setup.load)()?;
            Ok((setup, analyser))
        });
        match loaded {
            Ok((setup, analyser)) => {
                self.models = analyser.models();
                self.turns.replace(analyser);
                let before = std::mem::replace(&mut self.roots, distinct(setup.roots.clone()));
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

    /// The folder in which a file's closing marks a moment in the order of changes.
    fn prepare_cookies(&mut self) {
        let _ = fs::remove_dir_all(&self.cookies);
        if let Err(error) = fs::create_dir(&self.cookies) {
            tracing::warn!("{}: {error}", self.cookies.display());
        }
        self.has_cookies = self.watch.add(&self.cookies) == Followed::Watched;
    }

    fn mark_moment(&mut self, reply: oneshot::Sender<()>) {
        self.moments += 1;
        let cookie = self.cookies.join(self.moments.to_string());
        let result = fs::write(&cookie, "");
        self.waiters.push(Waiter {
            cookie: cookie.clone(),
            pending: None,
            reply,
        });
        if let Err(error) = &result {
            self.report(&format!("{}: {error}", cookie.display()));
        }
        if result.is_err() || !self.has_cookies {
            // A scan sees everything, too.
            self.times.rescan = Instant::now();
        }
    }

    /// Everything that happened before someone asked is known now.
    fn reached(&mut self, cookie: &PathBuf) {
        let _ = fs::remove_file(cookie);
        let unreached = |waiter: &&mut Waiter| waiter.cookie == *cookie && waiter.pending.is_none();
        if self.waiters.iter_mut().find(unreached).is_none() {
            return;
        }
        if let Err(error) = self.poll() {
            self.report(&error.to_string());
        }
        let mut pending = self.settling.hurry(Instant::now());
        pending.extend(self.queue.paths());
        if let Some(waiter) = self.waiters.iter_mut().find(unreached) {
            waiter.pending = Some(pending);
        }
    }

    fn answer_waiters(&mut self) {
        let (settling, queue) = (&self.settling, &self.queue);
        let is_done = |waiter: &mut Waiter| {
            let Some(pending) = &mut waiter.pending else {
                return waiter.reply.is_closed();
            };
            pending.retain(|path| settling.contains(path) || queue.contains(path));
            pending.is_empty() || waiter.reply.is_closed()
        };
        for waiter in self.waiters.extract_if(.., is_done) {
            let _ = waiter.reply.send(());
        }
    }

    /// Shows what it does.
    fn publish(&mut self) {
        let now = Instant::now();
        self.shared.beat();
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
            is_ready: self.shared.is_ready.load(Ordering::Acquire),
            queue: self.queue.len() + self.settling.len(),
            photos_per_second: self.pace.per_second(now),
            watched_folders: self.watch.count().saturating_sub(1),
            polled_folders: self.polled.len(),
            trouble: self.trouble.clone(),
        };
        let shown = self.shared.activity.lock();
        *shown.unwrap_or_else(PoisonError::into_inner) = activity;
    }
}
