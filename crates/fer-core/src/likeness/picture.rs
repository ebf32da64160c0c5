//! The small picture of a face by which it is recognised.

use crate::affine::Affine;
use crate::classify::{FACE_SIDE, frame_of};
use crate::face::{DetectedFace, Point};
use crate::raster::Raster;

/// Side of the picture in cells.
pub(super) const SIDE: usize = 96;

/// Number of cells.
pub(super) const CELLS: usize = SIDE * SIDE;

/// Margin around the frame of a face crop on each side, in pixels of the frame: it shows hair, neck and some of the
/// background.
const MARGIN: f32 = 16.0;

/// Side of a cell in pixels of the frame of a face crop.
const CELL: f32 = (FACE_SIDE as f32 + 2.0 * MARGIN) / SIDE as f32;

/// Most samples along a side that one cell averages.
const MAX_SAMPLES: u32 = 8;

/// The numbers before the cells in a stored picture.
const NUMBERS: usize = 3;

/// The value of a cell outside the photo.
pub(super) const OUTSIDE: u8 = 0;

/// A face and its surroundings: 96 × 96 grey cells, aligned by the landmarks as a face crop, and the
/// sizes of a cell and of the photo.
#[derive(Clone, PartialEq)]
pub struct FacePicture {
    /// Side of a cell in pixels of the photo.
    pub(super) step: f32,
    /// Width and height of the upright photo in pixels.
    pub(super) photo: [f32; 2],
    /// Grey values from 1 to 255 row by row, or [`OUTSIDE`].
    pub(super) cells: Box<[u8]>,
}

impl FacePicture {
    /// Samples the picture of a face from its photo, at full resolution.
    pub fn of(photo: &Raster, face: &DetectedFace) -> Self {
        let cell_to_frame = Affine {
            x: [CELL, 0.0, -MARGIN],
            y: [0.0, CELL, -MARGIN],
        };
        let to_photo = cell_to_frame.then(&frame_of(face));
        let side = SIDE as u32;
        let values = photo.sample_grey(&to_photo, (side, side), MAX_SAMPLES);
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let cells = values.iter().enumerate().map(|(index, grey)| {
            let centre = to_photo.apply(centre_of(index));
            if (0.0..=width).contains(&centre.x) && (0.0..=height).contains(&centre.y) {
                grey.round().clamp(1.0, 255.0) as u8
            } else {
                OUTSIDE
            }
        });
        Self {
            step: to_photo.x[0].hypot(to_photo.y[0]),
            photo: [width, height],
            cells: cells.collect(),
        }
    }

    /// Width and height of the upright photo in pixels.
    pub const fn photo_size(&self) -> (u32, u32) {
        (self.photo[0] as u32, self.photo[1] as u32)
    }

    /// The picture as it is stored: three little-endian `f32` (the side of a cell, the photo's width and height, in
    /// pixels), and the cells.
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.step, self.photo[0], self.photo[1]];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        bytes.extend(&self.cells);
        bytes
    }

    /// The inverse of [`FacePicture::to_bytes`]; `None` if the bytes are not a picture.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, cells) = bytes.split_at_checked(4 * NUMBERS)?;
        let mut values = [0.0; NUMBERS];
        for (value, bytes) in values.iter_mut().zip(numbers.as_chunks().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        let is_usable = values.iter().all(|value| value.is_finite() && *value > 0.0);
        let [step, width, height] = values;
        (is_usable && cells.len() == CELLS).then(|| Self {
            step,
            photo: [width, height],
            cells: cells.into(),
        })
    }
}

/// The centre of a cell.
pub(super) fn centre_of(index: usize) -> Point {
    Point {
        x: (index % SIDE) as f32 + 0.5,
        y: (index / SIDE) as f32 + 0.5,
    }
}

impl std::fmt::Debug for FacePicture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The cells of a person's face must not get into a log.
        f.debug_struct("FacePicture")
            .field("photo", &self.photo)
            .finish_non_exhaustive()
    }
}
