//! Detects cameras whose clock is hours off: a person with two cameras takes many photos with both at the same times.
//! If the photos of one camera coincide with those of the others only after a shift, its clock is in doubt.
//!
//! Time is divided into slots of ten minutes. The other cameras are those that record their position, mostly phones,
//! whose clocks the network sets. Only days on which these took photos as well are compared. A shift counts if after it
//! at least half of the camera's slots coincide with slots of the others. These must be ten or more, on three days or
//! more, at least twice as many as without a shift, and clearly more than with any other shift. Habits, such as one
//! camera at lunch and another one at night, do not reach that. The shift is reported; no date is changed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rusqlite::Connection;

/// A camera whose clock seems to be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtfulClock {
    /// The camera.
    pub camera: String,
    /// The seconds that would have to be added to its times.
    pub seconds: i32,
    /// The number of slots of ten minutes in which both this camera and others took photos: after this correction, and
    /// without it.
    pub coinciding: (usize, usize),
}

/// Length of a slot in ms.
const SLOT: i64 = 10 * 60 * 1000;

const SLOTS_OF_A_DAY: i64 = 24 * 6;

/// Shifts are multiples of half an hour (here in slots), up to 14 hours: the largest offset from UTC in use.
const STEP: i64 = 3;
const STEPS: i64 = 28;

/// Reads when each camera took photos, by its own clock, and whether it recorded the position.
const TAKEN: &str = "
    SELECT camera, taken_local, coalesce(latitude IS NOT NULL AND position_source = 'exif', false)
    FROM photos
    WHERE camera IS NOT NULL AND skip_reason IS NULL AND lost_at IS NULL AND taken_precision IS NULL
      AND taken_source IN ('exif', 'exif_digitized')";

/// When a camera took photos.
#[derive(Debug, Default)]
struct Camera {
    slots: BTreeSet<i64>,
    photos: u64,
    with_position: u64,
}

/// See [`Store::doubtful_clocks`](super::Store::doubtful_clocks).
pub(super) fn doubtful(db: &Connection) -> rusqlite::Result<Vec<DoubtfulClock>> {
    let mut cameras: BTreeMap<String, Camera> = BTreeMap::new();
    let mut statement = db.prepare(TAKEN)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str()?;
        if !cameras.contains_key(name) {
            cameras.insert(name.to_owned(), Camera::default());
        }
        if let Some(camera) = cameras.get_mut(name) {
            camera.slots.insert(row.get::<_, i64>(1)?.div_euclid(SLOT));
            camera.photos += 1;
            camera.with_position += u64::from(row.get::<_, bool>(2)?);
        }
    }
    let records_positions = |camera: &Camera| 2 * camera.with_position >= camera.photos;
    let others = cameras.values().filter(|camera| records_positions(camera));
    let others: HashSet<i64> = others.flat_map(|camera| &camera.slots).copied().collect();
    let doubtful = cameras
        .iter()
        .filter(|(_, camera)| !records_positions(camera))
        .filter_map(|(name, camera)| {
            let (shift, coinciding) = shift(&camera.slots, &others)?;
            Some(DoubtfulClock {
                camera: name.clone(),
                seconds: (shift * SLOT / 1000) as i32,
                coinciding,
            })
        });
    Ok(doubtful.collect())
}

