//! Reads what an XMP packet says of a photo.

use super::camera::camera_name;
use super::dates::xmp_date;
use super::{AppliedTo, Block, Moment, RegionKind, RegionStatement, Statements};
use crate::photo::{DateSource, GeoPoint, Precision};
use crate::xmp::namespace::{
    ACDSEE, AREA, AUX, DC, DIGIKAM, DIMENSIONS, EXIF, EXIF_EX, IPTC_EXT, LIGHTROOM, MEDIA_PRO,
    MICROSOFT, MP, MPREG, MPRI, MWG_REGIONS, PHOTOSHOP, TIFF, XMP,
};
use crate::xmp::{Node, Packet};

/// The statements in a packet. Its dates are in the order of the Metadata Working Group: creation before digitisation.
pub fn statements(packet: &Packet) -> Statements {
    let mut statements = Statements::default();
    dates(packet, &mut statements);
    position(packet, &mut statements);
    let (maker, model) = (packet.text(TIFF, "Make"), packet.text(TIFF, "Model"));
    if let Some(name) = camera_name(maker, model) {
        statements.add_camera(&name, Block::Xmp);
    }
    for (namespace, name) in [(EXIF_EX, "LensModel"), (AUX, "Lens")] {
        if let Some(lens) = packet.text(namespace, name) {
            statements.add_lens(lens, Block::Xmp);
        }
    }
    for (namespace, name) in [(DC, "title"), (PHOTOSHOP, "Headline")] {
        if let Some(title) = packet.text(namespace, name) {
            statements.add_title(title, Block::Xmp);
        }
    }
    for (namespace, name) in [
        (DC, "description"),
        (TIFF, "ImageDescription"),
        (EXIF, "UserComment"),
    ] {
        if let Some(text) = packet.text(namespace, name) {
            statements.add_description(text, Block::Xmp);
        }
    }
    keywords(packet, &mut statements);
    ratings(packet, &mut statements);
    people(packet, &mut statements);
    statements
}

fn dates(packet: &Packet, statements: &mut Statements) {
    for (namespace, name, source) in [
        (PHOTOSHOP, "DateCreated", DateSource::Xmp),
        (EXIF, "DateTimeOriginal", DateSource::Xmp),
        (XMP, "CreateDate", DateSource::XmpDigitized),
        (EXIF, "DateTimeDigitized", DateSource::XmpDigitized),
    ] {
        if let Some((moment, precision)) = packet.text(namespace, name).and_then(xmp_date) {
            statements.add_date(moment, precision, source);
        }
    }
    // The time of a GPS receiver is in UTC, even if no offset is written.
    let gps = packet.text(EXIF, "GPSTimeStamp").and_then(xmp_date);
    if let Some((Moment::Local { local, offset }, Precision::Second)) = gps {
        let offset = offset.unwrap_or(jiff::tz::Offset::UTC);
        if let Ok(utc) = offset.to_timestamp(local) {
            statements.add_date(Moment::Instant { utc }, Precision::Second, DateSource::Gps);
        }
    }
}

fn position(packet: &Packet, statements: &mut Statements) {
    // Apple Photos writes the letter in a separate property, as EXIF does.
    let degrees = |name, direction, letters| {
        let direction = packet.text(EXIF, direction).unwrap_or_default();
        degrees(packet.text(EXIF, name)?, direction, letters)
    };
    if let (Some(latitude), Some(longitude)) = (
        degrees("GPSLatitude", "GPSLatitudeRef", ['N', 'S']),
        degrees("GPSLongitude", "GPSLongitudeRef", ['E', 'W']),
    ) {
        let at = GeoPoint {
            latitude,
            longitude,
        };
        statements.add_position(at, Block::Xmp);
    }
}

