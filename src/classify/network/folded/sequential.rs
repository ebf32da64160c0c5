//! The sequential trunk.

use candle_core::Result;

use super::super::sequential::{Layer, Sequential};
use super::{FACE, FoldedConv, FoldedDense, Workspace};
use crate::classify::FACE_SIDE;
use crate::nn::conv::Add;
use crate::nn::pool::MaxPool;

/// The layers that do something when nothing is trained.
#[derive(Debug)]
pub struct FoldedSequential {
    layers: Vec<FoldedLayer>,
}

#[derive(Debug)]
enum FoldedLayer {
    Convolution { conv: Box<FoldedConv>, relu: bool },
    Relu,
    MaxPool(MaxPool),
    Dense(FoldedDense),
}

impl FoldedSequential {
    pub fn new(network: &Sequential, batch: usize) -> Result<Self> {
        let (mut side, mut channels) = (FACE_SIDE, 1);
        let mut layers = Vec::with_capacity(network.layers.len());
        for layer in &network.layers {
            layers.push(match layer {
                Layer::Dropout(_) | Layer::Flatten => continue,
                Layer::Relu => FoldedLayer::Relu,
                Layer::Dense(dense) => FoldedLayer::Dense(FoldedDense::new(dense)?),
                Layer::MaxPool => {
                    let pool = MaxPool {
                        height: side,
                        width: side,
                        channels,
                    };
                    side /= 2;
                    FoldedLayer::MaxPool(pool)
                }
                Layer::Convolution {
                    kernel,
                    bias,
                    padding,
                    relu,
                } => {
                    let conv = FoldedConv::new([kernel, bias], side, 1, *padding, batch)?;
                    side = conv.side();
                    channels = bias.elem_count();
                    FoldedLayer::Convolution {
                        conv: Box::new(conv),
                        relu: *relu,
                    }
                }
            });
        }
        Ok(Self { layers })
    }

    /// Leaves the faces' features in the workspace.
    pub fn forward(&self, workspace: &mut Workspace, faces: &[f32]) {
        let n = faces.len() / FACE;
        let Workspace {
            input,
            output,
            features,
            ..
        } = workspace;
        input.clear();
        input.extend_from_slice(faces);
        for layer in &self.layers {
            match layer {
                FoldedLayer::Convolution { conv, relu } => {
                    conv.forward(input, output, Add::Nothing, *relu);
                }
                FoldedLayer::Relu => {
                    for value in &mut *input {
                        *value = value.max(0.0);
                    }
                    continue;
                }
                FoldedLayer::MaxPool(pool) => {
                    output.resize(n * pool.image_out(), 0.0);
                    pool.forward(input, output);
                }
                FoldedLayer::Dense(dense) => dense.forward(input, output),
            }
            std::mem::swap(input, output);
        }
        std::mem::swap(input, features);
    }
}
