//! The functions of the program that read untrusted bytes. None may panic, hang or exceed its memory limits; some also
//! check that nothing is lost.
//!
//! `fuzz/` calls these functions from libFuzzer, and the test beside this file with mutated samples.

use std::ffi::OsStr;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use fer_index::classify::Cnn;
use fer_index::config::{Effective, Overrides};
use fer_index::detect::read_answer;
use fer_index::emotion::{Emotion, EmotionSet};
use fer_index::export::write_sidecar;
use fer_index::facts::{Contacts, PicasaFolder, Statements, of_takeout, of_xmp};
use fer_index::imaging::{self, Limits};
use fer_index::query::{FLAGS, GivenFlags, IndexLookup, UserFilter, parse_span, understand};
use fer_index::xmp::Packet;
use fer_jpeg::{Area, Channels, Header};
use image::{ImageFormat, RgbImage};
use jiff::civil::{DateTime, date};
use tempfile::TempDir;

/// A function that takes hostile bytes.
pub type Target = fn(&[u8]);

/// All of them by their names in `fuzz/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("jpeg", image),
    ("png", image),
    ("webp", image),
    ("gif", image),
    ("tiff", image),
    ("bmp", image),
    ("heif", image),
    ("jxl", image),
    ("raw", image),
    ("jpeg_reader", jpeg_reader),
    ("exif", exif),
    ("iptc", iptc),
    ("xmp", xmp),
    ("sidecar", sidecar),
    ("takeout", takeout),
    ("picasa", picasa),
    ("query", query),
    ("dates", dates),
    ("gallery", gallery),
    ("config", config),
    ("detector", detector),
    ("model", model),
    #[cfg(feature = "train")]
    ("fer2013", fer2013),
];

const LIMITS: Limits = Limits {
    max_bytes: 1 << 22,
    max_pixels: 1 << 20,
    max_time: Duration::from_secs(2),
};

/// A photo in any container.
pub fn image(bytes: &[u8]) {
    if let Ok(facts) = imaging::facts(bytes, &LIMITS) {
        assert_statements(&facts.statements);
    }
    if let Ok(decoded) = imaging::decode(bytes, &LIMITS) {
        let pixels = u64::from(decoded.raster.width()) * u64::from(decoded.raster.height());
        assert!((1..=LIMITS.max_pixels).contains(&pixels));
    }
    let _ = imaging::embedded_xmp(bytes);
}

/// The decoder of `fer-jpeg`; the first bytes choose the size and the area.
pub fn jpeg_reader(bytes: &[u8]) {
    let Some(([size, x, y, area], jpeg)) = bytes.split_first_chunk() else {
        return;
    };
    let Ok(header) = Header::read(jpeg) else {
        return;
    };
    let (width, height) = header.size();
    if width * height > LIMITS.max_pixels as usize {
        return;
    }
    let eighths = usize::from(size % 8) + 1;
    let Ok((picture, pixels)) = header.decode(eighths, Channels::Colour, &|| false) else {
        return;
    };
    assert_eq!(pixels.data.len(), pixels.width * pixels.height * 3);
    let area = Area {
        x: usize::from(*x) % width,
        y: usize::from(*y) % height,
        width: usize::from(*area) + 1,
        height: usize::from(*area) / 2 + 1,
    };
    let area = Area {
        width: area.width.min(width - area.x),
        height: area.height.min(height - area.y),
        ..area
    };
    picture.area(area, eighths, Channels::Colour);
}

/// A JPEG with these bytes in an application segment.
fn in_segment(marker: u8, start: &[u8], bytes: &[u8]) -> Vec<u8> {
    static PLAIN: OnceLock<Vec<u8>> = OnceLock::new();
    let plain = PLAIN.get_or_init(|| {
        let mut jpeg = Cursor::new(Vec::new());
        RgbImage::new(8, 8)
            .write_to(&mut jpeg, ImageFormat::Jpeg)
            .expect("eight by eight pixels can be encoded");
        jpeg.into_inner()
    });
    let bytes = &bytes[..bytes.len().min(65_000)];
    let length = (start.len() + bytes.len() + 2) as u16;
    let mut jpeg = plain[..2].to_vec();
    jpeg.extend([0xff, marker]);
    jpeg.extend(length.to_be_bytes());
    jpeg.extend(start);
    jpeg.extend(bytes);
    jpeg.extend(&plain[2..]);
    jpeg
}

/// An EXIF block.
pub fn exif(bytes: &[u8]) {
    image(&in_segment(0xe1, b"Exif\0\0", bytes));
}

