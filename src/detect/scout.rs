//! Looks where a photo may have faces, so that the rest of its fine level need not be searched.
//!
//! A network of some five thousand parameters reads a copy with half of the fine level's sides, and gives a number for each
//! 8 × 8 pixels of it. It has learned to tell faces of 5 to 32 pixels in any roll from everything else, and to miss hardly any
//! rather than to be sure; `models/README.md` says from what.

use std::sync::{Mutex, PoisonError};

use image::RgbImage;

use crate::error::{Error, Result};
use crate::network::{WeightError, Weights};
use fer_nn::Level;
use fer_nn::separable::{FeatureMap, Layer, Separable, Source, Stem, Workspace, run};

static WEIGHTS: &[u8] = include_bytes!("../../models/scout.safetensors");

/// Pixels of the picture per cell of the map.
pub(super) const STRIDE: u32 = 8;

/// Values of a cell, of which the first tells.
const CHANNELS: usize = 16;

/// The network, packed for the kernels.
#[derive(Debug)]
pub(super) struct Scout {
    level: Level,
    stem: Stem,
    /// Stride 4.
    fine: [Separable; 2],
    /// Stride 8.
    coarse: [Separable; 3],
    /// Buffers that are not in use: at most one set for each concurrent call.
    buffers: Mutex<Vec<(Workspace, FeatureMap)>>,
}

impl Scout {
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

    /// Calls `mark` with the column and row of each cell of a picture that may show a face: whose value is `least` or more.
    pub fn look(&self, picture: &RgbImage, least: f32, mut mark: impl FnMut(u32, u32)) {
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
    Error::Model(format!("the scout's weights cannot be used: {error}"))
}
