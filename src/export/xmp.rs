//! Writes emotions as keywords into XMP sidecars, in the form that digiKam and Lightroom read: flat in `dc:subject`
//! (`Happy`), hierarchical in `lr:hierarchicalSubject` (`Emotion|Happy`) and `digiKam:TagsList` (`Emotion/Happy`).
//! Everything else in a sidecar is kept.
//!
//! Programs read one of these lists alone: digiKam and Immich `digiKam:TagsList` before `lr:hierarchicalSubject` before flat
//! keywords, darktable `lr:hierarchicalSubject` before `dc:subject`. So a hierarchical list that has nothing but our keywords
//! would hide the user's in the lists after it, and there is none beside them.

mod copy;
mod document;
mod edit;
mod encoding;
mod own;
mod packet;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::emotion::{Emotion, EmotionSet};
use crate::error::{Error, Result};
use crate::output;
use crate::sidecar::{EXPORTED_PROPERTY, NAMESPACE, PREFIX};
use crate::xmp::namespace::{ACDSEE, MEDIA_PRO, MICROSOFT};
use crate::xmp::{self, Field, Node};
use copy::{Replacement, has_keywords, new_sidecar, replacement};
use edit::{Change, edit};
use encoding::Text;
use packet::{Item, Packet, Value};

/// A property with keywords: its namespace, usual prefix, name, kind of list, and the separator of the levels of a
/// keyword. `None` if keywords consist of the last level only.
struct Property {
    namespace: &'static str,
    prefix: &'static str,
    name: &'static str,
    list: &'static str,
    separator: Option<char>,
}

impl Property {
    /// Its name with the usual prefix.
    fn qualified_name(&self) -> String {
        format!("{}:{}", self.prefix, self.name)
    }

    /// The keyword of an emotion.
    fn keyword(&self, emotion: Emotion) -> String {
        match self.separator {
            Some(separator) => format!("Emotion{separator}{}", capitalised(emotion)),
            None => capitalised(emotion),
        }
    }
}

/// The reason to leave a file unchanged that an edit would damage.
const REASON_OTHER_CHANGES: &str =
    "with new keywords, programs would read other things in it than before";

/// Where the properties are in [`PROPERTIES`].
const FLAT: usize = 0;
const LIGHTROOM: usize = 1;
const DIGIKAM: usize = 2;
const EXPORTED: usize = 3;

/// The lists of keywords, of which each hides those before it from programs that read one alone; at last our own list of
/// the flat keywords that are ours although no hierarchical ones say so.
const PROPERTIES: [Property; 4] = [
    Property {
        namespace: "http://purl.org/dc/elements/1.1/",
        prefix: "dc",
        name: "subject",
        list: "Bag",
        separator: None,
    },
    Property {
        namespace: "http://ns.adobe.com/lightroom/1.0/",
        prefix: "lr",
        name: "hierarchicalSubject",
        list: "Bag",
        separator: Some('|'),
    },
    Property {
        namespace: "http://www.digikam.org/ns/1.0/",
        prefix: "digiKam",
        name: "TagsList",
        list: "Seq",
        separator: Some('/'),
    },
    Property {
        namespace: NAMESPACE,
        prefix: PREFIX,
        name: EXPORTED_PROPERTY,
        list: "Bag",
        separator: None,
    },
];

const EMPTY: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"#;

/// Makes exactly these emotions keywords of the sidecar `path` of a photo, and returns whether that changes the
/// sidecar. A new sidecar begins as a copy of the photo's own XMP packet, with the keywords, title, description and rating
/// that only its IPTC and EXIF have, because programs that find a sidecar do not read those in the photo. While a
/// sidecar is nothing more than such a copy, it is copied again when the photo changes, and removed with the last
/// emotion. If the sidecar is a symbolic link, the file to which it leads is changed. With `dry`, all checks are made
/// but nothing is written.
///
/// # Errors
/// If the sidecar cannot be read or written, if a new one is needed and the photo cannot be read, or if it is not
/// certain that only our keywords would change. The sidecar is then unchanged.
pub fn write_sidecar(path: &Path, photo: &Path, emotions: EmotionSet, dry: bool) -> Result<bool> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let is_link = path.is_symlink();
    let target = match path.canonicalize() {
        Ok(target) if is_link => target,
        Err(error) if error.kind() == ErrorKind::NotFound && is_link => {
            let reason = "it is a link to a file that is not there";
            return Err(not_changed_error(path, reason));
        }
        _ => path.to_owned(),
    };
    let before = match fs::read(&target) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(io(error)),
    };
    if before.is_none() && emotions.is_empty() {
        return Ok(false);
    }
    let after = match &before {
        None => Some(new_sidecar(photo, emotions)?),
        Some(before) => match replacement(before, photo, emotions) {
            Some(Replacement::NewCopy(after)) => Some(after),
            Some(Replacement::Removal) => None,
            None => match with_emotions(before, emotions, &|| has_keywords(photo)) {
                // Back to the sidecar that is made for a photo without a packet.
                Ok(Some(after)) => (after != EMPTY.as_bytes()).then_some(after),
                Ok(None) => return Ok(false),
                Err(reason) => return Err(not_changed_error(path, &reason)),
            },
        },
    };
    if before == after {
        return Ok(false);
    }
    match (&before, &after) {
        _ if dry => output::check_edit(&target, before.as_deref())?,
        (Some(before), None) if !is_link => output::remove(&target, before)?,
        (_, Some(after)) => output::edit(&target, before.as_deref(), after)?,
        (_, None) => output::edit(&target, before.as_deref(), EMPTY.as_bytes())?,
    }
    Ok(true)
}