/// Parses an angle: "43,46.5N", "43,46,30N", or degrees with a sign. Without either, the letter of `direction` decides.
fn degrees(text: &str, direction: &str, [positive, negative]: [char; 2]) -> Option<f64> {
    let text = text.trim();
    let letter = text.chars().next_back()?.to_ascii_uppercase();
    let (sign, numbers) = if letter == positive {
        (1.0, &text[..text.len() - 1])
    } else if letter == negative {
        (-1.0, &text[..text.len() - 1])
    } else {
        let letter = direction.trim_start().chars().next();
        let is_negative = letter.is_some_and(|letter| letter.to_ascii_uppercase() == negative);
        let has_sign = text.starts_with(['-', '+']);
        (if is_negative && !has_sign { -1.0 } else { 1.0 }, text)
    };
    let mut degrees = 0.0;
    for (index, part) in numbers.split(',').take(3).enumerate() {
        let number: f64 = part.trim().parse().ok()?;
        (index == 0 || number >= 0.0).then_some(())?;
        degrees += number / [1.0, 60.0, 3600.0][index];
    }
    Some(sign * degrees)
}

fn keywords(packet: &Packet, statements: &mut Statements) {
    // Programs that separate the levels of a hierarchical keyword by a slash.
    for (namespace, name, separator) in [
        (DC, "subject", None),
        (LIGHTROOM, "hierarchicalSubject", None),
        (DIGIKAM, "TagsList", Some('/')),
        (MICROSOFT, "LastKeywordXMP", Some('/')),
        (MEDIA_PRO, "CatalogSets", None),
        (ACDSEE, "keywords", None),
    ] {
        let Some(list) = packet.get(namespace, name) else {
            continue;
        };
        for item in list.all() {
            let text = item.first_text().unwrap_or_default();
            match separator {
                Some(separator) => {
                    statements.add_keyword(&text.replace(separator, "|"), Block::Xmp);
                }
                None => statements.add_keyword(text, Block::Xmp),
            }
        }
    }
}

fn ratings(packet: &Packet, statements: &mut Statements) {
    let number = |namespace, name| packet.text(namespace, name)?.trim().parse::<f32>().ok();
    // Programs write "3", "3.0" and for a rejected photo "-1".
    if let Some(stars) = number(XMP, "Rating").filter(|stars| stars.is_finite()) {
        statements.add_rating(stars.round() as i8, Block::Xmp);
    }
    if let Some(percent) = number(MICROSOFT, "Rating").filter(|percent| percent.is_finite()) {
        statements.add_rating(stars_of_percent(percent.round() as i32), Block::Xmp);
    }
}

/// Microsoft's rating in percent, of which 1, 25, 50, 75 and 99 are one to five stars.
pub fn stars_of_percent(percent: i32) -> i8 {
    match percent {
        ..=0 => 0,
        1..=12 => 1,
        13..=37 => 2,
        38..=62 => 3,
        63..=87 => 4,
        88.. => 5,
    }
}

fn people(packet: &Packet, statements: &mut Statements) {
    // digiKam's keywords of people.
    let tags = packet.get(DIGIKAM, "TagsList");
    for tag in tags.map_or(&[][..], Node::all) {
        let tag = tag.first_text().unwrap_or_default();
        if let Some(name) = tag.strip_prefix("People/") {
            let name = name.rsplit('/').next().unwrap_or(name);
            statements.add_person(name, None, Block::Xmp);
        }
    }
    if let Some(regions) = packet.get(MWG_REGIONS, "Regions") {
        mwg_people(regions, statements);
    }
    if let Some(regions) = packet.get(MP, "RegionInfo") {
        microsoft_people(regions, statements);
    }
    if let Some(regions) = packet.get(IPTC_EXT, "ImageRegion") {
        iptc_people(regions, statements);
    }
    if let Some(names) = packet.get(IPTC_EXT, "PersonInImage") {
        for name in names.all() {
            statements.add_person(name.first_text().unwrap_or_default(), None, Block::Xmp);
        }
    }
    let details = packet.get(IPTC_EXT, "PersonInImageWDetails");
    for person in details.map_or(&[][..], Node::all) {
        let name = person.field_text(IPTC_EXT, "PersonName");
        statements.add_person(name.unwrap_or_default(), None, Block::Xmp);
    }
}

