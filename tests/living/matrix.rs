//! The matrix: every change × {daemon running, daemon down} × {photo with a correction, without}.
//!
//! Only root can remount a disk. Its effect on the index is that device and inode numbers differ, so the test changes
//! these in the database.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::album::Album;
use crate::common::dump::difference;
use crate::harness::{Daemon, wait_until};
use crate::tools::{self, exiftool, exiv2};

/// What is changed, and how.
pub struct Change {
    pub name: &'static str,
    /// Makes the change to a photo of the album, and returns where the photo is then.
    pub make: fn(&Album, &Path) -> PathBuf,
}

/// The changes of a photo. Those that leave a second name of the photo come last, since writing to one name is not
/// reported under the other.
const OF_PHOTOS: [Change; 16] = [
    Change {
        name: "rename file",
        make: |_, photo| renamed(photo, photo.with_file_name(format!("new-{}", name(photo)))),
    },
    Change {
        name: "move between roots",
        make: |album, photo| {
            let folder = album.env.path("other/trip");
            fs::create_dir_all(&folder).unwrap();
            renamed(photo, folder.join(name(photo)))
        },
    },
    Change {
        name: "move back",
        make: |album, photo| renamed(photo, album.env.album("journey").join(name(photo))),
    },
    Change {
        name: "tag in place",
        make: |_, photo| {
            exiv2(&[], "set Exif.Image.ImageDescription Ascii Lagoon", photo);
            photo.to_owned()
        },
    },
    Change {
        name: "tag by rename",
        make: |_, photo| {
            exiftool(&["-Subject=Harbour", "-Rating=4"], photo);
            photo.to_owned()
        },
    },
    Change {
        name: "tag in place with kept times",
        make: |_, photo| {
            exiv2(
                &["-k"],
                "set Exif.Image.ImageDescription Ascii Island",
                photo,
            );
            photo.to_owned()
        },
    },
    Change {
        name: "tag by rename with kept times",
        make: |_, photo| {
            exiftool(&["-P", "-Subject=Castle"], photo);
            photo.to_owned()
        },
    },
    Change {
        name: "rotate flag, a quarter",
        make: |_, photo| {
            exiftool(&["-n", "-Orientation=6"], photo);
            photo.to_owned()
        },
    },
    Change {
        name: "rotate flag, a half, in place",
        make: |_, photo| {
            exiv2(&[], "set Exif.Image.Orientation Short 3", photo);
            photo.to_owned()
        },
    },
    Change {
        name: "sidecar new",
        make: |_, photo| {
            exiftool(&["-Subject=Meadow"], &sidecar(photo));
            photo.to_owned()
        },
    },
    Change {
        name: "sidecar changed",
        make: |_, photo| {
            exiftool(&["-Subject=Forest"], &sidecar(photo));
            photo.to_owned()
        },
    },
    Change {
        name: "sidecar changed in place with kept times",
        make: |_, photo| {
            exiv2(&["-k"], "set Xmp.dc.subject XmpBag Valley", &sidecar(photo));
            photo.to_owned()
        },
    },
    Change {
        name: "sidecar gone",
        make: |_, photo| {
            fs::remove_file(sidecar(photo)).unwrap();
            photo.to_owned()
        },
    },
    Change {
        name: "copy",
        make: |_, photo| {
            fs::copy(photo, beside(photo, "copy")).unwrap();
            photo.to_owned()
        },
    },
    Change {
        name: "symlink",
        make: |_, photo| {
            std::os::unix::fs::symlink(photo, beside(photo, "symlink")).unwrap();
            photo.to_owned()
        },
    },
    Change {
        name: "hard link",
        make: |_, photo| {
            fs::hard_link(photo, beside(photo, "link")).unwrap();
            photo.to_owned()
        },
    },
];

pub fn name(photo: &Path) -> &str {
    photo.file_name().unwrap().to_str().unwrap()
}

fn renamed(from: &Path, to: PathBuf) -> PathBuf {
    fs::rename(from, &to).unwrap();
    to
}

fn sidecar(photo: &Path) -> PathBuf {
    photo.with_file_name(format!("{}.xmp", name(photo)))
}

fn beside(photo: &Path, prefix: &str) -> PathBuf {
    photo.with_file_name(format!("{prefix}-{}", name(photo)))
}

