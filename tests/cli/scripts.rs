//! Words in every script are found as people type them.

use crate::common::{fixture, sidecar, with_comment};
use crate::testenv::TestEnv;

/// The searched text, and the keyword in which it must be found.
const FOUND: [(&str, &str); 34] = [
    ("北海道", "北海道旅行"),
    ("海", "北海道旅行"),
    ("旅行", "北海道旅行"),
    ("さくら", "公園のサクラ"),
    ("ｻｸﾗ", "公園のサクラ"),
    ("か\u{3099}", "がっこう"),
    ("제주", "제주도여행"),
    ("\u{110c}\u{1166}\u{110c}\u{116e}", "제주도여행"),
    ("여행", "제주도여행"),
    ("ทะเล", "เที่ยวทะเลหัวหิน"),
    ("หิน", "เที่ยวทะเลหัวหิน"),
    ("น้ำ", "แม่น้ำโขง"),
    ("ភ្នំពេញ", "ទីក្រុងភ្នំពេញ"),
    ("ភ", "ទីក្រុងភ្នំពេញ"),
    ("ຫຼວງ", "ເມືອງຫຼວງພະບາງ"),
    ("မန္တလေး", "မန္တလေးမြို့"),
    ("हिमालय", "हिमालय की यात्रा"),
    ("यात्रा", "हिमालय की यात्रा"),
    ("சென்னை", "சென்னை கடற்கரை"),
    ("কলকাতা", "কলকাতা শহর"),
    ("שלום", "שָׁלוֹם"),
    ("שָׁלוֹם", "שלום עולם"),
    ("كتاب", "كِتَابٌ"),
    ("كِتَابٌ", "كتاب"),
    ("احمد", "أحمد"),
    ("کتاب", "كتاب"),
    ("zurich", "Zürich"),
    ("Zu\u{308}rich", "ZÜRICH"),
    ("strasse", "Große Straße"),
    ("beach", "two beaches"),
    ("Αθηνα", "Αθήνα"),
    ("елка", "Ёлка"),
    ("２０１９", "2019"),
    ("🎂", "Oma🎂🎉"),
];

/// An album with one photo for each keyword of [`FOUND`]; returns the name of each one's photo.
fn album(env: &TestEnv) -> Vec<String> {
    let mut keywords: Vec<&str> = Vec::new();
    let mut names = Vec::new();
    for (_, keyword) in FOUND {
        let known = keywords.iter().position(|known| *known == keyword);
        let number = known.unwrap_or(keywords.len());
        let name = format!("{}.jpg", char::from(b'a' + number as u8));
        if known.is_none() {
            keywords.push(keyword);
            let photo = with_comment(&fixture("chelsea.jpg"), &name);
            env.add(&name, photo);
            env.add(format!("{name}.xmp"), sidecar(&[keyword]));
        }
        names.push(name);
    }
    env.index();
    names
}

#[test]
fn words_of_every_script_are_found_as_they_are_typed() {
    let env = TestEnv::new();
    let names = album(&env);
    for ((typed, keyword), name) in FOUND.into_iter().zip(names) {
        let found = env.query(&format!("--text {typed}"));
        assert!(found.contains(&name), "{typed} in {keyword}: {found:?}");
        let in_words = env.run(&format!("find {typed}"));
        // Some of them are names of cities.
        let is_place = in_words.stderr.contains("near ");
        assert!(
            is_place || in_words.text().contains(&name),
            "{typed}: {in_words:?}"
        );
    }
    // Parts of different words, or in another order.
    for typed in ["海北", "道北", "ทะหิน", "행여", "दिन"] {
        assert_eq!(env.query(&format!("--text {typed}")), [""; 0], "{typed}");
    }
    let healthy = env.run("doctor --json").found().json();
    assert_eq!(healthy["differences"], serde_json::json!([]));
}

#[test]
fn keywords_in_levels_are_found_by_each_level() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.add(
        "chelsea.jpg.xmp",
        sidecar(&["Places|日本|北海道", "Tiere/Kätzchen"]),
    );
    env.index();
    for typed in ["places", "日本", "北海", "tiere", "katzchen"] {
        assert_eq!(
            env.query(&format!("--text {typed}")),
            ["chelsea.jpg"],
            "{typed}"
        );
    }
}

#[test]
fn a_text_without_a_word_is_refused_and_in_a_sentence_it_is_left_out() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.index();
    for typed in ["!!!", "-", "\u{200d}", "\u{301}"] {
        let mut query = env.command("query");
        let refused = crate::testenv::Run::of(query.arg(format!("--text={typed}")));
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains("to search for"), "{refused:?}");
    }
    let run = env.run("find chelsea %% $$$");
    assert!(run.stderr.contains("left out: \"%%\", \"$$$\""), "{run:?}");
    assert!(run.text().contains("chelsea"), "{run:?}");
}
