//! The programs that people tag their photos with: exiftool and exiv2.

use std::path::Path;
use std::process::{Command, Output};

use crate::common;

/// Whether exiftool, exiv2 and Python, which runs the tests' detector, are installed; if not, prints that the test is
/// skipped.
#[must_use]
pub fn are_installed() -> bool {
    for (program, version) in [
        ("exiftool", "-ver"),
        ("exiv2", "--version"),
        ("python3", "--version"),
    ] {
        if Command::new(program).arg(version).output().is_err() {
            common::skip(&format!("{program} is not installed"));
            return false;
        }
    }
    true
}

/// Runs exiftool on a file, which it writes under a temporary name and renames into place.
#[track_caller]
pub fn exiftool(arguments: &[&str], file: &Path) {
    let mut command = Command::new("exiftool");
    command.args(["-q", "-overwrite_original"]).args(arguments);
    succeed(command.arg(file));
}

/// Runs exiv2 on a file, which it writes in place: `change` is a command such as `set Xmp.dc.subject XmpBag Lake`.
#[track_caller]
pub fn exiv2(options: &[&str], change: &str, file: &Path) {
    let mut command = Command::new("exiv2");
    command.args(options).args(["-M", change]);
    succeed(command.arg(file));
}

#[track_caller]
fn succeed(command: &mut Command) {
    let Output { status, stderr, .. } = command.output().unwrap();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {errors}");
}
