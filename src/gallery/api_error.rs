//! What is answered in the place of what was asked for.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::error::{Error, Skip};

/// Why a request is not answered. The message is what the browser is told.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error(
        "this gallery does not answer to that name; use the link that fer-index gallery printed"
    )]
    ForeignHost,
    #[error("other pages may not use this gallery")]
    OtherOrigin,
    #[error(
        "this gallery is private; open it with the link that fer-index gallery printed, or start \
         it again"
    )]
    NoToken,
    #[error("there is nothing here")]
    NotFound,
    #[error("the photo cannot be shown any more: {0}")]
    Gone(String),
    #[error("{0}")]
    Bad(String),
    #[error("files are shown only on the machine that runs the gallery")]
    NotHere,
    #[error(
        "this gallery was not told where albums go; start it as fer-index gallery --albums FOLDER"
    )]
    NoAlbums,
    #[error("{0}")]
    Failed(String),
}

impl ApiError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::OtherOrigin | Self::NotHere | Self::NoAlbums => StatusCode::FORBIDDEN,
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone(_) => StatusCode::GONE,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Usage(sentence) => Self::Bad(sentence),
            Error::Input { .. } => Self::Bad(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<Skip> for ApiError {
    fn from(skip: Skip) -> Self {
        Self::Gone(skip.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::warn!("{self}");
        }
        (status, format!("{self}\n")).into_response()
    }
}
