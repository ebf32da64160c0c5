//! Tests the grammar on sentences with the expected filters.

use jiff::civil::date;

use super::*;
use crate::query::People;

mod dates;
mod flags;
mod words;

/// Sentences with the expected arguments and the words that are left out, separated by tabs. Every second
/// sentence, from the second on, was held out before the grammar was written: these are only scored.
const SENTENCES: &str = include_str!("sentences.tsv");

/// The minimum share of the held-out sentences that must be understood correctly.
const MIN_SHARE_RIGHT: f64 = 0.95;

fn read(text: &str) -> Understood {
    understand(
        &[text.to_owned()],
        &GivenFlags::none(),
        &IndexLookup::with_usual_meanings(),
        date(2026, 11, 24).at(12, 0, 0, 0),
    )
}

#[track_caller]
fn check(text: &str, arguments: &str) {
    assert_eq!(read(text).filter.arguments().join(" "), arguments, "{text}");
}

/// Whether a sentence became the expected filter, and a description of the actual one.
fn judge(line: &str) -> (bool, String) {
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or_default().trim();
    let (sentence, arguments, left_out) = (next(), next(), next());
    let understood = read(sentence);
    let found = understood.filter.arguments().join(" ");
    let lost = understood.left_out.join(", ");
    let is_right = found == arguments && lost == left_out;
    (
        is_right,
        format!("{sentence}\n    {found} | {lost}\n    expected {arguments} | {left_out}"),
    )
}

#[allow(clippy::print_stdout, reason = "the score is shown with --nocapture")]
#[test]
fn sentences_become_the_filters_that_are_meant() {
    let lines: Vec<&str> = SENTENCES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert!(lines.len() >= 200, "{}", lines.len());
    let wrong = |set_aside: usize| -> Vec<String> {
        let half = lines.iter().skip(set_aside).step_by(2);
        let judged = half.map(|line| judge(line));
        judged
            .filter(|(is_right, _)| !is_right)
            .map(|(_, difference)| difference)
            .collect()
    };
    let (known, set_aside) = (wrong(0), wrong(1));
    let share = 1.0 - set_aside.len() as f64 / (lines.len() / 2) as f64;
    println!(
        "of the {} sentences that were set aside {:.1} % are read as they are meant; not these:\n{}",
        lines.len() / 2,
        100.0 * share,
        set_aside.join("\n")
    );
    assert!(known.is_empty(), "\n{}", known.join("\n"));
    assert!(
        share >= MIN_SHARE_RIGHT,
        "{share:.3}\n{}",
        set_aside.join("\n")
    );
}

/// Inserts an unknown word at every position of every sentence; it must become a filter or a search word,
/// or be listed as left out.
#[test]
fn no_word_is_lost() {
    let unknown = ["zyx", "qwrt", "plugh"];
    for line in SENTENCES.lines().filter(|line| !line.starts_with('#')) {
        let sentence = line.split('\t').next().unwrap();
        let words: Vec<&str> = sentence.split(' ').collect();
        for at in 0..=words.len() {
            let mut longer = words.clone();
            longer.insert(at, unknown[at % unknown.len()]);
            let understood = read(&longer.join(" "));
            let filter = &understood.filter;
            let difference = [
                understood.as_text.join(" "),
                understood.left_out.join(" "),
                filter.cameras.join(" "),
                filter.album.clone().unwrap_or_default(),
            ];
            assert!(
                difference
                    .iter()
                    .any(|difference| difference.contains(unknown[at % unknown.len()])),
                "{longer:?}: {difference:?}"
            );
        }
    }
}

#[test]
fn what_is_written_can_be_read_again() {
    for line in SENTENCES.lines().filter(|line| !line.starts_with('#')) {
        let filter = read(line.split('\t').next().unwrap()).filter;
        let flags = filter.set_flags();
        let given: Vec<_> = flags
            .iter()
            .map(|(flag, value)| (flag.name, value.as_str()))
            .collect();
        let mut again = UserFilter::read(&given).unwrap_or_else(|error| panic!("{line}: {error}"));
        if let Order::Random { seed } = &mut again.order {
            *seed = 0; // another each time where none is given
        }
        assert_eq!(again.arguments(), filter.arguments(), "{line}");
    }
}

