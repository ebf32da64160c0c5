//! Accessibility of the page: axe's rules, accessible names, and use by keyboard alone.

use std::fs;
use std::path::Path;

use fer_index::emotion::Emotion::{Happy, Sad};
use jiff::civil::date;
use serde_json::{Value, json};

use crate::common::{fixture, skip};
use crate::page::has_tiles;
use crate::seed::{Seed, seed};
use crate::server::Server;
use crate::testenv::TestEnv;
use crate::webdriver::Browser;

const ESCAPE: char = '\u{e00c}';
const ENTER: char = '\u{e007}';
const TAB: char = '\u{e004}';
const DOWN: char = '\u{e015}';

fn album() -> (TestEnv, Server) {
    let env = TestEnv::new();
    // The latest photo comes first.
    let photo = |name: &'static str, day: i8, faces: &[_]| Seed {
        taken: Some(date(2020, 3, day)),
        ..Seed::new(name, [fixture("coffee.jpg"), name.into()].concat(), faces)
    };
    let photos = [
        photo("both.jpg", 3, &[(Happy, 0.9), (Sad, 0.8)]),
        photo("glad.jpg", 2, &[(Happy, 0.8)]),
        photo("nobody.jpg", 1, &[]),
    ];
    seed(&env, &photos);
    let server = Server::start(&env);
    (env, server)
}

/// The source of axe; `None`, with a note on standard error, if axe is not installed.
#[allow(clippy::print_stderr)]
fn axe() -> Option<String> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/node_modules/axe-core/axe.min.js");
    let Ok(source) = fs::read_to_string(file) else {
        let missing = "axe is not installed; run npm ci --prefix tests/page";
        skip(missing);
        return None;
    };
    Some(source)
}

/// The violations that axe reports for the page in its current state.
fn violations(browser: &Browser, axe: &str) -> Value {
    browser.run(&format!("{axe}; window.axe = axe;"));
    // Elements that fade in are checked after their animations have ended.
    let look = "const done = arguments[0];
        Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})))
            .then(() => axe.run(document, {resultTypes: ['violations']}))
            .then(({violations}) => done(violations.map(({id, nodes}) =>
                [id, nodes.map(({html, failureSummary}) => [html, failureSummary])])),
                (error) => done(String(error)))";
    browser.run_async(look)
}

#[test]
fn axe_finds_nothing_in_any_view_width_or_theme() {
    let (Some(axe), Some(desktop), Some(phone)) = (axe(), Browser::desktop(), Browser::phone())
    else {
        return;
    };
    let (_env, server) = album();
    for (width, browser) in [(1280, desktop), (390, phone)] {
        for colours in ["light", "dark"] {
            browser.prefer(colours);
            browser.open(&server.link);
            browser.wait_until("document.querySelector('#grid img.loaded')");
            let check = |view: &str| {
                let found = violations(&browser, &axe);
                assert_eq!(found, json!([]), "{view}, {width} px, {colours}");
            };
            check("grid");
            browser.press('f');
            browser.run(
                "const field = document.querySelector('[name=faces]');
                field.value = '2';
                field.dispatchEvent(new Event('change', {bubbles: true}));",
            );
            has_tiles(&browser, 1);
            check("filters");
            browser.press('f');
            browser.click("#grid a");
            browser.wait_until("document.querySelector('#photo').open");
            browser.wait_until("!document.querySelector('#photo').matches('.loading')");
            check("photo");
            browser.click(".reject");
            browser.wait_until("document.querySelector('.face.rejected')");
            check("rejected face");
            browser.click(".undo");
            browser.wait_until("!document.querySelector('.face.rejected')");
            has_tiles(&browser, 1);
            browser.press('+');
            check("close photo");
            browser.press(ESCAPE);
            browser.press(ESCAPE);
            browser.wait_until("!document.querySelector('#photo').open");
            browser.press('m');
            browser.wait_until(
                "/place|location/.test(document.querySelector('#places-hint').textContent)",
            );
            check("places");
            browser.press(ESCAPE);
            browser.wait_until("!document.querySelector('#places').open");
            browser.press('x');
            browser.wait_until("!document.querySelector('#selection-bar').hidden");
            check("selection");
            browser.click("#make-album");
            browser.wait_until("document.querySelector('#album').open");
            check("album");
            browser.press(ESCAPE);
            browser.wait_until("!document.querySelector('#album').open");
            browser.press(ESCAPE);
            browser.wait_until("document.querySelector('#selection-bar').hidden");
            browser.press('?');
            browser.wait_until("document.querySelector('#help').open");
            check("keys");
            browser.press(ESCAPE);
            browser.press('6');
            browser.wait_until("!document.querySelector('#empty').hidden");
            check("nothing found");
        }
        assert_eq!(browser.console(), [] as [&str; 0]);
    }
}

