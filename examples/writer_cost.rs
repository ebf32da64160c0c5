//! Writes invented findings to a new database as the pipeline's writer does, and does nothing else, so that callgrind
//! can count the writer's instructions per photo:
//!
//! ```text
//! cargo build --example writer_cost
//! valgrind --tool=callgrind --toggle-collect='*write_counted*' \
//!     target/debug/examples/writer_cost FILE 4096
//! ```
//!
//! The figure is callgrind's sum divided by the number of photos. With `again` after the number, all photos are written
//! twice, as by `reindex`, and only the second time is counted. With `changed`, the photos have other faces the second
//! time.
#![allow(clippy::print_stdout)]

mod common;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use fer_index::error::{Skip, SkipReason};
use fer_index::file::FileMeta;
use fer_index::photo::{Capture, ContentHash, DateSource, GeoPoint, Precision, TakenAt};
use fer_index::store::{PhotoRecord, Store};
use jiff::SignedDuration;
use jiff::civil::date;

use common::{Random, analysis, face, picture};

/// Number of findings in a transaction, as in `pipeline::write`.
const BATCH: usize = 64;

/// Number of photos in a folder.
const FOLDER: u64 = 300;

/// A photo with its files: one photo in twenty has two files, the others have one.
struct Finding {
    files: Vec<(PathBuf, FileMeta)>,
    record: PhotoRecord,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let file = args
        .next()
        .ok_or("usage: writer_cost FILE PHOTOS [again|changed]")?;
    let photos: u64 = args
        .next()
        .ok_or("usage: writer_cost FILE PHOTOS [again|changed]")?
        .parse()?;
    let again = args.next();
    if fs::exists(&file)? {
        return Err(format!("{file} exists already; name a new file").into());
    }
    let mut found = findings(photos, 1);
    let mut store = Store::open(Path::new(&file))?;
    if let Some(word) = again {
        for batch in found.chunks(BATCH) {
            write(&mut store, batch)?;
        }
        if word == "changed" {
            found = findings(photos, 2);
        }
    }
    write_counted(&mut store, &found)?;
    println!("{:?}", store.totals()?);
    Ok(())
}

/// The function whose instructions callgrind counts (`--toggle-collect`).
#[inline(never)]
fn write_counted(store: &mut Store, findings: &[Finding]) -> fer_index::error::Result<()> {
    findings
        .chunks(BATCH)
        .try_for_each(|batch| write(store, batch))
}

#[inline(never)]
fn write(store: &mut Store, findings: &[Finding]) -> fer_index::error::Result<()> {
    store.batch(|batch| {
        for Finding { files, record } in findings {
            batch.put_photo(record, files)?;
        }
        Ok(())
    })
}

fn findings(photos: u64, seed: u64) -> Vec<Finding> {
    let mut random = Random(seed);
    (0..photos)
        .map(|number| finding(number, &mut random))
        .collect()
}

fn finding(number: u64, random: &mut Random) -> Finding {
    let folder = number / FOLDER;
    let meta = FileMeta {
        size: 3_000_000,
        mtime_ns: (1_200_000_000 + (random.uniform() * 5e8) as i64) * 1_000_000_000,
        ctime_ns: 1_700_000_000_123_456_789,
        inode: number,
        device: 1,
    };
    let path = format!(
        "/home/someone/Pictures/{}/Trip {folder:03}/IMG_{number:07}.jpg",
        2003 + folder % 22
    );
    let mut files = vec![(path.into(), meta)];
    if random.uniform() < 0.05 {
        let copy = format!("/home/someone/Pictures/Best of/IMG_{number:07} copy.jpg");
        files.push((copy.into(), meta));
    }
    Finding {
        files,
        record: photo(number, random),
    }
}

/// A photo. One in fifty is damaged; of the others, one in five has no date and seven in ten have a
/// position.
fn photo(number: u64, random: &mut Random) -> PhotoRecord {
    let hash = ContentHash::of(&number.to_le_bytes());
    let bytes = 3_000_000;
    if random.uniform() < 0.02 {
        let skip = Skip::new(SkipReason::Damaged, "ends in the middle of the picture");
        return PhotoRecord {
            hash,
            bytes,
            picture: None,
            content: Err(skip),
        };
    }
    let faces = [0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6][(random.uniform() * 12.0) as usize];
    PhotoRecord {
        hash,
        bytes,
        picture: Some(picture(number)),
        content: Ok(analysis(
            Capture {
                taken_at: (random.uniform() < 0.8).then(|| TakenAt {
                    local: date(2003, 1, 1).at(0, 0, 0, 0)
                        + SignedDuration::from_secs((random.uniform() * 7e8) as i64),
                    offset: None,
                    precision: Precision::Second,
                    source: DateSource::Exif,
                }),
                position: (random.uniform() < 0.7).then(|| GeoPoint {
                    latitude: 48.0 + f64::from(random.uniform()) * 0.4,
                    longitude: 11.5 + f64::from(random.uniform()) * 0.4,
                }),
                camera: Some(CAMERAS[(random.uniform() * 3.0) as usize].into()),
                lens: Some("RF24-105mm F4 L IS USM".into()),
                description: (random.uniform() < 0.05).then(|| "birthday party".into()),
                keywords: if random.uniform() < 0.1 {
                    vec!["Family".into(), "Places|Italy".into()]
                } else {
                    Vec::new()
                },
                ..Capture::default()
            },
            (0..faces).map(|_| face(random)).collect(),
            if random.uniform() < 0.1 {
                vec![face(random).face]
            } else {
                Vec::new()
            },
        )),
    }
}

const CAMERAS: [&str; 3] = ["Pixel 8", "iPhone 12", "Canon EOS R5"];
