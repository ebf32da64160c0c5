//! The neighbours of an open photo, however it was opened.

use fer_index::store::PhotoId;

use crate::seed::{happy_photos, remove};
use crate::server::Server;
use crate::testenv::TestEnv;
use crate::webdriver::Browser;

const CONTROL: char = '\u{e009}';
const ESCAPE: char = '\u{e00c}';
const LEFT: char = '\u{e012}';
const UP: char = '\u{e013}';
const RIGHT: char = '\u{e014}';

#[track_caller]
fn name_is(browser: &Browser, name: &str) {
    browser.wait_until(&format!(
        "document.querySelector('#photo').open
            && document.querySelector('#photo-name').textContent === '{name}'"
    ));
}

/// Which of the buttons "Previous photo" and "Next photo" can be pressed.
#[track_caller]
fn turns(browser: &Browser, previous: bool, next: bool) {
    browser.wait_until(&format!(
        "document.querySelector('.turn.previous').disabled === {}
            && document.querySelector('.turn.next').disabled === {}",
        !previous, !next
    ));
}

#[track_caller]
fn is_at(browser: &Browser, index: usize) {
    browser.wait_until(&format!(
        "!document.querySelector('#photo').open
            && document.activeElement.closest('#grid li')?.dataset.index === '{index}'"
    ));
}

/// Opens the gallery of an album of this many photos.
fn opened(browser: &Browser, photos: u16) -> (TestEnv, Vec<PhotoId>, Server) {
    let (env, ids) = happy_photos(photos);
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until("document.querySelector('#grid li')");
    (env, ids, server)
}

fn address(server: &Server, filters: &str, photo: PhotoId) -> String {
    format!("http://{}/?{filters}photo={}", server.address, photo.0)
}

#[test]
fn a_photo_that_its_address_opened_has_neighbours() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (_env, ids, server) = opened(&browser, 200);
    // As a bookmark does, by score and by date.
    for filters in ["emotion=happy&", ""] {
        browser.open(&address(&server, filters, ids[150]));
        name_is(&browser, "150.jpg");
        turns(&browser, true, true);
        browser.press(RIGHT);
        name_is(&browser, "151.jpg");
        browser.press(UP);
        name_is(&browser, "150.jpg");
        browser.press(LEFT);
        name_is(&browser, "149.jpg");
        // The address has the photo that is shown.
        browser.reload();
        name_is(&browser, "149.jpg");
        turns(&browser, true, true);
        browser.press('s');
        name_is(&browser, "150.jpg");
        browser.press(ESCAPE);
        browser.wait_until("!document.querySelector('#photo').matches('.slideshow')");
        browser.press(ESCAPE);
        is_at(&browser, 150);
    }
    // Also if it is closed at once.
    browser.open(&address(&server, "", ids[130]));
    name_is(&browser, "130.jpg");
    browser.press(ESCAPE);
    is_at(&browser, 130);
    // The first and the last one.
    browser.open(&address(&server, "", ids[199]));
    name_is(&browser, "199.jpg");
    turns(&browser, true, false);
    browser.open(&address(&server, "", ids[0]));
    name_is(&browser, "000.jpg");
    turns(&browser, false, true);
    assert_eq!(browser.console(), [] as [&str; 0]);
}

/// A click with Ctrl or the middle button opens a photo in a tab of its own, among the photos that were found.
#[test]
fn a_photo_in_a_tab_of_its_own_is_among_the_same_photos() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (_env, _, _server) = opened(&browser, 70);
    browser.press('1');
    browser.wait_until("location.search === '?emotion=happy'");
    browser.wait_until(
        "document.querySelector('#status').textContent === '70 photos, most happy first'",
    );
    browser.click_with(CONTROL, "#grid li[data-index='3'] a");
    browser.go_to_tab(2);
    name_is(&browser, "003.jpg");
    browser.wait_until("location.search.startsWith('?emotion=happy&photo=')");
    browser.press(RIGHT);
    name_is(&browser, "004.jpg");
    // A photo that was opened in the page itself is closed by a step back in the history, also after a reload.
    browser.press(ESCAPE);
    is_at(&browser, 4);
    browser.click("#grid li[data-index='6'] a");
    name_is(&browser, "006.jpg");
    let steps = browser.run("return history.length");
    browser.reload();
    name_is(&browser, "006.jpg");
    browser.press(RIGHT);
    name_is(&browser, "007.jpg");
    browser.press(ESCAPE);
    is_at(&browser, 7);
    browser.wait_until("location.search === '?emotion=happy'");
    browser.run("history.forward()");
    name_is(&browser, "007.jpg");
    assert_eq!(browser.run("return history.length"), steps);
}

#[test]
fn arrows_that_are_pressed_quickly_all_count() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (_env, ids, server) = opened(&browser, 70);
    browser.open(&address(&server, "", ids[57]));
    name_is(&browser, "057.jpg");
    // Before any of the next photos can be there.
    browser.run(
        "for (let press = 0; press < 5; press++) document.activeElement.dispatchEvent(
            new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true, cancelable: true}));",
    );
    name_is(&browser, "062.jpg");
    browser.press(ESCAPE);
    is_at(&browser, 62);
}

#[test]
fn a_photo_that_is_not_among_those_found_has_no_neighbours() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (_env, ids, server) = opened(&browser, 70);
    browser.open(&address(&server, "", ids[5]));
    name_is(&browser, "005.jpg");
    turns(&browser, true, true);
    // The history leads to a photo of another search.
    browser.run(&format!(
        "history.pushState({{}}, '', '?taken=2020-12-30&photo={}');
        dispatchEvent(new PopStateEvent('popstate'));",
        ids[40].0
    ));
    name_is(&browser, "040.jpg");
    turns(&browser, false, false);
    browser.press(RIGHT);
    browser.press(ESCAPE);
    is_at(&browser, 0);
    // And back.
    browser.run("history.back()");
    name_is(&browser, "005.jpg");
    turns(&browser, true, true);
    browser.press(RIGHT);
    name_is(&browser, "006.jpg");
}

#[test]
fn a_photo_that_leaves_those_found_keeps_its_neighbours() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (env, ids, server) = opened(&browser, 4);
    browser.open(&address(&server, "emotion=happy&", ids[2]));
    name_is(&browser, "002.jpg");
    turns(&browser, true, true);
    // It is the last but one; of the three that are left, the last has taken its place.
    browser.click(".bar[data-emotion='sad']");
    let happy = "document.querySelector(\"[data-emotion='happy'] .count\").textContent";
    browser.wait_until(&format!("{happy} === '3'"));
    turns(&browser, true, true);
    browser.click(".turn.next");
    name_is(&browser, "003.jpg");
    turns(&browser, true, false);
    browser.press(LEFT);
    name_is(&browser, "001.jpg");
    // A photo that is deleted closes; the next one gets the focus.
    remove(&env, 1);
    browser.wait_until("!document.querySelector('#photo').open");
    browser.wait_until(
        "document.querySelector('#toast').textContent.includes('this photo is no longer in the index')",
    );
    is_at(&browser, 1);
    browser.wait_until("document.activeElement.getAttribute('aria-label').startsWith('003.jpg')");
}
