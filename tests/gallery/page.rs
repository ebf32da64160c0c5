//! What the page shows.

use crate::webdriver::Browser;

/// An expression for the number of photos in the page.
pub const TILES: &str = "document.querySelectorAll('#grid li').length";

/// That so many photos are in the page.
#[track_caller]
pub fn has_tiles(browser: &Browser, count: usize) {
    browser.wait_until(&format!("{TILES} === {count}"));
}

/// That so many photos are counted on the chip of an emotion.
#[track_caller]
pub fn has_count(browser: &Browser, emotion: &str, count: usize) {
    browser.wait_until(&format!(
        "document.querySelector(\"#emotions [data-emotion='{emotion}'] .count\").textContent === '{count}'"
    ));
}
