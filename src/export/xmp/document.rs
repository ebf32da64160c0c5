//! Parses an XML document with the position of each part in its text, so that an edit can change single parts.

use std::ops::Range;
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// How deep elements may be nested.
const MAX_DEPTH: usize = 100;

/// The namespaces in scope: prefixes and URIs, the innermost last. The empty prefix applies to elements without a
/// prefix.
pub(super) type Scope = Rc<Vec<(String, String)>>;

/// The namespace and the local name of an element or an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// Empty if there is none.
    pub namespace: String,
    pub local: String,
}

impl Name {
    /// Whether it is this name.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.namespace == namespace && self.local == local
    }
}

/// An attribute that declares no namespace.
#[derive(Debug)]
pub(super) struct Attribute {
    pub name: Name,
    /// Its value with references resolved.
    pub value: String,
    /// Its value as written.
    pub raw: String,
    /// Its position in the text, with the white space before it.
    pub span: Range<usize>,
}

/// What an element contains.
#[derive(Debug)]
pub(super) enum Node {
    Element(Element),
    /// Text with references resolved, CDATA included, and its position.
    Text(String, Range<usize>),
    /// A comment or a processing instruction.
    Other,
}

/// An element.
#[derive(Debug)]
pub(super) struct Element {
    pub name: Name,
    /// Its name as written, with the prefix.
    pub raw: String,
    pub attributes: Vec<Attribute>,
    pub children: Vec<Node>,
    pub scope: Scope,
    /// The position of its start tag.
    pub open: Range<usize>,
    /// The position of its end tag; `None` if the start tag is the whole element, as in `<a/>`.
    pub close: Option<Range<usize>>,
}

impl Element {
    /// Its position in the text.
    pub fn span(&self) -> Range<usize> {
        self.open.start..self.close.as_ref().unwrap_or(&self.open).end
    }

    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            _ => None,
        })
    }

    /// The text directly in it.
    pub fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|node| match node {
            Node::Text(text, _) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Whether it contains nothing but elements and white space between them.
    pub fn has_only_elements(&self) -> bool {
        self.children.iter().all(|node| match node {
            Node::Element(_) => true,
            Node::Text(text, _) => is_blank(text),
            Node::Other => false,
        })
    }

    /// The start of the white space before a child, or of the child if there is none.
    pub fn start_with_blank(&self, child: &Self) -> usize {
        let start = child.open.start;
        self.children
            .iter()
            .find_map(|node| match node {
                Node::Text(text, span) if span.end == start && is_blank(text) => Some(span.start),
                _ => None,
            })
            .unwrap_or(start)
    }
}

/// Whether a text consists of white space as XML defines it.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'))
}

/// A document: its outermost element, and the encoding that it declares.
#[derive(Debug)]
pub(super) struct Document {
    pub root: Element,
    pub encoding: Option<String>,
}

/// Reads a document. The error is a clause that says why it cannot be read, such as "it ends early".
pub(super) fn parse(text: &str) -> Result<Document, String> {
    if text.starts_with('\u{feff}') {
        // quick-xml skips a byte order mark without counting it, so all positions would be wrong. The first one of a
        // file has been removed already.
        return Err("it begins with two byte order marks".to_owned());
    }
    if text.contains('\0') {
        // XML does not allow it, and a reader may mistake the text for UTF-16.
        return Err("it contains a NUL character".to_owned());
    }
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut encoding = None;
    loop {
        let start = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(not_xml)?;
        let span = start..reader.buffer_position() as usize;
        let closed = match event {
            Event::Start(tag) => {
                if open.len() >= MAX_DEPTH {
                    return Err("its elements are nested too deeply".to_owned());
                }
                let scope = open.last().map(|outer| &outer.scope);
                open.push(element(text, &tag, span, scope)?);
                continue;
            }
            Event::Empty(tag) => {
                let scope = open.last().map(|outer| &outer.scope);
                element(text, &tag, span, scope)?
            }
            Event::End(_) => {
                let mut element = open.pop().ok_or("it has an end tag without a start tag")?;
                element.close = Some(span);
                element
            }
            Event::Text(_) | Event::GeneralRef(_) | Event::CData(_) => {
                add_text(text, &event, span, open.last_mut())?;
                continue;
            }
            Event::Comment(_) | Event::PI(_) => {
                if let Some(parent) = open.last_mut() {
                    parent.children.push(Node::Other);
                }
                continue;
            }
            Event::Decl(declaration) => {
                let declared = declaration.encoding().transpose().map_err(not_xml)?;
                encoding = declared.map(std::borrow::Cow::into_owned);
                continue;
            }
            Event::DocType(_) => return Err("it has a document type declaration".to_owned()),
            Event::Eof if !open.is_empty() => return Err("it ends early".to_owned()),
            Event::Eof => {
                let root = root.ok_or("it is not XML")?;
                return Ok(Document { root, encoding });
            }
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(closed)),
            None if root.is_some() => return Err("it has two outermost elements".to_owned()),
            None => root = Some(closed),
        }
    }
}

