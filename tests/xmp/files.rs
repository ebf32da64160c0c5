//! A sidecar as a file: links, modes, folders that may not be written, and files that are left alone.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use fer_index::emotion::EmotionSet;
use fer_index::export::write_sidecar;

use crate::generated::{happy, write};

const PACKET: &str = "<x:xmpmeta xmlns:x='adobe:ns:meta/'>\
    <r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/></x:xmpmeta>";

#[test]
fn a_link_stays_a_link_and_its_target_is_changed_in_its_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (album, store) = (folder.path().join("album"), folder.path().join("store"));
    fs::create_dir(&album).unwrap();
    fs::create_dir(&store).unwrap();
    let (link, second) = (album.join("a.xmp"), album.join("b.xmp"));
    fs::write(store.join("a"), PACKET).unwrap();
    fs::set_permissions(store.join("a"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../store/a", &second).unwrap();
    symlink("b.xmp", &link).unwrap();
    assert_eq!(write(&link, happy()), Ok(true));
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("b.xmp"));
    assert_eq!(fs::read_link(&second).unwrap(), Path::new("../store/a"));
    let mode = store.join("a").metadata().unwrap().mode();
    assert_eq!(mode & 0o777, 0o640);
    let text = fs::read_to_string(store.join("a")).unwrap();
    assert!(text.contains("Happy"), "{text}");
    for (folder, count) in [(&album, 2), (&store, 1)] {
        assert_eq!(fs::read_dir(folder).unwrap().count(), count);
    }
}

#[test]
fn a_link_to_nothing_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("a.xmp");
    symlink("away", &link).unwrap();
    let photo = folder.path().join("a.jpg");
    fs::write(&photo, "no picture").unwrap();
    for dry in [true, false] {
        let error = write_sidecar(&link, &photo, happy(), dry).unwrap_err();
        let text = error.to_string();
        assert!(
            text.ends_with("it is a link to a file that is not there"),
            "{text}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_dry_run_fails_as_the_run_would() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("a.jpg");
    let sidecar = folder.path().join("a.jpg.xmp");
    // The photo, whose packet would be copied, does not exist.
    for dry in [true, false] {
        assert!(write_sidecar(&sidecar, &photo, happy(), dry).is_err());
    }
    fs::write(&photo, "no picture").unwrap();
    assert!(write_sidecar(&sidecar, &photo, happy(), true).unwrap());
    assert!(!sidecar.exists());
    let is_admin = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if is_admin {
        return eprintln!("skipped: an administrator may write into any folder");
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    for dry in [true, false] {
        assert!(write_sidecar(&sidecar, &photo, happy(), dry).is_err());
    }
}

/// Files that might lose data if they were edited, each with the reason that is reported.
const LEFT_ALONE: [(&str, &str); 16] = [
    ("", "it is not XML"),
    ("hello", "it has text outside of its elements"),
    ("<a/>", "it has no rdf:RDF"),
    ("<a></b>", "it is not valid XML"),
    ("<a><b></b>", "it ends early"),
    ("<a/><b/>", "it has two outermost elements"),
    ("<a b:c='d'/>", "it does not declare the namespace of b:c"),
    (
        "<!DOCTYPE a [<!ENTITY e 'f'>]><a>&e;</a>",
        "it has a document type declaration",
    ),
    ("<a>&e;</a>", "it is not valid XML"),
    ("<a b='1' b='2'/>", "it is not valid XML"),
    (
        "<?xml version='1.0' encoding='UTF-16'?><a/>",
        "it says that its encoding is UTF-16",
    ),
    (
        "@<r:Description><d:subject r:parseType='Resource'/></r:Description>",
        "parseType",
    ),
    (
        "@<r:Description><d:subject><r:Alt/></d:subject></r:Description>",
        "r:Alt",
    ),
    (
        "@<r:Description><d:subject r:resource='urn:a'/></r:Description>",
        "resource",
    ),
    (
        "@<r:Description r:about='a'/><r:Description r:about='b'/>",
        "more than one resource",
    ),
    ("@<d:Thing/>", "it has d:Thing in rdf:RDF"),
];

#[test]
fn what_is_not_understood_is_left_alone_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xmp");
    for (text, reason) in LEFT_ALONE {
        let text = match text.strip_prefix('@') {
            None => text.to_owned(),
            Some(inner) => format!(
                "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
                 xmlns:d='http://purl.org/dc/elements/1.1/'>{inner}</r:RDF>"
            ),
        };
        fs::write(&path, &text).unwrap();
        let message = write(&path, happy()).unwrap_err();
        assert!(message.contains("a.xmp is left as it is: "), "{message}");
        assert!(message.contains(reason), "{text}: {message}");
        assert!(write(&path, EmotionSet::EMPTY).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
