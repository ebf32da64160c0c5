//! Uses every key and every button that `docs/gallery.md` documents, in a real browser.
#![cfg(unix)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;

use fer_index::emotion::Emotion::{Happy, Sad};
use serde_json::json;

use crate::command::{stand_in, with_stand_ins};
use crate::common::fixture;
use crate::seed::{Seed, seed};
use crate::server::{Server, wait_for};
use crate::testenv::TestEnv;
use crate::webdriver::Browser;

/// A page whose controls are operated by their documented names; it records which were used.
struct Page {
    browser: Browser,
    keys: RefCell<BTreeSet<String>>,
    buttons: RefCell<BTreeSet<String>>,
}

impl Page {
    fn press(&self, key: &str) {
        self.keys.borrow_mut().insert(key.to_owned());
        self.browser.press(code(key));
    }

    /// Clicks the visible button of that name within the elements that a selector matches.
    #[track_caller]
    fn click_in(&self, within: &str, name: &str) {
        self.buttons.borrow_mut().insert(name.to_owned());
        let wanted = json!(name);
        let find = format!(
            "(() => {{
                document.querySelectorAll('[data-next]').forEach((old) => old.removeAttribute('data-next'));
                const buttons = [...document.querySelectorAll(`{within} button`)];
                const button = buttons.find((button) => {{
                    const name = button.ariaLabel ?? button.innerText.trim();
                    const rest = name.slice({wanted}.length);
                    return name.startsWith({wanted}) && !/^\\w| \\w/.test(rest.split(':')[0])
                        && button.checkVisibility({{opacityProperty: true, visibilityProperty: true}});
                }});
                button?.setAttribute('data-next', '');
                return button;
            }})()"
        );
        self.browser.wait_until(&find);
        self.browser.click("[data-next]");
    }

    #[track_caller]
    fn click(&self, name: &str) {
        self.click_in("body", name);
    }

    #[track_caller]
    fn until(&self, expression: &str) {
        self.browser.wait_until(expression);
    }

    #[track_caller]
    fn is_open(&self, dialog: &str, open: bool) {
        self.until(&format!(
            "document.querySelector('{dialog}').open === {open}"
        ));
    }

    /// Waits until the photo with this index in the answer has the focus.
    #[track_caller]
    fn is_at(&self, index: usize) {
        self.until(&format!(
            "document.activeElement.closest('#grid li')?.dataset.index === '{index}'"
        ));
    }

    #[track_caller]
    fn says(&self, text: &str) {
        let text = json!(text);
        self.until(&format!(
            "document.querySelector('#toast').textContent.includes({text})"
        ));
    }
}

/// The code point that `WebDriver` assigns to a key.
fn code(key: &str) -> char {
    match key {
        "←" => '\u{e012}',
        "↑" => '\u{e013}',
        "→" => '\u{e014}',
        "↓" => '\u{e015}',
        "Home" => '\u{e011}',
        "End" => '\u{e010}',
        "Enter" => '\u{e007}',
        "Esc" => '\u{e00c}',
        one => {
            let mut characters = one.chars();
            let key = characters.next().unwrap();
            assert_eq!(characters.next(), None, "the test has no key for {one}");
            key
        }
    }
}

/// The names in the first column of a table of the document.
fn documented(heading: &str) -> BTreeSet<String> {
    let document = include_str!("../../docs/gallery.md");
    let (_, table) = document.split_once(&format!("| {heading} | |\n")).unwrap();
    let mut named = BTreeSet::new();
    for row in table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'))
    {
        let cell = row.split('|').nth(1).unwrap();
        let is_gap = |c: char| c == ',' || (heading == "key" && c.is_whitespace());
        let names: Vec<_> = cell
            .split(is_gap)
            .map(|name| name.trim().trim_matches('`'))
            .filter(|name| !name.is_empty())
            .collect();
        if let [first, "…", last] = names[..] {
            named.extend((code(first)..=code(last)).map(String::from));
        } else {
            named.extend(names.into_iter().map(str::to_owned));
        }
    }
    assert!(named.len() > 8, "{named:?}");
    named
}

