//! Combines the filters of a sentence with the flags that were given with it.

use super::{Replaced, Understood};
use crate::query::filters::{Near, UserFilter};
use crate::store::{Order, Who};

/// Flags that may be given several times, so that those of the sentence are added: each restricts the answer further.
const ADDED: [&str; 3] = ["not", "person", "text"];

/// The flags that were given with a sentence.
#[derive(Debug, Clone)]
pub struct GivenFlags {
    /// The filter that they make.
    pub filter: UserFilter,
    /// Their names. A name whose filter is not set removes that filter from the sentence.
    pub names: Vec<&'static str>,
    /// The flag `--seed`, which the filter has only if it asks for a random order itself.
    pub seed: Option<u64>,
}

impl GivenFlags {
    /// No flags.
    pub fn none() -> Self {
        Self {
            filter: UserFilter::new(),
            names: Vec::new(),
            seed: None,
        }
    }

    /// Whether a flag was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    /// Whether a flag was given that asks for faces.
    pub(super) fn asks_for_faces(&self) -> bool {
        let filter = &self.filter;
        filter.faces.is_some()
            || !filter.emotions.is_empty()
            || !filter.without.is_empty()
            || filter.who != Who::Any
    }

    /// Adds the filters of the sentence to the flags. A flag is more exact: where both set the same filter, the flag is
    /// used, and what it replaces is recorded.
    pub(super) fn add_to(&self, understood: &mut Understood) {
        let sentence = std::mem::replace(&mut understood.filter, self.filter.clone());
        let set = sentence.set_flags();
        for (flag, value) in &set {
            let name = flag.name;
            // Both are values of the same flag.
            let given = match name {
                "min-score" | "all" => ["min-score", "all"].into_iter().find(|name| self.has(name)),
                _ => self.has(name).then_some(name),
            };
            let Some(given) = given.filter(|name| !ADDED.contains(name)) else {
                continue;
            };
            let mut own = self.filter.set_flags().into_iter();
            let is_repeated = own.any(|(flag, other)| flag.name == name && other == *value);
            if !is_repeated {
                let argument = if flag.value.is_some() {
                    format!("--{name} {value}")
                } else {
                    format!("--{name}")
                };
                understood.replaced.push(Replaced {
                    flag: name,
                    argument,
                    by: given,
                });
            }
        }
        understood.of_words = sentence.clone();
        let has = |name| self.has(name);
        let all = &mut understood.filter;
        if !has("emotion") {
            all.emotions = sentence.emotions;
        }
        all.without = all.without.iter().chain(sentence.without.iter()).collect();
        if !has("who") {
            all.who = sentence.who;
        }
        if !has("min-score") && !has("all") {
            all.min_score = sentence.min_score;
        }
        if !has("faces") {
            all.faces = sentence.faces;
        }
        if !has("since") {
            all.since = sentence.since;
        }
        if !has("until") {
            all.until = sentence.until;
        }
        if !has("taken") {
            all.taken = sentence.taken;
        }
        if !has("album") {
            all.album = sentence.album;
        }
        let near_of_sentence = sentence.near.unwrap_or_default();
        let near_of_flags = all.near.take().unwrap_or_default();
        let near = Near {
            places: if has("near") {
                near_of_flags.places
            } else {
                near_of_sentence.places
            },
            km: if has("within") {
                near_of_flags.km
            } else {
                near_of_sentence.km
            },
        };
        all.near = (near != Near::default()).then_some(near);
        if !has("away") {
            all.away = sentence.away;
        }
        if !has("camera") {
            all.cameras = sentence.cameras;
        }
        all.people.extend(sentence.people);
        let texts: Vec<String> = all.text.take().into_iter().chain(sentence.text).collect();
        all.text = (!texts.is_empty()).then(|| texts.join(" "));
        if !has("order") {
            all.order = sentence.order;
        }
        if let (Order::Random { seed }, Some(given)) = (&mut all.order, self.seed) {
            *seed = given;
        }
        all.one_per_burst |= sentence.one_per_burst;
        if !has("limit") {
            all.limit = sentence.limit;
        }
    }
}
