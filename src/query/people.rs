//! Finds the people of the index by the names that users write.

use crate::store::words_of_name;

/// The people whom photos of the index name.
#[derive(Debug, Default)]
pub struct People {
    names: Vec<Name>,
}

#[derive(Debug)]
struct Name {
    written: String,
    /// Its words, in the form in which names are compared.
    words: Vec<String>,
}

impl People {
    /// The people with these names.
    pub fn new(names: Vec<String>) -> Self {
        let name = |written: String| Name {
            words: words_of_name(&written),
            written,
        };
        Self {
            names: names.into_iter().map(name).collect(),
        }
    }

    /// Whether a person's name contains all of these words, as `--person` requires.
    pub(super) fn has_person_named(&self, words: &[String]) -> bool {
        let is_meant = |name: &Name| words.iter().all(|word| name.words.contains(word));
        !words.is_empty() && self.names.iter().any(is_meant)
    }

    /// Whether a person's name begins with these words: it is the first name, or all of it.
    pub(super) fn has_first_name(&self, words: &[String]) -> bool {
        self.with_first_name(words).is_some()
    }

    /// The first person whose name begins with these words, as it is written.
    pub(super) fn with_first_name(&self, words: &[String]) -> Option<&str> {
        let begins = |name: &&Name| name.words.starts_with(words);
        let named = self.names.iter().find(begins);
        named
            .map(|name| &*name.written)
            .filter(|_| !words.is_empty())
    }

    /// The name that is nearest to `wanted`, as a whole or by one of its words; `None` if more than a third of the
    /// letters differ.
    pub fn nearest(&self, wanted: &str) -> Option<&str> {
        self.nearest_within(wanted, wanted.chars().count() / 3)
    }

    /// The name that, or a word of which, differs from `wanted` in one letter.
    pub(super) fn within_one_letter(&self, wanted: &str) -> Option<&str> {
        let is_long = wanted.chars().count() > 2;
        self.nearest_within(wanted, usize::from(is_long))
    }

    fn nearest_within(&self, wanted: &str, most: usize) -> Option<&str> {
        let wanted = words_of_name(wanted).join(" ");
        let distance = |name: &Name| {
            let whole = name.words.join(" ");
            let parts = name.words.iter().chain([&whole]);
            parts.map(|part| strsim::osa_distance(part, &wanted)).min()
        };
        let near = self
            .names
            .iter()
            .filter_map(|name| Some((distance(name)?, &*name.written)));
        near.filter(|(distance, _)| (1..=most).contains(distance))
            .min()
            .map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_one_that_is_near() {
        let names = ["Anna Rossi", "Zoë", "Jean-Luc Picard"];
        let people = People::new(names.map(str::to_owned).to_vec());
        for (wanted, nearest) in [
            ("anne", Some("Anna Rossi")),
            ("ana rosi", Some("Anna Rossi")),
            ("Zoéy", Some("Zoë")),
            ("jean luc pikard", Some("Jean-Luc Picard")),
            ("picart", Some("Jean-Luc Picard")),
            ("bob", None),
            ("", None),
        ] {
            assert_eq!(people.nearest(wanted), nearest, "{wanted}");
        }
        assert_eq!(people.within_one_letter("ana"), Some("Anna Rossi"));
        assert_eq!(people.within_one_letter("rosy"), None);
        assert_eq!(people.within_one_letter("an"), None);
    }
}
