//! Reads what a file `.picasa.ini` says of the pictures in its folder.
//!
//! Google never documented the format. What is read here is described in Franz Buchinger's `picasa.ini.txt`
//! (<https://github.com/twitham1/picasagallery/blob/master/picasa.ini.txt>) and in exiftool's `picasa_faces.config`.

use std::collections::HashMap;
use std::path::Path;

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

use super::text::latin1_or_utf8;
use super::{Block, FAVORITE, RegionKind, RegionStatement, Statements};
use crate::names::is_raw;

/// The person's number of a face without a name.
const UNNAMED_PERSON: u64 = u64::MAX;

/// Largest coordinate in a rectangle.
const MAX_COORDINATE: f32 = 65_535.0;

/// Longest name of a section, in bytes; no file has a longer name. Longer ones would be compared again for each entry,
/// which could take hours.
const MAX_SECTION_NAME_BYTES: usize = 1024;

/// What Picasa stores about the pictures in one folder.
#[derive(Debug, Default)]
pub struct PicasaFolder {
    /// The statements on each picture, by its name in lower case: Picasa runs on systems that ignore the case of names.
    pictures: HashMap<String, Statements>,
    lacks_names: bool,
}

impl PicasaFolder {
    /// Reads a file. `contacts` has names of people that the file may lack, as files of old versions do.
    pub fn parse(ini: &[u8], contacts: &Contacts) -> Self {
        let text = latin1_or_utf8(ini);
        let mut own = Contacts::default();
        for (section, key, value) in entries(&text) {
            if section == "Contacts2" {
                own.add(key, value.split(';').next().unwrap_or_default());
            }
        }
        let mut lacks_names = false;
        let mut pictures: HashMap<String, Statements> = HashMap::new();
        for (section, key, value) in entries(&text) {
            let mut statements = Statements::default();
            match key {
                // Picasa has a single star, so it is no rating but, like a favourite of Google Photos, a keyword.
                "star" if value == "yes" => statements.add_keyword(FAVORITE, Block::Picasa),
                "caption" => statements.add_description(value, Block::Picasa),
                "keywords" => {
                    let words = value.split(',');
                    words.for_each(|word| statements.add_keyword(word, Block::Picasa));
                }
                "faces" => {
                    let kind = if is_raw(Path::new(section)) {
                        RegionKind::PicasaRaw
                    } else {
                        RegionKind::Picasa
                    };
                    for (region, id) in value.split(';').filter_map(|face| parse_face(face, kind)) {
                        match own.0.get(&id).or_else(|| contacts.0.get(&id)) {
                            Some(name) => statements.add_person(name, Some(region), Block::Picasa),
                            None => lacks_names |= id != UNNAMED_PERSON,
                        }
                    }
                }
                _ => {}
            }
            if !statements.is_empty() {
                let of_picture = pictures.entry(section.to_lowercase()).or_default();
                of_picture.extend(statements);
            }
        }
        Self {
            pictures,
            lacks_names,
        }
    }

    /// Whether it has faces of people whose names are neither in it nor in `contacts`.
    pub const fn lacks_names(&self) -> bool {
        self.lacks_names
    }

    /// The statements on the picture with this name, if there are any.
    pub fn of(&self, name: &str) -> Option<&Statements> {
        self.pictures.get(&name.to_lowercase())
    }
}

/// The names of people by the numbers by which Picasa refers to them.
#[derive(Debug, Default)]
pub struct Contacts(HashMap<u64, String>);

impl Contacts {
    /// Reads a `contacts.xml`, a flat list: `<contact id="8e62398ebda8c1a5" name="Zoë Müller" …/>`. The list ends at
    /// the first damaged entry.
    pub fn of_xml(xml: &[u8]) -> Self {
        let mut contacts = Self::default();
        let text = latin1_or_utf8(xml);
        let mut reader = Reader::from_str(&text);
        while let Ok(event) = reader.read_event() {
            let contact = match event {
                Event::Start(element) | Event::Empty(element) => element,
                Event::Eof => break,
                _ => continue,
            };
            let attribute = |name: &str| {
                let found = contact.try_get_attribute(name).ok()??;
                Some(
                    found
                        .normalized_value(XmlVersion::Implicit1_0)
                        .ok()?
                        .into_owned(),
                )
            };
            if let (Some(id), Some(name)) = (attribute("id"), attribute("name")) {
                contacts.add(&id, &name);
            }
        }
        contacts
    }

