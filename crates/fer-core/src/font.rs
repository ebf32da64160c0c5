//! The font of every picture with text, so that it looks the same on every machine. Text in other scripts is set by
//! [`system`] with the fonts of the machine.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef};

pub mod system;

/// The font file, `DejaVu` Sans: Latin, Greek, Cyrillic, Armenian and Georgian. Not included are scripts that join
/// letters or run to the left, which need a text engine, and Chinese characters, which would take more space than the
/// rest of the program: see [`system`].
pub const FILE: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSans-subset.ttf");

static GLYPHS: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(FILE).ok());

/// The glyphs; `None` if the file in the binary is damaged.
pub fn glyphs() -> Option<&'static FontRef<'static>> {
    GLYPHS.as_ref()
}

/// Whether the font lacks a character of a text.
pub fn lacks_some_of(text: &str) -> bool {
    glyphs().is_some_and(|glyphs| text.chars().any(|c| glyphs.glyph_id(c).0 == 0))
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
