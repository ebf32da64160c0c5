//! The page in a real browser, with real photos analysed by the real networks.

use std::collections::BTreeSet;

use fer_index::emotion::Emotion::{Fear, Happy, Neutral, Sad};
use fer_index::photo::Precision;
use serde_json::json;

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, group, jpeg, jpeg_with_exif, photo};
use crate::page::TILES;
use crate::seed::{Seed, happy_photo, seed};
use crate::server::{Server, wait_for};
use crate::testenv::TestEnv;
use crate::webdriver::Browser;

/// The code points that `WebDriver` assigns to keys.
const ESCAPE: char = '\u{e00c}';
const ENTER: char = '\u{e007}';
const RIGHT: char = '\u{e014}';

/// An expression for the number of photos on the chip of an emotion.
fn count(emotion: &str) -> String {
    format!("Number(document.querySelector(\"[data-emotion='{emotion}'] .count\").textContent)")
}

/// Turns the photo `pair.jpg`, which shows two faces side by side, while it is open.
fn turns_while_it_is_open(browser: &Browser, env: &TestEnv, pair: &[u8]) {
    browser.click("#grid a[aria-label^='pair.jpg']");
    browser.wait_until("document.querySelectorAll('.box').length === 2");
    browser.wait_until("document.querySelector('#picture').naturalWidth > 0");
    let exif = ExifBlock::new().with_orientation(6).bytes();
    env.add("pair.jpg", jpeg_with_exif(pair, &exif));
    env.run("index album").found();
    for picture in ["#picture", "#grid a[aria-label^='pair.jpg'] img"] {
        let upright = format!(
            "(({{clientWidth, clientHeight, naturalWidth, naturalHeight}}) =>
                naturalWidth < naturalHeight && clientWidth < clientHeight)
                (document.querySelector(\"{picture}\"))"
        );
        browser.wait_until(&upright);
    }
    // The faces are below each other.
    let places: [[f64; 2]; 2] = serde_json::from_value(browser.run(
        "return [...document.querySelectorAll('.box')]
            .map((box) => [parseFloat(box.style.left), parseFloat(box.style.top)])",
    ))
    .unwrap();
    assert!(
        (places[0][0] - places[1][0]).abs() < (places[0][1] - places[1][1]).abs(),
        "{places:?}"
    );
    browser.press(ESCAPE);
}

#[test]
fn a_person_finds_a_happy_photo_and_corrects_a_face() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg", "coffee.jpg"]);
    env.run("index album").found();
    let server = Server::start(&env);
    browser.open(&server.link);

    // The link opens the page, and the token does not stay in the address.
    browser.wait_until("document.querySelector('#grid li')");
    assert_eq!(browser.run("return location.search + location.hash"), "");
    browser.wait_until(&format!("{} === 1", count("happy")));

    // Chooses the happy photos.
    browser.click("#emotions [data-emotion='happy']");
    browser.wait_until(&format!("{TILES} === 1"));
    let label = "return document.querySelector('#grid a').getAttribute('aria-label')";
    let label = browser.run(label);
    let label = label.as_str().unwrap();
    assert!(label.starts_with("astronaut.jpg, happy "), "{label}");
    // The fixture has no date of its own.
    assert!(label.contains(", file dated "), "{label}");
    let caption = browser.run("return document.querySelector('.caption span').textContent");
    assert!(caption.as_str().unwrap().ends_with(" (file)"), "{caption}");
    browser.wait_until("document.querySelector('#grid img').naturalWidth > 0");

    // Opens a photo and checks its face and scores.
    browser.click("#grid a");
    browser.wait_until("document.querySelector('#photo').open");
    browser.wait_until("document.querySelector('#picture').naturalWidth > 0");
    browser.wait_until("document.querySelectorAll('.box').length === 1");
    let first = browser.run("return document.querySelector('.bar').dataset.emotion");
    assert_eq!(first, "happy");
    // The box must be on the face: the astronaut's face is in the upper middle.
    let place = "const face = document.querySelector('.box').getBoundingClientRect();
        const photo = document.querySelector('#picture').getBoundingClientRect();
        return [(face.left + face.width / 2 - photo.left) / photo.width,
                (face.top + face.height / 2 - photo.top) / photo.height]";
    let place: [f64; 2] = serde_json::from_value(browser.run(place)).unwrap();
    assert!(
        (place[0] - 0.43).abs() < 0.06 && (place[1] - 0.22).abs() < 0.08,
        "{place:?}"
    );

    // Corrects the face to surprise: the counts and the grid are updated.
    browser.click(".bar[data-emotion='surprise']");
    browser.wait_until("document.querySelector(\".bar[aria-pressed='true']\")");
    browser.wait_until(&format!(
        "{} === 0 && {} === 1",
        count("happy"),
        count("surprise")
    ));
    browser.wait_until(&format!("{TILES} === 0"));
    browser.click(".undo");
    browser.wait_until(&format!("{} === 1 && {TILES} === 1", count("happy")));
    browser.click(".reject");
    browser.wait_until(&format!("{} === 0", count("happy")));
    browser.wait_until(
        "document.querySelector('#faces h3').textContent === '0 faces, and 1 marked as none'",
    );
    browser.click(".undo");
    browser.wait_until(&format!("{} === 1", count("happy")));

    // By keyboard: closes the photo, shows all photos, moves to the next one and opens it.
    browser.press(ESCAPE);
    browser.wait_until("!document.querySelector('#photo').open");
    browser.press('0');
    browser.wait_until(&format!("{TILES} === 3"));
    browser.run("document.querySelector('#grid a').focus()");
    browser.press(RIGHT);
    browser.wait_until("document.activeElement === document.querySelectorAll('#grid a')[1]");
    browser.press(ENTER);
    browser.wait_until("document.querySelector('#photo').open");
    browser.press(ESCAPE);
    browser.wait_until("!document.querySelector('#photo').open");
    browser.press('?');
    browser.wait_until("document.querySelector('#help').open");
    browser.press(ESCAPE);

    // A photo that is indexed meanwhile appears without a reload.
    let pair = group(&[photo("astronaut.jpg"), photo("hopper.jpg")], 400);
    let pair = jpeg(pair);
    env.add("pair.jpg", &pair);
    env.run("index album").found();
    browser.wait_until(&format!("{TILES} === 4 && {} === 2", count("happy")));

    turns_while_it_is_open(&browser, &env, &pair);

    // Every control has an accessible name.
    let nameless = "return [...document.querySelectorAll('button, a, input, select')]
        .filter((control) => !(control.ariaLabel || control.labels?.length
            || control.textContent.trim() || control.title))
        .map((control) => control.outerHTML)";
    assert_eq!(browser.run(nameless), json!([]));

    assert_eq!(browser.console(), [] as [&str; 0]);
    let own = format!("http://{}/", server.address);
    let requests = browser.requests();
    assert!(requests.len() > 10, "{requests:?}");
    for request in requests {
        // The browser's own start page, which it may still be loading, does not count.
        let is_own = ["data:", "chrome:", "chrome-untrusted:", own.as_str()]
            .iter()
            .any(|start| request.starts_with(start));
        assert!(is_own, "{request}");
    }
}

