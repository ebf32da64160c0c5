//! The details of one photo, and showing its file in the file manager.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::answer::PhotoDetail;
use super::api_error::ApiError;
use super::{Shared, desktop, run_blocking};
use crate::borders::Borders;
use crate::photo::GeoPoint;
use crate::query::Gazetteer;
use crate::store::PhotoId;

/// The maximum distance from a city, in km, at which the city counts as the place of a photo.
const MAX_CITY_DISTANCE: f64 = 50.0;

/// `GET /api/photo/{photo}`: the details of a photo.
pub(super) async fn photo(
    State(shared): State<Arc<Shared>>,
    Path(photo): Path<i64>,
) -> Result<Json<PhotoDetail>, ApiError> {
    let photo = shared.photo(PhotoId(photo)).await?;
    let id = photo.id;
    let known = shared.with_store(move |store| {
        Ok((
            store.carried(id)?,
            store.files_of_shot(id)?,
            store.learning()?,
        ))
    });
    let (carried, shot, learning) = known.await?;
    let detail = run_blocking(move || {
        let position = photo
            .content
            .as_ref()
            .ok()
            .and_then(|scan| scan.capture.position);
        let place = position.and_then(place_name);
        PhotoDetail::of(&photo, &shot, &carried, place, &learning, shared.is_local)
            .ok_or(ApiError::NoPhoto)
    });
    Ok(Json(detail.await?))
}

/// `POST /api/photo/{photo}/reveal`: shows the photo's file in the file manager.
pub(super) async fn reveal(
    State(shared): State<Arc<Shared>>,
    Path(photo): Path<i64>,
) -> Result<(), ApiError> {
    if !shared.is_local {
        return Err(ApiError::NotHere);
    }
    let photo = shared.photo(PhotoId(photo)).await?;
    run_blocking(move || {
        let existing = photo.paths.iter().find(|path| path.exists());
        let gone = || ApiError::Gone("its file is gone".to_owned());
        let path = existing.ok_or_else(gone)?;
        desktop::reveal(path)
            .map_err(|error| ApiError::Failed(format!("no file manager can be opened: {error}")))
    })
    .await
}

/// The nearest city, the region and the country; `None` on the high seas.
fn place_name(at: GeoPoint) -> Option<String> {
    Gazetteer::get().place_of(at, &Borders::get().areas(at), MAX_CITY_DISTANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_where_one_is_near() {
        let named = |latitude, longitude| {
            place_name(GeoPoint {
                latitude,
                longitude,
            })
        };
        assert_eq!(
            named(43.77, 11.25).as_deref(),
            Some("Florence, Tuscany, Italy")
        );
        assert_eq!(named(0.0, -30.0), None, "the Atlantic");
    }
}
