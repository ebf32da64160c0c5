//! Finds cities and countries by name and by position; see `assets/places/README.md`.

mod meaning;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::f64::consts::{FRAC_2_PI, PI};
use std::io::Read;
use std::ops::Range;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::areas::{Area, Areas, Rank};
use crate::borders::country_in;
use crate::geo::{Circle, Region, distance};
use crate::photo::GeoPoint;

const DATA: &[u8] = include_bytes!("../../assets/places/places.tsv.gz");

/// The names of countries in other languages (Unicode CLDR).
const COUNTRIES: &str = include_str!("../../assets/places/countries.tsv");

/// The largest radius of a city in km.
const WIDEST: f64 = 30.0;

/// Kilometres in a degree of latitude, rounded down.
const KM_PER_DEGREE: f64 = 111.0;

/// All countries, and all cities with at least 10,000 inhabitants (`GeoNames`, CC BY 4.0).
#[derive(Debug)]
pub struct Gazetteer {
    text: String,
    countries: Vec<Entry>,
    /// Indexes of the countries by folded name, in any language; the flag says whether the name is English.
    country_by_name: HashMap<String, (u32, bool)>,
    /// The cities with their positions, the largest first.
    cities: Vec<(Entry, GeoPoint)>,
    /// Indexes of the cities from south to north.
    by_latitude: Vec<u32>,
    /// The number of cities with at least 100,000 inhabitants; only these have alternative names.
    large: usize,
    /// Indexes of the cities by folded name, ascending; the flag says whether the name is the city's main
    /// name or an alternative one.
    by_name: HashMap<String, Vec<(u32, bool)>>,
}

#[derive(Debug)]
struct Entry {
    code: Range<usize>,
    /// The names, separated by tabs.
    names: Range<usize>,
}

/// A place that a name can mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A city.
    City(City),
    /// A country, by its ISO 3166 code.
    Country {
        /// The two letters of the code.
        code: String,
        /// Its English name.
        name: String,
    },
    /// A continent, a region of a country, an island or a natural region.
    Area(Area),
}

/// A city.
#[derive(Debug, Clone, PartialEq)]
pub struct City {
    /// The city's main name.
    pub name: String,
    /// The ISO 3166 code of its country.
    pub country: String,
    /// The position of its centre.
    pub at: GeoPoint,
}

