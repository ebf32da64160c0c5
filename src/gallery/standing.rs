//! Where photos stand in the grid, so that the page need not fetch all photos before them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};

use super::Shared;
use super::answer::{Range, Standing};
use super::api_error::ApiError;
use super::request::FilterParameters;
use crate::store::PhotoId;

/// `GET /api/photo/{photo}/index`: the index of a photo in the grid.
pub(super) async fn index(
    State(shared): State<Arc<Shared>>,
    Path(photo): Path<i64>,
    Query(parameters): Query<FilterParameters>,
) -> Result<Json<Standing>, ApiError> {
    let defaults = shared.defaults;
    let index = shared.with_store(move |store| {
        let query = parameters.read(store, defaults)?.query_for_all();
        Ok(store.standing(&query, PhotoId(photo))?)
    });
    let index = index.await?;
    Ok(Json(Standing { index }))
}

/// `GET /api/between/{one}/{other}`: the photos of the grid from one to another.
pub(super) async fn between(
    State(shared): State<Arc<Shared>>,
    Path((one, other)): Path<(i64, i64)>,
    Query(parameters): Query<FilterParameters>,
) -> Result<Json<Range>, ApiError> {
    let defaults = shared.defaults;
    let photos = shared.with_store(move |store| {
        let query = parameters.read(store, defaults)?.query_for_all();
        Ok(store.between(&query, PhotoId(one), PhotoId(other))?)
    });
    let photos = photos.await?;
    Ok(Json(Range {
        photos: photos.map(|photos| photos.iter().map(|photo| photo.0).collect()),
    }))
}
