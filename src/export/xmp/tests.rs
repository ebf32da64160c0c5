use super::*;
use crate::imaging::embedded_xmp;

fn set(emotions: &[Emotion]) -> EmotionSet {
    emotions.iter().copied().collect()
}

/// The packet with these emotions, as text.
fn with(packet: &str, emotions: &[Emotion]) -> Result<Option<String>, String> {
    let with = with_emotions(packet.as_bytes(), set(emotions), &|| false)?;
    Ok(with.map(|bytes| String::from_utf8(bytes).unwrap()))
}

/// A packet with these descriptions.
fn packet(descriptions: &str) -> String {
    format!(
        "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
         xmlns:d='http://purl.org/dc/elements/1.1/'>{descriptions}</r:RDF>"
    )
}

const HAPPY: &[Emotion] = &[Emotion::Happy];

#[test]
fn a_new_sidecar_has_all_three_conventions() {
    let packet = with(EMPTY, HAPPY).unwrap().unwrap();
    for part in [
        "<dc:subject><rdf:Bag><rdf:li>Happy</rdf:li></rdf:Bag></dc:subject>",
        "<lr:hierarchicalSubject><rdf:Bag><rdf:li>Emotion|Happy</rdf:li>",
        "<digiKam:TagsList><rdf:Seq><rdf:li>Emotion/Happy</rdf:li>",
    ] {
        assert!(packet.contains(part), "{packet}");
    }
    assert_eq!(
        with(&packet, HAPPY),
        Ok(None),
        "a second run changes nothing"
    );
}

const FOREIGN: &str = r#"<?xml version="1.0"?><!-- kept --><x:xmpmeta xmlns:x='adobe:ns:meta/'>
 <r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <r:Description r:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5" xmlns:d="http://purl.org/dc/elements/1.1/">
   <d:subject>
    <r:Bag>
     <r:li>Sun &amp; sand</r:li>
     <r:li>Happy</r:li>
    </r:Bag>
   </d:subject>
   <unknown xmlns="urn:x"><![CDATA[<raw>]]></unknown>
  </r:Description>
 </r:RDF>
</x:xmpmeta>"#;

#[test]
fn everything_else_in_a_sidecar_is_kept() {
    let packet = with(FOREIGN, &[Emotion::Sad]).unwrap().unwrap();
    for part in [
        "<!-- kept -->",
        "xmp:Rating=\"5\"",
        "<r:li>Sun &amp; sand</r:li>",
        "<![CDATA[<raw>]]>",
        "<r:li>Happy</r:li>\n     <r:li>Sad</r:li>\n    </r:Bag>",
        // The user's own keyword.
        "<r:li>Happy</r:li>",
    ] {
        assert!(packet.contains(part), "{part} in {packet}");
    }
    // A hierarchical list would hide the user's keywords.
    assert!(!packet.contains("Emotion"), "{packet}");
    assert_eq!(packet.matches("d:subject").count(), 2, "{packet}");
}

#[test]
fn keywords_that_no_longer_apply_are_removed() {
    let both = with(FOREIGN, &[Emotion::Sad, Emotion::Fear])
        .unwrap()
        .unwrap();
    let one = with(&both, &[Emotion::Fear]).unwrap().unwrap();
    assert!(
        !one.contains("Sad") && one.contains("<r:li>Fear</r:li>"),
        "{one}"
    );
    let none = with(&one, &[]).unwrap().unwrap();
    assert!(
        !none.contains("Fear") && none.contains("Sun &amp; sand"),
        "{none}"
    );
}

