//! Finds cities and countries by name and by position; see `assets/places/README.md`.

use std::collections::HashMap;
use std::f64::consts::{FRAC_2_PI, PI};
use std::io::Read;
use std::ops::Range;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::regions::{Area, Rank, Regions};
use crate::borders::country_in;
use crate::geo::{Circle, Region, distance};
use crate::photo::GeoPoint;

const DATA: &[u8] = include_bytes!("../../assets/places/places.tsv.gz");

/// The names of countries in other languages (Unicode CLDR).
const COUNTRIES: &str = include_str!("../../assets/places/countries.tsv");

/// Cities whose names are also common words; they are places only after a preposition.
const WORDS: &[&str] = &[
    "adelaide",
    "austin",
    "bar",
    "bath",
    "best",
    "charlotte",
    "cork",
    "essen",
    "gold",
    "hope",
    "independence",
    "jackson",
    "laval",
    "lincoln",
    "lion",
    "madison",
    "male",
    "mission",
    "mobile",
    "most",
    "nancy",
    "nice",
    "of",
    "orange",
    "phoenix",
    "reading",
    "rugby",
    "sale",
    "split",
    "surprise",
    "tours",
    "union",
    "victoria",
    "york",
];

/// Names of places that are usually given names or things; they are places only after `in` and with a
/// capital letter, as in `in Forest`.
const HARDLY_PLACES: &[&str] = &[
    "airport",
    "alice",
    "anna",
    "beach",
    "ben",
    "carmen",
    "carolina",
    "central",
    "david",
    "emma",
    "family",
    "forest",
    "george",
    "hanna",
    "home",
    "hugo",
    "island",
    "julia",
    "keys",
    "kids",
    "kira",
    "lakes",
    "lara",
    "leon",
    "lucas",
    "lucia",
    "marco",
    "mary",
    "mila",
    "mountains",
    "nadia",
    "pedro",
    "pool",
    "regina",
    "retreat",
    "reunion",
    "rosa",
    "sam",
    "sand",
    "sofia",
    "stella",
    "strand",
    "street",
    "sunrise",
    "sunset",
    "temple",
    "terrace",
    "university",
    "victor",
    "vineyard",
    "wedding",
];

