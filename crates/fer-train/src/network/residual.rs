//! The residual trunk: a stem, basic residual blocks and global average pooling.

use std::sync::Arc;

use candle_core::{Result, Tensor, bail};
use candle_nn::VarBuilder;

use super::fused_trunk::FusedTrunk;
use super::layer::{ConvNorm, ConvShape, SqueezeExcitation};
use crate::op;
use fer_core::network::{BlockSpec, ResidualSpec};

/// A residual trunk with its weights.
#[derive(Debug)]
pub struct Residual {
    stem: ConvNorm,
    blocks: Vec<Block>,
    features: usize,
    /// The same layers as one fused operation for training; `None` with squeeze-and-excitation, which it does
    /// not support.
    fused: Option<Arc<FusedTrunk>>,
}

impl Residual {
    /// Reads the weights at the paths `stem` and `blocks`.
    ///
    /// # Errors
    /// If a weight is missing or of another shape, or there is no block.
    pub fn new(spec: &ResidualSpec, vb: &VarBuilder) -> Result<Self> {
        let Some(last) = spec.blocks.last() else {
            bail!("a residual network needs at least one block");
        };
        let stem = ConvShape {
            input: 1,
            output: spec.stem,
            kernel: 3,
            stride: spec.stem_stride,
        };
        let mut width = spec.stem;
        let mut blocks = Vec::with_capacity(spec.blocks.len());
        for (i, &block) in spec.blocks.iter().enumerate() {
            let vb = vb.pp("blocks").pp(i);
            blocks.push(Block::new(width, block, spec.squeeze_excitation, &vb)?);
            width = block.width;
        }
        Ok(Self {
            stem: ConvNorm::new(stem, &vb.pp("stem.conv"), &vb.pp("stem.bn"))?,
            blocks,
            features: last.width,
            fused: (spec.squeeze_excitation.is_none()).then(|| Arc::new(FusedTrunk::new(spec))),
        })
    }

    /// Number of features.
    pub const fn features(&self) -> usize {
        self.features
    }

    /// Every weight with its name in a model file.
    pub fn weights(&self) -> Vec<(String, Tensor)> {
        let mut all: Vec<_> = self.stem.weights("stem.conv", "stem.bn").into();
        for (index, block) in self.blocks.iter().enumerate() {
            all.extend(block.weights(&format!("blocks.{index}")));
        }
        all
    }

    /// Trains layer by layer from now on.
    #[cfg(test)]
    pub fn disable_fusion(&mut self) {
        self.fused = None;
    }

    /// Features `[n, features]` of faces `x[n, side, side, 1]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match &self.fused {
            Some(trunk) => self.features_fused(x, trunk),
            None => self.features_by_layer(x),
        }
    }

    fn features_by_layer(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = self.stem.forward(x, None, true)?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        op::global_average_pool(&x)
    }

    /// The features by the fused operation.
    fn features_fused(&self, x: &Tensor, trunk: &Arc<FusedTrunk>) -> Result<Tensor> {
        let blocks = self.blocks.iter().flat_map(Block::layers);
        let layers: Vec<&ConvNorm> = std::iter::once(&self.stem).chain(blocks).collect();
        let weights: Vec<Tensor> = layers
            .iter()
            .flat_map(|layer| layer.trainable())
            .map(Tensor::flatten_all)
            .collect::<Result<_>>()?;
        let (features, statistics) = trunk.forward(x, &Tensor::cat(&weights, 0)?)?;
        for (layer, batch) in layers.into_iter().zip(statistics) {
            layer.update_running(batch)?;
        }
        Ok(features)
    }
}

/// A basic residual block.
#[derive(Debug)]
pub struct Block {
    first: ConvNorm,
    second: ConvNorm,
    squeeze_excitation: Option<SqueezeExcitation>,
    projection: Option<ConvNorm>,
}

impl Block {
    fn new(
        input: usize,
        block: BlockSpec,
        reduction: Option<usize>,
        vb: &VarBuilder,
    ) -> Result<Self> {
        let BlockSpec { width, stride } = block;
        let conv = |input, kernel, stride, conv: &str, norm: &str| {
            let shape = ConvShape {
                input,
                output: width,
                kernel,
                stride,
            };
            ConvNorm::new(shape, &vb.pp(conv), &vb.pp(norm))
        };
        let project = input != width || stride != 1;
        Ok(Self {
            first: conv(input, 3, stride, "conv1", "bn1")?,
            second: conv(width, 3, 1, "conv2", "bn2")?,
            squeeze_excitation: reduction
                .map(|reduction| SqueezeExcitation::new(width, reduction, &vb.pp("se")))
                .transpose()?,
            projection: project
                .then(|| conv(input, 1, stride, "projection.conv", "projection.bn"))
                .transpose()?,
        })
    }

    fn weights(&self, name: &str) -> Vec<(String, Tensor)> {
        let conv = |layer: &ConvNorm, conv: &str, norm: &str| {
            layer.weights(&format!("{name}.{conv}"), &format!("{name}.{norm}"))
        };
        let mut all: Vec<_> = conv(&self.first, "conv1", "bn1").into();
        all.extend(conv(&self.second, "conv2", "bn2"));
        if let Some(gate) = &self.squeeze_excitation {
            all.extend(gate.weights(&format!("{name}.se")));
        }
        if let Some(projection) = &self.projection {
            all.extend(conv(projection, "projection.conv", "projection.bn"));
        }
        all
    }

    /// The convolutions, in the order of [`FusedTrunk`]'s weights.
    fn layers(&self) -> impl Iterator<Item = &ConvNorm> {
        [&self.first, &self.second]
            .into_iter()
            .chain(&self.projection)
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let shortcut = match &self.projection {
            Some(projection) => projection.forward(x, None, false)?,
            None => x.clone(),
        };
        let y = self.first.forward(x, None, true)?;
        match &self.squeeze_excitation {
            None => self.second.forward(&y, Some(&shortcut), true),
            Some(gate) => {
                let y = self.second.forward(&y, None, false)?;
                (gate.forward(&y)? + shortcut)?.relu()
            }
        }
    }
}