/// Descriptions before and after Happy is added; `…` stands for the hierarchical keywords, `!` for the list of those that are
/// flat alone, since others are.
const FORMS: [(&str, &str); 9] = [
    (
        "<r:Description d:subject='a &amp; b'></r:Description>",
        "<r:Description><d:subject><r:Bag><r:li>a &amp; b</r:li><r:li>Happy</r:li></r:Bag></d:subject>!</r:Description>",
    ),
    (
        "<r:Description d:subject='a'/>",
        "<r:Description/><r:Description r:about=\"\" xmlns:ferIndex=…><d:subject><r:Bag><r:li>a</r:li>\
         <r:li>Happy</r:li></r:Bag></d:subject>!</r:Description>",
    ),
    (
        "<r:Description><d:subject>a<!-- b --></d:subject></r:Description>",
        "<r:Description><d:subject><r:Bag><r:li>a<!-- b --></r:li><r:li>Happy</r:li></r:Bag></d:subject>!</r:Description>",
    ),
    (
        "<r:Description><d:subject/></r:Description>",
        "<r:Description><d:subject><r:Bag><r:li>Happy</r:li></r:Bag></d:subject>…</r:Description>",
    ),
    (
        "<r:Description><d:subject><r:Seq /></d:subject></r:Description>",
        "<r:Description><d:subject><r:Seq ><r:li>Happy</r:li></r:Seq></d:subject>…</r:Description>",
    ),
    (
        "<r:Description>\n <d:subject><r:Bag>\n  <r:li>a</r:li>\n </r:Bag></d:subject>\n</r:Description>",
        "<r:Description>\n <d:subject><r:Bag>\n  <r:li>a</r:li>\n  <r:li>Happy</r:li>\n </r:Bag></d:subject>\n !\n\
         </r:Description>",
    ),
    // A field of a structure is not a property.
    (
        "<r:Description><h xmlns='urn:h' r:parseType='Resource'><d:subject>Happy</d:subject></h></r:Description>",
        "<r:Description><h xmlns='urn:h' r:parseType='Resource'><d:subject>Happy</d:subject></h>\
         <d:subject><r:Bag><r:li>Happy</r:li></r:Bag></d:subject>…</r:Description>",
    ),
    // The property occurs twice, as earlier versions left it.
    (
        "<r:Description><d:subject><r:Bag><r:li>a</r:li></r:Bag></d:subject></r:Description>\
         <r:Description><d:subject><r:Bag><r:li>b</r:li></r:Bag></d:subject></r:Description>",
        "<r:Description><d:subject><r:Bag><r:li>a</r:li><r:li>Happy</r:li></r:Bag></d:subject>!</r:Description>\
         <r:Description><d:subject><r:Bag><r:li>b</r:li></r:Bag></d:subject></r:Description>",
    ),
    (
        "",
        "<r:Description r:about=\"\" xmlns:lr=… xmlns:digiKam=…><d:subject><r:Bag><r:li>Happy</r:li></r:Bag>\
         </d:subject>…</r:Description>",
    ),
];

#[test]
fn each_form_becomes_a_list_and_keeps_the_rest() {
    let lr = "xmlns:lr=\"http://ns.adobe.com/lightroom/1.0/\"";
    let digikam = "xmlns:digiKam=\"http://www.digikam.org/ns/1.0/\"";
    let own = "xmlns:ferIndex=\"urn:fer-index:xmp#\"";
    for (before, after) in FORMS {
        let blank = if before.contains('\n') { "\n " } else { "" };
        // Namespaces are declared on a new description, or else on the properties.
        let (on_lr, on_digikam) = if after.contains("xmlns:lr=…") {
            (String::new(), String::new())
        } else {
            (format!(" {lr}"), format!(" {digikam}"))
        };
        let hierarchical = format!(
            "<lr:hierarchicalSubject{on_lr}><r:Bag><r:li>Emotion|Happy</r:li></r:Bag></lr:hierarchicalSubject>\
             {blank}<digiKam:TagsList{on_digikam}><r:Seq><r:li>Emotion/Happy</r:li></r:Seq></digiKam:TagsList>"
        );
        let marked = if after.contains("xmlns:ferIndex=…") {
            String::new()
        } else {
            format!(" {own}")
        };
        let marked = format!(
            "<ferIndex:Exported{marked}><r:Bag><r:li>Happy</r:li></r:Bag></ferIndex:Exported>"
        );
        let expected = after
            .replace("<!--", "<COMMENT")
            .replace('!', &marked)
            .replace("<COMMENT", "<!--")
            .replace("xmlns:ferIndex=…", own)
            .replace("xmlns:lr=…", lr)
            .replace("xmlns:digiKam=…", digikam)
            .replace('…', &hierarchical);
        let found = with(&packet(before), HAPPY);
        assert_eq!(found, Ok(Some(packet(&expected))), "{before}");
    }
}

