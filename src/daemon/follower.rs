//! The follower takes changes and messages in order, and fills the pipeline's queue.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use tokio::sync::oneshot;

use super::batch::BatchRunner;
use super::handle::{FollowerState, Handle, Message};
use super::learner::Learner;
use super::lock::Lock;
use super::mount_table::MountTable;
use super::queue::Queue;
use super::roots::Root;
use super::status::Throughput;
use super::waiters::Waiters;
use super::{Activity, RootState, Settings, Setup};
use crate::album::{Debouncer, Readiness, Watch};
use crate::error::{Error, Result};
use crate::pipeline::drop_linked_roots;
use crate::store::{Models, Store};
use fer_nn::allocator;

mod adopt_ctime;
mod check;
mod reconcile;
mod reload;

use reload::roots_of;

/// Capacity of the message channel; a sender waits while it is full.
const MESSAGE_CAPACITY: usize = 1024;

/// Maximum number of changes that are taken before messages and due tasks are handled.
const CHANGES_AT_ONCE: usize = 4096;

/// Interval at which the presence of the roots and of the database is checked.
const CHECK_ROOTS: Duration = Duration::from_secs(2);

/// Delay before work is retried after an error.
const RETRY_DELAY: Duration = Duration::from_secs(10);

/// Interval of the deletion of photos whose grace period has passed, and of roots that are links into others.
const PRUNE: Duration = Duration::from_hours(24);

/// When each periodic task is due.
struct Schedule {
    rescan: Instant,
    poll: Instant,
    check_roots: Instant,
    prune: Instant,
    /// Earliest start of the next batch run; later than now only after an error.
    batch: Instant,
}

/// Follows the roots of one database; see the module's documentation.
pub(super) struct Follower {
    store: Store,
    lock: Arc<Lock>,
    settings: Settings,
    setup: Setup,
    models: Models,
    watch: Watch,
    debouncer: Debouncer,
    queue: Queue,
    batches: BatchRunner,
    learner: Learner,
    roots: Vec<Root>,
    /// The mounts below the roots, which come and go like roots.
    mounts: Vec<Root>,
    mount_table: MountTable,
    /// Folders whose changes the system does not report.
    polled: BTreeSet<PathBuf>,
    /// Folders that could not be read; each is logged once.
    unreadable: HashSet<PathBuf>,
    /// Whether files were renamed since the photos that are due for another analysis were last queued.
    has_renamed: bool,
    /// Files whose status was adopted without reading them, and when; see `adopt_ctime`.
    adopted: VecDeque<(Instant, PathBuf)>,
    waiters: Waiters,
    schedule: Schedule,
    throughput: Throughput,
    trouble: Option<String>,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    state: Arc<FollowerState>,
}

impl Follower {
    pub fn new(mut store: Store, lock: Arc<Lock>, settings: Settings) -> Result<Self> {
        let setup = settings()?;
        store.set_fact_rules(&setup.facts)?;
        let (sender, messages) = bounded(MESSAGE_CAPACITY);
        let now = Instant::now();
        Ok(Self {
            models: setup.models.clone(),
            watch: Watch::new(setup.max_watches)?,
            debouncer: Debouncer::default(),
            queue: Queue::default(),
            batches: BatchRunner::default(),
            learner: Learner::default(),
            roots: roots_of(&setup),
            mounts: Vec::new(),
            mount_table: MountTable::open(),
            polled: BTreeSet::new(),
            unreadable: HashSet::new(),
            has_renamed: false,
            adopted: VecDeque::new(),
            waiters: Waiters::new(store.path()),
            schedule: Schedule {
                rescan: now,
                poll: now + setup.poll,
                check_roots: now + CHECK_ROOTS,
                prune: now,
                batch: now,
            },
            throughput: Throughput::default(),
            trouble: None,
            messages,
            sender,
            state: Arc::new(FollowerState::new()),
            store,
            lock,
            settings,
            setup,
        })
    }

    pub fn handle(&self) -> Handle {
        let state = Arc::clone(&self.state);
        Handle::new(self.sender.clone(), self.queue.clone(), state)
    }

