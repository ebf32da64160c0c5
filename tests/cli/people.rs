//! People whom other programs named: regions that exiftool and exiv2 write are assigned to the right face.

use std::path::Path;
use std::process::Command;

use image::RgbImage;
use serde_json::{Value, json};

use crate::common::exif_block::ExifBlock;
use crate::common::{self, jpeg_with_exif, photo, stored};
use crate::testenv::{TestEnv, face_box};

/// Whether both programs are installed; if not, prints that the test is skipped.
fn are_installed() -> bool {
    let runs = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        output.is_ok_and(|output| output.status.success())
    };
    let are = runs("exiftool", "-ver") && runs("exiv2", "--version");
    if !are {
        common::skip("exiftool and exiv2 are not installed");
    }
    are
}

fn run(program: &str, arguments: &[String], file: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
}

/// Two people side by side; the right one is named.
pub fn pair() -> RgbImage {
    common::group(&[photo("astronaut.jpg"), photo("hopper.jpg")], 400)
}

/// A box in the upright picture of this size, as corner and size in shares of the picture to which the program refers,
/// the stored or the upright one.
pub fn shares(at: [f64; 4], size: (f64, f64), orientation: u16, in_stored: bool) -> [f64; 4] {
    let [x, y, w, h] = [
        at[0] / size.0,
        at[1] / size.1,
        at[2] / size.0,
        at[3] / size.1,
    ];
    if !in_stored {
        return [x, y, w, h];
    }
    // The position in the stored picture of a point of the upright one.
    let point = |x: f64, y: f64| match orientation {
        1 => (x, y),
        2 => (1.0 - x, y),
        3 => (1.0 - x, 1.0 - y),
        4 => (x, 1.0 - y),
        5 => (y, x),
        6 => (y, 1.0 - x),
        7 => (1.0 - y, 1.0 - x),
        _ => (1.0 - y, x),
    };
    let ((x0, y0), (x1, y1)) = (point(x, y), point(x + w, y + h));
    [x0.min(x1), y0.min(y1), (x0 - x1).abs(), (y0 - y1).abs()]
}

fn mwg([x, y, w, h]: [f64; 4], (width, height): (u32, u32)) -> Vec<String> {
    let (cx, cy) = (x + w / 2.0, y + h / 2.0);
    vec![
        "-overwrite_original".to_owned(),
        format!(
            "-RegionInfo={{AppliedToDimensions={{W={width},H={height},Unit=pixel}},RegionList=[{{Area={{X={cx},Y={cy},\
             W={w},H={h},Unit=normalized}},Name=Grace Hopper,Type=Face}}]}}"
        ),
    ]
}

fn microsoft([x, y, w, h]: [f64; 4]) -> Vec<String> {
    let regions = "Xmp.MP.RegionInfo/MPRI:Regions";
    vec![
        format!("-Mset {regions} XmpText type=Bag"),
        format!("-Mset {regions}[1]/MPReg:Rectangle {x}, {y}, {w}, {h}"),
        format!("-Mset {regions}[1]/MPReg:PersonDisplayName Grace Hopper"),
    ]
}

#[test]
fn regions_of_exiftool_and_exiv2_land_on_the_right_face_in_every_orientation() {
    if !are_installed() {
        return;
    }
    let upright = pair();
    let env = TestEnv::new();
    env.add("upright.jpg", common::jpeg(upright.clone()));
    env.index();
    let faces = env.show("upright.jpg")["faces"].as_array().unwrap().clone();
    assert_eq!(faces.len(), 2, "{faces:?}");
    let centre = |face: &Value| face_box(face)[0];
    let right = faces
        .iter()
        .max_by(|a, b| centre(a).total_cmp(&centre(b)))
        .unwrap();
    let at = face_box(right);
    let (width, height) = upright.dimensions();
    let size = (f64::from(width), f64::from(height));
    let mut names = Vec::new();
    for orientation in 1..=8_u16 {
        let bytes = common::jpeg(stored(&upright, orientation));
        let block = ExifBlock::new().with_orientation(orientation).bytes();
        let bytes = jpeg_with_exif(&bytes, &block);
        let dimensions = if orientation > 4 {
            (height, width)
        } else {
            (width, height)
        };
        for in_stored in [true, false] {
            let region = shares(at, size, orientation, in_stored);
            let applied_to = if in_stored {
                dimensions
            } else {
                (width, height)
            };
            let name = format!("{orientation}-{in_stored}-exiftool.jpg");
            run(
                "exiftool",
                &mwg(region, applied_to),
                &env.add(&name, &bytes),
            );
            names.push(name);
            let name = format!("{orientation}-{in_stored}-exiv2.jpg");
            run("exiv2", &microsoft(region), &env.add(&name, &bytes));
            names.push(name);
        }
    }
    env.index();
    for name in &names {
        let shown = env.show(name);
        let people = shown["people"].as_array().unwrap();
        assert_eq!(people.len(), 1, "{name}: {shown}");
        assert_eq!(people[0]["name"], "Grace Hopper", "{name}");
        let faces = shown["faces"].as_array().unwrap();
        let face = faces.iter().find(|face| face["id"] == people[0]["face"]);
        let face = face.unwrap_or_else(|| panic!("{name}: on no face: {shown}"));
        assert!(
            centre(face) > size.0 / 2.0,
            "{name}: on the left face: {shown}"
        );
    }
    assert_eq!(env.query("--person hopper --limit 99").len(), names.len());
    assert_eq!(
        env.query("--person Grace --person hopper --limit 99").len(),
        names.len()
    );
    assert_eq!(env.query("--person hop"), [""; 0]);
    assert_eq!(
        env.query("--text hopper --person grace --limit 99").len(),
        names.len()
    );
    let found = env
        .run("find of grace hopper --limit 99 --json --quiet")
        .found();
    let hits = found.json();
    assert_eq!(hits.as_array().unwrap().len(), names.len());
    assert_eq!(hits[0]["people"][0]["name"], "Grace Hopper");
    let output = env.run("query --person grase");
    assert!(
        output
            .stderr
            .contains("the nearest name in the index is Grace Hopper"),
        "{}",
        output.stderr
    );
    let explained = env.run("query --person grace --explain --limit 99").found();
    assert!(explained.text().contains("(Grace Hopper) at"));
    let completed = env.run("complete person gr").found();
    assert_eq!(completed.text().trim(), "Grace Hopper");
    let stats = env.run("stats --by person --json").found().json();
    let rows = stats.as_array().unwrap();
    let hopper = rows
        .iter()
        .find(|row| row["person"] == "Grace Hopper")
        .unwrap();
    assert_eq!(hopper["photos"], json!(names.len()));
    env.run("doctor").found();
}
