//! Google Takeout: which JSON file of an unpacked export of Google Photos describes which photo.
//!
//! Google does not document the names. These rules are from programs that read such exports, whose test cases gave the
//! names: Google Photos Takeout Helper (`json_extractor.dart`, `extras.dart`) and immich-go
//! (`adapters/googlePhotos/matchers.go`, `matcher_test.go`). `docs/formats.md` has them as a table.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use unicode_normalization::UnicodeNormalization as _;

/// The text that newer exports append to the name of the photo; truncated if the name becomes too long.
const SUPPLEMENT: &str = ".supplemental-metadata";

/// The longest name of a JSON file without `.json`, in UTF-16 code units; longer ones are truncated.
const MAX_NAME_UNITS: usize = 46;

/// The longest name of a photo without its extension, in UTF-16 code units.
const MAX_STEM_UNITS: usize = 47;

/// Texts that Google Photos appends to the stem of a photo that was edited there, in the language of its owner, or that
/// Google Photos made itself. Such photos have no JSON.
const EDITED: [&str; 21] = [
    "-edited",     // English
    "-effects",    // made by Google Photos
    "-smile",      // made by Google Photos
    "-mix",        // made by Google Photos
    "-edytowane",  // Polish
    "-bearbeitet", // German
    "-bewerkt",    // Dutch
    "-編集済み",   // Japanese
    "-modificato", // Italian
    "-modifié",    // French
    "-ha editado", // Spanish
    "-editado",    // Spanish, Portuguese
    "-editada",    // Portuguese
    "-editat",     // Catalan, Romanian
    "-redigerad",  // Swedish
    "-redigeret",  // Danish
    "-redigert",   // Norwegian
    "-upraveno",   // Czech
    "-muokattu",   // Finnish
    "-изменено",   // Russian
    "-düzenlendi", // Turkish
];

/// The name of a photo in parts.
struct Parts {
    /// The stem without the number.
    stem: String,
    /// The extension with its dot; empty if there is none.
    extension: String,
    /// The number with its brackets, as in `photo(1).jpg`; empty if there is none.
    number: String,
}

impl Parts {
    fn of(name: &str) -> Self {
        let (stem, extension) = match name.rfind('.') {
            Some(dot) if dot > 0 => name.split_at(dot),
            _ => (name, ""),
        };
        let (stem, number) = split_number(stem);
        Self {
            stem: stem.to_owned(),
            extension: extension.to_owned(),
            number: number.to_owned(),
        }
    }

    /// The parts of the original, if the name is that of an edited photo.
    fn original(&self) -> Option<Self> {
        let stem: String = self.stem.nfc().collect();
        let is_cut = units(&stem) + units(&self.number) >= MAX_STEM_UNITS;
        let without = EDITED.iter().find_map(|edited| {
            let whole = strip_ending(&stem, edited);
            let cut = || {
                let starts = (2..edited.len())
                    .rev()
                    .filter_map(|length| edited.get(..length));
                starts
                    .into_iter()
                    .find_map(|start| stem.strip_suffix(start))
            };
            whole.or_else(|| if is_cut { cut() } else { None })
        })?;
        (!without.is_empty()).then(|| Self {
            stem: without.to_owned(),
            extension: self.extension.clone(),
            number: self.number.clone(),
        })
    }

