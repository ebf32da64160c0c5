//! The page itself, in the binary.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Everything that `/assets/…` leads to: name, type, text.
const ASSETS: &[(&str, &str, &str)] = &[
    ("gallery.css", CSS, include_str!("assets/gallery.css")),
    ("photo.css", CSS, include_str!("assets/photo.css")),
    ("icon.svg", SVG, include_str!("assets/icon.svg")),
    ("address.js", SCRIPT, include_str!("assets/address.js")),
    ("api.js", SCRIPT, include_str!("assets/api.js")),
    ("dom.js", SCRIPT, include_str!("assets/dom.js")),
    ("emotions.js", SCRIPT, include_str!("assets/emotions.js")),
    ("filters.js", SCRIPT, include_str!("assets/filters.js")),
    ("grid.js", SCRIPT, include_str!("assets/grid.js")),
    ("keys.js", SCRIPT, include_str!("assets/keys.js")),
    ("live.js", SCRIPT, include_str!("assets/live.js")),
    ("main.js", SCRIPT, include_str!("assets/main.js")),
    ("photo.js", SCRIPT, include_str!("assets/photo.js")),
    ("faces.js", SCRIPT, include_str!("assets/faces.js")),
];

/// `GET /`: the page; what it shows is in the rest of the address, which the page reads itself.
pub(super) async fn page() -> impl IntoResponse {
    let html = include_str!("assets/index.html");
    ([(header::CONTENT_TYPE, HTML)], html)
}

/// `GET /assets/{name}`.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Refusal> {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let &(_, kind, text) = found.ok_or(Refusal::NotFound)?;
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// `GET /favicon.ico`: browsers ask for it before they have read which icon the page names.
pub(super) async fn favicon() -> Result<Response, Refusal> {
    asset(Path("icon.svg".to_owned())).await
}