#[test]
fn the_question_of_the_issue() {
    let understood = read("happy vacation photos in italy last summer");
    let flags = "--emotion happy --since last summer --until last summer --near italy --away=100";
    assert_eq!(understood.filter.arguments().join(" "), flags);
    assert_eq!(understood.as_text, [] as [&str; 0]);
    let since = understood.filter.since.unwrap();
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
fn people_of_the_index_are_read() {
    let names = [
        "Anna Rossi",
        "Ben",
        "Joy",
        "Florence Nightingale",
        "Jean-Luc Picard",
        "Grandma Kay",
        "June Carter",
        "Will",
        "Brian May",
        "Zoë",
    ];
    let people = People::new(names.map(str::to_owned).to_vec());
    let known = IndexLookup::new(people, Vec::new(), |_| true);
    let read = |text: &str| {
        let now = date(2026, 11, 24).at(12, 0, 0, 0);
        understand(&[text.to_owned()], &GivenFlags::none(), &known, now)
    };
    for (text, expected) in [
        ("happy photos of anna", "--emotion happy --person anna"),
        (
            "with anna and ben in rome",
            "--near rome --person anna --person ben",
        ),
        (
            "of Anna Rossi, Ben and grandma kay",
            "--person Anna Rossi --person Ben --person grandma kay",
        ),
        ("photos of Rossi", "--person Rossi"),
        ("photos of anna with ben", "--person anna --person ben"),
        ("happy anna", "--emotion happy --person anna"),
        (
            "anna smiling in 2019",
            "--emotion happy --since 2019 --until 2019 --person anna",
        ),
        ("anna's smile", "--emotion happy --person anna"),
        ("anna in florence", "--near florence --person anna"),
        ("photos of florence", "--person florence"),
        (
            "jean-luc picard angry",
            "--emotion angry --person jean-luc picard",
        ),
        (
            "glückliche fotos von anna und ben",
            "--emotion happy --person anna --person ben",
        ),
        // A word with another meaning is a name if it is written as one.
        ("photos of Joy", "--person Joy"),
        ("photos of joy", "--emotion happy"),
        // After `with` or `of` a first name takes precedence over a month, unless a date goes on.
        ("with june", "--person june"),
        ("photos of june smiling", "--emotion happy --person june"),
        ("with june and anna", "--person june --person anna"),
        ("happy in june", "--emotion happy --taken june"),
        ("photos of june 2019", "--since june 2019 --until june 2019"),
        ("photos of june to august", "--taken june to august"),
        ("the month of june", "--taken june"),
        ("photos of may", "--taken may"),
        ("with will", "--person will"),
        ("with zoe", "--person zoe"),
        // Words that alone are not a name, and names of things.
        ("rossi smiling", "--emotion happy --text rossi"),
        ("anna's birthday", "--text anna birthday"),
        ("anna karenina", "--text anna karenina"),
        ("photos of dogs", "--text dogs"),
        ("with anna and bob", "--person anna --text bob"),
    ] {
        let found = read(text).filter.arguments().join(" ");
        assert_eq!(found, expected, "{text}");
    }
    for (text, left_out) in [
        ("without anna rossi happy", "without anna rossi"),
        ("photos of anna or ben", "of anna or ben"),
    ] {
        let understood = read(text);
        assert!(understood.filter.people.is_empty(), "{text}");
        assert_eq!(understood.left_out, [left_out], "{text}");
    }
    assert_eq!(read("with joy").other_people, ["Joy"]);
    assert_eq!(read("photos of june 2019").other_people, ["June Carter"]);
    for plain in ["with june", "in june", "with anna", "photos of dogs"] {
        assert_eq!(read(plain).other_people, [""; 0], "{plain}");
    }
    let suggested = read("happy photos of ana").suggestions;
    assert_eq!(suggested, [("ana".to_owned(), "Anna Rossi".to_owned())]);
}

/// Sentences with their filters in an index of photos without positions, and in one with them, and the albums that are
/// listed in the latter case.
const NAMES_OF_ALBUMS: [(&str, &str, &str, &[&str]); 16] = [
    (
        "rome 2019",
        "--album Rome 2019",
        "--since 2019 --until 2019 --near rome",
        &["Rome 2019"],
    ),
    (
        "happy in rome 2019",
        "--emotion happy --album Rome 2019",
        "--emotion happy --since 2019 --until 2019 --near rome",
        &["Rome 2019"],
    ),
    (
        "within 10 km of rome",
        "--near rome --within 10",
        "--near rome --within 10",
        &[],
    ),
    // Not the whole name of an album: a word of its name.
    (
        "rome 2020",
        "--since 2020 --until 2020 --text rome",
        "--since 2020 --until 2020 --near rome",
        &[],
    ),
    (
        "happy photos from rome",
        "--emotion happy --text rome",
        "--emotion happy --near rome",
        &[],
    ),
    ("photos from kyoto", "--text kyoto", "--near kyoto", &[]),
    // No photo has this word either: the place stays, and the answer says that none was taken there.
    ("oslo", "--near oslo", "--near oslo", &[]),
    (
        "rome or oslo",
        "--near rome --near oslo",
        "--near rome --near oslo",
        &[],
    ),
    // Words with a meaning of their own keep it while a photo meets it.
    (
        "2019",
        "--since 2019 --until 2019",
        "--since 2019 --until 2019",
        &[],
    ),
    (
        "christmas 2018",
        "--since christmas 2018 --until christmas 2018",
        "--since christmas 2018 --until christmas 2018",
        &["Christmas 2018"],
    ),
    // Text is found in the names of albums as well.
    ("grandma", "--text grandma", "--text grandma", &[]),
    (
        "lisbon with anna",
        "--album Lisbon with Anna",
        "--near lisbon --text anna",
        &["Lisbon with Anna"],
    ),
    (
        "album rome 2019",
        "--album Rome 2019",
        "--album Rome 2019",
        &[],
    ),
    (
        "the rome 2019 album",
        "--album Rome 2019",
        "--album Rome 2019",
        &[],
    ),
    (
        "not in rome 2019",
        "--since 2019 --until 2019",
        "--since 2019 --until 2019",
        &["Rome 2019"],
    ),
    // A person comes before a place and an album.
    (
        "photos of paris",
        "--person paris",
        "--person paris",
        &["Paris"],
    ),
];

/// The index of somebody whose cameras have no GPS: albums are named after places.
#[test]
fn words_that_name_an_album_are_that_album_where_nothing_else_is_found() {
    let albums = [
        "Rome 2019",
        "2019",
        "Grandma",
        "Christmas 2018",
        "Paris",
        "Lisbon with Anna",
    ];
    let albums: Vec<String> = albums.map(str::to_owned).to_vec();
    let people = || People::new(vec!["Paris Hill".to_owned()]);
    let words = ["rome", "grandma", "paris", "kyoto"];
    let without_places = IndexLookup::new(people(), albums.clone(), |filter: &UserFilter| {
        let text = filter.text.as_deref().unwrap_or("rome").to_lowercase();
        filter.near.is_none() && words.contains(&text.as_str())
    });
    let with_places = IndexLookup::new(people(), albums, |_| true);
    for (sentence, without, with, also) in NAMES_OF_ALBUMS {
        let read = |known: &IndexLookup<'_>| {
            let now = date(2026, 11, 24).at(12, 0, 0, 0);
            understand(&[sentence.to_owned()], &GivenFlags::none(), known, now)
        };
        let (without_read, with_read) = (read(&without_places), read(&with_places));
        assert_eq!(
            without_read.filter.arguments().join(" "),
            without,
            "{sentence}"
        );
        assert_eq!(with_read.filter.arguments().join(" "), with, "{sentence}");
        assert_eq!(with_read.other_albums, also, "{sentence}");
    }
}