    /// The names without `.json` that the JSON of this photo may have, the likeliest first.
    fn names(&self) -> Vec<String> {
        let whole = format!("{}{}", self.stem, self.extension);
        // A photo that was uploaded without an extension gets one in the export.
        let mut bases = vec![
            (whole.clone(), &self.number),
            (self.stem.clone(), &self.number),
        ];
        let none = String::new();
        if !self.number.is_empty() {
            // The number may have been in the uploaded name. Truncation would remove it, so only a short name is added.
            let uploaded = format!("{}{}{}", self.stem, self.number, self.extension);
            if units(&uploaded) <= MAX_NAME_UNITS {
                bases.insert(0, (uploaded, &none));
            }
            // The second photo with a truncated name shares the JSON of the first one.
            if units(&whole) > MAX_NAME_UNITS {
                bases.push((whole, &none));
            }
        }
        let mut names = Vec::new();
        for (base, number) in bases {
            for length in (0..=SUPPLEMENT.len()).rev() {
                let name = format!(
                    "{}{number}",
                    cut(&format!("{base}{}", &SUPPLEMENT[..length]))
                );
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}

/// The names without `.json` of the files that may describe a photo, the likeliest first.
pub(super) fn names(photo: &OsStr) -> Vec<String> {
    let Some(photo) = photo.to_str() else {
        return Vec::new();
    };
    let parts = Parts::of(photo);
    let mut names = parts.names();
    if let Some(original) = parts.original() {
        names.extend(original.names());
    }
    names
}

/// The name of the photo after which a JSON file is named: its stem, with the number, and its extension. It may be the
/// other half of a live photo, or an original that was edited into another format. `None` if it has no extension.
pub(super) fn photo_of(json: &str) -> Option<(String, String)> {
    let (name, number) = without_supplement(json);
    let dot = name.rfind('.').filter(|dot| *dot > 0)?;
    Some((format!("{}{number}", &name[..dot]), name[dot..].to_owned()))
}

/// The start of the names of the photos that a JSON file may describe.
pub(super) fn start_of(json: &str) -> &str {
    let (name, _) = without_supplement(json);
    match name.rfind('.') {
        Some(dot) if dot > 0 => &name[..dot],
        _ => name,
    }
}

/// The name of a JSON file without the text that newer exports append, and its number.
fn without_supplement(json: &str) -> (&str, &str) {
    let (name, number) = split_number(json);
    match name.rfind('.') {
        Some(dot) if SUPPLEMENT.starts_with(&name[dot..]) => (&name[..dot], number),
        _ => (name, number),
    }
}

/// The stems after which the JSON of a photo may be named if it has another extension; see [`photo_of`].
pub(super) fn stems(photo: &OsStr) -> Vec<String> {
    let Some(photo) = photo.to_str() else {
        return Vec::new();
    };
    let parts = Parts::of(photo);
    let original = parts.original();
    let parts = std::iter::once(parts).chain(original);
    parts
        .map(|parts| format!("{}{}", parts.stem, parts.number))
        .collect()
}

/// Whether the name is that of an edited photo.
pub(super) fn is_edited(photo: &OsStr) -> bool {
    photo
        .to_str()
        .is_some_and(|photo| Parts::of(photo).original().is_some())
}

/// A position of a folder in an export: the folder that contains the part of the export, the name of the part, and the
/// path inside it.
type Position<'a> = (PathBuf, &'a OsStr, &'a Path);

/// The possible positions of a folder in an export, the innermost part first. Large exports come in several archives, and
/// a photo and its JSON may be in different ones. If these are unpacked side by side, the names of the parts begin with
/// "Takeout", and the path in them is the same. So may the name of a folder within a part, as in
/// `takeout-20240501T120000Z-001/Takeout`, and that of the folder around all of them.
fn positions(folder: &Path) -> Vec<Position<'_>> {
    let mut above = PathBuf::new();
    let mut components = folder.components();
    let mut positions = Vec::new();
    while let Some(component) = components.next() {
        if let Component::Normal(name) = component
            && is_part(name)
        {
            positions.push((above.clone(), name, components.as_path()));
        }
        above.push(component);
    }
    positions.reverse();
    positions
}

fn is_part(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.len() >= 7 && name[..7].eq_ignore_ascii_case(b"takeout")
}

/// Whether two folders are the same one in two parts of an export.
pub(super) fn is_same_in_other_part(a: &Path, b: &Path) -> bool {
    let in_b = positions(b);
    positions(a).into_iter().any(|(above_a, _, in_a)| {
        in_b.iter()
            .any(|(above_b, _, in_b)| (above_a.as_path(), in_a) == (above_b, *in_b))
    })
}

/// The same folder in the other parts of an export, those in the nearest folder first, and then sorted.
pub fn in_other_parts(folder: &Path) -> Vec<PathBuf> {
    positions(folder)
        .into_iter()
        .flat_map(|position| in_parts_beside(&position))
        .collect()
}

/// The folder of a position in the other parts there, sorted.
fn in_parts_beside((above, own, below): &Position<'_>) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(above) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| is_part(name) && name != own)
        .map(|name| above.join(name).join(below))
        .filter(|folder| folder.is_dir())
        .collect();
    folders.sort();
    folders
}

/// Splits off a number in brackets at the end.
fn split_number(name: &str) -> (&str, &str) {
    let number = name.strip_suffix(')').and_then(|rest| {
        let open = rest.rfind('(')?;
        let digits = &rest[open + 1..];
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && open > 0).then_some(open)
    });
    number.map_or((name, ""), |open| name.split_at(open))
}

/// The text before an ending, whose case is ignored.
fn strip_ending<'a>(text: &'a str, ending: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(ending.len())?;
    let found = text.get(at..)?;
    (found.to_lowercase() == ending).then(|| &text[..at])
}

/// Length in UTF-16 code units.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Truncates a name that is too long, at the end of a character.
fn cut(name: &str) -> &str {
    let mut length = 0;
    for (at, character) in name.char_indices() {
        length += character.len_utf16();
        if length > MAX_NAME_UNITS {
            return &name[..at];
        }
    }
    name
}

#[cfg(test)]
mod tests;