#[test]
fn prefixes_that_mean_something_else_are_not_used() {
    let foreign = "<dc:RDF xmlns:dc='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
        <dc:Description xmlns:lr='urn:lr'><lr:x/></dc:Description></dc:RDF>";
    let after = with(foreign, HAPPY).unwrap().unwrap();
    for part in [
        "<dc2:subject xmlns:dc2=\"http://purl.org/dc/elements/1.1/\"><dc:Bag><dc:li>Happy</dc:li>",
        "<lr2:hierarchicalSubject xmlns:lr2=\"http://ns.adobe.com/lightroom/1.0/\">",
    ] {
        assert!(after.contains(part), "{after}");
    }
    // RDF without a prefix: attributes need one.
    let bare = "<RDF xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>";
    let after = with(bare, HAPPY).unwrap().unwrap();
    let start = "<RDF xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
        rdf:about=\"\" xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:dc=";
    assert!(after.starts_with(start), "{after}");
    assert_eq!(with(&after, HAPPY), Ok(None));
}

#[test]
fn a_word_of_the_person_stays_when_the_emotion_goes() {
    let own = packet(
        "<r:Description><d:subject><r:Bag><r:li>Happy</r:li></r:Bag></d:subject></r:Description>",
    );
    assert_eq!(with(&own, HAPPY), Ok(None));
    let in_hierarchies = packet(
        "<r:Description xmlns:k='http://www.digikam.org/ns/1.0/' xmlns:l='http://ns.adobe.com/lightroom/1.0/'>\
         <d:subject><r:Bag><r:li>Happy</r:li></r:Bag></d:subject><l:hierarchicalSubject><r:Bag><r:li>a</r:li></r:Bag>\
         </l:hierarchicalSubject><k:TagsList><r:Seq><r:li>a</r:li></r:Seq></k:TagsList></r:Description>",
    );
    let both = with(&in_hierarchies, HAPPY).unwrap().unwrap();
    assert!(
        both.contains("Emotion|Happy") && !both.contains("Emotion/Happy"),
        "{both}"
    );
    assert_eq!(with(&both, HAPPY), Ok(None));
    assert_eq!(with(&both, &[]), Ok(Some(in_hierarchies)));
    // digiKam has the word as the topmost level of a hierarchy.
    let tagged = packet(
        "<r:Description xmlns:k='http://www.digikam.org/ns/1.0/'><d:subject><r:Bag><r:li>Happy</r:li></r:Bag>\
         </d:subject><k:TagsList><r:Seq><r:li>Happy</r:li></r:Seq></k:TagsList></r:Description>",
    );
    let both = with(&tagged, HAPPY).unwrap().unwrap();
    // No list for Lightroom, which would hide the flat keyword.
    assert!(
        !both.contains("Emotion|Happy") && both.contains("Emotion/Happy"),
        "{both}"
    );
    assert_eq!(with(&both, HAPPY), Ok(None));
    assert_eq!(with(&both, &[]), Ok(Some(tagged)));
}

#[test]
fn a_keyword_with_more_than_a_word_is_neither_doubled_nor_removed() {
    let own = packet(
        "<r:Description><d:subject><r:Bag><r:li xml:lang='en'>Happy</r:li></r:Bag></d:subject></r:Description>",
    );
    assert_eq!(with(&own, HAPPY), Ok(None));
    assert_eq!(with(&own, &[]), Ok(None));
}

#[test]
fn a_sidecar_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("a.jpg");
    fs::write(&photo, "no picture").unwrap();
    let sidecar = folder.path().join("a.xmp");
    let write = |emotions, dry| write_sidecar(&sidecar, &photo, set(emotions), dry).unwrap();
    assert!(!write(&[], false) && !sidecar.exists());
    assert!(write(HAPPY, true) && !sidecar.exists());
    assert!(write(HAPPY, false) && sidecar.exists());
    assert!(!write(HAPPY, false));
}

