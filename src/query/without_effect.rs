//! Names the filters of a query that change nothing.

use super::filters::{HOME, UserFilter};
use super::gazetteer::{Gazetteer, Place};

impl UserFilter {
    /// Names the filters that change nothing, because the filter to which they apply was not given.
    pub fn without_effect(&self) -> Vec<String> {
        const DATES: &str = "--since, --until or --taken";
        const FACES: &str = "--emotion, --not or --faces";
        let is_of_faces =
            !self.emotions.is_empty() || !self.without.is_empty() || self.faces.is_some();
        let is_dated = self.since.is_some() || self.until.is_some() || self.taken.is_some();
        let is_around = self
            .near
            .as_ref()
            .is_some_and(|near| near.places.iter().any(|name| is_point(name)));
        let flags = self.set_flags();
        let idle = flags.iter().filter_map(|(flag, _)| {
            let lacking = match flag.name {
                "who" | "all" if self.emotions.is_empty() => "without --emotion",
                "min-score" if self.emotions.is_empty() && self.without.is_empty() => "without --emotion or --not",
                "min-detection" | "min-face-size" if !is_of_faces => {
                    return Some(format!("--{} changes nothing without {FACES}", flag.name));
                }
                "file-dates" if !is_dated => {
                    return Some(format!("--file-dates changes nothing without {DATES}"));
                }
                "within" if !is_around => {
                    "beside the name of a country, a region or an island, which is compared by its borders"
                }
                _ => return None,
            };
            Some(format!("--{} changes nothing {lacking}", flag.name))
        });
        idle.collect()
    }
}

/// Whether a distance is measured from a place: a city, a position or home, which have no borders.
fn is_point(name: &str) -> bool {
    let found = Gazetteer::get().find(name);
    name == HOME || matches!(found, None | Some(Place::City(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_changes_nothing_is_named() {
        let idle = |given: &[(&str, &str)]| {
            let filter = UserFilter::read(given).unwrap();
            let sentences = filter.without_effect();
            let names = sentences
                .iter()
                .map(|sentence| sentence.split(' ').next().unwrap().to_owned());
            names.collect::<Vec<_>>().join(" ")
        };
        for (given, expected) in [
            (&[("near", "italy"), ("within", "5")][..], "--within"),
            (&[("near", "rome"), ("within", "5")], ""),
            (&[("near", "italy"), ("near", "rome"), ("within", "5")], ""),
            (&[("near", "43.7,11.2"), ("within", "5")], ""),
            (&[("file-dates", "")], "--file-dates"),
            (&[("file-dates", ""), ("since", "2019")], ""),
            (
                &[("min-face-size", "50"), ("min-detection", "0.9")],
                "--min-face-size --min-detection",
            ),
            (&[("min-face-size", "50"), ("faces", "2")], ""),
            (&[("min-detection", "0.9"), ("not", "sad")], ""),
            (&[("not", "happy"), ("who", "all")], "--who"),
            (&[("not", "happy"), ("all", "")], "--all"),
            (&[("not", "happy"), ("min-score", "0.9")], ""),
            (&[("min-score", "0.9")], "--min-score"),
            (
                &[("emotion", "happy"), ("who", "all"), ("min-score", "0.9")],
                "",
            ),
        ] {
            assert_eq!(idle(given), expected, "{given:?}");
        }
    }
}