/// The shift in slots after which the photos of a camera coincide with those of others, and how many slots do so with
/// it and without it; `None` if its clock is not in doubt.
fn shift(slots: &BTreeSet<i64>, others: &HashSet<i64>) -> Option<(i64, (usize, usize))> {
    let coinciding = |shift: i64| {
        slots
            .iter()
            .filter(move |slot| others.contains(&(*slot + shift)))
    };
    let shifts = || (-STEPS..=STEPS).map(|step| step * STEP);
    let (best, most) = shifts()
        .map(|shift| (shift, coinciding(shift).count()))
        .max_by_key(|(shift, count)| (*count, -shift.abs()))?;
    let unshifted = coinciding(0).count();
    let day = |slot: i64| slot.div_euclid(SLOTS_OF_A_DAY);
    let days: BTreeSet<i64> = coinciding(best).map(|slot| day(*slot)).collect();
    let is_clear = shifts()
        .filter(|shift| (shift - best).abs() > 2 * STEP)
        .all(|shift| 5 * coinciding(shift).count() <= 4 * most);
    if best == 0 || most < 10 || days.len() < 3 || most < 2 * unshifted || !is_clear {
        return None;
    }
    let days_of_others: HashSet<i64> = others.iter().map(|slot| day(*slot)).collect();
    let comparable = slots
        .iter()
        .filter(|slot| days_of_others.contains(&day(*slot + best)))
        .count();
    (2 * most >= comparable).then_some((best, (most, unshifted)))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::civil::{DateTime, date};

    use super::super::Store;
    use super::super::testing::{change_facts, photo, put, temp_store};
    use crate::photo::{DateSource, GeoPoint, Precision, TakenAt};

    fn add(store: &mut Store, camera: &str, taken: DateTime) {
        let mut record = photo(&format!("{camera} {taken}"), vec![]);
        change_facts(&mut record, |capture| {
            capture.camera = Some(camera.to_owned());
            capture.position = (camera == "phone").then_some(GeoPoint {
                latitude: 48.1,
                longitude: 11.6,
            });
            capture.taken_at = Some(TakenAt {
                local: taken,
                offset: None,
                precision: Precision::Second,
                source: DateSource::Exif,
            });
        });
        put(store, format!("/album/{camera}/{taken}.jpg"), &record);
    }

    /// When events begin, in minutes after midnight of the first day: one of an hour on each of twelve days, at various
    /// times.
    fn events() -> Vec<i64> {
        (0..12)
            .map(|n| n * 5 * 1440 + 9 * 60 + n * 97 % 600)
            .collect()
    }

    fn store_of(taken: &[(&str, i64)]) -> (tempfile::TempDir, Store) {
        let (folder, mut store) = temp_store();
        let first = date(2019, 6, 1).at(0, 0, 0, 0);
        for (camera, minute) in taken {
            add(
                &mut store,
                camera,
                first + SignedDuration::from_mins(*minute),
            );
        }
        (folder, store)
    }

    #[test]
    fn a_clock_that_is_hours_off_is_reported_and_its_photos_keep_their_dates() {
        for (off, is_reported) in [(7 * 60, true), (-90, true), (0, false), (20, false)] {
            let mut taken = Vec::new();
            for event in events() {
                for minute in (0..60).step_by(12) {
                    taken.extend([
                        ("phone", event + minute),
                        ("camera", event + minute + 3 + off),
                    ]);
                }
            }
            let (_folder, store) = store_of(&taken);
            let before = store.years().unwrap();
            let clocks = store.doubtful_clocks().unwrap();
            assert_eq!(store.years().unwrap(), before);
            if !is_reported {
                assert_eq!(clocks, [], "{off}");
                continue;
            }
            assert_eq!(clocks.len(), 1, "{off}: {clocks:?}");
            assert_eq!(clocks[0].camera, "camera");
            assert_eq!(i64::from(clocks[0].seconds), -60 * off, "{clocks:?}");
        }
    }

    #[test]
    fn cameras_used_at_different_times_of_day_are_not_reported() {
        // One camera around noon, the other one at night, for two months.
        let mut taken = Vec::new();
        for day in 0..60 {
            let noon = day * 1440 + 12 * 60;
            taken.extend([
                ("phone", noon + day * 37 % 120),
                ("camera", noon + 9 * 60 + day * 53 % 120),
            ]);
        }
        let (_folder, store) = store_of(&taken);
        assert_eq!(store.doubtful_clocks().unwrap(), []);
    }
}
