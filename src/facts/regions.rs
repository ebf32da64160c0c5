//! Assigns the names of people to the faces that were found, by the regions in which metadata name them.
//!
//! Programs disagree on whether a region's coordinates refer to the stored picture or to the upright one. The Metadata
//! Working Group means the stored picture; several programs write coordinates of the upright one. If the orientation
//! swaps the sides, the picture size stated with the regions shows which one is meant. Otherwise, or if no size is
//! stated, the interpretation that fits the faces better counts.
//!
//! The stated size also shows whether the picture has changed since the regions were written. If its aspect ratio
//! differs, a program cropped it and kept the regions, and their positions are unknown. If the sides are exchanged, a
//! program rotated it by a quarter turn in either direction.

use std::cmp::Ordering;

use super::{PersonStatement, RegionKind, RegionStatement};
use crate::face::BoundingBox;
use crate::raster::{Orientation, Turn};

/// Minimum intersection over minimum area of the boxes of one face: people draw boxes around heads, detectors around
/// faces.
const MIN_OVERLAP: f32 = 0.5;

/// Largest ratio of the areas of two boxes of one face.
const MAX_AREA_RATIO: f32 = 9.0;

/// Largest relative difference between the aspect ratio of a picture and the one for which its regions are stated:
/// previews of raw files are cropped by a few pixels.
const MAX_ASPECT_DIFFERENCE: f32 = 0.02;

/// A person in a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The name as it is written.
    pub name: String,
    /// The bounding box in pixels of the upright photo; `None` if only the name is stated.
    pub at: Option<BoundingBox>,
    /// The index of the face that shows the person, if one was found there.
    pub face: Option<usize>,
}

impl Person {
    fn without_region(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            at: None,
            face: None,
        }
    }
}

/// The picture that contains the regions.
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
        self.of(region, self.orientation)
    }

    /// A region of the picture before it was rotated by `orientation`, in pixels of the upright one.
    fn of(&self, region: &RegionStatement, orientation: Orientation) -> BoundingBox {
        let before = orientation.exchange(self.size);
        let at = scaled(region, before);
        Turn::between(Orientation::Upright, orientation, before)
            .map_or(at, |turn| turn.bounding_box(&at))
    }
}

/// The picture compared with the size stated with a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// It has the same aspect ratio, or no size is stated.
    Same,
    /// Its pixels were rotated by a quarter turn.
    Turned,
    /// It was cropped.
    Cropped,
}

impl Shape {
    fn of(region: &RegionStatement, frame: Frame) -> Self {
        let Some(stated) = region.applied_to else {
            return Self::Same;
        };
        let stated = (stated.width, stated.height);
        if has_same_aspect_ratio(stated, frame.size) {
            Self::Same
        } else if !has_same_aspect_ratio((stated.1, stated.0), frame.size) {
            Self::Cropped
        } else if frame.orientation.swaps_sides() {
            // The stated size is that of the stored pixels, before orientation.
            Self::Same
        } else {
            Self::Turned
        }
    }
}

/// Whether two pictures have the same aspect ratio, within the rounding of their sides to pixels.
fn has_same_aspect_ratio(a: (u32, u32), b: (u32, u32)) -> bool {
    let [a, b] = [a, b].map(|(width, height)| (width.max(1) as f32, height.max(1) as f32));
    let ratio = (a.0 * b.1) / (a.1 * b.0);
    let rounding = a.0.recip() + a.1.recip() + b.0.recip() + b.1.recip();
    (ratio.ln()).abs() <= MAX_ASPECT_DIFFERENCE + rounding
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
        let of_shape = |shape: Shape| -> Vec<(&str, RegionStatement)> {
            let mut regions = of_kind.clone();
            regions.retain(|(_, region)| Shape::of(region, frame) == shape);
            regions
        };
        let same = people_of_regions(&of_shape(Shape::Same), faces, frame);
        let turned = people_of_turned_regions(&of_shape(Shape::Turned), faces, frame);
        let other = of_shape(Shape::Cropped);
        let other = other.iter().map(|(name, _)| Person::without_region(name));
        for person in same.into_iter().chain(turned).chain(other) {
            add_person(&mut people, person);
        }
    }
    for person in stated.iter().filter(|person| person.region.is_none()) {
        add_person(&mut people, Person::without_region(&person.name));
    }
    people
}

