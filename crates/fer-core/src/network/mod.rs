//! The emotion network: architecture, model files and inference.
//!
//! A model file names its weights as candle does: for a residual trunk `stem.conv.weight`,
//! `stem.bn.{weight,bias,running_mean,running_var}`, `blocks.0.{conv1,bn1,conv2,bn2}`, `blocks.1.projection.{conv,bn}`,
//! `blocks.0.se.{squeeze,excite}`; for a sequential trunk `layers.N.{weight,bias}`; for each head
//! `heads.NAME.{weight,bias}`; and, if it has a head for the human score, `human.{hidden,output}.{weight,bias}`.

mod file;
mod folded;
mod output;
mod pixels;
mod spec;
mod weights;

pub use file::{ModelFile, read_spec};
pub use folded::{FoldedNetwork, Workspace};
pub use output::{HeadOutput, MIN_SUM};
pub use pixels::PixelScaling;
pub use spec::{
    BlockSpec, EnsembleWeights, HeadInput, HeadSpec, LayerSpec, NetworkSpec, Padding, ResidualSpec,
    SequentialSpec, TrunkSpec,
};
pub use weights::{Weight, WeightError, Weights};

/// Added to the variance in a batch normalisation, before the square root.
pub const EPSILON: f32 = 1e-5;

/// Number of values between the two layers of a squeeze-and-excitation of `channels` channels.
pub fn squeezed(channels: usize, reduction: usize) -> usize {
    (channels / reduction.max(1)).max(1)
}

/// The least standard deviation that [`standardise`] divides by, in grey values of 0 to 255: it prevents the noise of
/// an almost uniform crop from being amplified.
pub const DEVIATION_FLOOR: f32 = 0.03 * 255.0;

/// Brings the grey values (0 to 255) of one face to mean 0 and (unbiased) standard deviation 1: the
/// input of the network, in training and in inference.
pub fn standardise(face: &mut [f32]) {
    let n = face.len() as f32;
    let mean = face.iter().sum::<f32>() / n;
    let squares: f32 = face.iter().map(|v| (v - mean) * (v - mean)).sum();
    let deviation = (squares / (n - 1.0).max(1.0)).sqrt().max(DEVIATION_FLOOR);
    for value in face {
        *value = (*value - mean) / deviation;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standardised_faces_have_mean_0_and_deviation_1() {
        let mut face: Vec<f32> = (0..48 * 48).map(|i| (i * 7 % 256) as f32).collect();
        standardise(&mut face);
        let n = face.len() as f32;
        let squares: f32 = face.iter().map(|v| v * v).sum();
        assert!(face.iter().sum::<f32>().abs() / n < 1e-4);
        assert!((squares / (n - 1.0) - 1.0).abs() < 1e-4);
        let mut even = vec![7.0; 48 * 48];
        even[0] = 8.0;
        standardise(&mut even);
        assert!(even[0] < 0.2, "noise was amplified to {}", even[0]);
    }
}
