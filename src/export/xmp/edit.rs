//! Changes the keywords of a packet, and nothing else in its text.

use std::ops::Range;

use quick_xml::escape::partial_escape;

use super::document::{Element, Scope, is_blank};
use super::packet::{Form, Packet, RDF, Value, is_about};
use super::{PROPERTIES, Property};

/// The keywords of a property to remove and to add.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub stale: Vec<String>,
    pub missing: Vec<String>,
}

/// Ranges of a text with their replacements; no two ranges overlap.
#[derive(Default)]
struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    fn replace(&mut self, place: Range<usize>, text: String) {
        self.0.push((place, text));
    }

    fn insert(&mut self, place: usize, text: String) {
        self.replace(place..place, text);
    }

    fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(place, _)| (place.start, place.end));
        let mut edited = String::with_capacity(text.len());
        let mut done = 0;
        for (place, new) in self.0 {
            edited += &text[done..place.start];
            edited += &new;
            done = place.end;
        }
        edited + &text[done..]
    }
}

/// The text of a document with its packet changed, one change for each of [`PROPERTIES`].
pub(super) fn edit(
    text: &str,
    packet: &Packet<'_>,
    changes: &[Change; PROPERTIES.len()],
) -> String {
    let mut edits = Edits::default();
    // Properties to write: their items, already escaped.
    let mut new: Vec<(&Property, Vec<String>)> = Vec::new();
    // Properties to remove, each with its description.
    let mut empty: Vec<(&Element, &Element)> = Vec::new();
    for ((property, values), change) in PROPERTIES.iter().zip(&packet.keywords).zip(changes) {
        let mut missing: Vec<String> = change.missing.iter().map(|item| escape(item)).collect();
        for value in values {
            let missing = std::mem::take(&mut missing);
            let keeps = |text: &str| !change.stale.iter().any(|stale| stale == text);
            match value.form {
                Form::List(element, list) => {
                    if missing.is_empty() && has_only_stale(value, list, &keeps) {
                        empty.push((value.description, element));
                    } else {
                        edit_list(text, value, list, &keeps, &missing, &mut edits);
                    }
                }
                Form::Plain(element) => {
                    let is_stale = value
                        .items
                        .iter()
                        .any(|item| item.is_plain && !keeps(&item.text));
                    if !missing.is_empty() {
                        edit_plain(text, property, element, is_stale, &missing, &mut edits);
                    } else if is_stale {
                        empty.push((value.description, element));
                    }
                }
                Form::Attribute(attribute) => {
                    let kept: Vec<String> = value
                        .items
                        .iter()
                        .filter(|item| keeps(&item.text))
                        .map(|item| escape(&item.text))
                        .collect();
                    if kept.len() < value.items.len() || !missing.is_empty() {
                        edits.replace(attribute.span.clone(), String::new());
                    }
                    if !missing.is_empty() {
                        new.push((property, [kept, missing].concat()));
                    }
                }
            }
        }
        if !missing.is_empty() {
            new.push((property, missing));
        }
    }
    let target = add_properties(text, packet, &new, &mut edits);
    remove_empty(packet, &empty, target, &mut edits);
    edits.apply(text)
}

fn escape(text: &str) -> String {
    partial_escape(text).into_owned()
}

/// Whether all items of a list are to be removed.
fn has_only_stale(value: &Value<'_>, list: &Element, keeps: &dyn Fn(&str) -> bool) -> bool {
    let is_stale = |item: &super::packet::Item<'_>| item.is_plain && !keeps(&item.text);
    !value.items.is_empty() && value.items.iter().all(is_stale) && list.has_only_elements()
}

fn edit_list(
    text: &str,
    value: &Value<'_>,
    list: &Element,
    keeps: &dyn Fn(&str) -> bool,
    missing: &[String],
    edits: &mut Edits,
) {
    for item in &value.items {
        if let Some(element) = item.element
            && item.is_plain
            && !keeps(&item.text)
        {
            let start = list.start_with_blank(element);
            edits.replace(start..element.span().end, String::new());
        }
    }
    if missing.is_empty() {
        return;
    }
    let prefix = list.raw.split_once(':').map_or("", |(prefix, _)| prefix);
    let last = value.items.iter().rev().find_map(|item| item.element);
    let blank = last.map_or("", |last| {
        &text[list.start_with_blank(last)..last.open.start]
    });
    let items: Vec<String> = missing
        .iter()
        .map(|item| format!("{blank}{}", tagged(prefix, "li", item)))
        .collect();
    let items = items.concat();
    match (last, &list.close) {
        (Some(last), _) => edits.insert(last.span().end, items),
        (None, Some(_)) => edits.insert(list.open.end, items),
        (None, None) => fill_empty_tag(text, list, &items, edits),
    }
}

/// Converts a property that contains a text, or nothing, to a list. Drops the text if `is_stale`.
fn edit_plain(
    text: &str,
    property: &Property,
    element: &Element,
    is_stale: bool,
    missing: &[String],
    edits: &mut Edits,
) {
    let Some(close) = &element.close else {
        return fill_empty_tag(
            text,
            element,
            &list_element(property, &element.scope, missing),
            edits,
        );
    };
    let content = element.open.end..close.start;
    if is_stale {
        return edits.replace(content, list_element(property, &element.scope, missing));
    }
    if is_blank(&element.text()) {
        return edits.insert(close.start, list_element(property, &element.scope, missing));
    }
    // The text becomes the first item, unchanged.
    let first = text[content.clone()].to_owned();
    let items = [&[first], missing].concat();
    edits.replace(content, list_element(property, &element.scope, &items));
}

