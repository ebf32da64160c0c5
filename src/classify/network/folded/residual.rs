//! The residual trunk.

use candle_core::Result;

use super::super::layer::SqueezeExcitation;
use super::super::residual::{Block, Residual};
use super::{FACE, FoldedConv, FoldedDense, Workspace};
use crate::classify::FACE_SIDE;
use crate::nn::conv::Add;
use crate::nn::pool;

/// A stem, residual blocks and a global average.
#[derive(Debug)]
pub struct FoldedResidual {
    stem: FoldedConv,
    blocks: Vec<FoldedBlock>,
}

impl FoldedResidual {
    pub fn new(network: &Residual, batch: usize) -> Result<Self> {
        let stem = FoldedConv::of_norm(&network.stem, FACE_SIDE, batch)?;
        let mut side = stem.side();
        let mut blocks = Vec::with_capacity(network.blocks.len());
        for block in &network.blocks {
            let block = FoldedBlock::new(block, side, batch)?;
            side = block.second.side();
            blocks.push(block);
        }
        Ok(Self { stem, blocks })
    }

    /// Leaves the faces' features in the workspace.
    pub fn forward(&self, workspace: &mut Workspace, faces: &[f32]) {
        let Workspace {
            input,
            inner,
            output,
            shortcut,
            features,
            gate,
            ..
        } = workspace;
        self.stem.forward(faces, input, Add::Nothing, true);
        let mut geometry = self.stem.conv.geometry();
        for block in &self.blocks {
            block.forward(input, [inner, output, shortcut], gate);
            std::mem::swap(input, output);
            geometry = block.second.conv.geometry();
        }
        let channels = geometry.channels_out;
        features.resize(faces.len() / FACE * channels, 0.0);
        pool::average(input, geometry.pixels_out(), channels, features);
    }
}

/// A basic residual block.
#[derive(Debug)]
struct FoldedBlock {
    first: FoldedConv,
    second: FoldedConv,
    projection: Option<FoldedConv>,
    gate: Option<[FoldedDense; 2]>,
}

impl FoldedBlock {
    fn new(block: &Block, side: usize, batch: usize) -> Result<Self> {
        let first = FoldedConv::of_norm(&block.first, side, batch)?;
        let inner = first.conv.geometry().out_height();
        let projection = block.projection.as_ref();
        let gate = |se: &SqueezeExcitation| -> Result<_> {
            let [squeeze, excite] = se.layers().map(FoldedDense::new);
            Ok([squeeze?, excite?])
        };
        Ok(Self {
            first,
            second: FoldedConv::of_norm(&block.second, inner, batch)?,
            projection: projection
                .map(|layer| FoldedConv::of_norm(layer, side, batch))
                .transpose()?,
            gate: block.squeeze_excitation.as_ref().map(gate).transpose()?,
        })
    }

    fn forward(&self, x: &[f32], buffers: [&mut Vec<f32>; 3], gates: &mut Vec<f32>) {
        let [inner, output, projected] = buffers;
        self.first.forward(x, inner, Add::Nothing, true);
        let shortcut = match &self.projection {
            None => x,
            Some(projection) => {
                projection.forward(x, projected, Add::Nothing, false);
                projected
            }
        };
        match &self.gate {
            None => self
                .second
                .forward(inner, output, Add::Images(shortcut), true),
            Some(gate) => {
                self.second.forward(inner, output, Add::Nothing, false);
                let g = self.second.conv.geometry();
                excite(
                    gate,
                    [g.pixels_out(), g.channels_out],
                    output,
                    shortcut,
                    gates,
                );
            }
        }
    }
}

/// Scales the channels of `y[n, pixels, channels]` by their gates, adds the shortcut and rectifies.
fn excite(
    [squeeze, excite]: &[FoldedDense; 2],
    [pixels, channels]: [usize; 2],
    y: &mut [f32],
    shortcut: &[f32],
    gates: &mut Vec<f32>,
) {
    let mut means = vec![0.0; channels];
    let mut inner = Vec::new();
    let images = y
        .chunks_exact_mut(pixels * channels)
        .zip(shortcut.chunks_exact(pixels * channels));
    for (y, shortcut) in images {
        pool::average(y, pixels, channels, &mut means);
        squeeze.forward(&means, &mut inner);
        for value in &mut inner {
            *value = value.max(0.0);
        }
        excite.forward(&inner, gates);
        for gate in &mut *gates {
            *gate = 1.0 / (1.0 + (-*gate).exp());
        }
        let rows = y
            .chunks_exact_mut(channels)
            .zip(shortcut.chunks_exact(channels));
        for (y, shortcut) in rows {
            for ((y, shortcut), gate) in y.iter_mut().zip(shortcut).zip(&*gates) {
                *y = (*y * gate + shortcut).max(0.0);
            }
        }
    }
}
