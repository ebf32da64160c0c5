//! Ranges of photos that are selected with Shift, and selected photos that are gone.
#![cfg(unix)]

use std::fs;

use serde_json::json;

use crate::page::{has_count, has_tiles};
use crate::seed::{happy_photos, remove};
use crate::server::Server;
use crate::webdriver::Browser;

const SHIFT: char = '\u{e008}';
const CONTROL: char = '\u{e009}';
const ESCAPE: char = '\u{e00c}';
const HOME: char = '\u{e011}';
const END: char = '\u{e010}';
const RIGHT: char = '\u{e014}';
const DOWN: char = '\u{e015}';

fn tile(index: usize) -> String {
    format!("#grid li[data-index='{index}'] a")
}

fn mark(index: usize) -> String {
    format!("#grid li[data-index='{index}'] .pick")
}

/// That so many photos are selected.
#[track_caller]
fn has_selected(browser: &Browser, count: usize) {
    browser.wait_until(&format!(
        "document.querySelector('#selection-count').textContent === '{count} selected'"
    ));
}

/// That of the photos in the page exactly those of these indexes are selected.
#[track_caller]
fn are_selected(browser: &Browser, indexes: std::ops::RangeInclusive<usize>) {
    let (first, last) = (indexes.start(), indexes.end());
    browser.wait_until(&format!(
        "[...document.querySelectorAll('#grid li')].every((tile) =>
            (tile.dataset.index >= {first} && tile.dataset.index <= {last}) === tile.matches('.selected'))"
    ));
}

#[track_caller]
fn is_at(browser: &Browser, index: usize) {
    browser.wait_until(&format!(
        "document.activeElement.closest('#grid li')?.dataset.index === '{index}'"
    ));
}

#[test]
fn a_click_with_shift_selects_all_photos_up_to_it() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (env, _) = happy_photos(200);
    let server = Server::start(&env);
    browser.open(&server.link);
    is_at(&browser, 0);
    browser.click(&mark(0));
    has_selected(&browser, 1);
    browser.click_with(SHIFT, &tile(5));
    has_selected(&browser, 6);
    are_selected(&browser, 0..=5);
    // No text is marked on the way.
    assert_eq!(browser.run("return String(getSelection())"), "");
    browser.click_with(SHIFT, &mark(9));
    has_selected(&browser, 10);
    are_selected(&browser, 0..=9);

    // Backwards, and in the mode in which a click selects.
    browser.press(ESCAPE);
    browser.run("scrollTo({top: 0, behavior: 'instant'})");
    browser.click("#select");
    browser.click(&tile(7));
    browser.click_with(SHIFT, &tile(2));
    has_selected(&browser, 6);
    are_selected(&browser, 2..=7);

    // A photo that was open is the one that a person went to last.
    browser.press(ESCAPE);
    browser.wait_until("document.querySelector('#selection-bar').hidden");
    browser.click(&tile(3));
    browser.wait_until("document.querySelector('#photo').open");
    browser.press(RIGHT);
    browser.wait_until("document.querySelector('#photo-name').textContent === '004.jpg'");
    browser.press(ESCAPE);
    is_at(&browser, 4);
    browser.click_with(SHIFT, &tile(6));
    has_selected(&browser, 3);
    are_selected(&browser, 4..=6);

    // A click with Ctrl is the browser's.
    browser.click_with(CONTROL, &tile(8));
    browser.go_to_tab(2);
    browser.wait_until("document.querySelector('#photo')?.open");
}

#[test]
fn a_range_has_the_photos_that_were_not_fetched() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (env, _) = happy_photos(200);
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.open(&format!("http://{}/?emotion=happy", server.address));
    is_at(&browser, 0);
    browser.click(&mark(1));
    has_selected(&browser, 1);
    browser.run("scrollTo({top: document.documentElement.scrollHeight, behavior: 'instant'})");
    browser.wait_until(&format!("document.querySelector(\"{}\")", tile(199)));
    let fetched =
        "performance.getEntriesByType('resource').some(({name}) => name.includes('offset=60&'))";
    assert_eq!(browser.run(&format!("return {fetched}")), false);
    browser.click_with(SHIFT, &tile(199));
    has_selected(&browser, 199);
    are_selected(&browser, 1..=199);
    assert_eq!(browser.run(&format!("return {fetched}")), false);

    // By keyboard.
    browser.press(ESCAPE);
    browser.wait_until("document.querySelector('#selection-bar').hidden");
    browser.press(HOME);
    is_at(&browser, 0);
    browser.press_with(SHIFT, END);
    is_at(&browser, 199);
    has_selected(&browser, 200);
    browser.press(ESCAPE);
    browser.wait_until("document.querySelector('#selection-bar').hidden");
    browser.press(END);
    is_at(&browser, 199);
    browser.press_with(SHIFT, HOME);
    is_at(&browser, 0);
    has_selected(&browser, 200);
    // The photos of a row are between a photo and the one below it.
    browser.press(ESCAPE);
    browser.wait_until("document.querySelector('#selection-bar').hidden");
    browser.press(HOME);
    browser.press(RIGHT);
    is_at(&browser, 1);
    browser.press_with(SHIFT, DOWN);
    let below = "Number(document.activeElement.closest('#grid li')?.dataset.index)";
    browser.wait_until(&format!("{below} > 2"));
    let below = browser.run(&format!("return {below}")).as_u64().unwrap() as usize;
    has_selected(&browser, below);
    are_selected(&browser, 1..=below);
    // And `x` is where the next range begins.
    browser.press(ESCAPE);
    browser.press('x');
    has_selected(&browser, 1);
    browser.press_with(SHIFT, RIGHT);
    has_selected(&browser, 2);
    are_selected(&browser, below..=below + 1);
    assert_eq!(browser.console(), [] as [&str; 0]);
}

