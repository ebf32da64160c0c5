//! The optimisers: SGD with momentum, Adam and `AdamW`.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};
use serde::{Deserialize, Serialize};

use super::elementwise::{update_with, update_with_two};
use super::initial_weights::is_part;

/// The rule by which gradients change weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Stochastic gradient descent with momentum (Sutskever et al., ICML 2013).
    Sgd,
    /// Adam (Kingma and Ba, ICLR 2015); the weight decay is added to the gradient.
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).
    Adamw,
}

/// The settings of an optimiser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerRecipe {
    /// The rule.
    pub kind: OptimizerKind,
    /// The learning rate that the schedule scales: its peak.
    pub learning_rate: f64,
    /// L2 penalty: this factor times each weight is added to its gradient (`AdamW`: subtracted from the
    /// weight itself). Keras's `l2(λ)` is 2 λ here. Vectors (biases, batch norm) do not decay.
    pub weight_decay: f64,
    /// The parts of the network that decay, such as `layers.15`; empty for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decayed: Vec<String>,
    /// Momentum of SGD.
    pub momentum: f64,
    /// Whether SGD uses Nesterov momentum.
    pub nesterov: bool,
    /// Decay rate of Adam's mean gradient.
    pub beta1: f64,
    /// Decay rate of Adam's mean squared gradient.
    pub beta2: f64,
    /// Added to Adam's denominator.
    pub epsilon: f64,
    /// Radius of sharpness-aware minimisation (Foret et al., ICLR 2021), 0 for none; it makes a step take
    /// almost twice as long.
    pub sharpness_radius: f64,
}

impl Default for OptimizerRecipe {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Sgd,
            learning_rate: 0.1,
            weight_decay: 0.0,
            decayed: Vec::new(),
            momentum: 0.9,
            nesterov: true,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            sharpness_radius: 0.0,
        }
    }
}

/// A trained variable with the state that the optimiser keeps for it.
#[derive(Debug)]
struct Slot {
    name: String,
    variable: Var,
    /// Velocity, or mean gradient.
    first: Var,
    /// Mean squared gradient; `None` for SGD.
    second: Option<Var>,
    decay: f32,
}

/// Applies an [`OptimizerRecipe`] to variables.
#[derive(Debug)]
pub struct Optimizer {
    recipe: OptimizerRecipe,
    slots: Vec<Slot>,
    steps: u64,
}

