//! Describes a filter in plain words, and explains why no photo meets it.

use super::dates::{Dates, now, parse_dates};
use super::filters::{Defaults, HOME, UserFilter};
use super::flags::Flag;
use super::gazetteer::{Gazetteer, Place};
use super::map_places::MAP_PLACE_SUFFIX;
use super::people::People;
use crate::error::Result;
use crate::store::{Store, words_of_name};

impl UserFilter {
    /// Describes each part of the filter: `shows happy`, `near Rome, Italy`.
    pub fn descriptions(&self) -> Vec<String> {
        let parts = self.parts().into_iter();
        parts.map(|(_, description)| description).collect()
    }

    /// The same descriptions, each with the name of its flag.
    pub fn parts(&self) -> Vec<(&'static str, String)> {
        let groups = self.groups();
        let described = groups
            .iter()
            .filter_map(|group| Some((group.name(), group.description(&groups)?)));
        described.collect()
    }

    /// Explains why no photo meets the filter, if single parts of it are the reason. Lists the parts that no photo
    /// meets; if there are none, the parts without any one of which photos would be found.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn why_empty(&self, store: &Store, defaults: Defaults) -> Result<Vec<String>> {
        if let (Some(since), Some(until)) = (&self.since, &self.until)
            && since.span.start >= until.span.end
        {
            let (since, until) = (&since.text, &until.text);
            return Ok(vec![format!("{since} is after {until}")]);
        }
        let groups = self.groups();
        let finds = |groups: &[&Group]| -> Result<bool> {
            let given: Vec<(&str, &str)> = groups
                .iter()
                .flat_map(|group| {
                    group
                        .values
                        .iter()
                        .map(|value| (group.name(), value.as_str()))
                })
                .collect();
            // Cannot fail: these values have been parsed before.
            let Ok(filter) = Self::read(&given) else {
                return Ok(true);
            };
            let query = filter.resolve(store, defaults, Some(1))?;
            Ok(!store.query(&query)?.is_empty())
        };
        // A period is tested as a whole, since the user did not ask for its end alone.
        let is_end = |group: &Group| group.name() == "until" && self.since.is_some();
        let restricting = || {
            let groups = groups.iter();
            groups.filter(|group| group.restricts() && !is_end(group))
        };
        let mut alone = Vec::new();
        for group in restricting().filter(|group| !group.depends_on_others()) {
            let mut parts = vec![group];
            parts.extend(groups.iter().filter(|other| {
                matches!(
                    (other.name(), group.name()),
                    ("within", "near")
                        | ("until", "since")
                        | ("file-dates", "since" | "until" | "taken")
                )
            }));
            if !finds(&parts)? {
                alone.push(group);
            }
        }
        let mut reasons: Vec<String> = Vec::new();
        for group in &alone {
            if group.name() != "text" {
                reasons.push(group.why_unmet(&groups, store)?);
                continue;
            }
            let words = group.values.iter().flat_map(|text| text.split_whitespace());
            let mut lacking = Vec::new();
            for word in words {
                let only = Group {
                    flag: group.flag,
                    values: vec![word.to_owned()],
                };
                if !finds(&[&only])? {
                    lacking.push(format!("no photo has the word \"{word}\""));
                }
            }
            if lacking.is_empty() {
                lacking.push(format!(
                    "no photo has all the words \"{}\"",
                    group.values.join(" ")
                ));
            }
            reasons.extend(lacking);
        }
        if !reasons.is_empty() {
            return Ok(reasons);
        }
        for group in restricting() {
            let others: Vec<&Group> = groups
                .iter()
                .filter(|other| {
                    other.name() != group.name()
                        && other.requires() != Some(group.name())
                        && !(group.name() == "since" && is_end(other))
                })
                .collect();
            if finds(&others)? {
                let description = match (group.name(), group.values.first().map(String::as_str)) {
                    ("who", Some("all")) => Some("everybody".to_owned()),
                    ("who", _) => Some("most faces".to_owned()),
                    _ => group.description(&groups),
                };
                let description = description.unwrap_or_else(|| group.name().to_owned());
                reasons.push(format!("without \"{description}\" there would be some"));
            }
        }
        Ok(reasons)
    }

    fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (flag, value) in self.set_flags() {
            match groups.last_mut() {
                Some(group) if group.name() == flag.name => group.values.push(value),
                _ => groups.push(Group {
                    flag,
                    values: vec![value],
                }),
            }
        }
        groups
    }
}

/// A flag with all its values.
#[derive(Debug)]
struct Group {
    flag: &'static Flag,
    values: Vec<String>,
}