    /// Follows the roots until a request to stop, and then until the photos in flight are committed.
    ///
    /// # Errors
    /// If the database was deleted or replaced meanwhile.
    pub fn run(mut self) -> Result<()> {
        self.waiters.prepare(&mut self.watch);
        self.publish();
        let mut result = Ok(());
        while self.listen() {
            if self.is_database_gone() {
                self.queue.close();
                result = Err(Error::Daemon(format!(
                    "{} was deleted or replaced while the daemon ran, so it stops; start it again",
                    self.store.path().display()
                )));
                break;
            }
            if let Err(error) = self.run_due_work() {
                self.report(&error.to_string());
            }
            self.publish();
        }
        self.waiters.clear();
        while self.batches.is_running() {
            match self.messages.recv() {
                Ok(Message::BatchEnded(_)) | Err(_) => self.batches.ended(),
                Ok(_) => {}
            }
        }
        result
    }

    /// Whether the database was deleted or replaced. Checked only when the roots are due to be checked, since it reads
    /// two files' metadata.
    fn is_database_gone(&self) -> bool {
        Instant::now() >= self.schedule.check_roots && !self.lock.is_in_place()
    }

    /// Waits for a change, a message or the next due task, and takes what has arrived. `false` after a
    /// request to stop.
    fn listen(&mut self) -> bool {
        let now = Instant::now();
        let schedule = &self.schedule;
        let mut next = schedule.check_roots.min(schedule.rescan);
        if self.may_prune() {
            next = next.min(schedule.prune);
        }
        if !self.polled.is_empty() {
            next = next.min(schedule.poll);
        }
        if self.queue.has_work() && !self.batches.is_running() {
            next = next.min(schedule.batch);
        }
        if let Some(moment) = self.debouncer.next_deadline() {
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
                if let Ok(message) = message && !self.receive(message) {
                    return false;
                }
            }
            default(next.saturating_duration_since(now)) => {}
        }
        for change in changes.try_iter().take(CHANGES_AT_ONCE) {
            self.note(change);
        }
        for message in messages.try_iter().take(MESSAGE_CAPACITY) {
            if !self.receive(message) {
                return false;
            }
        }
        true
    }

    /// Handles a message. `false` if it is a request to stop.
    fn receive(&mut self, message: Message) -> bool {
        match message {
            Message::Done(path) => {
                self.queue.done(&path);
                self.throughput.count(Instant::now());
            }
            Message::BatchEnded(result) => {
                self.batches.ended();
                let unfinished = self.queue.take_in_flight();
                let ended = result
                    .and_then(|()| self.queue_due())
                    .and_then(|()| self.release_memory());
                match ended {
                    Ok(()) => self.trouble = None,
                    Err(error) => self.retry_later(&error, &unfinished),
                }
            }
            Message::Fresh(reply) => self.add_waiter(reply),
            Message::Reload => self.reload(),
            Message::Stop => return false,
        }
        true
    }

    /// Reports an error of the pipeline and schedules the unfinished files for another attempt.
    fn retry_later(&mut self, error: &Error, unfinished: &[PathBuf]) {
        self.report(&error.to_string());
        let later = Instant::now() + RETRY_DELAY;
        self.schedule.batch = later;
        for path in unfinished {
            let quiet = self.setup.debounce;
            self.debouncer.note(path, Readiness::Closed, later, quiet);
        }
    }

    /// Returns to the system the memory that only the next batch run would need.
    fn release_memory(&self) -> Result<()> {
        self.store.release_memory()?;
        allocator::trim();
        Ok(())
    }

    /// Runs the tasks that are due, checks the debounced files, and starts a batch run if there is work.
    fn run_due_work(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.watch.take_overflow() {
            tracing::info!(
                "more files changed at once than the system could report: scanning the folders"
            );
            self.schedule.rescan = now;
            self.reread_adopted();
        }
        if now >= self.schedule.rescan {
            self.schedule.rescan = now + self.setup.rescan;
            self.schedule.poll = now + self.setup.poll;
            // Collected before the scan: it need not find the changes that were made before a sync cookie that is created
            // during it.
            let sync_cookies = self.waiters.sync_cookies();
            self.rescan_on_error(Self::reconcile_all)?;
            for sync_cookie in sync_cookies {
                self.sync_cookie_seen(&sync_cookie);
            }
            self.state.set_ready();
            self.release_memory()?;
        }
        if now >= self.schedule.check_roots {
            self.schedule.check_roots = now + CHECK_ROOTS;
            self.rescan_on_error(Self::check_roots)?;
            self.batches.unload_idle_models();
            self.learner.start_if_due(&self.store)?;
        }
        if now >= self.schedule.poll {
            self.schedule.poll = now + self.setup.poll;
            self.rescan_on_error(Self::poll)?;
        }
        if now >= self.schedule.prune && self.may_prune() {
            self.schedule.prune = now + PRUNE;
            drop_linked_roots(&mut self.store)?;
            self.store.prune(self.setup.keep)?;
        }
        self.check_due(now)?;
        self.note_missed();
        // Only after all renames are handled: while two photos exchange their names, one of them has no path for a
        // moment.
        if self.has_renamed && self.debouncer.is_empty() && self.queue.len() == 0 {
            self.has_renamed = false;
            self.queue_due()?;
        }
        if self.queue.has_work() && !self.batches.is_running() && now >= self.schedule.batch {
            self.start_batch_run();
        }
        let (debouncer, queue) = (&self.debouncer, &self.queue);
        self.waiters
            .answer(|path| debouncer.contains(path) || queue.contains(path));
        Ok(())
    }

    /// Whether no file may lead to a photo again in a moment: all roots were reconciled, and what was found is committed.
    fn may_prune(&self) -> bool {
        let is_idle = self.queue.len() == 0 && !self.batches.is_running();
        self.state.is_ready() && is_idle && self.debouncer.is_empty()
    }

    fn start_batch_run(&mut self) {
        let (setup, queue) = (&self.setup, &self.queue);
        match self
            .batches
            .start(self.store.path(), setup, queue, &self.sender)
        {
            Ok(models) if models == self.models => {}
            Ok(models) => {
                // The model file was replaced after the settings were read.
                self.models = models;
                self.schedule.rescan = Instant::now();
            }
            Err(error) => self.retry_later(&error, &[]),
        }
    }

    /// Runs `work`; if it fails, schedules a rescan after [`RETRY_DELAY`].
    fn rescan_on_error(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let result = work(self);
        if result.is_err() {
            self.schedule.rescan = Instant::now() + RETRY_DELAY;
        }
        result
    }

    /// Logs a problem, once while it lasts, and shows it in the status.
    fn report(&mut self, trouble: &str) {
        if self.trouble.as_deref() != Some(trouble) {
            tracing::error!("{trouble}");
            self.trouble = Some(trouble.to_owned());
        }
    }

    fn add_waiter(&mut self, reply: oneshot::Sender<()>) {
        let is_sync_cookie_watched = self.waiters.add(reply).unwrap_or_else(|error| {
            self.report(&format!(
                "no file can be created beside the database: {error}"
            ));
            false
        });
        if !is_sync_cookie_watched {
            // A scan also finds all earlier changes.
            self.schedule.rescan = Instant::now();
        }
    }

    /// Called when every change before the request of this sync cookie is known: collects the files for which the request
    /// still has to wait.
    fn sync_cookie_seen(&mut self, sync_cookie: &Path) {
        if !self.waiters.is_expecting(sync_cookie) {
            return;
        }
        let _ = std::fs::remove_file(sync_cookie);
        if let Err(error) = self.poll() {
            self.report(&error.to_string());
        }
        self.note_missed();
        let mut pending = self.debouncer.expedite(Instant::now());
        pending.extend(self.queue.paths());
        self.waiters.sync_cookie_seen(sync_cookie, pending);
    }

    /// Publishes the current activity to other threads.
    fn publish(&mut self) {
        let now = Instant::now();
        self.state.heartbeat();
        let polled = &self.polled;
        let root_state = |root: &Root| match root.state {
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
            .map(|root| (root.path.to_string_lossy().into_owned(), root_state(root)))
            .collect();
        let activity = Activity {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            roots,
            is_ready: self.state.is_ready(),
            queue: self.queue.len() + self.debouncer.len(),
            photos_per_second: self.throughput.per_second(now),
            watched_folders: self.watch.count().saturating_sub(1),
            polled_folders: self.polled.len(),
            trouble: self.trouble.clone(),
        };
        self.state.publish(activity);
    }
}
