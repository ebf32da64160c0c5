//! Recognises folders that do not belong to the album, by the files in them and the folders beside them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

/// Files whose existence marks their folder: Android's sign for its media scanner, which many programs
/// respect; that of indexing programs; and the one that `PhotoPrism` writes into its storage folder.
const MARKERS: [&str; 3] = [".nomedia", ".noindex", ".ppstorage"];

/// The file that tags a folder as a cache (Cache Directory Tagging Specification,
/// <https://bford.info/cachedir/>): it must be a regular file that begins with [`CACHE_SIGNATURE`].
const CACHE_TAG: &str = "CACHEDIR.TAG";

const CACHE_SIGNATURE: &[u8; 43] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// The folders in Immich's media location that do not hold original photos. These names are ordinary, so
/// [`is_immich`] requires more than the name.
const IMMICH_GENERATED: [&str; 4] = ["backups", "encoded-video", "profile", "thumbs"];

/// The file that Immich keeps in each folder of its media location since version 1.115.
const IMMICH_MARKER: &str = ".immich";

/// Whether a file of this name may mark its folder.
pub(super) fn is_marker(name: &OsStr) -> bool {
    let mut markers = MARKERS.into_iter().chain([CACHE_TAG, IMMICH_MARKER]);
    markers.any(|marker| name == marker)
}

/// Whether a folder is marked as no album.
pub(super) fn is_marked(folder: &Path) -> bool {
    let has = |marker: &str| fs::symlink_metadata(folder.join(marker)).is_ok();
    MARKERS.into_iter().any(has) || is_cache(folder) || is_immich(folder)
}

/// Whether a folder has a valid cache directory tag.
fn is_cache(folder: &Path) -> bool {
    let tag = folder.join(CACHE_TAG);
    // A symbolic link is no tag, and opening a pipe would block.
    if !fs::symlink_metadata(&tag).is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut start = [0; CACHE_SIGNATURE.len()];
    let read = File::open(tag).and_then(|mut tag| tag.read_exact(&mut start));
    read.is_ok() && start == *CACHE_SIGNATURE
}

/// Whether a folder is one in which Immich generates files: it has Immich's marker, or it lies where Immich
/// has its folders, among those with the originals.
fn is_immich(folder: &Path) -> bool {
    let (Some(name), Some(parent)) = (folder.file_name(), folder.parent()) else {
        return false;
    };
    if !IMMICH_GENERATED.iter().any(|generated| name == *generated) {
        return false;
    }
    let has = |name: &str| parent.join(name).is_dir();
    folder.join(IMMICH_MARKER).is_file()
        || has("thumbs") && has("encoded-video") && (has("upload") || has("library"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files and folders, the latter with a slash at the end.
    fn folder(entries: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for entry in entries {
            let path = dir.path().join(entry);
            if entry.ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
        }
        dir
    }

    fn is_marked_in(entries: &[&str], name: &str) -> bool {
        is_marked(&folder(entries).path().join(name))
    }

    #[test]
    fn a_marker_marks_its_own_folder() {
        for marker in [".nomedia", ".noindex", ".ppstorage"] {
            let album = folder(&["b/1.jpg"]);
            fs::write(album.path().join("b").join(marker), "").unwrap();
            assert!(is_marked(&album.path().join("b")), "{marker}");
            assert!(!is_marked(album.path()), "{marker}");
        }
    }

    #[test]
    fn a_cache_tag_needs_its_signature() {
        let album = folder(&[]);
        let tag = album.path().join(CACHE_TAG);
        let signature = CACHE_SIGNATURE.to_vec();
        for (content, expected) in [
            (signature.clone(), true),
            ([&signature[..], b"\n# This file is"].concat(), true),
            (signature[..42].to_vec(), false),
            ([b" ", &signature[..]].concat(), false),
            (signature.to_ascii_uppercase(), false),
            (Vec::new(), false),
        ] {
            fs::write(&tag, &content).unwrap();
            assert_eq!(is_marked(album.path()), expected, "{content:?}");
        }
        fs::remove_file(&tag).unwrap();
        fs::create_dir(&tag).unwrap();
        assert!(!is_marked(album.path()));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_no_cache_tag() {
        let album = folder(&[]);
        fs::write(album.path().join("tag"), CACHE_SIGNATURE).unwrap();
        std::os::unix::fs::symlink("tag", album.path().join(CACHE_TAG)).unwrap();
        assert!(!is_marked(album.path()));
    }

    #[test]
    fn folders_of_immich_are_told_from_those_of_people() {
        // Since version 1.115, and without the folders beside it.
        assert!(is_marked_in(&["thumbs/.immich"], "thumbs"));
        assert!(!is_marked_in(&["library/.immich"], "library"));
        assert!(!is_marked_in(&["upload/.immich"], "upload"));
        // Before.
        let media = ["encoded-video/", "library/", "profile/", "thumbs/"];
        for name in ["encoded-video", "profile", "thumbs"] {
            assert!(is_marked_in(&media, name), "{name}");
        }
        assert!(!is_marked_in(&media, "library"));
        // Other people's folders.
        assert!(!is_marked_in(
            &["thumbs/", "profile/", "backups/"],
            "thumbs"
        ));
        assert!(!is_marked_in(&["thumbs/", "upload/"], "thumbs"));
    }
}