/// The regions of the Metadata Working Group: the centre and the size of each as shares of the picture.
fn mwg_people(regions: &Node, statements: &mut Statements) {
    let number = |node: &Node, namespace, name| number(node.field_text(namespace, name)?);
    let size = regions.get(MWG_REGIONS, "AppliedToDimensions");
    let applied_to = size.and_then(|size| {
        let is_pixels = size.field_text(DIMENSIONS, "unit").unwrap_or("pixel") == "pixel";
        let width = number(size, DIMENSIONS, "w").filter(|_| is_pixels)?;
        applied_to(width, number(size, DIMENSIONS, "h")?)
    });
    let list = regions.get(MWG_REGIONS, "RegionList");
    for region in list.map_or(&[][..], Node::all) {
        let kind = region.field_text(MWG_REGIONS, "Type").unwrap_or("Face");
        if !kind.trim().eq_ignore_ascii_case("Face") {
            continue;
        }
        let area = region.get(MWG_REGIONS, "Area").and_then(|area| {
            let of = |name| number(area, AREA, name);
            // Points have no size, and circles have a diameter instead of a width and a height.
            let (width, height) = match (of("w"), of("h"), of("d")) {
                (Some(width), Some(height), _) => (width, height),
                (_, _, Some(diameter)) => (diameter, diameter),
                _ => return None,
            };
            Some(RegionStatement {
                x: of("x")? - width / 2.0,
                y: of("y")? - height / 2.0,
                width,
                height,
                kind: RegionKind::Mwg,
                applied_to,
            })
        });
        let name = region.field_text(MWG_REGIONS, "Name");
        statements.add_person(name.unwrap_or_default(), area, Block::Xmp);
    }
}

/// Microsoft's regions: the corner and the size of each as shares of the picture.
fn microsoft_people(regions: &Node, statements: &mut Statements) {
    let list = regions.get(MPRI, "Regions");
    for region in list.map_or(&[][..], Node::all) {
        let area = region.field_text(MPREG, "Rectangle").and_then(|rectangle| {
            let numbers: Option<Vec<f32>> = rectangle.split(',').map(number).collect();
            let [x, y, width, height] = numbers?[..] else {
                return None;
            };
            Some(RegionStatement {
                x,
                y,
                width,
                height,
                kind: RegionKind::Microsoft,
                applied_to: None,
            })
        });
        let name = region.field_text(MPREG, "PersonDisplayName");
        statements.add_person(name.unwrap_or_default(), area, Block::Xmp);
    }
}

/// The image regions of the IPTC, of which those with a person count: the corner and the size of each in shares of the
/// picture or in pixels of it.
fn iptc_people(regions: &Node, statements: &mut Statements) {
    for region in regions.all() {
        let area = region
            .get(IPTC_EXT, "RegionBoundary")
            .and_then(iptc_boundary);
        let names = region.get(IPTC_EXT, "PersonInImage");
        for name in names.map_or(&[][..], Node::all) {
            statements.add_person(name.first_text().unwrap_or_default(), area, Block::Xmp);
        }
    }
}

fn iptc_boundary(boundary: &Node) -> Option<RegionStatement> {
    let of = |name| number(boundary.field_text(IPTC_EXT, name)?);
    let is_in_pixels = boundary.field_text(IPTC_EXT, "rbUnit") == Some("pixel");
    let (x, y, width, height) = match boundary.field_text(IPTC_EXT, "rbShape")? {
        "rectangle" => (of("rbX")?, of("rbY")?, of("rbW")?, of("rbH")?),
        "circle" => {
            let radius = of("rbRx")?;
            (
                of("rbX")? - radius,
                of("rbY")? - radius,
                2.0 * radius,
                2.0 * radius,
            )
        }
        _ => return None,
    };
    Some(RegionStatement {
        x,
        y,
        width,
        height,
        kind: if is_in_pixels {
            RegionKind::IptcPixels
        } else {
            RegionKind::Iptc
        },
        applied_to: None,
    })
}

fn number(text: &str) -> Option<f32> {
    let number: f32 = text.trim().parse().ok()?;
    number.is_finite().then_some(number)
}

fn applied_to(width: f32, height: f32) -> Option<AppliedTo> {
    let is_size = |length: f32| (1.0..1e6).contains(&length);
    (is_size(width) && is_size(height)).then_some(AppliedTo {
        width: width as u32,
        height: height as u32,
    })
}

#[cfg(test)]
mod tests;
