//! Sentences with words that must not be ignored, with the arguments and the words that are left out.

use super::judge;
use crate::query::{GivenFlags, IndexLookup, understand};
use jiff::civil::date;

#[track_caller]
fn check(lines: &str) {
    let wrong: Vec<String> = lines
        .lines()
        .map(|line| line.trim().replace('|', "\t"))
        .map(|line| judge(&line))
        .filter(|(is_right, _)| !is_right)
        .map(|(_, difference)| difference)
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_more_exact_number_of_faces_counts() {
    check(
        "group selfie|--faces 3..|
        selfie of a group|--faces 3..|
        couple selfie|--faces 2|
        group portrait|--faces 3..|
        portrait of a couple|--faces 2|
        three people selfie|--faces 3|
        selfie with three people|--faces 3|
        group photo of five people|--faces 5|
        five people group photo|--faces 5|
        selfie|--faces 1|
        3 saddest|--emotion sad --limit 3|
        5 angriest photos|--emotion angry --limit 5|
        10 happiest|--emotion happy --limit 10|
        4 most surprised|--emotion surprise --limit 4|",
    );
}

#[test]
fn words_about_all_faces_and_comparisons_are_not_lost() {
    check(
        "only happy people|--emotion happy --who all|
        happy people only|--emotion happy --who all|
        only photos from 2019|--since 2019 --until 2019|
        only two people|--faces 2|
        few people|--faces 1..|few
        both smiling|--emotion happy --who all --faces 2|
        both of us laughing|--emotion happy --who all --faces 2|
        both happy and sad|--emotion happy --emotion sad|both
        both in rome and paris|--near rome --near paris|both
        happier than sad||happier than sad
        more happy than sad||more happy than sad
        happier than last year||happier than last year
        :)|--emotion happy|
        photos from 2019 :-)|--emotion happy --since 2019 --until 2019|
        :(|--emotion sad|
        :-/||:-/
        no longer happy|--not happy|
        not very happy|--not happy|
        not quite happy|--not happy|",
    );
}

#[test]
fn everyday_words_are_emotions() {
    for (emotion, words) in [
        (
            "happy",
            "excited pleased content thrilled ecstatic amused elated happy-looking",
        ),
        ("sad", "upset melancholy frowning sad-looking"),
        ("fear", "worried nervous horrified"),
        ("angry", "livid pissed scowling"),
    ] {
        for word in words.split(' ') {
            check(&format!("{word} people|--emotion {emotion}|"));
        }
    }
    check(
        "super happy|--emotion happy|super
        a bit sad|--emotion sad|a bit
        really angry|--emotion angry|really
        very happy people|--emotion happy|very
        pissed off|--emotion angry|
        three very happy people|--emotion happy --faces 3|very
        sehr glücklich|--emotion happy|sehr",
    );
}

/// The tables have `pet` for Perth, `google` for Topeka, `log` for Łódź and `store` for Štore.
#[test]
fn common_words_are_searched_as_text() {
    check(
        "happy pet|--emotion happy --text pet|
        my pet|--text pet|
        Pet photos|--text Pet|
        google|--text google|
        a log in the garden|--text log garden|
        bone|--text bone|
        pet from perth|--near perth --text pet|
        uk|--near uk|
        uk 2019|--since 2019 --until 2019 --near uk|
        köln|--near köln|
        firenze|--near firenze|
        wien 2015|--since 2015 --until 2015 --near wien|",
    );
}

/// A word of the index is not read as an unusual name of a city, even with a capital letter.
#[test]
fn words_of_the_index_come_before_unusual_names_of_cities() {
    let read = |text: &str, known: &IndexLookup<'_>| {
        let now = date(2026, 11, 24).at(12, 0, 0, 0);
        let understood = understand(&[text.to_owned()], &GivenFlags::none(), known, now);
        understood.filter.arguments().join(" ")
    };
    let people = crate::query::People::default;
    let without_word = IndexLookup::new(people(), Vec::new(), |filter| filter.text.is_none());
    assert_eq!(read("photos Turn", &without_word), "--near Turn");
    assert_eq!(
        read("photos Turn", &IndexLookup::with_usual_meanings()),
        "--text Turn"
    );
    assert_eq!(
        read("photos near turn", &IndexLookup::with_usual_meanings()),
        "--near turn"
    );
}

#[test]
fn a_number_before_a_unit_is_not_that_of_a_camera() {
    check(
        "iphone 10 years ago|--since 10 years ago --until 10 years ago --camera iphone|
        canon 5 days ago|--since 5 days ago --until 5 days ago --camera canon|
        nikon 3 weeks ago|--since 3 weeks ago --until 3 weeks ago --camera nikon|
        pixel 20 km from rome|--near rome --within 20 --camera pixel|
        sony 90% happy|--emotion happy --min-score 0.9 --camera sony|
        sony 90 % happy|--emotion happy --min-score 0.9 --camera sony|
        iphone 10 in 2019|--since 2019 --until 2019 --camera iphone 10|
        iphone 12 pro max|--camera iphone 12 pro max|",
    );
}

#[test]
fn a_limit_belongs_to_the_number_behind_it() {
    check(
        "3 faces at least 90% sad|--emotion sad --min-score 0.9 --faces 3|
        2 people at least 80 % happy|--emotion happy --min-score 0.8 --faces 2|
        3 people at most 20 km from rome|--faces 3 --near rome --within 20|
        three people at least|--faces 3..|",
    );
}
