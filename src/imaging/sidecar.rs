//! Keywords from the XMP sidecar of a photo, where digiKam, darktable and Lightroom keep them.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::xmp;

/// Larger files are no sidecars, in bytes.
const LARGEST: u64 = 4 << 20;

/// What `fer-index export --xmp` writes stands below this keyword.
const OURS: [&str; 2] = ["Emotion|", "Emotion/"];

/// The keywords of `photo.jpg.xmp` and `photo.xmp` beside the photo at `path`, each once. Those that
/// were written from the index do not count; a sidecar that cannot be read has none.
pub fn sidecar_keywords(path: &Path) -> Vec<String> {
    let mut full: OsString = path.as_os_str().to_owned();
    full.push(".xmp");
    let mut keywords: Vec<String> = Vec::new();
    for sidecar in [Path::new(&full), &path.with_extension("xmp")] {
        for keyword in read(sidecar) {
            if !keywords.contains(&keyword) {
                keywords.push(keyword);
            }
        }
    }
    keywords
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
        assert_eq!(sidecar_keywords(&photo), [""; 0]);
        let full = packet(&["Beach", "Happy", "Emotion|Happy", "Emotion/Happy", "Sad"]);
        fs::write(folder.path().join("a.jpg.xmp"), full).unwrap();
        fs::write(folder.path().join("a.xmp"), packet(&["Sun", "Beach"])).unwrap();
        assert_eq!(sidecar_keywords(&photo), ["Beach", "Sad", "Sun"]);
    }

    #[test]
    fn what_is_no_sidecar_has_no_keywords() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::create_dir(folder.path().join("a.xmp")).unwrap();
        let large = packet(&["Beach"]) + &" ".repeat(LARGEST as usize);
        fs::write(folder.path().join("a.jpg.xmp"), large).unwrap();
        assert_eq!(sidecar_keywords(&photo), [""; 0]);
    }
}
