//! An XMP packet: the description of one resource in RDF, in the forms that part 1 of the XMP specification (ISO
//! 16684-1) allows. Other forms are an error, since a program that changes what it does not understand may lose data.

use std::fmt::Write as _;

use super::document::{Attribute, Element, Node};
use super::{PROPERTIES, Property};

pub(super) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// A packet.
pub(super) struct Packet<'d> {
    /// The element `rdf:RDF`.
    pub rdf: &'d Element,
    /// Its descriptions, all of the same resource.
    pub descriptions: Vec<&'d Element>,
    /// The values of the properties with keywords.
    pub keywords: [Vec<Value<'d>>; PROPERTIES.len()],
}

/// The form in which a property with keywords is written.
pub(super) enum Form<'d> {
    /// `<rdf:Description dc:subject="Lake">`
    Attribute(&'d Attribute),
    /// `<dc:subject>Lake</dc:subject>`
    Plain(&'d Element),
    /// `<dc:subject><rdf:Bag><rdf:li>Lake</rdf:li></rdf:Bag></dc:subject>`: the property and the list.
    List(&'d Element, &'d Element),
}

/// One occurrence of a property with keywords.
pub(super) struct Value<'d> {
    /// The description that has it.
    pub description: &'d Element,
    pub form: Form<'d>,
    pub items: Vec<Item<'d>>,
}

/// A keyword.
pub(super) struct Item<'d> {
    /// Its text, without white space around it.
    pub text: String,
    /// Its canonical form, to compare it; see [`canonical_form`].
    pub canonical: String,
    /// Whether it has only a text.
    pub is_plain: bool,
    /// Its element, if it is in a list.
    pub element: Option<&'d Element>,
}

impl<'d> Packet<'d> {
    /// Finds the packet in a document.
    pub fn of(root: &'d Element) -> Result<Self, String> {
        let mut packets = Vec::new();
        find_rdf(root, &mut packets);
        let rdf = match packets[..] {
            [] => return Err("it is not XMP: it has no rdf:RDF".to_owned()),
            [rdf] => rdf,
            _ => return Err("it has more than one rdf:RDF".to_owned()),
        };
        if !is_blank(rdf) {
            return Err("it has text between its descriptions".to_owned());
        }
        let descriptions: Vec<&Element> = rdf.elements().collect();
        if let Some(other) = descriptions
            .iter()
            .find(|element| !element.name.is(RDF, "Description"))
        {
            return Err(format!("it has {} in rdf:RDF", other.raw));
        }
        let mut resources = descriptions.iter().map(|description| about(description));
        if let Some(first) = resources.next()
            && resources.any(|other| other != first)
        {
            return Err("it describes more than one resource".to_owned());
        }
        let mut keywords = [const { Vec::new() }; PROPERTIES.len()];
        for description in &descriptions {
            if !is_blank(description) {
                return Err("it has text between its properties".to_owned());
            }
            for (property, values) in PROPERTIES.iter().zip(&mut keywords) {
                add_values(description, property, values)?;
            }
        }
        Ok(Self {
            rdf,
            descriptions,
            keywords,
        })
    }

    /// The resource and all properties but the keywords, in a sorted canonical form, to compare them.
    pub fn other_properties(&self) -> Vec<String> {
        let is_keyword = |name: &super::document::Name| {
            PROPERTIES
                .iter()
                .any(|property| name.is(property.namespace, property.name))
        };
        let mut rest = Vec::new();
        for description in &self.descriptions {
            if !about(description).is_empty() {
                rest.push(format!("about {:?}", about(description)));
            }
            for attribute in &description.attributes {
                if !is_keyword(&attribute.name) && !is_about(attribute) {
                    rest.push(format!("{:?} {:?}", attribute.name, attribute.value));
                }
            }
            for property in description.elements() {
                if !is_keyword(&property.name) {
                    rest.push(canonical_form(property));
                }
            }
        }
        rest.sort();
        // The number of descriptions has no meaning.
        rest.dedup_by(|a, b| a == b && a.starts_with("about "));
        rest
    }
}

fn find_rdf<'d>(element: &'d Element, found: &mut Vec<&'d Element>) {
    if element.name.is(RDF, "RDF") {
        found.push(element);
    }
    for child in element.elements() {
        find_rdf(child, found);
    }
}

