//! Sound inputs, from which the mutations begin.

use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};

/// Larger files make every input slow.
const MAX_FILE: u64 = 150_000;

/// The samples of a target.
pub fn samples(target: &str) -> Vec<Vec<u8>> {
    match target {
        "jpeg" => files(&["jpg"]),
        "png" => files(&["png"]),
        "webp" => files(&["webp"]),
        "gif" => vec![encoded(ImageFormat::Gif)],
        "bmp" => vec![
            encoded(ImageFormat::Bmp),
            bmp_of_runs(
                40,
                (1, 8),
                &[4, 1, 0, 0, 0, 3, 1, 2, 3, 0, 0, 2, 1, 1, 2, 2, 0, 1],
            ),
            bmp_of_runs(64, (4, 24), &[2, 0, 0, 255, 0, 1]),
        ],
        "tiff" => files(&["tif"]),
        "heif" => files(&["heic", "avif", "hif"]),
        "jxl" => files(&["jxl"]),
        "raw" => vec![dng()],
        "jpeg_reader" => files(&["jpg"])
            .into_iter()
            .map(|jpeg| [&[3, 9, 9, 40][..], &jpeg].concat())
            .collect(),
        "exif" => vec![exif()],
        "iptc" => vec![iptc()],
        "xmp" | "sidecar" => [files(&["xmp"]), vec![XMP.into()]].concat(),
        "takeout" => vec![TAKEOUT.into()],
        "picasa" => vec![PICASA.into()],
        "query" => lines(include_str!("../../src/query/grammar/sentences.tsv")),
        "dates" => lines(DATES),
        "gallery" => lines(ADDRESSES),
        "config" => vec![fer_index::config::DEFAULTS.into()],
        "detector" => lines(ANSWERS),
        "model" => {
            // The description and the first bytes of the weights of the built-in model.
            let model = fer_index::classify::BUILT_IN.0;
            vec![
                model[..model.len().min(100_000)].to_vec(),
                b"\x02\0\0\0\0\0\0\0{}".to_vec(),
            ]
        }
        "fer2013" => vec![fer2013()],
        _ => Vec::new(),
    }
}

fn lines(text: &str) -> Vec<Vec<u8>> {
    text.lines().map(|line| line.as_bytes().to_vec()).collect()
}

/// The small test photos with these extensions.
fn files(extensions: &[&str]) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for folder in ["", "formats", "matrix", "xmp"] {
        for entry in fs::read_dir(fixtures.join(folder)).unwrap() {
            paths.push(entry.unwrap().path());
        }
    }
    let has = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|one| extensions.contains(&one))
            && path.metadata().unwrap().len() <= MAX_FILE
    };
    paths.retain(has);
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8 * 6, y as u8 * 8, 90]))
        .write_to(&mut file, format)
        .unwrap();
    file.into_inner()
}

/// A BMP of 4 × 3 pixels with a header of this length, this compression and depth, a palette of four colours and runs.
fn bmp_of_runs(header: u32, (compression, bits): (u32, u16), runs: &[u8]) -> Vec<u8> {
    let mut file = b"BM\0\0\0\0\0\0\0\0".to_vec();
    file.extend(
        [14 + header + 16, header, 4, 3]
            .map(u32::to_le_bytes)
            .concat(),
    );
    file.extend([1, bits].map(u16::to_le_bytes).concat());
    file.extend([compression, 0, 0, 0, 4].map(u32::to_le_bytes).concat());
    file.resize(14 + header as usize, 0);
    file.extend((0..16).map(|at| 16 * at));
    [&file, runs].concat()
}

/// A little-endian TIFF directory with these entries: tag, type, count, value or offset.
fn directory(entries: &[(u16, u16, u32, u32)], rest: &[u8]) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0".to_vec();
    block.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        block.extend(tag.to_le_bytes());
        block.extend(kind.to_le_bytes());
        block.extend(count.to_le_bytes());
        block.extend(value.to_le_bytes());
    }
    block.extend([0; 4]);
    block.extend(rest);
    block
}

/// Camera, orientation and date.
fn exif() -> Vec<u8> {
    let rest = b"Nikon Corp\0 2019:06:01 12:00:00\0";
    let start = 8 + 2 + 4 * 12 + 4;
    directory(
        &[
            (0x010f, 2, 11, start),
            (0x0112, 3, 1, 6),
            (0x0132, 2, 20, start + 12),
            (0x8825, 4, 1, 8),
        ],
        rest,
    )
}

/// A DNG with a JPEG preview.
fn dng() -> Vec<u8> {
    let jpeg = encoded(ImageFormat::Jpeg);
    let start = 8 + 2 + 5 * 12 + 4;
    directory(
        &[
            (0x0103, 3, 1, 7),
            (0x0112, 3, 1, 1),
            (0x0201, 4, 1, start),
            (0x0202, 4, 1, jpeg.len() as u32),
            (0xc612, 1, 4, 0x0000_0401),
        ],
        &jpeg,
    )
}

fn iptc() -> Vec<u8> {
    let mut block = Vec::new();
    for (number, value) in [
        (5, "Title"),
        (25, "Lake"),
        (55, "20190601"),
        (60, "120000+0200"),
        (120, "A walk"),
    ] {
        block.extend([0x1c, 2, number, 0, value.len() as u8]);
        block.extend(value.as_bytes());
    }
    block
}

fn fer2013() -> Vec<u8> {
    let mut table = "emotion,pixels,Usage\n".to_owned();
    for (emotion, usage) in [(0, "Training"), (3, "PublicTest"), (6, "PrivateTest")] {
        let pixels = vec!["128"; 48 * 48].join(" ");
        writeln!(table, "{emotion},{pixels},{usage}").unwrap();
    }
    table.into()
}

const XMP: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmp:Rating="3" xmp:CreateDate="2019-06-01T12:00:00">
<dc:subject><rdf:Bag><rdf:li>Lake</rdf:li><rdf:li>Anna &amp; Ben</rdf:li></rdf:Bag></dc:subject>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">A walk</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta>"#;

const TAKEOUT: &str = r#"{"title":"IMG_1.jpg","description":"At the sea","photoTakenTime":{"timestamp":"1559383200"},
"geoData":{"latitude":43.77,"longitude":11.25,"altitude":0.0},"people":[{"name":"Ada"}],"favorited":true}"#;

const PICASA: &str = "[Contacts2]\n8e62398ebda8c1a5=Ada;;\n[a.jpg]\nstar=yes\ncaption=At the sea\nkeywords=sun,lake\n\
    faces=rect64(3f845bcb59418507),8e62398ebda8c1a5;rect64(5bcb59418507),1f\n<contact id=\"1f\" name=\"Zo&#235;\"/>\n";

const DATES: &str = "2019\n2019-06\n2019-06-01\nsummer 2019\nlast christmas\n1.6.2019\njune to august\nvorgestern\nl'été dernier\n2019..2021";

const ADDRESSES: &str = "emotion=happy&min-score=0.5&since=2019-06&near=florence&within=5
faces=2..&camera=nikon&text=lake&order=date&one-per-burst=
near=52.5,13.4&away=100&under=/a/b&album=Trips&who=all";

const ANSWERS: &str = r#"{"faces":[{"box":[1,2,3,4],"score":0.5}]}
{"faces":[{"box":[1,2,3,4],"score":1,"landmarks":[[1,2],[3,4],[5,6],[7,8],[9,10]]}]}
{"error":"no model"}"#;
