//! Compares two registered pictures of faces part by part.

use super::filter::{Normalised, normalised};
use super::picture::{CELLS, FacePicture, SIDE};
use super::register::{COARSE, pass, register, warped};
use crate::affine::Affine;

/// Side of a part in cells: half the distance between the eyes.
const PART: usize = 12;

/// Parts overlap by half.
const STEP: usize = PART / 2;

/// The least share of a part's cells that both pictures must have.
const MIN_COMMON: f32 = 0.9;

/// The least contrast of a part that is compared, as a share of the mean contrast of all parts: without contrast there
/// is only noise.
const MIN_CONTRAST: f32 = 0.3;

/// The least number of parts for a comparison: a ninth of the picture, for faces at the edge of a photo.
const MIN_PARTS: usize = 25;

/// The share of the parts that may agree less than the result: glare, a vignette, a caption.
const OUTLIERS: f32 = 0.1;

/// Least correlation of the blurred pictures at which no other pose is tried; a mirrored face may reach 0.9.
const CERTAIN_POSE: f32 = 0.97;

/// How well two pictures of faces agree: the correlation, -1 to 1, that nine tenths of their parts reach. `None` if
/// they have too little in common.
pub fn likeness(a: &FacePicture, b: &FacePicture) -> Option<f32> {
    // The sharper one is blurred to the resolution of the other one.
    let blur = (0.6 / a.step.min(b.step)).max(0.8);
    let still = normalised(a, blur);
    let pose = align_pose(&still, &normalised(b, blur))?;
    let map = register(&still, &pose.picture, pose.map)?;
    let (values, common) = warped(&pose.picture, &map);
    parts(&still, &values, &common)
}

/// A picture turned or mirrored so that it is most like another one.
struct Pose {
    picture: Normalised,
    map: Affine,
}

/// The one of the eight rotations and reflections of `picture` that is most like `still`, since a detector may mistake
/// the chin of an upside-down face for its forehead.
fn align_pose(still: &Normalised, picture: &Normalised) -> Option<Pose> {
    let still = still.blurred(COARSE);
    let mut best = None;
    let mut most = f32::NEG_INFINITY;
    let mut turned = picture.clone();
    for way in 0..8 {
        let moving = turned.blurred(COARSE);
        if let Some(map) = pass(&still, &moving, Affine::stretch(1.0, 1.0)) {
            let (values, common) = warped(&moving, &map);
            let all = 0..CELLS;
            if let Some((agreement, _)) = correlation(&still, &values, &common, all, 0.25)
                && agreement > most
            {
                most = agreement;
                best = Some(Pose {
                    picture: turned.clone(),
                    map,
                });
            }
            if most >= CERTAIN_POSE {
                break;
            }
        }
        turned = turned.turned();
        if way == 3 {
            turned = turned.mirrored();
        }
    }
    best
}

/// The correlation that all parts but the outliers reach.
fn parts(still: &Normalised, values: &[f32], common: &[bool]) -> Option<f32> {
    let mut parts = Vec::new();
    for top in (0..=SIDE - PART).step_by(STEP) {
        for left in (0..=SIDE - PART).step_by(STEP) {
            let cells =
                (top..top + PART).flat_map(|y| (left..left + PART).map(move |x| y * SIDE + x));
            parts.extend(correlation(still, values, common, cells, MIN_COMMON));
        }
    }
    let total: f32 = parts.iter().map(|(_, contrast)| contrast).sum();
    let least = MIN_CONTRAST * total / parts.len() as f32;
    let mut agreements: Vec<f32> = parts
        .iter()
        .filter(|(_, contrast)| *contrast >= least)
        .map(|(agreement, _)| *agreement)
        .collect();
    if agreements.len() < MIN_PARTS {
        return None;
    }
    agreements.sort_by(f32::total_cmp);
    Some(agreements[(OUTLIERS * agreements.len() as f32) as usize])
}

/// The correlation of some cells of two pictures, and the contrast of both, as a variance; `None` if the pictures have
/// less than `least` of the cells in common.
fn correlation(
    still: &Normalised,
    values: &[f32],
    common: &[bool],
    cells: impl Iterator<Item = usize>,
    least: f32,
) -> Option<(f32, f32)> {
    let (mut all, mut n) = (0.0_f32, 0.0_f32);
    let (mut sum_a, mut sum_b, mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for cell in cells {
        all += 1.0;
        if common[cell] && still.inside[cell] {
            let (a, b) = (still.values[cell], values[cell]);
            n += 1.0;
            sum_a += a;
            sum_b += b;
            aa += a * a;
            bb += b * b;
            ab += a * b;
        }
    }
    if n < least * all || n < 1.0 {
        return None;
    }
    let contrast = ((aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n))
        .max(0.0)
        .sqrt();
    let agreement = (ab - sum_a * sum_b / n) / contrast.max(f32::EPSILON);
    Some((agreement, contrast / n))
}
