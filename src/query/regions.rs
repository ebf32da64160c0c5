//! Finds continents, regions of countries, islands and natural regions by name; see `assets/places/README.md`.

use std::collections::HashMap;
use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;

use super::gazetteer::folded;

const DATA: &[u8] = include_bytes!("../../assets/places/regions.tsv.gz");

/// Words of which the names of many regions consist; such a name alone means none of them.
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
    /// Its code, as [`Borders::areas`](crate::borders::Borders::areas) returns it.
    pub code: String,
    /// Its English name, or else that in its own language.
    pub name: String,
    /// The code of the region of the first order that contains it.
    pub within: Option<String>,
}

/// What an area is, the best known first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A continent, or a union of countries or regions.
    Continent,
    /// A region of the first order, such as a state.
    Region,
    /// An island or a natural region.
    Natural,
    /// A part of a region, such as a province or a county.
    Part,
}

impl Area {
    pub(super) fn rank(&self) -> Rank {
        if self.code.starts_with("c:") || self.code.starts_with("g:") {
            Rank::Continent
        } else if self.code.starts_with("n:") {
            Rank::Natural
        } else if self.within.is_some() {
            Rank::Part
        } else {
            Rank::Region
        }
    }

    /// The ISO 3166 code of its country; `None` for what is not a part of one country.
    pub fn country(&self) -> Option<&str> {
        let code = self.code.split('-').next()?;
        (code.len() == 2).then_some(code)
    }
}

/// All areas with a name.
#[derive(Debug)]
pub(super) struct Regions {
    areas: Vec<Area>,
    /// Indexes of the areas by folded name, the best known first.
    by_name: HashMap<String, Vec<u32>>,
}

impl Regions {
    /// The areas that are embedded in the binary. The first call in a process unpacks them.
    pub fn get() -> &'static Self {
        static REGIONS: LazyLock<Regions> = LazyLock::new(Regions::unpack);
        &REGIONS
    }

    fn unpack() -> Self {
        let mut text = String::new();
        GzDecoder::new(DATA)
            .read_to_string(&mut text)
            .expect("the program's own data are whole");
        let mut areas = Vec::new();
        let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
        for line in text.lines() {
            let mut fields = line.split('\t');
            let mut next = || fields.next().unwrap_or_default().to_owned();
            let (code, within, name) = (next(), next(), next());
            let own = folded(&name);
            for name in [own].into_iter().chain(fields.map(str::to_owned)) {
                if !is_direction(&name) {
                    by_name.entry(name).or_default().push(areas.len() as u32);
                }
            }
            areas.push(Area {
                code,
                name,
                within: (!within.is_empty()).then_some(within),
            });
        }
        for named in by_name.values_mut() {
            named.sort_by_key(|index| areas[*index as usize].rank());
        }
        Self { areas, by_name }
    }

    /// The best known area with a folded name, in a country if one is given.
    pub fn find(&self, name: &str, country: Option<&str>) -> Option<&Area> {
        let named = self.by_name.get(name)?.iter();
        named
            .map(|index| &self.areas[*index as usize])
            .find(|area| country.is_none() || area.country() == country)
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
