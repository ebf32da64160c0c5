//! The emotion CNN, defined with candle.
//!
//! Weights live under candle paths: `stem.conv.weight`, `stem.bn.{weight,bias,running_mean,
//! running_var}`, `blocks.0.{conv1,bn1,conv2,bn2}`, `blocks.1.projection.{conv,bn}`,
//! `blocks.0.se.{squeeze,excite}`; or `layers.N.{weight,bias}`; and `heads.NAME.{weight,bias}`.

mod folded;
mod layer;
mod random;
mod residual;
mod sequential;
mod spec;
mod trunk;

use std::sync::PoisonError;

use candle_core::{Result, Tensor, bail};
use candle_nn::{VarBuilder, VarMap};

use layer::{Dense, dropout};
use random::SplitMix64;
use residual::Residual;
use sequential::Sequential;

pub use folded::{FoldedNetwork, Workspace};
pub use spec::{
    AlbumShare, BlockSpec, HeadSpec, LayerSpec, NetworkSpec, Padding, ResidualSpec, SequentialSpec,
    TrunkSpec,
};

/// The least standard deviation that [`standardise`] divides by, in grey values of 0 to 255: an
/// even face stays even instead of becoming amplified noise.
pub const DEVIATION_FLOOR: f32 = 0.03 * 255.0;

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
    body: Body,
    heads: Vec<Dense>,
}

/// What turns a face into features.
#[derive(Debug)]
enum Body {
    Residual(Residual),
    Sequential(Sequential),
}

impl Network {
    /// Takes (or, over a `VarMap`, makes) the weights that the architecture needs; call
    /// [`initialise`] on weights just made.
    ///
    /// # Errors
    /// If a weight is missing or of another shape, or the architecture is not possible.
    pub fn new(spec: &NetworkSpec, vb: &VarBuilder) -> Result<Self> {
        if spec.heads.is_empty() {
            bail!("a network needs a head");
        }
        let (body, features) = match &spec.trunk {
            TrunkSpec::Residual(trunk) => {
                let residual = Residual::new(trunk, vb)?;
                let features = residual.features();
                (Body::Residual(residual), features)
            }
            TrunkSpec::Sequential(trunk) => {
                let sequential = Sequential::new(trunk, vb)?;
                let features = sequential.features();
                (Body::Sequential(sequential), features)
            }
        };
        let head = |head: &HeadSpec| {
            let vb = vb.pp("heads").pp(&head.name);
            Dense::new(features, head.emotions.len(), &vb)
        };
        Ok(Self {
            spec: spec.clone(),
            body,
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
        let features = match &self.body {
            Body::Residual(residual) => residual.forward(x)?,
            Body::Sequential(sequential) => sequential.forward(x, seed)?,
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
}

#[cfg(test)]
mod tests;
