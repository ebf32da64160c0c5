//! What the metadata of a photo state for programs that take its sidecar instead: its XMP packet, and of its IPTC and EXIF
//! what that does not have.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::copy::with_description;
use super::document;
use super::edit::{Change, edit};
use super::encoding::Text;
use super::packet::Packet;
use super::{EMPTY, FLAT, PROPERTIES};
use crate::facts::{Block, Stated, Statements};
use crate::imaging::{self, Limits, embedded_xmp};
use crate::xmp;
use crate::xmp::namespace::{DC, XMP};

/// The metadata of a photo, as a packet.
pub(super) struct OwnMetadata {
    /// The packet that a new sidecar begins with.
    pub packet: String,
    /// Whether the photo has one.
    pub has_packet: bool,
    /// Whether the photo's IPTC or EXIF have something that its own packet does not have.
    pub has_more_than_packet: bool,
}

impl OwnMetadata {
    /// The metadata of a photo with these bytes; `None` if it has none that a sidecar would hide. Of a damaged packet no
    /// program reads anything.
    pub fn of(photo: &[u8]) -> Option<Self> {
        let own = embedded_xmp(photo).filter(|packet| {
            let text = Text::decode(packet.as_bytes());
            text.is_ok_and(|text| document::parse(&text.content).is_ok())
        });
        let facts = imaging::facts(photo, &Limits::default());
        let statements = facts.map(|facts| facts.statements).unwrap_or_default();
        let before = own.as_deref().unwrap_or(EMPTY);
        let with = with_statements(before, &statements);
        let has_more_than_packet = with.as_deref().is_some_and(|with| with != before);
        (own.is_some() || has_more_than_packet).then(|| Self {
            has_packet: own.is_some(),
            packet: with.unwrap_or_else(|| before.to_owned()),
            has_more_than_packet,
        })
    }
}

/// A packet with the keywords, the title, the description and the rating that it does not have. As the Metadata Working
/// Group recommends, they become `dc:subject`, `dc:title`, `dc:description` and `xmp:Rating`. `None` if it cannot be
/// changed; what changes it further says why.
fn with_statements(packet: &str, statements: &Statements) -> Option<String> {
    let (parsed, _) = xmp::Packet::parse(packet.as_bytes());
    let text = |name: &str, value: Option<&String>| {
        let value = value.filter(|_| parsed.get(DC, name).is_none())?;
        let value = escape(value.as_str());
        Some(format!(
            "<dc:{name}><rdf:Alt><rdf:li xml:lang=\"x-default\">{value}</rdf:li></rdf:Alt></dc:{name}>"
        ))
    };
    let title = first_of(
        &statements.titles,
        &[Block::Iptc, Block::Windows, Block::Png],
    );
    let description = first_of(
        &statements.descriptions,
        &[
            Block::Exif,
            Block::Iptc,
            Block::Windows,
            Block::Comment,
            Block::Jpeg,
            Block::Png,
        ],
    );
    let content: String = [text("title", title), text("description", description)]
        .into_iter()
        .flatten()
        .collect();
    let rating = first_of(&statements.ratings, &[Block::Windows]);
    let rating = rating.filter(|_| parsed.get(XMP, "Rating").is_none());
    let mut attributes = String::new();
    if let Some(rating) = rating {
        let _ = write!(attributes, "xmlns:xmp=\"{XMP}/\" xmp:Rating=\"{rating}\"");
    }
    if !content.is_empty() {
        let blank = if attributes.is_empty() { "" } else { " " };
        let _ = write!(attributes, "{blank}xmlns:dc=\"{DC}/\"");
    }
    let mut with = packet.to_owned();
    if !attributes.is_empty() {
        let document = document::parse(packet).ok()?;
        let parsed = Packet::of(&document.root).ok()?;
        with = with_description(packet, &parsed, &attributes, &content)?;
    }
    with_keywords(with, statements)
}

/// A packet with the keywords that only other parts of the photo have, in its flat list.
fn with_keywords(packet: String, statements: &Statements) -> Option<String> {
    let (parsed, _) = xmp::Packet::parse(packet.as_bytes());
    let in_packet = crate::facts::of_xmp(&parsed).keywords;
    let known: BTreeSet<&str> = in_packet
        .iter()
        .flat_map(|keyword| {
            let last = keyword.value.rsplit('|').next();
            [Some(keyword.value.as_str()), last]
        })
        .flatten()
        .collect();
    let others = statements
        .keywords
        .iter()
        .filter(|keyword| keyword.by != Block::Xmp && !known.contains(keyword.value.as_str()));
    let missing: Vec<String> = others.map(|keyword| keyword.value.clone()).collect();
    if missing.is_empty() {
        return Some(packet);
    }
    let document = document::parse(&packet).ok()?;
    let parsed = Packet::of(&document.root).ok()?;
    let mut changes: [Change; PROPERTIES.len()] = std::array::from_fn(|_| Change::default());
    changes[FLAT].missing = missing;
    Some(edit(&packet, &parsed, &changes))
}

/// The value that the first of these blocks states.
fn first_of<'a, T>(stated: &'a [Stated<T>], blocks: &[Block]) -> Option<&'a T> {
    let by = |block: &Block| stated.iter().find(|stated| stated.by == *block);
    blocks.iter().find_map(by).map(|stated| &stated.value)
}
