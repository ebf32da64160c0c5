//! Converts the elements of RDF/XML to values: texts, lists and structures.

use super::element::{Element, Name};
use super::namespace;

/// A value: a text, a list of values, or a structure of fields. Only one of these is not empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// The text of a simple value, or the URI to which it refers.
    pub text: String,
    /// The language of the text, such as `x-default`.
    pub language: Option<String>,
    /// The items of a list: of a bag, a sequence or alternatives.
    pub items: Vec<Node>,
    /// The fields of a structure.
    pub fields: Vec<Field>,
}

/// A property of a packet, or a field of a structure.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The URI of its namespace, without `/` or `#` at its end.
    pub namespace: String,
    /// Its name within the namespace.
    pub name: String,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The value of a field.
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Self> {
        let namespace = namespace.trim_end_matches(['/', '#']);
        let is_it = |field: &&Field| field.name == name && field.namespace == namespace;
        Some(&self.fields.iter().find(is_it)?.value)
    }

    /// The text of a field.
    pub fn field_text(&self, namespace: &str, name: &str) -> Option<&str> {
        self.get(namespace, name)?.first_text()
    }

    /// The text; of a list, the first one that is not blank; of alternatives in several languages, the default. `None`
    /// if there is no text.
    pub fn first_text(&self) -> Option<&str> {
        let is_default = |item: &&Self| item.language.as_deref() == Some("x-default");
        let items = self.items.iter();
        let texts = [self].into_iter().chain(items.clone().filter(is_default));
        let mut texts = texts.chain(items).map(|node| node.text.as_str());
        texts.find(|text| !text.trim().is_empty())
    }

    /// The values of a list; for any other value, the value itself, unless it is empty.
    pub fn all(&self) -> &[Self] {
        if !self.items.is_empty() {
            &self.items
        } else if self.text.trim().is_empty() && self.fields.is_empty() {
            &[]
        } else {
            std::slice::from_ref(self)
        }
    }

    fn push(&mut self, name: &Name, value: Self) {
        self.fields.push(Field {
            namespace: name.namespace.clone(),
            name: name.local.clone(),
            value,
        });
    }
}

/// The properties of all descriptions in a document.
pub(super) fn properties(document: &Element) -> Node {
    let mut root = Node::default();
    collect(document, &mut root);
    root
}

/// Adds the properties of the descriptions in every `rdf:RDF` in an element, and lists outside of one.
fn collect(element: &Element, root: &mut Node) {
    for child in &element.children {
        if child.name.is_rdf("RDF") {
            for description in &child.children {
                if is_list(description) {
                    // A property without a description around it.
                    root.push(&description.name, value(description));
                } else {
                    add_fields(description, root);
                }
            }
        } else if is_list(child) && child.name.namespace != namespace::RDF {
            root.push(&child.name, value(child));
        } else {
            collect(child, root);
        }
    }
}

/// Adds the attributes and the children of a description or structure as fields.
fn add_fields(element: &Element, node: &mut Node) {
    add_attributes(element, node);
    for child in &element.children {
        node.push(&child.name, value(child));
    }
}

/// Whether an attribute states a property, and does not belong to the syntax of RDF.
fn is_property(name: &Name) -> bool {
    let is_syntax = name.namespace == namespace::XML || name.namespace.is_empty();
    !is_syntax && (name.namespace != namespace::RDF || name.is_rdf("value"))
}

fn is_container(element: &Element) -> bool {
    let name = &element.name;
    ["Bag", "Seq", "Alt"].iter().any(|kind| name.is_rdf(kind))
}

fn is_list(element: &Element) -> bool {
    element.children.iter().any(is_container)
}

/// The value of a property, a field or an item of a list.
fn value(element: &Element) -> Node {
    let attribute = |namespace, local| {
        let mut attributes = element.attributes.iter();
        let found = attributes.find(|(name, _)| name.is(namespace, local));
        found.map(|(_, value)| value.as_str())
    };
    let language = attribute(namespace::XML, "lang").map(str::to_owned);
    let mut node = Node::default();
    if let Some(list) = element.children.iter().find(|child| is_container(child)) {
        node.items = list.children.iter().map(value).collect();
    } else if attribute(namespace::RDF, "parseType") == Some("Resource") {
        add_fields(element, &mut node);
    } else if let Some(inner) = description_in(element) {
        add_fields(inner, &mut node);
        add_attributes(element, &mut node);
    } else {
        add_attributes(element, &mut node);
        for child in &element.children {
            node.push(&child.name, value(child));
        }
    }
    // A value with qualifiers: they are left out.
    if let Some(index) = node.fields.iter().position(is_value) {
        node = node.fields.swap_remove(index).value;
    } else if node.fields.is_empty() && node.items.is_empty() {
        let resource = attribute(namespace::RDF, "resource");
        resource.unwrap_or(&element.text).clone_into(&mut node.text);
    }
    node.language = language.or(node.language);
    node
}

/// The description that is the value of a property: `rdf:Description`, or an element that names the type of a
/// structure.
fn description_in(element: &Element) -> Option<&Element> {
    let [inner] = &element.children[..] else {
        return None;
    };
    let is_typed = !inner.children.is_empty() && !is_list(inner);
    (inner.name.is_rdf("Description") || is_typed).then_some(inner)
}

fn add_attributes(element: &Element, node: &mut Node) {
    for (name, text) in &element.attributes {
        if is_property(name) {
            let value = Node {
                text: text.clone(),
                ..Node::default()
            };
            node.push(name, value);
        }
    }
}

fn is_value(field: &Field) -> bool {
    field.namespace == namespace::RDF && field.name == "value"
}