#[test]
fn what_is_pressed_while_a_photo_closes_is_not_undone() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg", "coffee.jpg"]);
    env.run("index album").found();
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.click("#emotions [data-emotion='happy']");
    browser.wait_until(&format!("{TILES} === 1"));
    browser.click("#grid a");
    browser.wait_until("document.querySelector('#photo').open");
    // The page has called `history.back()`, which the browser carries out later.
    browser.run(
        "const dialog = document.querySelector('#photo');
        dialog.addEventListener('close', () => document.body.dispatchEvent(
            new KeyboardEvent('keydown', {key: '0', bubbles: true})), {once: true});
        dialog.close();",
    );
    browser.wait_until(&format!("{TILES} === 3"));
    assert_eq!(browser.run("return location.search"), "");
    assert_eq!(
        browser.run("return document.querySelector('#photo').open"),
        false
    );
    // The history has as many entries as before.
    browser.run("history.back()");
    browser.wait_until(&format!("{TILES} === 1"));
    assert_eq!(browser.run("return location.search"), "?emotion=happy");
}

#[test]
fn on_a_phone_nothing_is_wider_than_the_screen() {
    let Some(browser) = Browser::phone() else {
        return;
    };
    let env = TestEnv::new();
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until("!document.querySelector('#empty').hidden");
    env.add("astronaut.jpg", fixture("astronaut.jpg"));
    env.run("index album").found();
    browser.wait_until(&format!("{TILES} === 1"));
    // A phone's browser zooms out until everything fits.
    let width = "return Math.max(innerWidth, document.documentElement.scrollWidth)";
    assert_eq!(browser.run(width), 390);
    browser.click("#show-filters");
    assert_eq!(browser.run(width), 390);
    browser.click("#grid a");
    browser.wait_until("document.querySelector('.face')");
    assert_eq!(browser.run(width), 390);
    assert_eq!(browser.console(), [] as [&str; 0]);
}