fn not_changed_error(path: &Path, reason: &str) -> Error {
    Error::Usage(format!("{} is left as it is: {reason}", path.display()))
}

/// The last level of a keyword, such as "Happy".
fn capitalised(emotion: Emotion) -> String {
    let (first, rest) = emotion.name().split_at(1);
    first.to_uppercase() + rest
}

/// The file with these emotions as keywords; `None` if nothing changes. `has_keywords_elsewhere` is whether the photo has
/// keywords outside of the file. The error says why it is not certain that nothing else would change.
fn with_emotions(
    file: &[u8],
    emotions: EmotionSet,
    has_keywords_elsewhere: &dyn Fn() -> bool,
) -> Result<Option<Vec<u8>>, String> {
    let text = Text::decode(file)?;
    let document = document::parse(&text.content)?;
    text.check(document.encoding.as_deref())?;
    let packet = Packet::of(&document.root)?;
    let is_elsewhere = || has_other_lists(file) || has_keywords_elsewhere();
    let changes = changes(&packet.keywords, emotions, &is_elsewhere);
    if changes.iter().all(|change| *change == Change::default()) {
        return Ok(None);
    }
    let after = edit(&text.content, &packet, &changes);
    if after == text.content {
        return Ok(None); // the value has more than the keyword, so it stays
    }
    verify(&packet, &after, &changes)?;
    let after = text.encode(&after);
    if other_fields_by_index(file) == other_fields_by_index(&after) {
        Ok(Some(after))
    } else {
        Err(REASON_OTHER_CHANGES.to_owned())
    }
}

/// Whether a file has keywords in lists that programs read after the hierarchical ones and that are never changed.
fn has_other_lists(file: &[u8]) -> bool {
    let (packet, _) = xmp::Packet::parse(file);
    let lists = [
        (MICROSOFT, "LastKeywordXMP"),
        (MEDIA_PRO, "CatalogSets"),
        (ACDSEE, "categories"),
        (ACDSEE, "keywords"),
    ];
    let has_any = |list: &Node| {
        let mut items = list.all().iter();
        items.any(|item| {
            item.first_text()
                .is_some_and(|text| !text.trim().is_empty())
        })
    };
    let mut found = lists
        .iter()
        .filter_map(|(namespace, name)| packet.get(namespace, name));
    found.any(has_any)
}

