//! Makes an album, a folder of links, of the photos that a person selected in the page.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Shared;
use super::api_error::ApiError;
use crate::error::{Error, Result};
use crate::store::{PhotoId, Store};

/// The longest name of an album, in bytes; leaves room for a number before it in a file name.
const MAX_NAME_BYTES: usize = 200;

/// The folder in which albums are made, and the function that fills them.
///
/// If the page could choose where files are written, whoever controls the page could write anywhere on the machine.
/// Therefore the folder is chosen when the gallery is started, and the page sends only a name within it.
#[derive(Debug, Clone)]
pub struct Albums {
    /// The folder in which albums are made.
    pub folder: PathBuf,
    /// Whether a folder is an album.
    pub exists: fn(folder: &Path) -> bool,
    /// Fills a folder with links to photos. They replace an album's earlier links; other files in the folder are kept.
    pub fill: Fill,
    /// Adds links to photos to an album.
    pub add: Fill,
}

/// Makes links to photos of the index in a folder.
pub type Fill = fn(folder: &Path, photos: &[&Path], index: &Store) -> Result<()>;

/// The body of a request for an album.
#[derive(Debug, Deserialize)]
pub(super) struct AlbumRequest {
    name: String,
    photos: Vec<i64>,
    /// What to do with an album of that name; if this is absent and one exists, the request is refused.
    existing: Option<Existing>,
}

/// What to do with an existing album of the same name.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Existing {
    /// It keeps its photos, and the new ones are added.
    Add,
    /// It has only the new photos.
    Replace,
}

/// The answer: where the album is, and how many of the given photos are not in it because they are gone.
#[derive(Debug, Serialize)]
pub(super) struct MadeAlbum {
    folder: String,
    gone: usize,
}

/// `POST /api/album`: makes an album of the given photos.
pub(super) async fn make_album(
    State(shared): State<Arc<Shared>>,
    Json(album): Json<AlbumRequest>,
) -> Result<Json<MadeAlbum>, ApiError> {
    let albums = shared.albums.clone().ok_or(ApiError::NoAlbums)?;
    let folder = albums.folder.join(check_name(&album.name)?);
    let mut photos = Vec::new();
    let mut gone = 0;
    for id in album.photos {
        // A person who selected hundreds of photos need not find out which of them is gone.
        let photo = match shared.photo(PhotoId(id)).await {
            Err(ApiError::NoPhoto) => {
                gone += 1;
                continue;
            }
            photo => photo?,
        };
        let existing = photo.paths.iter().position(|path| path.exists());
        photos.extend(photo.paths.into_iter().nth(existing.unwrap_or_default()));
    }
    if photos.is_empty() && gone > 0 {
        return Err(ApiError::NoPhoto);
    }
    if photos.is_empty() {
        return Err(ApiError::Bad("select photos for the album".to_owned()));
    }
    let made = shared.with_store(move |store| {
        let photos: Vec<&Path> = photos.iter().map(PathBuf::as_path).collect();
        let put = match album.existing {
            _ if !(albums.exists)(&folder) => albums.fill,
            None => return Err(ApiError::AlbumExists),
            Some(Existing::Add) => albums.add,
            Some(Existing::Replace) => albums.fill,
        };
        put(&folder, &photos, store).map_err(explain_name_error)?;
        let folder = folder.to_string_lossy().into_owned();
        Ok(Json(MadeAlbum { folder, gone }))
    });
    made.await
}

/// The error of a folder that cannot be filled, worded for a user who chooses only the name.
fn explain_name_error(error: Error) -> ApiError {
    match error {
        Error::Usage(sentence) => {
            let reason = sentence.split("; name another folder").next();
            ApiError::Bad(format!(
                "{}; choose another name",
                reason.unwrap_or(&sentence)
            ))
        }
        error => error.into(),
    }
}

/// Checks that a name is a valid folder name on every system and has no path separators.
fn check_name(name: &str) -> Result<&str, ApiError> {
    let name = name.trim();
    let is_odd = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    if name.is_empty()
        || name.len() > MAX_NAME_BYTES
        || name.starts_with('.')
        || name.ends_with('.')
        || name.contains(is_odd)
    {
        return Err(ApiError::Bad(format!(
            "\"{name}\" cannot be the name of a folder; choose letters, digits and spaces"
        )));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_lead_out_of_the_folder() {
        for name in ["Summer 2019", "  Été à Rome ", "夏", "a..b"] {
            assert_eq!(check_name(name).unwrap(), name.trim());
        }
        for name in [
            "", " ", ".", "..", ".hidden", "../up", "a/b", "/etc", "a\\b", "c:", "a\nb", "a\0b",
            "end.",
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name(&"x".repeat(MAX_NAME_BYTES + 1)).is_err());
    }
}
