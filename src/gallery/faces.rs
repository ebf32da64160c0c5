//! What a person says of a face.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::Shared;
use super::api_error::ApiError;
use crate::emotion::Emotion;
use crate::face::Correction;
use crate::store::FaceId;

/// One of three things to say.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    /// It shows this emotion.
    Shows(Emotion),
    /// It is no face.
    NotAFace,
    /// What was said is taken back.
    Nothing,
}

/// `POST /api/face/{face}`: takes a person's word on a face.
pub(super) async fn say(
    State(shared): State<Arc<Shared>>,
    Path(face): Path<i64>,
    Json(word): Json<Word>,
) -> Result<StatusCode, ApiError> {
    let face = FaceId(face);
    let known = shared.ask(move |store| match word {
        Word::Shows(emotion) => Ok(store.correct(face, Correction::Emotion(emotion))?),
        Word::NotAFace => Ok(store.correct(face, Correction::NotAFace)?),
        // Nothing to take back is as good as taken back.
        Word::Nothing => Ok(store.undo(face).map(|_| true)?),
    });
    if known.await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}
