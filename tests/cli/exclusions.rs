//! Files that are not part of the album: marked folders, the files of other programs, and files that are not photos.

use std::fs;

use serde_json::json;

use crate::common::{fixture, photo};
use crate::testenv::TestEnv;

/// A photo with its own content: the fixture with a bar in one corner, as long as the number.
fn photo_number(number: u32) -> Vec<u8> {
    let mut picture = photo("hopper.jpg");
    for x in 0..=number {
        for y in 0..8 {
            picture.put_pixel(x, y, image::Rgb([255, 0, 255]));
        }
    }
    crate::common::jpeg(picture)
}

/// The files of the album that are in the index as photos, in the order of their paths.
fn indexed(env: &TestEnv) -> Vec<String> {
    env.stored_files("photo_id IS NOT NULL")
}

#[test]
fn a_marked_folder_leaves_with_all_below_it_and_returns_with_its_corrections() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.add("private/deep/hopper.jpg", fixture("hopper.jpg"));
    env.index();
    let face = env.show("private/deep/hopper.jpg")["faces"][0]["id"].clone();
    env.run(&format!("correct {face} --emotion sad")).found();
    for (name, content) in [
        (".nomedia", ""),
        (".noindex", ""),
        (
            "CACHEDIR.TAG",
            "Signature: 8a477f597d28d172789f06886806bc55\n",
        ),
    ] {
        let marker = env.add(format!("private/{name}"), content);
        let summary = env.index();
        assert_eq!(
            (&summary["gone"], &summary["unchanged"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(indexed(&env), ["astronaut.jpg"], "{name}");
        assert_eq!(env.query("--emotion sad --min-score 1"), [""; 0]);
        fs::remove_file(marker).unwrap();
        let summary = env.index();
        assert_eq!(
            (&summary["photos"], &summary["known"]),
            (&json!(0), &json!(1))
        );
        let corrected = ["private/deep/hopper.jpg"];
        assert_eq!(
            env.query("--emotion sad --min-score 1"),
            corrected,
            "{name}"
        );
        assert_eq!(env.show(corrected[0])["faces"][0]["id"], face, "{name}");
    }
    // A file of that name without the signature is not a marker.
    env.add("private/CACHEDIR.TAG", "a cache, or so");
    assert_eq!(indexed(&env).len(), 2);
}

#[test]
fn markers_are_ignored_if_the_setting_says_so() {
    let env = TestEnv::new();
    env.add("private/hopper.jpg", fixture("hopper.jpg"));
    env.add("private/.nomedia", "");
    env.index();
    assert_eq!(indexed(&env), [""; 0]);
    let mut index = env.command("index album");
    index.env("FER_INDEX_ALBUM_RESPECT_MARKERS", "false");
    assert!(index.output().unwrap().status.success());
    assert_eq!(indexed(&env), ["private/hopper.jpg"]);
}

#[test]
fn a_photo_that_is_left_out_is_not_advised_to_be_indexed() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.add("private/hopper.jpg", fixture("hopper.jpg"));
    env.add("private/.nomedia", "");
    env.add(".hidden/hopper.jpg", fixture("hopper.jpg"));
    env.index();
    env.add("new.jpg", fixture("hopper.jpg"));
    for (name, why) in [
        ("private/hopper.jpg", "private is marked as no album"),
        (".hidden/hopper.jpg", ".hidden is left out by its name"),
        ("new.jpg", "run fer-index index"),
    ] {
        let refused = env.run(&format!("show album/{name}")).refused();
        assert!(refused.contains(why), "{refused}");
    }
    env.run("forget album/new.jpg").found();
    let refused = env.run("show album/new.jpg").refused();
    assert!(refused.contains("it was forgotten"), "{refused}");
}

#[test]
fn a_marked_root_is_no_album_either() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    env.add(".nomedia", "");
    assert_eq!(env.index()["gone"], 1);
    assert_eq!(indexed(&env), [""; 0]);
}

