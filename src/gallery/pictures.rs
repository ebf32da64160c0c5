//! Serves the pixels of photos by number, only from bytes whose hash is that of the indexed photo.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};

use image::RgbImage;

use super::api_error::ApiError;
use super::{Shared, run_blocking};
use crate::file::read_bytes;
use crate::imaging::jpeg_of;
use crate::photo::ContentHash;
use crate::store::{Photo, PhotoId};

/// The large picture fits into this size, in pixels: a current screen with some reserve for zooming.
const VIEW_SIZE: (u32, u32) = (2560, 1600);

/// Browsers cache a picture, but show it again only after this server has confirmed that the photo still exists.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// `GET /thumb/{photo}`: the thumbnail for the grid.
pub(super) async fn thumbnail(
    State(shared): State<Arc<Shared>>,
    Path(photo): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    respond(&shared, photo, &headers, |shared, photo| {
        shared
            .thumbnails
            .get(&photo.hash, |size| upright_copy(shared, photo, size))
    })
    .await
}

/// `GET /view/{photo}`: the photo upright, as large as a screen, in a format that every browser shows.
pub(super) async fn view(
    State(shared): State<Arc<Shared>>,
    Path(photo): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    respond(&shared, photo, &headers, |shared, photo| {
        Ok(jpeg_of(&upright_copy(shared, photo, VIEW_SIZE)?))
    })
    .await
}

/// Answers with the picture that `draw` makes of a photo, or "not modified" if the browser has it.
async fn respond(
    shared: &Arc<Shared>,
    photo: i64,
    headers: &HeaderMap,
    draw: impl FnOnce(&Shared, &Photo) -> Result<Vec<u8>, ApiError> + Send + 'static,
) -> Result<Response, ApiError> {
    let photo = shared.photo(PhotoId(photo)).await?;
    let tag = entity_tag(&photo);
    if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return Ok(not_modified(tag));
    }
    let jpeg = run_decoding(shared, move |shared| draw(shared, &photo)).await?;
    Ok(picture_response(tag, jpeg))
}

/// Runs `work` on a thread that may block, limited by the decoding permits.
async fn run_decoding(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> Result<Vec<u8>, ApiError> + Send + 'static,
) -> Result<Vec<u8>, ApiError> {
    let permit = shared.decoding.acquire().await;
    let own = Arc::clone(shared);
    let done = run_blocking(move || work(&own)).await;
    drop(permit);
    done
}

/// An upright copy of a photo, of at most this width and height.
fn upright_copy(shared: &Shared, photo: &Photo, size: (u32, u32)) -> Result<RgbImage, ApiError> {
    Ok(shared.decoder.copy(&read_photo(shared, photo)?, size)?)
}

/// The photo's bytes, from the first of its paths that still has them.
fn read_photo(shared: &Shared, photo: &Photo) -> Result<Vec<u8>, ApiError> {
    let read = |path: &std::path::PathBuf| {
        let bytes = read_bytes(path, shared.decoder.limits().max_bytes).ok()?;
        (ContentHash::of(&bytes) == photo.hash).then_some(bytes)
    };
    let gone = || ApiError::Gone("its file is gone or has changed".to_owned());
    photo.paths.iter().find_map(read).ok_or_else(gone)
}

/// The entity tag of a photo's picture: its hash, which identifies the content.
fn entity_tag(photo: &Photo) -> HeaderValue {
    let tag = format!("\"{}\"", photo.hash);
    HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes")
}

fn not_modified(tag: HeaderValue) -> Response {
    let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, REVALIDATE)];
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

fn picture_response(tag: HeaderValue, jpeg: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, REVALIDATE),
    ];
    (headers, jpeg).into_response()
}
