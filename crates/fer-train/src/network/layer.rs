//! The layers of a network.

use candle_core::{Result, Tensor, Var};
use candle_nn::{Init, VarBuilder};
use fer_core::network::{EPSILON, squeezed};
use fer_nn::norm::BatchStatistics;

use super::random::SplitMix64;
use crate::op;

/// The weight of the batch in an update of a running statistic.
const MOMENTUM: f32 = 0.1;

/// A convolution without bias followed by batch normalisation.
#[derive(Debug)]
pub struct ConvNorm {
    kernel: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Var,
    running_variance: Var,
    stride: usize,
    padding: usize,
}

/// The shape of a [`ConvNorm`].
#[derive(Debug, Clone, Copy)]
pub struct ConvShape {
    /// Input channels.
    pub input: usize,
    /// Output channels.
    pub output: usize,
    /// Side of the kernel; the padding is half of it.
    pub kernel: usize,
    /// Stride in both directions.
    pub stride: usize,
}

impl ConvNorm {
    /// Reads `weight[k, k, in, out]` at the path `conv` and the four vectors of the norm at `norm`.
    pub fn new(shape: ConvShape, conv: &VarBuilder, norm: &VarBuilder) -> Result<Self> {
        let ConvShape {
            input,
            output,
            kernel,
            stride,
        } = shape;
        let constant = |name, value| norm.get_with_hints(output, name, Init::Const(value));
        Ok(Self {
            kernel: conv.get_with_hints(
                (kernel, kernel, input, output),
                "weight",
                Init::Const(0.0),
            )?,
            gamma: constant("weight", 1.0)?,
            beta: constant("bias", 0.0)?,
            running_mean: Var::from_tensor(&constant("running_mean", 0.0)?)?,
            running_variance: Var::from_tensor(&constant("running_var", 1.0)?)?,
            stride,
            padding: kernel / 2,
        })
    }

    /// Convolves, normalises by the batch's statistics, adds `residual` if there is one, and applies the
    /// rectifier if `relu`. Updates the running statistics.
    pub fn forward(&self, x: &Tensor, residual: Option<&Tensor>, relu: bool) -> Result<Tensor> {
        let z = op::conv2d(x, &self.kernel, self.stride, self.padding)?;
        let (y, batch) = op::batch_norm(&z, &self.gamma, &self.beta, residual, relu, EPSILON)?;
        self.update_running(batch)?;
        Ok(y)
    }

    /// Updates the running statistics with those of a batch.
    pub fn update_running(&self, batch: BatchStatistics) -> Result<()> {
        let unbiased = batch.count as f32 / (batch.count.max(2) - 1) as f32;
        let variance = batch.variance.iter().map(|v| v * unbiased).collect();
        update_statistic(&self.running_mean, batch.mean)?;
        update_statistic(&self.running_variance, variance)
    }

    /// The tensors that have gradients: kernel, gamma and beta.
    pub const fn trainable(&self) -> [&Tensor; 3] {
        [&self.kernel, &self.gamma, &self.beta]
    }

    /// Every weight with its name in a model file; `conv` and `norm` are the names of the two parts.
    pub fn weights(&self, conv: &str, norm: &str) -> [(String, Tensor); 5] {
        [
            (format!("{conv}.weight"), self.kernel.detach()),
            (format!("{norm}.weight"), self.gamma.detach()),
            (format!("{norm}.bias"), self.beta.detach()),
            (
                format!("{norm}.running_mean"),
                self.running_mean.as_detached_tensor(),
            ),
            (
                format!("{norm}.running_var"),
                self.running_variance.as_detached_tensor(),
            ),
        ]
    }
}

/// Updates a running statistic with that of a batch.
fn update_statistic(running: &Var, batch: Vec<f32>) -> Result<()> {
    let batch = Tensor::new(batch, running.device())?;
    let kept = (running.as_detached_tensor() * f64::from(1.0 - MOMENTUM))?;
    running.set(&(kept + (batch * f64::from(MOMENTUM))?)?)
}

/// A fully connected layer.
#[derive(Debug)]
pub struct Dense {
    weight: Tensor,
    bias: Tensor,
}

impl Dense {
    /// Reads `weight[output, input]` and `bias[output]`.
    pub fn new(input: usize, output: usize, vb: &VarBuilder) -> Result<Self> {
        Ok(Self {
            weight: vb.get_with_hints((output, input), "weight", Init::Const(0.0))?,
            bias: vb.get_with_hints(output, "bias", Init::Const(0.0))?,
        })
    }

    /// Both weights with their names in a model file.
    pub fn weights(&self, name: &str) -> [(String, Tensor); 2] {
        [
            (format!("{name}.weight"), self.weight.detach()),
            (format!("{name}.bias"), self.bias.detach()),
        ]
    }

    /// `x[n, input]` to `[n, output]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)
    }
}

/// Squeeze-and-excitation (Hu et al. 2017): scales each channel by a gate computed from all channels.
#[derive(Debug)]
pub struct SqueezeExcitation {
    squeeze: Dense,
    excite: Dense,
}

impl SqueezeExcitation {
    /// A gate for `channels`, with `channels / reduction` values between its two dense layers.
    pub fn new(channels: usize, reduction: usize, vb: &VarBuilder) -> Result<Self> {
        let inner = squeezed(channels, reduction);
        Ok(Self {
            squeeze: Dense::new(channels, inner, &vb.pp("squeeze"))?,
            excite: Dense::new(inner, channels, &vb.pp("excite"))?,
        })
    }

    /// The weights of both layers with their names in a model file.
    pub fn weights(&self, name: &str) -> impl Iterator<Item = (String, Tensor)> {
        let squeeze = self.squeeze.weights(&format!("{name}.squeeze"));
        let excite = self.excite.weights(&format!("{name}.excite"));
        squeeze.into_iter().chain(excite)
    }

    /// `x[n, h, w, channels]` to the same shape.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let means = op::global_average_pool(x)?;
        let squeezed = self.squeeze.forward(&means)?.relu()?;
        let gate = candle_nn::ops::sigmoid(&self.excite.forward(&squeezed)?)?;
        x.broadcast_mul(&gate.unsqueeze(1)?.unsqueeze(1)?)
    }
}

/// Dropout (Srivastava et al. 2014): sets each value to zero with probability `rate` and scales the others
/// by 1 / (1 − `rate`); `seed` seeds the mask.
pub fn dropout(x: &Tensor, rate: f32, seed: u64) -> Result<Tensor> {
    if rate <= 0.0 {
        return Ok(x.clone());
    }
    let mut random = SplitMix64::new(seed);
    let keep = 1.0 / (1.0 - rate);
    let mask = (0..x.elem_count())
        .map(|_| if random.uniform() < rate { 0.0 } else { keep })
        .collect();
    x * Tensor::from_vec(mask, x.shape(), x.device())?
}
