//! Reads the names of cameras: `taken with my iphone`, `a nikon d850`, `camera NAME`.

use super::{Length, Reader, Token};

/// Brands and product lines of cameras and phones.
const BRANDS: &[&str] = &[
    "blackberry",
    "canon",
    "casio",
    "coolpix",
    "dji",
    "fuji",
    "fujifilm",
    "galaxy",
    "gopro",
    "hasselblad",
    "htc",
    "huawei",
    "insta360",
    "ipad",
    "iphone",
    "kodak",
    "leica",
    "lumix",
    "minolta",
    "motorola",
    "nikon",
    "nokia",
    "olympus",
    "oneplus",
    "panasonic",
    "pentax",
    "pixel",
    "polaroid",
    "powershot",
    "ricoh",
    "samsung",
    "sony",
    "xiaomi",
];

/// Parts of models' names that contain no digit.
const MODELS: &[&str] = &[
    "alpha",
    "cyber-shot",
    "eos",
    "hero",
    "ii",
    "iii",
    "iv",
    "lumix",
    "mark",
    "max",
    "mini",
    "plus",
    "pro",
    "powershot",
    "rebel",
    "se",
    "ultra",
    "xr",
    "xs",
];

impl Reader<'_> {
    /// Reads the name of a camera.
    pub(super) fn camera(&mut self, at: usize) -> Length {
        let token = self.token(at)?;
        if token.is("camera") {
            let is_name = |token: &&Token| token.lower != "," && token.meanings().is_empty();
            let start = at + 1;
            self.token(start).filter(is_name)?;
            return Some(self.name(start) + 1);
        }
        if BRANDS.contains(&token.lower.as_str()) {
            // For `samsung galaxy s21`, search for `galaxy s21`: the metadata contain only the last brand.
            let more = (at + 1..self.tokens.len())
                .take_while(|at| BRANDS.contains(&self.lower(*at)))
                .count();
            return Some(more + self.name(at + more));
        }
        // `shot on a d850` names a model without a brand.
        if !matches!(token.lower.as_str(), "with" | "on" | "mit") {
            return None;
        }
        let mut start = at + 1;
        while matches!(
            self.lower(start),
            "a" | "an" | "my" | "our" | "the" | "einer" | "meiner"
        ) {
            start += 1;
        }
        self.token(start).filter(|token| is_model(&token.lower))?;
        Some(start - at + self.name(start))
    }

    /// Adds the camera's name that begins at a token to the filter; returns its number of tokens.
    fn name(&mut self, at: usize) -> usize {
        let is_album_name = |at: usize| {
            let word = self.lower(at);
            let is_number = word.len() < 4 && word.parse::<u32>().is_ok();
            let counts = self.is_any(at + 1, &["people", "kin"]) || self.measures(at);
            is_model(word) || MODELS.contains(&word) || (is_number && !counts)
        };
        let length = 1
            + (at + 1..self.tokens.len())
                .take_while(|at| is_album_name(*at))
                .count();
        let words: Vec<&str> = self.tokens[at..at + length]
            .iter()
            .map(|token| token.word.as_str())
            .collect();
        self.understood.filter.cameras.push(words.join(" "));
        length
    }
}

/// Whether a word mixes letters and digits, as `d850`, `r5` and `dsc-t5` do, and is neither a day of
/// a month (`4th`) nor a decade (`90s`).
fn is_model(word: &str) -> bool {
    let is_date = |ending| {
        word.strip_suffix(ending)
            .is_some_and(|rest| rest.parse::<u32>().is_ok())
    };
    word.contains(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| c.is_alphabetic())
        && !["st", "nd", "rd", "th", "s"].into_iter().any(is_date)
}