/// The browser reports every violation of the page's content-security policy, also earlier ones.
#[test]
fn the_page_keeps_to_its_content_policy() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.run("index album").found();
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until(&format!("{TILES} === 2"));
    browser.wait_until("document.querySelector('#grid img').naturalWidth > 0");
    for key in ['f', 'f', 'm', 'm'] {
        browser.press(key);
    }
    // The second key closed the map, even if its places had not arrived yet.
    assert_eq!(
        browser.run("return document.querySelector('#places').open"),
        false
    );
    for key in ['x', ESCAPE, '?', ESCAPE] {
        browser.press(key);
    }
    browser.click("#grid a");
    browser.wait_until("document.querySelector('#picture').naturalWidth > 0");
    browser.run("document.querySelector(\".bar[data-emotion='surprise']\").click()");
    browser.wait_until("document.querySelector(\".bar[aria-pressed='true']\")");
    // A picture of another server violates the policy. Its report comes after those of all earlier violations.
    let violations = "const done = arguments[arguments.length - 1];
        const told = [];
        const observer = new ReportingObserver((reports) => {
            told.push(...reports.map((report) => report.body.effectiveDirective));
            if (told.includes('img-src')) done(told);
        }, { buffered: true, types: ['csp-violation'] });
        observer.observe();
        new Image().src = 'http://192.0.2.1/a.png'";
    assert_eq!(browser.run_async(violations), json!(["img-src"]));
}

/// Seventy photos fill two pages.
#[test]
fn a_shuffled_answer_has_every_photo_once() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = TestEnv::new();
    let photo = |name: String| {
        let bytes = name.clone().into_bytes();
        Seed::new(name.leak(), bytes, &[(Happy, 0.9)])
    };
    let photos: Vec<_> = (0..70)
        .map(|number| photo(format!("{number}.jpg")))
        .collect();
    seed(&env, &photos);
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until("document.querySelector('#grid li')");
    browser.open(&format!("http://{}/?text=random", server.address));
    browser.wait_until("document.activeElement.closest('#grid li')?.dataset.index === '0'");
    browser.press('\u{e010}'); // End
    browser.wait_until("document.activeElement.closest('#grid li')?.dataset.index === '69'");
    // The page asks again once another photo is indexed.
    seed(&env, &[photo("new.jpg".to_owned())]);
    let mut asked = Vec::new();
    let asks = |request: &String| request.contains("/api/photos?") && request.contains("random");
    let first = |request: &&String| request.contains("offset=0&");
    wait_for("a refresh", || {
        asked.extend(browser.requests().into_iter().filter(asks));
        (asked.iter().filter(first).count() > 1).then_some(())
    });
    let seeds: BTreeSet<&str> = asked
        .iter()
        .map(|request| request.split_once("seed=").expect("a seed").1)
        .map(|rest| rest.split('&').next().unwrap())
        .collect();
    assert_eq!(seeds.len(), 1, "{asked:?}");
    let mut found = Vec::new();
    for offset in ["offset=0&", "offset=60&"] {
        let page = asked.iter().find(|request| request.contains(offset));
        let (_, target) = page.unwrap().split_once("/api/").unwrap();
        let answer = server.ask(&format!("/api/{target}"));
        let photos = answer["photos"].as_array().unwrap();
        found.extend(photos.iter().map(|photo| photo["id"].as_u64().unwrap()));
    }
    let all: BTreeSet<u64> = found.iter().copied().collect();
    assert_eq!((found.len(), all.len()), (71, 71), "{found:?}");
}

