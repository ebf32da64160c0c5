//! Defines the emotion CNN in candle.
//!
//! Its weights have the names that they have in a model file ([`fer_core::network`]). Training runs on
//! candle; inference folds the weights into a [`FoldedNetwork`], as the released program does.

mod fused_trunk;
mod layer;
mod random;
mod residual;
mod sequential;

use std::sync::PoisonError;

use candle_core::{DType, Device, Result, Tensor, bail};
use candle_nn::{VarBuilder, VarMap};
use fer_core::error::{self, Error};
use fer_core::network::{
    FoldedNetwork, HeadInput, HeadSpec, NetworkSpec, TrunkSpec, Weight, Weights, read_spec,
};

use layer::{Dense, dropout};
use random::SplitMix64;
use residual::Residual;
use sequential::Sequential;

/// Whether a weight is trained by its gradient; the running statistics of batch norm are not.
pub fn is_trainable(name: &str) -> bool {
    !name.ends_with(".running_mean") && !name.ends_with(".running_var")
}

/// Initialises the weights of a new network: He initialisation (He et al. 2015) for convolutions, a
/// normal distribution of variance 1 / (3 × inputs) for dense layers, the identity for batch norm. Equal
/// seeds give equal weights.
///
/// # Errors
/// If candle cannot set a weight, which is not expected.
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

/// The trunk, which computes the features of a face.
#[derive(Debug)]
enum Body {
    Residual(Residual),
    Sequential(Sequential),
}

impl Network {
    /// Builds the network over the weights in `vb`. If `vb` is backed by a `VarMap`, weights that are missing
    /// are created, and [`initialise`] must set their values.
    ///
    /// # Errors
    /// If a weight is missing or of another shape, or the architecture is not possible.
    pub fn new(spec: &NetworkSpec, vb: &VarBuilder) -> Result<Self> {
        if spec.heads.is_empty() {
            bail!("a network needs at least one head");
        }
        let (body, features, all) = match &spec.trunk {
            TrunkSpec::Residual(trunk) => {
                let residual = Residual::new(trunk, vb)?;
                let features = residual.features();
                (Body::Residual(residual), features, trunk.channels())
            }
            TrunkSpec::Sequential(trunk) => {
                let sequential = Sequential::new(trunk, vb)?;
                let features = sequential.features();
                (Body::Sequential(sequential), features, features)
            }
        };
        let head = |head: &HeadSpec| {
            let vb = vb.pp("heads").pp(&head.name);
            let inputs = match head.input {
                HeadInput::Features => features,
                HeadInput::Blocks => all,
            };
            Dense::new(inputs, head.emotions.len(), &vb)
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
    /// order of the description, with a graph for `backward`.
    ///
    /// Batch norm uses the statistics of the batch and updates the running ones. `seed` seeds the dropout
    /// mask, so it must differ from step to step.
    ///
    /// # Errors
    /// If `x` has another shape, or a head reads all blocks.
    pub fn forward_train(&self, x: &Tensor, seed: u64) -> Result<Vec<Tensor>> {
        let mut heads = self.spec.heads.iter();
        if let Some(head) = heads.find(|head| head.input == HeadInput::Blocks) {
            bail!(
                "the head \"{}\" reads all blocks, so it cannot be trained with the trunk; fit it with `fer-index model photo-head`",
                head.name
            );
        }
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

    /// Logits in the form of [`Network::forward_train`], but with the running statistics, without dropout
    /// and without a graph for `backward`.
    ///
    /// Folds the network at every call; for repeated inference keep the result of [`Network::fold`].
    ///
    /// # Errors
    /// If `x` has another shape.
    pub fn forward_eval(&self, x: &Tensor) -> Result<Vec<Tensor>> {
        let batch = fused_trunk::check_faces(x)?;
        let faces = x.flatten_all()?.to_vec1()?;
        let logits = self.fold(batch)?.infer_all(&faces);
        logits
            .into_iter()
            .zip(&self.spec.heads)
            .map(|(logits, head)| {
                Tensor::from_vec(logits, (batch, head.emotions.len()), x.device())
            })
            .collect()
    }

    /// The network folded for inference, with algorithms chosen for `batch` faces at a time.
    ///
    /// # Errors
    /// If candle cannot read a weight, which is not expected.
    pub fn fold(&self, batch: usize) -> Result<FoldedNetwork> {
        FoldedNetwork::new(&self.spec, &self.weights()?, batch).map_err(candle_core::Error::wrap)
    }

    /// A copy of the weights, by name.
    ///
    /// # Errors
    /// If candle cannot read a weight, which is not expected.
    pub fn weights(&self) -> Result<Weights> {
        let mut named = match &self.body {
            Body::Residual(residual) => residual.weights(),
            Body::Sequential(sequential) => sequential.weights(),
        };
        for (head, spec) in self.heads.iter().zip(&self.spec.heads) {
            named.extend(head.weights(&format!("heads.{}", spec.name)));
        }
        let mut weights = Weights::default();
        for (name, tensor) in named {
            let weight = Weight {
                shape: tensor.dims().to_vec(),
                values: tensor.flatten_all()?.to_vec1()?,
            };
            weights.insert(name, weight);
        }
        Ok(weights)
    }
}

/// Reads the network of a model file; `what` names the file in an error.
///
/// # Errors
/// [`Error::Model`] if the file does not describe its network, lacks a weight, or was trained on other crops than this
/// program makes.
pub fn read_network(bytes: &[u8], what: &str) -> error::Result<Network> {
    let spec = read_spec(bytes, what)?;
    VarBuilder::from_slice_safetensors(bytes, DType::F32, &Device::Cpu)
        .and_then(|builder| Network::new(&spec, &builder))
        .map_err(|error| Error::Model(format!("{what} cannot be used as a model: {error}")))
}

#[cfg(test)]
mod tests;