impl Optimizer {
    /// Starts with zeroed state.
    ///
    /// # Errors
    /// If candle cannot make a tensor.
    pub fn new(recipe: OptimizerRecipe, variables: Vec<(String, Var)>) -> Result<Self> {
        let slots = variables
            .into_iter()
            .map(|(name, variable)| {
                let zeros = || Var::from_tensor(&variable.as_detached_tensor().zeros_like()?);
                let part = |part: &String| is_part(&name, part);
                let chosen = recipe.decayed.is_empty() || recipe.decayed.iter().any(part);
                let decays = chosen && variable.rank() > 1;
                Ok(Slot {
                    first: zeros()?,
                    second: match recipe.kind {
                        OptimizerKind::Sgd => None,
                        OptimizerKind::Adam | OptimizerKind::Adamw => Some(zeros()?),
                    },
                    decay: if decays {
                        recipe.weight_decay as f32
                    } else {
                        0.0
                    },
                    name,
                    variable,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            recipe,
            slots,
            steps: 0,
        })
    }

    /// Takes one step: updates every variable that has a gradient.
    ///
    /// # Errors
    /// If a gradient does not fit its variable.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        self.steps += 1;
        for slot in &self.slots {
            if let Some(gradient) = gradients.get(&slot.variable) {
                let gradient = gradient.contiguous()?;
                match &slot.second {
                    None => self.sgd(slot, &gradient, learning_rate as f32)?,
                    Some(second) => self.adam(slot, second, &gradient, learning_rate)?,
                }
            }
        }
        Ok(())
    }

    fn sgd(&self, slot: &Slot, gradient: &Tensor, rate: f32) -> Result<()> {
        let (momentum, decay) = (self.recipe.momentum as f32, slot.decay);
        update_with_two(&slot.first, gradient, &slot.variable, |v, g, w| {
            momentum * v + g + decay * w
        })?;
        if self.recipe.nesterov {
            update_with_two(&slot.variable, gradient, &slot.first, |w, g, v| {
                w - rate * (g + decay * w + momentum * v)
            })
        } else {
            update_with(&slot.variable, &slot.first, |w, v| w - rate * v)
        }
    }

    fn adam(&self, slot: &Slot, second: &Var, gradient: &Tensor, rate: f64) -> Result<()> {
        let &OptimizerRecipe {
            beta1,
            beta2,
            epsilon,
            ..
        } = &self.recipe;
        let steps = self.steps.min(i32::MAX as u64) as i32;
        let (correction1, correction2) = (1.0 - beta1.powi(steps), 1.0 - beta2.powi(steps));
        let (beta1, beta2) = (beta1 as f32, beta2 as f32);
        let coupled = match self.recipe.kind {
            OptimizerKind::Adamw => 0.0,
            OptimizerKind::Adam | OptimizerKind::Sgd => slot.decay,
        };
        let decoupled = slot.decay - coupled;
        update_with_two(&slot.first, gradient, &slot.variable, |m, g, w| {
            beta1 * m + (1.0 - beta1) * (g + coupled * w)
        })?;
        update_with_two(second, gradient, &slot.variable, |v, g, w| {
            let g = g + coupled * w;
            beta2 * v + (1.0 - beta2) * g * g
        })?;
        let step = (rate / correction1) as f32;
        let (scale, epsilon) = ((1.0 / correction2.sqrt()) as f32, epsilon as f32);
        let shrink = 1.0 - rate as f32 * decoupled;
        update_with_two(&slot.variable, &slot.first, second, |w, m, v| {
            shrink * w - step * m / (v.sqrt() * scale + epsilon)
        })
    }

    /// Steps taken so far.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The state as named variables, for saving and restoring.
    pub fn state(&self) -> Vec<(String, Var)> {
        self.slots
            .iter()
            .flat_map(|slot| {
                let first = (format!("first.{}", slot.name), slot.first.clone());
                let second = slot.second.as_ref();
                let second = second.map(|v| (format!("second.{}", slot.name), v.clone()));
                [Some(first), second].into_iter().flatten()
            })
            .collect()
    }

    /// Sets the number of steps taken, after [`Optimizer::state`] was restored from a checkpoint.
    pub const fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Three steps on the gradient 2 w from w = 1 (a matrix, so that it decays).
    fn three_steps(recipe: &OptimizerRecipe) -> f32 {
        let w = Var::new(&[[1f32]], &Device::Cpu).unwrap();
        let mut optimizer = Optimizer::new(recipe.clone(), vec![("w".into(), w.clone())]).unwrap();
        for _ in 0..3 {
            let loss = w.sqr().unwrap().sum_all().unwrap();
            let gradients = loss.backward().unwrap();
            optimizer.step(&gradients, recipe.learning_rate).unwrap();
        }
        w.to_vec2::<f32>().unwrap()[0][0]
    }

    /// The same steps on scalars, written from `PyTorch`'s documentation of each optimiser.
    fn reference(recipe: &OptimizerRecipe) -> f64 {
        let (mut w, mut m, mut v) = (1f64, 0f64, 0f64);
        let (rate, decay) = (recipe.learning_rate, recipe.weight_decay);
        for t in 1..=3 {
            let mut g = 2.0 * w;
            if recipe.kind == OptimizerKind::Adamw {
                w -= rate * decay * w;
            } else {
                g += decay * w;
            }
            if recipe.kind == OptimizerKind::Sgd {
                v = recipe.momentum * v + g;
                w -= rate
                    * if recipe.nesterov {
                        g + recipe.momentum * v
                    } else {
                        v
                    };
            } else {
                m = recipe.beta1 * m + (1.0 - recipe.beta1) * g;
                v = recipe.beta2 * v + (1.0 - recipe.beta2) * g * g;
                let mean = m / (1.0 - recipe.beta1.powi(t));
                let square = v / (1.0 - recipe.beta2.powi(t));
                w -= rate * mean / (square.sqrt() + recipe.epsilon);
            }
        }
        w
    }

    #[test]
    fn each_optimiser_agrees_with_its_definition() {
        for kind in [
            OptimizerKind::Sgd,
            OptimizerKind::Adam,
            OptimizerKind::Adamw,
        ] {
            for nesterov in [false, true] {
                let recipe = OptimizerRecipe {
                    kind,
                    nesterov,
                    weight_decay: 0.05,
                    ..OptimizerRecipe::default()
                };
                let (found, expected) = (f64::from(three_steps(&recipe)), reference(&recipe));
                assert!(
                    (found - expected).abs() < 1e-5,
                    "{recipe:?}: {found}, {expected}"
                );
            }
        }
    }

    /// Whether a variable of this name and these dimensions decays, if only these parts do.
    fn decays(name: &str, shape: &[usize], parts: &[&str]) -> bool {
        let w = Var::ones(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        let recipe = OptimizerRecipe {
            weight_decay: 0.5,
            decayed: parts.iter().map(|&part| part.to_owned()).collect(),
            ..OptimizerRecipe::default()
        };
        let mut optimizer = Optimizer::new(recipe, vec![(name.into(), w.clone())]).unwrap();
        let loss = w.sqr().unwrap().sum_all().unwrap();
        optimizer.step(&loss.backward().unwrap(), 0.1).unwrap();
        let values: Vec<f32> = w.flatten_all().unwrap().to_vec1().unwrap();
        values[0] < 0.6 // the gradient alone makes it 0.62
    }

    #[test]
    fn weight_decay_skips_vectors_and_parts_that_are_not_named() {
        assert!(!decays("bias", &[1], &[]));
        assert!(decays("layers.1.weight", &[1, 1], &[]));
        assert!(decays("layers.1.weight", &[1, 1], &["layers.1"]));
        assert!(!decays("layers.10.weight", &[1, 1], &["layers.1"]));
        assert!(!decays("layers.1.bias", &[1], &["layers.1"]));
    }
}
