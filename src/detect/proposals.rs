//! Proposes where a photo may have faces, so that the rest of its fine level need not be searched.
//!
//! A network of some five thousand parameters reads a copy with half of the fine level's sides, and computes a logit
//! for each cell of 8 × 8 pixels. It was trained to distinguish faces of 5 to 32 pixels in any roll from everything
//! else, and rather to propose too many than to miss one; `models/README.md` describes the training data. It is a small
//! form of a region proposal network (Ren, He, Girshick and Sun, "Faster R-CNN", NIPS 2015): the detector's network
//! decides whether there is a face, and where exactly.

use std::sync::{Mutex, PoisonError};

use image::RgbImage;

use crate::error::{Error, Result};
use crate::network::{WeightError, Weights};
use fer_nn::Level;
use fer_nn::separable::{FeatureMap, Layer, Separable, Source, Stem, Workspace, run};

static WEIGHTS: &[u8] = include_bytes!("../../models/proposals.safetensors");

/// Pixels of the picture per cell of the map.
pub(super) const STRIDE: u32 = 8;

/// Values per cell, of which only the first is used; kernels compute whole channel groups.
const CHANNELS: usize = 16;

/// The network, packed for the kernels.
#[derive(Debug)]
pub(super) struct ProposalNetwork {
    level: Level,
    stem: Stem,
    /// Stride 4.
    fine: [Separable; 2],
    /// Stride 8.
    coarse: [Separable; 3],
    /// Buffers that are not in use: at most one set for each concurrent call.
    buffers: Mutex<Vec<(Workspace, FeatureMap)>>,
}

impl ProposalNetwork {
    /// Builds the network from the weights in the binary.
    ///
    /// # Errors
    /// [`Error::Model`] if the weights do not fit the network.
    pub fn new() -> Result<Self> {
        let weights = Weights::parse(WEIGHTS).map_err(unusable)?;
        let values = |name: &str| -> Result<Vec<f32>> {
            let weight = weights.get(name).map_err(unusable)?;
            Ok(weight.values.clone())
        };
        let unit = |name: &str, relu| -> Result<Separable> {
            let part = |part: &str| values(&format!("{name}.{part}"));
            Ok(Separable::new(
                (&part("pw.w")?, &part("pw.b")?),
                (&part("dw.w")?, &part("dw.b")?),
                true,
                relu,
            ))
        };
        Ok(Self {
            level: Level::detect(),
            stem: Stem::new(&values("stem.w")?, &values("stem.b")?),
            fine: [unit("fine0", true)?, unit("fine1", true)?],
            coarse: [
                unit("coarse0", true)?,
                unit("coarse1", true)?,
                unit("coarse2", false)?,
            ],
            buffers: Mutex::default(),
        })
    }

    /// Calls `mark` with the column and row of each cell of a picture that may show a face: one whose logit is at least
    /// `least`.
    pub fn propose(&self, picture: &RgbImage, least: f32, mut mark: impl FnMut(u32, u32)) {
        let lock = || self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut workspace, mut map) = lock().pop().unwrap_or_default();
        let padded = |side: u32| side.next_multiple_of(STRIDE) as usize;
        let source = Source::Image {
            stem: &self.stem,
            rgb: picture.as_raw(),
            width: picture.width() as usize,
            padded: (padded(picture.width()), padded(picture.height())),
        };
        let [f0, f1] = self.fine.each_ref().map(Layer::Separable);
        let [c0, c1, c2] = self.coarse.each_ref().map(Layer::Separable);
        let layers = [Layer::MaxPool, f0, f1, Layer::MaxPool, c0, c1, c2];
        run(self.level, source, &layers, &mut workspace, &mut map);
        let rows = map.data.chunks_exact(map.width.max(1) * CHANNELS);
        for (row, cells) in (0..).zip(rows) {
            for (column, cell) in (0..).zip(cells.chunks_exact(CHANNELS)) {
                if cell[0] >= least {
                    mark(column, row);
                }
            }
        }
        lock().push((workspace, map));
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the signature that map_err takes"
)]
fn unusable(error: WeightError) -> Error {
    Error::Model(format!(
        "the proposal network's weights cannot be used: {error}"
    ))
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use image::imageops::{FilterType, replace, resize};

    use super::*;

    fn marked(picture: &RgbImage) -> Vec<(u32, u32)> {
        let mut cells = Vec::new();
        let network = ProposalNetwork::new().unwrap();
        network.propose(picture, 0.5, |column, row| cells.push((column, row)));
        cells
    }

    #[test]
    fn faces_of_several_sizes_are_seen_where_they_are_and_a_wall_is_not() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/astronaut.jpg");
        // The portrait's face has sides of about 100 pixels and its middle at 224, 116.
        let portrait = image::open(path).unwrap().into_rgb8();
        let wall = RgbImage::from_pixel(301, 203, Rgb([120, 110, 100]));
        assert_eq!(marked(&wall), []);
        for side in [8.0_f32, 14.0, 25.0] {
            let scale = side / 100.0;
            let size = (512.0 * scale) as u32;
            let person = resize(&portrait, size, size, FilterType::Triangle);
            let mut picture = wall.clone();
            replace(&mut picture, &person, 140, 60);
            let middle = (140.0 + 224.0 * scale, 60.0 + 116.0 * scale);
            let distance = |(column, row): &(u32, u32)| {
                let at = |cell: u32| (cell as f32 + 0.5) * STRIDE as f32;
                (at(*column) - middle.0).hypot(at(*row) - middle.1)
            };
            let cells = marked(&picture);
            let near = cells.iter().filter(|cell| distance(cell) < side.max(9.0));
            assert!(near.count() > 0, "{side}: {cells:?}");
        }
    }

    #[test]
    fn pictures_of_any_size_are_searched() {
        for (width, height) in [(1, 1), (1, 300), (33, 31), (640, 20)] {
            marked(&RgbImage::from_pixel(width, height, Rgb([128; 3])));
        }
    }
}
