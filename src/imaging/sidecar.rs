//! Reads the sidecars of a photo: the XMP of digiKam, darktable and Lightroom, and the JSON of Google Takeout.

use std::path::Path;

use crate::facts::{Statements, of_takeout, of_xmp};
use crate::file::read_bytes;
use crate::sidecar::{Finder, Sidecar, is_takeout};
use crate::xmp::Packet;

/// Size limit of a sidecar in bytes; larger files are ignored.
const MAX_BYTES: u64 = 4 << 20;

/// Prefix of the hierarchical keywords that `fer-index export --xmp` writes.
const EXPORTED: &str = "Emotion|";

/// Reads the sidecars that belong to a photo, sorted by name. Keywords that were exported from the index are left out; a
/// sidecar that is damaged or cannot be read says nothing.
pub fn read_sidecars(photo: &Path, finder: &Finder) -> Vec<Sidecar> {
    let read = |file: crate::sidecar::SidecarFile| {
        let said = read(&photo.with_file_name(&file.name));
        Sidecar { file, said }
    };
    finder.find(photo).into_iter().map(read).collect()
}

fn read(sidecar: &Path) -> Statements {
    let ignored = |reason: &str| {
        tracing::debug!("{} is ignored: {reason}", sidecar.display());
        Statements::default()
    };
    let packet = match read_bytes(sidecar, MAX_BYTES) {
        Ok(packet) => packet,
        Err(skip) => return ignored(&skip.to_string()),
    };
    if is_takeout(sidecar) {
        return of_takeout(&packet).unwrap_or_else(|reason| ignored(&reason));
    }
    match Packet::parse(&packet) {
        (packet, None) => without_exported(of_xmp(&packet)),
        (_, Some(damage)) => ignored(&damage),
    }
}

/// Removes the keywords that `fer-index export --xmp` wrote: the hierarchical ones, and each flat one that
/// a hierarchical one repeats.
fn without_exported(mut said: Statements) -> Statements {
    let exported: Vec<String> = said
        .keywords
        .iter()
        .filter_map(|keyword| keyword.value.strip_prefix(EXPORTED))
        .map(str::to_owned)
        .collect();
    said.keywords.retain(|keyword| {
        !keyword.value.starts_with(EXPORTED) && !exported.contains(&keyword.value)
    });
    said
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn keywords(photo: &Path) -> Vec<String> {
        let sidecars = read_sidecars(photo, &Finder::default()).into_iter();
        let keywords = sidecars.flat_map(|sidecar| sidecar.said.keywords);
        keywords.map(|keyword| keyword.value).collect()
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
        let full = packet(&["Beach", "Happy", "Emotion|Happy", "Sad"]);
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
