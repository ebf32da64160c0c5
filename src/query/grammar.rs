//! Free text as filters: `happy vacation photos in italy last summer`. `docs/query.md` is its
//! description.

use jiff::civil::Date;

use super::dates::{DateSpan, in_words, number, relative};
use super::filters::{AWAY, AskedFilter, Near, When};
use super::gazetteer::Gazetteer;
use crate::emotion::Emotion;
use crate::store::{Order, Who};

/// What became of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Understood {
    /// The filters.
    pub filters: AskedFilter,
    /// Words that stand for nothing else and are looked for as text.
    pub as_text: Vec<String>,
}

/// Words that say nothing.
const FILLERS: &[&str] = &[
    "a", "all", "an", "and", "any", "at", "by", "find", "for", "from", "image", "images", "in",
    "is", "me", "my", "of", "on", "or", "our", "photo", "photos", "pic", "pics", "picture",
    "pictures", "please", "shot", "shots", "show", "taken", "that", "the", "to", "where", "which",
    "who", "with",
];

const AWAY_WORDS: &[&str] = &[
    "abroad",
    "away",
    "holiday",
    "holidays",
    "travel",
    "travelling",
    "trip",
    "trips",
    "vacation",
    "vacations",
];

/// No date, city or name that is looked for has more words.
const LONGEST: usize = 4;

/// Reads a text as filters, from left to right, the longest that has a meaning first, and adds
/// them to those that are given.
pub fn understand(words: &[String], filters: AskedFilter, today: Date) -> Understood {
    let words: Vec<String> = words
        .iter()
        .flat_map(|word| word.split_whitespace())
        .map(|word| word.trim_matches(|c: char| matches!(c, '.' | ',' | ';' | '!' | '?' | '"')))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let mut reader = Reader {
        lower: words.iter().map(|word| word.to_lowercase()).collect(),
        words,
        today,
        understood: Understood {
            filters,
            as_text: Vec::new(),
        },
    };
    let mut at = 0;
    while at < reader.words.len() {
        at += reader.read(at).max(1);
    }
    let Reader { mut understood, .. } = reader;
    if !understood.as_text.is_empty() {
        let given = understood.filters.text.take();
        let texts: Vec<String> = given
            .into_iter()
            .chain(understood.as_text.clone())
            .collect();
        understood.filters.text = Some(texts.join(" "));
    }
    understood
}

/// The emotion that a word names, superlatives included.
fn emotion(word: &str) -> Option<Emotion> {
    match word {
        "happiest" => Some(Emotion::Happy),
        "saddest" => Some(Emotion::Sad),
        "angriest" => Some(Emotion::Angry),
        _ => word.parse().ok(),
    }
}

struct Reader {
    words: Vec<String>,
    lower: Vec<String>,
    today: Date,
    understood: Understood,
}

impl Reader {
    /// Reads what stands at a word; how many words that was.
    fn read(&mut self, at: usize) -> usize {
        if let Some(length) = self.count(at).or_else(|| self.period(at)) {
            return length;
        }
        if let Some(length) = self.name(at) {
            return length;
        }
        if matches!(self.word(at), "in" | "near" | "around" | "at" | "from")
            && let Some(length) = self.place(at + 1)
        {
            return length + 1;
        }
        if !self.keyword(at) {
            self.understood.as_text.push(self.words[at].clone());
        }
        1
    }

    fn word(&self, at: usize) -> &str {
        self.lower.get(at).map_or("", String::as_str)
    }