#[test]
fn a_selected_photo_that_is_gone_leaves_the_others() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (env, _) = happy_photos(9);
    let line = "gallery --no-open --listen 127.0.0.1:0 --albums albums";
    let server = Server::of(&mut env.command(line));
    browser.open(&server.link);
    is_at(&browser, 0);
    let says = |text: &str| {
        let text = json!(text);
        browser.wait_until(&format!(
            "document.querySelector('#toast').textContent.includes({text})"
        ));
    };
    browser.click(&mark(2));
    browser.click_with(SHIFT, &tile(5));
    has_selected(&browser, 4);
    remove(&env, 2);
    has_tiles(&browser, 8);

    // The next photo has taken the place of the one from which a range began.
    browser.click_with(SHIFT, &tile(5));
    has_selected(&browser, 5);
    are_selected(&browser, 2..=5);
    // An album has the others.
    browser.click("#make-album");
    browser.wait_until("document.querySelector('#album').open");
    browser.press('a');
    browser.click("#album-submit");
    browser.wait_until("!document.querySelector('#album').open");
    says("1 photo is no longer in the index.");
    let links = fs::read_dir(env.path("albums/a")).unwrap();
    let links = links.filter(|entry| entry.as_ref().unwrap().path().is_symlink());
    assert_eq!(links.count(), 4);
    // Whatever needs to know more of the photos selects it no longer.
    browser.click("#copy-selected");
    has_selected(&browser, 4);

    let say = |emotion: &str| {
        browser.run(&format!(
            "const field = document.querySelector('#selection-emotion');
            field.value = '{emotion}';
            field.dispatchEvent(new Event('change', {{bubbles: true}}));"
        ));
        browser.click("#correct-selected");
    };
    remove(&env, 3);
    has_tiles(&browser, 7);
    say("fear");
    says("3 faces set to fear. 1 photo is no longer in the index.");
    has_selected(&browser, 3);
    has_count(&browser, "fear", 3);
    browser.click("#toast button");
    has_count(&browser, "fear", 0);
    says("3 faces as before.");

    // If one face cannot be corrected, the others are, and can be undone.
    browser.run(
        "const real = window.fetch;
        window.fetch = (path, options) => {
            if (!/^api\\/face\\//.test(path)) return real(path, options);
            window.fetch = real;
            return Promise.resolve(new Response('this face is gone', {status: 404}));
        };",
    );
    say("sad");
    says("2 faces set to sad. It failed for 1 face: this face is gone");
    has_count(&browser, "sad", 2);
    browser.click("#toast button");
    has_count(&browser, "sad", 0);

    // Faces that show the emotion by the minimum that is chosen, also if they show another one more.
    browser.open(&format!("http://{}/?emotion=neutral&min=0", server.address));
    is_at(&browser, 0);
    browser.press('x');
    has_selected(&browser, 1);
    // Arrow keys choose an emotion, and say nothing yet.
    browser.run("document.querySelector('#selection-emotion').focus()");
    browser.press(DOWN);
    browser.press(DOWN);
    browser.wait_until("document.querySelector('#selection-emotion').value === 'surprise'");
    assert_eq!(
        browser.run("return document.querySelector('#toast').textContent"),
        ""
    );
    browser.click("#correct-selected");
    says("1 face set to surprise");
    say("surprise");
    says("None of their faces shows the emotion that is chosen above.");
}

/// The server says what is gone, and not only that there is nothing at an address.
#[test]
fn what_is_gone_is_named() {
    let (env, ids) = happy_photos(2);
    let server = Server::start(&env);
    remove(&env, 0);
    let gone = server.get(&format!("/api/photo/{}", ids[0].0)).send();
    assert_eq!(gone.status, 404);
    assert!(
        gone.text().starts_with("this photo is no longer"),
        "{}",
        gone.text()
    );
    let gone = server.post("/api/face/99", &json!("not_a_face"));
    assert_eq!(gone.status, 404);
    assert!(
        gone.text().starts_with("this face is no longer"),
        "{}",
        gone.text()
    );
    let index = |filters: &str, photo: i64| {
        server.ask(&format!("/api/photo/{photo}/index?{filters}"))["index"].clone()
    };
    let [first, second] = [ids[0].0, ids[1].0];
    assert_eq!(index("emotion=happy", second), 0);
    assert_eq!(index("emotion=happy", first), json!(null));
    assert_eq!(index("emotion=sad", second), json!(null));
    let between = server.ask(&format!("/api/between/{second}/{second}?emotion=happy"));
    assert_eq!(between["photos"], json!([second]));
    let between = server.ask(&format!("/api/between/{first}/{second}"));
    assert_eq!(between["photos"], json!(null));
    assert_eq!(
        server
            .get(&format!("/api/photo/{second}/index?emotion=foo"))
            .send()
            .status,
        400
    );
}