#[test]
fn a_search_without_an_answer_says_why_in_its_place() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = happy_photo();
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until(&format!("{TILES} === 1 && {} === 1", count("happy")));
    // Typed into a field, while photos of the last answer are shown.
    browser.run(
        "const field = document.querySelector('[name=near]');
        field.value = 'Nowhereville';
        field.dispatchEvent(new Event('change', {bubbles: true}));",
    );
    let says = |text: &str| {
        let text = json!(text);
        format!(
            "!document.querySelector('#empty').hidden && {TILES} === 0
                && document.querySelector('#empty').textContent.includes({text})
                && !document.querySelector('#status').textContent"
        )
    };
    browser.wait_until(&says("Nowhereville"));
    assert_eq!(browser.run("return document.title"), "fer-index");
    let chip = "return document.querySelector(\"[data-emotion='happy'] .count\").textContent";
    assert_eq!(browser.run(chip), "");
    // A refresh asks for the same photos, not for those of the last answer.
    seed(
        &env,
        &[Seed::new("b.jpg", fixture("coffee.jpg"), &[(Happy, 0.9)])],
    );
    std::thread::sleep(std::time::Duration::from_secs(3));
    browser.wait_until(&says("Nowhereville"));
    browser.run("history.back()");
    browser.wait_until(&format!("{TILES} === 2 && {} === 2", count("happy")));
    browser.wait_until("document.querySelector('#empty').hidden");

    for wrong in ["emotion=foo", "faces=x", "min=abc"] {
        browser.open(&format!("http://{}/?{wrong}", server.address));
        let (_, value) = wrong.split_once('=').unwrap();
        browser.wait_until(&says(&format!("\"{value}\"")));
    }
}

/// Filters of the address that have no field in the panel stay when a field is changed.
#[test]
fn a_change_in_the_panel_changes_one_filter() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = happy_photo();
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until(&format!("{TILES} === 1"));
    let open = |filters: &str| {
        browser.open(&format!("http://{}/?{filters}", server.address));
        browser.wait_until("document.querySelector('#emotions .count').textContent !== ''");
    };
    let choose = |name: &str, value: &str| {
        browser.run(&format!(
            "const field = document.querySelector(`#filters [name={name}]`);
            field.value = '{value}';
            field.dispatchEvent(new Event('change', {{bubbles: true}}));"
        ));
    };
    let shown = |name: &str| {
        browser.run(&format!(
            "const field = document.querySelector(`#filters [name={name}]`);
            return field.selectedOptions?.[0].textContent ?? field.value"
        ))
    };
    open("since=2017&until=2017&min=72&faces=2..5&file-dates=1");
    assert_eq!(shown("faces"), "2 to 5");
    assert_eq!(shown("min"), "72");
    assert_eq!(shown("file-dates"), "dated by their file");
    let min = "return document.querySelector('#min-value').textContent";
    assert_eq!(browser.run(min), "72 %");
    choose("who", "all");
    browser.wait_until(
        "location.search === '?since=2017&until=2017&min=72&faces=2..5&file-dates=1&who=all'",
    );
    choose("faces", "1");
    browser.wait_until(
        "location.search === '?since=2017&until=2017&min=72&faces=1&file-dates=1&who=all'",
    );
    // A person moves the slider in steps.
    browser.run(
        "const field = document.querySelector('#min');
        field.value = '83';
        field.dispatchEvent(new Event('input'));
        field.dispatchEvent(new Event('change', {bubbles: true}));",
    );
    browser.wait_until("location.search.includes('&min=85&')");
}

