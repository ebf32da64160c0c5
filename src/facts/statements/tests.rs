use jiff::civil::date;

use super::*;

#[test]
fn a_source_states_a_fact_sixteen_times_at_most() {
    let mut statements = Statements::default();
    for number in 0..=MAX_STATEMENTS_OF_A_FACT {
        let local = date(2000 + number as i16, 1, 1).at(0, 0, 0, 0);
        let moment = Moment::Local {
            local,
            offset: None,
        };
        statements.add_date(moment, Precision::Second, DateSource::Exif);
        let at = GeoPoint {
            latitude: 1.0 + number as f64,
            longitude: 1.0,
        };
        statements.add_position(at, Block::Exif);
        statements.add_camera(&format!("camera {number}"), Block::Exif);
        statements.add_lens(&format!("lens {number}"), Block::Exif);
        statements.add_title(&format!("title {number}"), Block::Xmp);
        statements.add_description(&format!("text {number}"), Block::Xmp);
        statements.add_rating(3, Block::Xmp);
        let lengths = [
            statements.dates.len(),
            statements.positions.len(),
            statements.cameras.len(),
            statements.lenses.len(),
            statements.titles.len(),
            statements.descriptions.len(),
            statements.ratings.len(),
        ];
        assert_eq!(lengths, [(number + 1).min(16); 7]);
    }
}

#[test]
fn statements_are_read_as_they_were_stored() {
    let mut statements = Statements::default();
    assert_eq!(statements.to_json(), format!("{{\"version\":{VERSION}}}"));
    let local = date(2019, 7, 14).at(15, 30, 0, 500_000_000);
    let offset = Offset::from_seconds(19_800).ok();
    for offset in [offset, None] {
        let moment = Moment::Local { local, offset };
        statements.add_date(moment, Precision::Second, DateSource::Exif);
    }
    let utc = Timestamp::from_second(1_563_109_200).unwrap();
    statements.add_date(
        Moment::Instant { utc },
        Precision::Second,
        DateSource::Takeout,
    );
    let moment = Moment::Local {
        local: date(2019, 1, 1).at(0, 0, 0, 0),
        offset: None,
    };
    statements.add_date(moment, Precision::Year, DateSource::Folder);
    let at = GeoPoint {
        latitude: 43.77,
        longitude: 11.25,
    };
    statements.add_position(at, Block::Exif);
    statements.add_camera("Canon EOS 5D", Block::Exif);
    statements.add_lens("EF50mm f/1.8", Block::Exif);
    statements.add_title("At the sea", Block::Xmp);
    statements.add_description("A walk\nby the  sea", Block::Iptc);
    statements.add_keyword("Places|Italy", Block::Xmp);
    statements.add_rating(-1, Block::Xmp);
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
    statements.add_person("Ada", Some(region), Block::Xmp);
    statements.add_person("Bob", None, Block::Takeout);
    assert_eq!(statements.descriptions[0].value, "A walk by the sea");
    assert_eq!(Statements::from_json(&statements.to_json()), statements);
    assert_eq!(Statements::from_json("no JSON"), Statements::default());
}

#[test]
fn what_no_source_means_is_left_out() {
    let mut statements = Statements::default();
    statements.add_title(" \0\n ", Block::Xmp);
    statements.add_keyword(&"x".repeat(MAX_NAME_BYTES + 1), Block::Xmp);
    statements.add_description("OLYMPUS DIGITAL CAMERA         ", Block::Exif);
    statements.add_rating(6, Block::Xmp);
    for (latitude, longitude) in [(0.0, 0.0), (91.0, 0.0), (0.0, 181.0), (f64::NAN, 1.0)] {
        let at = GeoPoint {
            latitude,
            longitude,
        };
        statements.add_position(at, Block::Exif);
    }
    statements.add_person("", None, Block::Xmp);
    assert!(statements.is_empty(), "{statements:?}");
    statements.add_keyword("Lake", Block::Xmp);
    statements.add_keyword(" Lake ", Block::Iptc);
    assert_eq!(statements.keywords.len(), 1);
    for number in 0..2 * MAX_KEYWORDS {
        statements.add_keyword(&number.to_string(), Block::Xmp);
    }
    assert_eq!(statements.keywords.len(), MAX_KEYWORDS);
    statements.add_description(&"é".repeat(MAX_TEXT_BYTES), Block::Xmp);
    assert_eq!(statements.descriptions[0].value.len(), MAX_TEXT_BYTES);
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
        let mut statements = Statements::default();
        statements.add_comment(text);
        assert!(statements.is_empty(), "{text}");
    }
    let mut statements = Statements::default();
    statements.add_comment("Lovely smoke effect here,\r\nof which I'm proud.\0");
    assert_eq!(
        statements.descriptions[0].value,
        "Lovely smoke effect here, of which I'm proud."
    );
    assert_eq!(statements.descriptions[0].by, Block::Jpeg);
}