/// Adds content and an end tag to an element that is only a start tag, as `<a/>`.
fn fill_empty_tag(text: &str, element: &Element, content: &str, edits: &mut Edits) {
    let tag = &text[element.open.clone()];
    let end = element.open.start + tag.trim_end_matches('>').trim_end_matches('/').len();
    let name = &element.raw;
    edits.replace(end..element.open.end, format!(">{content}</{name}>"));
}

/// Writes new properties into the first description that has properties, or into a new one. Returns the existing
/// description that they were added to.
fn add_properties<'d>(
    text: &str,
    packet: &Packet<'d>,
    new: &[(&Property, Vec<String>)],
    edits: &mut Edits,
) -> Option<&'d Element> {
    if new.is_empty() {
        return None;
    }
    let written = |scope: &Scope, blank: &str| -> String {
        let properties = new.iter();
        let properties: Vec<String> = properties
            .map(|(property, items)| format!("{blank}{}", property_element(property, scope, items)))
            .collect();
        properties.concat()
    };
    let target = packet
        .descriptions
        .iter()
        .find(|description| description.close.is_some());
    if let Some(target) = target {
        let first = target.elements().next();
        let blank = first.map_or("", |first| {
            &text[target.start_with_blank(first)..first.open.start]
        });
        let last = target.elements().last();
        let place = last.map_or(target.open.end, |last| last.span().end);
        edits.insert(place, written(&target.scope, blank));
        return Some(target);
    }
    let rdf = packet.rdf;
    let (prefix, mut declared, mut scope) = bind_prefix(&rdf.scope, RDF, "rdf");
    for (property, _) in new {
        let (_, declaration, with) = bind_prefix(&scope, property.namespace, property.prefix);
        declared += &declaration;
        scope = with;
    }
    let last = packet.descriptions.last();
    let about = last.and_then(|last| last.attributes.iter().find(|found| is_about(found)));
    let about = about.map_or("", |about| &about.raw);
    let quote = if about.contains('"') { '\'' } else { '"' };
    let blank = last.map_or("", |last| {
        &text[rdf.start_with_blank(last)..last.open.start]
    });
    let description = format!(
        "{blank}<{prefix}:Description {prefix}:about={quote}{about}{quote}{declared}>{}</{prefix}:Description>",
        written(&scope, "")
    );
    match (last, &rdf.close) {
        (Some(last), _) => edits.insert(last.span().end, description),
        (None, Some(_)) => edits.insert(rdf.open.end, description),
        (None, None) => fill_empty_tag(text, rdf, &description, edits),
    }
    None
}

/// Removes properties without values, and descriptions without properties.
fn remove_empty(
    packet: &Packet<'_>,
    empty: &[(&Element, &Element)],
    target: Option<&Element>,
    edits: &mut Edits,
) {
    for description in &packet.descriptions {
        let in_it: Vec<&Element> = empty
            .iter()
            .filter(|(owner, _)| owner.open == description.open)
            .map(|(_, property)| *property)
            .collect();
        let is_left = |property: &Element| !in_it.iter().any(|gone| gone.open == property.open);
        let is_target = target.is_some_and(|target| target.open == description.open);
        let is_empty = !is_target
            && !in_it.is_empty()
            && description.has_only_elements()
            && description.attributes.iter().all(is_about)
            && !description.elements().any(is_left);
        if is_empty {
            let start = packet.rdf.start_with_blank(description);
            edits.replace(start..description.span().end, String::new());
            continue;
        }
        for property in in_it {
            let start = description.start_with_blank(property);
            edits.replace(start..property.span().end, String::new());
        }
    }
}

/// A property with a list of items.
fn property_element(property: &Property, scope: &Scope, items: &[String]) -> String {
    let (prefix, declared, scope) = bind_prefix(scope, property.namespace, property.prefix);
    let name = property.name;
    let list = list_element(property, &scope, items);
    format!("<{prefix}:{name}{declared}>{list}</{prefix}:{name}>")
}

/// A list of items in a property.
fn list_element(property: &Property, scope: &Scope, items: &[String]) -> String {
    let (prefix, declared, _) = bind_prefix(scope, RDF, "rdf");
    let items: String = items
        .iter()
        .map(|item| tagged(&prefix, "li", item))
        .collect();
    let name = property.list;
    format!("<{prefix}:{name}{declared}>{items}</{prefix}:{name}>")
}

fn tagged(prefix: &str, name: &str, content: &str) -> String {
    if prefix.is_empty() {
        format!("<{name}>{content}</{name}>")
    } else {
        format!("<{prefix}:{name}>{content}</{prefix}:{name}>")
    }
}

/// A prefix for a namespace, its declaration unless one is in scope, and the scope with it.
fn bind_prefix(scope: &Scope, namespace: &str, usual: &str) -> (String, String, Scope) {
    let bound = |prefix: &str| {
        let found = scope.iter().rev().find(|(known, _)| known == prefix);
        found.map(|(_, namespace)| namespace.as_str())
    };
    let known = scope.iter().rev().find(|(prefix, known)| {
        known == namespace && !prefix.is_empty() && bound(prefix) == Some(namespace)
    });
    if let Some((prefix, _)) = known {
        return (prefix.clone(), String::new(), Scope::clone(scope));
    }
    let mut prefix = usual.to_owned();
    let mut number = 1;
    while bound(&prefix).is_some() {
        number += 1;
        prefix = format!("{usual}{number}");
    }
    let mut scope = Scope::clone(scope);
    Scope::make_mut(&mut scope).push((prefix.clone(), namespace.to_owned()));
    let declaration = format!(" xmlns:{prefix}=\"{namespace}\"");
    (prefix, declaration, scope)
}
