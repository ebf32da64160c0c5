//! Sentences with flags: a flag is more exact and takes precedence.

use jiff::civil::date;

use super::super::*;

/// Reads a sentence with flags; returns the arguments, and what they replaced.
fn read(text: &str, flags: &[(&'static str, &'static str)]) -> (String, String) {
    let given = GivenFlags {
        filter: UserFilter::read(flags).unwrap(),
        names: flags.iter().map(|(name, _)| *name).collect(),
        seed: (flags.iter().find(|(name, _)| *name == "seed"))
            .map(|(_, seed)| seed.parse().unwrap()),
    };
    let now = date(2026, 11, 24).at(12, 0, 0, 0);
    let understood = understand(
        &[text.to_owned()],
        &given,
        &IndexLookup::with_usual_meanings(),
        now,
    );
    let replaced = understood.replaced.into_iter();
    let replaced: Vec<String> = replaced
        .map(|replaced| format!("{} by {}", replaced.argument, replaced.by))
        .collect();
    (understood.filter.arguments().join(" "), replaced.join(", "))
}

#[test]
fn flags_replace_what_the_words_say() {
    for (text, flags, arguments, replaced) in [
        (
            "vacation",
            &[("away", "5000")][..],
            "--away=5000",
            "--away 100 by away",
        ),
        (
            "five people",
            &[("faces", "1")],
            "--faces 1",
            "--faces 5 by faces",
        ),
        ("people", &[("faces", "1")], "--faces 1", ""),
        ("people", &[("emotion", "sad")], "--emotion sad", ""),
        (
            "top 3 happy",
            &[("limit", "5")],
            "--emotion happy --limit 5",
            "--limit 3 by limit",
        ),
        (
            "80% happy",
            &[("min-score", "0.6")],
            "--emotion happy --min-score 0.6",
            "--min-score 0.8 by min-score",
        ),
        (
            "80% happy",
            &[("all", "")],
            "--emotion happy --all",
            "--min-score 0.8 by all",
        ),
        (
            "latest happy",
            &[("order", "score")],
            "--emotion happy",
            "--order date by order",
        ),
        (
            "album cape",
            &[("album", "NYC")],
            "--album NYC",
            "--album cape by album",
        ),
        ("rome", &[("within", "5")], "--near rome --within 5", ""),
        (
            "within 10 km of rome",
            &[("within", "5")],
            "--near rome --within 5",
            "--within 10 by within",
        ),
        (
            "rome",
            &[("near", "paris")],
            "--near paris",
            "--near rome by near",
        ),
        (
            "happy",
            &[("emotion", "sad")],
            "--emotion sad",
            "--emotion happy by emotion",
        ),
        ("happy", &[("emotion", "happy")], "--emotion happy", ""),
        (
            "everybody happy",
            &[("who", "any")],
            "--emotion happy",
            "--who all by who",
        ),
        (
            "since 2018",
            &[("since", "2019")],
            "--since 2019",
            "--since 2018 by since",
        ),
        ("random", &[("seed", "7")], "--order random --seed 7", ""),
        ("happy", &[("seed", "7")], "--emotion happy", ""),
        // Both restrict.
        (
            "2019",
            &[("since", "2018")],
            "--since 2018 --taken 2019",
            "",
        ),
        ("not happy", &[("not", "sad")], "--not happy --not sad", ""),
        (
            "grandma",
            &[("text", "garden")],
            "--text garden grandma",
            "",
        ),
        ("happy", &[("limit", "5")], "--emotion happy --limit 5", ""),
    ] {
        let expected = (arguments.to_owned(), replaced.to_owned());
        assert_eq!(read(text, flags), expected, "{text} {flags:?}");
    }
}
