//! The photos that the filters find, and how many there are.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};

use super::Shared;
use super::answer::{Answer, Counts, Tile};
use super::refusal::Refusal;
use super::request::{Part, Wish};

/// `GET /api/photos`: a part of the grid.
pub(super) async fn photos(
    State(shared): State<Arc<Shared>>,
    Query(wish): Query<Wish>,
    Query(part): Query<Part>,
) -> Result<Json<Answer>, Refusal> {
    let min_detection = shared.min_detection;
    let hits = shared.ask(move |store| {
        let mut query = wish.read(store, min_detection)?.query;
        query.offset = part.offset;
        query.limit = Some(part.limit() + 1); // one more tells whether there are more
        Ok(store.query(&query)?)
    });
    let mut hits = hits.await?;
    let more = hits.len() > part.limit();
    hits.truncate(part.limit());
    let photos = hits.iter().map(Tile::of).collect();
    Ok(Json(Answer { photos, more }))
}

/// `GET /api/counts`: what each emotion would bring under the other filters, and the folders.
pub(super) async fn counts(
    State(shared): State<Arc<Shared>>,
    Query(wish): Query<Wish>,
) -> Result<Json<Counts>, Refusal> {
    let min_detection = shared.min_detection;
    let counts = shared.ask(move |store| {
        let question = wish.read(store, min_detection)?;
        let counts = store.counts(&question.query)?;
        let why_empty = if store.total(&question.query)? == 0 {
            question.filter.why_empty(store, min_detection)?
        } else {
            Vec::new()
        };
        let (folders, cameras) = (store.folders()?, store.cameras()?);
        Ok(Counts::of(&question, &counts, why_empty, &folders, cameras))
    });
    Ok(Json(counts.await?))
}
