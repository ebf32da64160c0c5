use std::ffi::OsStr;
use std::fs;

use super::*;

/// The owners of the sidecars among these files, as sidecar and photo.
fn owners(files: &[&str]) -> Vec<(String, Option<String>)> {
    owners_by(files, &[])
}

/// The same, with the contents of sidecars.
fn owners_by(files: &[&str], contents: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        fs::write(folder.path().join(file), "x").unwrap();
    }
    for (file, content) in contents {
        fs::write(folder.path().join(file), content).unwrap();
    }
    let sidecar_folder = SidecarFolder::read(folder.path());
    let text = |name: &OsStr| name.to_str().unwrap().to_owned();
    let mut owners = Vec::new();
    for file in files.iter().filter(|file| is_sidecar(Path::new(file))) {
        let owner = sidecar_folder.owner(OsStr::new(file));
        // The search from the photo's side must agree.
        for photo in files.iter().filter(|file| !is_sidecar(Path::new(file))) {
            let names = sidecar_folder.sidecars_of(OsStr::new(photo)).into_iter();
            let is_one = names.map(|found| found.name).any(|name| name == *file);
            assert_eq!(
                is_one,
                owner.as_deref() == Some(OsStr::new(photo)),
                "{files:?}"
            );
            let may_belong = may_belong(Path::new(file), Path::new(photo));
            assert!(may_belong || !is_one, "{file} {photo}");
        }
        owners.push(((*file).to_owned(), owner.as_deref().map(text)));
    }
    owners
}

fn owner(files: &[&str]) -> Option<String> {
    owners(files).remove(0).1
}

#[test]
fn a_sidecar_with_the_whole_name_belongs_to_this_photo() {
    for (files, expected) in [
        (&["a.jpg.xmp", "a.jpg", "a.nef"][..], Some("a.jpg")),
        (&["a.JPG.xmp", "a.jpg"], Some("a.jpg")),
        (&["a.jpg.XMP", "a.JPG"], Some("a.JPG")),
        (&["a.jpg.xmp", "a.jpg", "a.JPG"], Some("a.jpg")),
        (&["a.Jpg.xmp", "a.jpg", "a.JPG"], None),
        (&["a.jpg.xmp", "a.nef"], None),
        (&["a.jpg.xmp", "A.jpg"], None),
        // The photo has the name of the sidecar of another one.
        (&["a.jpg.xmp", "a.jpg.png"], Some("a.jpg.png")),
        (&["scan.xmp", "scan"], Some("scan")),
    ] {
        assert_eq!(owner(files).as_deref(), expected, "{files:?}");
    }
}

#[test]
fn a_sidecar_with_the_stem_belongs_to_one_photo() {
    for (files, expected) in [
        (&["a.xmp", "a.jpg"][..], Some("a.jpg")),
        (&["a.XMP", "a.JPG"], Some("a.JPG")),
        (&["a.xmp", "a.jpg", "a.nef"], Some("a.nef")),
        (
            &["a.xmp", "a.jpg", "a.CR2", "a.mov", "a.txt"],
            Some("a.CR2"),
        ),
        (&["a.xmp", "a.jpg", "a.heic"], None),
        (&["a.xmp", "a.jpg", "a.nef", "a.dng"], None),
        (&["a.xmp", "a.jpg", "a.jpg_large"], Some("a.jpg")),
        (&["a.xmp", "a.jpg_large"], Some("a.jpg_large")),
        (&["a.xmp", "a.mov"], None),
        (&["a.xmp", "ab.jpg", "a.b.jpg"], None),
    ] {
        assert_eq!(owner(files).as_deref(), expected, "{files:?}");
    }
}

#[test]
fn a_sidecar_with_the_stem_belongs_to_the_photo_that_it_names() {
    let files = ["a.xmp", "a.jpg", "a.NEF", "a.heic"];
    for (content, expected) in [
        (
            "<rdf:Description photoshop:SidecarForExtension='jpg'/>",
            "a.jpg",
        ),
        (
            "<rdf:Description photoshop:SidecarForExtension='nef'/>",
            "a.NEF",
        ),
        ("<rdf:Description crs:RawFileName='before.HEIC'/>", "a.heic"),
        (
            "<rdf:Description photoshop:SidecarForExtension='cr2'/>",
            "a.NEF",
        ),
        ("not XMP", "a.NEF"),
    ] {
        let packet = format!(
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
             xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' \
             xmlns:crs='http://ns.adobe.com/camera-raw-settings/1.0/'>{content}</rdf:RDF>"
        );
        let owners = owners_by(&files, &[("a.xmp", &packet)]);
        assert_eq!(owners[0].1.as_deref(), Some(expected), "{content}");
    }
}