fn not_xml(error: impl std::fmt::Display) -> String {
    format!("it is not valid XML: {error}")
}

/// Adds a text, a CDATA section or a reference to the text of an element.
fn add_text(
    document: &str,
    event: &Event<'_>,
    span: Range<usize>,
    parent: Option<&mut Element>,
) -> Result<(), String> {
    let text = match event {
        Event::CData(section) => section.to_string(),
        _ => unescape(&document[span.clone()])
            .map_err(not_xml)?
            .into_owned(),
    };
    let Some(parent) = parent else {
        // Some programs fill the rest of a file with zeros.
        let is_nothing = is_blank(text.trim_matches(['\0', '\u{feff}']));
        return if is_nothing {
            Ok(())
        } else {
            Err("it has text outside of its elements".to_owned())
        };
    };
    match parent.children.last_mut() {
        Some(Node::Text(before, place)) if place.end == span.start => {
            before.push_str(&text);
            place.end = span.end;
        }
        _ => parent.children.push(Node::Text(text, span)),
    }
    Ok(())
}

/// The element that a tag starts.
fn element(
    document: &str,
    tag: &BytesStart<'_>,
    open: Range<usize>,
    outer: Option<&Scope>,
) -> Result<Element, String> {
    let xml = || {
        let namespace = "http://www.w3.org/XML/1998/namespace";
        Rc::new(vec![("xml".to_owned(), namespace.to_owned())])
    };
    let mut scope = outer.map_or_else(xml, Rc::clone);
    let mut written = Vec::new();
    // `open` includes the `<`; the positions in the tag are relative to its content.
    let content = open.start + 1;
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(not_xml)?;
        let key = attribute.key.as_ref();
        let value = unescape(&attribute.value).map_err(not_xml)?.into_owned();
        if attribute.value.contains('<') {
            return Err("it is not valid XML: the value of an attribute contains <".to_owned());
        }
        let prefix = if key == "xmlns" {
            Some("")
        } else {
            key.strip_prefix("xmlns:")
        };
        if let Some(prefix) = prefix {
            Rc::make_mut(&mut scope).push((prefix.to_owned(), value));
        } else {
            let start = offset_in_tag(tag, key) + content;
            let end = offset_in_tag(tag, &attribute.value) + content + attribute.value.len() + 1;
            let blank = document[..start].trim_end_matches([' ', '\t', '\r', '\n']);
            written.push((
                key.to_owned(),
                value,
                attribute.value.clone().into_owned(),
                blank.len()..end,
            ));
        }
    }
    let attributes = written.into_iter().map(|(key, value, raw, span)| {
        let name = if key.contains(':') {
            resolve(&scope, &key)?
        } else {
            // An attribute without a prefix is in no namespace.
            Name {
                namespace: String::new(),
                local: key,
            }
        };
        Ok(Attribute {
            name,
            value,
            raw,
            span,
        })
    });
    let attributes: Vec<Attribute> = attributes.collect::<Result<_, String>>()?;
    let raw = tag.name().as_ref().to_owned();
    Ok(Element {
        name: resolve(&scope, &raw)?,
        raw,
        attributes,
        children: Vec::new(),
        scope,
        open,
        close: None,
    })
}

/// The offset of a part of a tag.
fn offset_in_tag(tag: &BytesStart<'_>, part: &str) -> usize {
    part.as_ptr() as usize - tag.as_ptr() as usize
}

/// Resolves a name as written to its namespace and local name.
fn resolve(scope: &Scope, raw: &str) -> Result<Name, String> {
    let (prefix, local) = raw.split_once(':').unwrap_or(("", raw));
    let bound = scope.iter().rev().find(|(known, _)| known == prefix);
    let namespace = match bound {
        Some((_, namespace)) => namespace.clone(),
        None if prefix.is_empty() => String::new(),
        None => return Err(format!("it does not declare the namespace of {raw}")),
    };
    let local = local.to_owned();
    Ok(Name { namespace, local })
}