/// An album in the course of the matrix.
pub struct Matrix {
    /// Declared before the album, so that it is dropped first: dropping the album removes its folder.
    daemon: Option<Daemon>,
    album: Album,
    /// The photo with a correction, and the one without.
    corrected: PathBuf,
    plain: PathBuf,
    /// Cells that failed, with the differences.
    failures: Vec<String>,
}

impl Matrix {
    /// Indexes an album of this many photos.
    pub fn new(album: Album, photos: usize, with_daemon: bool) -> Self {
        album.index();
        assert_eq!(album.inferences(), photos);
        let corrected = album.env.album("trip/c.jpg");
        album.correct(&corrected, "");
        let daemon = with_daemon.then(|| Daemon::follow(&album.env, "album other", &[]));
        let mut matrix = Self {
            plain: album.env.album("trip/p.jpg"),
            corrected,
            album,
            daemon,
            failures: Vec::new(),
        };
        matrix.check("nothing", photos);
        matrix
    }

    /// Brings the index up to date after a change, and requires that it equals a fresh one, and that the detector has
    /// seen `inferences` photos so far.
    fn check(&mut self, cell: &str, inferences: usize) {
        let mode = if self.daemon.is_some() {
            "daemon"
        } else {
            "index"
        };
        if self.daemon.is_none() {
            self.album.index();
        }
        let fresh = self.album.fresh(&self.corrected);
        let mut differs = String::new();
        if self.daemon.is_some() {
            self.wait_for(&fresh);
        }
        differs.push_str(&difference(&self.album.dump(), &fresh));
        if !self.album.has_correction(&self.corrected) {
            differs.push_str("the correction is gone\n");
        }
        let seen = self.album.inferences();
        if seen != inferences {
            let more = seen as i64 - inferences as i64;
            differs = format!("{differs}{more} more inferences than {inferences}\n");
        }
        if !differs.is_empty() {
            self.failures.push(format!("{cell}, {mode}:\n{differs}"));
        }
    }

    /// Waits until the daemon's index equals the fresh one. The caller reports what still differs after a while.
    fn wait_for(&self, fresh: &str) {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        wait_until("the index equals a fresh one", || {
            difference(&self.album.dump(), fresh).is_empty() || std::time::Instant::now() > until
        });
    }

    fn run(mut self) {
        fs::rename(
            self.album.env.album("trip"),
            self.album.env.album("journey"),
        )
        .unwrap();
        self.corrected = self.album.env.album("journey/c.jpg");
        self.plain = self.album.env.album("journey/p.jpg");
        self.check("rename folder", 6);
        self.change_each(&OF_PHOTOS);
        let seen = self.album.inferences();
        let database = Connection::open(self.album.env.database()).unwrap();
        let other_numbers = "UPDATE files SET device = device + 1, inode = inode + 7";
        database.execute_batch(other_numbers).unwrap();
        if let Some(daemon) = &self.daemon {
            daemon.signal("HUP"); // all folders are compared with the index
        }
        self.check("remount", seen);
        self.finish();
    }

    /// Makes each change to both photos.
    pub fn change_each(&mut self, changes: &[Change]) {
        for change in changes {
            self.change_plain(change);
            let seen = self.album.inferences();
            self.corrected = (change.make)(&self.album, &self.corrected);
            self.check(&format!("{} × with a correction", change.name), seen);
        }
    }

    /// Makes a change to the photo without a correction.
    pub fn change_plain(&mut self, change: &Change) {
        let seen = self.album.inferences();
        self.plain = (change.make)(&self.album, &self.plain);
        self.check(&format!("{} × without a correction", change.name), seen);
    }

    /// Requires that no cell failed.
    pub fn finish(self) {
        assert!(self.failures.is_empty(), "\n{}", self.failures.join("\n"));
    }
}

#[test]
fn after_every_change_a_run_of_index_makes_the_index_equal_a_fresh_one() {
    if tools::are_installed() {
        Matrix::new(Album::new(), 6, false).run();
    }
}

#[test]
fn after_every_change_the_daemon_makes_the_index_equal_a_fresh_one() {
    if tools::are_installed() {
        Matrix::new(Album::new(), 6, true).run();
    }
}
