//! Serves the page, its scripts and its styles, which are part of the binary.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::api_error::ApiError;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Every file that `/assets/…` serves: name, media type, text.
const ASSETS: &[(&str, &str, &str)] = &[
    ("gallery.css", CSS, include_str!("assets/gallery.css")),
    ("grid.css", CSS, include_str!("assets/grid.css")),
    ("photo.css", CSS, include_str!("assets/photo.css")),
    ("places.css", CSS, include_str!("assets/places.css")),
    ("icon.svg", SVG, include_str!("assets/icon.svg")),
    ("address.js", SCRIPT, include_str!("assets/address.js")),
    ("api.js", SCRIPT, include_str!("assets/api.js")),
    ("cursor.js", SCRIPT, include_str!("assets/cursor.js")),
    ("dom.js", SCRIPT, include_str!("assets/dom.js")),
    ("emotions.js", SCRIPT, include_str!("assets/emotions.js")),
    ("faces.js", SCRIPT, include_str!("assets/faces.js")),
    ("facts.js", SCRIPT, include_str!("assets/facts.js")),
    ("filters.js", SCRIPT, include_str!("assets/filters.js")),
    ("grid.js", SCRIPT, include_str!("assets/grid.js")),
    ("in_words.js", SCRIPT, include_str!("assets/in_words.js")),
    ("keys.js", SCRIPT, include_str!("assets/keys.js")),
    ("live.js", SCRIPT, include_str!("assets/live.js")),
    ("main.js", SCRIPT, include_str!("assets/main.js")),
    ("pages.js", SCRIPT, include_str!("assets/pages.js")),
    ("photo.js", SCRIPT, include_str!("assets/photo.js")),
    ("places.js", SCRIPT, include_str!("assets/places.js")),
    ("rows.js", SCRIPT, include_str!("assets/rows.js")),
    ("selection.js", SCRIPT, include_str!("assets/selection.js")),
    ("slideshow.js", SCRIPT, include_str!("assets/slideshow.js")),
    ("summary.js", SCRIPT, include_str!("assets/summary.js")),
    ("taken.js", SCRIPT, include_str!("assets/taken.js")),
    ("theme.js", SCRIPT, include_str!("assets/theme.js")),
    ("tile.js", SCRIPT, include_str!("assets/tile.js")),
    (
        "selection_actions.js",
        SCRIPT,
        include_str!("assets/selection_actions.js"),
    ),
    ("zoom.js", SCRIPT, include_str!("assets/zoom.js")),
];

/// `GET /`: the page. Its scripts read the filters from the rest of the address.
pub(super) async fn page() -> impl IntoResponse {
    let html = include_str!("assets/index.html");
    ([(header::CONTENT_TYPE, HTML)], html)
}

/// `GET /assets/{name}`: one of the files of the page.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, ApiError> {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let &(_, kind, text) = found.ok_or(ApiError::NotFound)?;
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// `GET /favicon.ico`: browsers request it before they know which icon the page names.
pub(super) async fn favicon() -> Result<Response, ApiError> {
    asset(Path("icon.svg".to_owned())).await
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::query::FLAGS;

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gallery/assets");
        let mut files: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "index.html")
            .collect();
        let mut served: Vec<_> = ASSETS.iter().map(|(name, ..)| *name).collect();
        files.sort_unstable();
        served.sort_unstable();
        assert_eq!(served, files);
    }

    /// The page keeps every filter that an address may have; `offset` is not a filter but the index of the first photo
    /// to return.
    #[test]
    fn the_page_knows_every_filter() {
        let (_, names) = include_str!("assets/filters.js")
            .split_once("const NAMES = [")
            .unwrap();
        let (names, _) = names.split_once(']').unwrap();
        for flag in FLAGS.iter().filter(|flag| flag.name != "offset") {
            let name = format!("\"{}\"", flag.name);
            assert!(names.contains(&name), "{name} is not among {names}");
        }
    }

    /// The page names every script, so that a browser need not read one script before it requests the next.
    #[test]
    fn the_page_names_every_script() {
        let page = include_str!("assets/index.html");
        for (name, ..) in ASSETS.iter().filter(|(_, kind, _)| *kind != SVG) {
            assert!(page.contains(&format!("\"assets/{name}\"")), "{name}");
        }
    }
}