/// Twelve photos, named in the order in which they are shown.
fn album() -> TestEnv {
    const NAMES: [&str; 12] = [
        "00.jpg", "01.jpg", "02.jpg", "03.jpg", "04.jpg", "05.jpg", "06.jpg", "07.jpg", "08.jpg",
        "09.jpg", "10.jpg", "11.jpg",
    ];
    let env = TestEnv::new();
    let photos: Vec<_> = (0..)
        .zip(NAMES)
        .map(|(number, name)| Seed {
            taken: Some(jiff::civil::date(2020, 12 - number, 1)),
            ..Seed::new(
                name,
                [fixture("coffee.jpg"), name.into()].concat(),
                &[(Happy, 0.9), (Sad, 0.6)],
            )
        })
        .collect();
    seed(&env, &photos);
    env
}

#[test]
fn every_documented_key_and_button_does_what_the_document_says() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let page = Page {
        browser,
        keys: RefCell::default(),
        buttons: RefCell::default(),
    };
    let env = album();
    stand_in(&env, "dbus-send", 1);
    let opened = stand_in(&env, "xdg-open", 0);
    let server = Server::of(&mut with_stand_ins(
        &env,
        "gallery --no-open --listen 127.0.0.1:0 --albums albums",
    ));
    page.browser.open(&server.link);

    keys_in_the_grid(&page);
    keys_in_a_photo(&page, &opened);
    buttons_over_the_grid(&page);
    buttons_of_a_photo(&page, &opened);
    selected_photos(&page, &env);

    assert_eq!(*page.keys.borrow(), documented("key"));
    assert_eq!(*page.buttons.borrow(), documented("button"));
    assert_eq!(page.browser.console(), [] as [&str; 0]);
}

fn keys_in_the_grid(page: &Page) {
    page.is_at(0);
    page.press("→");
    page.is_at(1);
    page.press("←");
    page.is_at(0);
    page.press("↓");
    let below = "Number(document.activeElement.closest('#grid li')?.dataset.index)";
    page.until(&format!("{below} > 1 && {below} < 11"));
    page.press("↑");
    page.is_at(0);
    page.press("End");
    page.is_at(11);
    page.press("Home");
    page.is_at(0);

    // Types a search, then returns to the photos.
    page.press("/");
    page.until("document.activeElement === document.querySelector('#text')");
    page.browser.press('0');
    page.press("Enter");
    page.until("location.search === '?text=0'");
    page.press("/");
    page.browser.press('\u{e003}');
    page.press("Enter");
    page.until("location.search === ''");
    page.is_at(0);

    let emotions = [
        "happy", "surprise", "neutral", "sad", "angry", "fear", "disgust", "contempt",
    ];
    for (number, emotion) in (1..).zip(emotions) {
        page.press(&number.to_string());
        page.until(&format!("location.search === '?emotion={emotion}'"));
        page.until(&format!(
            "document.querySelector(\"#emotions [data-emotion='{emotion}']\").ariaPressed === 'true'"
        ));
    }
    page.press("0");
    page.until("location.search === ''");
    page.is_at(0);

    page.press("f");
    page.until("!document.querySelector('#filters').hidden");
    page.press("Esc");
    page.until("document.querySelector('#filters').hidden");
    page.is_at(0);
    page.press("m");
    page.is_open("#places", true);
    page.press("+");
    page.until("document.querySelector('#places .stage').matches('.close')");
    page.press("-");
    page.until("!document.querySelector('#places .stage').matches('.close')");
    page.press("Esc");
    page.is_open("#places", false);
    page.press("x");
    page.until("document.querySelector('#selection-count').textContent === '1 selected'");
    page.press("Esc");
    page.until("document.querySelector('#selection-bar').hidden");
    page.press("?");
    page.is_open("#help", true);
    let shown = "return [...document.querySelectorAll('#help kbd')].map((key) => key.textContent)";
    let shown: BTreeSet<String> = serde_json::from_value(page.browser.run(shown)).unwrap();
    let within = |key: &String| shown.contains(key) || ("1"..="7").contains(&key.as_str());
    assert!(documented("key").iter().all(within), "{shown:?}");
    page.press("Esc");
    page.is_open("#help", false);
}

