//! Stores and undoes corrections of faces.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::Shared;
use super::api_error::ApiError;
use crate::emotion::Emotion;
use crate::face::Correction;
use crate::pipeline;
use crate::store::{EarlierCorrection, FaceId, TakenBack};

/// The correction of one face.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CorrectionRequest {
    /// The face shows this emotion.
    Shows(Emotion),
    /// This is not a face.
    NotAFace,
    /// An earlier correction is undone.
    #[serde(rename = "nothing")]
    Undo,
    /// A correction is taken back as if it had not been made.
    TakeBack {
        /// The emotion to which the face was corrected.
        made: Emotion,
        /// What was said of it before.
        earlier: Earlier,
    },
}

/// What was said of a face before the last correction.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Earlier {
    /// Nothing.
    Nothing,
    /// A person's own correction to this emotion.
    Shows(Emotion),
    /// A correction to an emotion that was carried over.
    Follows {
        /// The correction from which it was carried over.
        leader: i64,
        /// The emotion.
        shows: Emotion,
    },
}

impl From<Earlier> for EarlierCorrection {
    fn from(earlier: Earlier) -> Self {
        match earlier {
            Earlier::Nothing => Self::None,
            Earlier::Shows(emotion) => Self::Own(Correction::Emotion(emotion)),
            Earlier::Follows { leader, shows } => Self::Carried {
                from: leader,
                correction: Correction::Emotion(shows),
            },
        }
    }
}

/// `POST /api/face/{face}`: stores or undoes a correction.
pub(super) async fn correct(
    State(shared): State<Arc<Shared>>,
    Path(face): Path<i64>,
    Json(request): Json<CorrectionRequest>,
) -> Result<StatusCode, ApiError> {
    let face = FaceId(face);
    let is_correction = matches!(
        request,
        CorrectionRequest::Shows(_)
            | CorrectionRequest::NotAFace
            | CorrectionRequest::TakeBack {
                earlier: Earlier::Shows(_),
                ..
            }
    );
    let is_known_face = shared.with_store(move |store| match request {
        CorrectionRequest::Shows(emotion) => Ok(store.correct(face, Correction::Emotion(emotion))?),
        CorrectionRequest::NotAFace => Ok(store.correct(face, Correction::NotAFace)?),
        // Undoing a correction that does not exist succeeds.
        CorrectionRequest::Undo => Ok(store.undo(face).map(|_| true)?),
        CorrectionRequest::TakeBack { made, earlier } => {
            match store.take_back(face, Correction::Emotion(made), earlier.into())? {
                TakenBack::Done => Ok(true),
                TakenBack::Changed => Err(ApiError::Corrected),
                TakenBack::NoFace => Ok(false),
            }
        }
    });
    if is_known_face.await? {
        tokio::spawn(async move {
            if is_correction {
                carry_over(&shared, face).await;
            }
            learn(&shared).await;
        });
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoFace)
    }
}

/// Carries the correction of a face over to edits and exports of the photo. This decodes photos, so the answer does not
/// wait for it. If the gallery ends before it is done, it is done when the photos are next analysed.
async fn carry_over(shared: &Arc<Shared>, face: FaceId) {
    let Ok(_permit) = shared.decoding.acquire().await else {
        return;
    };
    let decoder = Arc::clone(&shared.decoder);
    let carried =
        shared.with_store(move |store| Ok(pipeline::carry_over(store, &[face], &decoder)?));
    if let Err(error) = carried.await {
        tracing::warn!(
            face = face.0,
            ?error,
            "the correction could not be carried over to edits of the photo"
        );
    }
}

/// Updates the personal layer and the scores of all faces in the background. If the gallery ends before that, the next
/// correction, `watch` or `fer-index learn` does it.
async fn learn(shared: &Arc<Shared>) {
    let Ok(_permit) = shared.learning.acquire().await else {
        return;
    };
    let learned = shared.with_store(move |store| Ok(store.learn(|_| ())?));
    if let Err(error) = learned.await {
        tracing::warn!(?error, "the scores do not follow the corrections yet");
    }
}