#[test]
fn the_year_of_a_photo_leads_to_its_days() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = TestEnv::new();
    let photo = |name: &'static str, (year, month), precision| Seed {
        taken: Some(jiff::civil::date(year, month, 1)),
        precision,
        ..Seed::new(name, name.into(), &[])
    };
    let photos = [
        photo("month.jpg", (2016, 2), Precision::Month),
        photo("year.jpg", (2017, 1), Precision::Year),
    ];
    let ids = seed(&env, &photos);
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until(&format!("{TILES} === 2"));
    let tiles = "return [...document.querySelectorAll('#grid li')].flatMap((tile) =>
        [tile.querySelector('.caption span').textContent, tile.querySelector('a').ariaLabel])";
    assert_eq!(
        browser.run(tiles),
        json!([
            "2017",
            "year.jpg, 2017, 0 faces",
            "Feb 2016",
            "month.jpg, February 2016, 0 faces"
        ])
    );
    for (id, filters) in ids.iter().zip([
        "?since=2016-02-01&until=2016-02-29",
        "?since=2017-01-01&until=2017-12-31",
    ]) {
        browser.open(&format!("http://{}/?photo={}", server.address, id.0));
        browser.click("#facts .fact");
        browser.wait_until(&format!("location.search === '{filters}'"));
        browser.wait_until(&format!("{TILES} === 1"));
    }
}

#[test]
fn filters_without_a_control_stand_in_words_and_can_be_removed() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = TestEnv::new();
    let photo = |name: &'static str, day, shown| {
        let bytes = [fixture("coffee.jpg"), name.into()].concat();
        Seed {
            taken: Some(jiff::civil::date(2019, 7, day)),
            ..Seed::new(name, bytes, &[(shown, 0.9)])
        }
    };
    let photos = [
        photo("cape/glad.jpg", 1, Happy),
        photo("cape/sad.jpg", 2, Sad),
        photo("cape/afraid.jpg", 3, Fear),
        photo("home/neutral.jpg", 4, Neutral),
    ];
    seed(&env, &photos);
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until(&format!("{TILES} === 4"));
    browser.open(&format!(
        "http://{}/?not=happy&not=sad&taken=summer&album=cape&one-per-burst&order=date&since=2019&until=2019",
        server.address
    ));
    browser.wait_until(&format!("{TILES} === 1"));
    let words = |expected: &[&str]| {
        format!(
            "JSON.stringify([...document.querySelectorAll('#in-words span')].map((span) => span.textContent))
                === JSON.stringify({})",
            json!(expected)
        )
    };
    browser.wait_until(&words(&[
        "nobody shows happy or sad",
        "taken: 2019",
        "taken: summer of any year",
        "in a folder called cape",
        "latest first",
        "one of each burst",
    ]));
    let width = "return Math.max(innerWidth, document.documentElement.scrollWidth)";
    assert_eq!(browser.run(width), browser.run("return innerWidth"));
    // Changing a field of the panel does not change them.
    browser.run(
        "const field = document.querySelector('[name=faces]');
        field.value = '1';
        field.dispatchEvent(new Event('change', {bubbles: true}));",
    );
    browser.wait_until("location.search.includes('faces=1')");
    browser.wait_until(&format!("{TILES} === 1"));
    // Removes both ends of the period, then the emotions, and the rest with the panel.
    browser.click("#in-words li:nth-child(2) button");
    browser.wait_until("!/since|until/.test(location.search)");
    browser.click("#in-words li:nth-child(1) button");
    browser.wait_until(
        "location.search === '?taken=summer&album=cape&one-per-burst=&order=date&faces=1'",
    );
    browser.wait_until(&words(&[
        "taken: summer of any year",
        "in a folder called cape",
        "latest first",
        "one of each burst",
    ]));
    browser.wait_until(&format!("{TILES} === 3"));
    browser.click("#show-filters");
    browser.click("#filters [type=reset]");
    browser.wait_until("location.search === '' && document.querySelector('#in-words').hidden");
    // Enlarged to 200 %, or on a phone on its side, all filters can be reached, beside some photos.
    for (width, height) in [(640, 400), (802, 293), (320, 568)] {
        browser.resize(width, height);
        let reached = browser.run(
            "const clear = document.querySelector('#filters [type=reset]');
            clear.focus();
            clear.scrollIntoView({block: 'nearest', behavior: 'instant'});
            const at = clear.getBoundingClientRect();
            return clear.contains(document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2))
                && document.querySelector('header').offsetHeight < innerHeight - 50",
        );
        assert_eq!(reached, true, "{width} × {height}");
    }
    browser.resize(1280, 800);
    browser.wait_until(&format!("{TILES} === 4"));
    assert_eq!(browser.console(), [] as [&str; 0]);
}

