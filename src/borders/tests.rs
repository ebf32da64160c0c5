//! Tests the borders at places whose countries are known.

use std::time::Instant;

use super::*;

const POINTS: &str = include_str!("points.tsv");

fn point(latitude: f64, longitude: f64) -> GeoPoint {
    GeoPoint {
        latitude,
        longitude,
    }
}

#[test]
fn points_on_both_sides_of_borders_are_where_they_belong() {
    let borders = Borders::get();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in POINTS.lines().filter(|line| !line.starts_with('#')) {
        let [latitude, longitude, expected, name] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let areas = borders.areas(point(latitude.parse().unwrap(), longitude.parse().unwrap()));
        let codes: Vec<&str> = areas.split(' ').collect();
        let is_right = |code: &str| match code.strip_prefix('-') {
            Some("") => areas.is_empty(),
            Some(other) => !codes.contains(&other),
            None => codes.contains(&code),
        };
        if !expected.split(' ').all(is_right) {
            wrong.push(format!("{name} ({expected}): {areas}"));
        }
        count += 1;
    }
    assert!(count >= 150, "{count} points");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_point_is_in_one_country_at_most_and_found_soon() {
    let borders = Borders::get();
    let started = Instant::now();
    let mut on_land = 0;
    for step in 0..4000_u32 {
        // The golden angle spreads points evenly over the globe.
        let at = point(
            (f64::from(step) / 2000.0 - 1.0 + 0.000_25)
                .asin()
                .to_degrees(),
            (f64::from(step) * 137.507_764_05).rem_euclid(360.0) - 180.0,
        );
        let areas = borders.areas(at);
        let is_country = |code: &&str| country_in(code).is_some();
        let countries = areas.split(' ').filter(is_country).count();
        assert!(countries <= 1, "{at:?}: {areas}");
        on_land += countries;
    }
    // Land is 29 % of the globe; some of the sea belongs to a coast.
    assert!((1160..1600).contains(&on_land), "{on_land} of 4000");
    // A generous bound, for an unoptimised build on a busy machine.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_point_at_sea_belongs_to_a_coast_twelve_nautical_miles_away() {
    let borders = Borders::get();
    // Cabo da Roca is at 38.78° north, 9.50° west; a degree of longitude there is 86.7 km.
    let west_of_the_cape = |km: f64| borders.areas(point(38.78, -9.50 - km / 86.7));
    assert!(west_of_the_cape(19.0).contains("PT"));
    assert_eq!(west_of_the_cape(26.0), "");
}

#[test]
fn the_nearest_coast_is_found_across_the_date_line() {
    let mut lines = Lines::default();
    lines.push(&[[-449_900, 0], [-449_900, 5000]]);
    let near = lines.nearest(point(1.0, 179.98), 22.0).unwrap();
    assert!((near.at.longitude + 179.96).abs() < 1e-9, "{near:?}");
    assert_eq!(lines.nearest(point(1.0, 179.0), 22.0), None);
}

#[test]
fn the_country_is_among_the_codes() {
    assert_eq!(country_in("IT-SI IT-52 IT c:europe n:alps"), Some("IT"));
    assert_eq!(country_in(""), None);
    assert_eq!(country_in("n:alps"), None);
}
