//! A contact sheet as a picture.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};
use plotters::prelude::*;

use super::labels::Label;
use super::{Picture, SIDE, caption, heading, labels_of};
use crate::error::{Error, Result};
use crate::font;

const MARGIN: i32 = 16;
const CAPTION: i32 = 34;
/// From one photo to the next.
const ACROSS: i32 = SIDE as i32 + MARGIN;
const TEXT: i32 = 20;
const HEADING: i32 = 28;
const FRAME: RGBColor = RGBColor(255, 210, 63);
const PAPER: RGBColor = RGBColor(250, 250, 248);
const INK: RGBColor = RGBColor(40, 40, 40);

/// More photos would be a picture that no program opens.
pub(super) const MOST: usize = 400;

/// Draws the sheet.
pub(super) fn write(pictures: &[Picture<'_>]) -> Result<Vec<u8>> {
    font::register();
    let columns = (pictures.len() as f64).sqrt().ceil().clamp(1.0, 6.0) as i32;
    // A row is as high as its highest photo.
    let heights: Vec<i32> = pictures
        .chunks(columns as usize)
        .map(|row| row.iter().map(height).max().unwrap_or_default())
        .collect();
    let down: i32 = heights.iter().map(|high| high + CAPTION + MARGIN).sum();
    let size = (
        (columns * ACROSS + MARGIN) as u32,
        (HEADING + MARGIN + down + MARGIN) as u32,
    );
    let mut sheet = RgbImage::new(size.0, size.1);
    draw(&mut sheet, size, pictures, &heights)
        .map_err(|problem| Error::Usage(format!("a contact sheet cannot be made: {problem}")))?;
    let mut png = Cursor::new(Vec::new());
    sheet
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|problem| Error::Usage(format!("a contact sheet cannot be made: {problem}")))?;
    Ok(png.into_inner())
}

fn draw(
    sheet: &mut RgbImage,
    size: (u32, u32),
    pictures: &[Picture<'_>],
    heights: &[i32],
) -> Result<(), String> {
    let area = BitMapBackend::with_buffer(sheet, size).into_drawing_area();
    let failed = |error: DrawingAreaErrorKind<_>| error.to_string();
    area.fill(&PAPER).map_err(failed)?;
    let columns = (size.0 as i32 - MARGIN) / ACROSS;
    let side = SIDE as i32;
    let large = (font::FAMILY, HEADING).into_font().color(&INK);
    let text = fitted(&area, &heading(pictures), &large, columns * ACROSS - MARGIN);
    area.draw_text(&text, &large, (MARGIN, MARGIN))
        .map_err(failed)?;
    let mut top = MARGIN + HEADING + MARGIN;
    for (index, picture) in (0..).zip(pictures) {
        let (column, row) = (index % columns, (index / columns) as usize);
        if column == 0 && row > 0 {
            top += heights[row - 1] + CAPTION + MARGIN;
        }
        let (left, high) = (MARGIN + column * ACROSS, heights[row]);
        let style = (font::FAMILY, TEXT).into_font().color(&INK);
        let text = match &picture.small {
            Ok(small) => {
                let height = small.height() as i32;
                let corner = (left, top + high - height); // on its caption
                let image = BitMapElement::with_owned_buffer(
                    corner,
                    small.dimensions(),
                    small.as_raw().clone(),
                )
                .ok_or("a photo of no size")?;
                area.draw(&image).map_err(failed)?;
                draw_faces(&area, picture, corner, small.width()).map_err(failed)?;
                caption(picture.hit)
            }
            Err(skip) => format!("{} ({skip})", caption(picture.hit)),
        };
        font::note_missing(&text);
        let text = fitted(&area, &text, &style, side);
        area.draw_text(&text, &style, (left, top + high + 6))
            .map_err(failed)?;
    }
    area.present().map_err(failed)
}

fn height(picture: &Picture<'_>) -> i32 {
    let small = picture.small.as_ref();
    small.map_or(0, |small| small.height() as i32)
}

/// Frames and names the faces of a photo that lies at `corner`, `width` pixels wide.
fn draw_faces<DB: DrawingBackend>(
    area: &DrawingArea<DB, plotters::coord::Shift>,
    picture: &Picture<'_>,
    corner: (i32, i32),
    width: u32,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let scan = &picture.hit.scan;
    let scale = width as f32 / scan.width.max(1) as f32;
    let limit = (
        corner.0 + width as i32,
        corner.1 + (scan.height as f32 * scale) as i32,
    );
    for face in &scan.faces {
        let b = &face.face.bounding_box;
        let place = |x: f32, y: f32| {
            (
                (corner.0 + (x * scale) as i32).clamp(corner.0, limit.0 - 1),
                (corner.1 + (y * scale) as i32).clamp(corner.1, limit.1 - 1),
            )
        };
        let (upper, lower) = (place(b.x, b.y), place(b.x + b.width, b.y + b.height));
        area.draw(&Rectangle::new([upper, lower], FRAME.stroke_width(2)))?;
    }
    let style = (font::FAMILY, TEXT - 4).into_font().color(&WHITE);
    let measure = |text: &str| {
        let (wide, high) = area.estimate_text_size(text, &style).unwrap_or_default();
        (wide as f32 + 4.0, high as f32 + 6.0)
    };
    for Label { text, at } in labels_of(picture.hit, scale.recip(), measure)
        .into_iter()
        .flatten()
    {
        let (x, y) = (corner.0 + at.x as i32, corner.1 + at.y as i32);
        let back = [(x, y), (x + at.width as i32, y + at.height as i32)];
        area.draw(&Rectangle::new(back, BLACK.mix(0.6).filled()))?;
        area.draw_text(&text, &style, (x + 2, y + 4))?;
    }
    Ok(())
}

/// As much of a text as `room` pixels hold, with the sign for what is left out.
fn fitted<DB: DrawingBackend>(
    area: &DrawingArea<DB, plotters::coord::Shift>,
    text: &str,
    style: &TextStyle<'_>,
    room: i32,
) -> String {
    let fits = |text: &str| {
        let size = area.estimate_text_size(text, style);
        size.is_ok_and(|(wide, _)| wide as i32 <= room)
    };
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
