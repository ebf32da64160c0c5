//! Assigns the names of people to the faces that were found, by the regions in which metadata name them.
//!
//! Programs disagree on whether a region's coordinates refer to the stored picture or to the upright one. The Metadata
//! Working Group means the stored picture; several programs write coordinates of the upright one. If the orientation
//! swaps the sides, the picture's size that is stated with the regions tells which is meant. Otherwise, or if no size
//! is stated, the reading is taken that fits the faces better.

use super::{PersonStatement, RegionKind, RegionStatement};
use crate::face::BoundingBox;
use crate::raster::{Orientation, Turn};

/// Minimum share of the smaller box that lies in the other one: people draw boxes around heads, detectors around faces.
const LEAST_SHARED: f32 = 0.5;

/// Largest ratio of the areas of two boxes of one face.
const LARGEST_RATIO: f32 = 9.0;

/// A person in a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The name as it is written.
    pub name: String,
    /// Where in the upright photo, in pixels; `None` if only the name is stated.
    pub at: Option<BoundingBox>,
    /// The index of the face that shows the person, if one was found there.
    pub face: Option<usize>,
}

/// The picture in which regions lie.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Width and height of the upright photo in pixels.
    pub size: (u32, u32),
    /// The orientation of the stored pixels.
    pub orientation: Orientation,
}

impl Frame {
    /// A region of the upright photo in pixels.
    fn upright(&self, region: &RegionStatement) -> BoundingBox {
        scaled(region, self.size)
    }

    /// A region of the stored picture in pixels of the upright one.
    fn stored(&self, region: &RegionStatement) -> BoundingBox {
        let stored = self.orientation.exchange(self.size);
        let at = scaled(region, stored);
        Turn::between(Orientation::Upright, self.orientation, stored)
            .map_or(at, |turn| turn.bounding_box(&at))
    }
}

fn scaled(region: &RegionStatement, (width, height): (u32, u32)) -> BoundingBox {
    let (width, height) = match region.kind {
        RegionKind::IptcPixels => (1.0, 1.0),
        _ => (width as f32, height as f32),
    };
    BoundingBox {
        x: region.x * width,
        y: region.y * height,
        width: region.width * width,
        height: region.height * height,
    }
}

/// The people whom these statements name, each name once. Of several statements of one name, one with a face is
/// preferred, then one with a region.
pub fn people(stated: &[&PersonStatement], faces: &[BoundingBox], frame: Frame) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    let kinds = [
        RegionKind::Mwg,
        RegionKind::Iptc,
        RegionKind::IptcPixels,
        RegionKind::Microsoft,
        RegionKind::Picasa,
        RegionKind::PicasaRaw,
    ];
    for kind in kinds {
        let of_kind = stated.iter().filter_map(|person| {
            let region = person.region.filter(|region| region.kind == kind)?;
            Some((person.name.as_str(), region))
        });
        let of_kind: Vec<(&str, RegionStatement)> = of_kind.collect();
        for person in laid(&of_kind, faces, frame) {
            add(&mut people, person);
        }
    }
    for person in stated.iter().filter(|person| person.region.is_none()) {
        let name = person.name.clone();
        let (at, face) = (None, None);
        add(&mut people, Person { name, at, face });
    }
    people
}

/// Adds a person; one who is there already gets the face or the region that was missing.
fn add(people: &mut Vec<Person>, person: Person) {
    let key = person.name.to_lowercase();
    let known = people
        .iter_mut()
        .find(|known| known.name.to_lowercase() == key);
    match known {
        None => people.push(person),
        Some(known) if known.face.is_none() && person.face.is_some() => *known = person,
        Some(known) if known.at.is_none() && person.at.is_some() => *known = person,
        Some(_) => {}
    }
}

/// Assigns the regions that were written by one convention to the faces.
fn laid(regions: &[(&str, RegionStatement)], faces: &[BoundingBox], frame: Frame) -> Vec<Person> {
    let boxes = |place: &dyn Fn(&RegionStatement) -> BoundingBox| {
        let placed = regions.iter().map(|(_, region)| place(region));
        placed.collect::<Vec<_>>()
    };
    let stored = boxes(&|region| frame.stored(region));
    let upright = boxes(&|region| frame.upright(region));
    let boxes = if is_stored(regions, (&stored, &upright), faces, frame) {
        stored
    } else {
        upright
    };
    let faces = assigned(&boxes, faces);
    let people = regions.iter().zip(boxes).zip(faces);
    people
        .map(|(((name, _), at), face)| Person {
            name: (*name).to_owned(),
            at: Some(at),
            face,
        })
        .collect()
}

/// Whether the coordinates of regions refer to the stored picture.
fn is_stored(
    regions: &[(&str, RegionStatement)],
    (stored, upright): (&[BoundingBox], &[BoundingBox]),
    faces: &[BoundingBox],
    frame: Frame,
) -> bool {
    let is_wide = |width: u32, height: u32| width.cmp(&height);
    let stated = regions.iter().find_map(|(_, region)| region.applied_to);
    if let Some(stated) = stated
        && frame.orientation.swaps_sides()
        && frame.size.0 != frame.size.1
    {
        return is_wide(stated.width, stated.height) != is_wide(frame.size.0, frame.size.1);
    }
    let fit = |boxes: &[BoundingBox]| {
        let best = boxes.iter().map(|at| {
            let overlaps = faces.iter().map(|face| at.iou(face));
            overlaps.fold(0.0, f32::max)
        });
        best.sum::<f32>()
    };
    let (in_stored, in_upright) = (fit(stored), fit(upright));
    // As the convention has it, if both fit equally.
    let by_convention = regions
        .iter()
        .any(|(_, region)| matches!(region.kind, RegionKind::Mwg | RegionKind::Picasa));
    in_stored > in_upright || (by_convention && in_stored >= in_upright)
}

/// The face of each box, the best pairs first; no face twice.
fn assigned(boxes: &[BoundingBox], faces: &[BoundingBox]) -> Vec<Option<usize>> {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for (index, at) in boxes.iter().enumerate() {
        for (face, found) in faces.iter().enumerate() {
            if may_be_same(at, found) {
                pairs.push((at.iou(found), index, face));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut result = vec![None; boxes.len()];
    for (_, index, face) in pairs {
        if result[index].is_none() && !result.contains(&Some(face)) {
            result[index] = Some(face);
        }
    }
    result
}

/// Whether two boxes, each drawn by a person or a detector, may be of the same face.
pub fn may_be_same(a: &BoundingBox, b: &BoundingBox) -> bool {
    let shared = a.intersection(b);
    let (small, large) = (a.area().min(b.area()), a.area().max(b.area()));
    shared >= LEAST_SHARED * small && large <= LARGEST_RATIO * small
}

#[cfg(test)]
mod tests {
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

    /// The region of a face in pixels as shares of the picture in which it lies.
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
        let told: Vec<(&str, bool, Option<usize>)> = found
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
        assert_eq!(told, expected);
    }
}
