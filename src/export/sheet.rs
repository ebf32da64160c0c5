//! Contact sheets: the photos of a search on one page, with a frame and a label for each face.

mod html;
mod labels;
mod png;

use std::path::Path;

use image::RgbImage;
use rayon::prelude::*;

use super::thumbnail_of;
use crate::error::{Error, Result, Skip};
use crate::output::{self, Form};
use crate::pipeline::Decoder;
use crate::store::{Hit, StoredFace};

use labels::{Area, Label};

/// Longer side of a photo on a sheet, in pixels.
const SIDE: u32 = 480;

/// A photo on a sheet.
struct Picture<'a> {
    hit: &'a Hit,
    /// A thumbnail of the photo, or why there is none.
    thumbnail: Result<RgbImage, Skip>,
}

/// Encodes a sheet.
type Encoder = fn(&[Picture<'_>]) -> Result<Vec<u8>>;

/// Writes a sheet in the format of its extension: `.html`, one self-contained file, or `.png`.
///
/// # Errors
/// If the extension is not one of these, a file that fer-index did not write is in the way, or the file cannot be
/// written. A photo that cannot be read causes no error: the sheet shows the reason in place of the photo.
pub fn contact_sheet(file: &Path, hits: &[Hit], decoder: &Decoder) -> Result<()> {
    let (form, write): (_, Encoder) =
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => (Form::Markup, html::write),
            Some("png") if hits.len() > png::MAX_PHOTOS => {
                return Err(Error::Usage(format!(
                    "{} photos do not fit on one PNG sheet; use --limit {} or less, or \
                     write an .html sheet",
                    hits.len(),
                    png::MAX_PHOTOS
                )));
            }
            Some("png") => (Form::Png, png::write),
            _ => {
                return Err(Error::Usage(format!(
                    "a contact sheet is an HTML or PNG file; give {} the ending .html or .png",
                    file.display()
                )));
            }
        };
    let pictures: Vec<_> = hits
        .par_iter()
        .map(|hit| Picture {
            hit,
            thumbnail: thumbnail_of(&hit.path, decoder, (SIDE, SIDE)),
        })
        .collect();
    output::write(file, form, &write(&pictures)?)
}

/// The labels of the faces of a photo, whose coordinates are divided by `scale`; see [`labels::place_labels`].
fn labels_of(hit: &Hit, scale: f32, measure: impl Fn(&str) -> (f32, f32)) -> Vec<Option<Label>> {
    let faces: Vec<_> = hit
        .analysis
        .faces
        .iter()
        .map(|face| {
            let b = &face.face.bounding_box;
            let area = Area {
                x: b.x / scale,
                y: b.y / scale,
                width: b.width / scale,
                height: b.height / scale,
            };
            (area, label_texts(face))
        })
        .collect();
    let photo = (
        hit.analysis.width as f32 / scale,
        hit.analysis.height as f32 / scale,
    );
    labels::place_labels(photo, &faces, measure)
}

/// The possible labels of a face, longest first, with its most probable or corrected emotion.
fn label_texts(face: &StoredFace) -> Vec<String> {
    if let Some(correction) = face.correction {
        return vec![correction.name().to_owned()];
    }
    let (emotion, probability) = face.scores.top();
    vec![
        format!("{emotion} {:.0} %", 100.0 * probability),
        emotion.name().to_owned(),
    ]
}

/// The heading of a sheet: the number of photos and their dates.
fn heading(pictures: &[Picture<'_>]) -> String {
    let photos = match pictures.len() {
        1 => "1 photo".to_owned(),
        many => format!("{many} photos"),
    };
    let days = || {
        let taken = pictures
            .iter()
            .filter_map(|picture| picture.hit.analysis.capture.taken_at);
        taken.map(|taken| taken.local.date())
    };
    match (days().min(), days().max()) {
        (Some(first), Some(last)) if first == last => format!("{photos}, {first}"),
        (Some(first), Some(last)) => format!("{photos}, {first} to {last}"),
        _ => photos,
    }
}

/// The caption below a photo.
fn caption(hit: &Hit) -> String {
    let name = hit.path.file_name().unwrap_or_default().to_string_lossy();
    let score = hit
        .ranked_by
        .map(|by| format!("{:.0} % {} · ", 100.0 * by.score, by.emotion));
    let taken = hit.analysis.capture.taken_at;
    let date = taken.map(|taken| format!(" · {}", taken.local.date()));
    format!(
        "{}{name}{}",
        score.unwrap_or_default(),
        date.unwrap_or_default()
    )
}
