//! Packets in every form that the specification allows.

use super::namespace::{DC, EXIF, MWG_REGIONS, XMP};
use super::*;

fn packet(description: &str) -> String {
    format!(
        r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
            xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
            xmlns:a="http://ns.adobe.com/exif/1.0/"
            xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/">
        {description}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#
    )
}

fn read(text: &str) -> Packet {
    let (packet, damage) = Packet::parse(text.as_bytes());
    assert_eq!(damage, None, "{text}");
    packet
}

/// The texts of a list.
fn texts(packet: &Packet, namespace: &str, name: &str) -> Vec<String> {
    let list = packet.get(namespace, name).map_or(&[][..], Node::all);
    list.iter().map(|node| node.text.clone()).collect()
}

#[test]
fn a_property_is_the_same_in_every_form() {
    for form in [
        r"<rdf:Description><xmp:Rating>4</xmp:Rating></rdf:Description>",
        r#"<rdf:Description xmp:Rating="4"/>"#,
        r#"<rdf:Description rdf:about="" xmp:Rating='4'></rdf:Description>"#,
        r"<rdf:Description/><rdf:Description><xmp:Rating>4</xmp:Rating></rdf:Description>",
        r#"<rdf:Description><q:Rating xmlns:q="http://ns.adobe.com/xap/1.0/">4</q:Rating></rdf:Description>"#,
        r"<rdf:Description><xmp:Rating><![CDATA[4]]></xmp:Rating></rdf:Description>",
        r"<rdf:Description><xmp:Rating>&#52;</xmp:Rating></rdf:Description>",
        r#"<rdf:Description><xmp:Rating rdf:parseType="Resource"><rdf:value>4</rdf:value>
           <xmp:note>n</xmp:note></xmp:Rating></rdf:Description>"#,
        r#"<rdf:Description><xmp:Rating><rdf:Description rdf:value="4" xmp:note="n"/></xmp:Rating></rdf:Description>"#,
        r#"<rdf:Description><xmp:Rating rdf:value="4" xmp:note="n"/></rdf:Description>"#,
        r"<rdf:Description><xmp:Rating><rdf:Bag><rdf:li>4</rdf:li></rdf:Bag></xmp:Rating></rdf:Description>",
        r#"<rdf:Description><xmp:Rating rdf:resource="4"/></rdf:Description>"#,
        r"<xmp:Photo><xmp:Rating>4</xmp:Rating></xmp:Photo>",
    ] {
        assert_eq!(read(&packet(form)).text(XMP, "Rating"), Some("4"), "{form}");
    }
}

#[test]
fn lists_and_languages_are_read() {
    let packet = read(&packet(
        r#"<rdf:Description><dc:title><rdf:Alt><rdf:li xml:lang="de">Am See</rdf:li>
           <rdf:li xml:lang="x-default">At the lake &amp; on it</rdf:li></rdf:Alt></dc:title>
           <dc:subject><rdf:Bag><rdf:li>Sun</rdf:li><rdf:li/><rdf:li rdf:parseType="Resource">
           <rdf:value>Caf&#233;</rdf:value></rdf:li></rdf:Bag></dc:subject>
           <dc:creator><rdf:Seq><rdf:_1>Ada</rdf:_1></rdf:Seq></dc:creator></rdf:Description>"#,
    ));
    assert_eq!(packet.text(DC, "title"), Some("At the lake & on it"));
    assert_eq!(texts(&packet, DC, "subject"), ["Sun", "", "Café"]);
    assert_eq!(packet.text(DC, "creator"), Some("Ada"));
    assert_eq!(packet.text(EXIF, "title"), None);
}

#[test]
fn a_structure_is_the_same_in_every_form() {
    for form in [
        r#"<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:Name>Ada</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>
           </mwg-rs:Regions>"#,
        r"<mwg-rs:Regions><rdf:Description><mwg-rs:Name>Ada</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>
           </rdf:Description></mwg-rs:Regions>",
        r#"<mwg-rs:Regions><rdf:Description mwg-rs:Name="Ada" mwg-rs:Type="Face"/></mwg-rs:Regions>"#,
        r#"<mwg-rs:Regions mwg-rs:Name="Ada" mwg-rs:Type="Face"/>"#,
        r#"<mwg-rs:Regions><rdf:Description mwg-rs:Name="Ada"><mwg-rs:Type>Face</mwg-rs:Type></rdf:Description>
           </mwg-rs:Regions>"#,
    ] {
        let packet = read(&packet(&format!(
            "<rdf:Description>{form}</rdf:Description>"
        )));
        let regions = packet.get(MWG_REGIONS, "Regions").unwrap();
        assert_eq!(
            regions.field_text(MWG_REGIONS, "Name"),
            Some("Ada"),
            "{form}"
        );
        assert_eq!(
            regions.field_text(MWG_REGIONS, "Type"),
            Some("Face"),
            "{form}"
        );
    }
}

