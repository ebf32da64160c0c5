//! The table of filters: for each its name, its help text, and how its value is parsed and printed. The names
//! are the flags of `fer-index query`, the parameters of the gallery's address, and what `find -v` prints.

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::time::SystemTime;

use super::dates::{now, parse_dates, parse_span};
use super::filters::{UserDate, UserDates, UserFilter};
use crate::emotion::{Emotion, EmotionSet};
use crate::photo::Raws;
use crate::store::{Order, Who, has_words};

/// A flag of the table: its name, and how its value is parsed and printed.
#[derive(Debug)]
pub struct Flag {
    /// The flag without its hyphens; also the name of the parameter in the gallery's address.
    pub name: &'static str,
    /// The flag's one-letter form.
    pub short: Option<char>,
    /// The placeholder of the value in the help; `None` if the flag takes no value.
    pub value: Option<&'static str>,
    /// The value if the flag is given without one; such a flag takes a value only after `=`.
    pub default_value: Option<&'static str>,
    /// All possible values with their meanings; empty if other values are possible.
    pub choices: &'static [(&'static str, &'static str)],
    /// What the values are, so that a shell can complete them.
    pub kind: Kind,
    /// Whether the flag may be given several times.
    pub is_repeatable: bool,
    /// Whether the value may begin with a hyphen.
    pub takes_negative: bool,
    /// Another flag that must be given together with this one.
    pub requires: Option<&'static str>,
    /// Another flag that must not be given together with this one.
    pub conflicts_with: Option<&'static str>,
    /// The help text.
    pub help: &'static str,
    set: fn(&mut UserFilter, &OsStr) -> Result<(), String>,
    values: fn(&UserFilter) -> Vec<String>,
}

impl Flag {
    /// Parses a value and sets the filter's field; a flag that takes no value ignores it.
    ///
    /// # Errors
    /// A sentence that says how to write the value.
    pub fn set(&self, filter: &mut UserFilter, value: &OsStr) -> Result<(), String> {
        (self.set)(filter, value)
    }
}

/// What the values of a flag are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something else than the following.
    Other,
    /// Names of emotions.
    Emotion,
    /// A place.
    Place,
    /// A folder.
    Folder,
    /// A camera of the index.
    Camera,
    /// A person whom a photo of the index names.
    Person,
    /// A word or keyword of the index.
    Word,
}

