use jiff::civil::date;

use super::*;

fn date_in_words(stated: Option<StatedDate>) -> String {
    let Some(stated) = stated else {
        return "none".to_owned();
    };
    let moment = match stated.moment {
        Moment::Local { local, .. } => local.to_string(),
        Moment::Instant { utc } => utc.to_string(),
    };
    match stated.precision {
        Precision::Second => moment,
        Precision::Day => moment[..10].to_owned(),
        Precision::Month => moment[..7].to_owned(),
        Precision::Year => moment[..4].to_owned(),
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of names")]
fn files_are_named_by_phones_messengers_and_programs() {
    for (name, expected) in [
        ("IMG-20190714-WA0003.jpg", "2019-07-14"),
        ("VID-20190714-WA0003.jpg", "2019-07-14"),
        ("PXL_20190714_123456789.jpg", "2019-07-14T12:34:56.789Z"),
        (
            "PXL_20190714_123456789.MP~2.jpg",
            "2019-07-14T12:34:56.789Z",
        ),
        (
            "PXL_20190714_123456789.PORTRAIT.jpg",
            "2019-07-14T12:34:56.789Z",
        ),
        ("IMG_20190714_153000.jpg", "2019-07-14T15:30:00"),
        ("IMG_20190714_153000_1.jpg", "2019-07-14T15:30:00"),
        ("IMG_20190714_153000_HDR.jpg", "2019-07-14T15:30:00"),
        ("IMG_20190714_153000123.jpg", "2019-07-14T15:30:00.123"),
        ("MVIMG_20190714_153000.jpg", "2019-07-14T15:30:00"),
        ("DSC_20190714_153000.jpg", "2019-07-14T15:30:00"),
        ("20190714_153000.jpg", "2019-07-14T15:30:00"),
        ("20190714_153000(0).jpg", "2019-07-14T15:30:00"),
        ("20190714153000.jpg", "2019-07-14T15:30:00"),
        (
            "00000IMG_00000_BURST20190714153000123_COVER.jpg",
            "2019-07-14T15:30:00.123",
        ),
        ("Screenshot_2019-07-14-15-30-00.png", "2019-07-14T15:30:00"),
        (
            "Screenshot_2019-07-14-15-30-00-123_com.app.png",
            "2019-07-14T15:30:00",
        ),
        (
            "Screenshot_20190714-153000_Chrome.jpg",
            "2019-07-14T15:30:00",
        ),
        (
            "Screenshot 2019-07-14 at 15.30.00.png",
            "2019-07-14T15:30:00",
        ),
        (
            "Screen Shot 2019-07-14 at 3.30.00 PM.png",
            "2019-07-14T15:30:00",
        ),
        (
            "Screenshot 2019-07-14 at 12.30.00\u{202f}AM.png",
            "2019-07-14T00:30:00",
        ),
        (
            "Screenshot from 2019-07-14 15-30-00.png",
            "2019-07-14T15:30:00",
        ),
        ("signal-2019-07-14-153000.jpg", "2019-07-14T15:30:00"),
        ("signal-2019-07-14-15-30-00-123.jpg", "2019-07-14T15:30:00"),
        (
            "WhatsApp Image 2019-07-14 at 15.30.00.jpeg",
            "2019-07-14T15:30:00",
        ),
        (
            "WhatsApp Image 2019-07-14 at 15.30.00 (1).jpeg",
            "2019-07-14T15:30:00",
        ),
        ("photo_2019-07-14_15-30-00.jpg", "2019-07-14T15:30:00"),
        ("photo_2019-07-14_15-30-00 (2).jpg", "2019-07-14T15:30:00"),
        ("photo_1@14-07-2019_15-30-00.jpg", "2019-07-14T15:30:00"),
        ("2019-07-14 15.30.00.jpg", "2019-07-14T15:30:00"),
        ("2019-07-14T15:30:00.jpg", "2019-07-14T15:30:00"),
        ("C360_2019-07-14-15-30-00-123.jpg", "2019-07-14T15:30:00"),
        ("FB_IMG_1563109200123.jpg", "2019-07-14T13:00:00.123Z"),
        ("mmexport1563109200123.jpg", "2019-07-14T13:00:00.123Z"),
        ("1563109200123.jpg", "2019-07-14T13:00:00.123Z"),
        ("20190714T233000Z.jpg", "2019-07-14T23:30:00Z"),
        // Of Instaloader, also of several pictures of a post.
        ("2019-07-14_22-30-00_UTC.jpg", "2019-07-14T22:30:00Z"),
        ("2019-07-14_22-30-00_UTC_1.jpg", "2019-07-14T22:30:00Z"),
        ("20190714-223000 utc.jpg", "2019-07-14T22:30:00Z"),
        ("2019-07-14_22-30-00_UTC+2.jpg", "2019-07-14T22:30:00"),
        ("2019-07-14_22-30-00_UTC-0500.jpg", "2019-07-14T22:30:00"),
        ("2019-07-14_22-30-00_UTCS.jpg", "2019-07-14T22:30:00"),
        // Something before the name that the phone or the messenger gave.
        (
            "original_1234_PXL_20190714_123456789.jpg",
            "2019-07-14T12:34:56.789Z",
        ),
        (
            "Copy of PXL_20190714_123456789.jpg",
            "2019-07-14T12:34:56.789Z",
        ),
        ("pxl_20190714_123456789.jpg", "2019-07-14T12:34:56.789Z"),
        (
            "original_1234_mmexport1563109200123.jpg",
            "2019-07-14T13:00:00.123Z",
        ),
        (
            "Copy of FB_IMG_1563109200123.jpg",
            "2019-07-14T13:00:00.123Z",
        ),
        ("XPXL_20190714_123456789.jpg", "2019-07-14T12:34:56.789"),
        ("2019-07-13 mmexport1563109200123.jpg", "2019-07-13"),
        ("scan_1563109200123.jpg", "none"),
        ("20190714T233000Z_1.jpg", "2019-07-14T23:30:00Z"),
        ("20190714T233000.jpg", "2019-07-14T23:30:00"),
        ("20190714T233000Zebra.jpg", "none"),
        ("Scan 2019-07-14.jpg", "2019-07-14"),
        ("2019.07.14 Birthday.jpg", "2019-07-14"),
        ("IMG_20190714_0003.jpg", "2019-07-14"),
        ("IMG_20190714_253000.jpg", "2019-07-14"),
        ("19450508 Grandmother.jpg", "1945-05-08"),
    ] {
        let today = date(2026, 1, 1);
        assert_eq!(
            date_in_words(date_in_file_name(Path::new(name), today)),
            expected,
            "{name}"
        );
    }
}

#[test]
fn screenshots_are_named_in_several_languages() {
    for (name, expected) in [
        (
            "Bildschirmfoto 2019-07-14 um 12.30.00.png",
            "2019-07-14T12:30:00",
        ),
        (
            "Capture d’écran 2019-07-14 à 12.30.00.png",
            "2019-07-14T12:30:00",
        ),
        (
            "Capture d’e\u{301}cran 2019-07-14 a\u{300} 12.30.00.png",
            "2019-07-14T12:30:00",
        ),
        (
            "Schermata 2019-07-14 alle 12.30.00.png",
            "2019-07-14T12:30:00",
        ),
        (
            "Captura de pantalla 2019-07-14 a las 12.30.00.png",
            "2019-07-14T12:30:00",
        ),
        (
            "Skærmbillede 2019-07-14 kl. 12.30.00.png",
            "2019-07-14T12:30:00",
        ),
    ] {
        let today = date(2026, 1, 1);
        assert_eq!(
            date_in_words(date_in_file_name(Path::new(name), today)),
            expected,
            "{name}"
        );
    }
}

#[test]
fn a_random_number_is_no_date() {
    for name in [
        "DSC02019.jpg",
        "IMG_0714.jpg",
        "12345678.jpg",
        "20191314.jpg",
        "20190230.jpg",
        "29990714.jpg",
        "18250714.jpg",
        "201907141.jpg",
        "5f20190714a1.jpg",
        "e3b20190714c44298fc1c149afbf4c8996fb.jpg",
        "0a20190714-0000.jpg",
        "4006381333931.jpg",
        "1234567890123456.jpg",
        "received_10156310920012345.jpg",
        "1920x1080.jpg",
        "2019.jpg",
        "P1010019.jpg",
        "156310920012.jpg",
        "9999999999999.jpg",
        "Café 2019-7-4.jpg",
    ] {
        let today = date(2026, 1, 1);
        assert_eq!(
            date_in_words(date_in_file_name(Path::new(name), today)),
            "none",
            "{name}"
        );
    }
}

#[test]
fn the_day_of_a_conflict_is_no_date() {
    for (name, expected) in [
        (
            "IMG-20190714-WA0003.sync-conflict-20210304-101112-ABCDEFG.jpg",
            "2019-07-14",
        ),
        (
            "20190714_153000.sync-conflict-20210304-101112-ABCDEFG.jpg",
            "2019-07-14T15:30:00",
        ),
        (
            "2019-07-14.sync-conflict-20210304-101112-ABCDEFG.sync-conflict-20220405-111213-HIJKLMN.jpg",
            "2019-07-14",
        ),
        (
            "2019-07-14.sync-conflict-20210304-101112.edited.jpg",
            "2019-07-14",
        ),
        ("IMG_1234.sync-conflict-20210304-101112-ABCDEFG.jpg", "none"),
        ("IMG_1234_conflict-20210304-101112.jpg", "none"),
        ("IMG_1234_conflict-anna-20210304-101112 (1).jpg", "none"),
        (
            "IMG-20190714-WA0003 (conflicted copy 2021-03-04 101112).jpg",
            "2019-07-14",
        ),
        (
            "IMG_1234 (conflicted copy anna 2021-03-04 101112).jpg",
            "none",
        ),
        ("IMG_1234 (Anna's conflicted copy 2021-03-04).jpg", "none"),
        (
            "IMG_1234 (Anna's (work) conflicted copy 2021-03-04 (1)) (2).jpg",
            "none",
        ),
        (
            "IMG_1234 (Annas PC's in Konflikt stehende Kopie 2021-03-04).jpg",
            "none",
        ),
        ("IMG_1234 (Copie en conflit de Anna 2021-03-04).jpg", "none"),
        ("IMG_1234 (Anna の競合コピー 2021-03-04).jpg", "none"),
        (
            "20190714_153000 (SFConflict anna@example.org 2021-03-04-10-11-12).jpg",
            "2019-07-14T15:30:00",
        ),
        (
            "FB_IMG_1563109200123 (conflict 2021-03-04).jpg",
            "2019-07-14T13:00:00.123Z",
        ),
        (
            "IMG-20190714-WA0003 (case clash from 2021-03-04 101112).jpg",
            "2019-07-14",
        ),
        (
            "IMG-20190714-WA0003 (# Name clash 2021-03-04 d8tp1zC #).jpg",
            "2019-07-14",
        ),
        // What people write stays.
        ("Damaskus (Syria conflict 2012-07-14).jpg", "2012-07-14"),
        ("War [Falklands conflict, 1982-06-14].jpg", "1982-06-14"),
        ("conflict-20210304.jpg", "2021-03-04"),
        ("family_conflict-2021-03-04.jpg", "2021-03-04"),
        ("Konflikt 2021-03-04 (Scan).jpg", "2021-03-04"),
        ("(conflicted copy 2021-03-04.jpg", "2021-03-04"),
        ("Scan (2021-03-04).jpg", "2021-03-04"),
    ] {
        let today = date(2026, 1, 1);
        assert_eq!(
            date_in_words(date_in_file_name(Path::new(name), today)),
            expected,
            "{name}"
        );
    }
    for (path, expected) in [
        (
            "/a/2015 Summer (Anna's conflicted copy 2021-03-04)/1.jpg",
            "2015",
        ),
        (
            "/a/2015/Trip (conflicted copy 2021-03-04 101112)/1.jpg",
            "2015",
        ),
    ] {
        let today = date(2026, 1, 1);
        assert_eq!(
            date_in_words(date_in_folder_names(Path::new(path), today)),
            expected,
            "{path}"
        );
    }
}

#[test]
fn folders_are_named_to_the_precision_that_people_know() {
    for (path, expected) in [
        ("/a/2019-07 Italy/1.jpg", "2019-07"),
        ("/a/2019/07/14/1.jpg", "2019-07-14"),
        ("/a/2019/07/1.jpg", "2019-07"),
        ("/a/2019/07 July/1.jpg", "2019-07"),
        ("/a/2019/1.jpg", "2019"),
        ("/a/2019/Italy/1.jpg", "2019"),
        ("/a/2019/2019-07-14 Birthday/1.jpg", "2019-07-14"),
        ("/a/2019-07/14/1.jpg", "2019-07-14"),
        ("/a/20190714/1.jpg", "2019-07-14"),
        ("/a/20190714Italy/1.jpg", "2019-07-14"),
        ("/a/20190714a/1.jpg", "2019-07-14"),
        ("/a/20190714北京/1.jpg", "2019-07-14"),
        ("/a/20190714_1530 Party/1.jpg", "2019-07-14"),
        ("/a/20190714153000/1.jpg", "2019-07-14"),
        ("/a/20190714T1530/1.jpg", "2019-07-14"),
        ("/a/20190714T153000Z/1.jpg", "2019-07-14"),
        ("/a/2019-07-14a/1.jpg", "2019-07-14"),
        ("/a/2019-07-14T15-30/1.jpg", "2019-07-14"),
        // Hashes and numbers.
        ("/a/20190714abcd12/1.jpg", "none"),
        ("/a/20190714999999/1.jpg", "none"),
        ("/2018/20190714abcd12/1.jpg", "2018"),
        ("/a/2019_07_14/1.jpg", "2019-07-14"),
        ("/a/201907/1.jpg", "2019-07"),
        ("/Photos from 2019/1.jpg", "2019"),
        ("/a/Italy 2019/1.jpg", "2019"),
        ("/a/Summer (2019)/1.jpg", "2019"),
        ("/a/2019-06 to 2019-08/1.jpg", "2019"),
        ("/a/2018-2020/1.jpg", "none"),
        ("/a/user1999/1.jpg", "none"),
        ("/a/1920x1080/1.jpg", "none"),
        ("/a/100CANON/1.jpg", "none"),
        ("/a/07/1.jpg", "none"),
        ("/a/2019/13/1.jpg", "2019"),
        ("/a/2999/1.jpg", "none"),
        ("/2019/a/b/c/d/1.jpg", "none"),
    ] {
        let today = date(2026, 1, 1);
        assert_eq!(
            date_in_words(date_in_folder_names(Path::new(path), today)),
            expected,
            "{path}"
        );
    }
}

#[test]
fn the_day_of_an_export_is_no_date() {
    for (path, expected) in [
        (
            "/a/instagram-ada-2024-05-01-xYz123/media/other/1.jpg",
            "none",
        ),
        (
            "/a/instagram-ada_l-2024-05-01-xYz123 (1)/media/1.jpg",
            "none",
        ),
        ("/a/facebook-ada.l-2024-05-01-AbC/posts/1.jpg", "none"),
        ("/a/twitter-2024-05-01-0a1b2c/tweets_media/1.jpg", "none"),
        ("/a/ChatExport_2024-05-01/photos/1.jpg", "none"),
        ("/a/ChatExport_2024-05-01 (1)/files/1.jpg", "none"),
        ("/a/DataExport_2024-05-01/photos/1.jpg", "none"),
        ("/a/takeout-20240501T120000Z-001/Takeout/1.jpg", "none"),
        ("/a/takeout-20240501T120000Z-1-001/Takeout/1.jpg", "none"),
        ("/2024/takeout-20240501T120000Z-001/Takeout/1.jpg", "none"),
        // What is in them has dates, as have folders of people.
        (
            "/takeout-20240501T120000Z-001/Takeout/Photos from 2019/1.jpg",
            "2019",
        ),
        ("/a/instagram-ada-2024-05-01-xYz123/201907/1.jpg", "2019-07"),
        ("/a/takeout-2019/1.jpg", "2019"),
        ("/a/Takeout dinner 2019-07-14/1.jpg", "2019-07-14"),
        ("/a/facebook-party-2019-07-14/1.jpg", "2019-07-14"),
        ("/a/facebook-2019-07-14-at the lake/1.jpg", "2019-07-14"),
        ("/a/facebook-2019-07-14-Lake/1.jpg", "2019-07-14"),
        ("/a/Instagram 2019-07-14/1.jpg", "2019-07-14"),
    ] {
        let found = date_in_folder_names(Path::new(path), date(2026, 1, 1));
        assert_eq!(date_in_words(found), expected, "{path}");
    }
}
