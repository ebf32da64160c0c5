//! The font of every picture with text, so that it looks the same on every machine.

use std::sync::Once;

use plotters::style::{FontStyle, register_font};

/// The name under which [`register`] makes it known to plotters.
pub const FAMILY: &str = "sans-serif";

/// Makes the font known; to be called before text is drawn.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let font = include_bytes!("../../../../assets/fonts/DejaVuSans-latin.ttf");
        if register_font(FAMILY, FontStyle::Normal, font).is_err() {
            tracing::warn!("the font of pictures is damaged");
        }
    });
}