/// Every flag, in the order of the help.
pub const FLAGS: &[Flag] = &[
    Flag {
        name: "emotion",
        short: Some('e'),
        value: Some("EMOTION"),
        is_repeatable: true,
        kind: Kind::Emotion,
        help: "Photos that show this emotion: angry, disgust, fear, happy, sad, surprise, neutral or contempt. \
               Given several times, or as happy,sad: that show at least one of them",
        set: |filter, value| {
            let emotions = parse_emotions(value)?;
            filter.emotions = filter.emotions.iter().chain(emotions.iter()).collect();
            Ok(())
        },
        values: |filter| filter.emotions.iter().map(name_of_emotion).collect(),
        ..PLAIN
    },
    Flag {
        name: "not",
        value: Some("EMOTION"),
        is_repeatable: true,
        kind: Kind::Emotion,
        help: "Photos with faces, none of which shows this emotion. Given several times: none of which shows \
               any of them (also as angry,sad)",
        set: |filter, value| {
            let emotions = parse_emotions(value)?;
            filter.without = filter.without.iter().chain(emotions.iter()).collect();
            Ok(())
        },
        values: |filter| filter.without.iter().map(name_of_emotion).collect(),
        ..PLAIN
    },
    Flag {
        name: "who",
        value: Some("WHO"),
        choices: &[
            ("any", "At least one face"),
            ("most", "More than half of the faces"),
            ("all", "All faces"),
        ],
        help: "How many of a photo's faces must show the emotion [default: any]",
        set: |filter, value| {
            filter.who = match text(value)? {
                "any" => Who::Any,
                "most" => Who::Most,
                "all" => Who::All,
                other => return Err(format!("\"{other}\" is not any, most or all")),
            };
            Ok(())
        },
        values: |filter| match filter.who {
            Who::Any => vec![],
            Who::Most => vec!["most".to_owned()],
            Who::All => vec!["all".to_owned()],
        },
        ..PLAIN
    },
    Flag {
        name: "min-score",
        value: Some("P"),
        help: "The lowest score with which a face shows an emotion: 0.9 or 90% [default: 0.5]",
        set: |filter, value| {
            filter.min_score = Some(parse_probability(text(value)?)?);
            Ok(())
        },
        values: |filter| written(filter.min_score.filter(|least| *least > 0.0)),
        ..PLAIN
    },
    Flag {
        name: "all",
        conflicts_with: Some("min-score"),
        help: "Rank all photos with a face, however low their scores for the emotion",
        set: |filter, _| {
            filter.min_score = Some(0.0);
            Ok(())
        },
        values: |filter| switched(filter.min_score == Some(0.0)),
        ..PLAIN
    },
    Flag {
        name: "faces",
        value: Some("N..M"),
        help: "Photos with this number of faces: 2, 2..5 (2 to 5) or 3.. (3 or more)",
        set: |filter, value| {
            filter.faces = Some(parse_range(text(value)?)?);
            Ok(())
        },
        values: |filter| written(filter.faces.as_ref().map(range_text)),
        ..PLAIN
    },
    Flag {
        name: "since",
        value: Some("DATE"),
        help: "Photos taken on this date or later: 2019, 2019-07, 2019-07-14, \"2019-07-14 12:30\", \"last summer\", \
               \"3 weeks ago\"",
        set: |filter, value| {
            filter.since = Some(parse_when(text(value)?)?);
            Ok(())
        },
        values: |filter| written(filter.since.as_ref().map(|when| &when.text)),
        ..PLAIN
    },
    Flag {
        name: "until",
        value: Some("DATE"),
        help: "Photos taken on this date or earlier; a year, month, season or day is included whole",
        set: |filter, value| {
            filter.until = Some(parse_when(text(value)?)?);
            Ok(())
        },
        values: |filter| written(filter.until.as_ref().map(|when| &when.text)),
        ..PLAIN
    },
    Flag {
        name: "taken",
        value: Some("DATE"),
        is_repeatable: true,
        help: "Photos taken on this date or in this range of dates (\"june 2019 to august 2019\"). A date \
               without a year (may, christmas, \"june to august\") means this date in every year. Given \
               several times: taken on one of the dates",
        set: |filter, value| {
            let text = text(value)?;
            let dates = parse_dates(text, now())?;
            filter.taken.get_or_insert_default().push(UserDates {
                text: text.to_owned(),
                dates,
            });
            Ok(())
        },
        values: |filter| {
            let taken = filter.taken.iter().flatten();
            taken.map(|taken| taken.text.clone()).collect()
        },
        ..PLAIN
    },
    Flag {
        name: "file-dates",
        help: "For --since, --until and --taken: a photo without a date of its own counts by the modification \
               time of its file [default: such photos are left out]",
        set: |filter, _| {
            filter.file_dates = true;
            Ok(())
        },
        values: |filter| switched(filter.file_dates),
        ..PLAIN
    },
    Flag {
        name: "under",
        value: Some("DIR"),
        kind: Kind::Folder,
        help: "Photos in this folder or in a folder below it",
        set: |filter, value| {
            filter.under = Some(value.into());
            Ok(())
        },
        values: |filter| written(filter.under.as_ref().map(|folder| folder.display())),
        ..PLAIN
    },
    Flag {
        name: "album",
        value: Some("NAME"),
        help: "Photos in or below a folder whose name contains NAME",
        set: |filter, value| {
            filter.album = Some(parse(value)?);
            Ok(())
        },
        values: |filter| written(filter.album.as_ref()),
        ..PLAIN
    },
    Flag {
        name: "near",
        value: Some("PLACE|LAT,LON"),
        takes_negative: true,
        is_repeatable: true,
        kind: Kind::Place,
        help: "Photos taken near a city or position, in a country, region, island or continent, or near \"home\", where \
               most photos were taken. Given several times: near one of the places",
        set: |filter, value| {
            let near = filter.near.get_or_insert_default();
            near.places.push(parse(value)?);
            Ok(())
        },
        values: |filter| {
            filter
                .near
                .iter()
                .flat_map(|near| near.places.clone())
                .collect()
        },
        ..PLAIN
    },
    Flag {
        name: "within",
        value: Some("KM"),
        requires: Some("near"),
        help: "The largest distance from --near, in km [default: 25]",
        set: |filter, value| {
            let km = Some(parse_km(text(value)?)?);
            filter.near.get_or_insert_default().km = km;
            Ok(())
        },
        values: |filter| written(filter.near.as_ref().and_then(|near| near.km)),
        ..PLAIN
    },
    Flag {
        name: "away",
        value: Some("KM"),
        default_value: Some("100"),
        help: "Photos taken more than KM kilometres from home, where most photos were taken [default: 100]",
        set: |filter, value| {
            filter.away = Some(parse_km(text(value)?)?);
            Ok(())
        },
        values: |filter| written(filter.away),
        ..PLAIN
    },
    Flag {
        name: "camera",
        value: Some("NAME"),
        is_repeatable: true,
        kind: Kind::Camera,
        help: "Photos whose camera's name contains NAME. Given several times: one of the names",
        set: |filter, value| {
            filter.cameras.push(parse(value)?);
            Ok(())
        },
        values: |filter| filter.cameras.clone(),
        ..PLAIN
    },
    Flag {
        name: "person",
        value: Some("NAME"),
        is_repeatable: true,
        kind: Kind::Person,
        help: "Photos in which another program or you named this person: NAME is the whole name or some of its \
               words. Given several times: all of them together",
        set: |filter, value| {
            filter.people.push(parse(value)?);
            Ok(())
        },
        values: |filter| filter.people.clone(),
        ..PLAIN
    },
    Flag {
        name: "text",
        value: Some("WORDS"),
        kind: Kind::Word,
        help: "Photos with all of these words in their path, description, title or keywords",
        set: |filter, value| {
            let text: String = parse(value)?;
            if !has_words(&text) {
                return Err("there is no letter, digit or symbol in it to search for".to_owned());
            }
            filter.text = Some(text);
            Ok(())
        },
        values: |filter| written(filter.text.as_ref()),
        ..PLAIN
    },
    Flag {
        name: "min-face-size",
        value: Some("PX"),
        help: "Ignore faces whose shorter side has fewer pixels, unless someone has corrected them",
        set: |filter, value| {
            filter.min_face = Some(parse(value)?);
            Ok(())
        },
        values: |filter| written(filter.min_face),
        ..PLAIN
    },
    Flag {
        name: "min-detection",
        value: Some("P"),
        help: "Ignore faces with a lower detection score (0.9 or 90%), unless someone has corrected them \
               [default: the setting query.min_detection, initially 0.6]",
        set: |filter, value| {
            filter.min_detection = Some(parse_probability(text(value)?)?);
            Ok(())
        },
        values: |filter| written(filter.min_detection),
        ..PLAIN
    },
    Flag {
        name: "order",
        value: Some("ORDER"),
        choices: &[
            ("score", "Highest score first"),
            ("date", "Latest first"),
            ("random", "Shuffled"),
        ],
        help: "The order of the photos [default: score, or date without --emotion]",
        set: |filter, value| {
            filter.order = match text(value)? {
                "score" => Order::Score,
                "date" => Order::Date,
                "random" => Order::Random {
                    seed: seed_of_now(),
                },
                other => return Err(format!("\"{other}\" is not score, date or random")),
            };
            Ok(())
        },
        values: |filter| match filter.order {
            Order::Score => vec![],
            Order::Date => vec!["date".to_owned()],
            Order::Random { .. } => vec!["random".to_owned()],
        },
        ..PLAIN
    },
    Flag {
        name: "seed",
        value: Some("N"),
        help: "With --order random: the same number gives the same order",
        set: |filter, value| {
            let given: u64 = parse(value)?;
            if let Order::Random { seed } = &mut filter.order {
                *seed = given;
            }
            Ok(())
        },
        values: |filter| match filter.order {
            Order::Random { seed } if seed != 0 => vec![seed.to_string()],
            _ => vec![],
        },
        ..PLAIN
    },
    Flag {
        name: "one-per-burst",
        help: "One photo of each burst: of those that one camera took within 3 s of each other, the first in \
               the chosen order",
        set: |filter, _| {
            filter.one_per_burst = true;
            Ok(())
        },
        values: |filter| switched(filter.one_per_burst),
        ..PLAIN
    },
    Flag {
        name: "raws",
        value: Some("RAWS"),
        choices: &[
            (
                "alone",
                "Those beside which no picture of the same shot lies",
            ),
            ("all", "All"),
        ],
        help: "Which camera raw files may be found [default: the setting query.raws, initially alone]",
        set: |filter, value| {
            filter.raws = Some(match text(value)? {
                "alone" => Raws::Alone,
                "all" => Raws::All,
                other => return Err(format!("\"{other}\" is not alone or all")),
            });
            Ok(())
        },
        values: |filter| {
            let name = filter.raws.map(|raws| raws.name().to_owned());
            name.into_iter().collect()
        },
        ..PLAIN
    },
    Flag {
        name: "limit",
        short: Some('n'),
        value: Some("N"),
        help: "The largest number of photos [default: the setting query.limit, initially 20; \
               for export: all]",
        set: |filter, value| {
            let limit = parse(value)?;
            if limit == 0 {
                return Err(
                    "no photo would be printed; write 1 or more, or --count for the number alone"
                        .to_owned(),
                );
            }
            filter.limit = Some(limit);
            Ok(())
        },
        values: |filter| written(filter.limit),
        ..PLAIN
    },
    Flag {
        name: "offset",
        value: Some("N"),
        help: "Leave out the first N photos, for the next page",
        set: |filter, value| {
            filter.offset = parse(value)?;
            Ok(())
        },
        values: |filter| written((filter.offset > 0).then_some(filter.offset)),
        ..PLAIN
    },
];

