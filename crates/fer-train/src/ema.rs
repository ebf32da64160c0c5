//! The exponential moving average (EMA) of a network's weights during training.

use candle_core::{Result, Var};
use candle_nn::VarMap;

use super::elementwise::update_with;
use super::weights;
use crate::network::Network;
use fer_core::network::NetworkSpec;

/// A second network whose weights are the moving average of the trained network's (Polyak and
/// Juditsky 1992); running statistics are averaged like weights.
pub struct Ema {
    decay: f64,
    weights: VarMap,
    network: Network,
    /// Each averaged variable with the trained one that it follows.
    pairs: Vec<(Var, Var)>,
}

impl Ema {
    /// Starts with the weights of `trained`.
    ///
    /// # Errors
    /// If `spec` is not the architecture of `trained`.
    pub fn new(spec: &NetworkSpec, trained: &VarMap, decay: f64) -> Result<Self> {
        let (weights, network) = weights::build_network(spec)?;
        weights::copy_values(trained, &weights)?;
        let variables = |map| {
            weights::sorted_variables(map)
                .into_iter()
                .map(|(_, variable)| variable)
        };
        let pairs = variables(&weights).zip(variables(trained)).collect();
        Ok(Self {
            decay,
            weights,
            network,
            pairs,
        })
    }

    /// Updates the averages after step `step` (from 1). The decay is lower in the first steps, so that the influence of
    /// the initial weights soon ends.
    ///
    /// # Errors
    /// If candle cannot update a tensor.
    pub fn update(&self, step: u64) -> Result<()> {
        let step = step as f64;
        let decay = self.decay.min((1.0 + step) / (10.0 + step)) as f32;
        for (average, trained) in &self.pairs {
            update_with(average, trained, |a, w| w + decay * (a - w))?;
        }
        Ok(())
    }

    /// The network with the averaged weights.
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The averaged weights.
    pub const fn weights(&self) -> &VarMap {
        &self.weights
    }
}
