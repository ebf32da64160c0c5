//! The exponential moving average of a network's weights.

use candle_core::{Result, Var};
use candle_nn::VarMap;

use super::update::update;
use super::weights;
use crate::network::Network;
use fer_core::network::NetworkSpec;

/// A second network whose weights follow those of the first slowly (Polyak and Juditsky 1992);
/// running statistics are averaged like weights.
pub struct Average {
    decay: f64,
    weights: VarMap,
    network: Network,
    pairs: Vec<(Var, Var)>,
}

impl Average {
    /// Starts equal to `followed`.
    ///
    /// # Errors
    /// If the architecture is not that of `followed`.
    pub fn new(spec: &NetworkSpec, followed: &VarMap, decay: f64) -> Result<Self> {
        let (weights, network) = weights::network(spec)?;
        weights::copy(followed, &weights)?;
        let values = |map| {
            weights::sorted(map)
                .into_iter()
                .map(|(_, variable)| variable)
        };
        let pairs = values(&weights).zip(values(followed)).collect();
        Ok(Self {
            decay,
            weights,
            network,
            pairs,
        })
    }

    /// Moves towards the followed weights after step `step` (from 1). The first steps move faster,
    /// so that the initial weights are forgotten.
    ///
    /// # Errors
    /// If candle cannot update a tensor.
    pub fn follow(&self, step: u64) -> Result<()> {
        let step = step as f64;
        let decay = self.decay.min((1.0 + step) / (10.0 + step)) as f32;
        for (average, followed) in &self.pairs {
            update(average, followed, |a, w| w + decay * (a - w))?;
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
