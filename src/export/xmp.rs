//! Writes emotions as keywords into XMP sidecars, in the form that digiKam and Lightroom read: flat in `dc:subject`
//! (`Happy`), hierarchical in `lr:hierarchicalSubject` (`Emotion|Happy`) and `digiKam:TagsList` (`Emotion/Happy`).
//! Everything else in a sidecar is kept.

mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use crate::emotion::{Emotion, EmotionSet};
use crate::error::{Error, Result};
use crate::imaging::embedded_xmp;
use crate::output;
use crate::sidecar;
use tree::{Element, Node};

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// A property with keywords: its namespace, usual prefix, name, kind of list, and the separator of the levels of a
/// keyword. `None` if keywords consist of the last level only.
struct Property {
    namespace: &'static str,
    prefix: &'static str,
    name: &'static str,
    list: &'static str,
    separator: Option<char>,
}

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

/// How new sidecars are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// `photo.jpg.xmp`, as digiKam and darktable do.
    #[default]
    Full,
    /// `photo.xmp`, as Lightroom does.
    Stem,
}

/// The path of the sidecar of a photo: of an existing one in either naming, otherwise of a new one.
pub fn sidecar(photo: &Path, naming: Naming) -> PathBuf {
    let [full, stem] = sidecar::paths(photo);
    let (first, second) = match naming {
        Naming::Full => (full, stem),
        Naming::Stem => (stem, full),
    };
    if !first.exists() && second.exists() {
        second
    } else {
        first
    }
}

