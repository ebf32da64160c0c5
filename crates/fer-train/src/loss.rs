//! Losses of logits against targets that are distributions.

use candle_core::{D, Result, Tensor};
use candle_nn::ops::{log_softmax, sigmoid, softmax};
use serde::{Deserialize, Serialize};

/// The loss function, of target t and probability p.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// −Σ t ln p.
    #[default]
    CrossEntropy,
    /// −Σ t ln (p / Σ p), as Keras computes its `categorical_crossentropy` whatever the activation; with softmax the
    /// same as [`LossKind::CrossEntropy`].
    NormalisedCrossEntropy,
    /// −mean(t ln p + (1 − t) ln(1 − p)).
    BinaryCrossEntropy,
    /// mean((t − p)²).
    MeanSquaredError,
}

/// The function that turns logits into the p of the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Probabilities that sum to one.
    #[default]
    Softmax,
    /// An independent probability for each class.
    Sigmoid,
}

/// The settings of the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossRecipe {
    /// The loss function.
    pub kind: LossKind,
    /// The activation of the logits.
    pub activation: Activation,
}

impl LossRecipe {
    /// The loss of `logits[n, c]`, averaged over the batch. Each row of `targets[n, c]` is already multiplied
    /// by its weight in `weights[n]`; a row of weight 0 has no target and adds nothing.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn loss(self, logits: &Tensor, targets: &Tensor, weights: &Tensor) -> Result<Tensor> {
        let (rows, classes) = logits.dims2()?;
        let weights = weights.reshape((rows, 1))?;
        match self.kind {
            LossKind::CrossEntropy | LossKind::NormalisedCrossEntropy => {
                let log_p = match self.activation {
                    Activation::Softmax => log_softmax(logits, D::Minus1)?,
                    // Softmax of ln p is p / Σ p.
                    Activation::Sigmoid if self.kind == LossKind::NormalisedCrossEntropy => {
                        log_softmax(&log_sigmoid(logits)?, D::Minus1)?
                    }
                    Activation::Sigmoid => log_sigmoid(logits)?,
                };
                (targets * log_p)?.sum_all()? * (-1.0 / rows as f64)
            }
            LossKind::BinaryCrossEntropy => {
                let (log_p, log_q) = match self.activation {
                    Activation::Softmax => {
                        let log_p = log_softmax(logits, D::Minus1)?;
                        let q = (1.0 - log_p.exp()?)?.clamp(1e-7, 1.0)?;
                        (log_p, q.log()?)
                    }
                    Activation::Sigmoid => (log_sigmoid(logits)?, log_sigmoid(&logits.neg()?)?),
                };
                let others = weights.broadcast_sub(targets)?;
                let sum = ((targets * log_p)? + (others * log_q)?)?.sum_all()?;
                sum * (-1.0 / (rows * classes) as f64)
            }
            LossKind::MeanSquaredError => {
                let p = match self.activation {
                    Activation::Softmax => softmax(logits, D::Minus1)?,
                    Activation::Sigmoid => sigmoid(logits)?,
                };
                // w (t/w − p)² = (t − w p)² / w
                let difference = (targets - p.broadcast_mul(&weights)?)?;
                let divisor = weights.clamp(1e-6, f64::MAX)?;
                let sum = difference.sqr()?.broadcast_div(&divisor)?.sum_all()?;
                sum / (rows * classes) as f64
            }
        }
    }
}

/// ln(1 / (1 + e^−x)) without overflow: min(x, 0) − ln(1 + e^−|x|).
fn log_sigmoid(x: &Tensor) -> Result<Tensor> {
    x.minimum(0.0)? - (x.abs()?.neg()?.exp()? + 1.0)?.log()?
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    const LOGITS: [[f32; 3]; 2] = [[1.0, -0.5, 0.2], [30.0, -80.0, 0.0]];
    /// Distributions times weights.
    const TARGETS: [[f32; 3]; 2] = [[1.4, 0.4, 0.2], [0.0, 0.0, 0.0]];
    const WEIGHTS: [f32; 2] = [2.0, 0.0];

    fn found(kind: LossKind, activation: Activation) -> f64 {
        let tensor = |values: &[[f32; 3]; 2]| Tensor::new(values, &Device::Cpu).unwrap();
        let loss = LossRecipe { kind, activation }
            .loss(
                &tensor(&LOGITS),
                &tensor(&TARGETS),
                &Tensor::new(&WEIGHTS, &Device::Cpu).unwrap(),
            )
            .unwrap();
        f64::from(loss.to_scalar::<f32>().unwrap())
    }

    fn expected(kind: LossKind, activation: Activation) -> f64 {
        let logits = LOGITS[0].map(f64::from);
        let sum: f64 = logits.iter().map(|x| x.exp()).sum();
        let p = logits.map(|x| match activation {
            Activation::Softmax => x.exp() / sum,
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        });
        let p_sum: f64 = p.iter().sum();
        let targets = TARGETS[0].map(|t| f64::from(t / WEIGHTS[0]));
        let terms = targets.into_iter().zip(p);
        let total: f64 = terms
            .map(|(t, p)| match kind {
                LossKind::CrossEntropy => -t * p.ln(),
                LossKind::NormalisedCrossEntropy => -t * (p / p_sum).ln(),
                LossKind::BinaryCrossEntropy => -(t * p.ln() + (1.0 - t) * (1.0 - p).ln()) / 3.0,
                LossKind::MeanSquaredError => (t - p).powi(2) / 3.0,
            })
            .sum();
        // The first of the two rows counts twice, the second not at all.
        total * 2.0 / 2.0
    }

    #[test]
    fn each_loss_agrees_with_its_formula_and_ignores_rows_without_weight() {
        for kind in [
            LossKind::CrossEntropy,
            LossKind::NormalisedCrossEntropy,
            LossKind::BinaryCrossEntropy,
            LossKind::MeanSquaredError,
        ] {
            for activation in [Activation::Softmax, Activation::Sigmoid] {
                let (found, expected) = (found(kind, activation), expected(kind, activation));
                assert!(
                    (found - expected).abs() < 1e-6,
                    "{kind:?} {activation:?}: {found}, {expected}"
                );
            }
        }
    }
}
