//! Encodes a contact sheet as a PNG.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use super::labels::Label;
use super::{Picture, SIDE, caption, heading, labels_of};
use crate::canvas::{Canvas, label_size, text_size};
use crate::error::{Error, Result};
use crate::face::BoundingBox;
use fer_core::font;

const MARGIN: i32 = 16;
const CAPTION: i32 = 34;
/// Horizontal distance between photos, in pixels.
const COLUMN: i32 = SIDE as i32 + MARGIN;
const TEXT: f32 = 20.0;
/// Font size of the labels of faces; smaller than that of captions.
const LABEL: f32 = 16.0;
const HEADING: i32 = 28;
const PAPER: Rgb<u8> = Rgb([250, 250, 248]);
const INK: Rgb<u8> = Rgb([40, 40, 40]);

/// Most photos on a sheet. With more, the picture would be too large for most programs.
pub(super) const MAX_PHOTOS: usize = 400;

/// Draws and encodes the sheet.
pub(super) fn write(pictures: &[Picture<'_>]) -> Result<Vec<u8>> {
    let columns = (pictures.len() as f64).sqrt().ceil().clamp(1.0, 6.0) as i32;
    // The height of a row is that of its highest photo.
    let heights: Vec<i32> = pictures
        .chunks(columns as usize)
        .map(|row| row.iter().map(height).max().unwrap_or_default())
        .collect();
    let down: i32 = heights.iter().map(|high| high + CAPTION + MARGIN).sum();
    let size = (
        (columns * COLUMN + MARGIN) as u32,
        (HEADING + MARGIN + down + MARGIN) as u32,
    );
    let mut sheet = RgbImage::from_pixel(size.0, size.1, PAPER);
    draw(&mut sheet, columns, pictures, &heights);
    let mut png = Cursor::new(Vec::new());
    sheet
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|problem| Error::Usage(format!("cannot encode the contact sheet: {problem}")))?;
    Ok(png.into_inner())
}

fn draw(sheet: &mut RgbImage, columns: i32, pictures: &[Picture<'_>], heights: &[i32]) {
    let mut canvas = Canvas::new(sheet);
    let large = HEADING as f32;
    let text = cut_to_width(&heading(pictures), large, columns * COLUMN - MARGIN);
    canvas.text(&text, (MARGIN as f32, MARGIN as f32), large, INK);
    let mut top = MARGIN + HEADING + MARGIN;
    for (index, picture) in (0..).zip(pictures) {
        let (column, row) = (index % columns, (index / columns) as usize);
        if column == 0 && row > 0 {
            top += heights[row - 1] + CAPTION + MARGIN;
        }
        let (left, high) = (MARGIN + column * COLUMN, heights[row]);
        let text = match &picture.thumbnail {
            Ok(thumbnail) => {
                let corner = (left, top + high - thumbnail.height() as i32); // aligned with the caption
                canvas.picture(thumbnail, corner);
                draw_faces(&mut canvas, picture, corner, thumbnail.width());
                caption(picture.hit)
            }
            Err(skip) => format!("{} ({skip})", caption(picture.hit)),
        };
        let text = cut_to_width(&font::system::readable(&text), TEXT, SIDE as i32);
        canvas.text(&text, (left as f32, (top + high + 6) as f32), TEXT, INK);
    }
}

fn height(picture: &Picture<'_>) -> i32 {
    let thumbnail = picture.thumbnail.as_ref();
    thumbnail.map_or(0, |thumbnail| thumbnail.height() as i32)
}

/// Draws frames and labels of the faces in a photo that is at `corner` and `width` pixels wide.
fn draw_faces(canvas: &mut Canvas<'_>, picture: &Picture<'_>, corner: (i32, i32), width: u32) {
    let scan = &picture.hit.analysis;
    let scale = width as f32 / scan.width.max(1) as f32;
    let limit = (width as f32, scan.height as f32 * scale);
    for face in &scan.faces {
        let b = &face.face.bounding_box;
        let within = |x: f32, y: f32| {
            (
                (x * scale).clamp(0.0, limit.0),
                (y * scale).clamp(0.0, limit.1),
            )
        };
        let (left, top) = within(b.x, b.y);
        let (right, bottom) = within(b.x + b.width, b.y + b.height);
        let on_sheet = BoundingBox {
            x: corner.0 as f32 + left,
            y: corner.1 as f32 + top,
            width: right - left,
            height: bottom - top,
        };
        canvas.frame(&on_sheet, 2);
    }
    let labels = labels_of(picture.hit, scale.recip(), |text| label_size(text, LABEL));
    for Label { text, at } in labels.into_iter().flatten() {
        let place = (corner.0 + at.x as i32, corner.1 + at.y as i32);
        canvas.label(&text, place, LABEL);
    }
}

/// A text shortened to `room` pixels, with an ellipsis if letters are omitted.
fn cut_to_width(text: &str, size: f32, room: i32) -> String {
    let fits = |text: &str| text_size(text, size).0 <= room as f32;
    if fits(text) {
        return text.to_owned();
    }
    let mut short: Vec<char> = text.chars().collect();
    while short.pop().is_some() {
        let text: String = short.iter().collect::<String>() + "…";
        if fits(&text) {
            return text;
        }
    }
    String::new()
}