    /// A single word with a meaning of its own.
    fn keyword(&mut self, at: usize) -> bool {
        let word = self.lower[at].clone();
        let filters = &mut self.understood.filters;
        if let Some(emotion) = emotion(&word) {
            filters.emotions = filters.emotions.iter().chain([emotion]).collect();
            return true;
        }
        match word.as_str() {
            word if AWAY_WORDS.contains(&word) => filters.away = Some(AWAY),
            "everybody" | "everyone" => filters.who = Who::All,
            "most" | "mostly" => filters.who = Who::Most,
            "anybody" | "anyone" | "somebody" | "someone" => filters.who = Who::Any,
            "alone" | "portrait" | "portraits" | "selfie" | "selfies" => {
                filters.faces = Some(1..=1);
            }
            "couple" | "couples" => filters.faces = Some(2..=2),
            "group" | "groups" => filters.faces = Some(3..=u32::MAX),
            "latest" | "newest" | "recent" => filters.order = Order::Date,
            "random" | "shuffled" => filters.order = Order::Random { seed: 0 },
            "best" | "top" => {}
            word => return FILLERS.contains(&word),
        }
        true
    }

    /// `top 10`, `20 photos`, `three people`.
    fn count(&mut self, at: usize) -> Option<usize> {
        let is_top = matches!(self.word(at), "top" | "best");
        // Larger numbers are years.
        let count = number(self.word(at + usize::from(is_top))).filter(|count| *count <= 1000)?;
        let filters = &mut self.understood.filters;
        if is_top {
            filters.limit = Some(count as usize);
            return Some(2);
        }
        let what = self.lower.get(at + 1).map_or("", String::as_str);
        match what {
            "photo" | "photos" | "picture" | "pictures" | "image" | "images" | "pics" => {
                // "a photo" asks for any.
                if !matches!(self.lower[at].as_str(), "a" | "an") {
                    filters.limit = Some(count as usize);
                }
            }
            "people" | "persons" | "person" | "faces" | "face" | "friends" | "kids" => {
                filters.faces = Some(count as u32..=count as u32);
            }
            what if emotion(what).is_some() => {
                filters.limit = Some(count as usize);
                return Some(1);
            }
            _ => return None,
        }
        Some(2)
    }

    /// `since may`, `before 2019`, `between 2017 and 2019`, `in july`, `last summer`.
    fn period(&mut self, at: usize) -> Option<usize> {
        let word = self.word(at).to_owned();
        match word.as_str() {
            "between" => {
                let (first, length) = self.date(at + 1)?;
                let middle = at + 1 + length;
                if !matches!(self.word(middle), "and" | "to") {
                    return None;
                }
                let (last, rest) = self.date(middle + 1)?;
                self.understood.filters.since = Some(first);
                self.understood.filters.until = Some(last);
                Some(length + rest + 2)
            }
            "since" | "after" => {
                let (when, length) = self.date(at + 1)?;
                self.understood.filters.since = Some(when);
                Some(length + 1)
            }
            "until" | "till" => {
                let (when, length) = self.date(at + 1)?;
                self.understood.filters.until = Some(when);
                Some(length + 1)
            }
            "before" => {
                let (when, length) = self.date(at + 1)?;
                let day_before = when.span.start.date().yesterday().ok()?;
                self.understood.filters.until = Some(When {
                    text: day_before.to_string(),
                    span: DateSpan {
                        start: day_before.into(),
                        end: when.span.start,
                    },
                });
                Some(length + 1)
            }
            "in" | "on" | "during" | "from" | "of" => {
                let length = self.whole(at + 1)?;
                Some(length + 1)
            }
            _ => self.whole(at),
        }
    }

    /// A date that is meant from its start to its end.
    fn whole(&mut self, at: usize) -> Option<usize> {
        let (when, length) = self.date(at)?;
        self.understood.filters.since = Some(when.clone());
        self.understood.filters.until = Some(when);
        Some(length)
    }

    /// The longest date that begins at a word, and its length.
    fn date(&self, at: usize) -> Option<(When, usize)> {
        self.longest(at, |words| {
            let text = words.join(" ");
            let counted = || match words {
                [.., "ago"] => relative(&text, self.today),
                _ => None,
            };
            let in_figures = || match words {
                [word] if word.contains('-') => super::parse_span(word, self.today).ok(),
                _ => None,
            };
            let span = in_words(words, self.today)
                .or_else(counted)
                .or_else(in_figures)?;
            Some(When { text, span })
        })
    }

