//! Reads keywords from the XMP sidecars of a photo, which digiKam, darktable and Lightroom write.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::xmp;

/// Size limit of a sidecar in bytes; larger files are ignored.
const MAX_BYTES: u64 = 4 << 20;

/// Prefixes of the hierarchical keywords that `fer-index export --xmp` writes.
const EXPORTED: [&str; 2] = ["Emotion|", "Emotion/"];

/// The paths of the two possible sidecars of a photo: `photo.jpg.xmp` (digiKam, darktable) and
/// `photo.xmp` (Lightroom).
pub fn sidecars(photo: &Path) -> [PathBuf; 2] {
    let mut full: OsString = photo.as_os_str().to_owned();
    full.push(".xmp");
    [full.into(), photo.with_extension("xmp")]
}

/// Adds the keywords of a photo's sidecars to `keywords`, each once. Keywords that were exported from the
/// index are left out; a sidecar that cannot be read has none.
pub fn add_sidecar_keywords(photo: &Path, keywords: &mut Vec<String>) {
    for keyword in sidecars(photo).iter().flat_map(|sidecar| read(sidecar)) {
        if !keywords.contains(&keyword) {
            keywords.push(keyword);
        }
    }
}

fn read(sidecar: &Path) -> Vec<String> {
    // Checked before opening, since opening a pipe blocks until another process writes to it.
    let is_small = sidecar
        .metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_BYTES);
    if !is_small {
        return Vec::new();
    }
    fs::read(sidecar).map_or_else(
        |_| Vec::new(),
        |packet| without_exported(xmp::keywords(&packet)),
    )
}

/// Removes the keywords that `fer-index export --xmp` wrote: the hierarchical ones, and each flat one that
/// a hierarchical one repeats.
fn without_exported(mut keywords: Vec<String>) -> Vec<String> {
    let exported: Vec<String> = keywords
        .iter()
        .filter_map(|keyword| {
            EXPORTED
                .iter()
                .find_map(|prefix| keyword.strip_prefix(prefix))
        })
        .map(str::to_owned)
        .collect();
    keywords.retain(|keyword| {
        !EXPORTED.iter().any(|prefix| keyword.starts_with(prefix)) && !exported.contains(keyword)
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
    fn both_sidecars_are_read_without_the_exported_keywords() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        assert_eq!(keywords(&photo), [""; 0]);
        let full = packet(&["Beach", "Happy", "Emotion|Happy", "Emotion/Happy", "Sad"]);
        fs::write(folder.path().join("a.jpg.xmp"), full).unwrap();
        fs::write(folder.path().join("a.xmp"), packet(&["Sun", "Beach"])).unwrap();
        assert_eq!(keywords(&photo), ["Beach", "Sad", "Sun"]);
    }

    #[test]
    fn folders_and_large_files_are_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::create_dir(folder.path().join("a.xmp")).unwrap();
        let large = packet(&["Beach"]) + &" ".repeat(MAX_BYTES as usize);
        fs::write(folder.path().join("a.jpg.xmp"), large).unwrap();
        assert_eq!(keywords(&photo), [""; 0]);
    }
}
