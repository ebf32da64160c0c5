//! Finds continents, regions of countries, islands and natural regions by name; see `assets/places/README.md`.

use std::collections::HashMap;
use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;

use super::gazetteer::folded;
use crate::borders::Borders;
use crate::geo::{Circle, Region};
use crate::photo::GeoPoint;

const DATA: &[u8] = include_bytes!("../../assets/places/regions.tsv.gz");

/// Areas by names that the tables lack, or use for something else than people mean.
const USAGE: &str = include_str!("../../assets/places/usage.tsv");

/// Words of which the names of many regions consist. A name of only these words means no region.
const DIRECTIONS: &[&str] = &[
    "capital",
    "center",
    "central",
    "centre",
    "centro",
    "coast",
    "district",
    "east",
    "eastern",
    "este",
    "federal",
    "islands",
    "littoral",
    "lower",
    "metropolitan",
    "middle",
    "mid",
    "national",
    "nord",
    "norte",
    "north",
    "northeast",
    "northeastern",
    "northern",
    "northwest",
    "northwestern",
    "oeste",
    "plateau",
    "plateaux",
    "province",
    "region",
    "south",
    "southeast",
    "southeastern",
    "southern",
    "southwest",
    "southwestern",
    "state",
    "sud",
    "sur",
    "upper",
    "west",
    "western",
];

/// An area with a name: a continent, a region of a country, an island and the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Its code, as [`Borders::areas`](crate::borders::Borders::areas) returns it, or several parts separated by
    /// spaces: codes, and circles as `latitude,longitude,km`.
    pub code: String,
    /// Its English name, or else its local one.
    pub name: String,
    /// The code of the region of the first order that contains it.
    pub within: Option<String>,
    rank: Rank,
}

/// The kind of an area, the best known first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A continent, a union of countries or regions, or an area of `USAGE`.
    Continent,
    /// A region of the first order, such as a state.
    Region,
    /// An island or a natural region.
    Natural,
    /// A part of a region, such as a province or a county.
    Part,
}

impl Area {
    /// An area of the table.
    fn of_table(code: String, within: String, name: String) -> Self {
        let rank = if code.starts_with("c:") || code.starts_with("g:") {
            Rank::Continent
        } else if code.starts_with("n:") {
            Rank::Natural
        } else if within.is_empty() {
            Rank::Region
        } else {
            Rank::Part
        };
        Self {
            code,
            name,
            within: (!within.is_empty()).then_some(within),
            rank,
        }
    }

    pub(super) const fn rank(&self) -> Rank {
        self.rank
    }

    /// The ISO 3166 code of its country; `None` for what is not a part of one country.
    pub fn country(&self) -> Option<&str> {
        let mut countries = self
            .code
            .split(' ')
            .map(|part| part.split('-').next().filter(|code| code.len() == 2));
        let first = countries.next()??;
        countries
            .all(|country| country == Some(first))
            .then_some(first)
    }

    /// The part of the globe that it covers.
    pub fn region(&self) -> Region {
        let part = |part: &str| {
            let mut numbers = part.split(',').map_while(|number| number.parse().ok());
            match (numbers.next(), numbers.next(), numbers.next()) {
                (Some(latitude), Some(longitude), Some(km)) => Region::Circle(Circle {
                    centre: GeoPoint {
                        latitude,
                        longitude,
                    },
                    km,
                }),
                _ => Region::Area(part.to_owned()),
            }
        };
        if self.code.contains([' ', ',']) {
            Region::Any(self.code.split(' ').map(part).collect())
        } else {
            Region::Area(self.code.clone())
        }
    }

    /// Whether it contains a point.
    pub(super) fn contains(&self, at: GeoPoint) -> bool {
        let region = self.region();
        let codes = Borders::get().areas(at);
        region.contains(at)
            || region
                .areas()
                .iter()
                .any(|code| codes.split(' ').any(|other| other == *code))
    }
}

/// All areas with a name.
#[derive(Debug)]
pub(super) struct Areas {
    areas: Vec<Area>,
    /// Indexes of the areas by folded name, the best known first.
    by_name: HashMap<String, Vec<u32>>,
}

impl Areas {
    /// The areas that are embedded in the binary. The first call in a process unpacks them.
    pub fn get() -> &'static Self {
        static AREAS: LazyLock<Areas> = LazyLock::new(Areas::unpack);
        &AREAS
    }

    fn unpack() -> Self {
        let mut text = String::new();
        GzDecoder::new(DATA)
            .read_to_string(&mut text)
            .expect("the embedded data are valid");
        let mut areas = Vec::new();
        let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
        let mut add = |area: Area, others: &mut dyn Iterator<Item = String>| {
            for name in [folded(&area.name)].into_iter().chain(others) {
                // "Middle East" consists of directions, but is a name.
                if area.rank == Rank::Continent || !is_direction(&name) {
                    by_name.entry(name).or_default().push(areas.len() as u32);
                }
            }
            areas.push(area);
        };
        for line in text.lines() {
            let mut fields = line.split('\t');
            let mut next = || fields.next().unwrap_or_default().to_owned();
            let area = Area::of_table(next(), next(), next());
            add(area, &mut fields.map(str::to_owned));
        }
        for line in USAGE.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            let mut next = || fields.next().unwrap_or_default().to_owned();
            let area = Area {
                code: next(),
                name: next(),
                within: None,
                rank: Rank::Continent,
            };
            add(area, &mut fields.map(folded));
        }
        for named in by_name.values_mut() {
            named.sort_by_key(|index| areas[*index as usize].rank);
        }
        Self { areas, by_name }
    }

    /// The best known areas with a folded name, in a country if one is given. All have the same rank.
    pub fn find(&self, name: &str, country: Option<&str>) -> Vec<&Area> {
        let named = self.by_name.get(name).into_iter().flatten();
        let mut areas = named
            .map(|index| &self.areas[*index as usize])
            .filter(|area| country.is_none() || area.country() == country)
            .peekable();
        let rank = areas.peek().map(|area| area.rank);
        areas.take_while(|area| Some(area.rank) == rank).collect()
    }

    /// The area with a code.
    pub fn of_code(&self, code: &str) -> Option<&Area> {
        self.areas.iter().find(|area| area.code == code)
    }

    /// All areas, the best known first.
    pub fn all(&self) -> impl Iterator<Item = &Area> {
        let ranks = [Rank::Continent, Rank::Region, Rank::Natural, Rank::Part];
        ranks
            .into_iter()
            .flat_map(|rank| self.areas.iter().filter(move |area| area.rank() == rank))
    }
}

fn is_direction(name: &str) -> bool {
    let mut words = name.split([' ', '-']);
    words.all(|word| DIRECTIONS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_mean_by_a_name_consists_of_areas_that_there_are() {
        let mut codes = String::new();
        for line in Borders::get().codes() {
            codes.push_str(line);
            codes.push(' ');
        }
        let codes: Vec<&str> = codes.split(' ').collect();
        let rows = USAGE.lines().filter(|line| !line.starts_with('#'));
        for row in rows {
            let (parts, names) = row.split_once('\t').unwrap();
            for part in parts.split(' ').filter(|part| !part.contains(',')) {
                assert!(codes.contains(&part), "{part} of {names}");
            }
            for name in names.split('\t') {
                let found = Areas::get().find(&folded(name), None);
                assert_eq!(found[0].code, parts, "{name}");
            }
        }
    }
}