fn name_is(page: &Page, name: &str) {
    page.until(&format!(
        "document.querySelector('#photo-name').textContent === '{name}'"
    ));
    page.until(&format!("document.title === '{name} – fer-index'"));
}

fn keys_in_a_photo(page: &Page, opened: &std::path::Path) {
    page.is_at(0);
    page.press("Enter");
    page.is_open("#photo", true);
    page.until("!document.querySelector('#photo').matches('.loading')");
    for (key, name) in [
        ("→", "01.jpg"),
        ("←", "00.jpg"),
        ("↓", "01.jpg"),
        ("↑", "00.jpg"),
    ] {
        page.press(key);
        name_is(page, name);
    }
    // Faces are numbered from left to right.
    let numbers = "return [...document.querySelectorAll('.box')]
        .sort((a, b) => a.offsetLeft - b.offsetLeft).map((box) => box.querySelector('.number').textContent)";
    assert_eq!(page.browser.run(numbers), json!(["1", "2"]));
    page.press("b");
    page.until("document.querySelector('#photo').matches('.no-boxes')");
    page.press("b");
    page.press("c");
    page.until("document.querySelector('#toast').matches('.shown')");
    page.press("o");
    wait_for("the file manager", || fs::read(opened).ok());
    fs::remove_file(opened).unwrap();

    // Zoomed in, arrows move the picture, and Escape first resets the zoom.
    page.press("+");
    page.press("+");
    page.until("document.querySelector('#photo .stage').matches('.close')");
    let at = "return document.querySelector('#photo .frame').style.transform";
    let before = page.browser.run(at);
    page.press("→");
    assert_ne!(page.browser.run(at), before);
    name_is(page, "00.jpg");
    page.press("-");
    page.press("Esc");
    page.until("!document.querySelector('#photo .stage').matches('.close')");
    page.press("s");
    page.until("document.querySelector('#photo').matches('.slideshow')");
    name_is(page, "01.jpg");
    page.press("Esc");
    page.until("!document.querySelector('#photo').matches('.slideshow')");
    page.is_open("#photo", true);
    page.press("Esc");
    page.is_open("#photo", false);
    page.until("document.title === 'Your photos (12) – fer-index'");
}

fn buttons_over_the_grid(page: &Page) {
    page.click("Filters");
    page.until("!document.querySelector('#filters').hidden");
    page.browser.run(
        "const field = document.querySelector('[name=faces]');
        field.value = '3..';
        field.dispatchEvent(new Event('change', {bubbles: true}));",
    );
    page.until("location.search === '?faces=3..' && !document.querySelector('#empty').hidden");
    page.click("Clear");
    page.until("location.search === ''");
    page.click("Filters");
    page.until("document.querySelector('#filters').hidden");
    page.click("Places");
    page.is_open("#places", true);
    page.click_in("#places", "Zoom in");
    page.click_in("#places", "Zoom out");
    page.click_in("#places", "Close");
    page.is_open("#places", false);
    for theme in ["light", "dark", ""] {
        page.click("Colours");
        page.until(&format!(
            "document.documentElement.dataset.theme === '{theme}'"
        ));
    }
    page.click("Keyboard shortcuts");
    page.is_open("#help", true);
    page.click_in("#help", "Close");
    page.is_open("#help", false);
    for emotion in [
        "Happy", "Surprise", "Neutral", "Sad", "Angry", "Fear", "Disgust", "Contempt",
    ] {
        page.click_in("#emotions", emotion);
        let address = emotion.to_lowercase();
        page.until(&format!("location.search === '?emotion={address}'"));
    }
    page.click_in("#emotions", "All");
    page.until("location.search === ''");
    page.is_at(0);
}