/// The names that a screen reader speaks at each Tab stop, until the first stop comes again.
fn stops(browser: &Browser, most: usize) -> Vec<String> {
    let mut stops = Vec::new();
    for _ in 0..most {
        browser.press(TAB);
        let (name, role) = browser.focused();
        let stop = format!("{role} {name}");
        if stops.first() == Some(&stop) {
            break;
        }
        stops.push(stop);
    }
    stops
}

#[test]
fn by_keyboard_alone_everything_is_reached_and_named() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let (_env, server) = album();
    browser.open(&server.link);
    browser.wait_until("document.activeElement.closest('#grid')");
    let (name, role) = browser.focused();
    assert_eq!(
        (&*name, &*role),
        ("both.jpg, March 3, 2020, 2 faces", "link")
    );

    // Arrows move between photos; Tab leaves the grid and continues from the start of the page.
    browser.run("document.querySelector('.brand').focus()");
    let stops_of_page = stops(&browser, 40);
    for wanted in [
        "searchbox Search your photos",
        "button Filters",
        "button Places",
        "button Colours: as the system",
        "button Keyboard shortcuts",
        "button All 3",
        "button Happy 2",
        "button Select",
        "link both.jpg, March 3, 2020, 2 faces",
    ] {
        assert!(
            stops_of_page.iter().any(|stop| stop == wanted),
            "{wanted}: {stops_of_page:#?}"
        );
    }
    let photos = stops_of_page
        .iter()
        .filter(|stop| stop.contains(".jpg"))
        .count();
    assert_eq!(photos, 1, "{stops_of_page:#?}");

    // Opens a photo and visits its faces and the buttons of each.
    browser.run("document.querySelector('#grid a[tabindex=\"0\"]').focus()");
    browser.press(ENTER);
    browser.wait_until("document.querySelectorAll('.face').length === 2");
    browser.wait_until("!document.querySelector('#photo').matches('.loading')");
    let stops_of_photo = stops(&browser, 60);
    for wanted in [
        "button Face 1: happy",
        "button Face 2: sad",
        "button Next photo",
        "button Close",
        "button Happy 90 %",
        "button Not a face",
    ] {
        assert!(
            stops_of_photo.iter().any(|stop| stop.starts_with(wanted)),
            "{wanted}: {stops_of_photo:#?}"
        );
    }
    for stop in stops_of_page.iter().chain(&stops_of_photo) {
        let (role, name) = stop.split_once(' ').unwrap();
        assert!(
            !name.is_empty() || ["generic", "none", "document"].contains(&role),
            "{stop:?} has no name"
        );
    }
    // Whichever element has the focus, an arrow shows the next photo and Escape closes it.
    browser.press(DOWN);
    browser.wait_until("document.querySelector('#photo-name').textContent === 'glad.jpg'");
    browser.press(ESCAPE);
    browser.wait_until("!document.querySelector('#photo').open");
    browser.wait_until("document.activeElement.ariaLabel === 'glad.jpg, March 2, 2020, 1 face'");
    assert_eq!(
        browser.run("return document.querySelectorAll('h1').length"),
        1
    );
    assert_eq!(browser.console(), [] as [&str; 0]);
}