/// Makes these emotions, and no others, keywords of the sidecar `path` of a photo, and returns whether that changes it.
/// A new sidecar begins as a copy of the photo's own XMP packet, because programs that find a sidecar do not read the
/// packet: its keywords, rating and title would be lost to them. With `dry` nothing is written.
///
/// # Errors
/// If the sidecar cannot be read or written, is a symbolic link or is not XMP. It is unchanged then. Also if a new one
/// is needed and the photo cannot be read.
pub fn write_sidecar(path: &Path, photo: &Path, emotions: EmotionSet, dry: bool) -> Result<bool> {
    let before = match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(source) => {
            return Err(Error::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    if before.is_none() && emotions.is_empty() {
        return Ok(false);
    }
    let after = match &before {
        None if dry => return Ok(true),
        None => first(photo, emotions)?,
        Some(before) => match with_emotions(before, emotions) {
            Ok(Some(after)) => after,
            Ok(None) => return Ok(false),
            Err(problem) => return Err(Error::Usage(format!("{} {problem}", path.display()))),
        },
    };
    if !dry {
        let before = before.as_deref().map(str::as_bytes);
        output::edit(path, before, after.as_bytes())?;
    }
    Ok(true)
}

/// The content of a new sidecar: the photo's own packet with the emotions.
fn first(photo: &Path, emotions: EmotionSet) -> Result<String> {
    let bytes = fs::read(photo).map_err(|source| Error::Io {
        path: photo.to_owned(),
        source,
    })?;
    let packet = embedded_xmp(&bytes).unwrap_or_default();
    // A packet that is damaged has nothing that a program could read.
    let with = match with_emotions(&packet, emotions) {
        Ok(None) => Ok(Some(packet)),
        Ok(with) => Ok(with),
        Err(_) => with_emotions(EMPTY, emotions),
    };
    // The template is whole, and lacks the emotions.
    Ok(with.ok().flatten().unwrap_or_else(|| EMPTY.to_owned()))
}

/// The last level of a keyword, such as "Happy".
fn title(emotion: Emotion) -> String {
    let (first, rest) = emotion.name().split_at(1);
    first.to_uppercase() + rest
}

/// The packet with these emotions as keywords; `None` if nothing changes.
fn with_emotions(packet: &str, emotions: EmotionSet) -> Result<Option<String>, String> {
    let mut document = tree::parse(packet)?;
    let rdf = tree::find(&mut document, &|element, scope| {
        element.is(scope, RDF, "RDF")
    })
    .ok_or("is not XMP: it has no rdf:RDF")?;
    // A flat keyword is from fer-index only if the hierarchical one is there too: the user may use "Happy" as well.
    let exported: EmotionSet = Emotion::ALL
        .into_iter()
        .filter(|emotion| {
            PROPERTIES.iter().any(|property| {
                let Some(separator) = property.separator else {
                    return false;
                };
                let keyword = format!("Emotion{separator}{}", title(*emotion));
                property_items(rdf, property).contains(&keyword)
            })
        })
        .collect();
    let mut changed = false;
    for property in &PROPERTIES {
        changed |= update(rdf, property, exported, emotions);
    }
    Ok(changed.then(|| tree::write(&document)))
}

/// The items of a property in all descriptions.
fn property_items(rdf: &mut Element, property: &Property) -> Vec<String> {
    let mut items = Vec::new();
    tree::each(rdf, &mut |element, scope| {
        if element.is(scope, property.namespace, property.name) {
            items.extend(element.items(scope));
        }
    });
    items
}

fn update(rdf: &mut Element, property: &Property, exported: EmotionSet, now: EmotionSet) -> bool {
    let keyword = |emotion| match property.separator {
        Some(separator) => format!("Emotion{separator}{}", title(emotion)),
        None => title(emotion),
    };
    let present = property_items(rdf, property);
    let stale: Vec<String> = exported
        .iter()
        .filter(|emotion| !now.contains(*emotion))
        .map(keyword)
        .filter(|keyword| present.contains(keyword))
        .collect();
    let missing: Vec<String> = now
        .iter()
        .map(keyword)
        .filter(|keyword| !present.contains(keyword))
        .collect();
    if stale.is_empty() && missing.is_empty() {
        return false;
    }
    let rdf_prefix = rdf.prefix();
    let mut added = missing.is_empty();
    tree::each(rdf, &mut |element, scope| {
        if element.is(scope, property.namespace, property.name) {
            element.remove_items(scope, &stale);
            if !added {
                added = element.add_items(&rdf_prefix, &missing);
            }
        }
    });
    if !added {
        rdf.children
            .push(Node::Element(description(property, &rdf_prefix, &missing)));
    }
    true
}

/// A description with one property.
fn description(property: &Property, rdf: &str, items: &[String]) -> Element {
    let name = |prefix: &str, local: &str| {
        if prefix.is_empty() {
            local.to_owned()
        } else {
            format!("{prefix}:{local}")
        }
    };
    let mut list = Element::new(&name(rdf, property.list));
    for item in items {
        list.push_text_element(&name(rdf, "li"), item);
    }
    let mut value = Element::new(&name(property.prefix, property.name));
    value.children.push(Node::Element(list));
    let mut description = Element::new(&name(rdf, "Description"));
    description
        .attributes
        .push((name(rdf, "about"), String::new()));
    description.attributes.push((
        format!("xmlns:{}", property.prefix),
        property.namespace.to_owned(),
    ));
    description.children.push(Node::Element(value));
    description
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(emotions: &[Emotion]) -> EmotionSet {
        emotions.iter().copied().collect()
    }

    const HAPPY: &[Emotion] = &[Emotion::Happy];

    #[test]
    fn a_new_sidecar_has_all_three_conventions() {
        let packet = with_emotions(EMPTY, set(HAPPY)).unwrap().unwrap();
        for part in [
            "<dc:subject><rdf:Bag><rdf:li>Happy</rdf:li></rdf:Bag></dc:subject>",
            "<lr:hierarchicalSubject><rdf:Bag><rdf:li>Emotion|Happy</rdf:li>",
            "<digiKam:TagsList><rdf:Seq><rdf:li>Emotion/Happy</rdf:li>",
        ] {
            assert!(packet.contains(part), "{packet}");
        }
        assert_eq!(
            with_emotions(&packet, set(HAPPY)),
            Ok(None),
            "a second run changes nothing"
        );
    }

    const FOREIGN: &str = r#"<?xml version="1.0"?><!-- kept --><x:xmpmeta xmlns:x='adobe:ns:meta/'>
 <r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <r:Description r:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5" xmlns:d="http://purl.org/dc/elements/1.1/">
   <d:subject>
    <r:Bag>
     <r:li>Sun &amp; sand</r:li>
     <r:li>Happy</r:li>
    </r:Bag>
   </d:subject>
   <unknown xmlns="urn:x"><![CDATA[<raw>]]></unknown>
  </r:Description>
 </r:RDF>
</x:xmpmeta>"#;

    #[test]
    fn everything_else_in_a_sidecar_is_kept() {
        let packet = with_emotions(FOREIGN, set(&[Emotion::Sad]))
            .unwrap()
            .unwrap();
        for part in [
            "<!-- kept -->",
            "xmp:Rating=\"5\"",
            "<r:li>Sun &amp; sand</r:li>",
            "<![CDATA[<raw>]]>",
            "<r:li>Sad</r:li></r:Bag>",
            "<r:li>Emotion|Sad</r:li>",
            // The user's own keyword.
            "<r:li>Happy</r:li>",
        ] {
            assert!(packet.contains(part), "{part} in {packet}");
        }
        assert_eq!(packet.matches("d:subject").count(), 2, "{packet}");
    }

    #[test]
    fn keywords_that_no_longer_apply_are_removed() {
        let both = with_emotions(FOREIGN, set(&[Emotion::Sad, Emotion::Fear]))
            .unwrap()
            .unwrap();
        let one = with_emotions(&both, set(&[Emotion::Fear]))
            .unwrap()
            .unwrap();
        assert!(
            !one.contains("Sad") && one.contains("Emotion/Fear"),
            "{one}"
        );
        let none = with_emotions(&one, EmotionSet::EMPTY).unwrap().unwrap();
        assert!(
            !none.contains("Fear") && none.contains("Sun &amp; sand"),
            "{none}"
        );
    }

    #[test]
    fn text_that_is_not_xmp_is_refused() {
        for text in [
            "",
            "hello",
            "<a></b>",
            "<a/>",
            "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">",
        ] {
            assert!(with_emotions(text, set(HAPPY)).is_err(), "{text}");
        }
    }

    #[test]
    fn an_existing_sidecar_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::write(&photo, "no picture").unwrap();
        let [full, stem] = ["a.jpg.xmp", "a.xmp"].map(|name| folder.path().join(name));
        assert_eq!(sidecar(&photo, Naming::Full), full);
        assert_eq!(sidecar(&photo, Naming::Stem), stem);
        assert!(!write_sidecar(&stem, &photo, EmotionSet::EMPTY, false).unwrap());
        assert!(write_sidecar(&stem, &photo, set(HAPPY), true).unwrap() && !stem.exists());
        assert!(write_sidecar(&stem, &photo, set(HAPPY), false).unwrap() && stem.exists());
        assert_eq!(sidecar(&photo, Naming::Full), stem);
        assert!(!write_sidecar(&stem, &photo, set(HAPPY), false).unwrap());
    }
}
