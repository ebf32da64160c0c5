//! The emotion CNN, defined with candle.
//!
//! Weights live under candle paths: `stem.conv.weight`, `stem.bn.{weight,bias,running_mean,
//! running_var}`, `blocks.0.{conv1,bn1,conv2,bn2}`, `blocks.1.projection.{conv,bn}`,
//! `blocks.0.se.{squeeze,excite}` and `heads.NAME.{weight,bias}`.

mod folded;
mod layer;
mod random;
mod spec;
mod trunk;

use std::sync::{Arc, PoisonError};

use candle_core::{Result, Tensor, bail};
use candle_nn::{VarBuilder, VarMap};

use layer::{ConvNorm, ConvShape, Dense, SqueezeExcitation, dropout};
use random::SplitMix64;
use trunk::Trunk;

pub use folded::{FoldedNetwork, Workspace};
pub use spec::{BlockSpec, HeadSpec, NetworkSpec, ResidualSpec, TrunkSpec};

use crate::nn;

/// The least standard deviation that [`standardise`] divides by, in grey values of 0 to 255: an
/// even face stays even instead of becoming amplified noise.
const DEVIATION_FLOOR: f32 = 0.03 * 255.0;

/// Brings the grey values (0 to 255) of one face to mean 0 and (unbiased) deviation 1: what the
/// network takes, in training as later.
pub fn standardise(face: &mut [f32]) {
    let n = face.len() as f32;
    let mean = face.iter().sum::<f32>() / n;
    let squares: f32 = face.iter().map(|v| (v - mean) * (v - mean)).sum();
    let deviation = (squares / (n - 1.0).max(1.0)).sqrt().max(DEVIATION_FLOOR);
    for value in face {
        *value = (*value - mean) / deviation;
    }
}

/// Whether a weight is learned by gradient; the running statistics of batch norm are not.
pub fn is_trainable(name: &str) -> bool {
    !name.ends_with(".running_mean") && !name.ends_with(".running_var")
}

/// Draws the weights of a new network: He initialisation (He et al. 2015) for convolutions, the
/// usual small one for dense layers, identity for batch norm. Equal seeds give equal weights.
///
/// # Errors
/// If a weight cannot be set, which candle does not do to its own.
pub fn initialise(weights: &VarMap, seed: u64) -> Result<()> {
    let mut random = SplitMix64::new(seed);
    let data = weights.data().lock();
    let data = data.unwrap_or_else(PoisonError::into_inner);
    let mut named: Vec<_> = data.iter().collect();
    named.sort_by_key(|(name, _)| name.as_str());
    for (name, var) in named {
        let deviation = match *var.dims() {
            [height, width, input, _] => (2.0 / (height * width * input) as f32).sqrt(),
            [_, input] => (1.0 / (3 * input) as f32).sqrt(),
            _ if name.ends_with(".weight") || name.ends_with(".running_var") => {
                var.set(&var.ones_like()?)?;
                continue;
            }
            _ => {
                var.set(&var.zeros_like()?)?;
                continue;
            }
        };
        let values = (0..var.elem_count())
            .map(|_| deviation * random.normal())
            .collect();
        var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
    }
    Ok(())
}

/// An emotion CNN with its weights.
#[derive(Debug)]
pub struct Network {
    spec: NetworkSpec,
    stem: ConvNorm,
    blocks: Vec<Block>,
    heads: Vec<Dense>,
    /// The same layers as one operation, for training; it has no squeeze-and-excitation.
    trunk: Option<Arc<Trunk>>,
}

impl Network {
    /// Takes (or, over a `VarMap`, makes) the weights that the architecture needs; call
    /// [`initialise`] on weights just made.
    ///
    /// # Errors
    /// If a weight is missing or of another shape, or the architecture has no block or no head.
    pub fn new(spec: &NetworkSpec, vb: &VarBuilder) -> Result<Self> {
        let TrunkSpec::Residual(trunk) = &spec.trunk;
        let Some(last) = trunk.blocks.last() else {
            bail!("a residual network needs a block");
        };
        if spec.heads.is_empty() {
            bail!("a network needs a head");
        }
        let stem = ConvShape {
            input: 1,
            output: trunk.stem,
            kernel: 3,
            stride: trunk.stem_stride,
        };
        let mut width = trunk.stem;
        let mut blocks = Vec::with_capacity(trunk.blocks.len());
        for (i, &block) in trunk.blocks.iter().enumerate() {
            let vb = vb.pp("blocks").pp(i);
            blocks.push(Block::new(width, block, trunk.squeeze_excitation, &vb)?);
            width = block.width;
        }
        let head = |head: &HeadSpec| {
            let vb = vb.pp("heads").pp(&head.name);
            Dense::new(last.width, head.emotions.len(), &vb)
        };
        Ok(Self {
            spec: spec.clone(),
            trunk: (trunk.squeeze_excitation.is_none()).then(|| Arc::new(Trunk::new(trunk))),
            stem: ConvNorm::new(stem, &vb.pp("stem.conv"), &vb.pp("stem.bn"))?,
            blocks,
            heads: spec.heads.iter().map(head).collect::<Result<_>>()?,
        })
    }

    /// The architecture.
    pub const fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// Logits of standardised faces `x[n, 48, 48, 1]`, one `[n, emotions]` tensor per head in the
    /// order of the description, ready for `backward`.
    ///
    /// Normalises by the batch and moves the running statistics towards it; `seed` decides what
    /// dropout drops, so it must differ from step to step.
    ///
    /// # Errors
    /// If `x` is shaped otherwise.
    pub fn forward_train(&self, x: &Tensor, seed: u64) -> Result<Vec<Tensor>> {
        let features = match &self.trunk {
            Some(trunk) => self.features_at_once(x, trunk)?,
            None => self.features_by_layer(x)?,
        };
        let features = dropout(&features, self.spec.dropout, seed)?;
        self.heads
            .iter()
            .map(|head| head.forward(&features))
            .collect()
    }

    /// Logits as [`Network::forward_train`] gives them, but by the running statistics, without
    /// dropout and without a graph for `backward`.
    ///
    /// Folds the network first; who asks often keeps a [`FoldedNetwork`].
    ///
    /// # Errors
    /// If `x` is shaped otherwise.
    pub fn forward_eval(&self, x: &Tensor) -> Result<Vec<Tensor>> {
        let batch = trunk::check_faces(x)?;
        let faces = x.flatten_all()?.to_vec1()?;
        let logits = FoldedNetwork::new(self, batch)?.infer_all(&faces);
        logits
            .into_iter()
            .zip(&self.spec.heads)
            .map(|(logits, head)| {
                Tensor::from_vec(logits, (batch, head.emotions.len()), x.device())
            })
            .collect()
    }

    /// The features of a training step, layer by layer.
    fn features_by_layer(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = self.stem.forward(x, None, true)?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        nn::global_average_pool(&x)
    }

    /// The same in one operation.
    fn features_at_once(&self, x: &Tensor, trunk: &Arc<Trunk>) -> Result<Tensor> {
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
struct Block {
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

    /// The convolutions, in the order of [`Trunk`]'s weights.
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

#[cfg(test)]
mod tests;