#[test]
fn a_sidecar_of_a_hundred_levels_is_edited_and_a_deeper_one_refused() {
    // The packet and the description are the first two.
    let deep = |levels: usize| {
        let more = levels - 2;
        let inner = format!(
            "{}{}",
            "<h xmlns='urn:h'>".repeat(more),
            "</h>".repeat(more)
        );
        packet(&format!("<r:Description>{inner}</r:Description>"))
    };
    let edited = with(&deep(100), &[Emotion::Happy]).unwrap().unwrap();
    assert!(edited.contains("Happy") && edited.contains(&"</h>".repeat(98)));
    let refused = with(&deep(101), &[Emotion::Happy]).unwrap_err();
    assert!(refused.contains("too deeply"), "{refused}");
}

/// A JPEG with this packet, if any, and no other metadata.
fn photo_with(packet: Option<&str>) -> Vec<u8> {
    let mut photo = vec![0xff, 0xd8];
    if let Some(packet) = packet {
        let segment = [b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()].concat();
        photo.extend([0xff, 0xe1]);
        photo.extend(u16::try_from(segment.len() + 2).unwrap().to_be_bytes());
        photo.extend(segment);
    }
    let mut picture = std::io::Cursor::new(Vec::new());
    let pixel = image::DynamicImage::new_rgb8(8, 8);
    let format = image::ImageFormat::Jpeg;
    pixel.write_to(&mut picture, format).unwrap();
    photo.extend(&picture.into_inner()[2..]);
    photo
}

/// A packet as Adobe's toolkit writes it, with a rating and keywords.
fn rated(rating: u8, keywords: &[&str]) -> String {
    packet(&format!(
        "\n <r:Description r:about='' xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='{rating}'>\n  <d:subject>\n   <r:Bag>\n    \
         <r:li>{}</r:li>\n   </r:Bag>\n  </d:subject>\n </r:Description>\n",
        keywords.join("</r:li>\n    <r:li>")
    ))
}

/// The ratings in a photo and in its sidecar, and the keywords of the sidecar.
fn stated(photo: &Path) -> (Option<i8>, Option<i8>, Vec<String>) {
    let inside = embedded_xmp(&fs::read(photo).unwrap()).unwrap_or_default();
    let inside = crate::facts::of_xmp(&xmp::Packet::parse(inside.as_bytes()).0);
    let sidecars = crate::imaging::read_sidecars(photo, &crate::sidecar::Finder::default());
    let beside = &sidecars[0].statements;
    let rating = |statements: &crate::facts::Statements| Some(statements.ratings.first()?.value);
    let keywords = beside.keywords.iter();
    let keywords = keywords.map(|keyword| keyword.value.clone()).collect();
    (rating(&inside), rating(beside), keywords)
}

struct Album(tempfile::TempDir);

impl Album {
    fn new(packet: Option<&str>) -> Self {
        let album = Self(tempfile::tempdir().unwrap());
        album.set_photo(packet);
        album
    }

    fn photo(&self) -> std::path::PathBuf {
        self.0.path().join("a.jpg")
    }

    fn sidecar(&self) -> std::path::PathBuf {
        self.0.path().join("a.jpg.xmp")
    }

    fn set_photo(&self, packet: Option<&str>) {
        fs::write(self.photo(), photo_with(packet)).unwrap();
    }

    /// A dry run must return the same as the run.
    fn export(&self, emotions: &[Emotion]) -> bool {
        let write = |dry| write_sidecar(&self.sidecar(), &self.photo(), set(emotions), dry);
        let dry = write(true).unwrap();
        assert_eq!(write(false).unwrap(), dry);
        dry
    }

    fn text(&self) -> String {
        fs::read_to_string(self.sidecar()).unwrap()
    }

    /// Another program changes a word in the sidecar.
    fn edit(&self, from: &str, to: &str) {
        let text = self.text();
        assert!(text.contains(from), "{from} in {text}");
        fs::write(self.sidecar(), text.replace(from, to)).unwrap();
    }
}

