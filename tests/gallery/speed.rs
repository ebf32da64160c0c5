//! Measures how fast a large index scrolls; needs a quiet machine:
//!
//! ```text
//! cargo test --release --test gallery -- --ignored --nocapture a_hundred_thousand
//! ```
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::Path;

use fer_index::emotion::Emotion::Happy;
use fer_index::file::FileMeta;
use fer_index::photo::{ContentHash, Picture, PictureHash};
use fer_index::raster::Orientation;
use fer_index::store::Store;

use crate::common::{fixture, jpeg, photo};
use crate::seed::{Seed, record};
use crate::server::Server;
use crate::testenv::TestEnv;
use crate::webdriver::Browser;

const PHOTOS: u64 = 100_000;

/// How many names one file may have on every file system.
const NAMES: u64 = 20_000;

/// An index of photos with a thumbnail of each, but without files.
fn large() -> TestEnv {
    let env = TestEnv::new();
    let sources = [
        "astronaut.jpg",
        "coffee.jpg",
        "hopper.jpg",
        "chelsea.jpg",
        "camera.jpg",
    ]
    .map(|name| (name, jpeg(photo(name))));
    let cache = env.path("home/.cache/fer-index/thumbnails");
    let mut store = Store::open(&env.database()).unwrap();
    for first in (0..PHOTOS).step_by(NAMES as usize) {
        let (name, small) = &sources[(first / NAMES) as usize % sources.len()];
        let original = env.path(format!("{first}.jpg"));
        fs::write(&original, small).unwrap();
        let seed = Seed::new(name, fixture(name), &[(Happy, 0.9)]);
        let mut record = record(&seed);
        let meta = FileMeta::of(&fs::metadata(&original).unwrap());
        let put = store.batch(|batch| {
            for number in first..first + NAMES {
                record.hash = ContentHash::of(&number.to_le_bytes());
                // If they had one picture hash, all would share the corrections of their faces.
                let picture = PictureHash::from_bytes(*record.hash.as_bytes());
                record.picture = Some(Picture {
                    hash: picture,
                    orientation: Orientation::Upright,
                });
                batch.put_photo(&record, &[(env.album(format!("{number}.jpg")), meta)])?;
                link(&cache, &record.hash, &original);
            }
            Ok(())
        });
        put.unwrap();
    }
    env
}

fn link(cache: &Path, hash: &ContentHash, original: &Path) {
    let name = hash.to_string();
    let folder = cache.join(&name[..2]);
    fs::create_dir_all(&folder).unwrap();
    fs::hard_link(original, folder.join(format!("{name}.jpg"))).unwrap();
}

#[test]
#[ignore = "a measurement: makes an index of 100,000 photos"]
fn a_hundred_thousand_photos_scroll() {
    if Browser::desktop().is_none() {
        return;
    }
    let env = large();
    let server = Server::start(&env);
    let browser = Browser::traced().unwrap();
    browser.open(&server.link);
    let loaded = "document.querySelectorAll('#grid img.loaded').length > 10";
    browser.wait_until(loaded);
    browser.open(&format!("http://{}/", server.address));
    browser.wait_until(loaded);
    let first = "const [page] = performance.getEntriesByType('navigation');
        const shown = performance.getEntriesByType('resource').filter(({name}) => name.includes('/thumb/'))
            .map(({responseEnd}) => responseEnd - page.loadEventEnd).sort((a, b) => a - b);
        const asked = performance.getEntriesByType('resource').find(({name}) => name.includes('/api/photos'));
        return `ms after the load event: photos asked ${(asked.startTime - page.loadEventEnd).toFixed(0)}, ` +
            `answered ${(asked.responseEnd - page.loadEventEnd).toFixed(0)}, ` +
            `first thumbnail ${shown[0].toFixed(0)}, tenth ${shown[9].toFixed(0)}`";
    println!("thumbnails, {}", browser.run(first));
    let scroll = "const done = arguments[0];
        const times = [];
        const step = (time) => {
            times.push(time);
            scrollBy({top: 40, behavior: 'instant'});
            if (times.length < 600) return requestAnimationFrame(step);
            const lasted = times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b);
            done(`${(599000 / (times[599] - times[0])).toFixed(1)} frames a second; ms between frames: median
                ${lasted[300].toFixed(1)}, 95 % ${lasted[570].toFixed(1)}, most ${lasted[598].toFixed(1)}; ` +
                `${document.querySelectorAll('#grid li').length} photos in the page`);
        };
        requestAnimationFrame(step);";
    println!("scrolling, {}", browser.run_async(scroll));
    let mut work = browser.work_of_frames(599);
    work.sort_by(f64::total_cmp);
    let share = |share: usize| work[(work.len() - 1) * share / 100];
    println!(
        "processor time of the main thread in {} frames, ms: median {:.1}, 95 % {:.1}, 99 % {:.1}, most {:.1}",
        work.len(),
        share(50),
        share(95),
        share(99),
        share(100),
    );
    // 60 frames a second leave 16.7 ms for each; a late frame also has the work of skipped frames before it.
    assert!(share(99) <= 16.7);
    // Moves to the last photo, then back to the first.
    browser.run("document.querySelector('#grid a').focus()");
    for (key, index) in [('\u{e010}', PHOTOS - 1), ('\u{e011}', 0)] {
        browser.press(key);
        browser.wait_until(&format!(
            "document.activeElement.closest('li')?.dataset.index === '{index}'"
        ));
    }
    let most = browser.run("return document.querySelectorAll('#grid li').length");
    assert!(most.as_u64().unwrap() < 200, "{most}");
    assert_eq!(browser.console(), [] as [&str; 0]);
}