/// Photoshop's resources with IPTC-IIM.
pub fn iptc(bytes: &[u8]) {
    let mut resource = b"8BIM\x04\x04\0\0".to_vec();
    resource.extend((bytes.len() as u32).to_be_bytes());
    resource.extend(bytes);
    image(&in_segment(0xed, b"Photoshop 3.0\0", &resource));
}

/// An XMP packet.
pub fn xmp(bytes: &[u8]) {
    assert_statements(&of_xmp(&Packet::parse(bytes).0));
    image(&in_segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0", bytes));
}

/// The JSON of Google Takeout.
pub fn takeout(bytes: &[u8]) {
    if let Ok(statements) = of_takeout(bytes) {
        assert_statements(&statements);
    }
}

/// A `.picasa.ini`, and a list of contacts.
pub fn picasa(bytes: &[u8]) {
    let contacts = Contacts::of_xml(bytes);
    if let Some(statements) = PicasaFolder::parse(bytes, &contacts).of("a.jpg") {
        assert_statements(statements);
    }
}

/// Statements that are stored are equal when they are read again.
fn assert_statements(statements: &Statements) {
    assert_eq!(&Statements::from_json(&statements.to_json()), statements);
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// Writes emotions into a sidecar and removes them again; everything else in it must stay.
pub fn sidecar(bytes: &[u8]) {
    let folder = folder();
    let path = folder.path().join("a.xmp");
    fs::write(&path, bytes).expect("a file can be written");
    let photo = Path::new("/nowhere.jpg");
    let happy = EmotionSet::from_iter([Emotion::Happy]);
    let rest = |bytes: &[u8]| {
        let mut statements = of_xmp(&Packet::parse(bytes).0);
        statements
            .keywords
            .retain(|keyword| !keyword.value.contains("Happy"));
        statements
    };
    let Ok(true) = write_sidecar(&path, photo, happy, false) else {
        assert_eq!(fs::read(&path).expect("it is there"), bytes);
        return;
    };
    let with = fs::read(&path).expect("it is there");
    let (packet, damage) = Packet::parse(&with);
    assert_eq!(damage, None, "{}", String::from_utf8_lossy(&with));
    let has = of_xmp(&packet)
        .keywords
        .iter()
        .any(|k| k.value.contains("Happy"));
    assert!(has, "{}", String::from_utf8_lossy(&with));
    assert_eq!(rest(&with), rest(bytes));
    assert!(!write_sidecar(&path, photo, happy, false).expect("it was just written"));
    write_sidecar(&path, photo, EmotionSet::default(), false).expect("it was just written");
    // A sidecar with nothing but the content of a new, empty one is removed.
    assert_eq!(rest(&fs::read(&path).unwrap_or_default()), rest(bytes));
}

const NOW: DateTime = date(2020, 6, 15).at(12, 0, 0, 0);

/// A sentence for `find`. The filter that it means must be the same after it is written as flags and parsed again.
pub fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let filter = understand(
        &words,
        &GivenFlags::none(),
        &IndexLookup::with_usual_meanings(),
        NOW,
    )
    .filter;
    let flags = filter.set_flags();
    let given: Vec<_> = flags
        .iter()
        .map(|(flag, value)| (flag.name, value.as_str()))
        .collect();
    UserFilter::read(&given).expect("what was understood can be written");
}

/// A date in words.
pub fn dates(bytes: &[u8]) {
    let _ = parse_span(&String::from_utf8_lossy(bytes), NOW);
}

/// The parameters of an address of the gallery, which are also the flags of `query`.
pub fn gallery(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let given: Vec<_> = text
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    let _ = UserFilter::read(&given);
    for flag in FLAGS {
        let _ = flag.set(&mut UserFilter::new(), OsStr::new(&*text));
    }
}

/// A settings file.
pub fn config(bytes: &[u8]) {
    let folder = folder();
    let path = folder.path().join("config.toml");
    fs::write(&path, bytes).expect("a file can be written");
    if let Ok(effective) = Effective::load(Some(&path), &Overrides::default()) {
        assert!(effective.config.threads > 0);
        effective.show();
    }
}

/// A line of a detector program.
pub fn detector(bytes: &[u8]) {
    if let Ok(faces) = read_answer(&String::from_utf8_lossy(bytes)) {
        assert!(faces.iter().all(|face| (0.0..=1.0).contains(&face.score)));
    }
}

/// A model file.
pub fn model(bytes: &[u8]) {
    let _ = Cnn::read(bytes, "a model");
}

/// FER2013's table.
#[cfg(feature = "train")]
pub fn fer2013(bytes: &[u8]) {
    let folder = folder();
    let path = folder.path().join("fer2013.csv");
    fs::write(&path, bytes).expect("a file can be written");
    let _ = fer_train::dataset::import(&path, &fer_train::dataset::ImportOptions::default());
}