#[test]
fn generated_pictures_of_other_programs_are_excluded_and_originals_are_not() {
    let env = TestEnv::new();
    let originals = [
        "Aperture.aplibrary/Masters/2012/1.jpg",
        "Mine.photoslibrary/originals/0/1.jpg",
        "Old.photolibrary/Masters/1.jpg",
        "immich/library/admin/1.jpg",
        "immich/upload/1.jpg",
        "lr/Mobile Downloads.lrdata/1.jpg",
        "me/resources/1.jpg",
        "me/thumbs/1.jpg",
        "nextcloud/ada/files/1.jpg",
        "photoprism/originals/1.jpg",
    ];
    let generated = [
        "$RECYCLE.BIN/S-1/1.jpg",
        ".Trash-1000/files/1.jpg",
        ".dtrash/files/1.jpg",
        ".thumbnails/1.jpg",
        "@eaDir/1.jpg/SYNOPHOTO_THUMB_XL.jpg",
        "#recycle/1.jpg",
        ".@__thumb/default1.jpg",
        "@Recycle/1.jpg",
        "Aperture.aplibrary/Thumbnails/1.jpg",
        "Mine.photoslibrary/resources/derivatives/0/1.jpeg",
        "Mine.photoslibrary/scopes/cloudsharing/data/1.jpg",
        "Old.photolibrary/Previews/1.jpg",
        "immich/encoded-video/1.jpg",
        "immich/profile/1.jpg",
        "immich/thumbs/admin/1-preview.jpeg",
        "lr/Mine Previews.lrdata/0/1.jpg",
        "lr/Mobile Downloads.lrdata/downloaded-smart-previews/1.jpg",
        "nextcloud/ada/files_trashbin/files/1.jpg",
        "nextcloud/appdata_oc1a2b3c4d5e/preview/a/1/1024-1024-max.jpg",
        "photoprism/storage/cache/thumbnails/1.jpg",
        "raw/CaptureOne/Cache/Thumbnails/1.jpg",
    ];
    env.add("photoprism/storage/.ppstorage", "1700000000");
    let all = originals.iter().chain(&generated);
    for (path, number) in all.zip(0..) {
        env.add(path, photo_number(number));
    }
    // Hidden files are admitted, so that the lists of names are tested, and not only the leading dots.
    let mut index = env.command("index album");
    index.env("FER_INDEX_ALBUM_HIDDEN", "true");
    assert!(index.output().unwrap().status.success());
    assert_eq!(indexed(&env), originals);
}

#[test]
fn files_with_odd_names_are_told_by_their_first_bytes() {
    let env = TestEnv::new();
    let photos = ["IMG_1", "a.JPG_", "b.jpg_large", "c.MPO", "d.photo"];
    for (name, number) in photos.into_iter().zip(0..) {
        env.add(name, photo_number(number));
    }
    // exiftool's backup is a copy of a photo that is in the album.
    env.add("c.jpg_original", photo_number(99));
    env.add("Makefile", "all: photos");
    env.add("empty", "");
    env.add("film", b"\0\0\0\x14ftypisom\0\0\x02\0mp41");
    env.add("notes.txt", "not opened");
    env.add("film.mp4", "not opened");
    let summary = env.index();
    let skipped = json!({"empty": 1, "not an image": 1, "unsupported format": 1});
    assert_eq!(
        (&summary["photos"], &summary["skipped"]),
        (&json!(5), &skipped)
    );
    assert_eq!(summary["passed_over"], 3);
    assert_eq!(indexed(&env), photos);

    let again = env.index();
    assert_eq!(
        (&again["unchanged"], &again["skipped"]),
        (&json!(8), &json!({}))
    );
    assert_eq!(again["passed_over"], 3);

    // A file that changed is read again.
    env.add("Makefile", photo_number(100));
    let summary = env.index();
    assert_eq!(
        (&summary["photos"], &summary["unchanged"]),
        (&json!(1), &json!(7))
    );
    let output = env.run("index album").found();
    let line = "3 files passed over: no photos by their names";
    assert!(output.text().contains(line), "{output:?}");
}

