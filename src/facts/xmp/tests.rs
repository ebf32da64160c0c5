//! Tests what packets of several programs say.

use super::*;
use crate::facts::{PersonStatement, StatedDate};

fn statements_of(description: &str) -> Statements {
    let packet = format!(
        r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
            xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
            xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
            xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
            xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:ms="http://ns.microsoft.com/photo/1.0/"
            xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
            xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
            xmlns:MP="http://ns.microsoft.com/photo/1.2/" xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
            xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"
            xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">{description}</rdf:RDF>"#
    );
    statements(&Packet::parse(packet.as_bytes()).0)
}

fn sources(dates: &[StatedDate]) -> Vec<DateSource> {
    dates.iter().map(|date| date.by).collect()
}

#[test]
fn dates_and_places_are_read() {
    let statements = statements_of(
        r#"<rdf:Description photoshop:DateCreated="1975-07" exif:DateTimeOriginal="2019-07-14T15:30:00+02:00"
           xmp:CreateDate="2019-07-15" exif:GPSTimeStamp="2019-07-14T13:30:02Z" exif:GPSLatitude="33,51.59S"
           exif:GPSLongitude="151,12,36E" tiff:Make="NIKON CORPORATION" tiff:Model="NIKON D3100"/>"#,
    );
    assert_eq!(
        sources(&statements.dates),
        [
            DateSource::Xmp,
            DateSource::Xmp,
            DateSource::XmpDigitized,
            DateSource::Gps,
        ]
    );
    assert_eq!(statements.dates[0].precision, Precision::Month);
    let at = statements.positions[0].value;
    assert!((at.latitude + 33.859_833).abs() < 1e-5);
    assert!((at.longitude - 151.21).abs() < 1e-9);
    assert_eq!(statements.cameras[0].value, "NIKON D3100");
}

#[test]
fn angles_have_letters_or_signs() {
    let letters = ['N', 'S'];
    for (text, direction, expected) in [
        ("43,30N", "", 43.5),
        ("43,30,36S", "", -43.51),
        ("-43.5", "", -43.5),
        // The letter is in a property of its own.
        ("43.5", "S", -43.5),
        ("43,30", "s", -43.5),
        ("43.5", "N", 43.5),
        ("43.5", " South", -43.5),
        ("-43.5", "S", -43.5),
        ("43,30N", "S", 43.5),
        ("43,30S", "S", -43.5),
    ] {
        let found = degrees(text, direction, letters);
        assert_eq!(found, Some(expected), "{text} {direction}");
    }
    for nonsense in ["", "N", "43,30", "north", "43,-30N", "43;30N"] {
        let expected = (nonsense == "43,30").then_some(43.5);
        assert_eq!(degrees(nonsense, "", letters), expected, "{nonsense}");
    }
}

#[test]
fn the_letters_of_a_position_may_be_properties_of_their_own() {
    for position in [
        "<rdf:Description><exif:GPSLatitude>40.7</exif:GPSLatitude><exif:GPSLatitudeRef>N</exif:GPSLatitudeRef>
         <exif:GPSLongitude>74.006</exif:GPSLongitude><exif:GPSLongitudeRef>W</exif:GPSLongitudeRef></rdf:Description>",
        "<rdf:Description exif:GPSLatitude='40.7' exif:GPSLatitudeRef='n' exif:GPSLongitude='74.006'
         exif:GPSLongitudeRef='w'/>",
    ] {
        let at = statements_of(position).positions[0].value;
        assert_eq!((at.latitude, at.longitude), (40.7, -74.006));
    }
}

#[test]
fn words_and_ratings_of_several_programs_are_read() {
    let statements = statements_of(
        r#"<rdf:Description xmp:Rating="4" ms:Rating="99"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">At the
           sea</rdf:li></rdf:Alt></dc:title><dc:description><rdf:Alt><rdf:li xml:lang="x-default">A walk</rdf:li>
           </rdf:Alt></dc:description><dc:subject><rdf:Bag><rdf:li>Sun &amp; sand</rdf:li><rdf:li>Italy</rdf:li></rdf:Bag>
           </dc:subject><lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Italy</rdf:li></rdf:Bag></lr:hierarchicalSubject>
           <digiKam:TagsList><rdf:Seq><rdf:li>Places/Italy</rdf:li><rdf:li>Pets/Cat</rdf:li>
           <rdf:li>People/Family/Zoë</rdf:li></rdf:Seq></digiKam:TagsList>
           </rdf:Description>"#,
    );
    let keywords: Vec<&str> = statements
        .keywords
        .iter()
        .map(|stated| &*stated.value)
        .collect();
    assert_eq!(
        keywords,
        [
            "Sun & sand",
            "Italy",
            "Places|Italy",
            "Pets|Cat",
            "People|Family|Zoë"
        ]
    );
    assert_eq!(statements.people[0].name, "Zoë");
    assert_eq!(statements.titles[0].value, "At the sea");
    assert_eq!(statements.descriptions[0].value, "A walk");
    let ratings: Vec<i8> = statements
        .ratings
        .iter()
        .map(|stated| stated.value)
        .collect();
    assert_eq!(ratings, [4, 5]);
}

