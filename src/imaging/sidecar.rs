//! Keywords from the XMP sidecar of a photo, where digiKam, darktable and Lightroom keep them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::xmp;

/// Larger files are no sidecars, in bytes.
const LARGEST: u64 = 4 << 20;

/// What `fer-index export --xmp` writes stands below this keyword.
const OURS: [&str; 2] = ["Emotion|", "Emotion/"];

/// What the sidecars of a photo are called: `photo.jpg.xmp`, as by digiKam and darktable, and
/// `photo.xmp`, as by Lightroom.
pub fn sidecars(photo: &Path) -> [PathBuf; 2] {
    let mut full: OsString = photo.as_os_str().to_owned();
    full.push(".xmp");
    [full.into(), photo.with_extension("xmp")]
}

/// Adds the keywords of a photo's sidecars that are not there yet. Those that were written from the
/// index do not count; a sidecar that cannot be read has none.
pub fn add_sidecar_keywords(photo: &Path, keywords: &mut Vec<String>) {
    for keyword in sidecars(photo).iter().flat_map(|sidecar| read(sidecar)) {
        if !keywords.contains(&keyword) {
            keywords.push(keyword);
        }
    }
}

fn read(sidecar: &Path) -> Vec<String> {
    // Asked before opening: to open a pipe is to wait for whoever writes to it.
    let is_small = sidecar
        .metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LARGEST);
    if !is_small {
        return Vec::new();
    }
    fs::read(sidecar).map_or_else(|_| Vec::new(), |packet| foreign(xmp::keywords(&packet)))
}

/// Without our own keywords, which a flat one is where its hierarchical twin stands beside it.
fn foreign(mut keywords: Vec<String>) -> Vec<String> {
    let ours: Vec<String> = keywords
        .iter()
        .filter_map(|keyword| OURS.iter().find_map(|above| keyword.strip_prefix(above)))
        .map(str::to_owned)
        .collect();
    keywords.retain(|keyword| {
        !OURS.iter().any(|above| keyword.starts_with(above)) && !ours.contains(keyword)
    });
    keywords
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(photo: &Path) -> Vec<String> {
        let mut keywords = Vec::new();
        add_sidecar_keywords(photo, &mut keywords);
        keywords
    }

    fn packet(keywords: &[&str]) -> String {
        let items = format!("<rdf:li>{}</rdf:li>", keywords.join("</rdf:li><rdf:li>"));
        format!(
            "<x:xmpmeta><rdf:RDF><dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject></rdf:RDF></x:xmpmeta>"
        )
    }

    #[test]
    fn both_names_of_a_sidecar_are_read_and_our_own_keywords_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        assert_eq!(keywords(&photo), [""; 0]);
        let full = packet(&["Beach", "Happy", "Emotion|Happy", "Emotion/Happy", "Sad"]);
        fs::write(folder.path().join("a.jpg.xmp"), full).unwrap();
        fs::write(folder.path().join("a.xmp"), packet(&["Sun", "Beach"])).unwrap();
        assert_eq!(keywords(&photo), ["Beach", "Sad", "Sun"]);
    }

    #[test]
    fn what_is_no_sidecar_has_no_keywords() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::create_dir(folder.path().join("a.xmp")).unwrap();
        let large = packet(&["Beach"]) + &" ".repeat(LARGEST as usize);
        fs::write(folder.path().join("a.jpg.xmp"), large).unwrap();
        assert_eq!(keywords(&photo), [""; 0]);
    }
}
