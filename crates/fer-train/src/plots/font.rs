//! Registers the program's built-in font with plotters, so that plots look the same on every machine.

use std::sync::Once;

use fer_core::font::FILE;
use plotters::style::{FontStyle, register_font};

/// The name under which [`register`] registers the font.
pub const FAMILY: &str = "sans-serif";

/// Registers the font; must be called before text is drawn.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if register_font(FAMILY, FontStyle::Normal, FILE).is_err() {
            tracing::warn!("the built-in font of plots cannot be loaded");
        }
    });
}