/// The number of cities whose names in other languages take precedence over an area somewhere else. The smallest of them
/// has about 200,000 inhabitants.
const KNOWN_ABROAD: usize = 2500;

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
            .expect("the program's own data are whole");
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

    /// Finds a place by its name, in any case and in any language of the tables. A country takes precedence over a
    /// continent, unless its name in another language is the English one of a large city: Granada is not Grenada. A city of
    /// 100,000 inhabitants takes precedence over an island, a mountain range, and a region in which no city is larger: New
    /// York is the city, and Ontario the province. All of them take precedence over smaller cities, the largest city over
    /// others. `Florence, US` is the largest Florence in that country.
    pub fn find(&self, name: &str) -> Option<Place> {
        if let Some((place, country)) = name.rsplit_once(',') {
            let country = country.trim();
            let code = match self.country(&folded(country)) {
                Some(entry) => self.code(entry).to_owned(),
                None => country.to_uppercase(),
            };
            return self.city_or_area(&folded(place), Some(&code));
        }
        let name = folded(name);
        if let Some(entry) = self.country(&name)
            && !self.is_rather_a_city(&name)
        {
            return Some(Place::Country {
                code: self.code(entry).to_owned(),
                name: self.name(entry).to_owned(),
            });
        }
        self.city_or_area(&name, None)
    }

    fn city_or_area(&self, name: &str, country: Option<&str>) -> Option<Place> {
        let city = self.city(name, country);
        let Some(area) = self.area(name, country) else {
            return city.map(|(city, _)| Place::City(self.as_city(city)));
        };
        let least_known = |is_own_name| {
            if is_own_name {
                self.large
            } else {
                KNOWN_ABROAD
            }
        };
        let is_city_meant = |(city, is_own_name): &(usize, bool)| match area.rank() {
            Rank::Continent => false,
            // Victoria is not Vitória.
            Rank::Region if *is_own_name && folded(&area.name) != name => *city < self.large,
            Rank::Region => {
                let largest = self.largest_of(area);
                let is_larger = largest.is_none_or(|largest| *city < largest);
                largest == Some(*city) || is_larger && *city < least_known(*is_own_name)
            }
            // A city may have the name of its island in another language, as Santa Cruz has that of Tenerife.
            Rank::Natural => {
                *city < least_known(*is_own_name)
                    && (*is_own_name || !area.contains(self.cities[*city].1))
            }
            // A province is named after its city; a county of another country is not.
            Rank::Part => {
                *city < least_known(*is_own_name)
                    || Some(self.code(&self.cities[*city].0)) == area.country()
            }
        };
        Some(match city.filter(is_city_meant) {
            Some((city, _)) => Place::City(self.as_city(city)),
            None => Place::Area(area.clone()),
        })
    }

    /// The best known area with a folded name; of several, one whose own name this is, and then the one with the largest
    /// city.
    fn area(&self, name: &str, country: Option<&str>) -> Option<&'static Area> {
        let areas = Regions::get().find(name, country);
        match areas.as_slice() {
            [area] => Some(area),
            areas => areas.iter().copied().min_by_key(|area| {
                let largest = self.largest_of(area).unwrap_or(self.large);
                (folded(&area.name) != name, largest)
            }),
        }
    }

    /// The largest city in an area of one country, if it is a large one.
    fn largest_of(&self, area: &Area) -> Option<usize> {
        let country = area.country()?;
        (0..self.large).find(|number| {
            let (entry, at) = &self.cities[*number];
            self.code(entry) == country && area.contains(*at)
        })
    }

    /// Whether a country has this folded name in another language than English, and a large city has it in English.
    fn is_rather_a_city(&self, name: &str) -> bool {
        let is_english = self
            .country_by_name
            .get(name)
            .is_some_and(|(_, is_english)| *is_english);
        !is_english
            && self
                .city(name, None)
                .is_some_and(|(city, is_own_name)| is_own_name && city < self.large)
    }

    /// Finds a place whose name needs no preposition: a country, a large city, or the English name of a continent, a
    /// region or an island, if the name is not a common word.
    pub fn find_bare(&self, name: &str) -> Option<Place> {
        let folded = folded(name);
        if folded.len() < 3 || WORDS.contains(&folded.as_str()) || is_hardly_place(name) {
            return None;
        }
        if name.contains(',') || self.country(&folded).is_some() {
            return self.find(name);
        }
        match self.find(name)? {
            Place::Area(area)
                if area.rank() == Rank::Part || self::folded(&area.name) != folded =>
            {
                None
            }
            Place::City(_)
                if self
                    .city(&folded, None)
                    .is_none_or(|(city, _)| city >= self.large) =>
            {
                None
            }
            place => Some(place),
        }
    }

    /// The name of a country, a continent or a region at an edit distance of 1 from `name`.
    pub fn country_nearly(&self, name: &str) -> Option<&str> {
        let name = folded(name);
        let countries = self.countries.iter().map(|entry| self.name(entry));
        let regions = Regions::get().all();
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

    /// The city that a place in a country, or anywhere if none is given, belongs to: of the cities of the nearest city's country that extend to the place, the
    /// largest, or else the nearest city. Kreuzberg, which the tables list by itself, belongs to Berlin.
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

    /// How far a city extends, in km. The tables have no numbers of inhabitants, only their order. By Zipf's law
    /// the number is inversely proportional to the rank; the smallest of the large cities has 100,000. A city has
    /// about 4,000 inhabitants on a square kilometre.
    fn radius(&self, number: usize) -> f64 {
        let inhabitants = 100_000.0 * self.large as f64 / (number as f64 + 1.0);
        (inhabitants / (4000.0 * PI)).sqrt().min(WIDEST)
    }

    /// At most `most` names of countries, then of continents, regions and islands, and then of cities, the largest first,
    /// that begin with `beginning` in any
    /// case and without accents.
    pub fn names(&self, beginning: &str, most: usize) -> Vec<String> {
        let beginning = folded(beginning);
        let entries = |entry| self.name(entry);
        let cities = self.cities.iter().map(|(entry, _)| entry).map(entries);
        let areas = Regions::get().all().map(|area| area.name.as_str());
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

    /// A place with what it lies in, as people write it: `Siena, Tuscany, Italy`.
    pub fn full_name(&self, place: &Place) -> String {
        let country = |code: &str| self.country_name(code).unwrap_or(code).to_owned();
        match place {
            Place::Country { name, .. } => name.clone(),
            Place::City(city) => format!("{}, {}", city.name, country(&city.country)),
            Place::Area(area) => {
                let within = area.within.as_ref();
                let region = within.and_then(|code| Regions::get().of_code(code));
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

    /// Where a photo was taken, in words: the city of the country, if it is at most `km` away, and the region and the
    /// country, as far as `codes` has them (see [`Borders::areas`](crate::borders::Borders::areas)).
    pub fn place_of(&self, at: GeoPoint, codes: &str, km: f64) -> Option<String> {
        let country = country_in(codes);
        let city = self
            .city_of(at, country)
            .filter(|city| distance(city.at, at) <= km);
        let mut codes = codes.split(' ');
        let region = codes.find_map(|code| {
            let area = Regions::get().of_code(code);
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

    fn country(&self, name: &str) -> Option<&Entry> {
        let (number, _) = self.country_by_name.get(name)?;
        self.countries.get(*number as usize)
    }

    /// The index of the city that a folded name means, and whether that is its main name. The largest city with this main name takes
    /// precedence over cities with it as an alternative name, unless the former is small: `roma` means
    /// Rome, and not a small town called Roma.
    fn city(&self, name: &str, country: Option<&str>) -> Option<(usize, bool)> {
        let numbers = self.by_name.get(name)?;
        let mut numbers = numbers.iter().map(|(number, own)| (*number as usize, *own));
        let in_country = |number: usize| {
            country.is_none_or(|country| self.code(&self.cities[number].0) == country)
        };
        let mut best: Option<(usize, bool)> = None;
        for (number, own) in numbers.by_ref().filter(|(number, _)| in_country(*number)) {
            let is_better = match best {
                None => true,
                Some((_, true)) => false,
                Some((_, false)) => own && number < self.large,
            };
            if is_better {
                best = Some((number, own));
            }
        }
        best
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

/// Whether a name is in [`HARDLY_PLACES`].
pub(super) fn is_hardly_place(name: &str) -> bool {
    HARDLY_PLACES.contains(&folded(name).as_str())
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

#[cfg(test)]
mod tests {
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

    /// A silent answer about another part of the world is worse than none.
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
            // In no table of places.
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
    }

    #[test]
    fn every_area_of_the_borders_has_a_name_or_is_a_country() {
        let gazetteer = Gazetteer::get();
        let mut nameless = Vec::new();
        for codes in Borders::get().codes() {
            let is_named = |code: &&str| {
                gazetteer.country_name(code).is_some() || Regions::get().of_code(code).is_some()
            };
            nameless.extend(codes.split(' ').filter(|code| !is_named(code)));
        }
        assert!(nameless.len() < 40, "{nameless:?}");
    }
}
