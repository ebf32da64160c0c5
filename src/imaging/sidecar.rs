//! Reads the sidecars of a photo: the XMP of digiKam, darktable and Lightroom, the JSON of Google Takeout, and what a
//! `.picasa.ini` says of it.

use std::path::Path;

use crate::facts::{Statements, of_takeout, of_xmp};
use crate::file::read_bytes;
use crate::sidecar::{CopiedProperties, ExportedKeywords, Finder, Sidecar, is_picasa, is_takeout};
use crate::xmp::Packet;

/// Size limit of a sidecar in bytes; larger files are ignored.
const MAX_BYTES: u64 = 4 << 20;

/// Reads the sidecars that belong to a photo, sorted by name. What fer-index exported into them is omitted; a damaged
/// or unreadable sidecar gives no statements.
pub fn read_sidecars(photo: &Path, finder: &Finder) -> Vec<Sidecar> {
    let read = |file: crate::sidecar::SidecarFile| {
        let statements = if is_picasa(Path::new(&file.name)) {
            finder.picasa(photo).unwrap_or_default()
        } else {
            read(&photo.with_file_name(&file.name))
        };
        Sidecar { file, statements }
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
        (packet, None) => without_exported(&packet),
        (_, Some(damage)) => ignored(&damage),
    }
}

/// The statements of a packet without what `fer-index export --xmp` wrote into it: the keywords of the index, and the
/// properties copied from the photo, unless somebody has changed them.
fn without_exported(packet: &Packet) -> Statements {
    let exported = ExportedKeywords::of(packet);
    let mut statements = match CopiedProperties::from_list(packet) {
        None => of_xmp(packet),
        Some(copied) => {
            let mut own = packet.clone();
            copied.remove_from(&mut own);
            of_xmp(&own)
        }
    };
    statements
        .keywords
        .retain(|keyword| !exported.contain(&keyword.value));
    statements
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::xmp::namespace::{DIGIKAM, LIGHTROOM};

    fn keywords(photo: &Path) -> Vec<String> {
        let sidecars = read_sidecars(photo, &Finder::default()).into_iter();
        let keywords = sidecars.flat_map(|sidecar| sidecar.statements.keywords);
        keywords.map(|keyword| keyword.value).collect()
    }

    fn packet(keywords: &[&str]) -> String {
        let items = format!("<rdf:li>{}</rdf:li>", keywords.join("</rdf:li><rdf:li>"));
        format!(
            "<x:xmpmeta><rdf:RDF><dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject></rdf:RDF></x:xmpmeta>"
        )
    }

    /// A sidecar with these flat keywords, and these hierarchical ones of Lightroom and digiKam.
    fn hierarchical(flat: &[&str], lightroom: &[&str], digikam: &[&str]) -> String {
        let list = |name: &str, items: &[&str]| {
            let items = format!("<rdf:li>{}</rdf:li>", items.join("</rdf:li><rdf:li>"));
            format!("<{name}><rdf:Bag>{items}</rdf:Bag></{name}>")
        };
        format!(
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
             xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:lr='{LIGHTROOM}/' xmlns:digiKam='{DIGIKAM}/'>\
             <rdf:Description>{}{}{}</rdf:Description></rdf:RDF>",
            list("dc:subject", flat),
            list("lr:hierarchicalSubject", lightroom),
            list("digiKam:TagsList", digikam),
        )
    }

    #[test]
    fn both_sidecars_are_read_without_the_exported_keywords() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::write(&photo, "x").unwrap();
        assert_eq!(keywords(&photo), [""; 0]);
        let full = hierarchical(
            &["Beach", "Happy", "Sad"],
            &["Emotion|Happy"],
            &["Emotion/Happy"],
        );
        fs::write(folder.path().join("a.jpg.xmp"), full).unwrap();
        fs::write(folder.path().join("a.xmp"), packet(&["Sun", "Beach"])).unwrap();
        let mut read = keywords(&photo);
        read.sort();
        assert_eq!(read, ["Beach", "Beach", "Sad", "Sun"]);
    }

    #[test]
    fn a_word_of_the_person_is_read_beside_the_exported_keywords() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::write(&photo, "x").unwrap();
        for (lightroom, digikam) in [
            (&["Emotion|Happy"][..], &["Family"][..]),
            (&["Emotion|Happy"], &["Emotion/Happy", "Happy"]),
            (&["Emotion|Happy", "Mood|Happy"], &["Emotion/Happy"]),
        ] {
            let packet = hierarchical(&["Happy"], lightroom, digikam);
            fs::write(folder.path().join("a.xmp"), packet).unwrap();
            let read = keywords(&photo);
            assert!(read.iter().any(|word| word.ends_with("Happy")), "{read:?}");
            assert!(
                !read.iter().any(|word| word.starts_with("Emotion")),
                "{read:?}"
            );
        }
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
