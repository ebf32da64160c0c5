//! Contact sheets: the photos of an answer on one page, their faces framed and named.

mod html;
mod png;

use std::path::Path;

use image::RgbImage;
use rayon::prelude::*;

use super::small_copy;
use crate::error::{Error, Result, Skip};
use crate::imaging::Limits;
use crate::output::{self, Form};
use crate::store::{Hit, StoredFace};

/// Longer side of a photo on a sheet, in pixels.
const SIDE: u32 = 480;

/// Makes the file of a sheet.
type Write = fn(&[Picture<'_>]) -> Result<Vec<u8>>;

/// A photo on a sheet.
struct Picture<'a> {
    hit: &'a Hit,
    /// The photo made small, or why it cannot be shown.
    small: Result<RgbImage, Skip>,
}

/// Writes a sheet as its name ends: `.html`, one file that needs no other, or `.png`.
///
/// # Errors
/// If the name ends in something else, a file that is not ours is in the way, or the file cannot be
/// written. A photo that cannot be read is
/// an empty frame that says why.
pub fn contact_sheet(file: &Path, hits: &[Hit], limits: &Limits) -> Result<()> {
    let (form, write): (_, Write) = match file.extension().and_then(|extension| extension.to_str())
    {
        Some("html" | "htm") => (Form::Markup, html::write),
        Some("png") if hits.len() > png::MOST => {
            return Err(Error::Usage(format!(
                "{} photos do not fit on one PNG sheet; ask for at most {} with --limit, or \
                     write an .html sheet",
                hits.len(),
                png::MOST
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
            small: small_copy(&hit.path, limits, (SIDE, SIDE)),
        })
        .collect();
    output::write(file, form, &write(&pictures)?)
}

/// What is written at a face: the emotion that it shows most.
fn label(face: &StoredFace) -> String {
    if let Some(correction) = face.correction {
        return correction.name().to_owned();
    }
    let (emotion, probability) = face.scores.top();
    format!("{emotion} {:.0} %", 100.0 * probability)
}

/// What is written under a photo.
fn caption(hit: &Hit) -> String {
    let name = hit.path.file_name().unwrap_or_default().to_string_lossy();
    let score = hit
        .shown
        .map(|shown| format!("{:.0} % {} · ", 100.0 * shown.score, shown.emotion));
    let taken = hit.scan.capture.taken_at;
    let date = taken.map(|taken| format!(" · {}", taken.local.date()));
    format!(
        "{}{name}{}",
        score.unwrap_or_default(),
        date.unwrap_or_default()
    )
}