#[test]
fn every_encoding_is_read() {
    let text = packet(r#"<rdf:Description dc:title="北海道旅行 𝄞"/>"#);
    let units: Vec<u16> = text.encode_utf16().collect();
    let wide = |bytes: fn(u16) -> [u8; 2]| units.iter().flat_map(|&unit| bytes(unit)).collect();
    let long = |bytes: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| bytes(c.into())).collect();
    let encodings: [(&[u8], Vec<u8>); 5] = [
        (b"\xef\xbb\xbf", text.clone().into_bytes()),
        (b"\xfe\xff", wide(u16::to_be_bytes)),
        (b"\xff\xfe", wide(u16::to_le_bytes)),
        (b"\0\0\xfe\xff", long(u32::to_be_bytes)),
        (b"\xff\xfe\0\0", long(u32::to_le_bytes)),
    ];
    for (mark, bytes) in encodings {
        for mark in [mark, b""] {
            let (packet, damage) = Packet::parse(&[mark, &bytes].concat());
            assert_eq!(
                (packet.text(DC, "title"), damage),
                (Some("北海道旅行 𝄞"), None)
            );
        }
    }
}

#[test]
fn of_a_broken_packet_the_beginning_is_read() {
    let text = packet(
        "<rdf:Description><dc:subject><rdf:Bag><rdf:li>Sun</rdf:li><rdf:li>Sea</rdf:li></rdf:Bag>
         </dc:subject></rdf:Description>",
    );
    let (whole, _) = Packet::parse(text.as_bytes());
    assert_eq!(texts(&whole, DC, "subject"), ["Sun", "Sea"]);
    for end in 0..text.len() {
        let (part, damage) = Packet::parse(&text.as_bytes()[..end]);
        let found = texts(&part, DC, "subject");
        assert!(found.len() <= 2 && found.first().is_none_or(|text| "Sun".starts_with(text)));
        let is_open =
            end > text.find("<x:xmp").unwrap() && end < text.find("<?xpacket end").unwrap();
        assert!(damage.is_some() || !is_open, "{}", &text[..end]);
    }
    for nonsense in [&b"\0\xff<<>"[..], b"no XML", b"", b"<a><b></a>"] {
        assert_eq!(Packet::parse(nonsense).0.root, Node::default());
    }
}

#[test]
fn a_namespace_has_at_most_256_bytes() {
    for (length, expected) in [(256, Some("x")), (257, None)] {
        let uri = format!("u:{}", "a".repeat(length - 2));
        let description =
            format!(r#"<rdf:Description xmlns:long="{uri}"><long:a>x</long:a></rdf:Description>"#);
        let read = read(&packet(&description));
        assert_eq!(read.text(&uri, "a"), expected);
    }
}

#[test]
fn deep_and_long_packets_are_bounded() {
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert_eq!(Packet::parse(deep.as_bytes()).0.root, Node::default());
    let unfinished = "<a>".repeat(100);
    assert_eq!(
        Packet::parse(unfinished.as_bytes()).1.as_deref(),
        Some("it ends early")
    );
    let items = "<rdf:li>x</rdf:li>".repeat(300_000);
    let list = format!(
        "<rdf:Description><dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject></rdf:Description>"
    );
    let long = read(&packet(&list));
    let found = texts(&long, DC, "subject").len();
    assert!((100_000..=200_000).contains(&found), "{found}");
    let entities = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>"#;
    let text = packet("<rdf:Description><xmp:Label>&b;</xmp:Label></rdf:Description>");
    let (read, _) = Packet::parse(format!("{entities}{text}").as_bytes());
    assert_eq!(read.text(XMP, "Label"), None);
}