/// The values that most flags share.
const PLAIN: Flag = Flag {
    name: "",
    short: None,
    value: None,
    default_value: None,
    choices: &[],
    kind: Kind::Other,
    is_repeatable: false,
    takes_negative: false,
    requires: None,
    conflicts_with: None,
    help: "",
    set: |_, _| Ok(()),
    values: |_| vec![],
};

impl UserFilter {
    /// Parses flags and their values, in any order, into a filter. Names that are not flags are ignored.
    ///
    /// # Errors
    /// A sentence that says how to write a value.
    pub fn read<'a>(given: &[(&'a str, &'a str)]) -> Result<Self, String> {
        let mut filter = Self::new();
        for flag in FLAGS {
            for (_, value) in given.iter().filter(|(name, _)| *name == flag.name) {
                flag.set(&mut filter, OsStr::new(value))?;
            }
        }
        Ok(filter)
    }

    /// The flags that are set, with their values.
    pub fn set_flags(&self) -> Vec<(&'static Flag, String)> {
        FLAGS
            .iter()
            .flat_map(|flag| {
                let values = (flag.values)(self).into_iter();
                values.map(move |value| (flag, value))
            })
            .collect()
    }

    /// The filter as arguments of `fer-index query`.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for (flag, value) in self.set_flags() {
            let name = flag.name;
            match (flag.value, flag.default_value) {
                (None, _) => arguments.push(format!("--{name}")),
                (Some(_), Some(_)) => arguments.push(format!("--{name}={value}")),
                (Some(_), None) => arguments.extend([format!("--{name}"), value]),
            }
        }
        arguments
    }
}

