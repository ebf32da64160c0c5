//! Stores which photos belong to one burst: photos of one camera, taken in quick succession.

use rusqlite::{Connection, params};

use crate::photo::ContentHash;

use super::record::PhotoId;

/// In a burst, each photo follows another one of the same camera within this time, in ms.
pub(super) const GAP: i64 = 3000;

/// Reads the photos of a camera that were taken between two times, by their own EXIF data ([`shots`](super::shots)). A
/// date from another source may be that of a copy, so a photo without a date in its EXIF data belongs to no burst.
pub(super) const SPAN: &str = "
    SELECT id, exif_local, hash, burst FROM photos
    WHERE exif_local >= ?1 AND exif_local <= ?2 AND exif_camera IS ?3";

/// Reads the cameras and moments around which bursts may be out of date.
pub(super) const NOTED: &str =
    "SELECT DISTINCT camera, taken FROM dirty_bursts ORDER BY camera, taken";

/// A photo that may be in a burst. A burst is named by its first photo: the earliest one, and of several the one with the
/// least hash, so that it does not depend on the order in which they were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    taken: i64,
    hash: ContentHash,
    photo: PhotoId,
    burst: Option<PhotoId>,
}

/// Brings the bursts around the noted moments up to date.
pub(super) fn update(db: &Connection) -> rusqlite::Result<()> {
    let noted: Vec<(Option<String>, i64)> = db
        .prepare_cached(NOTED)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut done: Option<(Option<String>, i64)> = None;
    for (camera, taken) in noted {
        // The moments of a camera are in order, and most of them are in the burst that was just brought up to date.
        if done
            .as_ref()
            .is_some_and(|(of, until)| *of == camera && taken <= *until)
        {
            continue;
        }
        let members = around(db, camera.as_deref(), taken)?;
        for (photo, burst) in outdated(&members) {
            db.prepare_cached("UPDATE photos SET burst = ? WHERE id = ?")?
                .execute(params![burst, photo])?;
        }
        let until = members.last().map_or(taken, |last| last.taken.max(taken));
        done = Some((camera, until));
    }
    Ok(())
}

/// The photos of a camera that are in one burst with a photo of this moment, or would be if there were one, in the order
/// in which they were taken.
fn around(db: &Connection, camera: Option<&str>, taken: i64) -> rusqlite::Result<Vec<Member>> {
    let mut span = db.prepare_cached(SPAN)?;
    let mut read = |from: i64, to: i64| -> rusqlite::Result<Vec<Member>> {
        span.query_map(params![from, to, camera], |row| {
            Ok(Member {
                photo: row.get(0)?,
                taken: row.get(1)?,
                hash: row.get(2)?,
                burst: row.get(3)?,
            })
        })?
        .collect()
    };
    let mut members = read(taken - GAP, taken + GAP)?;
    let bounds = |of: &[Member]| {
        let moments = || of.iter().map(|member| member.taken);
        moments().min().zip(moments().max())
    };
    let Some((mut first, mut last)) = bounds(&members) else {
        return Ok(members);
    };
    // All photos between `from` and `to` were read; further photos of the burst may be within a gap of its first and its
    // last one.
    let (mut from, mut to) = (taken - GAP, taken + GAP);
    while first - GAP < from {
        let more = read(first - GAP, from - 1)?;
        from = first - GAP;
        first = bounds(&more).map_or(first, |(earliest, _)| earliest);
        members.extend(more);
    }
    while last + GAP > to {
        let more = read(to + 1, last + GAP)?;
        to = last + GAP;
        last = bounds(&more).map_or(last, |(_, latest)| latest);
        members.extend(more);
    }
    members.sort_unstable();
    Ok(members)
}

/// The photos among these whose stored burst is wrong, each with the right one.
fn outdated(members: &[Member]) -> impl Iterator<Item = (PhotoId, Option<PhotoId>)> {
    members
        .chunk_by(|a, b| b.taken - a.taken <= GAP)
        .flat_map(|burst| {
            let right = (burst.len() > 1).then_some(burst[0].photo);
            burst
                .iter()
                .filter(move |member| member.burst != right)
                .map(move |member| (member.photo, right))
        })
}