    fn add(&mut self, id: &str, name: &str) {
        if let Some(id) = parse_hex(id).filter(|id| *id != UNNAMED_PERSON)
            && !name.trim().is_empty()
        {
            self.0.insert(id, name.to_owned());
        }
    }
}

/// The entries of a file in sections that may be pictures: the section, the key and the value of each.
fn entries(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut section = "";
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
            return None;
        }
        let (key, value) = line.split_once('=')?;
        let is_name = section.len() <= MAX_SECTION_NAME_BYTES;
        is_name.then(|| (section, key.trim(), value.trim()))
    })
}

/// Parses a face, `rect64(3f845bcb59418507),8e62398ebda8c1a5`: left, upper, right and lower edge as 16 bits each, in
/// hexadecimal without leading zeros, and the number of the person.
fn parse_face(text: &str, kind: RegionKind) -> Option<(RegionStatement, u64)> {
    let (edges, id) = text.trim().strip_prefix("rect64(")?.split_once("),")?;
    let edges = parse_hex(edges)?;
    let edge = |at: u32| (edges >> (16 * at) & 0xffff) as f32 / MAX_COORDINATE;
    let (x, y) = (edge(3), edge(2));
    let region = RegionStatement {
        x,
        y,
        width: edge(1) - x,
        height: edge(0) - y,
        kind,
        applied_to: None,
    };
    Some((region, parse_hex(id)?))
}

