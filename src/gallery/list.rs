//! Lists and counts the photos that match the filters.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};

use super::Shared;
use super::answer::{Counts, PhotoPage, Tile};
use super::api_error::ApiError;
use super::request::{FilterParameters, Page};

/// `GET /api/photos`: one page of the photos in the grid.
pub(super) async fn photos(
    State(shared): State<Arc<Shared>>,
    Query(parameters): Query<FilterParameters>,
    Query(page): Query<Page>,
) -> Result<Json<PhotoPage>, ApiError> {
    let defaults = shared.defaults;
    let answer = shared.with_store(move |store| {
        let search = parameters.read(store, defaults)?;
        let left = search.max_photos().saturating_sub(page.offset);
        let limit = page.limit().min(left);
        let mut query = search.query;
        query.offset = page.offset;
        query.limit = Some(limit + 1); // one more photo shows whether more follow
        Ok((store.query(&query)?, limit, left > limit))
    });
    let (mut hits, limit, may_go_on) = answer.await?;
    let more = may_go_on && hits.len() > limit;
    hits.truncate(limit);
    let photos = hits.iter().map(Tile::of).collect();
    Ok(Json(PhotoPage { photos, more }))
}

/// `GET /api/counts`: how many photos show each emotion under the other filters, and the folders.
pub(super) async fn counts(
    State(shared): State<Arc<Shared>>,
    Query(parameters): Query<FilterParameters>,
) -> Result<Json<Counts>, ApiError> {
    let defaults = shared.defaults;
    let counts = shared.with_store(move |store| {
        let search = parameters.read(store, defaults)?;
        let counts = store.counts(&search.query)?;
        let most = u64::try_from(search.max_photos()).unwrap_or(u64::MAX);
        let found = store.total(&search.query)?.min(most);
        let undated = store.undated(&search.query)?;
        let why_empty = if found == 0 {
            search.filter.why_empty(store, defaults)?
        } else {
            Vec::new()
        };
        let (folders, cameras, people) = (store.folders()?, store.cameras()?, store.people()?);
        Ok(Counts::of(
            &search,
            (found, undated),
            &counts,
            why_empty,
            &folders,
            cameras,
            people,
        ))
    });
    Ok(Json(counts.await?))
}