fn buttons_of_a_photo(page: &Page, opened: &std::path::Path) {
    page.browser.click("#grid li a");
    page.is_open("#photo", true);
    page.until("!document.querySelector('#photo').matches('.loading')");
    page.click("Next photo");
    name_is(page, "01.jpg");
    page.click("Previous photo");
    name_is(page, "00.jpg");
    page.click_in("#photo", "Zoom in");
    page.until("document.querySelector('#photo .stage').matches('.close')");
    page.click_in("#photo", "Zoom out");
    page.until("!document.querySelector('#photo .stage').matches('.close')");
    page.click("Slideshow");
    page.until("document.querySelector('#photo').matches('.slideshow')");
    page.browser.click("#photo .stage");
    page.until("!document.querySelector('#photo').matches('.slideshow')");
    page.click("Face boxes");
    page.until("document.querySelector('#photo').matches('.no-boxes')");
    page.click("Face boxes");
    page.click("Copy path");
    page.until("document.querySelector('#toast').matches('.shown')");
    page.click("Show in file manager");
    wait_for("the file manager", || fs::read(opened).ok());
    // "Not a face" also works after a correction to an emotion.
    for emotion in [
        "Happy", "Surprise", "Neutral", "Sad", "Angry", "Fear", "Disgust", "Contempt",
    ] {
        page.click_in(".face", emotion);
        let name = emotion.to_lowercase();
        page.until(&format!(
            "document.querySelector(\".face .bar[data-emotion='{name}']\").ariaPressed === 'true'"
        ));
    }
    page.click_in(".face", "Not a face");
    page.until("document.querySelector('.face').matches('.rejected')");
    page.click_in(".face", "Undo");
    page.until("!document.querySelector('.face .undo')");
    page.click_in("#photo", "Close");
    page.is_open("#photo", false);
    page.is_at(0);
}

fn selected_photos(page: &Page, env: &TestEnv) {
    page.click("Select");
    for index in [1, 0] {
        page.browser
            .click(&format!("#grid li[data-index='{index}'] a"));
    }
    page.until("document.querySelector('#selection-count').textContent === '2 selected'");
    page.click("Copy paths");
    page.until("document.querySelector('#toast').matches('.shown')");
    let say = "const field = document.querySelector('#selection-emotion');
        field.value = 'fear';
        field.dispatchEvent(new Event('change', {bubbles: true}));";
    page.browser.run(say);
    page.click("Correct");
    page.says("4 faces set to fear");
    let count = |emotion: &str| {
        format!(
            "document.querySelector(\"#emotions [data-emotion='{emotion}'] .count\").textContent"
        )
    };
    page.until(&format!("{} === '2'", count("fear")));
    page.click_in("#toast", "Undo");
    page.until(&format!("{} === '0'", count("fear")));

    page.click("Make an album");
    page.is_open("#album", true);
    page.click("Cancel");
    page.is_open("#album", false);
    page.click("Make an album");
    page.is_open("#album", true);
    page.browser.press('a');
    page.click("Make the album");
    page.is_open("#album", false);
    page.says("The album is in ");
    let made: Vec<_> = fs::read_dir(env.path("albums/a"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert_eq!(made.len(), 2, "{made:?}");

    an_album_that_exists(page, env);
    page.click("End the selection");
    page.until("document.querySelector('#selection-bar').hidden");
}

/// Two photos are selected, and the album `a` contains them.
fn an_album_that_exists(page: &Page, env: &TestEnv) {
    let made = || {
        let entries = fs::read_dir(env.path("albums/a")).unwrap();
        entries
            .filter(|entry| entry.as_ref().unwrap().path().is_symlink())
            .count()
    };
    page.browser.click("#grid li[data-index='1'] a");
    page.browser.click("#grid li[data-index='2'] a");
    page.until("document.querySelector('#selection-count').textContent === '2 selected'");
    for (choice, expected) in [("Add to it", 3), ("Replace", 2)] {
        page.click("Make an album");
        page.click("Make the album");
        page.until("document.querySelector('#album-exists').textContent.includes('“a”')");
        page.click(choice);
        page.is_open("#album", false);
        page.says("The album is in ");
        assert_eq!(made(), expected, "{choice}");
    }
    // Another name is another album.
    page.click("Make an album");
    page.click("Make the album");
    page.until("!document.querySelector('#album-add').hidden");
    page.browser.run(
        "const name = document.querySelector('#album-name');
        name.value = 'b';
        name.dispatchEvent(new Event('input'));",
    );
    page.click("Make the album");
    page.is_open("#album", false);
    assert!(env.path("albums/b").is_dir());
    // The browser reports each answer that is an error.
    for message in page.browser.console() {
        assert!(message.contains("409 (Conflict)"), "{message}");
    }
}
