//! The follower as the other threads know it: what it is asked, what it is told, what it shows.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use tokio::sync::{Notify, oneshot};

use super::Activity;
use super::queue::Queue;
use crate::error::Result;

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
#[derive(Debug)]
pub(super) struct Shown {
    activity: Mutex<Activity>,
    ready: Notify,
    is_ready: AtomicBool,
    pulse: Mutex<Instant>,
}

impl Shown {
    pub fn new() -> Self {
        Self {
            activity: Mutex::default(),
            ready: Notify::new(),
            is_ready: AtomicBool::new(false),
            pulse: Mutex::new(Instant::now()),
        }
    }

    /// The follower is alive.
    pub fn beat(&self) {
        *self.pulse.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The folders were held against the index.
    pub fn set_ready(&self) {
        if !self.is_ready.swap(true, Ordering::AcqRel) {
            self.ready.notify_waiters();
        }
    }

    pub fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    pub fn publish(&self, activity: Activity) {
        let shown = self.activity.lock();
        *shown.unwrap_or_else(PoisonError::into_inner) = activity;
    }
}

/// See the module.
#[derive(Clone)]
pub(super) struct Handle {
    messages: Sender<Message>,
    queue: Queue,
    shown: Arc<Shown>,
}

impl Handle {
    pub const fn new(messages: Sender<Message>, queue: Queue, shown: Arc<Shown>) -> Self {
        Self {
            messages,
            queue,
            shown,
        }
    }

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
        let activity = self.shown.activity.lock();
        let mut activity = activity.unwrap_or_else(PoisonError::into_inner).clone();
        activity.queue = activity.queue.max(self.queue.len());
        activity
    }

    /// Waits until the folders were held against the index once.
    pub async fn ready(&self) {
        let ready = self.shown.ready.notified();
        if !self.shown.is_ready() {
            ready.await;
        }
    }

    /// Whether it did something within `limit`.
    pub fn is_alive(&self, limit: Duration) -> bool {
        let pulse = self.shown.pulse.lock();
        pulse.unwrap_or_else(PoisonError::into_inner).elapsed() < limit
    }
}
