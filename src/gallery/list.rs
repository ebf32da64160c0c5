//! The photos that the filters find, and how many there are.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};

use super::Shared;
use super::answer::{Answer, Counts, Tile};
use super::refusal::Refusal;
use super::request::{Filters, Part};
use crate::emotion::Emotion;

/// `GET /api/photos`: a part of the grid.
pub(super) async fn photos(
    State(shared): State<Arc<Shared>>,
    Query(part): Query<Part>,
) -> Result<Json<Answer>, Refusal> {
    let min_detection = shared.min_detection;
    let hits = shared.ask(move |store| {
        let mut query = part.filters.query(
            part.filters.emotion.unwrap_or(Emotion::Happy),
            min_detection,
        );
        query.limit = part.offset + part.limit() + 1;
        let mut hits = store.query(&query)?;
        let more = hits.len() == query.limit;
        hits.truncate(part.offset + part.limit());
        let photos = hits.iter().skip(part.offset).map(Tile::of).collect();
        Ok(Answer { photos, more })
    });
    Ok(Json(hits.await?))
}

/// `GET /api/counts`.
pub(super) async fn counts(
    State(shared): State<Arc<Shared>>,
    Query(filters): Query<Filters>,
) -> Result<Json<Counts>, Refusal> {
    let min_detection = shared.min_detection;
    let counts = shared.ask(move |store| {
        let mut emotions = std::collections::BTreeMap::new();
        for emotion in Emotion::ALL {
            let mut query = filters.query(emotion, min_detection);
            query.limit = usize::MAX;
            emotions.insert(emotion.name(), store.count(&query)?);
        }
        Ok(Counts {
            all: store.totals()?.photos,
            emotions,
            folders: Vec::new(),
            indexed: true,
        })
    });
    Ok(Json(counts.await?))
}
