//! Folds text to the form in which texts are compared: without case, without signs that many people leave out, and in one
//! of the several ways in which Unicode may spell a letter.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The first digits of scripts that have digits of their own; the other nine follow each.
const ZEROS: [char; 16] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}',
];

/// The text as it is compared. It is the same for texts that are equal by Unicode's compatibility equivalence
/// (full and half width, ligatures, composed and decomposed letters), and that differ in case, in the accents
/// of Latin and Greek letters, in the points of Hebrew and Arabic, in kana, in digits, or in invisible
/// characters.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut base = ' ';
    for c in text.nfkd().flat_map(char::to_lowercase) {
        if is_invisible(c) || (is_combining_mark(c) && is_left_out(c, base)) {
            continue;
        }
        if !is_combining_mark(c) {
            base = c;
        }
        match spelled_out(c) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(plain(c)),
        }
    }
    folded.nfc().collect()
}

/// Characters that only control how others are displayed (Unicode's `Default_Ignorable_Code_Point`), and the
/// stroke by which Arabic words are stretched. The zero-width space is among them: it separates the words of
/// scripts without spaces, but few people type it.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{640}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether people leave out a combining mark, or cannot be expected to type it. The marks of other scripts,
/// such as the vowels of Indic ones, are part of the word.
fn is_left_out(mark: char, base: char) -> bool {
    match mark {
        // Й and Ї are letters of their own in Cyrillic, but Ё is mostly written Е.
        '\u{306}' | '\u{308}' if matches!(base, '\u{400}'..='\u{52f}') => {
            mark == '\u{308}' && base == 'е'
        }
        // The accents of Latin and Greek, and the marks that enclose symbols.
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        // The points of Hebrew, Arabic and Syriac.
        | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6ed}' | '\u{711}' | '\u{730}'..='\u{74a}' | '\u{890}'..='\u{8ff}'
        // The nukta of Devanagari.
        | '\u{93c}' => true,
        _ => false,
    }
}

/// Letters that Unicode does not decompose, as people write them without such a key. The last six are the
/// single characters of Malayalam's final consonants, which older texts spell in two.
fn spelled_out(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ൺ' => "ണ്",
        'ൻ' => "ന്",
        'ർ' => "ര്",
        'ൽ' => "ല്",
        'ൾ' => "ള്",
        'ൿ' => "ക്",
        _ => return None,
    })
}

/// The character by which this one and those that people type in its place are compared.
fn plain(c: char) -> char {
    match c {
        'ø' => 'o',
        'ł' => 'l',
        'đ' | 'ð' => 'd',
        'ħ' => 'h',
        'ı' => 'i',
        'ς' => 'σ',
        // Arabic letters that keyboards of neighbouring languages lack.
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ة' => 'ه',
        // Katakana, as hiragana.
        '\u{30a1}'..='\u{30f6}' => char::from_u32(c as u32 - 0x60).unwrap_or(c),
        _ => digit(c).unwrap_or(c),
    }
}

/// The digit 0 to 9 that is another script's digit.
fn digit(c: char) -> Option<char> {
    let value = |zero: &char| (c as u32).checked_sub(*zero as u32).filter(|n| *n < 10);
    char::from_digit(ZEROS.iter().find_map(value)?, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_in_place_of_each_other_is_equal() {
        for (one, other) in [
            ("\u{d6}sterreich", "o\u{308}sterreich"),
            ("Straße", "STRASSE"),
            ("Łódź", "lodz"),
            ("ＦＵＬＬ ﬁ", "full fi"),
            ("Ἀθῆναι", "αθηναι"),
            ("ΟΔΟΣ", "οδος"),
            ("Ёлка", "елка"),
            ("край", "краи\u{306}"),
            ("שָׁלוֹם", "שלום"),
            ("كِتَابٌ", "كتاب"),
            ("أحمد", "احمد"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("کتاب", "كتاب"),
            ("٢٠١٩", "2019"),
            ("२०१९", "2019"),
            ("ｻｸﾗ", "さくら"),
            ("ｶﾞ", "が"),
            ("パリ", "は\u{309a}り"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ("क़िला", "\u{958}िला"),
            ("ൻ", "ന\u{d4d}\u{200d}"),
            ("İstanbul", "istanbul"),
            ("ZÜRICH", "zurich"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn what_tells_words_apart_is_kept() {
        for (one, other) in [
            ("край", "краи"),
            ("か", "が"),
            ("दिन", "दीन"),
            ("ห้า", "หา"),
            ("ড", "ড়"),
            ("ශ්‍රී", "ශ්‍රි"),
        ] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn folding_again_changes_nothing() {
        for c in '\0'..=char::MAX {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }
}
