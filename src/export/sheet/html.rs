//! A contact sheet as one HTML file, pictures and style included.

use std::fmt::Write as _;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use super::{Picture, caption, label};
use crate::error::{Error, Result};
use crate::store::StoredFace;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Contact sheet</title>
<style>
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 16px; display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); }
figure { margin: 0; }
figure > div { position: relative; display: grid; place-items: center; min-height: 4em; background: #8882; border-radius: 6px; overflow: hidden; }
img { display: block; width: 100%; height: auto; }
svg { position: absolute; inset: 0; width: 100%; height: 100%; }
rect { fill: none; stroke: #ffd23f; stroke-width: 2; vector-effect: non-scaling-stroke; pointer-events: all; }
text { fill: #fff; paint-order: stroke; stroke: #000c; stroke-width: .2em; }
figcaption { padding: 4px 2px; overflow-wrap: anywhere; }
@media print { figure { break-inside: avoid; } }
</style>
"#;

/// Writes the page.
pub(super) fn write(pictures: &[Picture<'_>]) -> Result<Vec<u8>> {
    let mut page = HEAD.to_owned();
    for picture in pictures {
        page.push_str("<figure><div>");
        match &picture.small {
            Ok(small) => put_photo(&mut page, picture, small)?,
            Err(skip) => page.push_str(&escaped(&skip.to_string())),
        }
        let path = escaped(&picture.hit.path.to_string_lossy());
        let caption = escaped(&caption(picture.hit));
        put(
            &mut page,
            format_args!("</div><figcaption title=\"{path}\">{caption}</figcaption></figure>\n"),
        );
    }
    Ok(page.into_bytes())
}

fn put_photo(page: &mut String, picture: &Picture<'_>, small: &RgbImage) -> Result<()> {
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, 82)
        .encode_image(small)
        .map_err(|error| Error::Usage(format!("a contact sheet cannot be made: {error}")))?;
    let data = STANDARD.encode(jpeg.get_ref());
    let scan = &picture.hit.scan;
    let (width, height) = (scan.width, scan.height);
    let alt = escaped(&caption(picture.hit));
    put(
        page,
        format_args!(
            "<img alt=\"{alt}\" width=\"{}\" height=\"{}\" src=\"data:image/jpeg;base64,{data}\">\
             <svg viewBox=\"0 0 {width} {height}\">",
            small.width(),
            small.height(),
        ),
    );
    // Text as large in every photo, whatever its resolution.
    let size = f64::from(width.max(height)) / 28.0;
    for face in &scan.faces {
        put_face(page, face, size);
    }
    page.push_str("</svg>");
    Ok(())
}

fn put_face(page: &mut String, face: &StoredFace, size: f64) {
    let b = &face.face.bounding_box;
    let scores: Vec<String> = face
        .scores
        .iter()
        .map(|(emotion, probability)| format!("{emotion} {:.1} %", 100.0 * probability))
        .collect();
    put(
        page,
        format_args!(
            "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\"><title>{}</title></rect>\
             <text x=\"{:.0}\" y=\"{:.0}\" font-size=\"{size:.0}\">{}</text>",
            b.x,
            b.y,
            b.width,
            b.height,
            escaped(&scores.join("\n")),
            b.x,
            f64::from(b.y + b.height) + size,
            escaped(&label(face)),
        ),
    );
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_no_markup() {
        assert_eq!(escaped("<b> \"a\" & c"), "&lt;b&gt; &quot;a&quot; &amp; c");
    }
}