/// Adds a person. If the name is in the list, only a missing face or region is added to it.
fn add_person(people: &mut Vec<Person>, person: Person) {
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
fn people_of_regions(
    regions: &[(&str, RegionStatement)],
    faces: &[BoundingBox],
    frame: Frame,
) -> Vec<Person> {
    let boxes = |place: &dyn Fn(&RegionStatement) -> BoundingBox| {
        let placed = regions.iter().map(|(_, region)| place(region));
        placed.collect::<Vec<_>>()
    };
    let stored = boxes(&|region| frame.stored(region));
    let upright = boxes(&|region| frame.upright(region));
    let boxes = if refer_to_stored_pixels(regions, (&stored, &upright), faces, frame) {
        stored
    } else {
        upright
    };
    people_in_boxes(regions, boxes, faces)
}

/// Assigns the regions of a picture whose pixels were rotated by a quarter turn to the faces, in the direction that
/// fits them better. If both fit equally, the positions of the regions are unknown.
fn people_of_turned_regions(
    regions: &[(&str, RegionStatement)],
    faces: &[BoundingBox],
    frame: Frame,
) -> Vec<Person> {
    let turns = [Orientation::Rotate90, Orientation::Rotate270].map(|turn| -> Vec<_> {
        let turned = regions.iter().map(|(_, region)| frame.of(region, turn));
        turned.collect()
    });
    let [right, left] = turns;
    match total_overlap(&right, faces).total_cmp(&total_overlap(&left, faces)) {
        Ordering::Greater => people_in_boxes(regions, right, faces),
        Ordering::Less => people_in_boxes(regions, left, faces),
        Ordering::Equal => {
            let names = regions.iter().map(|(name, _)| name);
            names.map(|name| Person::without_region(name)).collect()
        }
    }
}

/// The people of regions with these boxes.
fn people_in_boxes(
    regions: &[(&str, RegionStatement)],
    boxes: Vec<BoundingBox>,
    faces: &[BoundingBox],
) -> Vec<Person> {
    let faces = assign_faces(&boxes, faces);
    let people = regions.iter().zip(boxes).zip(faces);
    people
        .map(|(((name, _), at), face)| Person {
            name: (*name).to_owned(),
            at: Some(at),
            face,
        })
        .collect()
}

/// How well boxes fit the faces: the sum of each box's largest intersection over union with a face.
fn total_overlap(boxes: &[BoundingBox], faces: &[BoundingBox]) -> f32 {
    let best = boxes.iter().map(|at| {
        let overlaps = faces.iter().map(|face| at.iou(face));
        overlaps.fold(0.0, f32::max)
    });
    best.sum()
}

/// Whether the coordinates of regions refer to the stored picture.
fn refer_to_stored_pixels(
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
    let (in_stored, in_upright) = (total_overlap(stored, faces), total_overlap(upright, faces));
    // If both fit equally, what the standard says decides.
    let by_convention = regions
        .iter()
        .any(|(_, region)| matches!(region.kind, RegionKind::Mwg | RegionKind::Picasa));
    in_stored > in_upright || (by_convention && in_stored >= in_upright)
}

/// The face of each box: the best pairs are assigned first, and no face twice.
fn assign_faces(boxes: &[BoundingBox], faces: &[BoundingBox]) -> Vec<Option<usize>> {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for (index, at) in boxes.iter().enumerate() {
        for (face, found) in faces.iter().enumerate() {
            if may_be_same_face(at, found) {
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
pub fn may_be_same_face(a: &BoundingBox, b: &BoundingBox) -> bool {
    let shared = a.intersection(b);
    let (small, large) = (a.area().min(b.area()), a.area().max(b.area()));
    shared >= MIN_OVERLAP * small && large <= MAX_AREA_RATIO * small
}

#[cfg(test)]
mod tests;
