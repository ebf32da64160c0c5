//! Splits text into the terms of the full-text index, which takes each term for one word.
//!
//! A word of a script with spaces is one term. A script without spaces, or one in which words are joined, has no
//! words that a program could find without a dictionary. There every one, two and three characters that follow
//! each other are a term, so that any part of a run is found by its terms.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use super::fold::fold;

/// Maximum number of characters of a term in a script without spaces.
const MAX_TERM_LENGTH: usize = 3;

/// How a character takes part in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A letter, digit or sign of a script that separates words.
    Spaced,
    /// A letter, digit or sign of a script that does not.
    Unspaced,
    /// A picture, which is a word of its own.
    Pictograph,
    /// A character that belongs to no word.
    Between,
}

/// The text of the full-text index for `text`: its terms, separated by spaces. Text in ASCII is itself such a text,
/// because the tokenizer ignores its case and what is between its words.
pub(super) fn index_text(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut terms = String::with_capacity(2 * text.len());
    runs(&fold(text), |class, run| {
        for length in lengths(class, run, 1) {
            parts(run, length, |term| {
                terms.push_str(term);
                terms.push(' ');
            });
        }
    });
    Cow::Owned(terms)
}

/// The terms that a photo must have if all words of `text` are in its text, each once.
pub(super) fn query_terms(text: &str) -> Vec<String> {
    let mut known = HashSet::new();
    let mut terms = Vec::new();
    runs(&fold(text), |class, run| {
        for length in lengths(class, run, MAX_TERM_LENGTH) {
            parts(run, length, |term| {
                if known.insert(term.to_owned()) {
                    terms.push(term.to_owned());
                }
            });
        }
    });
    terms
}

/// The words of a text as they are compared, separated by spaces; a run of a script without spaces counts as one.
pub(super) fn comparison_form(text: &str) -> String {
    let mut words = String::new();
    runs(&fold(text), |_, run| {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(run);
    });
    words
}

/// The byte ranges of the words in a text; in a script without spaces, those of the characters.
pub(super) fn word_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut before = Class::Between;
    for (at, c) in text.char_indices() {
        let class = Class::of(c);
        let end = at + c.len_utf8();
        match ranges.last_mut() {
            Some(word) if class == Class::Spaced && before == Class::Spaced => word.end = end,
            _ if class == Class::Between => {}
            _ => ranges.push(at..end),
        }
        before = class;
    }
    ranges
}

/// The lengths in characters of a run's terms. In a script without spaces, `least` is the smallest, or less if the run is
/// shorter.
fn lengths(class: Class, run: &str, least: usize) -> std::ops::RangeInclusive<usize> {
    let length = run.chars().count();
    match class {
        Class::Unspaced => least.min(length)..=MAX_TERM_LENGTH.min(length),
        Class::Pictograph => 1..=1,
        Class::Spaced | Class::Between => length..=length,
    }
}

/// Passes each part of a run with this many characters to `each`.
fn parts<'a>(run: &'a str, length: usize, mut each: impl FnMut(&'a str)) {
    let starts = run.char_indices().map(|(at, _)| at);
    let ends = starts.clone().skip(length).chain([run.len()]);
    for (start, end) in starts.zip(ends) {
        each(&run[start..end]);
    }
}

/// Passes each run of characters of one class, except those that belong to no word, to `each`.
fn runs<'a>(folded: &'a str, mut each: impl FnMut(Class, &'a str)) {
    let mut start = 0;
    let mut run = Class::Between;
    for (at, c) in folded.char_indices() {
        let class = Class::of(c);
        if class != run {
            if run != Class::Between {
                each(run, &folded[start..at]);
            }
            (start, run) = (at, class);
        }
    }
    if run != Class::Between {
        each(run, &folded[start..]);
    }
}

impl Class {
    fn of(c: char) -> Self {
        if is_pictograph(c) {
            Self::Pictograph
        } else if matches!(c, '\u{1f1e6}'..='\u{1f1ff}') {
            // Two of these letters are a flag.
            Self::Unspaced
        } else if !c.is_alphanumeric() && !is_combining_mark(c) {
            Self::Between
        } else if is_unspaced(c) {
            Self::Unspaced
        } else {
            Self::Spaced
        }
    }
}

/// Symbols with which people tag photos: emoji, stars, hearts, arrows.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1f1e5}' | '\u{1f200}'..='\u{1faff}')
}

