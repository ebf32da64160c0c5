//! Back and Forward lead to what was seen before.

use std::time::Duration;

use crate::page::{has_count, has_tiles};
use crate::seed::{happy_photos, remove};
use crate::server::Server;
use crate::webdriver::Browser;

const ENTER: char = '\u{e007}';

/// Types slowly enough for the page to search while a person types.
fn type_slowly(browser: &Browser, text: &str) {
    browser.press('/');
    browser.wait_until("document.activeElement.id === 'text'");
    for key in text.chars() {
        browser.press(key);
        std::thread::sleep(Duration::from_millis(320));
    }
}

#[track_caller]
fn text_is(browser: &Browser, text: &str) {
    let search = if text.is_empty() {
        String::new()
    } else {
        format!("?text={text}")
    };
    browser.wait_until(&format!(
        "location.search === '{search}' && document.querySelector('#text').value === '{text}'"
    ));
}

#[test]
fn each_typed_search_is_one_step_of_the_history() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (env, _) = happy_photos(3);
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until("document.activeElement.closest('#grid li')");
    type_slowly(&browser, "sad");
    browser.press(ENTER);
    text_is(&browser, "sad");
    type_slowly(&browser, "fear");
    // The rest is typed and sent at once.
    for key in ['f', 'u', 'l', ENTER] {
        browser.press(key);
    }
    text_is(&browser, "fearful");
    browser.run("history.back()");
    text_is(&browser, "sad");
    browser.run("history.back()");
    text_is(&browser, "");
    has_tiles(&browser, 3);
    browser.run("history.forward()");
    text_is(&browser, "sad");

    // Without Enter, too, and while the search has the focus.
    type_slowly(&browser, "joy");
    text_is(&browser, "joy");
    browser.run("history.back()");
    text_is(&browser, "sad");

    // What was typed just before an emotion is chosen counts.
    browser.run(
        "const field = document.querySelector('#text');
        field.value = 'happy';
        field.dispatchEvent(new Event('input', {bubbles: true}));
        document.querySelector(\"#emotions [data-emotion='fear']\").click();",
    );
    browser.wait_until("location.search === '?text=happy&emotion=fear'");
    browser.run("history.back()");
    text_is(&browser, "happy");
    browser.run("history.back()");
    text_is(&browser, "sad");
    assert_eq!(browser.console(), [] as [&str; 0]);
}

#[test]
fn a_change_of_the_index_does_not_bring_back_the_photos_of_the_search_before() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (env, _) = happy_photos(3);
    let server = Server::start(&env);
    browser.open(&server.link);
    has_tiles(&browser, 3);
    browser.click("#emotions [data-emotion='fear']");
    has_tiles(&browser, 0);
    // The answer of the next search takes so long that the index changes meanwhile.
    browser.run(
        "const real = window.fetch;
        const held = new Promise((go) => { window.release = () => { window.fetch = real; go(); }; });
        window.fetch = async (path, options) => {
            if (/^api\\/photos/.test(path) && !path.includes('fear')) await held;
            return real(path, options);
        };",
    );
    browser.press('0');
    browser.wait_until("location.search === ''");
    has_count(&browser, "happy", 3);
    remove(&env, 2);
    has_count(&browser, "happy", 2);
    browser.run("release()");
    has_tiles(&browser, 2);
}
