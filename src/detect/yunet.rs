//! YuNet: a face detector of 53,104 parameters.
//!
//! W. Wu, H. Peng and S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence
//! Research 20, 2023. This is its small variant; `models/README.md` tells where the weights are
//! from. A backbone of separable units gives maps of stride 8, 16 and 32, a top-down neck joins
//! them, and per stride one head gives class, objectness, box and five landmarks of every cell.

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
    /// One set of buffers for each thread that was ever inside at the same time.
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

    /// Faces of a picture, looked at as it is, that score at least `threshold`: in its pixels, in no
    /// order, and each face several times.
    pub fn candidates(&self, picture: &RgbImage, threshold: f32) -> Vec<DetectedFace> {
        let mut buffers = self.lock_buffers().pop().unwrap_or_default();
        let faces = self
            .network
            .faces(self.level, picture, threshold, &mut buffers);
        self.lock_buffers().push(buffers);
        faces
    }

    fn lock_buffers(&self) -> MutexGuard<'_, Vec<Buffers>> {
        // Buffers hold no state between runs, so a panic elsewhere cannot have spoilt them.
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