#[test]
fn a_copy_states_nothing_until_somebody_changes_it_and_then_only_that() {
    let album = Album::new(Some(&rated(2, &["Lake", "Happy"])));
    assert!(album.export(HAPPY));
    for part in ["xmp:Rating='2'", "<r:li>Lake</r:li>", "<r:li>Happy</r:li>"] {
        assert!(album.text().contains(part), "{}", album.text());
    }
    assert_eq!(stated(&album.photo()), (Some(2), None, vec![]));
    assert!(!album.export(HAPPY), "a second run changes nothing");
    album.edit("Rating='2'", "Rating='5'");
    assert_eq!(stated(&album.photo()), (Some(2), Some(5), vec![]));
    // The sidecar then belongs to that program: only the keywords of emotions are updated.
    album.set_photo(Some(&rated(3, &["Boat"])));
    assert!(album.export(&[Emotion::Sad]));
    assert!(album.text().contains("Lake") && album.text().contains("<r:li>Sad</r:li>"));
    assert_eq!(stated(&album.photo()), (Some(3), Some(5), vec![]));
    album.edit("<r:li>Lake</r:li>", "<r:li>Sea</r:li>");
    let keywords = ["Sea", "Happy"].map(str::to_owned).to_vec();
    assert_eq!(stated(&album.photo()), (Some(3), Some(5), keywords));
}

#[test]
fn a_copy_follows_the_photo_and_goes_with_the_last_emotion() {
    let album = Album::new(Some(&rated(2, &["Lake"])));
    assert!(album.export(HAPPY));
    album.set_photo(Some(&rated(4, &["Boat"])));
    assert_eq!(stated(&album.photo()), (Some(4), None, vec![]));
    assert!(album.export(HAPPY));
    assert!(album.text().contains("Rating='4'") && !album.text().contains("Lake"));
    assert!(!album.export(HAPPY));
    // The last copy of the packet is kept.
    album.set_photo(None);
    assert!(!album.export(HAPPY));
    album.set_photo(Some(&rated(4, &["Boat"])));
    assert!(album.export(&[]) && !album.sidecar().exists());
    // The same for a photo without a packet.
    album.set_photo(None);
    assert!(album.export(HAPPY) && album.export(&[]) && !album.sidecar().exists());
}

#[test]
fn a_copy_of_an_earlier_version_gets_its_list() {
    let album = Album::new(Some(&rated(2, &["Lake"])));
    let before = with(&rated(2, &["Lake"]), HAPPY).unwrap().unwrap();
    fs::write(album.sidecar(), &before).unwrap();
    assert_eq!(stated(&album.photo()).1, Some(2));
    assert!(album.export(HAPPY));
    assert_eq!(stated(&album.photo()).1, None);
    // A sidecar that another program has changed is kept.
    let other = before.replace("Lake", "Sea");
    fs::write(album.sidecar(), &other).unwrap();
    assert!(!album.export(HAPPY));
    assert_eq!(album.text(), other);
    assert!(album.export(&[]));
    assert_eq!(album.text(), rated(2, &["Sea"]));
}

#[test]
fn a_sidecar_that_begins_with_two_byte_order_marks_is_left_alone() {
    let one = format!("\u{feff}{}", rated(2, &["Lake"]));
    assert!(with(&one, HAPPY).unwrap().is_some());
    for text in [format!("\u{feff}{one}"), "\u{feff}\u{feff}text".to_owned()] {
        let refused = with(&text, HAPPY).unwrap_err();
        assert!(refused.contains("two byte order marks"), "{refused}");
    }
}

#[test]
fn a_sidecar_with_a_nul_character_is_left_alone() {
    let refused = with(&format!("\0\0\0{}", rated(2, &["Lake"])), HAPPY).unwrap_err();
    assert!(refused.contains("NUL"), "{refused}");
}

/// The lists of keywords in a packet: flat, Lightroom's and digiKam's, and those that are ours.
fn lists(packet: &str) -> [Vec<String>; PROPERTIES.len()] {
    let (packet, damage) = xmp::Packet::parse(packet.as_bytes());
    assert_eq!(damage, None);
    PROPERTIES.each_ref().map(|property| {
        let namespace = property.namespace.trim_end_matches(['/', '#']);
        let items = packet
            .get(namespace, property.name)
            .map_or(&[][..], Node::all);
        items.iter().map(|item| item.text.clone()).collect()
    })
}

