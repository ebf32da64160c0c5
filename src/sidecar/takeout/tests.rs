use super::*;

/// JSON files and photos, and whether they belong together. Most are from the test cases of immich-go.
const PAIRS: &[(&str, &str, bool)] = &[
    (
        "PXL_20211013_220651983.jpg",
        "PXL_20211013_220651983.jpg",
        true,
    ),
    (
        "PXL_20211013_220651983.jpg",
        "PXL_20211013_220651958.jpg",
        false,
    ),
    (
        "PXL_20220405_090123740.PORTRAIT.jpg",
        "PXL_20220405_090123740.PORTRAIT-modifié.jpg",
        true,
    ),
    (
        "PXL_20220405_090123740.PORTRAIT.jpg",
        "PXL_20220405_090123741.PORTRAIT-modifié.jpg",
        false,
    ),
    ("DSC_0101.JPG(1)", "DSC_0101(1).JPG", true),
    ("DSC_0102.JPG(2)", "DSC_0102(1).JPG", false),
    ("DSC_0103.JPG(1)", "DSC_0103.JPG", false),
    ("DSC_0104.JPG", "DSC_0104(1).JPG", false),
    ("IMG_2710.HEIC(1)", "IMG_2710(1).HEIC", true),
    (
        "PXL_20231118_035751175.MP.jpg",
        "PXL_20231118_035751175.MP.jpg",
        true,
    ),
    (
        "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN",
        "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINA.jpg",
        true,
    ),
    (
        "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jp",
        "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jpg",
        true,
    ),
    (
        "😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋",
        "😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋😛.jpg",
        true,
    ),
    (
        "Backyard_ceremony_wedding_photography_xxxxxxx_(494)",
        "Backyard_ceremony_wedding_photography_xxxxxxx_m(494).jpg",
        true,
    ),
    (
        "Backyard_ceremony_wedding_photography_xxxxxxx_(494)",
        "Backyard_ceremony_wedding_photography_xxxxxxx_m(185).jpg",
        false,
    ),
    (
        "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_",
        "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_P.jpg",
        true,
    ),
    (
        "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_",
        "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_P(1).jpg",
        true,
    ),
    (
        "13039_327707840323_537645323_9470255_27214_n.j(1)",
        "13039_327707840323_537645323_9470255_27214_n(1).jpg",
        true,
    ),
    (
        "20161105_170829.jpg.supplemental-metadata",
        "20161105_170829.jpg",
        true,
    ),
    (
        "Screenshot_20231027_123303_Facebook.jpg.supple",
        "Screenshot_20231027_123303_Facebook.jpg",
        true,
    ),
    (
        "Screenshot_20231027_123303_Facebook.jpg.supple(1)",
        "Screenshot_20231027_123303_Facebook(1).jpg",
        true,
    ),
    (
        "MVIMG_20200207_134534~2.jpg.supplemental-metad",
        "MVIMG_20200207_134534~2.jpg",
        true,
    ),
    ("Scan35.jpg.supplemental-metadata(1)", "Scan35(1).jpg", true),
    (
        "IMAG0061.JPG.supplemental-metadata",
        "IMAG0061-edited.JPG",
        true,
    ),
    (
        "2234089303984509579.supplemental-metadata",
        "2234089303984509579-edited.jpg",
        true,
    ),
    (
        "Screenshot_2024-08-31-00-53-48-647_com.snapcha",
        "Screenshot_2024-08-31-00-53-48-647_com.snapchat.jpg",
        true,
    ),
    // From Google Photos Takeout Helper.
    ("20030616", "20030616.jpg", true),
    ("image.jpg(11)", "image(11).jpg", true),
    ("image(3).(2).jpg(3)", "image(3).(2)(3).jpg", true),
    ("urlaub.jpg", "urlaub-bearbeitet.jpg", true),
    ("foto.jpg", "foto-ha editado.jpg", true),
    ("写真.jpg", "写真-編集済み.jpg", true),
    ("photo.jpg(1)", "photo-edited(1).jpg", true),
    ("Photo.JPG", "Photo-Edited.JPG", true),
    // The ending is truncated with the name.
    (
        "Screenshot_20231027_123303_Facebook_12345.jpg.",
        "Screenshot_20231027_123303_Facebook_12345-edite.jpg",
        true,
    ),
    ("a.jpg", "a-e.jpg", false),
    ("photo.png", "photo.jpg", false),
];

