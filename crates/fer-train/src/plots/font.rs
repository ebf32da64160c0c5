//! The font of every plot, built in so that plots look the same on every machine.

use std::sync::Once;

use plotters::style::{FontStyle, register_font};

/// The name under which [`register`] registers the font with plotters.
pub const FAMILY: &str = "sans-serif";

/// Registers the font; must be called before text is drawn.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let font = include_bytes!("../../../../assets/fonts/DejaVuSans-latin.ttf");
        if register_font(FAMILY, FontStyle::Normal, font).is_err() {
            tracing::warn!("the built-in font of plots cannot be loaded");
        }
    });
}
