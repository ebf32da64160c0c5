//! The closer search: enlarges a region with a name in which no face was found, and searches it.

use super::FaceDetector;
use crate::affine::Affine;
use crate::error::Skip;
use crate::face::{BoundingBox, DetectedFace};
use crate::facts::may_be_same_face;
use crate::raster::{Orientation, Raster};

/// Side in pixels of the part of the photo that is searched.
const SIDE: u32 = 480;

/// Side of that part, in sides of the region. Detectors need some context around a face.
const MARGIN: f32 = 3.0;

/// The best face at a region that the detector finds in the enlarged part of the photo around it.
pub(super) fn in_crop<D: FaceDetector + ?Sized>(
    detector: &D,
    photo: &Raster,
    at: &BoundingBox,
) -> Result<Option<DetectedFace>, Skip> {
    let side = MARGIN * at.width.max(at.height);
    let scale = side / SIDE as f32;
    let centre = at.centre();
    let to_photo = Affine {
        x: [scale, 0.0, centre.x - side / 2.0],
        y: [0.0, scale, centre.y - side / 2.0],
    };
    let crop = photo.sampled(&to_photo, (SIDE, SIDE), 2);
    let found = detector.detect(&Raster::new(crop, Orientation::Upright))?;
    let in_photo = found.iter().map(|face| face.through(&to_photo));
    Ok(best(in_photo, at))
}

/// The best of these faces that may be the one of a region.
pub(super) fn best(
    faces: impl Iterator<Item = DetectedFace>,
    at: &BoundingBox,
) -> Option<DetectedFace> {
    faces
        .filter(|face| may_be_same_face(&face.bounding_box, at))
        .max_by(|a, b| a.score.total_cmp(&b.score))
}

/// A box scaled about its middle by `share`.
pub(super) fn resized(at: &BoundingBox, share: f32) -> BoundingBox {
    let (width, height) = (share * at.width, share * at.height);
    let centre = at.centre();
    BoundingBox {
        x: centre.x - width / 2.0,
        y: centre.y - height / 2.0,
        width,
        height,
    }
}
