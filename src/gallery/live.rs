//! Notifies open pages when the index has changed.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::Shared;
use crate::store::Store;

/// How often the database is checked for writes.
const INTERVAL: Duration = Duration::from_millis(500);

/// Watches the revision of `store` on a separate thread until all receivers are dropped.
pub(super) fn follow(store: Store) -> watch::Receiver<i64> {
    let (sender, receiver) = watch::channel(store.revision().unwrap_or_default());
    thread::spawn(move || {
        while !sender.is_closed() {
            thread::sleep(INTERVAL);
            match store.revision() {
                Ok(revision) => {
                    sender.send_if_modified(|last| std::mem::replace(last, revision) != revision);
                }
                Err(error) => tracing::debug!(%error, "cannot watch the index for changes"),
            }
        }
    });
    receiver
}

/// `GET /api/live`: server-sent events: one immediately, and one after every change.
pub(super) async fn live(
    State(shared): State<Arc<Shared>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut revisions = shared.revisions.clone();
    revisions.mark_changed();
    let stopping = shared.stopping.clone();
    let events = stream::unfold(
        (revisions, stopping),
        |(mut revisions, mut stopping)| async {
            tokio::select! {
                changed = revisions.changed() => changed.ok()?,
                _ = stopping.wait_for(|stopping| *stopping) => return None,
            }
            let revision = *revisions.borrow_and_update();
            let event = Event::default().event("change").data(revision.to_string());
            Some((Ok(event), (revisions, stopping)))
        },
    );
    Sse::new(events).keep_alive(KeepAlive::default())
}