/// Scripts that do not separate words by spaces, and Korean, which joins them.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}'         // Thai, Lao
        | '\u{1000}'..='\u{109f}' | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aa7f}' // Myanmar
        | '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' // Hangul
        | '\u{1780}'..='\u{17ff}' | '\u{19e0}'..='\u{19ff}' // Khmer
        | '\u{1950}'..='\u{19df}' | '\u{1a20}'..='\u{1aaf}' | '\u{aa80}'..='\u{aadf}' // Tai
        | '\u{1b00}'..='\u{1b7f}' | '\u{a980}'..='\u{a9df}' // Balinese, Javanese
        | '\u{2e80}'..='\u{2fff}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{a4cf}' // kana, Han, Yi
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ffdc}'
        | '\u{16fe0}'..='\u{18dff}' | '\u{1aff0}'..='\u{1b2ff}' // Tangut, Nushu, more kana
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indexed_terms(text: &str) -> HashSet<String> {
        let text = index_text(text).into_owned();
        text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric())
            .map(str::to_ascii_lowercase)
            .collect()
    }

    #[track_caller]
    fn is_found(typed: &str, text: &str) -> bool {
        let terms = indexed_terms(text);
        let asked = query_terms(typed);
        assert!(!asked.is_empty(), "{typed}");
        asked.iter().all(|term| terms.contains(term))
    }

    #[test]
    fn every_part_of_a_run_without_spaces_is_found() {
        for text in [
            "北海道旅行",
            "さくらの公園でﾋﾟｸﾆｯｸ",
            "제주도여행사진",
            "ทะเลที่หัวหินน้ำ",
            "ខ្ញុំស្រឡាញ់ភ្នំពេញ",
            "ວຽງຈັນຫຼວງພະບາງ",
            "မြန်မာနိုင်ငံ",
        ] {
            let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            for (n, start) in starts.iter().enumerate() {
                for end in starts[n + 1..].iter().copied().chain([text.len()]) {
                    let part = &text[*start..end];
                    // A mark of half-width kana is part of the letter before it.
                    let cuts_letter = [part, &text[end..]].iter().any(|at| at.starts_with('ﾟ'));
                    if !cuts_letter {
                        assert!(
                            is_found(part, &format!("2019 {text}, x")),
                            "{part} in {text}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn words_of_scripts_with_signs_are_one_term() {
        for word in [
            "हिन्दी",
            "தமிழ்",
            "বাংলা",
            "తెలుగు",
            "ಕನ್ನಡ",
            "മലയാളം",
            "සිංහල",
            "ગુજરાતી",
            "ਪੰਜਾਬੀ",
            "ދިވެހި",
            "שָׁלוֹם",
            "كِتَابٌ",
            "Zürich",
            "ελληνικά",
            "አማርኛ",
            "ქართული",
        ] {
            assert_eq!(
                query_terms(word).len(),
                1,
                "{word}: {:?}",
                query_terms(word)
            );
            assert!(is_found(word, &format!("a {word}. b")), "{word}");
        }
    }

    #[test]
    fn a_word_is_not_found_by_other_words_with_the_same_parts() {
        assert!(!is_found("東京都", "東京 京都"));
        assert!(!is_found("海北", "北海道"));
        assert!(!is_found("दिन", "दीन"));
        assert!(!is_found("sea", "season"));
        assert!(!is_found("🎂", "🎉"));
    }

    #[test]
    fn each_level_and_each_script_is_a_word() {
        assert_eq!(
            query_terms("Places|Italy/Roma"),
            ["places", "italy", "roma"]
        );
        assert_eq!(
            query_terms("iPhoneで2019年"),
            ["iphone", "で", "2019", "年"]
        );
        assert_eq!(
            query_terms("🎂🎉 👩\u{200d}🚀 🇯🇵"),
            ["🎂", "🎉", "👩", "🚀", "🇯🇵"]
        );
        assert!(query_terms(" -\"!\u{200d} ").is_empty());
    }

    #[test]
    fn ascii_text_is_indexed_as_it_would_be_folded() {
        let text = "/home/Ada/IMG_1234 don't.JPG";
        let mut folded = HashSet::new();
        runs(&fold(text), |_, run| {
            folded.insert(run.to_owned());
        });
        let mut terms = indexed_terms(text);
        terms.remove("");
        assert_eq!(terms, folded);
    }
}