#[test]
fn the_names_of_json_files_are_found() {
    for (json, photo, expected) in PAIRS {
        let names = names(OsStr::new(photo));
        assert_eq!(
            names.iter().any(|name| name == json),
            *expected,
            "{json} {photo}"
        );
    }
}

#[test]
fn a_decomposed_ending_is_the_same() {
    let photo: String = "été-modifié.jpg".nfd().collect();
    assert!(is_edited(OsStr::new(&photo)));
    assert!(!is_edited(OsStr::new("été.jpg")));
}

#[test]
fn json_files_are_called_after_photos() {
    for (json, stem, extension) in [
        ("IMG_1.HEIC", "IMG_1", ".HEIC"),
        ("IMG_1.HEIC(2)", "IMG_1(2)", ".HEIC"),
        ("IMG_1.MP4.supplemental-metadata", "IMG_1", ".MP4"),
        ("IMG_1.MP4.supple(1)", "IMG_1(1)", ".MP4"),
    ] {
        assert_eq!(
            photo_of(json),
            Some((stem.to_owned(), extension.to_owned())),
            "{json}"
        );
    }
    assert_eq!(photo_of("metadata"), None);
    for (json, photo, belong) in PAIRS {
        assert!(
            !belong || photo.starts_with(start_of(json)),
            "{json} {photo}"
        );
    }
}

#[test]
fn the_parts_of_an_export_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let year = "Google Photos/Photos from 2019";
    for part in ["Takeout", "Takeout 2", "takeout-003", "Other"] {
        fs::create_dir_all(folder.path().join(part).join(year)).unwrap();
    }
    fs::create_dir(folder.path().join("Takeout-4")).unwrap();
    let at = |part: &str| folder.path().join(part).join(year);
    let others = [at("Takeout 2"), at("takeout-003")];
    assert_eq!(in_other_parts(&at("Takeout")), others);
    assert_eq!(in_other_parts(&at("Other")), [] as [PathBuf; 0]);
    assert!(is_same_in_other_part(&at("Takeout"), &others[0]));
    assert!(!is_same_in_other_part(&at("Takeout"), &at("Other")));
}

#[test]
fn the_folder_around_all_parts_of_an_export_may_be_called_like_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |part: &str| {
        folder
            .path()
            .join(part)
            .join("Google Photos/Photos from 2019")
    };
    for (own, other) in [
        (
            "takeout/takeout-1-001/Takeout",
            "takeout/takeout-1-002/Takeout",
        ),
        ("Takeouts 2024/Takeout", "Takeouts 2024/Takeout 2"),
        // Exports beside each other, each in a folder of its own.
        ("takeout-a/takeout/Takeout", "takeout-b/takeout/Takeout"),
    ] {
        let (own, other) = (at(own), at(other));
        for folder in [&own, &other] {
            fs::create_dir_all(folder).unwrap();
        }
        assert_eq!(in_other_parts(&own), [other.as_path()], "{own:?}");
        assert!(is_same_in_other_part(&own, &other), "{own:?}");
        assert!(is_same_in_other_part(&other, &own), "{own:?}");
    }
    let (own, other) = (at("takeout/Takeout"), at("takeout/Other/Takeout"));
    assert!(!is_same_in_other_part(&own, &other));
    // The nearest part comes first.
    for part in ["takeout/Takeout", "takeout/Takeout 3", "takeout-b/Takeout"] {
        fs::create_dir_all(at(part)).unwrap();
    }
    let others = [
        "takeout/Takeout 3",
        "Takeouts 2024/Takeout",
        "takeout-b/Takeout",
    ]
    .map(at);
    assert_eq!(in_other_parts(&at("takeout/Takeout")), others);
}
