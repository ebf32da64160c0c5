//! The matrix of shots: every change of a raw file, of the picture of the same shot beside it, and of their sidecar ×
//! {daemon running, daemon down} × {shot with a correction, without}.
//!
//! The pictures have one colour, so no face can be recognised in another file. `tests/cli/raw_pairs.rs` shows with real
//! photos that a correction is carried over to the other file of a shot.

use std::fs;
use std::path::{Path, PathBuf};

use crate::album::Album;
use crate::matrix::{Change, Matrix, name};
use crate::tools::{self, exiftool, exiv2};

/// The changes that leave the files of a shot beside each other; the picture is the photo.
const OF_SHOTS: [Change; 11] = [
    Change {
        name: "sidecar of the raw file new",
        make: |_, picture| {
            exiftool(&["-Subject=Meadow"], &sidecar(picture));
            picture.to_owned()
        },
    },
    Change {
        name: "sidecar of the raw file changed",
        make: |_, picture| {
            exiftool(&["-Subject=Forest", "-Rating=3"], &sidecar(picture));
            picture.to_owned()
        },
    },
    Change {
        name: "sidecar of the raw file changed in place with kept times",
        make: |_, picture| {
            let change = "set Xmp.dc.subject XmpBag Valley";
            exiv2(&["-k"], change, &sidecar(picture));
            picture.to_owned()
        },
    },
    Change {
        name: "tag the raw file by rename",
        make: |_, picture| {
            exiftool(&["-Subject=Harbour"], &raw(picture));
            picture.to_owned()
        },
    },
    Change {
        name: "tag the raw file in place with kept times",
        make: |_, picture| {
            let change = "set Exif.Image.ImageDescription Ascii Island";
            exiv2(&["-k"], change, &raw(picture));
            picture.to_owned()
        },
    },
    Change {
        name: "rotate flag of the raw file",
        make: |_, picture| {
            exiftool(&["-n", "-Orientation=6"], &raw(picture));
            picture.to_owned()
        },
    },
    Change {
        name: "tag the picture by rename",
        make: |_, picture| {
            exiftool(&["-Subject=Castle"], picture);
            picture.to_owned()
        },
    },
    Change {
        name: "rename the shot",
        make: |_, picture| {
            let to = picture.with_file_name(format!("new-{}", name(picture)));
            moved(picture, to)
        },
    },
    Change {
        name: "move the shot between roots",
        make: |album, picture| {
            let folder = album.env.path("other/trip");
            fs::create_dir_all(&folder).unwrap();
            moved(picture, folder.join(name(picture)))
        },
    },
    Change {
        name: "take the shot apart and together",
        make: |_, picture| {
            let apart = picture.with_file_name(format!("apart-{}", name(picture)));
            fs::rename(picture, &apart).unwrap();
            fs::rename(&apart, picture).unwrap();
            picture.to_owned()
        },
    },
    Change {
        name: "sidecar of the raw file gone",
        make: |_, picture| {
            fs::remove_file(sidecar(picture)).unwrap();
            picture.to_owned()
        },
    },
];

/// The changes after which the raw file is alone, or not alone again. Corrections that it got while it was part of a
/// shot remain; a fresh index does not have them.
const OF_PARTS: [Change; 6] = [
    Change {
        name: "sidecar of the raw file new again",
        make: |_, picture| {
            exiftool(&["-Subject=Lawn"], &sidecar(picture));
            picture.to_owned()
        },
    },
    Change {
        name: "rename the picture",
        make: |_, picture| {
            let to = picture.with_file_name("alone.jpg");
            fs::rename(picture, &to).unwrap();
            to
        },
    },
    Change {
        name: "rename the raw file after it",
        make: |_, picture| {
            let from = picture.with_file_name("new-p.dng");
            fs::rename(from, raw(picture)).unwrap();
            picture.to_owned()
        },
    },
    Change {
        name: "copy the raw file to where it is alone",
        make: |_, picture| {
            fs::copy(raw(picture), picture.with_file_name("copy.dng")).unwrap();
            picture.to_owned()
        },
    },
    Change {
        name: "copy of the raw file gone",
        make: |_, picture| {
            fs::remove_file(picture.with_file_name("copy.dng")).unwrap();
            picture.to_owned()
        },
    },
    Change {
        name: "raw file gone",
        make: |_, picture| {
            fs::remove_file(raw(picture)).unwrap();
            picture.to_owned()
        },
    },
];

/// The raw file beside a picture.
fn raw(picture: &Path) -> PathBuf {
    picture.with_extension("dng")
}

/// The sidecar of the raw file beside a picture.
fn sidecar(picture: &Path) -> PathBuf {
    picture.with_extension("xmp")
}

/// Moves all files of a shot.
fn moved(picture: &Path, to: PathBuf) -> PathBuf {
    fs::rename(raw(picture), raw(&to)).unwrap();
    fs::rename(sidecar(picture), sidecar(&to)).unwrap();
    fs::rename(picture, &to).unwrap();
    to
}

fn run(with_daemon: bool) {
    if !tools::are_installed() {
        return;
    }
    let album = Album::new();
    album.add_raw_files();
    let mut matrix = Matrix::new(album, 8, with_daemon);
    matrix.change_each(&OF_SHOTS);
    for change in &OF_PARTS {
        matrix.change_plain(change);
    }
    matrix.finish();
}

#[test]
fn after_every_change_of_a_shot_a_run_of_index_makes_the_index_equal_a_fresh_one() {
    run(false);
}

#[test]
fn after_every_change_of_a_shot_the_daemon_makes_the_index_equal_a_fresh_one() {
    run(true);
}
