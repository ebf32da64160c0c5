//! Writes emotions as keywords into XMP sidecars, in the form that digiKam and Lightroom read: flat in `dc:subject`
//! (`Happy`), hierarchical in `lr:hierarchicalSubject` (`Emotion|Happy`) and `digiKam:TagsList` (`Emotion/Happy`).
//! Everything else in a sidecar is kept.

mod copy;
mod document;
mod edit;
mod encoding;
mod packet;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::emotion::{Emotion, EmotionSet};
use crate::error::{Error, Result};
use crate::output;
use crate::xmp::{self, Field};
use copy::{Replacement, new_sidecar, replacement};
use edit::{Change, edit};
use encoding::Text;
use packet::{Packet, Value};

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

/// The flat property comes first.
const PROPERTIES: [Property; 3] = [
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
];

const EMPTY: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"#;

/// Makes exactly these emotions keywords of the sidecar `path` of a photo, and returns whether that changes the
/// sidecar. A new sidecar begins as a copy of the photo's own XMP packet, because programs that find a sidecar do not
/// read the packet and would miss its keywords, rating and title. While a sidecar is nothing more than such a copy, it
/// is copied again when the photo changes, and removed with the last emotion. If the sidecar is a symbolic link, the
/// file to which it leads is changed. With `dry`, all checks are made but nothing is written.
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
            None => match with_emotions(before, emotions) {
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

/// The file with these emotions as keywords; `None` if nothing changes. The error says why it is not certain that
/// nothing else would change.
fn with_emotions(file: &[u8], emotions: EmotionSet) -> Result<Option<Vec<u8>>, String> {
    let text = Text::decode(file)?;
    let document = document::parse(&text.content)?;
    text.check(document.encoding.as_deref())?;
    let packet = Packet::of(&document.root)?;
    let changes = changes(&packet.keywords, emotions);
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

/// The keywords to remove and to add, of each property.
fn changes(
    values: &[Vec<Value<'_>>; PROPERTIES.len()],
    emotions: EmotionSet,
) -> [Change; PROPERTIES.len()] {
    let [_, hierarchical @ ..] = values;
    let has = |values: &[Value<'_>], keyword: &str| {
        let mut items = values.iter().flat_map(|value| &value.items);
        items.any(|item| item.text == keyword)
    };
    let mut changes: [Change; PROPERTIES.len()] = std::array::from_fn(|_| Change::default());
    for emotion in Emotion::ALL {
        let word = capitalised(emotion);
        let keywords = PROPERTIES
            .each_ref()
            .map(|property| property.keyword(emotion));
        let is_there: [bool; PROPERTIES.len()] =
            std::array::from_fn(|at| has(&values[at], &keywords[at]));
        let [has_flat, has_both @ ..] = is_there;
        // Whether the user has the word in another hierarchy.
        let is_used = hierarchical.iter().flatten().any(|value| {
            value.items.iter().any(|item| {
                !keywords.contains(&item.text) && item.text.rsplit(['|', '/']).next() == Some(&word)
                    || item.text == word
            })
        });
        // The flat keyword is ours if both hierarchical ones exist and no other program has the word in a hierarchy. If
        // a flat keyword existed before, only the first hierarchical one is added, so that later exports recognise the
        // flat one as the user's.
        let is_ours = has_both == [true; 2] && !is_used;
        let is_theirs = has_flat && !is_ours;
        let is_exported = has_both.contains(&true);
        for (at, keyword) in keywords.into_iter().enumerate() {
            if emotions.contains(emotion) {
                let is_sign = at + 1 == PROPERTIES.len() && is_theirs && !is_used;
                if !is_there[at] && !is_sign {
                    changes[at].missing.push(keyword);
                }
            } else if is_exported && is_there[at] && (at > 0 || is_ours) {
                changes[at].stale.push(keyword);
            }
        }
    }
    changes
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
            let namespace = property.namespace.trim_end_matches('/');
            field.namespace == namespace && field.name == property.name
        })
    });
    (fields, damage)
}
