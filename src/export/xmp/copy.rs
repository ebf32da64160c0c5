//! New sidecars begin as a copy of the XMP in the photo, and list what was copied: while nobody has changed that, it
//! counts as stated by the photo only, and the next export copies it again.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::document::{self, Element};
use super::encoding::Text;
use super::packet::{Packet, RDF, is_about};
use super::{EMPTY, with_emotions};
use crate::emotion::EmotionSet;
use crate::error::{Error, Result};
use crate::imaging::embedded_xmp;
use crate::sidecar::{COPIED_PROPERTY, CopiedProperties, ExportedKeywords, NAMESPACE, PREFIX};
use crate::xmp;

/// Bytes at the start of a photo that usually contain its XMP packet: that follows at most a segment with EXIF.
const HEAD_BYTES: u64 = 160 << 10;

/// The content of a new sidecar: the photo's own packet with the emotions, and the list of what was copied.
///
/// # Errors
/// If the photo cannot be read, or its packet cannot be copied with new keywords.
pub(super) fn new_sidecar(photo: &Path, emotions: EmotionSet) -> Result<Vec<u8>> {
    let Some(packet) = embedded_packet(photo)? else {
        return packet_with_emotions(EMPTY, emotions, photo);
    };
    let copy = packet_with_emotions(&packet, emotions, photo)?;
    with_copied_list(copy).map_err(|reason| copy_error(photo, &reason))
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
    let bare = |file: &[u8]| match with_emotions(file, EmotionSet::EMPTY) {
        Ok(Some(bare)) => Some(bare),
        Ok(None) => Some(file.to_vec()),
        Err(_) => None,
    };
    let Some(copied) = CopiedProperties::from_list(&packet) else {
        let is_candidate = !ExportedKeywords::of(&packet).is_empty() && !emotions.is_empty();
        let is_copy = is_candidate && bare(before).is_some_and(|bare| is_in_head(&bare, photo));
        return is_copy
            .then(|| new_sidecar(photo, emotions).ok())?
            .map(Replacement::NewCopy);
    };
    if copied != CopiedProperties::of(&packet) {
        return None;
    }
    // Checked first, so that most photos need not be read completely.
    let is_current = without_list(before)
        .and_then(|file| bare(&file))
        .is_some_and(|bare| is_in_head(&bare, photo));
    if is_current && !emotions.is_empty() {
        return None;
    }
    embedded_packet(photo).ok()??;
    if emotions.is_empty() {
        return Some(Replacement::Removal);
    }
    new_sidecar(photo, emotions).ok().map(Replacement::NewCopy)
}

/// The packet in a photo; `None` also if the photo is damaged, since no program can read its packet then.
fn embedded_packet(photo: &Path) -> Result<Option<String>> {
    let bytes = std::fs::read(photo).map_err(|source| Error::Io {
        path: photo.to_owned(),
        source,
    })?;
    Ok(embedded_xmp(&bytes).filter(|packet| {
        let text = Text::decode(packet.as_bytes());
        text.is_ok_and(|text| document::parse(&text.content).is_ok())
    }))
}

/// Whether these bytes are in the first part of a photo.
fn is_in_head(bytes: &[u8], photo: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(photo).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    read.is_ok() && !bytes.is_empty() && memchr::memmem::find(&head, bytes).is_some()
}

fn packet_with_emotions(packet: &str, emotions: EmotionSet, photo: &Path) -> Result<Vec<u8>> {
    match with_emotions(packet.as_bytes(), emotions) {
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
    let Some(last) = packet.descriptions.last() else {
        return Ok(copy);
    };
    let about = last.attributes.iter().find(|found| is_about(found));
    let about = about.map_or("", |about| &about.raw);
    let quote = if about.contains('"') { '\'' } else { '"' };
    let blank = &text.content[packet.rdf.start_with_blank(last)..last.open.start];
    let place = last.span().end;
    let description = format!(
        "{blank}<rdf:Description xmlns:rdf=\"{RDF}\" rdf:about={quote}{about}{quote} \
         xmlns:{PREFIX}=\"{NAMESPACE}\" {PREFIX}:{COPIED_PROPERTY}=\"{}\"/>",
        copied.to_text()
    );
    let (start, end) = text.content.split_at(place);
    let with = text.encode(&[start, &description, end].concat());
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
