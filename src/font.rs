//! The font of every picture with text, so that it looks the same on every machine.

use std::sync::{LazyLock, Once};

use ab_glyph::{Font as _, FontRef};
use plotters::style::{FontStyle, register_font};

/// The name under which [`register`] makes it known to plotters.
pub const FAMILY: &str = "sans-serif";

/// Latin, Greek, Cyrillic, Armenian and Georgian. What joins letters or runs to the left would need a
/// text engine, and the thousands of Chinese signs more room than the rest of the program.
const FONT: &[u8] = include_bytes!("../assets/fonts/DejaVuSans-subset.ttf");

static GLYPHS: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(FONT).ok());

/// Makes the font known; to be called before text is drawn.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if register_font(FAMILY, FontStyle::Normal, FONT).is_err() {
            tracing::warn!("the font of pictures is damaged");
        }
    });
}

/// Says, once, that a picture shows an empty box in the place of a character, if a text has such.
pub fn note_missing(text: &str) {
    static ONCE: Once = Once::new();
    if lacks_some_of(text) {
        ONCE.call_once(|| {
            tracing::warn!(
                "the font of PNG pictures lacks some characters of the names, and an empty box stands \
                 for each; SVG plots and HTML sheets show them"
            );
        });
    }
}

/// Whether the font lacks a character of a text.
fn lacks_some_of(text: &str) -> bool {
    let lacks = |c: char| {
        let glyphs = GLYPHS.as_ref();
        glyphs.is_some_and(|glyphs| glyphs.glyph_id(c).0 == 0)
    };
    text.chars().any(lacks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_letters_of_many_languages() {
        for text in [
            "Übung, Łódź, Ærø – 3 %… · ×",
            "Αθήνα",
            "Москва",
            "Երևան",
            "თბილისი",
        ] {
            assert!(!lacks_some_of(text), "{text}");
        }
        for text in ["東京 2019", "قاهرة", "दिल्ली"] {
            assert!(lacks_some_of(text), "{text}");
        }
    }
}
