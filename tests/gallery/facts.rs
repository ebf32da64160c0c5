//! The facts about a photo, and the searches to which they lead.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use fer_index::file::FileMeta;
use fer_index::photo::Capture;
use fer_index::store::{PhotoId, Store};
use serde_json::json;

use crate::common::fixture;
use crate::page::has_tiles;
use crate::seed::{Seed, record, seed};
use crate::server::Server;
use crate::testenv::TestEnv;
use crate::webdriver::Browser;

#[test]
fn names_and_keywords_of_odd_letters_lead_to_their_photos_or_nowhere() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = TestEnv::new();
    let photos = [
        Seed {
            capture: Capture {
                keywords: vec!["Garden".into(), "??".into()],
                ..Capture::default()
            },
            ..Seed::new("old\\a\\b.jpg", fixture("coffee.jpg"), &[])
        },
        Seed::new("else /c.jpg", fixture("chelsea.jpg"), &[]),
    ];
    let ids = seed(&env, &photos);
    let latin = latin_1_photo(&env);
    let server = Server::start(&env);
    browser.open(&server.link);
    has_tiles(&browser, 3);
    browser.open(&format!("http://{}/?photo={}", server.address, ids[0].0));
    browser.wait_until("document.querySelector('#photo').open");
    // A backslash is a letter like others.
    let name = browser.run("return document.querySelector('#photo-name').textContent");
    assert_eq!(name, "old\\a\\b.jpg");
    let links =
        "return [...document.querySelectorAll('#facts .fact')].map((fact) => fact.textContent)";
    let links = browser.run(links);
    let links: Vec<&str> = links
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|link| link.as_str())
        .collect();
    let folder = env.album("");
    let folder = folder.to_str().unwrap().trim_end_matches('/');
    assert!(links.contains(&folder), "{links:?}");
    // The search cannot find a keyword without letters, which would find all photos.
    assert!(
        links.contains(&"Garden") && !links.contains(&"??"),
        "{links:?}"
    );
    let refused = server.get("/api/photos?words=%3F%21&limit=9").send();
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("no letter, digit or symbol"),
        "{}",
        refused.text()
    );
    let all = server.ask("/api/counts?words=+");
    assert_eq!(all["found"], json!(3));

    // A folder that an address cannot name leads nowhere.
    browser.open(&format!("http://{}/?photo={}", server.address, latin.0));
    browser.wait_until("document.querySelector('#facts').textContent.includes('dir\u{fffd}n')");
    assert_eq!(
        browser.run("return [...document.querySelectorAll('#facts .fact')].some((fact) => fact.textContent.includes('\u{fffd}'))"),
        json!(false)
    );

    // A folder with a space at the end of its name can be chosen.
    browser.open(&format!("http://{}/", server.address));
    browser.wait_until("document.querySelectorAll('#filters [name=under] option').length > 2");
    browser.run(
        "const field = document.querySelector('#filters [name=under]');
        field.value = [...field.options].find((option) => option.value.endsWith(' ')).value;
        field.dispatchEvent(new Event('change', {bubbles: true}));",
    );
    has_tiles(&browser, 1);
}

/// A photo in a folder whose name is not valid Unicode.
fn latin_1_photo(env: &TestEnv) -> PhotoId {
    let seed = Seed::new("d.jpg", fixture("hopper.jpg"), &[]);
    let folder = env.album("").join(OsStr::from_bytes(b"dir\xe9n"));
    fs::create_dir(&folder).unwrap();
    let path = folder.join(seed.name);
    fs::write(&path, &seed.bytes).unwrap();
    let meta = FileMeta::of(&fs::metadata(&path).unwrap());
    let mut store = Store::open(&env.database()).unwrap();
    let put = store.batch(|batch| batch.put_photo(&record(&seed), &[(path.clone(), meta)]));
    put.unwrap()
}