#[test]
fn the_line_over_the_photos_says_what_is_shown() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = TestEnv::new();
    let photo = |name: &'static str, faces: &[_]| {
        Seed::new(name, [fixture("coffee.jpg"), name.into()].concat(), faces)
    };
    let photos = [
        photo("a.jpg", &[(Happy, 0.9), (Sad, 0.8)]),
        photo("b.jpg", &[(Happy, 0.8)]),
        photo("c.jpg", &[(Sad, 0.7)]),
        photo("d.jpg", &[(Fear, 0.7)]),
    ];
    seed(&env, &photos);
    let server = Server::start(&env);
    browser.open(&server.link);
    browser.wait_until(&format!("{TILES} === 4"));
    let says = |text: &str, tiles: usize| {
        let text = json!(text);
        browser.wait_until(&format!(
            "document.querySelector('#status').textContent === {text} && {TILES} === {tiles}"
        ));
    };
    let pressed = |emotions: &[&str]| {
        browser.wait_until(&format!(
            "JSON.stringify([...document.querySelectorAll(\"#emotions [aria-pressed='true']\")]
                .map((chip) => chip.dataset.emotion)) === JSON.stringify({})",
            json!(emotions)
        ));
    };
    let open = |filters: &str| browser.open(&format!("http://{}/?{filters}", server.address));
    open("text=top+1+happy");
    says("1 photo, most happy first: shows happy; at most 1", 1);
    open("text=latest+happy");
    says("2 photos, latest first: shows happy", 2);
    open("limit=3&order=random");
    says("3 photos, shuffled", 3);
    // A reload and a tab of its own keep the order.
    let shuffled = "[...document.querySelectorAll('#grid a')].map((tile) => tile.ariaLabel).join()";
    browser.wait_until("/&seed=\\d+$/.test(location.search)");
    browser.wait_until("document.querySelector('#grid a').href.includes(location.search)");
    let before = browser.run(&format!("return {shuffled}"));
    browser.reload();
    browser.wait_until(&format!("{shuffled} === {before}"));
    browser.wait_until(
        "document.querySelectorAll('#in-words li').length === 2
            && !document.querySelector('#in-words').textContent.includes('seed')",
    );
    open("text=happy+or+fear");
    says("3 photos, highest score first: shows fear or happy", 3);
    pressed(&["happy", "fear"]);

    // A chip takes precedence over the text, and so does "All".
    open("text=happy");
    says("2 photos, most happy first: shows happy", 2);
    pressed(&["happy"]);
    browser.press('4');
    says(
        "2 photos, most sad first. Replaced by the filters: shows happy",
        2,
    );
    pressed(&["sad"]);
    browser.press('0');
    says("4 photos. Replaced by the filters: shows happy", 4);
    pressed(&[""]);
    browser.press('1');
    pressed(&["happy"]);
    browser.click("#emotions [data-emotion='']");
    says("4 photos. Replaced by the filters: shows happy", 4);
    assert_eq!(
        browser.run("return location.search"),
        "?text=happy&emotion=any"
    );
    // It does not override another text.
    browser.press('/');
    for key in "sad".chars() {
        browser.press(key);
    }
    browser.press(ENTER);
    says("2 photos, most sad first: shows sad", 2);
    assert_eq!(browser.run("return location.search"), "?text=sad");

    // Only faces with the emotion in force are corrected, also if the text chose it.
    browser.wait_until("document.activeElement.closest('#grid li')?.dataset.index === '0'");
    browser.press('x');
    browser.run(
        "const field = document.querySelector('#selection-emotion');
        field.value = 'fear';
        field.dispatchEvent(new Event('change', {bubbles: true}));",
    );
    browser.click("#correct-selected");
    browser.wait_until(
        "document.querySelector('#toast').textContent.startsWith('1 face set to fear')",
    );
}
