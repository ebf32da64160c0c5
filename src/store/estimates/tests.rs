use jiff::civil::{DateTime, date};

use super::super::testing::{change_facts, photo, put, temp_store};
use super::super::{DoctorObserver, FactRules, PhotoRecord, Store};
use super::*;
use crate::photo::{DateSource, Precision, TakenAt};

const FLORENCE: GeoPoint = GeoPoint {
    latitude: 43.77,
    longitude: 11.25,
};
/// Three kilometres from Florence.
const FIESOLE: GeoPoint = GeoPoint {
    latitude: 43.8,
    longitude: 11.26,
};
const PISA: GeoPoint = GeoPoint {
    latitude: 43.72,
    longitude: 10.4,
};

struct Silent;

impl DoctorObserver for Silent {
    fn begins(&self, _: &'static str, _: u64) {}
    fn advanced(&self, _: u64) {}
}

fn at(hour: i8, minute: i8) -> DateTime {
    date(2019, 7, 15).at(hour, minute, 0, 0)
}

fn record(
    name: &str,
    taken: DateTime,
    position: Option<GeoPoint>,
    precision: Precision,
) -> PhotoRecord {
    let mut record = photo(name, vec![]);
    change_facts(&mut record, |capture| {
        capture.position = position;
        capture.taken_at = Some(TakenAt {
            local: taken,
            offset: None,
            precision,
            source: DateSource::Exif,
        });
    });
    record
}

fn add(store: &mut Store, name: &str, taken: DateTime, position: Option<GeoPoint>) -> PhotoId {
    let record = record(name, taken, position, Precision::Second);
    put(store, format!("/album/{name}.jpg"), &record)
}

/// The position of a photo, and whether it is estimated.
fn place(store: &Store, photo: PhotoId) -> Option<(GeoPoint, bool)> {
    let capture = store
        .photo(photo)
        .unwrap()
        .unwrap()
        .content
        .unwrap()
        .capture;
    let is_estimated = capture.sources.position == Some(Source::Estimated);
    capture.position.map(|at| (at, is_estimated))
}

#[track_caller]
fn assert_sound(store: &Store) {
    let diagnosis = store.diagnose(&Silent).unwrap();
    assert_eq!(diagnosis.differences, [], "{diagnosis:?}");
}

/// Each case: the photos with a position (hour, minute, position); when the photo without one was taken; its estimate.
#[test]
fn the_nearest_in_time_gives_its_position_within_the_documented_bounds() {
    type Case = (&'static [(i8, i8, GeoPoint)], DateTime, Option<GeoPoint>);
    let cases: [Case; 12] = [
        (&[], at(12, 0), None),
        (&[(12, 0, FLORENCE)], at(12, 10), Some(FLORENCE)),
        (&[(12, 0, FLORENCE)], at(12, 11), None),
        (&[(12, 0, FLORENCE)], at(11, 50), Some(FLORENCE)),
        (&[(12, 0, FLORENCE)], at(11, 49), None),
        (
            &[(12, 0, FLORENCE), (15, 0, FIESOLE)],
            at(13, 0),
            Some(FLORENCE),
        ),
        (
            &[(12, 0, FLORENCE), (15, 0, FIESOLE)],
            at(14, 0),
            Some(FIESOLE),
        ),
        // Two hours are near enough on both sides, and not a minute more.
        (
            &[(12, 0, FLORENCE), (16, 0, FIESOLE)],
            at(14, 0),
            Some(FLORENCE),
        ),
        (&[(12, 0, FLORENCE), (16, 1, FIESOLE)], at(14, 0), None),
        // The camera was on its way.
        (&[(12, 0, FLORENCE), (13, 0, PISA)], at(12, 5), None),
        // Photos of the same second: the estimate does not depend on the order of indexing.
        (
            &[(12, 0, PISA), (12, 0, FLORENCE)],
            at(12, 0),
            Some(FLORENCE),
        ),
        (
            &[(12, 0, FLORENCE), (12, 0, PISA)],
            at(12, 0),
            Some(FLORENCE),
        ),
    ];
    for (number, (placed, taken, expected)) in cases.into_iter().enumerate() {
        for is_first in [true, false] {
            let (_folder, mut store) = temp_store();
            let first = is_first.then(|| add(&mut store, "it", taken, None));
            for (index, (hour, minute, position)) in placed.iter().enumerate() {
                add(
                    &mut store,
                    &index.to_string(),
                    at(*hour, *minute),
                    Some(*position),
                );
            }
            let photo = first.unwrap_or_else(|| add(&mut store, "it", taken, None));
            let estimated = expected.map(|at| (at, true));
            assert_eq!(place(&store, photo), estimated, "{number}, {is_first}");
            assert_sound(&store);
        }
    }
}

#[test]
fn estimates_follow_what_they_are_taken_from() {
    let (_folder, mut store) = temp_store();
    let photo = add(&mut store, "it", at(12, 3), None);
    let phone = add(&mut store, "phone", at(12, 0), Some(FLORENCE));
    assert_eq!(place(&store, photo), Some((FLORENCE, true)));
    assert_eq!(place(&store, phone), Some((FLORENCE, false)));
    // An estimate gives no other photo its position.
    let later = add(&mut store, "later", at(12, 12), None);
    assert_eq!(place(&store, later), None);
    // A photo nearer in time, with another position within five kilometres.
    add(&mut store, "near", at(12, 4), Some(FIESOLE));
    assert_eq!(place(&store, photo), Some((FIESOLE, true)));
    let files = ["/album/near.jpg".into(), "/album/phone.jpg".into()];
    store.forget(&files[..1]).unwrap();
    assert_eq!(place(&store, photo), Some((FLORENCE, true)));
    assert_sound(&store);
    // The phone's photo is removed, and indexed again.
    store.forget(&files[1..]).unwrap();
    assert_eq!(place(&store, photo), None);
    add(&mut store, "phone", at(12, 0), Some(FLORENCE));
    assert_eq!(place(&store, photo), Some((FLORENCE, true)));
    store.prune(std::time::Duration::ZERO).unwrap();
    assert_eq!(place(&store, photo), Some((FLORENCE, true)));
    // A position of its own replaces the estimate.
    let record = record("it", at(12, 3), Some(PISA), Precision::Second);
    put(&mut store, "/album/it.jpg", &record);
    assert_eq!(place(&store, photo), Some((PISA, false)));
    assert_sound(&store);
}

#[test]
fn only_a_photo_dated_to_the_second_gets_or_gives_a_position() {
    let (_folder, mut store) = temp_store();
    let midnight = date(2019, 7, 15).at(0, 0, 0, 0);
    let day = record("day", midnight, None, Precision::Day);
    let day = put(&mut store, "/album/day.jpg", &day);
    add(&mut store, "phone", midnight, Some(FLORENCE));
    assert_eq!(place(&store, day), None);
    let (_folder, mut store) = temp_store();
    let day = record("day", midnight, Some(FLORENCE), Precision::Day);
    put(&mut store, "/album/day.jpg", &day);
    let photo = add(&mut store, "it", midnight, None);
    assert_eq!(place(&store, photo), None);
    assert_sound(&store);
}

#[test]
fn the_settings_turn_estimates_off_and_correct_clocks() {
    let (_folder, mut store) = temp_store();
    let photo = add(&mut store, "it", at(13, 2), None);
    add(&mut store, "phone", at(12, 0), Some(FLORENCE));
    assert_eq!(place(&store, photo), None);
    let camera = store.photo(photo).unwrap().unwrap().content.unwrap();
    let camera = camera.capture.camera.unwrap().to_uppercase();
    let mut rules = FactRules {
        estimate_places: true,
        clock_offsets: [(camera, -3600)].into(),
    };
    // Both photos are of the same camera, so both times are put back.
    store.set_fact_rules(&rules).unwrap();
    let taken = |store: &Store| {
        let content = store.photo(photo).unwrap().unwrap().content.unwrap();
        content.capture.taken_at.unwrap().local
    };
    assert_eq!(taken(&store), at(12, 2));
    assert_sound(&store);
    add(&mut store, "other", at(13, 5), Some(FIESOLE));
    assert_eq!(place(&store, photo), Some((FIESOLE, true)));
    rules.estimate_places = false;
    store.set_fact_rules(&rules).unwrap();
    assert_eq!(place(&store, photo), None);
    assert_sound(&store);
    rules.clock_offsets.clear();
    rules.estimate_places = true;
    store.set_fact_rules(&rules).unwrap();
    assert_eq!(taken(&store), at(13, 2));
    assert_eq!(place(&store, photo), Some((FIESOLE, true)));
    assert_sound(&store);
}

#[test]
fn the_doctor_repairs_estimates() {
    let (_folder, mut store) = temp_store();
    let photo = add(&mut store, "it", at(12, 3), None);
    add(&mut store, "phone", at(12, 0), Some(FLORENCE));
    let other = add(&mut store, "other", at(16, 0), None);
    store
        .connection
        .execute_batch(
            "DROP TRIGGER giver_changed;
             UPDATE photos SET latitude = NULL, longitude = NULL, position_source = NULL
             WHERE position_source = 'estimated';",
        )
        .unwrap();
    let sql =
        "UPDATE photos SET latitude = 1, longitude = 1, position_source = 'estimated' WHERE id = ?";
    store.connection.execute(sql, [other]).unwrap();
    store
        .connection
        .execute("DELETE FROM dirty_places", [])
        .unwrap();
    store.repair(&Silent).unwrap();
    assert_eq!(place(&store, photo), Some((FLORENCE, true)));
    assert_eq!(place(&store, other), None);
    assert_sound(&store);
}

#[test]
fn each_statement_searches_one_index() {
    use super::super::testing::plan;
    let (_folder, store) = temp_store();
    for (sql, expected) in [
        (
            sql::BEFORE,
            "SEARCH photos USING INDEX photos_placed (taken_local>? AND taken_local<?)",
        ),
        (
            sql::AFTER,
            "SEARCH photos USING INDEX photos_placed (taken_local>? AND taken_local<?)",
        ),
        (
            sql::UNPLACED,
            "SEARCH photos USING INDEX photos_unplaced (taken_local>? AND taken_local<?)",
        ),
        (
            sql::PHOTO,
            "SEARCH photos USING INTEGER PRIMARY KEY (rowid=?)",
        ),
    ] {
        assert_eq!(plan(&store, sql), [expected], "{sql}");
    }
}
