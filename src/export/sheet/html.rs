//! Encodes a contact sheet as one HTML file that includes pictures and style.

use std::fmt::Write as _;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use super::labels::Label;
use super::{Picture, caption, heading, labels_of};
use crate::error::{Error, Result};
use crate::file;
use crate::store::StoredFace;

/// Line height, assumed width of a letter, and padding before a text, in units of the font size.
const LINE_HEIGHT: f32 = 1.25;
const LETTER_WIDTH: f32 = 0.58;
const PADDING: f32 = 0.15;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 16px; }
h1 { margin: 0 0 16px; font-size: 20px; }
main { display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); }
figure { margin: 0; }
figure > div { position: relative; display: grid; place-items: center; min-height: 4em; background: #8882; border-radius: 6px; overflow: hidden; }
a { color: inherit; }
img { display: block; width: 100%; height: auto; }
svg { position: absolute; inset: 0; width: 100%; height: 100%; }
rect { fill: none; stroke: #ffd23f; stroke-width: 2; vector-effect: non-scaling-stroke; pointer-events: all; }
text { fill: #fff; paint-order: stroke; stroke: #000c; stroke-width: .2em; pointer-events: none; }
figcaption { padding: 4px 2px; overflow-wrap: anywhere; }
@media print { figure { break-inside: avoid; } }
</style>
"#;

/// Encodes the page.
pub(super) fn write(pictures: &[Picture<'_>]) -> Result<Vec<u8>> {
    let mut page = HEAD.to_owned();
    let heading = escaped(&heading(pictures));
    append(
        &mut page,
        format_args!("<title>{heading}</title>\n<h1>{heading}</h1>\n<main>\n"),
    );
    for picture in pictures {
        page.push_str("<figure><div>");
        match &picture.thumbnail {
            Ok(thumbnail) => write_photo(&mut page, picture, thumbnail)?,
            Err(skip) => page.push_str(&escaped(&skip.to_string())),
        }
        let path = escaped(&picture.hit.path.to_string_lossy());
        let caption = escaped(&caption(picture.hit));
        append(
            &mut page,
            format_args!(
                "</div><figcaption title=\"{path}\"><a href=\"{}\">{caption}</a></figcaption></figure>\n",
                file::url(&picture.hit.path)
            ),
        );
    }
    page.push_str("</main>\n");
    Ok(page.into_bytes())
}

fn write_photo(page: &mut String, picture: &Picture<'_>, thumbnail: &RgbImage) -> Result<()> {
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, 82)
        .encode_image(thumbnail)
        .map_err(|error| Error::Usage(format!("cannot encode the contact sheet: {error}")))?;
    let data = STANDARD.encode(jpeg.get_ref());
    let scan = &picture.hit.analysis;
    let (width, height) = (scan.width, scan.height);
    let alt = escaped(&caption(picture.hit));
    append(
        page,
        format_args!(
            "<img alt=\"{alt}\" width=\"{}\" height=\"{}\" src=\"data:image/jpeg;base64,{data}\">\
             <svg viewBox=\"0 0 {width} {height}\">",
            thumbnail.width(),
            thumbnail.height(),
        ),
    );
    // The text has the same size in every photo, whatever the resolution.
    let size = width.max(height) as f32 / 28.0;
    let measure = |text: &str| {
        (
            text.chars().count() as f32 * LETTER_WIDTH * size,
            LINE_HEIGHT * size,
        )
    };
    let labels = labels_of(picture.hit, 1.0, measure);
    for (face, label) in scan.faces.iter().zip(&labels) {
        write_face(page, face);
        if let Some(label) = label {
            write_label(page, label, size);
        }
    }
    page.push_str("</svg>");
    Ok(())
}

fn write_face(page: &mut String, face: &StoredFace) {
    let b = &face.face.bounding_box;
    let scores: Vec<String> = face
        .scores
        .iter()
        .map(|(emotion, probability)| format!("{emotion} {:.1} %", 100.0 * probability))
        .collect();
    append(
        page,
        format_args!(
            "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\"><title>{}</title></rect>",
            b.x,
            b.y,
            b.width,
            b.height,
            escaped(&scores.join("\n")),
        ),
    );
}

/// `textLength` fixes the width of the text, since the browser chooses the font.
fn write_label(page: &mut String, Label { text, at }: &Label, size: f32) {
    let gap = PADDING * size;
    append(
        page,
        format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{size:.1}\" textLength=\"{:.1}\" \
             lengthAdjust=\"spacingAndGlyphs\">{}</text>",
            at.x + gap,
            at.y + size,
            at.width - 2.0 * gap,
            escaped(text),
        ),
    );
}

fn append(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text)
        .expect("writing to a string does not fail");
}

/// The text as markup: the five characters that XML and HTML reserve become references.
fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_file_names_is_escaped() {
        assert_eq!(escaped("<b> \"a\" & c"), "&lt;b&gt; &quot;a&quot; &amp; c");
    }
}