/// Parses one emotion or several that are separated by commas.
fn parse_emotions(value: &OsStr) -> Result<EmotionSet, String> {
    let words = text(value)?.split(',');
    let emotions = words.map(|word| word.trim().parse::<Emotion>());
    emotions
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

fn name_of_emotion(emotion: Emotion) -> String {
    emotion.name().to_owned()
}

fn switched(is_on: bool) -> Vec<String> {
    is_on.then(String::new).into_iter().collect()
}

fn written(value: Option<impl ToString>) -> Vec<String> {
    value.into_iter().map(|value| value.to_string()).collect()
}

fn text(value: &OsStr) -> Result<&str, String> {
    let explain = || format!("{} is not UTF-8", value.display());
    value.to_str().ok_or_else(explain)
}

fn parse<T: std::str::FromStr<Err: ToString>>(value: &OsStr) -> Result<T, String> {
    text(value)?
        .parse()
        .map_err(|error: T::Err| error.to_string())
}

fn seed_of_now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64)
}

/// Parses a probability: `0.9`, or a percentage: `90%`, `90 %`, `90`. A number of 2 or more without a sign is a
/// percentage; one between 1 and 2 could be either and is refused.
///
/// # Errors
/// A sentence that says how to write a probability.
pub fn parse_probability(text: &str) -> Result<f32, String> {
    let (number, is_percentage) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), true),
        None => (text.trim(), false),
    };
    let value = match number.parse::<f32>() {
        Ok(value) if is_percentage || value >= 2.0 => value / 100.0,
        Ok(value) => value,
        Err(_) => f32::NAN,
    };
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(format!(
        "\"{text}\" is no probability, which lies between 0 and 1; write 0.9 or 90%"
    ))
}

