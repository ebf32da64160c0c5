//! The XML of a packet as a tree of elements whose names are resolved to namespaces.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::namespace;

/// Deepest nesting of elements; deeper ones are left out. XMP needs about twelve.
const MAX_DEPTH: usize = 64;

/// Most elements and attributes; further ones are left out.
const MAX_ELEMENTS: usize = 200_000;

/// Longest URI of a namespace, in bytes; a longer one counts as none. Every name has a copy of its URI, so one long URI
/// for many short names would take thousands of times the memory of the packet.
const MAX_NAMESPACE_BYTES: usize = 256;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub name: Name,
    pub attributes: Vec<(Name, String)>,
    pub children: Vec<Element>,
    /// The text directly in it.
    pub text: String,
}

/// The name of an element or attribute.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// The URI without `/` or `#` at its end; empty if there is none.
    pub namespace: String,
    pub local: String,
}

impl Name {
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && self.namespace == namespace
    }

    pub fn is_rdf(&self, local: &str) -> bool {
        self.is(namespace::RDF, local)
    }

    fn of(resolved: &ResolveResult<'_>, local: &str) -> Self {
        let uri = match resolved {
            ResolveResult::Bound(namespace) if namespace.0.len() > MAX_NAMESPACE_BYTES => "",
            ResolveResult::Bound(namespace) => namespace.0,
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(prefix) => of_prefix(prefix),
        };
        Self {
            namespace: uri.trim_end_matches(['/', '#']).to_owned(),
            local: local.to_owned(),
        }
    }
}

/// The namespace that a prefix usually has, for packets that lack its declaration.
fn of_prefix(prefix: &str) -> &'static str {
    match prefix {
        "rdf" => namespace::RDF,
        "xml" => namespace::XML,
        "dc" => namespace::DC,
        "xmp" | "xap" => namespace::XMP,
        "photoshop" => namespace::PHOTOSHOP,
        "exif" => namespace::EXIF,
        "tiff" => namespace::TIFF,
        "lr" => namespace::LIGHTROOM,
        "digiKam" => namespace::DIGIKAM,
        "MicrosoftPhoto" => namespace::MICROSOFT,
        "mwg-rs" => namespace::MWG_REGIONS,
        "stArea" => namespace::AREA,
        _ => "",
    }
}

/// Reads a document into an element without a name that contains it. If the document is broken, returns the part before
/// the error, with a sentence that describes the error.
pub(super) fn parse(text: &str) -> (Element, Option<String>) {
    let mut reader = NsReader::from_str(text);
    let mut open = vec![Element::default()];
    let mut count = 0;
    // Elements below `MAX_DEPTH` that are open, and are left out.
    let mut skipped = 0_usize;
    let damage = loop {
        match reader.read_event() {
            Ok(Event::Eof) if open.len() + skipped > 1 => break Some("it ends early".to_owned()),
            Ok(Event::Eof) => break None,
            Ok(Event::Start(_)) if open.len() > MAX_DEPTH || count >= MAX_ELEMENTS => skipped += 1,
            Ok(Event::End(_)) if skipped > 0 => skipped -= 1,
            Ok(_) if skipped > 0 => {}
            Ok(Event::Start(start)) => {
                let element = element(&reader, &start, &mut count);
                open.push(element);
            }
            Ok(Event::Empty(start)) if count < MAX_ELEMENTS => {
                let element = element(&reader, &start, &mut count);
                add(&mut open, element);
            }
            Ok(Event::End(_)) => close(&mut open),
            Ok(Event::Text(text)) => push(&mut open, &text),
            Ok(Event::CData(text)) => push(&mut open, &text),
            Ok(Event::GeneralRef(reference)) => {
                if let (Some(last), Some(c)) = (open.last_mut(), character(&reference)) {
                    last.text.push(c);
                }
            }
            Ok(_) => {}
            Err(error) => break Some(error.to_string()),
        }
    };
    while open.len() > 1 {
        close(&mut open);
    }
    (open.pop().unwrap_or_default(), damage)
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>, count: &mut usize) -> Element {
    let resolver = reader.resolver();
    let (resolved, local) = resolver.resolve_element(start.name());
    let name = Name::of(&resolved, local.as_ref());
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false).flatten() {
        *count += 1;
        if *count >= MAX_ELEMENTS || attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (resolved, local) = resolver.resolve_attribute(attribute.key);
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_or_else(|_| attribute.value.to_string(), |value| value.to_string());
        attributes.push((Name::of(&resolved, local.as_ref()), value));
    }
    *count += 1;
    Element {
        name,
        attributes,
        ..Element::default()
    }
}

fn push(open: &mut [Element], text: &str) {
    if let Some(last) = open.last_mut() {
        last.text.push_str(text);
    }
}

fn add(open: &mut [Element], element: Element) {
    if let Some(last) = open.last_mut() {
        last.children.push(element);
    }
}

fn close(open: &mut Vec<Element>) {
    if open.len() > 1
        && let Some(element) = open.pop()
    {
        add(open, element);
    }
}

/// The character of an entity or character reference such as `&amp;` or `&#233;`.
fn character(reference: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}
