//! New sidecars begin as a copy of what the photo's metadata state, and list what was copied: while nobody has changed that, it
//! counts as stated by the photo only, and the next export copies it again.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::document::{self, Element};
use super::encoding::Text;
use super::own::OwnMetadata;
use super::packet::{Packet, RDF, is_about};
use super::{EMPTY, with_emotions};
use crate::emotion::EmotionSet;
use crate::error::{Error, Result};
use crate::imaging::{self, Limits};
use crate::sidecar::{COPIED_PROPERTY, CopiedProperties, ExportedKeywords, NAMESPACE, PREFIX};
use crate::xmp;

/// Bytes at the start of a photo that usually contain its XMP packet: that follows at most a segment with EXIF.
const HEAD_BYTES: u64 = 160 << 10;

/// Bytes at the start of a photo in which its metadata are looked for where the whole file is not worth reading.
const METADATA_BYTES: u64 = 1 << 20;

/// The content of a new sidecar: what the photo's metadata state, with the emotions, and the list of what was copied.
///
/// # Errors
/// If the photo cannot be read, or its packet cannot be copied with new keywords.
pub(super) fn new_sidecar(photo: &Path, emotions: EmotionSet) -> Result<Vec<u8>> {
    let Some(own) = OwnMetadata::of(&read(photo)?) else {
        return packet_with_emotions(EMPTY, emotions, photo);
    };
    let copy = packet_with_emotions(&own.packet, emotions, photo)?;
    with_copied_list(copy).map_err(|reason| copy_error(photo, &reason))
}

/// Whether the metadata at the start of a photo have keywords.
pub(super) fn has_keywords(photo: &Path) -> bool {
    let facts = head(photo, METADATA_BYTES).map(|head| imaging::facts(&head, &Limits::default()));
    facts.is_some_and(|facts| facts.is_ok_and(|facts| !facts.statements.keywords.is_empty()))
}

/// The replacement of a sidecar.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Replacement {
    /// A new copy of the photo's packet, with the emotions.
    NewCopy(Vec<u8>),
    /// The sidecar is removed: it has no emotion, and only what the photo states itself.
    Removal,
}

/// The replacement of a sidecar that is only a copy of the photo's packet with our keywords. `None` if it has more than
/// that, if the copy is current, or if the photo has lost its packet, so that the sidecar may be the last copy.
///
/// Sidecars of earlier versions do not list what was copied; they are recognised while the photo has the same packet.
pub(super) fn replacement(
    before: &[u8],
    photo: &Path,
    emotions: EmotionSet,
) -> Option<Replacement> {
    let (packet, None) = xmp::Packet::parse(before) else {
        return None;
    };
    let bare = |file: &[u8]| match with_emotions(file, EmotionSet::EMPTY, &|| false) {
        Ok(Some(bare)) => Some(bare),
        Ok(None) => Some(file.to_vec()),
        Err(_) => None,
    };
    // Earlier versions copied only the packet.
    let has_more = || {
        let own = head(photo, METADATA_BYTES).and_then(|head| OwnMetadata::of(&head));
        own.is_some_and(|own| own.has_more_than_packet)
    };
    let Some(copied) = CopiedProperties::from_list(&packet) else {
        let is_candidate = !ExportedKeywords::of(&packet).is_empty() && !emotions.is_empty();
        let is_copy = is_candidate
            && bare(before).is_some_and(|bare| {
                if bare == EMPTY.as_bytes() {
                    has_more()
                } else {
                    is_in_head(&bare, photo)
                }
            });
        return is_copy
            .then(|| new_sidecar(photo, emotions).ok())?
            .map(Replacement::NewCopy);
    };
    if copied != CopiedProperties::of(&packet) {
        return None;
    }
    // Checked first, so that most photos need not be read completely.
    let bare = without_list(before).and_then(|file| bare(&file))?;
    if is_in_head(&bare, photo) && !emotions.is_empty() && !has_more() {
        return None;
    }
    let own = OwnMetadata::of(&read(photo).ok()?)?;
    if !own.has_packet {
        // The packet may have been lost, and the sidecar its last copy.
        let (copy, _) = xmp::Packet::parse(&bare);
        let (now, _) = xmp::Packet::parse(own.packet.as_bytes());
        let mut fields = copy.root.fields.iter();
        if fields.any(|field| now.get(&field.namespace, &field.name).is_none()) {
            return None;
        }
    }
    if emotions.is_empty() {
        return Some(Replacement::Removal);
    }
    new_sidecar(photo, emotions).ok().map(Replacement::NewCopy)
}

fn read(photo: &Path) -> Result<Vec<u8>> {
    std::fs::read(photo).map_err(|source| Error::Io {
        path: photo.to_owned(),
        source,
    })
}