impl Group {
    const fn name(&self) -> &'static str {
        self.flag.name
    }

    const fn requires(&self) -> Option<&'static str> {
        self.flag.requires
    }

    /// Whether the flag decides which photos are found, and not only their order or number.
    fn restricts(&self) -> bool {
        !matches!(
            self.name(),
            "all"
                | "order"
                | "seed"
                | "limit"
                | "offset"
                | "one-per-burst"
                | "raws"
                | "within"
                | "file-dates"
        )
    }

    /// Whether the flag only changes the meaning of other flags.
    fn depends_on_others(&self) -> bool {
        matches!(
            self.name(),
            "who" | "min-score" | "min-detection" | "min-face-size" | "within"
        )
    }

    /// Whether one face that shows the emotion is enough.
    fn is_of_any_face(&self, all: &[Self]) -> bool {
        self.name() == "emotion" && all.iter().all(|group| group.name() != "who")
    }

    /// Describes that no photo meets this group alone.
    fn why_unmet(&self, all: &[Self], store: &Store) -> Result<String> {
        let description = self.description(all).unwrap_or_default();
        Ok(match self.name() {
            "emotion" if self.is_of_any_face(all) => format!("no photo {description}"),
            "under" => {
                let folder = self.values.join(" ");
                format!(
                    "no photo below {folder} is in the index; fer-index index {folder} adds them"
                )
            }
            "person" => no_photo_of_people(&self.values, &People::new(store.people()?)),
            "album" | "near" | "away" | "camera" => format!("no photo is {description}"),
            "since" | "until" | "taken" => {
                format!(
                    "no photo was {}",
                    description.replacen("taken: ", "taken ", 1)
                )
            }
            _ => format!("no photo meets: {description}"),
        })
    }

    /// The group in words; `None` if the words of another group include it.
    fn description(&self, all: &[Self]) -> Option<String> {
        let value = self.values.first()?.as_str();
        let of = |name: &str| {
            let group = all.iter().find(|group| group.name() == name)?;
            group.values.first().map(String::as_str)
        };
        let either = || self.values.join(" or ");
        Some(match self.name() {
            "emotion" => match of("who") {
                Some("all") => format!("everybody shows {}", either()),
                Some("most") => format!("most faces show {}", either()),
                _ => format!("shows {}", either()),
            },
            "who" if of("emotion").is_some() => return None,
            "who" => format!("{value} of the faces, of no emotion"),
            "not" => format!("nobody shows {}", either()),
            "all" => "however little".to_owned(),
            "min-score" => format!("with a score of {value} or more"),
            "faces" => faces(value),
            "since" if of("until") == Some(value) => format!("taken: {value}"),
            "until" if of("since").is_some() => return None,
            "since" => match of("until") {
                Some(until) => format!("taken: {value} to {until}"),
                None => format!("taken from {value} on"),
            },
            "until" => format!("taken until {value}"),
            "taken" => {
                let dates: Vec<String> = self.values.iter().map(|text| date(text)).collect();
                format!("taken: {}", dates.join(" or "))
            }
            "file-dates" => "dated by their files where they have no date".to_owned(),
            "under" => format!("below {value}"),
            "album" => format!("in a folder called {value}"),
            "near" => {
                let places: Vec<String> = self.values.iter().map(|name| place(name)).collect();
                places.join(" or ")
            }
            "within" => format!("within {value} km"),
            "away" => format!("more than {value} km from home"),
            "camera" => format!("by camera {}", either()),
            "person" => format!("of {}", self.values.join(" and ")),
            "text" => format!("with the words {value}"),
            "min-face-size" => format!("faces of {value} pixels or more"),
            "min-detection" => format!("faces with a detection score of {value} or more"),
            "order" if value == "date" => "latest first".to_owned(),
            "order" => "shuffled".to_owned(),
            "seed" => return None,
            "one-per-burst" => "one of each burst".to_owned(),
            "raws" if value == "all" => {
                "also raw files beside a picture of the same shot".to_owned()
            }
            "raws" => "no raw files beside a picture of the same shot".to_owned(),
            "limit" => format!("at most {value}"),
            "offset" => format!("after the first {value}"),
            name => format!("{name} {value}"),
        })
    }
}

/// Describes why no photo names all of these people together.
fn no_photo_of_people(wanted: &[String], people: &People) -> String {
    let unknown = wanted
        .iter()
        .find(|name| !people.has_person_named(&words_of_name(name)));
    let Some(name) = unknown else {
        return format!("no photo names {} together", wanted.join(" and "));
    };
    match people.nearest(name) {
        Some(nearest) => {
            format!("no photo names \"{name}\"; the nearest name in the index is {nearest}")
        }
        None => format!("no photo names \"{name}\""),
    }
}

fn faces(range: &str) -> String {
    match range.split_once("..") {
        None if range == "0" => "without a face".to_owned(),
        None if range == "1" => "with 1 face".to_owned(),
        None => format!("with {range} faces"),
        Some(("1", "")) => "with a face".to_owned(),
        Some((least, "")) => format!("with {least} faces or more"),
        Some((least, most)) => format!("with {least} to {most} faces"),
    }
}

fn date(text: &str) -> String {
    match parse_dates(text, now()) {
        Ok(Dates::Yearly(_)) => format!("{text} of any year"),
        _ => text.to_owned(),
    }
}

/// The full name of the place that a name means.
fn place(name: &str) -> String {
    let gazetteer = Gazetteer::get();
    match gazetteer.find(name) {
        _ if name == HOME => "at home".to_owned(),
        _ if name.ends_with(MAP_PLACE_SUFFIX) => format!("at {name}"),
        Some(place @ Place::City(_)) => format!("near {}", gazetteer.full_name(&place)),
        Some(place) => format!("in {}", gazetteer.full_name(&place)),
        None => format!("near {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_described_in_words() {
        for (given, expected) in [
            (&[][..], ""),
            (
                &[
                    ("emotion", "happy"),
                    ("emotion", "surprise"),
                    ("not", "sad"),
                ],
                "shows happy or surprise; nobody shows sad",
            ),
            (
                &[("emotion", "sad"), ("who", "all"), ("faces", "3..")],
                "everybody shows sad; with 3 faces or more",
            ),
            (
                &[("since", "2019"), ("until", "2019"), ("near", "Roma")],
                "taken: 2019; near Rome, Italy",
            ),
            (
                &[("taken", "may"), ("taken", "june 2020"), ("near", "home")],
                "taken: may of any year or june 2020; at home",
            ),
            (
                &[
                    ("near", "francia"),
                    ("near", "Florence, US"),
                    ("faces", "0"),
                ],
                "without a face; in France or near Florence, United States",
            ),
        ] {
            let filter = UserFilter::read(given).unwrap();
            assert_eq!(filter.descriptions().join("; "), expected);
        }
    }
}
