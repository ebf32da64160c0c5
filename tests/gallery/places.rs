//! The map of places, and the photos to which its places lead.

use fer_index::emotion::Emotion::{Happy, Sad};
use fer_index::photo::{Capture, GeoPoint};

use crate::common::fixture;
use crate::page::has_tiles;
use crate::seed::{Seed, seed};
use crate::server::Server;
use crate::testenv::TestEnv;
use crate::webdriver::Browser;

/// Calenzano is 12 km from Florence, Longyearbyen is on an island without a city, and the last two are on both sides of the
/// date line. Two of those in Florence are sad, the others happy.
const TAKEN: [(&str, f64, f64); 8] = [
    ("florence.jpg", 43.77, 11.25),
    ("duomo.jpg", 43.773, 11.256),
    ("arno.jpg", 43.768, 11.253),
    ("calenzano.jpg", 43.86, 11.16),
    ("castello.jpg", 43.861, 11.161),
    ("longyearbyen.jpg", 78.22, 15.65),
    ("west.jpg", -16.85, 179.97),
    ("east.jpg", -16.85, -179.97),
];

fn album() -> TestEnv {
    let env = TestEnv::new();
    let photos = TAKEN.map(|(name, latitude, longitude)| Seed {
        capture: Capture {
            position: Some(GeoPoint {
                latitude,
                longitude,
            }),
            ..Capture::default()
        },
        ..Seed::new(
            name,
            [fixture("coffee.jpg"), name.into()].concat(),
            &[(
                if ["duomo.jpg", "arno.jpg"].contains(&name) {
                    Sad
                } else {
                    Happy
                },
                0.9,
            )],
        )
    });
    seed(&env, &photos);
    env
}

#[test]
fn every_place_leads_to_as_many_photos_as_it_counts() {
    let env = album();
    let server = Server::start(&env);
    let map = server.ask("/api/places");
    let mut all = 0;
    for place in map["places"].as_array().unwrap() {
        let near = place["near"].as_str().unwrap();
        let near = near.replace(' ', "+").replace(',', "%2C");
        let counts = server.ask(&format!("/api/counts?near={near}"));
        assert_eq!(counts["found"], place["photos"], "{place}");
        assert_eq!(
            counts["in_words"][0][1],
            format!("at {}", place["near"].as_str().unwrap())
        );
        all += place["photos"].as_u64().unwrap();
    }
    assert_eq!(all, TAKEN.len() as u64, "{}", map["places"]);
    let found = |name: &str| {
        let mut places = map["places"].as_array().unwrap().iter();
        let place = places.find(|place| place["name"] == name);
        place.unwrap_or_else(|| panic!("{name}: {}", map["places"]))["photos"].clone()
    };
    assert_eq!(found("Florence, Italy"), 3);
    assert_eq!(found("Calenzano, Italy"), 2);
    assert_eq!(found("Svalbard and Jan Mayen"), 1);
    for (filters, photos) in [
        ("emotion=happy", 1),
        ("emotion=sad&near=Calenzano&within=3", 2),
        ("text=sad+in+germany", 2),
        ("text=top+2", 2),
        ("words=arno", 1),
    ] {
        let map = server.ask(&format!("/api/places?{filters}"));
        let places = map["places"].as_array().unwrap();
        let florence = places
            .iter()
            .find(|place| place["name"] == "Florence, Italy");
        let florence = florence.unwrap();
        assert_eq!(florence["photos"], photos, "{filters}");
        let others = filters.split('&').filter(|filter| {
            let name = filter.split('=').next().unwrap();
            !["near", "within"].contains(&name)
        });
        let others: Vec<&str> = others.collect();
        let others = others.join("&");
        let counts = server.ask(&format!(
            "/api/counts?{others}&near=Florence%2C+Italy+on+the+map"
        ));
        assert_eq!(counts["found"], photos, "{filters}");
    }
    // Fiji lies where it is.
    for place in map["places"].as_array().unwrap() {
        if place["latitude"].as_f64().unwrap() < 0.0 {
            assert!(
                place["longitude"].as_f64().unwrap().abs() > 179.0,
                "{place}"
            );
        }
    }
}

#[test]
fn a_place_in_the_list_shows_its_photos() {
    let Some(browser) = Browser::desktop() else {
        return;
    };
    let env = album();
    let server = Server::start(&env);
    browser.open(&server.link);
    has_tiles(&browser, 8);
    browser.press('m');
    browser.click("#place-list li:first-child button");
    has_tiles(&browser, 3);
    browser.wait_until(
        "new URLSearchParams(location.search).get('near') === 'Florence, Italy on the map'
            && !document.querySelector('#places').open",
    );
    // A reload keeps them.
    browser.reload();
    has_tiles(&browser, 3);
    // The other filters stay in force, and the map counts with them.
    browser.press('1');
    has_tiles(&browser, 1);
    browser.press('m');
    browser.wait_until(
        "document.querySelector('#places-hint').textContent.endsWith(' places under the other filters')
            && document.querySelector('#place-list .count').textContent === '2'",
    );
    browser.click("#place-list li:first-child button");
    has_tiles(&browser, 2);
    browser.wait_until("new URLSearchParams(location.search).get('emotion') === 'happy'");
    assert_eq!(browser.console(), [] as [&str; 0]);
}