#[test]
fn what_is_written_goes_where_it_is_read() {
    for (files, photo, naming, expected) in [
        (&["a.jpg"][..], "a.jpg", Naming::Full, "a.jpg.xmp"),
        (&["a.jpg"], "a.jpg", Naming::Stem, "a.xmp"),
        (&["a.jpg", "a.xmp"], "a.jpg", Naming::Full, "a.xmp"),
        (&["a.jpg", "a.JPG.XMP"], "a.jpg", Naming::Stem, "a.JPG.XMP"),
        (
            &["a.jpg", "a.xmp", "a.jpg.xmp"],
            "a.jpg",
            Naming::Full,
            "a.jpg.xmp",
        ),
        (
            &["a.jpg", "a.xmp", "a.jpg.xmp"],
            "a.jpg",
            Naming::Stem,
            "a.xmp",
        ),
        // The short name is that of the raw file's sidecar, or of no photo's.
        (&["a.jpg", "a.nef"], "a.jpg", Naming::Stem, "a.jpg.xmp"),
        (&["a.jpg", "a.nef"], "a.nef", Naming::Stem, "a.xmp"),
        (
            &["a.jpg", "a.nef", "a.xmp"],
            "a.jpg",
            Naming::Full,
            "a.jpg.xmp",
        ),
        (&["a.jpg", "a.png"], "a.jpg", Naming::Stem, "a.jpg.xmp"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), "x").unwrap();
        }
        let sidecar_folder = SidecarFolder::read(folder.path());
        let found = sidecar_folder.sidecar_to_write(OsStr::new(photo), naming);
        assert_eq!(found, expected, "{files:?} {photo}");
        fs::write(folder.path().join(&found), "x").unwrap();
        let sidecar_folder = SidecarFolder::read(folder.path());
        assert_eq!(
            sidecar_folder.owner(&found).as_deref(),
            Some(OsStr::new(photo)),
            "{files:?}"
        );
    }
}

#[test]
fn sidecars_are_found_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("1.jpg");
    fs::write(&photo, "x").unwrap();
    assert_eq!(find(&photo), []);
    fs::create_dir(folder.path().join("1.xmp")).unwrap();
    fs::write(folder.path().join("1.jpg.xmp"), "x").unwrap();
    let before = find(&photo);
    assert_eq!(before.len(), 1);
    assert_eq!(before[0].name, "1.jpg.xmp");
    assert!(!have_changed(&find(&photo), &before));
    assert!(have_changed(&[], &before));
    fs::write(folder.path().join("1.jpg.xmp"), "xy").unwrap();
    assert!(have_changed(&find(&photo), &before));
}

/// The names of the JSON files of photos among these files.
fn json(files: &[&str], photo: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        fs::write(folder.path().join(file), "x").unwrap();
    }
    let found = find(&folder.path().join(photo)).into_iter();
    found.map(|file| file.name.into_string().unwrap()).collect()
}

#[test]
fn json_of_google_takeout_describes_photos() {
    for (files, photo, expected) in [
        (&["a.jpg", "a.jpg.json"][..], "a.jpg", &["a.jpg.json"][..]),
        (
            &["a(1).jpg", "a.jpg.json", "a.jpg(1).json"],
            "a(1).jpg",
            &["a.jpg(1).json"],
        ),
        (
            &["a-edited.jpg", "a.jpg", "a.jpg.json"],
            "a-edited.jpg",
            &["a.jpg.json"],
        ),
        // Edited into another format, and the video of a live photo.
        (
            &["a-edited.jpg", "a.HEIC", "a.HEIC.json"],
            "a-edited.jpg",
            &["a.HEIC.json"],
        ),
        (
            &["a.HEIC", "a.MP4", "a.MP4.json"],
            "a.HEIC",
            &["a.MP4.json"],
        ),
        // Another photo with the stem has its own JSON.
        (&["a.jpg", "a.png", "a.png.json"], "a.jpg", &[]),
        (
            &["a.jpg", "a.jpg.json", "a.jpg.xmp"],
            "a.jpg",
            &["a.jpg.json", "a.jpg.xmp"],
        ),
        (&["a.jpg", "metadata.json", "b.jpg.json"], "a.jpg", &[]),
    ] {
        assert_eq!(json(files, photo), expected, "{files:?} {photo}");
    }
}

#[test]
fn json_in_another_part_of_an_export_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let at = |part: &str| {
        folder
            .path()
            .join(part)
            .join("Google Photos/Photos from 2019")
    };
    for part in ["Takeout", "Takeout 2"] {
        fs::create_dir_all(at(part)).unwrap();
    }
    let (photo, json) = (
        at("Takeout").join("a.jpg"),
        at("Takeout 2").join("a.jpg.json"),
    );
    fs::write(&photo, "x").unwrap();
    fs::write(&json, "x").unwrap();
    let found = find(&photo);
    assert_eq!(found.len(), 1);
    assert_eq!(photo.with_file_name(&found[0].name), json);
    assert!(may_belong(&json, &photo));
    assert_eq!(
        photos_of(&json),
        [at("Takeout").join("a"), at("Takeout 2").join("a")]
    );
    // The photo's own JSON takes precedence.
    fs::write(photo.with_file_name("a.jpg.json"), "x").unwrap();
    assert_eq!(find(&photo)[0].name, "a.jpg.json");
}