/// All photos in the index whose stored burst is wrong, each with the right one.
pub(super) fn all_outdated(db: &Connection) -> rusqlite::Result<Vec<(PhotoId, Option<PhotoId>)>> {
    let mut members: Vec<(Option<String>, Member)> = Vec::new();
    let mut wrong = Vec::new();
    let mut statement = db.prepare(
        "SELECT id, exif_local, hash, burst, exif_camera, exif_local IS NOT NULL FROM photos",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let photo = row.get(0)?;
        let burst = row.get(3)?;
        if row.get(5)? {
            let member = Member {
                photo,
                taken: row.get(1)?,
                hash: row.get(2)?,
                burst,
            };
            members.push((row.get(4)?, member));
        } else if burst.is_some() {
            wrong.push((photo, None));
        }
    }
    members.sort_unstable();
    for camera in members.chunk_by(|a, b| a.0 == b.0) {
        let members: Vec<Member> = camera.iter().map(|(_, member)| *member).collect();
        wrong.extend(outdated(&members));
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::super::Store;
    use super::super::codec::from_civil_ms;
    use super::super::testing::{META, change_facts, photo, temp_store};
    use super::*;

    /// Stores a photo that was taken at a time by a camera, in ms.
    fn put(store: &mut Store, name: usize, camera: u8, ms: i64) {
        let mut record = photo(&format!("{name}"), Vec::new());
        change_facts(&mut record, |capture| {
            capture.camera = Some(format!("camera {camera}"));
            if let Some(taken) = &mut capture.taken_at {
                taken.local = from_civil_ms(1_000_000_000_000 + ms).unwrap();
            }
        });
        let path = PathBuf::from(format!("/{name}.jpg"));
        store
            .batch(|batch| batch.put_photo(&record, &[(path, META)]))
            .unwrap();
    }

    fn bursts(db: &Connection) -> Vec<(i64, Option<i64>)> {
        db.prepare("SELECT id, burst FROM photos ORDER BY id")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    fn delete(db: &Connection, photo: i64) -> rusqlite::Result<()> {
        db.execute("DELETE FROM files WHERE photo_id = ?", [photo])?;
        db.execute("DELETE FROM photos WHERE id = ?", [photo])?;
        Ok(())
    }

    #[test]
    fn a_burst_is_joined_and_split_as_photos_come_and_go() {
        let (_folder, mut store) = temp_store();
        for (name, ms) in [(1, 0), (2, 6000), (3, 3000), (4, 9001)] {
            put(&mut store, name, 0, ms);
        }
        let found = |store: &Store| store.read(|db| Ok(bursts(db))).unwrap();
        let first = Some(1);
        let all = [(1, first), (2, first), (3, first), (4, None)];
        assert_eq!(found(&store), all);
        put(&mut store, 5, 1, 3000);
        assert_eq!(found(&store)[4], (5, None), "another camera");
        store.write(|db| delete(db, 3)).unwrap();
        assert_eq!(found(&store)[..3], [(1, None), (2, None), (4, None)]);
    }

    #[test]
    fn the_first_photo_of_a_burst_is_determined_again_when_one_is_tagged() {
        let (_folder, mut store) = temp_store();
        put(&mut store, 1, 0, 0);
        put(&mut store, 2, 0, 0);
        let mut first_photos = std::collections::BTreeSet::new();
        for tag in 0..20 {
            let mut record = photo("2", Vec::new());
            change_facts(&mut record, |capture| {
                capture.camera = Some("camera 0".to_owned());
                if let Some(taken) = &mut capture.taken_at {
                    taken.local = from_civil_ms(1_000_000_000_000).unwrap();
                }
            });
            record.hash = ContentHash::of(format!("2, tag {tag}").as_bytes());
            let file = (PathBuf::from("/2.jpg"), META);
            store
                .batch(|batch| batch.put_photo(&record, &[file]))
                .unwrap();
            assert_eq!(store.read(all_outdated).unwrap(), [], "tag {tag}");
            first_photos.extend(
                store
                    .read(|db| Ok(bursts(db)))
                    .unwrap()
                    .iter()
                    .map(|at| at.1),
            );
        }
        assert_eq!(first_photos.len(), 2, "{first_photos:?}");
    }

    #[test]
    fn bursts_follow_every_change() {
        let mut random = ChaCha8Rng::seed_from_u64(18);
        for round in 0..12 {
            let (_folder, mut store) = temp_store();
            for step in 0..40 {
                let name = random.random_range(1..12);
                let ms = random.random_range(0..20_000);
                let photo = name as i64;
                match random.random_range(0..4) {
                    0 | 1 => put(&mut store, name, random.random_range(0..2), ms),
                    2 => store.write(|db| delete(db, photo)).unwrap(),
                    _ => {
                        let sql = "UPDATE photos SET exif_local =
                                   iif(exif_camera = 'camera 1', NULL, exif_local + ?2) WHERE id = ?1";
                        let by = ms - 10_000;
                        store
                            .write(|db| db.execute(sql, params![photo, by]).map(|_| ()))
                            .unwrap();
                    }
                }
                let wrong = store.read(all_outdated).unwrap();
                assert!(wrong.is_empty(), "round {round}, step {step}: {wrong:?}");
            }
        }
    }
}
