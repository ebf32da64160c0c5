//! Reads distances from a place (`within 10 km of rome`) and shares of a score (`at least 80% happy`).

use super::super::filters::HOME;
use super::{Length, Reader};

/// Kilometres in a mile.
const KM_PER_MILE: f64 = 1.609_344;

/// The longest distance on Earth, in km.
const MAX_DISTANCE: f64 = 20_038.0;

/// A limit that precedes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Least,
    Most,
}

impl Reader<'_> {
    /// Whether a number at a token is that of a measure: `10 years ago`, `10 km`, `90 %`.
    pub(super) fn measures(&self, at: usize) -> bool {
        let units = ["year", "month", "week", "day"];
        self.is_any(at + 1, &units)
            || matches!(self.lower(at + 1), "hour" | "hours" | "stunde" | "stunden")
            || self.kilometres(at).is_some()
            || self.percent(at).is_some()
    }

    /// Reads a distance or a percentage, with its place or emotion.
    pub(super) fn measure(&mut self, at: usize) -> Length {
        self.distance(at).or_else(|| self.percentage(at))
    }

    /// Reads `within 10 km of rome`, `30 km around vienna`, `more than 50 km from home`.
    fn distance(&mut self, at: usize) -> Length {
        let (limit, start) = self.limit_before(at);
        let (km, length) = self.kilometres(start)?;
        let mut end = start + length;
        let is_away = self.is(end, "outside"); // `away from`
        if is_away || self.is_any(end, &["in", "from", "to"]) || self.lower(end) == "of" {
            end += 1;
        } else {
            return None;
        }
        let is_least = is_away || limit == Some(Limit::Least);
        if self.is(end, HOME) {
            let filter = &mut self.understood.filter;
            if is_least {
                filter.away = Some(km);
            } else {
                let near = filter.near.get_or_insert_default();
                near.places.push(HOME.to_owned());
                near.km = Some(km);
            }
            return Some(end + 1 - at);
        }
        let (name, length) = self.name_of_place(end, true)?;
        end += length;
        if is_least {
            // No filter excludes what is near a place.
            self.leave_out(at, end - at);
        } else {
            let near = self.understood.filter.near.get_or_insert_default();
            near.places.push(name);
            near.km = Some(km);
        }
        Some(end - at)
    }

    /// Reads `at least 80% happy`, `happy 90 %`: the lowest score at which a face shows an emotion.
    fn percentage(&mut self, at: usize) -> Length {
        let (limit, start) = self.limit_before(at);
        let (percent, length) = self.percent(start)?;
        let end = start + length;
        // `80% of the people smiling` is a share of the people.
        if limit == Some(Limit::Most) || self.lower(end) == "of" {
            self.leave_out(at, end - at);
        } else {
            self.understood.filter.min_score = Some(percent / 100.0);
        }
        Some(end - at)
    }

    /// The limit at a token and the index after it.
    fn limit_before(&self, at: usize) -> (Option<Limit>, usize) {
        let limit = if self.is_any(at, &["at_least", "more_than"]) {
            Limit::Least
        } else if self.is_any(at, &["at_most", "less_than"]) || self.lower(at) == "within" {
            Limit::Most
        } else {
            return (None, at);
        };
        (Some(limit), at + 1)
    }

    /// The distance that begins at a token, in km, and its number of tokens: `10 km`, `10km`, `5 miles`.
    fn kilometres(&self, at: usize) -> Option<(f64, usize)> {
        let figures = |word: &str| {
            let figure: f64 = word.replace(',', ".").parse().ok()?;
            (figure > 0.0).then_some(figure)
        };
        let unit = |word: &str| match word {
            "km" | "kms" | "kilometre" | "kilometres" | "kilometer" | "kilometers" => Some(1.0),
            "mi" | "mile" | "miles" | "meile" | "meilen" => Some(KM_PER_MILE),
            _ => None,
        };
        let word = self.lower(at);
        let joined = word.find(char::is_alphabetic).and_then(|end| {
            let (figure, unit) = (figures(&word[..end])?, unit(&word[end..])?);
            Some((figure * unit, 1))
        });
        let apart = || {
            let count = figures(word).or_else(|| self.number(at).map(f64::from))?;
            Some((count * unit(self.lower(at + 1))?, 2))
        };
        joined.or_else(apart).filter(|(km, _)| *km <= MAX_DISTANCE)
    }

    /// The percentage that begins at a token and its number of tokens: `80%`, `80 %`, `80 percent`.
    fn percent(&self, at: usize) -> Option<(f32, usize)> {
        let figures = |word: &str| {
            let percent: f32 = word.replace(',', ".").parse().ok()?;
            (0.0..=100.0).contains(&percent).then_some(percent)
        };
        if let Some(figure) = self.lower(at).strip_suffix('%') {
            return Some((figures(figure)?, 1));
        }
        let is_unit = matches!(self.lower(at + 1), "%" | "percent" | "prozent");
        is_unit
            .then(|| figures(self.lower(at)))?
            .map(|percent| (percent, 2))
    }
}
