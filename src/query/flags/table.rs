//! Every filter of queries, with its name, its help text, and how its value is parsed and printed.

use crate::photo::Raws;
use crate::store::{Order, Who, has_words};

use super::super::dates::{now, parse_dates};
use super::super::filters::UserDates;
use super::values::{
    format_range, name_of_emotion, not_empty, optional_value, parse, parse_emotions, parse_km,
    parse_number, parse_pixels, parse_probability, parse_range, parse_when, seed_from_clock,
    switch_values, valid_text,
};
use super::{Flag, Kind};

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
            filter.who = match valid_text(value)? {
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
            filter.min_score = Some(parse_probability(valid_text(value)?)?);
            Ok(())
        },
        values: |filter| optional_value(filter.min_score.filter(|least| *least > 0.0)),
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
        values: |filter| switch_values(filter.min_score == Some(0.0)),
        ..PLAIN
    },
    Flag {
        name: "faces",
        value: Some("N..M"),
        help: "Photos with this number of faces: 2, 2..5 (2 to 5) or 3.. (3 or more)",
        set: |filter, value| {
            filter.faces = Some(parse_range(valid_text(value)?)?);
            Ok(())
        },
        values: |filter| optional_value(filter.faces.as_ref().map(format_range)),
        ..PLAIN
    },
    Flag {
        name: "since",
        value: Some("DATE"),
        help: "Photos taken on this date or later: 2019, 2019-07, 2019-07-14, \"2019-07-14 12:30\", \"last summer\", \
               \"3 weeks ago\"",
        set: |filter, value| {
            filter.since = Some(parse_when(valid_text(value)?)?);
            Ok(())
        },
        values: |filter| optional_value(filter.since.as_ref().map(|when| &when.text)),
        ..PLAIN
    },
    Flag {
        name: "until",
        value: Some("DATE"),
        help: "Photos taken on this date or earlier; all of a year, month, season or day is included",
        set: |filter, value| {
            filter.until = Some(parse_when(valid_text(value)?)?);
            Ok(())
        },
        values: |filter| optional_value(filter.until.as_ref().map(|when| &when.text)),
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
            let text = valid_text(value)?;
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
        values: |filter| switch_values(filter.file_dates),
        ..PLAIN
    },
    Flag {
        name: "under",
        value: Some("DIR"),
        kind: Kind::Folder,
        help: "Photos in this folder or in a folder below it",
        set: |filter, value| {
            filter.under = Some(not_empty(value)?.into());
            Ok(())
        },
        values: |filter| optional_value(filter.under.as_ref().map(|folder| folder.display())),
        ..PLAIN
    },
    Flag {
        name: "album",
        value: Some("NAME"),
        help: "Photos in or below a folder whose name contains NAME",
        set: |filter, value| {
            filter.album = Some(parse(not_empty(value)?)?);
            Ok(())
        },
        values: |filter| optional_value(filter.album.as_ref()),
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
            let km = Some(parse_km(valid_text(value)?)?);
            filter.near.get_or_insert_default().km = km;
            Ok(())
        },
        values: |filter| optional_value(filter.near.as_ref().and_then(|near| near.km)),
        ..PLAIN
    },
    Flag {
        name: "away",
        value: Some("KM"),
        default_value: Some("100"),
        help: "Photos taken more than KM kilometres from home, where most photos were taken [default: 100]",
        set: |filter, value| {
            filter.away = Some(parse_km(valid_text(value)?)?);
            Ok(())
        },
        values: |filter| optional_value(filter.away),
        ..PLAIN
    },
    Flag {
        name: "camera",
        value: Some("NAME"),
        is_repeatable: true,
        kind: Kind::Camera,
        help: "Photos whose camera's name contains NAME. Given several times: one of the names",
        set: |filter, value| {
            filter.cameras.push(parse(not_empty(value)?)?);
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
        values: |filter| optional_value(filter.text.as_ref()),
        ..PLAIN
    },
    Flag {
        name: "min-face-size",
        value: Some("PX"),
        help: "Ignore faces whose shorter side has fewer pixels, unless someone has corrected them",
        set: |filter, value| {
            filter.min_face = Some(parse_pixels(value)?);
            Ok(())
        },
        values: |filter| optional_value(filter.min_face),
        ..PLAIN
    },
    Flag {
        name: "min-detection",
        value: Some("P"),
        help: "Ignore faces with a lower detection score (0.9 or 90%), unless someone has corrected them \
               [default: the setting query.min_detection, initially 0.6]",
        set: |filter, value| {
            filter.min_detection = Some(parse_probability(valid_text(value)?)?);
            Ok(())
        },
        values: |filter| optional_value(filter.min_detection),
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
            filter.order = match valid_text(value)? {
                "score" => Order::Score,
                "date" => Order::Date,
                "random" => Order::Random {
                    seed: seed_from_clock(),
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
            let given: u64 = parse_number(value)?;
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
        help: "Only the first photo, in the chosen order, of each burst: photos that one camera took within 3 s of each other",
        set: |filter, _| {
            filter.one_per_burst = true;
            Ok(())
        },
        values: |filter| switch_values(filter.one_per_burst),
        ..PLAIN
    },
    Flag {
        name: "raws",
        value: Some("RAWS"),
        choices: &[
            (
                "alone",
                "Only those without a picture of the same shot beside them",
            ),
            ("all", "All"),
        ],
        help: "Which camera raw files may be found [default: the setting query.raws, initially alone]",
        set: |filter, value| {
            filter.raws = Some(match valid_text(value)? {
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
            let limit = parse_number(value)?;
            if limit == 0 {
                return Err(
                    "no photo would be printed; write 1 or more, or --count for the number alone"
                        .to_owned(),
                );
            }
            filter.limit = Some(limit);
            Ok(())
        },
        values: |filter| optional_value(filter.limit),
        ..PLAIN
    },
    Flag {
        name: "offset",
        value: Some("N"),
        help: "Leave out the first N photos, for the next page",
        set: |filter, value| {
            filter.offset = parse_number(value)?;
            Ok(())
        },
        values: |filter| optional_value((filter.offset > 0).then_some(filter.offset)),
        ..PLAIN
    },
];
