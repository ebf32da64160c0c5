use super::values::parse_range;
use super::*;
use crate::emotion::Emotion;
use crate::store::Who;

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
        away: Some(super::super::filters::DEFAULT_AWAY_KM),
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
    // `--all` means `--min-score 0`.
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
        ("limit", "-1", "whole number"),
        ("limit", "0", "1 or more"),
        ("away", "far", "km"),
    ] {
        let sentence = UserFilter::read(&[(name, value)]).unwrap_err();
        assert!(sentence.contains(hint), "{sentence}");
    }
}
