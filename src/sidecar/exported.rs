//! The parts of a sidecar that `fer-index export --xmp` wrote: keywords, and properties copied from the photo. Neither
//! states anything new about the photo.

use std::collections::BTreeSet;

use crate::xmp::namespace::{DC, DIGIKAM, LIGHTROOM};
use crate::xmp::{Field, Node, Packet};

/// The namespace of our own properties, and its usual prefix.
pub const NAMESPACE: &str = "urn:fer-index:xmp#";
/// See [`NAMESPACE`].
pub const PREFIX: &str = "ferIndex";
/// The property in which a sidecar lists the properties that were copied from the photo, see [`CopiedProperties`].
pub const COPIED_PROPERTY: &str = "Copied";
/// The property in which a sidecar lists the flat keywords that were exported without both hierarchical ones.
pub const EXPORTED_PROPERTY: &str = "Exported";

/// Top level of the hierarchical keywords that `fer-index export --xmp` writes.
const TOP_KEYWORD: &str = "Emotion";

/// The exported keywords of a packet: the hierarchical ones, and a flat one if it is listed or both hierarchical ones
/// repeat it, and no other program has the word in a hierarchy. A flat keyword that existed before the export is not
/// listed and has at most one of them.
pub struct ExportedKeywords<'p> {
    /// The levels of the keywords of Lightroom, and of digiKam.
    hierarchies: [Vec<Vec<&'p str>>; 2],
    /// The flat keywords that are listed.
    listed: Vec<&'p str>,
}

impl<'p> ExportedKeywords<'p> {
    /// Finds the exported keywords in a packet.
    pub fn of(packet: &'p Packet) -> Self {
        let hierarchy = |namespace, name, separator: char| -> Vec<Vec<&str>> {
            let items = packet.get(namespace, name).map_or(&[][..], Node::all);
            items
                .iter()
                .map(|item| item.text.trim().split(separator).collect())
                .collect()
        };
        let listed = packet.get(NAMESPACE.trim_end_matches('#'), EXPORTED_PROPERTY);
        let listed = listed.map_or(&[][..], Node::all).iter();
        Self {
            listed: listed.map(|item| item.text.trim()).collect(),
            hierarchies: [
                hierarchy(LIGHTROOM, "hierarchicalSubject", '|'),
                hierarchy(DIGIKAM, "TagsList", '/'),
            ],
        }
    }

    /// Whether a keyword is one of them. The levels of a hierarchical one are separated by `|`.
    pub fn contain(&self, keyword: &str) -> bool {
        match keyword.split_once('|') {
            Some((top, _)) => top == TOP_KEYWORD,
            None => self.contain_word(keyword),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        let mut all = self.hierarchies.iter().flatten();
        self.listed.is_empty() && !all.any(|levels| levels.len() > 1 && levels[0] == TOP_KEYWORD)
    }

    fn contain_word(&self, word: &str) -> bool {
        let ours = [TOP_KEYWORD, word];
        let is_used = |levels: &Vec<&str>| levels[..] != ours && levels.last() == Some(&word);
        let has_ours = |lists: &Vec<Vec<&str>>| lists.iter().any(|levels| levels[..] == ours);
        let is_marked = self.listed.contains(&word) || self.hierarchies.iter().all(has_ours);
        is_marked && !self.hierarchies.iter().flatten().any(is_used)
    }
}

/// The properties of a sidecar that were copied from the photo, each as the beginning of a hash of its value without
/// exported keywords.
///
/// A new sidecar begins as a copy of the XMP in the photo. While a property is unchanged, it counts as stated by the
/// photo only, so that a later change in the photo counts, and the copy does not take precedence over the photo's EXIF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedProperties(BTreeSet<String>);

impl CopiedProperties {
    /// The properties that a sidecar lists as copied; `None` if it has no list. The last list counts, since the copied
    /// packet of the photo may contain a list as well.
    pub fn from_list(packet: &Packet) -> Option<Self> {
        let list = packet.root.fields.iter().rfind(|field| is_list(field))?;
        let list = list.value.first_text()?;
        Some(Self(list.split_whitespace().map(str::to_owned).collect()))
    }

    /// All properties of a packet with their current values.
    pub fn of(packet: &Packet) -> Self {
        let exported = ExportedKeywords::of(packet);
        let properties = packet.root.fields.iter().filter(|field| !is_list(field));
        Self(
            properties
                .filter_map(|field| hash(field, &exported))
                .collect(),
        )
    }

