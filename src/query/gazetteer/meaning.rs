//! Decides which place a name means.

use super::super::areas::{Area, Areas, Rank};
use super::super::common_words::{
    PLACES_AND_COMMON_WORDS, is_name_or_thing, is_well_known_foreign_name,
};
use super::{Entry, Gazetteer, Place, folded};

/// The number of cities whose names in other languages take precedence over an area somewhere else. The smallest of
/// them has about 200,000 inhabitants.
const CITIES_WITH_FOREIGN_NAMES: usize = 2500;

impl Gazetteer {
    /// Finds a place by its name, in any case and in any language of the tables. A country takes precedence over a
    /// continent, unless its name in another language is the English one of a large city: Granada is not Grenada. A
    /// city of 100,000 inhabitants takes precedence over an island, a mountain range, and a region in which no city is
    /// larger: New York is the city, and Ontario the province. All of them take precedence over smaller cities, the
    /// largest city over others. `Florence, US` is the largest Florence in that country.
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
            && !self.means_city_not_country(&name)
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
                CITIES_WITH_FOREIGN_NAMES
            }
        };
        let is_city_meant = |(city, is_own_name): &(usize, bool)| match area.rank() {
            Rank::Continent => false,
            // "Vitória" means the city, and not the region Victoria.
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

    /// The best known area with a folded name. Of several equally well known, those with it as their main name come
    /// first, then the one with the largest city.
    fn area(&self, name: &str, country: Option<&str>) -> Option<&'static Area> {
        let areas = Areas::get().find(name, country);
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
    fn means_city_not_country(&self, name: &str) -> bool {
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
    /// region or an island, if the name is not a common word. Of the other names of cities, only well-known ones and
    /// those with letters beyond ASCII (`Łódź`) count; with `is_written_as_name`, all.
    pub fn find_without_preposition(&self, name: &str, is_written_as_name: bool) -> Option<Place> {
        let folded = folded(name);
        let is_country = self.country_by_name.get(&folded);
        let is_short = folded.len() < 3 && is_country.is_none_or(|(_, is_english)| !is_english);
        if is_short || PLACES_AND_COMMON_WORDS.contains(&folded.as_str()) || is_name_or_thing(name)
        {
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
            Place::City(_)
                if !is_written_as_name && name.is_ascii() && self.is_unusual_name(&folded) =>
            {
                None
            }
            place => Some(place),
        }
    }

    /// Whether a folded name means a city, but is neither its main name nor a well-known one.
    pub fn is_unusual_name(&self, folded: &str) -> bool {
        let is_other = self
            .city(folded, None)
            .is_some_and(|(_, is_own_name)| !is_own_name);
        is_other && !is_well_known_foreign_name(folded)
    }

    fn country(&self, name: &str) -> Option<&Entry> {
        let (number, _) = self.country_by_name.get(name)?;
        self.countries.get(*number as usize)
    }

    /// The index of the city that a folded name means, and whether that is its main name. The largest city with this
    /// main name takes precedence over cities with it as an alternative name, unless that city is small: `roma` means
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
}
