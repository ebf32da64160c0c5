//! Random XMP in the forms that the specification allows: positions of namespace declarations, names of prefixes,
//! attributes and elements, lists and plain texts, wrappers, comments and encodings.

use std::fmt::Write as _;

use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, RngCore};

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// The properties with keywords, as exiftool and exiv2 name them: namespace, prefix, name.
pub const KEYWORDS: [(&str, &str, &str); 3] = [
    ("http://purl.org/dc/elements/1.1/", "dc", "subject"),
    (
        "http://ns.adobe.com/lightroom/1.0/",
        "lr",
        "hierarchicalSubject",
    ),
    ("http://www.digikam.org/ns/1.0/", "digiKam", "TagsList"),
];

/// Which of these lists have a keyword of an emotion after an export, by which of them had keywords before: those that
/// had some, and others if they hide none. A program that reads `digiKam:TagsList` or `lr:hierarchicalSubject` reads none of
/// the lists before it.
pub const fn has_emotion([flat, lightroom, digikam]: [bool; 3]) -> [bool; 3] {
    [true, lightroom || !flat, digikam || !(flat || lightroom)]
}

/// Other properties, as exiftool and exiv2 name them.
const OTHERS: [(&str, &str, &str); 4] = [
    ("http://ns.adobe.com/xap/1.0/", "xmp", "Rating"),
    ("http://ns.adobe.com/photoshop/1.0/", "photoshop", "City"),
    ("http://ns.adobe.com/xap/1.0/", "xmp", "Label"),
    ("http://ns.adobe.com/tiff/1.0/", "tiff", "Make"),
];

/// Keywords, each with its form in XML.
const WORDS: [(&str, &str); 8] = [
    ("Lake", "Lake"),
    ("Sun & sand", "Sun &amp; sand"),
    ("Café", "Caf&#xE9;"),
    ("北海道旅行", "北海道旅行"),
    ("a < b", "a &lt; b"),
    ("It's \"here\"", "It&apos;s &quot;here&quot;"),
    ("Places|Italy", "Places|Italy"),
    ("Places/Italy", "Places/&#73;taly"),
];

/// A sidecar with its keywords.
pub struct Sample {
    /// The file.
    pub bytes: Vec<u8>,
    /// The values of [`KEYWORDS`].
    pub keywords: [Vec<String>; 3],
    /// Whether none of these is a text or an empty element, so that adding and removing keywords restores the file
    /// exactly.
    pub is_reversible: bool,
}

/// The positions of namespace declarations, and the layout.
struct Style {
    rdf: String,
    /// The prefixes of the namespaces that are declared on an outer element; others are declared where they are used.
    outer: Vec<(&'static str, String)>,
    blank: &'static str,
}

impl Style {
    fn random(random: &mut dyn RngCore) -> Self {
        let mut outer = Vec::new();
        for (namespace, prefix, _) in KEYWORDS.iter().chain(&OTHERS) {
            let is_new = !outer.iter().any(|(known, _)| known == namespace);
            if is_new && random.random_bool(0.5) {
                outer.push((*namespace, prefix.to_string()));
            }
        }
        let rdf = ["rdf", "r", "RDF", "dc9"].choose(random).unwrap();
        Self {
            rdf: (*rdf).to_owned(),
            outer,
            blank: ["", "\n  ", "\r\n\t", "\n"].choose(random).unwrap(),
        }
    }

