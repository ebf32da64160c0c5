//! The interface of the follower's thread: the messages it takes and the state it publishes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use tokio::sync::{Notify, oneshot};

use super::Activity;
use super::queue::Queue;
use crate::error::Result;

/// A message to the follower.
pub(super) enum Message {
    /// The pipeline has committed a file.
    Done(PathBuf),
    /// A batch run ended: the queue was empty, or an error occurred.
    BatchEnded(Result<()>),
    /// A request to reply once every file that was closed before is in the index.
    Fresh(oneshot::Sender<()>),
    /// A request to read the settings again.
    Reload,
    /// A request to stop.
    Stop,
}

/// What the follower publishes to other threads.
#[derive(Debug)]
pub(super) struct FollowerState {
    activity: Mutex<Activity>,
    ready: Notify,
    is_ready: AtomicBool,
    last_heartbeat: Mutex<Instant>,
}

impl FollowerState {
    pub fn new() -> Self {
        Self {
            activity: Mutex::default(),
            ready: Notify::new(),
            is_ready: AtomicBool::new(false),
            last_heartbeat: Mutex::new(Instant::now()),
        }
    }

    /// Records that the follower is alive.
    pub fn heartbeat(&self) {
        let last = self.last_heartbeat.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Records that all roots were reconciled, and wakes the tasks that wait for this.
    pub fn set_ready(&self) {
        if !self.is_ready.swap(true, Ordering::AcqRel) {
            self.ready.notify_waiters();
        }
    }

    pub fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    pub fn publish(&self, activity: Activity) {
        let published = self.activity.lock();
        *published.unwrap_or_else(PoisonError::into_inner) = activity;
    }
}

/// Lets other threads send messages to the follower and read its state.
#[derive(Clone)]
pub(super) struct Handle {
    messages: Sender<Message>,
    queue: Queue,
    state: Arc<FollowerState>,
}

impl Handle {
    pub const fn new(messages: Sender<Message>, queue: Queue, state: Arc<FollowerState>) -> Self {
        Self {
            messages,
            queue,
            state,
        }
    }

    /// Sends a message without waiting for the follower to take it.
    pub fn send(&self, message: Message) {
        let messages = self.messages.clone();
        // The channel is bounded, and a thread of the async runtime must not block.
        tokio::task::spawn_blocking(move || messages.send(message));
    }

    /// Stops the follower after the photos in flight are committed; no other file is begun.
    pub fn stop(&self) {
        self.queue.close();
        self.send(Message::Stop);
    }

    /// The published activity. While the follower scans, it publishes nothing but fills the queue, so the length of the
    /// queue is taken from the queue if that is more.
    pub fn activity(&self) -> Activity {
        let activity = self.state.activity.lock();
        let mut activity = activity.unwrap_or_else(PoisonError::into_inner).clone();
        activity.queue = activity.queue.max(self.queue.len());
        activity
    }

    /// Waits until all roots were reconciled once.
    pub async fn ready(&self) {
        let ready = self.state.ready.notified();
        if !self.state.is_ready() {
            ready.await;
        }
    }

    /// Whether the last heartbeat is less than `limit` ago.
    pub fn is_alive(&self, limit: Duration) -> bool {
        let last = self.state.last_heartbeat.lock();
        last.unwrap_or_else(PoisonError::into_inner).elapsed() < limit
    }
}
