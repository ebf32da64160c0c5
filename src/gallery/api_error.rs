//! Errors of the gallery's API: a status and a sentence.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::error::{Error, Skip};

/// Why a request is refused or has failed. The message is sent to the browser.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("the gallery refuses this host name; use the link that fer-index gallery printed")]
    ForeignHost,
    #[error("requests from other pages are refused; use the gallery's own page")]
    OtherOrigin,
    #[error(
        "this gallery is private; open it with the link that fer-index gallery printed, or start \
         it again"
    )]
    NoToken,
    #[error("not found; the gallery has nothing at this address")]
    NotFound,
    #[error("this photo is no longer in the index")]
    NoPhoto,
    #[error("this face is no longer in the index; its photo has changed or is gone")]
    NoFace,
    #[error("the photo can no longer be shown: {0}")]
    Gone(String),
    #[error("{0}")]
    Bad(String),
    #[error("the file manager opens only for browsers on the machine that runs the gallery")]
    NotHere,
    #[error(
        "there is no folder for albums; start the gallery as fer-index gallery --albums FOLDER"
    )]
    NoAlbums,
    #[error("there is an album of that name")]
    AlbumExists,
    #[error("something else was said of this face since, which stays")]
    Corrected,
    #[error("the request is larger than any that the gallery's page sends")]
    TooLarge,
    #[error("the request did not arrive in time")]
    TooSlow,
    #[error("too many connections to the gallery are open; close some of its pages")]
    TooMany,
    #[error("{0}")]
    Failed(String),
}

impl ApiError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::OtherOrigin | Self::NotHere | Self::NoAlbums => StatusCode::FORBIDDEN,
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::NotFound | Self::NoPhoto | Self::NoFace => StatusCode::NOT_FOUND,
            Self::AlbumExists | Self::Corrected => StatusCode::CONFLICT,
            Self::Gone(_) => StatusCode::GONE,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooMany => StatusCode::SERVICE_UNAVAILABLE,
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
