//! The photo that a sidecar names.

use std::ffi::OsStr;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::file::read_bytes;

/// Size limit of a sidecar in bytes; larger ones name no photo.
const MAX_BYTES: u64 = 4 << 20;

/// A property that names the photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Property {
    /// `photoshop:SidecarForExtension`, written by Camera Raw and Lightroom: an extension.
    Extension,
    /// `crs:RawFileName`: the name at the time of writing, which a rename of both files does not change.
    RawFileName,
    /// `xmpMM:PreservedFileName` or, as darktable writes it, `xmpMM:DerivedFrom`: a name; of a photo with another stem
    /// it names what the photo was made from.
    Name,
}

impl Property {
    fn of(local_name: &str) -> Option<Self> {
        match local_name {
            "SidecarForExtension" => Some(Self::Extension),
            "RawFileName" => Some(Self::RawFileName),
            "PreservedFileName" | "DerivedFrom" => Some(Self::Name),
            _ => None,
        }
    }

    /// The extension of the photo by the value of this property, for a sidecar of this stem.
    fn extension(self, value: &str, stem: &OsStr) -> Option<String> {
        let value = value.trim();
        let path = Path::new(value.rsplit(['/', '\\']).next()?);
        let is_right = match self {
            Self::Extension => return Some(value.trim_start_matches('.').to_owned()),
            Self::RawFileName => true,
            Self::Name => path.file_stem() == Some(stem),
        };
        let extension = path.extension()?.to_str()?;
        is_right.then(|| extension.to_owned())
    }
}

/// The extension of the photo that a sidecar of this stem names.
pub(super) fn extension(sidecar: &Path, stem: &OsStr) -> Option<String> {
    let bytes = read_bytes(sidecar, MAX_BYTES).ok()?;
    named(&String::from_utf8_lossy(&bytes), stem)
}

/// The extension of the photo that a packet names, by the property that counts first.
fn named(packet: &str, stem: &OsStr) -> Option<String> {
    let mut reader = Reader::from_str(packet);
    let mut found: Vec<(Property, String)> = Vec::new();
    let mut inside = None;
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                inside = Property::of(tag.local_name().as_ref());
                for attribute in tag.attributes().flatten() {
                    if let Some(property) = Property::of(attribute.key.local_name().as_ref()) {
                        found.push((property, attribute.value.into_owned()));
                    }
                }
            }
            Event::Text(text) => {
                found.extend(inside.map(|property| (property, text.to_string())));
            }
            Event::End(_) => inside = None,
            _ => {}
        }
    }
    found.sort_by_key(|(property, _)| *property);
    found
        .iter()
        .find_map(|(property, value)| property.extension(value, stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_photo_is_named_as_programs_do() {
        for (packet, expected) in [
            ("<d photoshop:SidecarForExtension='NEF'/>", Some("NEF")),
            (
                "<d><p:SidecarForExtension>CR2</p:SidecarForExtension></d>",
                Some("CR2"),
            ),
            ("<d crs:RawFileName='before.ARW'/>", Some("ARW")),
            ("<d xmpMM:DerivedFrom='a.raf'/>", Some("raf")),
            ("<d xmpMM:DerivedFrom='other.raf'/>", None),
            (
                "<d xmpMM:PreservedFileName='C:\\photos\\a.DNG'/>",
                Some("DNG"),
            ),
            (
                "<d xmpMM:DerivedFrom='a.jpg' photoshop:SidecarForExtension='NEF'/>",
                Some("NEF"),
            ),
            ("<d dc:subject='a.NEF'/>", None),
            ("<d", None),
        ] {
            let found = named(packet, OsStr::new("a"));
            assert_eq!(found.as_deref(), expected, "{packet}");
        }
    }
}