#[test]
fn a_file_that_was_looked_at_is_not_opened_again() {
    let env = TestEnv::new();
    let odd = env.add("Makefile", "all: photos");
    assert_eq!(env.index()["skipped"], json!({"not an image": 1}));
    let again = env.index();
    assert_eq!(
        (&again["unchanged"], &again["skipped"]),
        (&json!(1), &json!({}))
    );
    fs::write(&odd, fixture("hopper.jpg")).unwrap();
    assert_eq!(env.index()["photos"], 1);
}

#[test]
fn bins_snapshots_and_incomplete_files_are_left_out_by_default() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    let folders = [
        "~snapshot/daily",
        ".snapshot/daily",
        ".zfs/snapshot",
        "@snapshots/1",
        "timeshift-btrfs/snapshots",
        "timeshift/snapshots/1",
        ".timeshift",
        "RECYCLER/S-1",
        "Recycled",
        ".recycle",
        "@tmp",
        "#recycle",
        ".snapshots",
    ];
    let mut number = 0;
    let mut add = |name: String| {
        number += 1;
        env.add(name, photo_number(number));
    };
    for folder in folders {
        add(format!("{folder}/1.jpg"));
    }
    for name in [
        "a.jpg.filepart",
        "b.jpg.opdownload",
        "c.jpg.!qB",
        "d.jpg.!ut",
        "#e.jpg#",
    ] {
        add(name.to_owned());
    }
    // Names of people's own that are like them.
    for name in [
        "#love/1.jpg",
        "timeshift/1.jpg",
        "snapshots/1.jpg",
        "#1.jpg",
    ] {
        add(name.to_owned());
    }
    let mut index = env.command("index album");
    index.env("FER_INDEX_ALBUM_HIDDEN", "true");
    assert!(index.output().unwrap().status.success());
    assert_eq!(
        indexed(&env),
        [
            "#1.jpg",
            "#love/1.jpg",
            "hopper.jpg",
            "snapshots/1.jpg",
            "timeshift/1.jpg"
        ]
    );
}

/// Writes settings with these folders of the album as roots, and one exclude pattern.
fn with_roots(env: &TestEnv, roots: &[&str]) {
    let roots: Vec<String> = roots
        .iter()
        .map(|root| format!("'{}'", env.album(root).display()))
        .collect();
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    let settings = format!(
        "[album]\nroots = [{}]\nexclude = ['rejected']\n",
        roots.join(", ")
    );
    fs::write(env.config_file(), settings).unwrap();
}

#[test]
fn a_root_in_a_folder_that_another_root_leaves_out_is_indexed() {
    let env = TestEnv::new();
    let all = [
        ".hidden/1.jpg",
        "marked/kept/2.jpg",
        "rejected/3.jpg",
        "rejected/deep/4.jpg",
        "sub/5.jpg",
        "sub/.hidden/6.jpg",
    ];
    for (number, name) in (0..).zip(all) {
        env.add(name, photo_number(number));
    }
    env.add("marked/.nomedia", "");
    let roots = [
        "",
        ".hidden",
        "marked/kept",
        "rejected",
        "rejected/deep",
        "sub",
    ];
    with_roots(&env, &roots);
    // Whatever is indexed, and however often.
    for line in [
        "index",
        "index album",
        "index album/rejected",
        "index album",
        "reindex",
    ] {
        let summary = env.run(&format!("{line} --json")).found().json();
        assert_eq!(summary["gone"], 0, "{line}: {summary}");
        assert_eq!(indexed(&env), all[..5], "{line}");
    }
    assert_eq!(env.query("--under album/.hidden"), [".hidden/1.jpg"]);
    // What is in such a root is compared with the index like everything else.
    fs::remove_file(env.album("rejected/deep/4.jpg")).unwrap();
    assert_eq!(env.run("index --json").found().json()["gone"], 1);
    // A folder that is not named any more is left out again.
    with_roots(&env, &[""]);
    assert_eq!(env.run("index --json").found().json()["gone"], 3);
    assert_eq!(indexed(&env), ["sub/5.jpg"]);
    // Folders that are named together are like those of the settings.
    env.run("index album album/.hidden").found();
    assert_eq!(indexed(&env), [".hidden/1.jpg", "sub/5.jpg"]);
}