fn parse_hex(hexadecimal: &str) -> Option<u64> {
    u64::from_str_radix(hexadecimal.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\u{feff}[encoding]\r\nutf8=1\r\n[Contacts2]\r\n8e62398ebda8c1a5=Zoë Müller;zoe@example.org;\r\n\
        d10a8325c557b085=Bob;;\r\nffffffffffffffff=Unknown;;\r\n[Contacts]\r\nd10a8325c557b085=joedoe_lh,cb989580bc43a91\r\n\
        [.album:0123]\r\nname=Favourites\r\n[Picasa]\r\nname=Summer\r\nkeywords=no picture\r\n[IMG_1.jpg]\r\n\
        faces=rect64(3f845bcb59418507),8e62398ebda8c1a5;rect64(5bcb59418507),d10a8325c557b085;\
        rect64(10001000200020),ffffffffffffffff;rect64(10001000200020),1\r\nbackuphash=36003\r\nstar=yes\r\n\
        [b.NEF]\nkeywords=beer, keyword with spaces ,\ncaption=At the lake\nfaces=rect64(3f845bcb59418507),8e62398ebda8c1a5\n\
        [c.jpg]\nbackuphash=1\nrotate=rotate(1)\nstar=no\n";

    #[test]
    fn a_section_has_a_name_of_at_most_1024_bytes() {
        for (length, expected) in [
            (MAX_SECTION_NAME_BYTES, true),
            (MAX_SECTION_NAME_BYTES + 1, false),
        ] {
            let name = "a".repeat(length);
            let text = format!("[{name}]\nstar=yes\n[b.jpg]\nstar=yes\n");
            let folder = PicasaFolder::parse(text.as_bytes(), &Contacts::default());
            assert_eq!(folder.of(&name).is_some(), expected);
            assert!(folder.of("b.jpg").is_some());
        }
    }

    #[test]
    fn everything_is_read() {
        let folder = PicasaFolder::parse(WHOLE.as_bytes(), &Contacts::default());
        let statements = folder.of("img_1.JPG").unwrap();
        let people: Vec<_> = statements
            .people
            .iter()
            .map(|person| &*person.name)
            .collect();
        assert_eq!(people, ["Zoë Müller", "Bob"]);
        let near = |a: f32, b: f32| (a - b).abs() < 1e-6;
        let first = statements.people[0].region.unwrap();
        assert!(near(first.x, 16260.0 / MAX_COORDINATE) && near(first.y, 23499.0 / MAX_COORDINATE));
        assert!(near(first.x + first.width, 22849.0 / MAX_COORDINATE));
        assert!(near(first.y + first.height, 34055.0 / MAX_COORDINATE));
        assert_eq!(first.kind, RegionKind::Picasa);
        // Leading zeros are left out.
        let second = statements.people[1].region.unwrap();
        assert!(second.x == 0.0 && near(second.y, 23499.0 / MAX_COORDINATE));
        assert_eq!(statements.keywords[0].value, FAVORITE);

        let raw = folder.of("b.NEF").unwrap();
        let keywords: Vec<_> = raw.keywords.iter().map(|word| &*word.value).collect();
        assert_eq!(keywords, ["beer", "keyword with spaces"]);
        assert_eq!(raw.descriptions[0].value, "At the lake");
        assert_eq!(raw.people[0].region.unwrap().kind, RegionKind::PicasaRaw);
        // An entry that has only edits states nothing.
        assert!(folder.of("c.jpg").is_none() && folder.of("Contacts2").is_none());
    }

    #[test]
    fn old_files_are_in_the_character_set_of_their_system() {
        let ini = b"[a.jpg]\ncaption=Stra\xdfe\n[Contacts2]\n1=J\xf6rg;;\n[a.jpg]\nfaces=rect64(1000100020002000),1\n";
        let folder = PicasaFolder::parse(ini, &Contacts::default());
        let statements = folder.of("a.jpg").unwrap();
        assert_eq!(statements.descriptions[0].value, "Straße");
        assert_eq!(statements.people[0].name, "Jörg");
    }

    #[test]
    fn names_that_are_missing_come_from_the_contacts() {
        let ini = b"[Contacts]\n1f=joedoe_lh,cb98\n[a.jpg]\nfaces=rect64(1000100020002000),1f\n";
        let folder = PicasaFolder::parse(ini, &Contacts::default());
        assert!(folder.lacks_names() && folder.of("a.jpg").is_none());
        let xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<contacts>\n \
            <contact id=\"1f\" name=\"Anna &amp; Zoë\" display=\"Anna\" modified_time=\"2012-01-01T00:00:00+01:00\" \
            local_contact=\"1\"/>\n <contact id=\"2\" name=\"\"/>\n</contacts>";
        let folder = PicasaFolder::parse(ini, &Contacts::of_xml(xml.as_bytes()));
        assert!(!folder.lacks_names());
        assert_eq!(folder.of("a.jpg").unwrap().people[0].name, "Anna & Zoë");
        for damaged in [
            "<contacts><contact id='1f' name='",
            "<contact id='x' name='Anna'/>",
            "no XML",
        ] {
            let folder = PicasaFolder::parse(ini, &Contacts::of_xml(damaged.as_bytes()));
            assert!(folder.lacks_names(), "{damaged}");
        }
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        for ini in [
            "",
            "[",
            "[a.jpg",
            "faces=rect64(1),1",
            "[a.jpg]\nfaces=rect64(),1;rect64(g),1;rect64(1),;rect64(11111111111111111),1;rect64(1,1;;",
            "[Contacts2]\n1=Anna\n[a.jpg]\nfaces=rect64(8000800010001000),1\nstar\n=yes",
            "[a.jpg]\ncaption=\nkeywords=,,\n",
        ] {
            let folder = PicasaFolder::parse(ini.as_bytes(), &Contacts::default());
            let people =
                |statements: &Statements| statements.people.iter().any(|one| one.region.is_some());
            assert!(
                folder
                    .of("a.jpg")
                    .is_none_or(|statements| !people(statements)),
                "{ini}"
            );
        }
    }
}
