//! Reads which photo is named in a sidecar.

use std::ffi::OsStr;
use std::path::Path;

use crate::file::read_bytes;
use crate::xmp::Packet;
use crate::xmp::namespace::PHOTOSHOP;

/// Size limit of a sidecar in bytes; larger ones name no photo.
const MAX_BYTES: u64 = 4 << 20;

/// How a property names the photo.
#[derive(Debug, Clone, Copy)]
enum Property {
    /// By its extension.
    Extension,
    /// By its name at the time of writing, which a rename of both files does not change.
    OldName,
    /// By its name; a name with another stem is that of the photo's source.
    Name,
}

/// The properties that name the photo, in the order in which they count.
const PROPERTIES: [(&str, &str, Property); 4] = [
    // Camera Raw and Lightroom.
    (PHOTOSHOP, "SidecarForExtension", Property::Extension),
    (CAMERA_RAW, "RawFileName", Property::OldName),
    (MEDIA, "PreservedFileName", Property::Name),
    // darktable.
    (MEDIA, "DerivedFrom", Property::Name),
];

const CAMERA_RAW: &str = "http://ns.adobe.com/camera-raw-settings/1.0";
const MEDIA: &str = "http://ns.adobe.com/xap/1.0/mm";

impl Property {
    /// The extension of the photo by the value of this property, for a sidecar of this stem.
    fn extension(self, value: &str, stem: &OsStr) -> Option<String> {
        let value = value.trim();
        let path = Path::new(value.rsplit(['/', '\\']).next()?);
        let is_right = match self {
            Self::Extension => return Some(value.trim_start_matches('.').to_owned()),
            Self::OldName => true,
            Self::Name => path.file_stem() == Some(stem),
        };
        let extension = path.extension()?.to_str()?;
        is_right.then(|| extension.to_owned())
    }
}

/// The extension of the photo that a sidecar of this stem names.
pub(super) fn extension(sidecar: &Path, stem: &OsStr) -> Option<String> {
    named(&read_bytes(sidecar, MAX_BYTES).ok()?, stem)
}

/// The extension of the photo that a packet names, by the property that counts first.
fn named(packet: &[u8], stem: &OsStr) -> Option<String> {
    let (packet, _) = Packet::parse(packet);
    PROPERTIES.iter().find_map(|(namespace, name, property)| {
        let value = packet.text(namespace, name)?;
        property.extension(value, stem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_photo_is_named_as_programs_do() {
        for (description, expected) in [
            ("photoshop:SidecarForExtension='NEF'>", Some("NEF")),
            (
                "><photoshop:SidecarForExtension>CR2</photoshop:SidecarForExtension>",
                Some("CR2"),
            ),
            ("crs:RawFileName='before.ARW'>", Some("ARW")),
            ("xmpMM:DerivedFrom='a.raf'>", Some("raf")),
            ("xmpMM:DerivedFrom='other.raf'>", None),
            ("xmpMM:PreservedFileName='C:\\photos\\a.DNG'>", Some("DNG")),
            (
                "xmpMM:DerivedFrom='a.jpg' photoshop:SidecarForExtension='NEF'>",
                Some("NEF"),
            ),
            ("photoshop:Source='a.NEF'>", None),
        ] {
            let packet = format!(
                "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:xmpMM='{MEDIA}/' \
                 xmlns:photoshop='{PHOTOSHOP}/' xmlns:crs='{CAMERA_RAW}/'><rdf:Description {description}\
                 </rdf:Description></rdf:RDF>"
            );
            let found = named(packet.as_bytes(), OsStr::new("a"));
            assert_eq!(found.as_deref(), expected, "{description}");
        }
        assert_eq!(named(b"no XMP", OsStr::new("a")), None);
    }
}