#[test]
fn people_are_read_in_every_convention() {
    let statements = statements_of(
        r#"<rdf:Description>
        <mwg-rs:Regions rdf:parseType="Resource">
          <mwg-rs:AppliedToDimensions stDim:w="4000" stDim:h="3000" stDim:unit="pixel"/>
          <mwg-rs:RegionList><rdf:Bag>
            <rdf:li><rdf:Description mwg-rs:Name="Ada" mwg-rs:Type="Face">
              <mwg-rs:Area stArea:x="0.5" stArea:y="0.25" stArea:w="0.25" stArea:h="0.125" stArea:unit="normalized"/>
            </rdf:Description></rdf:li>
            <rdf:li rdf:parseType="Resource"><mwg-rs:Name>Rex</mwg-rs:Name><mwg-rs:Type>Pet</mwg-rs:Type></rdf:li>
          </rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
        <MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag><rdf:li><rdf:Description
          MPReg:Rectangle="0.25, 0.5, 0.125, 0.0625" MPReg:PersonDisplayName="Bob"/></rdf:li></rdf:Bag></MPRI:Regions>
          </rdf:Description></MP:RegionInfo>
        <Iptc4xmpExt:ImageRegion><rdf:Bag><rdf:li rdf:parseType="Resource">
          <Iptc4xmpExt:RegionBoundary rdf:parseType="Resource"><Iptc4xmpExt:rbShape>rectangle</Iptc4xmpExt:rbShape>
          <Iptc4xmpExt:rbUnit>relative</Iptc4xmpExt:rbUnit><Iptc4xmpExt:rbX>0.5</Iptc4xmpExt:rbX>
          <Iptc4xmpExt:rbY>0.5</Iptc4xmpExt:rbY><Iptc4xmpExt:rbW>0.25</Iptc4xmpExt:rbW>
          <Iptc4xmpExt:rbH>0.25</Iptc4xmpExt:rbH></Iptc4xmpExt:RegionBoundary>
          <Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Eve</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
          </rdf:li><rdf:li rdf:parseType="Resource">
          <Iptc4xmpExt:RegionBoundary rdf:parseType="Resource"><Iptc4xmpExt:rbShape>circle</Iptc4xmpExt:rbShape>
          <Iptc4xmpExt:rbUnit>pixel</Iptc4xmpExt:rbUnit><Iptc4xmpExt:rbX>1000</Iptc4xmpExt:rbX>
          <Iptc4xmpExt:rbY>500</Iptc4xmpExt:rbY><Iptc4xmpExt:rbRx>100</Iptc4xmpExt:rbRx></Iptc4xmpExt:RegionBoundary>
          <Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Kim</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
          </rdf:li></rdf:Bag></Iptc4xmpExt:ImageRegion>
        <Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Zoë</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
        </rdf:Description>"#,
    );
    let people: Vec<_> = statements
        .people
        .iter()
        .map(|PersonStatement { name, region, .. }| {
            let area = region.map(|area| [area.x, area.y, area.width, area.height]);
            (name.as_str(), area, region.map(|area| area.kind))
        })
        .collect();
    let expected = [
        (
            "Ada",
            Some([0.375, 0.1875, 0.25, 0.125]),
            Some(RegionKind::Mwg),
        ),
        (
            "Bob",
            Some([0.25, 0.5, 0.125, 0.0625]),
            Some(RegionKind::Microsoft),
        ),
        ("Eve", Some([0.5, 0.5, 0.25, 0.25]), Some(RegionKind::Iptc)),
        (
            "Kim",
            Some([900.0, 400.0, 200.0, 200.0]),
            Some(RegionKind::IptcPixels),
        ),
        ("Zoë", None, None),
    ];
    assert_eq!(people, expected);
    let applied_to = statements.people[0].region.unwrap().applied_to.unwrap();
    assert_eq!((applied_to.width, applied_to.height), (4000, 3000));
}