/// The keywords to remove and to add, of each property. `is_elsewhere` is whether there are keywords that a new
/// hierarchical list would hide, in other lists or in the photo.
fn changes(
    values: &[Vec<Value<'_>>; PROPERTIES.len()],
    emotions: EmotionSet,
    is_elsewhere: &dyn Fn() -> bool,
) -> [Change; PROPERTIES.len()] {
    let items = |at: usize| values[at].iter().flat_map(|value| &value.items);
    let has = |at: usize, keyword: &str| items(at).any(|item| item.text == keyword);
    let words = Emotion::ALL.map(|emotion| OurWord::of(emotion, &has, &items));
    // Of each list of keywords, whether it has other ones than ours.
    let has_other = |at: usize| {
        let is_ours = |text: &str| {
            words
                .iter()
                .any(|word| word.keywords[at] == text && (at != FLAT || word.is_ours))
        };
        items(at).any(|item| !is_ours(&item.text))
    };
    let [flat, lightroom, digikam] = [FLAT, LIGHTROOM, DIGIKAM].map(has_other);
    let is_below = flat || !emotions.is_empty() && is_elsewhere();
    // A list with nothing but our keywords would hide those of the lists before it.
    let is_list = [
        true,
        lightroom || !is_below,
        digikam || !(is_below || lightroom),
    ];
    let mut changes: [Change; PROPERTIES.len()] = std::array::from_fn(|_| Change::default());
    for word in words {
        let is_wanted = emotions.contains(word.emotion);
        // If a flat keyword existed before, only one of two hierarchical ones is added, so that later exports recognise the
        // flat one as the user's.
        let is_theirs = word.is_there[FLAT] && !word.is_ours;
        let is_sign = is_theirs && !word.is_used && is_list[LIGHTROOM];
        let mut will_be = [false; PROPERTIES.len()];
        for at in [FLAT, LIGHTROOM, DIGIKAM] {
            will_be[at] = match at {
                FLAT => is_wanted || is_theirs,
                DIGIKAM if is_sign && !word.is_there[at] => false,
                _ => is_wanted && is_list[at],
            };
        }
        will_be[EXPORTED] = is_wanted && !is_theirs && !(will_be[LIGHTROOM] && will_be[DIGIKAM]);
        for (at, keyword) in word.keywords.into_iter().enumerate() {
            match (word.is_there[at], will_be[at]) {
                (false, true) => changes[at].missing.push(keyword),
                (true, false) => changes[at].stale.push(keyword),
                _ => {}
            }
        }
    }
    changes
}

/// The keywords of an emotion, and what a packet has of them.
struct OurWord {
    emotion: Emotion,
    keywords: [String; PROPERTIES.len()],
    is_there: [bool; PROPERTIES.len()],
    /// Whether the user has the word in another hierarchy.
    is_used: bool,
    /// Whether the flat keyword is ours: it is listed as such, or both hierarchical ones exist, and no other program has
    /// the word in a hierarchy.
    is_ours: bool,
}

impl OurWord {
    fn of<'i, I: Iterator<Item = &'i Item<'i>>>(
        emotion: Emotion,
        has: &impl Fn(usize, &str) -> bool,
        items: &impl Fn(usize) -> I,
    ) -> Self {
        let word = capitalised(emotion);
        let keywords = PROPERTIES
            .each_ref()
            .map(|property| property.keyword(emotion));
        let is_there = std::array::from_fn(|at| has(at, &keywords[at]));
        let is_used = [LIGHTROOM, DIGIKAM].into_iter().any(|at| {
            items(at).any(|item| {
                !keywords.contains(&item.text) && item.text.rsplit(['|', '/']).next() == Some(&word)
                    || item.text == word
            })
        });
        let is_marked = is_there[EXPORTED] || is_there[LIGHTROOM] && is_there[DIGIKAM];
        Self {
            emotion,
            is_ours: is_there[FLAT] && is_marked && !is_used,
            keywords,
            is_there,
            is_used,
        }
    }
}

/// Parses an edited text, and checks that only the intended changes were made.
fn verify(
    before: &Packet<'_>,
    after: &str,
    changes: &[Change; PROPERTIES.len()],
) -> Result<(), String> {
    let document = document::parse(after)?;
    let after = Packet::of(&document.root)?;
    let items = |values: &[Value<'_>]| -> Vec<(String, bool)> {
        let items = values.iter().flat_map(|value| &value.items);
        items
            .map(|item| (item.canonical.clone(), item.is_plain))
            .collect()
    };
    let is_as_intended = |at: usize| {
        let Change { stale, missing } = &changes[at];
        let stale: Vec<String> = stale
            .iter()
            .map(|text| packet::canonical_item(text))
            .collect();
        let mut expected = items(&before.keywords[at]);
        expected.retain(|(canonical, is_plain)| !(*is_plain && stale.contains(canonical)));
        expected.extend(
            missing
                .iter()
                .map(|text| (packet::canonical_item(text), true)),
        );
        let mut found = items(&after.keywords[at]);
        expected.sort();
        found.sort();
        expected == found
    };
    if before.other_properties() == after.other_properties()
        && (0..PROPERTIES.len()).all(is_as_intended)
    {
        Ok(())
    } else {
        Err(REASON_OTHER_CHANGES.to_owned())
    }
}

/// Everything that the index reads from a file, except these properties. The index has another XMP reader; both must
/// find that nothing else has changed.
fn other_fields_by_index(file: &[u8]) -> (Vec<Field>, Option<String>) {
    let (packet, damage) = xmp::Packet::parse(file);
    let mut fields = packet.root.fields;
    fields.retain(|field| {
        !PROPERTIES.iter().any(|property| {
            let namespace = property.namespace.trim_end_matches(['/', '#']);
            field.namespace == namespace && field.name == property.name
        })
    });
    (fields, damage)
}
