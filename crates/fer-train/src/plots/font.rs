//! Makes the program's font known to plotters.

use std::sync::Once;

use fer_core::font::FILE;
pub use fer_core::font::note_missing;
use plotters::style::{FontStyle, register_font};

/// The name under which [`register`] makes the font known.
pub const FAMILY: &str = "sans-serif";

/// Makes the font known; to be called before text is drawn.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if register_font(FAMILY, FontStyle::Normal, FILE).is_err() {
            tracing::warn!("the font of pictures is damaged");
        }
    });
}
