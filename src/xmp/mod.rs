//! Reads XMP packets (ISO 16684-1): RDF in every form that the specification allows, into a small tree whose
//! properties are found by namespace and name.
//!
//! Programs write the same property as an element or as an attribute, with any prefix, in one description or in
//! several, as a plain text or as a list of one, and in UTF-8, UTF-16 or UTF-32. In a [`Packet`], all of these are
//! equal.

mod element;
mod encoding;
mod rdf;

pub use rdf::{Field, Node};

/// Largest packet that is read, in bytes: more than any program writes, extended XMP with previews included.
const MAX_BYTES: usize = 32 << 20;

/// The URIs of namespaces, without the `/` or `#` at their end, which not all programs write.
pub mod namespace {
    /// RDF itself.
    pub const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns";
    /// `xml:lang`.
    pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
    /// Dublin Core.
    pub const DC: &str = "http://purl.org/dc/elements/1.1";
    /// XMP's own.
    pub const XMP: &str = "http://ns.adobe.com/xap/1.0";
    /// Photoshop.
    pub const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0";
    /// EXIF in XMP.
    pub const EXIF: &str = "http://ns.adobe.com/exif/1.0";
    /// The properties of EXIF 2.31 and later in XMP.
    pub const EXIF_EX: &str = "http://cipa.jp/exif/1.0";
    /// TIFF in XMP.
    pub const TIFF: &str = "http://ns.adobe.com/tiff/1.0";
    /// Camera Raw's auxiliary properties.
    pub const AUX: &str = "http://ns.adobe.com/exif/1.0/aux";
    /// Lightroom.
    pub const LIGHTROOM: &str = "http://ns.adobe.com/lightroom/1.0";
    /// digiKam.
    pub const DIGIKAM: &str = "http://www.digikam.org/ns/1.0";
    /// Microsoft's photos.
    pub const MICROSOFT: &str = "http://ns.microsoft.com/photo/1.0";
    /// Microsoft's people: the list of regions.
    pub const MP: &str = "http://ns.microsoft.com/photo/1.2";
    /// Microsoft's people: the information on regions.
    pub const MPRI: &str = "http://ns.microsoft.com/photo/1.2/t/RegionInfo";
    /// Microsoft's people: one region.
    pub const MPREG: &str = "http://ns.microsoft.com/photo/1.2/t/Region";
    /// The Metadata Working Group's regions.
    pub const MWG_REGIONS: &str = "http://www.metadataworkinggroup.com/schemas/regions";
    /// Areas of the Metadata Working Group's regions.
    pub const AREA: &str = "http://ns.adobe.com/xmp/sType/Area";
    /// Dimensions of the Metadata Working Group's regions.
    pub const DIMENSIONS: &str = "http://ns.adobe.com/xap/1.0/sType/Dimensions";
    /// IPTC Core.
    pub const IPTC_CORE: &str = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns";
    /// IPTC Extension.
    pub const IPTC_EXT: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29";
    /// Media Pro.
    pub const MEDIA_PRO: &str = "http://ns.iview-multimedia.com/mediapro/1.0";
    /// `ACDSee`.
    pub const ACDSEE: &str = "http://ns.acdsee.com/iptc/1.0";
    /// Notes on the packet itself.
    pub const NOTE: &str = "http://ns.adobe.com/xmp/note";
}

/// The properties of a packet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Packet {
    /// The properties of all its descriptions, in their order.
    pub root: Node,
}

impl Packet {
    /// Reads a packet. If it is broken, also returns a description of the error; the properties are then those before
    /// it.
    pub fn parse(bytes: &[u8]) -> (Self, Option<String>) {
        if bytes.len() > MAX_BYTES {
            return (Self::default(), Some("it is too large".to_owned()));
        }
        let text = encoding::text(bytes);
        let (document, damage) = element::parse(&text);
        let root = rdf::properties(&document);
        (Self { root }, damage)
    }

    /// The value of a property.
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Node> {
        self.root.get(namespace, name)
    }

    /// The text of a property: the first one of a list, and of alternatives in several languages the default.
    pub fn text(&self, namespace: &str, name: &str) -> Option<&str> {
        self.get(namespace, name)?.first_text()
    }
}

#[cfg(test)]
mod tests;