#[test]
fn no_list_hides_keywords_of_a_list_after_it() {
    // Flat keywords, Lightroom's and digiKam's, before and after Happy.
    for (before, after) in [
        (
            [&[][..], &[], &[]],
            [&["Happy"][..], &["Emotion|Happy"], &["Emotion/Happy"], &[]],
        ),
        (
            [&["Roma"], &[], &[]],
            [&["Roma", "Happy"], &[], &[], &["Happy"]],
        ),
        (
            [&["Roma"], &["Places|Roma"], &[]],
            [
                &["Roma", "Happy"],
                &["Places|Roma", "Emotion|Happy"],
                &[],
                &["Happy"],
            ],
        ),
        (
            [&["Roma"], &[], &["Places/Roma"]],
            [
                &["Roma", "Happy"],
                &[],
                &["Places/Roma", "Emotion/Happy"],
                &["Happy"],
            ],
        ),
        (
            [&["Roma"], &["Places|Roma"], &["Places/Roma"]],
            [
                &["Roma", "Happy"],
                &["Places|Roma", "Emotion|Happy"],
                &["Places/Roma", "Emotion/Happy"],
                &[],
            ],
        ),
        (
            [&[], &[], &["Places/Roma"]],
            [
                &["Happy"],
                &["Emotion|Happy"],
                &["Places/Roma", "Emotion/Happy"],
                &[],
            ],
        ),
    ] {
        let written = |at: usize| {
            let Property {
                prefix,
                name,
                namespace,
                ..
            } = &PROPERTIES[at];
            let items = before[at].join("</r:li><r:li>");
            if items.is_empty() {
                return String::new();
            }
            format!(
                "<{prefix}:{name} xmlns:{prefix}='{namespace}'><r:Bag><r:li>{items}</r:li></r:Bag></{prefix}:{name}>"
            )
        };
        let all = [FLAT, LIGHTROOM, DIGIKAM].map(written).concat();
        let own = packet(&format!("<r:Description><r:x>1</r:x>{all}</r:Description>"));
        let with_happy = with(&own, HAPPY).unwrap().unwrap();
        assert_eq!(
            lists(&with_happy),
            after.map(|words| words.iter().map(ToString::to_string).collect::<Vec<_>>())
        );
        assert_eq!(with(&with_happy, HAPPY), Ok(None), "{with_happy}");
        assert_eq!(with(&with_happy, &[]), Ok(Some(own)));
    }
}

#[test]
fn lists_that_hide_keywords_since_an_earlier_export_are_removed() {
    let earlier = packet(
        "<r:Description xmlns:k='http://www.digikam.org/ns/1.0/' xmlns:l='http://ns.adobe.com/lightroom/1.0/'>\
         <d:subject><r:Bag><r:li>Roma</r:li><r:li>Happy</r:li></r:Bag></d:subject><l:hierarchicalSubject><r:Bag>\
         <r:li>Emotion|Happy</r:li></r:Bag></l:hierarchicalSubject><k:TagsList><r:Seq><r:li>Emotion/Happy</r:li>\
         </r:Seq></k:TagsList></r:Description>",
    );
    let now = with(&earlier, HAPPY).unwrap().unwrap();
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [words(&["Roma", "Happy"]), vec![], vec![], words(HAPPY_WORD)];
    assert_eq!(lists(&now), expected);
    let withdrawn = with(&now, &[]).unwrap().unwrap();
    assert_eq!(
        lists(&withdrawn),
        [words(&["Roma"]), vec![], vec![], vec![]]
    );
}

const HAPPY_WORD: &[&str] = &["Happy"];

#[test]
fn keywords_that_are_only_in_the_photo_are_hidden_by_no_list() {
    let album = Album::new(Some(&rated(2, &["Roma"])));
    // The sidecar of another program, which does not copy the keywords.
    let other = packet("<r:Description><r:x>1</r:x></r:Description>");
    fs::write(album.sidecar(), &other).unwrap();
    assert!(album.export(HAPPY) && !album.export(HAPPY));
    assert!(!album.text().contains("Emotion"), "{}", album.text());
    assert!(album.export(&[]));
    assert_eq!(album.text(), other);
}