    /// `album NAME`, `camera NAME`, `shot on NAME`, `one per burst`.
    fn name(&mut self, at: usize) -> Option<usize> {
        let words: Vec<&str> = (at..at + 3).map(|index| self.word(index)).collect();
        let value = |index: usize| self.words.get(index).cloned();
        match words[..] {
            ["one", "per", "burst"] => {
                self.understood.filters.one_per_burst = true;
                Some(3)
            }
            ["album" | "folder", ..] => {
                self.understood.filters.album = Some(value(at + 1)?);
                Some(2)
            }
            ["camera", ..] => {
                self.understood.filters.camera = Some(value(at + 1)?);
                Some(2)
            }
            ["shot" | "taken", "on" | "with", _] => {
                self.understood.filters.camera = Some(value(at + 2)?);
                Some(3)
            }
            _ => None,
        }
    }

    /// The longest name of a place that begins at a word; its length.
    fn place(&mut self, at: usize) -> Option<usize> {
        let (place, length) = self.longest(at, |words| {
            let name = words.join(" ");
            let words = match words {
                ["the", rest @ ..] => rest.join(" "),
                _ => name.clone(),
            };
            Gazetteer::get().find(&words).map(|_| words)
        })?;
        self.understood.filters.near = Some(Near { place, km: None });
        Some(length)
    }

    fn longest<T>(&self, at: usize, read: impl Fn(&[&str]) -> Option<T>) -> Option<(T, usize)> {
        let words: Vec<&str> = self
            .lower
            .iter()
            .skip(at)
            .take(LONGEST)
            .map(String::as_str)
            .collect();
        (1..=words.len())
            .rev()
            .find_map(|length| Some((read(&words[..length])?, length)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn read(text: &str) -> Understood {
        understand(&[text.to_owned()], AskedFilter::new(), date(2026, 11, 24))
    }

    #[track_caller]
    fn check(text: &str, flags: &str) {
        assert_eq!(read(text).filters.arguments().join(" "), flags, "{text}");
    }

    #[test]
    fn the_question_of_the_issue() {
        let understood = read("happy vacation photos in italy last summer");
        let flags =
            "--emotion happy --since last summer --until last summer --near italy --away=100";
        assert_eq!(understood.filters.arguments().join(" "), flags);
        assert_eq!(understood.as_text, [] as [&str; 0]);
        let since = understood.filters.since.unwrap();
        assert_eq!(since.span.start, date(2026, 6, 1).at(0, 0, 0, 0));
    }

    #[test]
    fn each_phrase_becomes_its_flag() {
        check("top 10 happiest photos", "--emotion happy --limit 10");
        check(
            "5 sad or angry pictures",
            "--emotion angry --emotion sad --limit 5",
        );
        check("everybody happy", "--emotion happy --who all");
        check("three people", "--faces 3");
        check("groups in the usa", "--faces 3.. --near usa");
        check(
            "near new york in july 2019",
            "--since july 2019 --until july 2019 --near new york",
        );
        check("before 2019", "--until 2018-12-31");
        check("between 2017 and 2019", "--since 2017 --until 2019");
        check("since 3 weeks ago", "--since 3 weeks ago");
        check("in 2019", "--since 2019 --until 2019");
        check("photos from paris", "--near paris");
        check(
            "album Wedding shot on Nikon",
            "--album Wedding --camera Nikon",
        );
        check("random one per burst", "--order random --one-per-burst");
        check("a photo of my family", "--text family");
    }

    #[test]
    fn unknown_words_are_text() {
        let understood = read("happy Grandma in the garden, 2020");
        assert_eq!(understood.as_text, ["Grandma", "garden"]);
        assert_eq!(understood.filters.text.as_deref(), Some("Grandma garden"));
        assert!(understood.filters.since.is_some());
    }
}
