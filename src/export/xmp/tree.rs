//! An XML tree. Parts that are not edited are written exactly as they were read.

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, Writer};

const RDF: &str = super::RDF;

/// Part of a document.
#[derive(Debug)]
pub(super) enum Node {
    Element(Element),
    /// Text, comments and everything else, unchanged.
    Other(Event<'static>),
}

/// An element.
#[derive(Debug)]
pub(super) struct Element {
    pub name: String,
    /// Names and values as in the document, with escapes.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Node>,
}

/// The namespaces in scope: prefixes and URIs, the innermost last.
pub(super) type Scope = Vec<(String, String)>;

/// Reads a document.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, String> {
    let broken = |problem: String| format!("is not XMP: {problem}");
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut document = Vec::new();
    loop {
        let event = reader
            .read_event()
            .map_err(|error| broken(error.to_string()))?;
        let node = match event {
            Event::Start(start) => {
                open.push(Element::of(&start).map_err(broken)?);
                continue;
            }
            Event::Empty(start) => Node::Element(Element::of(&start).map_err(broken)?),
            Event::End(_) => match open.pop() {
                Some(element) => Node::Element(element),
                None => return Err(broken("an end without a start".to_owned())),
            },
            Event::Eof if open.is_empty() => return Ok(document),
            Event::Eof => return Err(broken("it ends early".to_owned())),
            other => Node::Other(other.into_owned()),
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => document.push(node),
        }
    }
}

/// Writes a document.
pub(super) fn write(document: &[Node]) -> String {
    let mut writer = Writer::new(Vec::new());
    for node in document {
        write_node(&mut writer, node);
    }
    String::from_utf8_lossy(&writer.into_inner()).into_owned()
}

fn write_node(writer: &mut Writer<Vec<u8>>, node: &Node) {
    let mut put = |event: Event<'_>| {
        writer
            .write_event(event)
            .expect("writing to memory does not fail");
    };
    match node {
        Node::Other(event) => put(event.borrow()),
        Node::Element(element) => {
            let mut start = BytesStart::new(element.name.as_str());
            for (name, value) in &element.attributes {
                start.push_attribute(Attribute {
                    key: QName(name),
                    value: value.into(),
                });
            }
            if element.children.is_empty() {
                put(Event::Empty(start));
                return;
            }
            let end = start.to_end().into_owned();
            put(Event::Start(start));
            for child in &element.children {
                write_node(writer, child);
            }
            writer
                .write_event(Event::End(end))
                .expect("writing to memory does not fail");
        }
    }
}

/// The first element that meets a condition, in document order.
pub(super) fn find<'a>(
    nodes: &'a mut [Node],
    meets: &dyn Fn(&Element, &Scope) -> bool,
) -> Option<&'a mut Element> {
    fn within<'a>(
        nodes: &'a mut [Node],
        scope: &Scope,
        meets: &dyn Fn(&Element, &Scope) -> bool,
    ) -> Option<&'a mut Element> {
        nodes.iter_mut().find_map(|node| {
            let Node::Element(element) = node else {
                return None;
            };
            let scope = element.scope(scope);
            if meets(element, &scope) {
                return Some(element);
            }
            within(&mut element.children, &scope, meets)
        })
    }
    within(nodes, &Scope::new(), meets)
}

/// Calls `visit` for `root` and every element in it. Of the namespaces that are declared outside of `root`, only RDF is
/// known.
pub(super) fn each(root: &mut Element, visit: &mut dyn FnMut(&mut Element, &Scope)) {
    fn within(element: &mut Element, scope: &Scope, visit: &mut dyn FnMut(&mut Element, &Scope)) {
        let scope = element.scope(scope);
        visit(element, &scope);
        for child in &mut element.children {
            if let Node::Element(child) = child {
                within(child, &scope, visit);
            }
        }
    }
    let scope = vec![(root.prefix(), RDF.to_owned())];
    within(root, &scope, visit);
}

impl Element {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }

    fn of(start: &BytesStart<'_>) -> Result<Self, String> {
        let attributes = start.attributes().map(|attribute| {
            let attribute = attribute.map_err(|error| error.to_string())?;
            Ok((
                attribute.key.as_ref().to_owned(),
                attribute.value.into_owned(),
            ))
        });
        Ok(Self {
            name: start.name().as_ref().to_owned(),
            attributes: attributes.collect::<Result<_, String>>()?,
            children: Vec::new(),
        })
    }

    /// The prefix of its name; empty if there is none.
    pub fn prefix(&self) -> String {
        let parts = self.name.split_once(':');
        parts.map_or("", |(prefix, _)| prefix).to_owned()
    }

    /// Whether it has this name in this namespace.
    pub fn is(&self, scope: &Scope, namespace: &str, local: &str) -> bool {
        let (prefix, name) = self.name.split_once(':').unwrap_or(("", &self.name));
        let bound = scope.iter().rev().find(|(known, _)| known == prefix);
        name == local && bound.is_some_and(|(_, bound)| bound == namespace)
    }

    fn scope(&self, outer: &Scope) -> Scope {
        let declared = self.attributes.iter().filter_map(|(name, value)| {
            let prefix = match name.as_str() {
                "xmlns" => "",
                name => name.strip_prefix("xmlns:")?,
            };
            Some((prefix.to_owned(), value.clone()))
        });
        outer.iter().cloned().chain(declared).collect()
    }

    /// The texts of the items of its list.
    pub fn items(&self, scope: &Scope) -> Vec<String> {
        let mut items = Vec::new();
        for child in &self.children {
            if let Node::Element(child) = child {
                if child.is(&child.scope(scope), RDF, "li") {
                    items.push(child.text());
                } else {
                    items.extend(child.items(&child.scope(scope)));
                }
            }
        }
        items
    }

    /// Removes items from its list.
    pub fn remove_items(&mut self, scope: &Scope, stale: &[String]) {
        self.children.retain(|child| match child {
            Node::Element(child) => {
                !(child.is(&child.scope(scope), RDF, "li") && stale.contains(&child.text()))
            }
            Node::Other(_) => true,
        });
        for child in &mut self.children {
            if let Node::Element(child) = child {
                let scope = child.scope(scope);
                child.remove_items(&scope, stale);
            }
        }
    }

    /// Adds items to its list, and returns whether it has one.
    pub fn add_items(&mut self, rdf: &str, items: &[String]) -> bool {
        let is_list =
            |element: &Self| element.name.ends_with("Bag") || element.name.ends_with("Seq");
        let list = self.children.iter_mut().find_map(|child| match child {
            Node::Element(element) if is_list(element) => Some(element),
            _ => None,
        });
        let Some(list) = list else {
            return false;
        };
        let name = if rdf.is_empty() {
            "li".to_owned()
        } else {
            format!("{rdf}:li")
        };
        // Inserted before the white space at the end of the list.
        let blank = list
            .children
            .pop_if(|last| matches!(last, Node::Other(Event::Text(_))));
        for item in items {
            list.push_text_element(&name, item);
        }
        drop(blank);
        true
    }

    /// Adds an element that contains a text.
    pub fn push_text_element(&mut self, name: &str, text: &str) {
        let mut element = Self::new(name);
        let text = quick_xml::events::BytesText::new(text).into_owned();
        element.children.push(Node::Other(Event::Text(text)));
        self.children.push(Node::Element(element));
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for child in &self.children {
            match child {
                Node::Other(Event::Text(part)) => text.push_str(part),
                Node::Other(Event::GeneralRef(part)) => {
                    text.push('&');
                    text.push_str(part);
                    text.push(';');
                }
                _ => {}
            }
        }
        text.trim().to_owned()
    }
}