impl Gazetteer {
    /// The gazetteer that is embedded in the binary. The first call in a process decompresses it, which
    /// takes about 20 ms.
    pub fn get() -> &'static Self {
        static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(Gazetteer::unpack);
        &GAZETTEER
    }

    fn unpack() -> Self {
        let mut text = String::new();
        GzDecoder::new(DATA)
            .read_to_string(&mut text)
            .expect("the embedded data are valid");
        let (mut countries, mut cities) = (Vec::new(), Vec::new());
        let mut by_name: HashMap<String, Vec<(u32, bool)>> = HashMap::new();
        let mut country_by_name = HashMap::new();
        let mut large = 0;
        let mut start = 0;
        for line in text.lines() {
            let mut fields = line.splitn(4, '\t');
            let mut next = || fields.next().unwrap_or_default();
            let (code, latitude, longitude) = (next(), next(), next());
            let names = next();
            let end = start + line.len();
            let entry = Entry {
                code: start..start + code.len(),
                names: end - names.len()..end,
            };
            if let (Ok(latitude), Ok(longitude)) =
                (latitude.parse::<i32>(), longitude.parse::<i32>())
            {
                let number = cities.len() as u32;
                let mut names = names.split('\t');
                let own = names.next().map(folded).unwrap_or_default();
                by_name.entry(own).or_default().push((number, true));
                for other in names {
                    let named = by_name.entry(other.to_owned()).or_default();
                    named.push((number, false));
                    // Only large cities have alternative names.
                    large = cities.len() + 1;
                }
                let at = GeoPoint {
                    latitude: f64::from(latitude) / 1000.0,
                    longitude: f64::from(longitude) / 1000.0,
                };
                cities.push((entry, at));
            } else {
                let number = countries.len() as u32;
                for name in names.split('\t') {
                    country_by_name.insert(folded(name), (number, true));
                }
                countries.push(entry);
            }
            start = end + 1;
        }
        for line in COUNTRIES.lines() {
            let mut fields = line.split('\t');
            let code = fields.next().unwrap_or_default();
            let number = countries
                .iter()
                .position(|entry| text[entry.code.clone()] == *code);
            for (name, number) in fields.zip(number.into_iter().cycle()) {
                // An English name takes precedence over the same name in another language.
                country_by_name
                    .entry(name.to_owned())
                    .or_insert((number as u32, false));
            }
        }
        let mut by_latitude: Vec<u32> = (0..cities.len() as u32).collect();
        by_latitude.sort_by(|a, b| {
            let latitude = |index: &u32| cities[*index as usize].1.latitude;
            latitude(a).total_cmp(&latitude(b))
        });
        Self {
            text,
            countries,
            country_by_name,
            cities,
            by_latitude,
            large,
            by_name,
        }
    }

    /// The name of a country, a continent or a region at an edit distance of 1 from `name`.
    pub fn country_nearly(&self, name: &str) -> Option<&str> {
        let name = folded(name);
        let countries = self.countries.iter().map(|entry| self.name(entry));
        let regions = Areas::get().all();
        let regions = regions.take_while(|area| area.rank() <= Rank::Region);
        let mut names = countries.chain(regions.map(|area| area.name.as_str()));
        names.find(|known| known.len() > 4 && strsim::osa_distance(&folded(known), &name) == 1)
    }

    /// The city whose centre is nearest.
    ///
    /// # Panics
    /// Never: the tables have cities.
    pub fn nearest(&self, at: GeoPoint) -> City {
        self.nearest_in(at, None)
            .expect("the tables have cities in some country")
    }

    /// The city of a country whose centre is nearest, or of any country if none is given.
    pub fn nearest_in(&self, at: GeoPoint, country: Option<&str>) -> Option<City> {
        let city = |index: u32| &self.cities[index as usize];
        let middle = self
            .by_latitude
            .partition_point(|index| city(*index).1.latitude < at.latitude);
        let (south, north) = self.by_latitude.split_at(middle);
        let mut best = (f64::INFINITY, u32::MAX);
        let mut reach = f64::INFINITY;
        let mut look = |index: u32| {
            let position = city(index).1;
            // All further cities in this direction are farther away.
            if (position.latitude - at.latitude).abs() * KM_PER_DEGREE > best.0 {
                return false;
            }
            let apart = (position.longitude - at.longitude).abs();
            if apart.min(360.0 - apart) > reach {
                return true;
            }
            let km = distance(position, at);
            if km < best.0 && country.is_none_or(|country| self.code(&city(index).0) == country) {
                best = (km, index);
                reach = reach_across(at.latitude, km);
            }
            true
        };
        // The two directions alternate, so that a near city soon bounds the search in both.
        let (mut southwards, mut northwards) = (south.iter().rev(), north.iter());
        let (mut south_open, mut north_open) = (true, true);
        while south_open || north_open {
            south_open = south_open && southwards.next().is_some_and(|index| look(*index));
            north_open = north_open && northwards.next().is_some_and(|index| look(*index));
        }
        best.0.is_finite().then(|| self.as_city(best.1 as usize))
    }

    /// The city to which a place belongs, in a country or, if none is given, anywhere: the largest of those cities in
    /// the nearest city's country that extend to the place, or else the nearest city. Kreuzberg, which the tables list
    /// separately, belongs to Berlin.
    pub fn city_of(&self, at: GeoPoint, country: Option<&str>) -> Option<City> {
        let nearest = self.nearest_in(at, country)?;
        let low = at.latitude - WIDEST / KM_PER_DEGREE;
        let high = at.latitude + WIDEST / KM_PER_DEGREE;
        let latitude = |index: &u32| self.cities[*index as usize].1.latitude;
        let from = self
            .by_latitude
            .partition_point(|index| latitude(index) < low);
        let largest = self.by_latitude[from..]
            .iter()
            .take_while(|index| latitude(index) <= high)
            .map(|index| *index as usize)
            .filter(|number| {
                let (entry, centre) = &self.cities[*number];
                self.code(entry) == nearest.country && distance(*centre, at) <= self.radius(*number)
            })
            .min();
        Some(largest.map_or(nearest, |number| self.as_city(number)))
    }

    /// The radius of a city in km. The tables have no populations, only their order. By Zipf's law the population is
    /// inversely proportional to the rank; the smallest of the large cities has 100,000 inhabitants. A city has about
    /// 4,000 inhabitants per square kilometre.
    fn radius(&self, number: usize) -> f64 {
        let inhabitants = 100_000.0 * self.large as f64 / (number as f64 + 1.0);
        (inhabitants / (4000.0 * PI)).sqrt().min(WIDEST)
    }

    /// At most `most` names of countries, then of continents, regions and islands, and then of cities, the largest
    /// first, that begin with `beginning` in any case and without accents.
    pub fn names(&self, beginning: &str, most: usize) -> Vec<String> {
        let beginning = folded(beginning);
        let entries = |entry| self.name(entry);
        let cities = self.cities.iter().map(|(entry, _)| entry).map(entries);
        let areas = Areas::get().all().map(|area| area.name.as_str());
        let names = self.countries.iter().map(entries).chain(areas);
        let mut found: Vec<String> = Vec::new();
        for name in names.chain(cities) {
            let is_new = |found: &[String]| !found.iter().any(|other| other == name);
            if folded(name).starts_with(&beginning) && is_new(&found) {
                found.push(name.to_owned());
                if found.len() == most {
                    break;
                }
            }
        }
        found
    }

    /// The positions of the cities, the largest city first.
    pub fn positions(&self) -> impl Iterator<Item = GeoPoint> {
        self.cities.iter().map(|(_, at)| *at)
    }

    /// The region of a place: for a city, the circle of `km` around it.
    pub fn region(place: &Place, km: f64) -> Region {
        match place {
            Place::City(city) => Region::Circle(Circle {
                centre: city.at,
                km,
            }),
            Place::Country { code, .. } => Region::Area(code.clone()),
            Place::Area(area) => area.region(),
        }
    }

    /// A place with the areas that contain it: `Siena, Tuscany, Italy`.
    pub fn full_name(&self, place: &Place) -> String {
        let country = |code: &str| self.country_name(code).unwrap_or(code).to_owned();
        match place {
            Place::Country { name, .. } => name.clone(),
            Place::City(city) => format!("{}, {}", city.name, country(&city.country)),
            Place::Area(area) => {
                let within = area.within.as_ref();
                let region = within.and_then(|code| Areas::get().of_code(code));
                let parts = [
                    Some(area.name.clone()),
                    region.map(|region| region.name.clone()),
                    area.country().map(country),
                ];
                let mut parts: Vec<String> = parts.into_iter().flatten().collect();
                parts.dedup();
                parts.join(", ")
            }
        }
    }

    /// The name of the place where a photo was taken: the city in that country, if it is at most `km` away, and the
    /// region and the country, as far as `codes` has them (see [`Borders::areas`](crate::borders::Borders::areas)).
    pub fn place_of(&self, at: GeoPoint, codes: &str, km: f64) -> Option<String> {
        let country = country_in(codes);
        let city = self
            .city_of(at, country)
            .filter(|city| distance(city.at, at) <= km);
        let mut codes = codes.split(' ');
        let region = codes.find_map(|code| {
            let area = Areas::get().of_code(code);
            area.filter(|area| area.rank() == Rank::Region)
        });
        let country = country.or(city.as_ref().map(|city| city.country.as_str()));
        let country = country.map(|code| self.country_name(code).unwrap_or(code));
        let parts = [
            city.as_ref().map(|city| city.name.as_str()),
            region.map(|region| region.name.as_str()),
            country,
        ];
        let mut parts: Vec<&str> = parts.into_iter().flatten().collect();
        parts.dedup();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// The name of a country by its code.
    pub fn country_name(&self, code: &str) -> Option<&str> {
        let entry = self
            .countries
            .iter()
            .find(|entry| self.code(entry) == code)?;
        Some(self.name(entry))
    }

    fn as_city(&self, number: usize) -> City {
        let (entry, at) = &self.cities[number];
        City {
            name: self.name(entry).to_owned(),
            country: self.code(entry).to_owned(),
            at: *at,
        }
    }

    fn code(&self, entry: &Entry) -> &str {
        &self.text[entry.code.clone()]
    }

    fn name(&self, entry: &Entry) -> &str {
        let names = &self.text[entry.names.clone()];
        names.split('\t').next().unwrap_or(names)
    }
}

/// The difference in longitude, in degrees, beyond which no point is within `km` of a place at this
/// latitude. By the haversine formula, the sine of half the angle between two points is at least the sine of
/// half their difference in longitude times the cosine of the latitude that is nearer to a pole; and
/// sin x ≥ 2x/π.
fn reach_across(latitude: f64, km: f64) -> f64 {
    let polar = latitude.abs() + km / KM_PER_DEGREE;
    if polar < 90.0 {
        km / (KM_PER_DEGREE * polar.to_radians().cos() * FRAC_2_PI)
    } else {
        f64::INFINITY
    }
}

/// Converts a name to lower case, removes its accents, and replaces typographic apostrophes and dashes.
pub(super) fn folded(name: &str) -> String {
    let name = name.trim();
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfkd()
        .map(|c| match c {
            '’' | '‘' | 'ʼ' => '\'',
            '–' => '-',
            c => c,
        })
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}