#[test]
fn a_date_that_names_an_album_is_that_album_where_no_photo_was_taken_then() {
    let albums = ["Christmas 2018", "2019", "Happy"].map(str::to_owned);
    let is_dated = |filter: &UserFilter| filter.since.is_some() || filter.until.is_some();
    let undated = IndexLookup::new(People::default(), albums.to_vec(), |filter: &UserFilter| {
        filter.emotions.is_empty() && !is_dated(filter)
    });
    for (sentence, expected) in [
        ("christmas 2018", "--album Christmas 2018"),
        ("photos from christmas 2018", "--album Christmas 2018"),
        ("2019", "--album 2019"),
        (
            "christmas 2017",
            "--since christmas 2017 --until christmas 2017",
        ),
        ("happy", "--emotion happy"),
    ] {
        let now = date(2026, 11, 24).at(12, 0, 0, 0);
        let understood = understand(&[sentence.to_owned()], &GivenFlags::none(), &undated, now);
        let found = understood.filter.arguments().join(" ");
        assert_eq!(found, expected, "{sentence}");
    }
}

#[test]
fn unknown_words_are_text() {
    let understood = read("happy Grandma in the garden, 2020");
    assert_eq!(understood.as_text, ["Grandma", "garden"]);
    assert_eq!(understood.filter.text.as_deref(), Some("Grandma garden"));
    assert!(understood.filter.since.is_some());
}

#[test]
fn one_letter_is_suggested_and_not_guessed() {
    let understood = read("hapy people in itally at chrismas");
    let suggestions = [
        ("hapy", "happy"),
        ("itally", "Italy"),
        ("chrismas", "christmas"),
    ];
    let suggestions = suggestions.map(|(word, meant)| (word.to_owned(), meant.to_owned()));
    assert_eq!(understood.suggestions, suggestions);
    assert_eq!(understood.as_text, ["hapy", "itally", "chrismas"]);
    assert!(understood.filter.emotions.is_empty());
    let index = IndexLookup::new(People::default(), Vec::new(), |_| false);
    let now = date(2026, 11, 24).at(12, 0, 0, 0);
    let text = ["hapy grandma in itally".to_owned()];
    let understood = understand(&text, &GivenFlags::none(), &index, now);
    assert_eq!(understood.suggestions, [("hapy".into(), "happy".into())]);
}
