//! YuNet, a convolutional face detector with 53,104 parameters.
//!
//! W. Wu, H. Peng and S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence
//! Research 20, 2023. This is its small variant; `models/README.md` has the source of the weights.
//! A backbone of separable convolutions computes feature maps of stride 8, 16 and 32, a top-down neck
//! merges them, and one head per stride predicts class, objectness, box and five landmarks of each cell.

mod network;

use std::sync::{Mutex, MutexGuard, PoisonError};

use image::RgbImage;

use crate::error::Result;
use crate::face::DetectedFace;
use fer_nn::Level;

use network::{Buffers, Network};

static WEIGHTS: &[u8] = include_bytes!("../../models/yunet_s.safetensors");

/// YuNet's small variant with embedded weights.
#[derive(Debug)]
pub struct Yunet {
    level: Level,
    network: Network,
    /// Buffers that are not in use: at most one set for each concurrent call.
    buffers: Mutex<Vec<Buffers>>,
}

impl Yunet {
    /// Builds the network from the weights in the binary.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the weights do not fit the network.
    pub fn new() -> Result<Self> {
        Ok(Self {
            level: Level::detect(),
            network: Network::read(WEIGHTS)?,
            buffers: Mutex::default(),
        })
    }

    /// Candidates in a picture, searched at its own size, that score at least `threshold`. Their coordinates are pixels
    /// of the picture; they are not sorted, and there are several for each face.
    pub fn candidates(&self, picture: &RgbImage, threshold: f32) -> Vec<DetectedFace> {
        let mut buffers = self.lock_buffers().pop().unwrap_or_default();
        let faces = self
            .network
            .faces(self.level, picture, threshold, &mut buffers);
        self.lock_buffers().push(buffers);
        faces
    }

    fn lock_buffers(&self) -> MutexGuard<'_, Vec<Buffers>> {
        // Buffers hold no state between runs, so a panic elsewhere cannot leave them inconsistent.
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
