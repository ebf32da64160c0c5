//! One photo: everything about it, and its place in the file manager.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::answer::Whole;
use super::refusal::Refusal;
use super::{Shared, desktop, waiting};
use crate::store::PhotoId;

/// `GET /api/photo/{photo}`.
pub(super) async fn photo(
    State(shared): State<Arc<Shared>>,
    Path(photo): Path<i64>,
) -> Result<Json<Whole>, Refusal> {
    let photo = shared.photo(PhotoId(photo)).await?;
    let whole = Whole::of(&photo, shared.is_local);
    whole.map(Json).ok_or(Refusal::NotFound)
}

/// `POST /api/photo/{photo}/reveal`: opens the file manager where the photo lies.
pub(super) async fn reveal(
    State(shared): State<Arc<Shared>>,
    Path(photo): Path<i64>,
) -> Result<(), Refusal> {
    if !shared.is_local {
        return Err(Refusal::NotHere);
    }
    let photo = shared.photo(PhotoId(photo)).await?;
    waiting(move || {
        let there = photo.paths.iter().find(|path| path.exists());
        let gone = || Refusal::Gone("its file is gone".to_owned());
        let path = there.ok_or_else(gone)?;
        desktop::reveal(path)
            .map_err(|error| Refusal::Failed(format!("no file manager can be opened: {error}")))
    })
    .await
}
