//! Reads keywords and title from a photo's XMP packet.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Local names of the properties that are read, with any namespace prefix: the keywords of Dublin Core,
/// Lightroom and digiKam, and the title.
const PROPERTIES: [&str; 4] = ["subject", "hierarchicalSubject", "TagsList", "title"];

/// Longest keyword in bytes; longer texts are ignored.
const LONGEST: usize = 256;

/// The keywords and title of a packet in their order, each once and without line breaks. Of a broken packet,
/// those before the error.
pub(super) fn keywords(packet: &[u8]) -> Vec<String> {
    read(packet).0
}

/// The keywords and title like [`keywords`], and what is wrong with a broken packet.
pub(super) fn read(packet: &[u8]) -> (Vec<String>, Option<String>) {
    let packet = String::from_utf8_lossy(packet);
    let mut reader = Reader::from_str(&packet);
    let mut keywords: Vec<String> = Vec::new();
    let (mut in_property, mut in_item) = (false, false);
    let mut item = String::new();
    let mut depth = 0_usize;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                depth += 1;
                let name = tag.local_name();
                in_property |= PROPERTIES.contains(&name.as_ref());
                if in_property && name.as_ref() == "li" {
                    in_item = true;
                    item.clear();
                }
            }
            Ok(Event::Text(text)) if in_item => {
                item.push_str(&text);
            }
            Ok(Event::GeneralRef(reference)) if in_item => {
                item.extend(character(&reference));
            }
            Ok(Event::End(tag)) => {
                depth = depth.saturating_sub(1);
                let name = tag.local_name();
                if in_item && name.as_ref() == "li" {
                    in_item = false;
                    let words: Vec<&str> = item.split_whitespace().collect();
                    let keyword = words.join(" ");
                    let is_new = !keyword.is_empty() && !keywords.contains(&keyword);
                    if is_new && keyword.len() <= LONGEST {
                        keywords.push(keyword);
                    }
                }
                in_property &= !PROPERTIES.contains(&name.as_ref());
            }
            Ok(Event::Eof) => {
                let is_cut = depth > 0;
                return (keywords, is_cut.then(|| "it ends early".to_owned()));
            }
            Err(error) => return (keywords, Some(error.to_string())),
            Ok(_) => {}
        }
    }
}

/// The character of an entity or character reference such as `&amp;` or `&#233;`.
fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/">
          <dc:title><rdf:Alt><rdf:li xml:lang="x-default">At the
             sea</rdf:li></rdf:Alt></dc:title>
          <dc:creator><rdf:Seq><rdf:li>Nobody</rdf:li></rdf:Seq></dc:creator>
          <dc:subject><rdf:Bag><rdf:li>Sun &amp; sand</rdf:li><rdf:li>Caf&#233;</rdf:li><rdf:li/><rdf:li>Caf&#233;</rdf:li></rdf:Bag></dc:subject>
          <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Italy</rdf:li></rdf:Bag></lr:hierarchicalSubject>
        </rdf:Description></rdf:RDF></x:xmpmeta>"#;

    #[test]
    fn keywords_and_title_are_read() {
        assert_eq!(
            keywords(PACKET.as_bytes()),
            ["At the sea", "Sun & sand", "Café", "Places|Italy"]
        );
    }

    #[test]
    fn the_keywords_before_an_error_are_read() {
        let cut = PACKET.find("</lr:").unwrap();
        assert_eq!(keywords(&PACKET.as_bytes()[..cut]).len(), 4);
        assert_eq!(keywords(b"\0\xff<<>"), [] as [&str; 0]);
        let long = format!("<subject><li>{}</li></subject>", "x".repeat(1000));
        assert_eq!(keywords(long.as_bytes()), [] as [&str; 0]);
    }
}