    /// Removes the unchanged copies, and the list of them, from a packet.
    pub fn remove_from(&self, packet: &mut Packet) {
        let exported = ExportedKeywords::of(packet);
        let is_copied =
            |field: &Field| hash(field, &exported).is_some_and(|hash| self.0.contains(&hash));
        let keeps: Vec<bool> = packet
            .root
            .fields
            .iter()
            .map(|field| !is_list(field) && !is_copied(field))
            .collect();
        let mut keeps = keeps.into_iter();
        packet.root.fields.retain(|_| keeps.next() != Some(false));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The list as it is written into the sidecar.
    pub fn to_text(&self) -> String {
        let hashes: Vec<&str> = self.0.iter().map(String::as_str).collect();
        hashes.join(" ")
    }
}

fn is_list(field: &Field) -> bool {
    is_own(field, COPIED_PROPERTY)
}

/// Whether a field is this one of our own properties.
fn is_own(field: &Field, name: &str) -> bool {
    field.namespace == NAMESPACE.trim_end_matches('#') && field.name == name
}

/// The hash of a property without exported keywords: 32 bits of BLAKE3, since it is compared only with a property of
/// the same file. `None` if nothing is left of it.
fn hash(field: &Field, exported: &ExportedKeywords<'_>) -> Option<String> {
    if is_own(field, EXPORTED_PROPERTY) {
        return None;
    }
    let mut value = field.value.clone();
    let separator = match (field.namespace.as_str(), field.name.as_str()) {
        (DC, "subject") | (LIGHTROOM, "hierarchicalSubject") => Some("|"),
        (DIGIKAM, "TagsList") => Some("/"),
        _ => None,
    };
    if let Some(separator) = separator {
        // The order of keywords has no meaning.
        let mut items = value.all().to_vec();
        items.retain(|item| !exported.contain(&item.text.trim().replace(separator, "|")));
        items.sort_by(|a, b| a.text.cmp(&b.text));
        (!items.is_empty()).then_some(())?;
        value = Node {
            items,
            ..Node::default()
        };
    }
    let mut content = String::new();
    write(&mut content, &field.namespace);
    write(&mut content, &field.name);
    add(&mut content, &value);
    Some(blake3::hash(content.as_bytes()).to_hex()[..8].to_owned())
}

/// Adds a value in a canonical form: a list of one item equals the item, and the order of the fields of a structure has
/// no meaning.
fn add(content: &mut String, value: &Node) {
    match (&value.items[..], &value.fields[..]) {
        ([item], _) => add(content, item),
        ([], []) => write(content, value.text.trim()),
        ([], fields) => {
            let mut fields: Vec<&Field> = fields.iter().collect();
            fields.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
            write(content, &format!("{} fields", fields.len()));
            for field in fields {
                write(content, &field.namespace);
                write(content, &field.name);
                add(content, &field.value);
            }
        }
        (items, _) => {
            write(content, &format!("{} items", items.len()));
            for item in items {
                write(content, item.language.as_deref().unwrap_or_default());
                add(content, item);
            }
        }
    }
}

/// Adds a text with its length, so that different sequences of texts never give the same bytes.
fn write(content: &mut String, text: &str) {
    content.push_str(&text.len().to_string());
    content.push(' ');
    content.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(properties: &str) -> Packet {
        let text = format!(
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dc='{DC}/'
             xmlns:lr='{LIGHTROOM}/' xmlns:digiKam='{DIGIKAM}/' xmlns:x='urn:x/' xmlns:f='{NAMESPACE}'
             >{properties}</rdf:RDF>"
        );
        let (packet, damage) = Packet::parse(text.as_bytes());
        assert_eq!(damage, None);
        packet
    }

    fn names(packet: &Packet) -> Vec<&str> {
        let fields = packet.root.fields.iter();
        fields.map(|field| field.name.as_str()).collect()
    }

    #[test]
    fn what_was_copied_is_known_in_every_form_and_beside_exported_keywords() {
        let copied = CopiedProperties::of(&packet(
            "<rdf:Description x:a='1'><x:b><rdf:Alt><rdf:li xml:lang='x-default'>t</rdf:li></rdf:Alt></x:b>
             <x:c rdf:parseType='Resource'><x:d>1</x:d><x:e>2</x:e></x:c>
             <dc:subject><rdf:Bag><rdf:li>Lake</rdf:li><rdf:li>Boat</rdf:li></rdf:Bag></dc:subject></rdf:Description>",
        ));
        let written = |a: &str, lake: &str| {
            packet(&format!(
                "<rdf:Description f:Copied='{}' x:b='t'/><rdf:Description><x:a>{a}</x:a>
                 <x:c x:e='2' x:d='1'/><dc:subject><rdf:Bag><rdf:li>Boat</rdf:li>
                 <rdf:li>{lake}</rdf:li><rdf:li>Happy</rdf:li></rdf:Bag></dc:subject><lr:hierarchicalSubject><rdf:Bag>
                 <rdf:li>Emotion|Happy</rdf:li></rdf:Bag></lr:hierarchicalSubject><digiKam:TagsList><rdf:Seq>
                 <rdf:li>Emotion/Happy</rdf:li></rdf:Seq></digiKam:TagsList></rdf:Description>",
                copied.to_text()
            ))
        };
        let mut same = written("1", "Lake");
        assert_eq!(CopiedProperties::from_list(&same), Some(copied.clone()));
        assert_eq!(CopiedProperties::of(&same), copied);
        copied.remove_from(&mut same);
        // The exported keywords alone.
        assert_eq!(names(&same), ["hierarchicalSubject", "TagsList"]);
        for (a, lake, name) in [("2", "Lake", "a"), ("1", "Sea", "subject")] {
            let mut other = written(a, lake);
            assert_ne!(CopiedProperties::of(&other), copied);
            copied.remove_from(&mut other);
            assert_eq!(names(&other), [name, "hierarchicalSubject", "TagsList"]);
        }
    }
}
