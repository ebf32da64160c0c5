//! Sets text that the built-in font lacks with the fonts of the machine: scripts that join letters or run to the left,
//! Chinese characters.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use ab_glyph::{Font as _, FontRef, GlyphId, OutlinedGlyph};
use cosmic_text::fontdb::Source;
use cosmic_text::{Attrs, Buffer, Family, FontSystem, Metrics, Shaping, Wrap};
use unicode_script::{Script, UnicodeScript};

use super::FILE;

/// The built-in font's em in units of its height, by which `ab_glyph` scales.
const EM: f32 = 0.859;

/// The fonts of the machine, which are read when a text first needs them, and the built-in one.
static FONTS: LazyLock<Mutex<FontSystem>> = LazyLock::new(|| {
    let built_in = Source::Binary(Arc::new(FILE));
    Mutex::new(FontSystem::new_with_fonts([built_in]))
});

/// A line of text with its pixels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// Its width in pixels.
    pub width: f32,
    /// The covered pixels, from the upper left corner: x, y and the share that is covered, 0 to 1.
    pub pixels: Vec<(i32, i32, f32)>,
    /// The characters that no font of the machine has.
    pub missing: Vec<char>,
}

/// Sets a line of text, `size` pixels high.
pub fn set(text: &str, size: f32) -> Line {
    let mut fonts = FONTS.lock().unwrap_or_else(PoisonError::into_inner);
    set_with(&mut fonts, text, size)
}

fn set_with(fonts: &mut FontSystem, text: &str, size: f32) -> Line {
    let mut buffer = Buffer::new_empty(Metrics::new(size * EM, size));
    buffer.set_wrap(Wrap::None);
    // A line feed in a file's name would start another line.
    let text = text.replace(char::is_control, " ");
    let attributes = Attrs::new().family(Family::Name("DejaVu Sans"));
    buffer.set_text(&text, &attributes, Shaping::Advanced, None);
    buffer.shape_until_scroll(fonts, false);
    let mut line = Line::default();
    for run in buffer.layout_runs() {
        line.width = line.width.max(run.line_w);
        for glyph in run.glyphs {
            if glyph.glyph_id == 0 {
                line.missing
                    .extend(run.text[glyph.start..glyph.end].chars());
            }
            let x = glyph.x + glyph.font_size * glyph.x_offset;
            let y = run.line_y + glyph.y - glyph.font_size * glyph.y_offset;
            let (id, weight) = (glyph.font_id, glyph.font_weight);
            let Some(font) = fonts.get_font(id, weight) else {
                continue;
            };
            let index = fonts.db().face(id).map_or(0, |face| face.index);
            let outline = outline(font.data(), index, glyph.glyph_id, (glyph.font_size, x, y));
            line.pixels.extend(outline.iter().flat_map(pixels));
        }
    }
    line
}

/// The outline of a glyph whose em is `em` pixels, at (x, y) on the baseline.
fn outline(
    file: &[u8],
    index: u32,
    glyph: u16,
    (em, x, y): (f32, f32, f32),
) -> Option<OutlinedGlyph> {
    let font = FontRef::try_from_slice_and_index(file, index).ok()?;
    let scale = em * font.height_unscaled() / font.units_per_em()?;
    let glyph = GlyphId(glyph).with_scale_and_position(scale, ab_glyph::point(x, y));
    font.outline_glyph(glyph)
}

fn pixels(outline: &OutlinedGlyph) -> Vec<(i32, i32, f32)> {
    let min = outline.px_bounds().min;
    let mut pixels = Vec::new();
    outline.draw(|x, y, covered| {
        if covered > 0.0 {
            pixels.push((min.x as i32 + x as i32, min.y as i32 + y as i32, covered));
        }
    });
    pixels
}

/// The text with the name of its script in place of each run of characters that no font of the machine has, as in
/// `[Han] 2019`; logs which fonts to install, once for each script.
pub fn readable(text: &str) -> String {
    if !super::lacks_some_of(text) {
        return text.to_owned();
    }
    let missing = set(text, 16.0).missing;
    warn_missing(&missing);
    with_names(text, &missing)
}

fn with_names(text: &str, missing: &[char]) -> String {
    let mut readable = String::new();
    let mut before = None;
    for c in text.chars() {
        let script = missing.contains(&c).then(|| c.script());
        match script {
            None => readable.push(c),
            Some(script) if before != Some(script) => {
                readable.push('[');
                readable.push_str(script.full_name());
                readable.push(']');
            }
            Some(_) => {}
        }
        before = script;
    }
    readable
}

/// Reports the scripts that no font of the machine has, each once in a run.
fn warn_missing(missing: &[char]) {
    static WARNED: Mutex<Vec<Script>> = Mutex::new(Vec::new());
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    for script in missing.iter().map(UnicodeScript::script) {
        if !warned.contains(&script) {
            warned.push(script);
            let name = script.full_name();
            tracing::warn!(
                "no font on this machine has the characters of some names (script: {name}), and the picture shows \
                 [{name}] in their place; install a font for them, or write an HTML sheet or SVG plot"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine whose only font is the built-in one.
    fn bare() -> FontSystem {
        let mut fonts = cosmic_text::fontdb::Database::new();
        fonts.load_font_data(FILE.to_vec());
        FontSystem::new_with_locale_and_db("en".to_owned(), fonts)
    }

    #[test]
    fn a_line_is_as_wide_as_the_built_in_font_sets_it() {
        use ab_glyph::ScaleFont as _;
        let font = super::super::glyphs().unwrap().as_scaled(20.0);
        for text in ["Rome", "Übung 87 %", "Москва"] {
            let line = set_with(&mut bare(), text, 20.0);
            let width: f32 = text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum();
            assert!(
                (line.width - width).abs() < 2.0,
                "{text}: {} or {width}",
                line.width
            );
            assert_eq!(line.missing, [] as [char; 0]);
            let most = line.pixels.iter().map(|(x, y, _)| (*x, *y)).max().unwrap();
            assert!(
                most.0 as f32 <= line.width + 1.0 && most.1 <= 20,
                "{text}: {most:?}"
            );
            assert!(line.pixels.iter().all(|(_, y, _)| *y >= 0), "{text}");
        }
    }

    #[test]
    fn what_no_font_has_is_named_by_its_script() {
        for (text, readable) in [
            ("Rome", "Rome"),
            ("東京 2019.jpg", "[Han] 2019.jpg"),
            ("東京タワー", "[Han][Katakana][Common]"),
            ("قاهرة, día", "[Arabic], día"),
            ("दिल्ली/東京", "[Devanagari]/[Han]"),
        ] {
            let missing = set_with(&mut bare(), text, 16.0).missing;
            assert_eq!(with_names(text, &missing), readable, "{text}");
        }
    }

    /// On any machine, each character is drawn or named.
    #[test]
    fn no_character_becomes_an_empty_box() {
        for text in ["東京", "قاهرة", "दिल्ली", "서울", "กรุงเทพ"]
        {
            let line = set(text, 24.0);
            let is_drawn = !line.pixels.is_empty() && line.width > 20.0;
            assert!(is_drawn, "{text}");
            if line.missing.is_empty() {
                assert_eq!(readable(text), text);
            } else {
                assert!(readable(text).contains('['), "{text}");
            }
        }
    }
}
