//! Tests of names and positions of places.

use super::*;
use crate::borders::Borders;

fn point(latitude: f64, longitude: f64) -> GeoPoint {
    GeoPoint {
        latitude,
        longitude,
    }
}

#[test]
fn places_are_found_by_name() {
    let gazetteer = Gazetteer::get();
    let city = |name: &str| match gazetteer.find(name) {
        Some(Place::City(city)) => format!("{} {}", city.name, city.country),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(city("florence"), "Florence IT");
    assert_eq!(city("Firenze"), "Florence IT");
    assert_eq!(city("MÜNCHEN"), "Munich DE");
    assert_eq!(city("zurich"), "Zürich CH");
    assert_eq!(city("new york"), "New York City US");
    assert_eq!(city("Florence, usa"), "Florence US");
    assert_eq!(city("paris"), "Paris FR");
    // Rome takes precedence over the towns called Roma in Lesotho and elsewhere.
    assert_eq!(city("Roma"), "Rome IT");
    assert_eq!(city("Rom"), "Rome IT");
    let country = |name: &str| match gazetteer.find(name) {
        Some(Place::Country { code, .. }) => code,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(
        (country("Italy"), country("usa")),
        ("IT".into(), "US".into())
    );
    for (name, code) in [
        ("Italien", "IT"),
        ("Frankreich", "FR"),
        ("Francia", "FR"),
        ("États-Unis", "US"),
        ("スペイン", "ES"),
    ] {
        assert_eq!(country(name), code, "{name}");
    }
    assert_eq!(gazetteer.find("Nowhereville-upon-Nothing"), None);
    assert_eq!(gazetteer.country_name("IT"), Some("Italy"));
}

#[test]
fn the_nearest_city_is_the_nearest_of_all() {
    let gazetteer = Gazetteer::get();
    for step in 0..200_u32 {
        let at = point(
            f64::from(step * 37 % 170) - 85.0,
            f64::from(step * 101 % 360) - 180.0,
        );
        let nearest = gazetteer.nearest(at);
        let least = gazetteer
            .cities
            .iter()
            .map(|(_, city)| distance(*city, at))
            .min_by(f64::total_cmp);
        assert!(
            (distance(nearest.at, at) - least.unwrap()).abs() < 1e-9,
            "{at:?}"
        );
    }
}

#[test]
fn a_quarter_belongs_to_its_city() {
    let gazetteer = Gazetteer::get();
    for (latitude, longitude, city) in [
        (52.500, 13.403, "Berlin"),         // Kreuzberg
        (41.883, 12.467, "Rome"),           // Trastevere
        (40.783, -73.966, "New York City"), // Manhattan
        (51.536, -0.103, "London"),         // Islington
        (52.399, 13.066, "Potsdam"),
        (43.779, 11.246, "Florence"),
        (43.880, 11.097, "Prato"),
        (48.804, 2.134, "Versailles"),
    ] {
        let name = gazetteer
            .city_of(point(latitude, longitude), None)
            .unwrap()
            .name;
        assert_eq!(name, city);
    }
}

#[test]
fn regions_islands_and_continents_are_found_by_name() {
    let gazetteer = Gazetteer::get();
    for (name, code) in [
        ("tuscany", "IT-52"),
        ("Toscana", "IT-52"),
        ("Toskana", "IT-52"),
        ("california", "US-CA"),
        ("Kalifornien", "US-CA"),
        ("bavaria", "DE-BY"),
        ("Bayern", "DE-BY"),
        ("hawaii", "US-HI"),
        ("svalbard", "SJ"),
        ("mallorca", "n:mallorca"),
        ("Majorca", "n:mallorca"),
        ("europe", "c:europe"),
        ("Europa", "c:europe"),
        ("alps", "n:alps"),
        ("Alpen", "n:alps"),
        ("Schwarzwald", "n:black-forest"),
        ("provence", "g:provence"),
        ("Kanaren", "ES-CN"),
        ("Canary Islands", "ES-CN"),
        ("Côte d’Azur", "g:french-riviera"),
        ("cornwall", "GB-CON"),
        ("Scotland", "GB-SCT"),
        ("Sicily", "IT-82"),
        ("Korsika", "g:corsica"),
        ("北海道", "JP-01"),
        ("Baden-Württemberg", "DE-BW"),
        ("Georgia, US", "US-GA"),
        ("lapland", "FI-10"),
        ("scandinavia", "g:scandinavia"),
    ] {
        let found = gazetteer.find(name);
        let is_right = matches!(&found, Some(Place::Area(area)) if area.code == code);
        assert!(is_right, "{name}: {found:?}");
    }
    // The number of inhabitants decides.
    for (name, city) in [
        ("Roma", "Rome"),
        ("new york", "New York City"),
        ("Berlin", "Berlin"),
        ("Wien", "Vienna"),
        ("Lisboa", "Lisbon"),
        ("siena", "Siena"),
        ("milano", "Milan"),
        ("Florence, US", "Florence"),
    ] {
        let found = gazetteer.find(name);
        let is_right = matches!(&found, Some(Place::City(found)) if found.name == city);
        assert!(is_right, "{name}: {found:?}");
    }
    for name in ["central", "north", "Eastern"] {
        let found = gazetteer.find(name);
        assert!(!matches!(found, Some(Place::Area(_))), "{name}: {found:?}");
    }
    let tuscany = gazetteer.find("tuscany").unwrap();
    assert_eq!(gazetteer.full_name(&tuscany), "Tuscany, Italy");
    assert_eq!(gazetteer.names("tusc", 2), ["Tuscany", "Tuscaloosa"]);
}

/// An answer about another part of the world, without a warning, is worse than none.
#[test]
fn a_name_means_what_most_people_mean_by_it() {
    let gazetteer = Gazetteer::get();
    for (name, full) in [
        // Larger than the city of the same name.
        ("ontario", "Ontario, Canada"),
        ("florida", "Florida, United States"),
        ("virginia", "Virginia, United States"),
        ("montana", "Montana, United States"),
        ("maryland", "Maryland, United States"),
        ("victoria", "Victoria, Australia"),
        ("bali", "Bali, Indonesia"),
        ("okinawa", "Okinawa, Japan"),
        ("quebec", "Quebec, Canada"),
        ("Teneriffa", "Tenerife"),
        ("Bâle", "Basel"),
        ("orkney", "Orkney"),
        ("goa", "Goa, India"),
        ("zeeland", "Zeeland, The Netherlands"),
        ("kent", "Kent, United Kingdom"),
        ("bohemia", "Bohemia, Czechia"),
        ("long island", "Long Island"),
        // Larger than all others in the region.
        ("new york", "New York City, United States"),
        ("salzburg", "Salzburg, Austria"),
        ("geneva", "Geneva, Switzerland"),
        ("zurich", "Zürich, Switzerland"),
        ("oaxaca", "Oaxaca, Mexico"),
        ("córdoba", "Córdoba, Argentina"),
        ("kyoto", "Kyoto, Japan"),
        ("hamburg", "Hamburg, Germany"),
        ("lisboa", "Lisbon, Portugal"),
        ("são paulo", "São Paulo, Brazil"),
        // Not a country in another language.
        ("granada", "Granada, Spain"),
        ("tunis", "Tunis, Tunisia"),
        // Nor a region in another language, nor a small region.
        ("vitória", "Vitória, Brazil"),
        ("hanover", "Hannover, Germany"),
        ("canton", "Guangzhou, China"),
        ("venice", "Venice, Veneto, Italy"),
        ("trinidad", "Trinidad"),
        ("odessa", "Odessa"),
        ("hull", "Kingston upon Hull, United Kingdom"),
        ("granada, spain", "Granada, Spain"),
        ("kuwait", "Kuwait"),
        ("luxembourg", "Luxembourg"),
        ("georgia", "Georgia"),
        ("georgia, us", "Georgia, United States"),
        // Areas that only `assets/places/usage.tsv` has.
        ("normandy", "Normandy, France"),
        ("yorkshire", "Yorkshire, United Kingdom"),
        ("Elsass", "Alsace, France"),
        ("transylvania", "Transylvania, Romania"),
        ("cape cod", "Cape Cod"),
        ("middle east", "Middle East"),
        ("kashmir", "Kashmir"),
        ("great lakes", "Great Lakes"),
        ("brabant", "Brabant"),
    ] {
        let found = gazetteer.find(name).unwrap();
        assert_eq!(gazetteer.full_name(&found), full, "{name}");
    }
    let bare = |name| gazetteer.find_without_preposition(name, false);
    // Wine, and a given name, unless a preposition is before it.
    assert!(bare("champagne").is_none() && bare("lorraine").is_none());
    assert!(bare("normandy").is_some() && bare("florida").is_some());
}

/// Among a city's other names, the tables have romanisations and abbreviations.
#[test]
fn common_words_are_no_cities_without_a_preposition() {
    let gazetteer = Gazetteer::get();
    // Of the 6,000 most frequent English words, those that are another name of a large city, and some main names.
    for word in [
        "name",
        "turn",
        "rest",
        "okay",
        "tour",
        "luck",
        "basic",
        "drug",
        "google",
        "soul",
        "hang",
        "salt",
        "monster",
        "bone",
        "pet",
        "spoken",
        "roles",
        "tape",
        "bid",
        "log",
        "bat",
        "dual",
        "adams",
        "franklin",
        "thai",
        "genes",
        "kyle",
        "mason",
        "store",
        "bush",
        "van",
        "metro",
        "batman",
        "oral",
        "springs",
        "paradise",
        "enterprise",
    ] {
        let found = gazetteer.find_without_preposition(word, false);
        assert!(found.is_none(), "{word}: {found:?}");
    }
    for name in [
        "münchen",
        "Köln",
        "koln",
        "roma",
        "firenze",
        "wien",
        "praha",
        "lisboa",
        "milano",
        "napoli",
        "vegas",
        "Łódź",
        "uk",
        "göteborg",
        "berlin",
        "perth",
        "new york",
        "san francisco",
        "mexico",
        "london",
    ] {
        assert!(
            gazetteer.find_without_preposition(name, false).is_some(),
            "{name}"
        );
    }
    assert!(
        gazetteer
            .find_without_preposition("Angren", false)
            .is_some()
            && gazetteer.find_without_preposition("Turn", true).is_some()
    );
    assert!(gazetteer.find("pet").is_some());
}

#[test]
fn every_area_of_the_borders_has_a_name_or_is_a_country() {
    let gazetteer = Gazetteer::get();
    let mut nameless = Vec::new();
    for codes in Borders::get().codes() {
        let is_named = |code: &&str| {
            gazetteer.country_name(code).is_some() || Areas::get().of_code(code).is_some()
        };
        nameless.extend(codes.split(' ').filter(|code| !is_named(code)));
    }
    assert!(nameless.len() < 40, "{nameless:?}");
}
