//! Tests on which face a region lands.

use super::*;
use crate::facts::{AppliedTo, Block};

const UPRIGHT: (u32, u32) = (400, 300);

fn face(x: f32, y: f32) -> BoundingBox {
    BoundingBox {
        x,
        y,
        width: 40.0,
        height: 50.0,
    }
}

/// The region of a face in pixels, as shares of a picture of this size.
fn region(at: &BoundingBox, (width, height): (u32, u32), kind: RegionKind) -> RegionStatement {
    let (width, height) = match kind {
        RegionKind::IptcPixels => (1.0, 1.0),
        _ => (width as f32, height as f32),
    };
    RegionStatement {
        x: at.x / width,
        y: at.y / height,
        width: at.width / width,
        height: at.height / height,
        kind,
        applied_to: None,
    }
}

fn person(name: &str, region: Option<RegionStatement>) -> PersonStatement {
    PersonStatement {
        name: name.to_owned(),
        region,
        by: Block::Xmp,
    }
}

#[test]
fn a_region_lands_on_the_right_face_in_every_orientation_and_convention() {
    let faces = [face(30.0, 40.0), face(300.0, 200.0)];
    for orientation in Orientation::ALL {
        let frame = Frame {
            size: UPRIGHT,
            orientation,
        };
        let stored = orientation.exchange(UPRIGHT);
        let turn = Turn::between(orientation, Orientation::Upright, stored);
        for kind in [
            RegionKind::Mwg,
            RegionKind::Microsoft,
            RegionKind::IptcPixels,
            RegionKind::Picasa,
        ] {
            for in_stored in [false, true] {
                for says_size in [false, true] {
                    let (at, size) = if in_stored {
                        let at = turn.map_or(faces[1], |turn| turn.bounding_box(&faces[1]));
                        (at, stored)
                    } else {
                        (faces[1], UPRIGHT)
                    };
                    let mut region = region(&at, size, kind);
                    region.applied_to = says_size.then_some(AppliedTo {
                        width: size.0,
                        height: size.1,
                    });
                    let stated = person("Ada", Some(region));
                    let found = people(&[&stated], &faces, frame);
                    assert_eq!(
                        found[0].face,
                        Some(1),
                        "{orientation:?} {kind:?} {in_stored} {says_size}: {found:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_stated_size_tells_whether_the_picture_was_cropped_resized_or_turned() {
    let faces = [face(30.0, 40.0), face(300.0, 200.0)];
    let frame = Frame {
        size: UPRIGHT,
        orientation: Orientation::Upright,
    };
    // The region of the second face in the picture before it was rotated by `orientation`, for a stated size.
    let found = |orientation: Orientation, (width, height): (u32, u32)| {
        let before = orientation.exchange(UPRIGHT);
        let at = Turn::between(orientation, Orientation::Upright, before)
            .map_or(faces[1], |turn| turn.bounding_box(&faces[1]));
        let mut region = region(&at, before, RegionKind::Mwg);
        region.applied_to = Some(AppliedTo { width, height });
        let stated = person("Ada", Some(region));
        let mut people = people(&[&stated], &faces, frame);
        let person = people.remove(0);
        (person.at.is_some(), person.face)
    };
    let (same, other) = ((true, Some(1)), (false, None));
    for (stated, expected) in [
        ((400, 300), same),
        // Resized, with rounded sides.
        ((4000, 3000), same),
        ((67, 50), same),
        // Cropped.
        ((800, 533), other),
        ((272, 400), other),
        ((300, 300), other),
    ] {
        let found = found(Orientation::Upright, stated);
        assert_eq!(found, expected, "{stated:?}");
    }
    // The pixels were rotated in either direction.
    for orientation in [Orientation::Rotate90, Orientation::Rotate270] {
        assert_eq!(found(orientation, (3000, 4000)), same, "{orientation:?}");
    }
    // A region that has no face after a quarter turn in either direction.
    let mut nowhere = region(&face(150.0, 10.0), (300, 400), RegionKind::Mwg);
    let (width, height) = (300, 400);
    nowhere.applied_to = Some(AppliedTo { width, height });
    let stated = person("Bob", Some(nowhere));
    assert_eq!(people(&[&stated], &faces, frame)[0].at, None);
}

#[test]
fn a_person_is_named_once_and_a_face_has_one_name() {
    let faces = [face(30.0, 40.0), face(300.0, 200.0)];
    let frame = Frame {
        size: UPRIGHT,
        orientation: Orientation::Upright,
    };
    let at = |index: usize, kind| Some(region(&faces[index], UPRIGHT, kind));
    let nowhere = region(&face(150.0, 10.0), UPRIGHT, RegionKind::Mwg);
    let stated = [
        person("ada", None),
        person("Ada", at(0, RegionKind::Microsoft)),
        person("Bob", Some(nowhere)),
        person("Eve", at(1, RegionKind::Mwg)),
        person("Zoë", at(1, RegionKind::Mwg)),
        person("Tom", None),
    ];
    let stated: Vec<&PersonStatement> = stated.iter().collect();
    let found = people(&stated, &faces, frame);
    let people: Vec<(&str, bool, Option<usize>)> = found
        .iter()
        .map(|person| (person.name.as_str(), person.at.is_some(), person.face))
        .collect();
    let expected = [
        ("Bob", true, None),
        ("Eve", true, Some(1)),
        ("Zoë", true, None),
        ("Ada", true, Some(0)),
        ("Tom", false, None),
    ];
    assert_eq!(people, expected);
}
