//! Reads keywords from the XMP sidecars of a photo, which digiKam, darktable and Lightroom write.

use std::path::Path;

use super::xmp;
use crate::file::read_bytes;
use crate::sidecar::{Finder, Sidecar};

/// Size limit of a sidecar in bytes; larger files are ignored.
const MAX_BYTES: u64 = 4 << 20;

/// Prefixes of the hierarchical keywords that `fer-index export --xmp` writes.
const EXPORTED: [&str; 2] = ["Emotion|", "Emotion/"];

/// Reads the sidecars that belong to a photo, sorted by name. Keywords that were exported from the index are left out; a
/// sidecar that is damaged or cannot be read has none.
pub fn read_sidecars(photo: &Path, finder: &Finder) -> Vec<Sidecar> {
    let read = |file: crate::sidecar::SidecarFile| {
        let keywords = read(&photo.with_file_name(&file.name));
        Sidecar { file, keywords }
    };
    finder.find(photo).into_iter().map(read).collect()
}

fn read(sidecar: &Path) -> Vec<String> {
    let ignored = |reason: &str| {
        tracing::debug!("{} is ignored: {reason}", sidecar.display());
        Vec::new()
    };
    let packet = match read_bytes(sidecar, MAX_BYTES) {
        Ok(packet) => packet,
        Err(skip) => return ignored(&skip.to_string()),
    };
    match xmp::read(&packet) {
        (keywords, None) => without_exported(keywords),
        (_, Some(damage)) => ignored(&damage),
    }
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
    use std::fs;

    use super::*;

    fn keywords(photo: &Path) -> Vec<String> {
        let sidecars = read_sidecars(photo, &Finder::default()).into_iter();
        sidecars.flat_map(|sidecar| sidecar.keywords).collect()
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
        fs::write(&photo, "x").unwrap();
        assert_eq!(keywords(&photo), [""; 0]);
        let full = packet(&["Beach", "Happy", "Emotion|Happy", "Emotion/Happy", "Sad"]);
        fs::write(folder.path().join("a.jpg.xmp"), full).unwrap();
        fs::write(folder.path().join("a.xmp"), packet(&["Sun", "Beach"])).unwrap();
        assert_eq!(keywords(&photo), ["Beach", "Sad", "Sun", "Beach"]);
    }

    #[test]
    fn a_damaged_sidecar_has_no_keywords() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::write(&photo, "x").unwrap();
        let whole = packet(&["Beach", "Sun"]);
        for damaged in [&whole[..whole.len() - 20], "no XML at <all", "<a><b></a>"] {
            fs::write(folder.path().join("a.xmp"), damaged).unwrap();
            assert_eq!(read_sidecars(&photo, &Finder::default()).len(), 1);
            assert_eq!(keywords(&photo), [""; 0], "{damaged}");
        }
    }

    #[test]
    fn folders_and_large_files_are_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::write(&photo, "x").unwrap();
        fs::create_dir(folder.path().join("a.xmp")).unwrap();
        let large = packet(&["Beach"]) + &" ".repeat(MAX_BYTES as usize);
        fs::write(folder.path().join("a.jpg.xmp"), large).unwrap();
        assert_eq!(keywords(&photo), [""; 0]);
    }
}