/// The first bytes of a photo; `None` if it cannot be read.
fn head(photo: &Path, bytes: u64) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let read = File::open(photo).and_then(|file| file.take(bytes).read_to_end(&mut head));
    read.ok().map(|_| head)
}

/// Whether these bytes are in the first part of a photo.
fn is_in_head(bytes: &[u8], photo: &Path) -> bool {
    let head = head(photo, HEAD_BYTES).unwrap_or_default();
    !bytes.is_empty() && memchr::memmem::find(&head, bytes).is_some()
}

fn packet_with_emotions(packet: &str, emotions: EmotionSet, photo: &Path) -> Result<Vec<u8>> {
    match with_emotions(packet.as_bytes(), emotions, &|| false) {
        Ok(with) => Ok(with.unwrap_or_else(|| packet.as_bytes().to_vec())),
        Err(reason) => Err(copy_error(photo, &reason)),
    }
}

fn copy_error(photo: &Path, reason: &str) -> Error {
    Error::Usage(format!(
        "{} gets no sidecar, since the XMP in it cannot be copied with new keywords: {reason}",
        photo.display()
    ))
}

/// A copy with the list of what was copied, in a separate description without elements, so that no keyword is ever
/// written into it.
fn with_copied_list(copy: Vec<u8>) -> Result<Vec<u8>, String> {
    let (before, _) = xmp::Packet::parse(&copy);
    let copied = CopiedProperties::of(&before);
    if copied.is_empty() {
        return Ok(copy);
    }
    let text = Text::decode(&copy)?;
    let document = document::parse(&text.content)?;
    let packet = Packet::of(&document.root)?;
    let attributes = format!(
        "xmlns:{PREFIX}=\"{NAMESPACE}\" {PREFIX}:{COPIED_PROPERTY}=\"{}\"",
        copied.to_text()
    );
    let Some(with) = with_description(&text.content, &packet, &attributes, "") else {
        return Ok(copy);
    };
    let with = text.encode(&with);
    let (mut after, damage) = xmp::Packet::parse(&with);
    let is_as_intended =
        damage.is_none() && CopiedProperties::from_list(&after).as_ref() == Some(&copied);
    after
        .root
        .fields
        .retain(|field| field.name != COPIED_PROPERTY);
    let mut rest = before.root.fields;
    rest.retain(|field| field.name != COPIED_PROPERTY);
    if is_as_intended && after.root.fields == rest && document::parse(&text_of(&with)?).is_ok() {
        Ok(with)
    } else {
        Err("the list of what is copied would damage it".to_owned())
    }
}

/// A text with one more description of its resource, after the others. `None` if its `rdf:RDF` is only a start tag.
pub(super) fn with_description(
    text: &str,
    packet: &Packet<'_>,
    attributes: &str,
    content: &str,
) -> Option<String> {
    let last = packet.descriptions.last();
    let about = last.and_then(|last| last.attributes.iter().find(|found| is_about(found)));
    let about = about.map_or("", |about| &about.raw);
    let quote = if about.contains('"') { '\'' } else { '"' };
    let blank = last.map_or("\n", |last| {
        &text[packet.rdf.start_with_blank(last)..last.open.start]
    });
    let place = match (last, &packet.rdf.close) {
        (Some(last), _) => last.span().end,
        (None, Some(_)) => packet.rdf.open.end,
        (None, None) => return None,
    };
    let start = format!(
        "{blank}<rdf:Description xmlns:rdf=\"{RDF}\" rdf:about={quote}{about}{quote} {attributes}"
    );
    let description = if content.is_empty() {
        format!("{start}/>")
    } else {
        format!("{start}>{content}</rdf:Description>")
    };
    let (before, after) = text.split_at(place);
    Some([before, &description, after].concat())
}

fn text_of(file: &[u8]) -> Result<String, String> {
    Text::decode(file).map(|text| text.content)
}

/// A sidecar without the description that [`with_copied_list`] has added.
fn without_list(file: &[u8]) -> Option<Vec<u8>> {
    let text = Text::decode(file).ok()?;
    let document = document::parse(&text.content).ok()?;
    let packet = Packet::of(&document.root).ok()?;
    let is_list = |description: &&&Element| {
        let mut attributes = description.attributes.iter();
        description.close.is_none()
            && attributes.any(|found| found.name.is(NAMESPACE, COPIED_PROPERTY))
    };
    let list = packet.descriptions.iter().find(is_list)?;
    let (start, _) = text.content.split_at(packet.rdf.start_with_blank(list));
    let (_, end) = text.content.split_at(list.span().end);
    Some(text.encode(&[start, end].concat()))
}