/// Whether there is no text between the elements in it.
fn is_blank(element: &Element) -> bool {
    super::document::is_blank(&element.text())
}

/// Whether an attribute names the resource; early writers of XMP left out the prefix.
pub(super) fn is_about(attribute: &Attribute) -> bool {
    attribute.name.local == "about" && ["", RDF].contains(&attribute.name.namespace.as_str())
}

fn about(description: &Element) -> &str {
    let about = description.attributes.iter().find(|found| is_about(found));
    about.map_or("", |about| &about.value)
}

/// Adds the values of a property in a description.
fn add_values<'d>(
    description: &'d Element,
    property: &Property,
    values: &mut Vec<Value<'d>>,
) -> Result<(), String> {
    let is_it = |name: &super::document::Name| name.is(property.namespace, property.name);
    for attribute in &description.attributes {
        if is_it(&attribute.name) {
            values.push(Value {
                description,
                form: Form::Attribute(attribute),
                items: plain_items(&attribute.value, true),
            });
        }
    }
    for element in description.elements() {
        if is_it(&element.name) {
            let (form, items) = parse_property(element)
                .map_err(|problem| format!("its {} {problem}", property.qualified_name()))?;
            values.push(Value {
                description,
                form,
                items,
            });
        }
    }
    Ok(())
}

/// The form and the items of a property element.
fn parse_property(element: &Element) -> Result<(Form<'_>, Vec<Item<'_>>), String> {
    let is_text = element.elements().next().is_none();
    if let Some(attribute) = element.attributes.first() {
        let name = &attribute.name.local;
        // A language has no effect on a list; that of a text would apply to the first item of the new list.
        if is_text || name != "lang" {
            return Err(format!("has the attribute {name}"));
        }
    }
    if is_text {
        let is_plain = element
            .children
            .iter()
            .all(|node| matches!(node, Node::Text(..)));
        return Ok((Form::Plain(element), plain_items(&element.text(), is_plain)));
    }
    let mut elements = element.elements();
    let list = match (elements.next(), elements.next()) {
        (Some(list), None) if is_blank(element) => list,
        _ => return Err("is no list".to_owned()),
    };
    if !(list.name.is(RDF, "Bag") || list.name.is(RDF, "Seq")) {
        return Err(format!("is {} instead of a list", list.raw));
    }
    if !list.attributes.is_empty() || !is_blank(list) {
        return Err("has items outside of rdf:li".to_owned());
    }
    let items = list.elements().map(|li| {
        if !li.name.is(RDF, "li") {
            return Err("has items outside of rdf:li".to_owned());
        }
        Ok(Item {
            text: li.text().trim().to_owned(),
            canonical: canonical_form(li),
            is_plain: li.attributes.is_empty()
                && li
                    .children
                    .iter()
                    .all(|node| matches!(node, Node::Text(..))),
            element: Some(li),
        })
    });
    let items = items.collect::<Result<_, _>>()?;
    Ok((Form::List(element, list), items))
}

/// The keyword of a property that is a text instead of a list. `is_plain` is whether it has only that text.
fn plain_items(text: &str, is_plain: bool) -> Vec<Item<'static>> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    vec![Item {
        text: text.to_owned(),
        canonical: canonical_item(text),
        is_plain,
        element: None,
    }]
}

/// The [`Item::canonical`] of a plain keyword in a list.
pub(super) fn canonical_item(text: &str) -> String {
    format!("{RDF} li ({text:?})")
}

/// The canonical form of an element: independent of prefixes, of the order of attributes, and of white space between
/// its parts.
fn canonical_form(element: &Element) -> String {
    let mut canonical = format!("{} {}", element.name.namespace, element.name.local);
    let mut attributes: Vec<_> = element
        .attributes
        .iter()
        .map(|attribute| (&attribute.name, &attribute.value))
        .collect();
    attributes.sort();
    for (name, value) in attributes {
        let _ = write!(canonical, " {name:?}={value:?}");
    }
    canonical.push_str(" (");
    for node in &element.children {
        match node {
            Node::Element(child) => canonical += &canonical_form(child),
            Node::Text(text, _) if !text.trim().is_empty() => {
                let _ = write!(canonical, "{:?}", text.trim());
            }
            _ => {}
        }
    }
    canonical + ")"
}