    /// The prefix of a namespace, and its declaration if it has to be declared here.
    fn prefix(&self, namespace: &str, usual: &str) -> (String, String) {
        let known = self.outer.iter().find(|(known, _)| *known == namespace);
        match known {
            Some((_, prefix)) => (prefix.clone(), String::new()),
            None => (usual.to_owned(), format!(" xmlns:{usual}='{namespace}'")),
        }
    }
}

/// A random sidecar.
pub fn sample(random: &mut dyn RngCore) -> Sample {
    let style = Style::random(random);
    let mut keywords: [Vec<String>; 3] = Default::default();
    let mut is_reversible = true;
    // Attributes and elements of the descriptions.
    let mut parts: Vec<(String, String)> = Vec::new();
    for (namespace, usual, name) in OTHERS {
        let (prefix, declared) = style.prefix(namespace, usual);
        parts.push(if random.random_bool(0.5) {
            (format!("{declared} {prefix}:{name}=\"4\""), String::new())
        } else {
            (
                String::new(),
                format!("<{prefix}:{name}{declared}>4</{prefix}:{name}>"),
            )
        });
    }
    parts.push((String::new(), structure(&style, random)));
    for ((namespace, usual, name), values) in KEYWORDS.iter().zip(&mut keywords) {
        let (prefix, declared) = style.prefix(namespace, usual);
        let (part, texts, reversible) = property(&style, &prefix, name, &declared, random);
        parts.push(part);
        *values = texts;
        is_reversible &= reversible;
    }
    let text = document(&style, parts, random);
    Sample {
        bytes: encode(&text, random),
        keywords,
        is_reversible,
    }
}

/// A property with keywords: its forms in a start tag and as an element, its keywords, and whether adding and removing
/// keywords restores it exactly.
fn property(
    style: &Style,
    prefix: &str,
    name: &str,
    declared: &str,
    random: &mut dyn RngCore,
) -> ((String, String), Vec<String>, bool) {
    let rdf = &style.rdf;
    let element = |content: &str| format!("<{prefix}:{name}{declared}>{content}</{prefix}:{name}>");
    let (word, written) = *WORDS.choose(random).unwrap();
    let one = || vec![word.to_owned()];
    let in_element =
        |content: &str, words, reversible| ((String::new(), element(content)), words, reversible);
    match random.random_range(0..9) {
        0 => ((String::new(), String::new()), Vec::new(), true),
        1 => (
            (
                format!("{declared} {prefix}:{name}=\"{written}\""),
                String::new(),
            ),
            one(),
            false,
        ),
        2 => in_element(written, one(), false),
        3 => in_element(&format!("<![CDATA[{word}]]>"), one(), false),
        4 => (
            (String::new(), format!("<{prefix}:{name}{declared}/>")),
            Vec::new(),
            false,
        ),
        5 => in_element(style.blank, Vec::new(), false),
        6 => in_element(&format!("<{rdf}:Bag/>"), Vec::new(), false),
        kind => {
            let list = if kind == 7 { "Bag" } else { "Seq" };
            let count = random.random_range(1..4);
            let mut words = WORDS;
            let (words, _) = words.partial_shuffle(random, count);
            let mut items = String::new();
            for (_, written) in &*words {
                if random.random_bool(0.2) {
                    items += "<!-- <rdf:li>none</rdf:li> -->";
                }
                let _ = write!(items, "{}<{rdf}:li>{written}</{rdf}:li>", style.blank);
            }
            let blank = style.blank;
            let content = format!("{blank}<{rdf}:{list}>{items}{blank}</{rdf}:{list}>{blank}");
            let words = words.iter().map(|(word, _)| (*word).to_owned()).collect();
            in_element(&content, words, true)
        }
    }
}

/// A structure with a field that has the name of a property with keywords, but is none.
fn structure(style: &Style, random: &mut dyn RngCore) -> String {
    let rdf = &style.rdf;
    let field = "<dc:subject xmlns:dc='http://purl.org/dc/elements/1.1/'>field</dc:subject>";
    let name = "m:History";
    let namespace = "xmlns:m='http://ns.example.com/history/'";
    let item = match random.random_range(0..3) {
        0 => format!("<{rdf}:li {rdf}:parseType='Resource'>{field}</{rdf}:li>"),
        1 => format!("<{rdf}:li><{rdf}:Description>{field}</{rdf}:Description></{rdf}:li>"),
        _ => format!("<{rdf}:li xml:lang='x-default'>Happy</{rdf}:li>"),
    };
    format!("<{name} {namespace}><{rdf}:Seq>{item}</{rdf}:Seq></{name}>")
}

/// Distributes the parts over descriptions, and wraps these.
fn document(style: &Style, parts: Vec<(String, String)>, random: &mut dyn RngCore) -> String {
    let (rdf, blank) = (&style.rdf, style.blank);
    let count = random.random_range(1..4);
    let mut descriptions = vec![(String::new(), String::new()); count];
    for (attribute, element) in parts {
        let (attributes, elements) = &mut descriptions[random.random_range(0..count)];
        match attribute.split_once("' ") {
            // A prefix that is declared twice in one tag would not be well-formed.
            Some((declared, rest)) if attributes.contains(declared) => {
                let _ = write!(*attributes, " {rest}");
            }
            _ => *attributes += &attribute,
        }
        if !element.is_empty() {
            let _ = write!(*elements, "{blank}{element}");
        }
    }
    let mut body = String::new();
    for (attributes, elements) in descriptions {
        body += blank;
        if random.random_bool(0.2) {
            body += "<!-- a comment --><?app data?>";
        }
        let _ = write!(body, "<{rdf}:Description {rdf}:about=\"\"{attributes}");
        if elements.is_empty() && random.random_bool(0.7) {
            body += "/>";
        } else {
            let _ = write!(body, ">{elements}{blank}</{rdf}:Description>");
        }
    }
    let mut outer = String::new();
    for (namespace, prefix) in &style.outer {
        let _ = write!(outer, " xmlns:{prefix}=\"{namespace}\"");
    }
    let mut declared = format!(" xmlns:{rdf}=\"{RDF}\"");
    let meta = ["x", "x1", ""].choose(random).unwrap();
    let mut text = String::new();
    if random.random_bool(0.5) {
        text += "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n";
    }
    if meta.is_empty() {
        declared += &outer;
        outer.clear();
    } else if random.random_bool(0.5) {
        outer += &std::mem::take(&mut declared);
    }
    let inner = format!("<{rdf}:RDF{declared}>{body}{blank}</{rdf}:RDF>");
    if meta.is_empty() {
        text += &inner;
    } else {
        let _ = write!(
            text,
            "<{meta}:xmpmeta xmlns:{meta}=\"adobe:ns:meta/\"{outer}>{inner}</{meta}:xmpmeta>"
        );
    }
    if text.starts_with("<?xpacket") {
        text += &" ".repeat(random.random_range(0..300));
        text += "\n<?xpacket end=\"w\"?>";
    }
    text
}

fn encode(text: &str, random: &mut dyn RngCore) -> Vec<u8> {
    let marked = || "\u{feff}".encode_utf16().chain(text.encode_utf16());
    match random.random_range(0..5) {
        0 => format!("\u{feff}{text}").into_bytes(),
        1 => marked().flat_map(u16::to_le_bytes).collect(),
        2 => marked().flat_map(u16::to_be_bytes).collect(),
        3 if !text.starts_with("<?xpacket") => {
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}").into_bytes()
        }
        _ => text.as_bytes().to_vec(),
    }
}
