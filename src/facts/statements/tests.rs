use jiff::civil::date;

use super::*;

#[test]
fn a_source_states_a_fact_sixteen_times_at_most() {
    let mut said = Statements::default();
    for number in 0..=MOST_OF_A_FACT {
        let local = date(2000 + number as i16, 1, 1).at(0, 0, 0, 0);
        let moment = Moment::Local {
            local,
            offset: None,
        };
        said.date(moment, Precision::Second, DateSource::Exif);
        let at = GeoPoint {
            latitude: 1.0 + number as f64,
            longitude: 1.0,
        };
        said.position(at, Block::Exif);
        said.camera(&format!("camera {number}"), Block::Exif);
        said.lens(&format!("lens {number}"), Block::Exif);
        said.title(&format!("title {number}"), Block::Xmp);
        said.description(&format!("text {number}"), Block::Xmp);
        said.rating(3, Block::Xmp);
        let lengths = [
            said.dates.len(),
            said.positions.len(),
            said.cameras.len(),
            said.lenses.len(),
            said.titles.len(),
            said.descriptions.len(),
            said.ratings.len(),
        ];
        assert_eq!(lengths, [(number + 1).min(16); 7]);
    }
}

#[test]
fn statements_are_read_as_they_were_stored() {
    let mut said = Statements::default();
    assert_eq!(said.to_json(), format!("{{\"version\":{VERSION}}}"));
    let local = date(2019, 7, 14).at(15, 30, 0, 500_000_000);
    let offset = Offset::from_seconds(19_800).ok();
    for offset in [offset, None] {
        let moment = Moment::Local { local, offset };
        said.date(moment, Precision::Second, DateSource::Exif);
    }
    let utc = Timestamp::from_second(1_563_109_200).unwrap();
    said.date(
        Moment::Instant { utc },
        Precision::Second,
        DateSource::Takeout,
    );
    let moment = Moment::Local {
        local: date(2019, 1, 1).at(0, 0, 0, 0),
        offset: None,
    };
    said.date(moment, Precision::Year, DateSource::Folder);
    let at = GeoPoint {
        latitude: 43.77,
        longitude: 11.25,
    };
    said.position(at, Block::Exif);
    said.camera("Canon EOS 5D", Block::Exif);
    said.lens("EF50mm f/1.8", Block::Exif);
    said.title("At the sea", Block::Xmp);
    said.description("A walk\nby the  sea", Block::Iptc);
    said.keyword("Places|Italy", Block::Xmp);
    said.rating(-1, Block::Xmp);
    let region = RegionStatement {
        x: 0.25,
        y: 0.5,
        width: 0.125,
        height: 0.25,
        kind: RegionKind::Mwg,
        applied_to: Some(AppliedTo {
            width: 4000,
            height: 3000,
        }),
    };
    said.person("Ada", Some(region), Block::Xmp);
    said.person("Bob", None, Block::Takeout);
    assert_eq!(said.descriptions[0].value, "A walk by the sea");
    assert_eq!(Statements::from_json(&said.to_json()), said);
    assert_eq!(Statements::from_json("no JSON"), Statements::default());
}

#[test]
fn what_no_source_means_is_left_out() {
    let mut said = Statements::default();
    said.title(" \0\n ", Block::Xmp);
    said.keyword(&"x".repeat(LONGEST_NAME + 1), Block::Xmp);
    said.description("OLYMPUS DIGITAL CAMERA         ", Block::Exif);
    said.rating(6, Block::Xmp);
    for (latitude, longitude) in [(0.0, 0.0), (91.0, 0.0), (0.0, 181.0), (f64::NAN, 1.0)] {
        let at = GeoPoint {
            latitude,
            longitude,
        };
        said.position(at, Block::Exif);
    }
    said.person("", None, Block::Xmp);
    assert!(said.is_empty(), "{said:?}");
    said.keyword("Lake", Block::Xmp);
    said.keyword(" Lake ", Block::Iptc);
    assert_eq!(said.keywords.len(), 1);
    for number in 0..2 * MOST {
        said.keyword(&number.to_string(), Block::Xmp);
    }
    assert_eq!(said.keywords.len(), MOST);
    said.description(&"é".repeat(LONGEST_TEXT), Block::Xmp);
    assert_eq!(said.descriptions[0].value.len(), LONGEST_TEXT);
}

#[test]
fn a_comment_counts_if_a_person_wrote_it() {
    for text in [
        "Created with GIMP",
        "CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n",
        "Lavc57.64.101\0",
        "AppleMark\n",
        "File written by Adobe Photoshop\u{a8} 5.0",
        "\u{1}\u{2}binary",
        "Exif JPEG",
        "",
    ] {
        let mut said = Statements::default();
        said.comment(text);
        assert!(said.is_empty(), "{text}");
    }
    let mut said = Statements::default();
    said.comment("Lovely smoke effect here,\r\nof which I'm proud.\0");
    assert_eq!(
        said.descriptions[0].value,
        "Lovely smoke effect here, of which I'm proud."
    );
    assert_eq!(said.descriptions[0].by, Block::Jpeg);
}