fn parse_km(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(km) if (0.0..=20_038.0).contains(&km) => Ok(km),
        _ => Err("a distance on Earth is 0 to 20038 km".to_owned()),
    }
}

fn parse_when(text: &str) -> Result<UserDate, String> {
    Ok(UserDate {
        text: text.to_owned(),
        span: parse_span(text, now())?,
    })
}

/// Parses a range with both of its ends: `3`, `2..5`, `2..`, `..5`.
fn parse_range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let explain = || format!("\"{text}\" is no number of faces; write 2, 2..5 or 3..");
    let bound = |text: &str, open: u32| match text.trim_start_matches('=') {
        "" => Ok(open),
        number => number.parse().map_err(|_| explain()),
    };
    let range = if let Some((least, most)) = text.split_once("..") {
        bound(least, 0)?..=bound(most, u32::MAX)?
    } else {
        let count = text.parse().map_err(|_| explain())?;
        count..=count
    };
    if range.is_empty() {
        return Err(explain());
    }
    Ok(range)
}

/// The range as [`parse_range`] accepts it: `3`, `2..5`, `2..`.
fn range_text(range: &RangeInclusive<u32>) -> String {
    match (*range.start(), *range.end()) {
        (least, most) if least == most => least.to_string(),
        (least, u32::MAX) => format!("{least}.."),
        (least, most) => format!("{least}..{most}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_faces() {
        assert_eq!(parse_range("3"), Ok(3..=3));
        assert_eq!(parse_range("2..5"), Ok(2..=5));
        assert_eq!(parse_range("2.."), Ok(2..=u32::MAX));
        assert_eq!(parse_range("..=4"), Ok(0..=4));
        for text in ["", "many", "5..2", "-1"] {
            assert!(parse_range(text).unwrap_err().contains("2..5"), "{text}");
        }
    }

    #[test]
    fn probabilities_may_be_percentages() {
        for (text, value) in [
            ("0.9", 0.9),
            ("90", 0.9),
            ("90%", 0.9),
            ("90 %", 0.9),
            ("1", 1.0),
            ("1%", 0.01),
            ("100", 1.0),
            ("0", 0.0),
        ] {
            assert_eq!(parse_probability(text), Ok(value), "{text}");
        }
        for text in ["1.5", "-1", "100.5", "101%", "NaN", "inf", "", "%", "half"] {
            assert!(parse_probability(text).is_err(), "{text}");
        }
    }

    #[test]
    fn several_emotions_may_be_separated_by_commas() {
        let filter = UserFilter::read(&[("emotion", "happy, sad"), ("not", "fear,angry")]);
        let filter = filter.unwrap();
        assert_eq!(
            filter.arguments().join(" "),
            "--emotion happy --emotion sad --not angry --not fear"
        );
    }

    #[test]
    fn only_what_restricts_is_a_flag() {
        assert_eq!(UserFilter::new().arguments(), [] as [&str; 0]);
        let filter = UserFilter {
            emotions: [Emotion::Happy, Emotion::Sad].into_iter().collect(),
            who: Who::All,
            faces: Some(2..=u32::MAX),
            away: Some(super::super::filters::AWAY),
            min_score: Some(0.5),
            one_per_burst: true,
            ..UserFilter::new()
        };
        assert_eq!(
            filter.arguments().join(" "),
            "--emotion happy --emotion sad --who all --min-score 0.5 --faces 2.. --away=100 \
             --one-per-burst"
        );
    }

    /// Every flag occurs once with a value: each row of the table needs an example here.
    #[test]
    fn every_flag_is_written_as_it_was_read() {
        let given = [
            ("emotion", "happy"),
            ("emotion", "sad"),
            ("not", "fear"),
            ("who", "most"),
            ("min-score", "0.25"),
            ("faces", "2..5"),
            ("since", "2019-07-14 12:30"),
            ("until", "last summer"),
            ("taken", "christmas"),
            ("taken", "june 2018 to july 2018"),
            ("file-dates", ""),
            ("under", "/photos/a b"),
            ("album", "Wedding"),
            ("near", "43.77,11.25"),
            ("near", "rome"),
            ("within", "7.5"),
            ("away", "250"),
            ("camera", "nikon"),
            ("camera", "canon"),
            ("person", "anna"),
            ("person", "bob"),
            ("text", "ponte vecchio"),
            ("min-face-size", "40"),
            ("min-detection", "0.75"),
            ("order", "random"),
            ("seed", "9"),
            ("one-per-burst", ""),
            ("raws", "all"),
            ("limit", "30"),
            ("offset", "60"),
        ];
        let filter = UserFilter::read(&given).unwrap();
        let written = filter.set_flags();
        let written: Vec<_> = written
            .iter()
            .map(|(flag, value)| (flag.name, value.as_str()))
            .collect();
        assert_eq!(written, given);
        // `--all` is another name for `--min-score 0`.
        let all = UserFilter::read(&[("all", "")]).unwrap();
        assert_eq!(all.arguments(), ["--all"]);
        for flag in FLAGS.iter().filter(|flag| flag.name != "all") {
            assert!(
                written.iter().any(|(name, _)| *name == flag.name),
                "{}",
                flag.name
            );
        }
        // An address may contain the names in any order.
        let mut sorted = given;
        sorted.sort_by_key(|(name, _)| *name);
        assert_eq!(UserFilter::read(&sorted).unwrap(), filter);
    }

    #[test]
    fn every_flag_is_documented() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/query.md");
        let page = std::fs::read_to_string(path).unwrap();
        for flag in FLAGS {
            let name = format!("`--{}", flag.name);
            assert!(page.contains(&name), "docs/query.md lacks {name}`");
        }
    }

    #[test]
    fn what_cannot_be_read_is_explained() {
        for (name, value, hint) in [
            ("emotion", "hapy", "happy"),
            ("who", "me", "any, most or all"),
            ("min-score", "101", "between 0 and 1"),
            ("min-score", "1.5", "0.9 or 90%"),
            ("emotion", "happy,sda", "happy"),
            ("since", "soon", "2019-07-14"),
            ("order", "up", "score, date or random"),
            ("raws", "none", "alone or all"),
            ("limit", "-1", "invalid digit"),
            ("limit", "0", "1 or more"),
            ("away", "far", "km"),
        ] {
            let sentence = UserFilter::read(&[(name, value)]).unwrap_err();
            assert!(sentence.contains(hint), "{sentence}");
        }
    }
}
