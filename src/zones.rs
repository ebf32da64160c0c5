//! Finds the time zone of a place: that of the nearest city, or at sea that of the meridian.

use std::io::Read as _;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use jiff::tz::{Offset, TimeZone};

use crate::photo::GeoPoint;

/// See `assets/zones/README.md`.
const DATA: &[u8] = include_bytes!("../assets/zones/zones.tsv.gz");

/// The name of a time zone and the positions of cities, as unit vectors.
type Cities = Vec<(String, Vec<[f32; 3]>)>;

static CITIES: LazyLock<Cities> = LazyLock::new(|| {
    let mut text = String::new();
    // Cannot fail: the data are in the binary, and a test reads them.
    let _ = GzDecoder::new(DATA).read_to_string(&mut text);
    text.lines().filter_map(line).collect()
});

/// A place that is farther from all cities than this share of the Earth's radius, about 600 km, counts as at sea.
const AT_SEA: f32 = 0.094;

fn line(line: &str) -> Option<(String, Vec<[f32; 3]>)> {
    let (name, cities) = line.split_once('\t')?;
    let city = |city: &str| {
        let (latitude, longitude) = city.split_once(' ')?;
        let hundredths = |text: &str| Some(f64::from(text.parse::<i32>().ok()?) / 100.0);
        Some(unit(GeoPoint {
            latitude: hundredths(latitude)?,
            longitude: hundredths(longitude)?,
        }))
    };
    Some((
        name.to_owned(),
        cities.split('\t').filter_map(city).collect(),
    ))
}

fn unit(place: GeoPoint) -> [f32; 3] {
    let (north, east) = (place.latitude.to_radians(), place.longitude.to_radians());
    let across = north.cos();
    [across * east.cos(), across * east.sin(), north.sin()].map(|value| value as f32)
}

/// The time zone of a place. If the place is unknown, or the system does not have the zone, that of the system.
pub fn zone_at(place: Option<GeoPoint>) -> TimeZone {
    let Some(place) = place else {
        return TimeZone::system();
    };
    let here = unit(place);
    let squared = |city: &[f32; 3]| {
        let sides = here.iter().zip(city).map(|(a, b)| (a - b) * (a - b));
        sides.sum::<f32>()
    };
    let nearest = CITIES
        .iter()
        .flat_map(|(name, cities)| cities.iter().map(move |city| (name, squared(city))))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    match nearest {
        Some((name, distance)) if distance <= AT_SEA * AT_SEA => {
            TimeZone::get(name).unwrap_or_else(|_| TimeZone::system())
        }
        _ => {
            let hours = (place.longitude / 15.0).round() as i8;
            Offset::from_hours(hours).map_or_else(|_| TimeZone::system(), TimeZone::fixed)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// The minutes east of Greenwich at a place in July 2019 and in January 2020.
    fn minutes(latitude: f64, longitude: f64) -> [i32; 2] {
        let zone = zone_at(Some(GeoPoint {
            latitude,
            longitude,
        }));
        [1_563_098_400, 1_579_000_000].map(|seconds| {
            let instant = Timestamp::from_second(seconds).unwrap();
            zone.to_offset(instant).seconds() / 60
        })
    }

    #[test]
    fn places_have_the_time_of_their_zone() {
        for (place, latitude, longitude, expected) in [
            ("Como", 45.81, 9.08, [2.0, 1.0]),
            ("Lisbon", 38.72, -9.14, [1.0, 0.0]),
            (
                "Badajoz, at the border of Portugal",
                38.88,
                -6.97,
                [2.0, 1.0],
            ),
            ("Elvas, at the border of Spain", 38.88, -7.16, [1.0, 0.0]),
            ("Reykjavík", 64.15, -21.94, [0.0, 0.0]),
            (
                "El Paso, not as the rest of Texas",
                31.76,
                -106.49,
                [-6.0, -7.0],
            ),
            ("Midland, Texas", 32.0, -102.08, [-5.0, -6.0]),
            ("Phoenix, without summer time", 33.45, -112.07, [-7.0, -7.0]),
            ("Miami", 25.76, -80.19, [-4.0, -5.0]),
            ("Honolulu", 21.31, -157.86, [-10.0, -10.0]),
            ("St. John's", 47.56, -52.71, [-2.5, -3.5]),
            ("Delhi", 28.61, 77.21, [5.5, 5.5]),
            ("Kathmandu", 27.71, 85.32, [5.75, 5.75]),
            ("Broken Hill", -31.95, 141.45, [9.5, 10.5]),
            (
                "Brisbane, without summer time",
                -27.47,
                153.03,
                [10.0, 10.0],
            ),
            ("Sydney", -33.87, 151.21, [10.0, 11.0]),
            ("Perth", -31.95, 115.86, [8.0, 8.0]),
            ("Auckland", -36.85, 174.76, [12.0, 13.0]),
            ("Manaus", -3.12, -60.02, [-4.0, -4.0]),
            ("Yakutsk", 62.03, 129.73, [9.0, 9.0]),
            ("the middle of the Pacific", -40.0, -130.0, [-9.0, -9.0]),
            ("the middle of the Indian Ocean", -30.0, 80.0, [5.0, 5.0]),
        ] {
            let expected = expected.map(|hours: f64| (hours * 60.0) as i32);
            assert_eq!(minutes(latitude, longitude), expected, "{place}");
        }
    }

    #[test]
    fn all_zones_of_the_data_are_known() {
        let count: usize = CITIES.iter().map(|(_, cities)| cities.len()).sum();
        assert!(
            CITIES.len() > 150 && count > 2000,
            "{} {count}",
            CITIES.len()
        );
        for (name, cities) in CITIES.iter() {
            assert!(!cities.is_empty() && TimeZone::get(name).is_ok(), "{name}");
        }
    }
}
