//! The residual trunk in training, as one operation of candle's autograd.
//!
//! Layer by layer, candle would add every gradient to zeros first and give back every buffer to the
//! system in between; as one operation the trunk keeps its buffers and trains twice as fast. The
//! arithmetic is that of the layers (a test compares them).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::layer::EPSILON;
use super::spec::{BlockSpec, ResidualSpec};
use crate::classify::FACE_SIDE;
use crate::nn::conv::Geometry;
use crate::nn::conv_norm::{ConvNorm, InputGradient, Weights};
use crate::nn::norm::BatchStatistics;
use crate::nn::op::{values, with_values};
use crate::nn::pool;

/// The trunk with the buffers of a step.
#[derive(Debug)]
pub struct Trunk(Mutex<State>);

#[derive(Debug)]
struct State {
    stem: ConvNorm,
    blocks: Vec<Block>,
    /// Counts the forward passes, so that a backward pass knows whether the buffers are its own.
    step: u64,
}

impl Trunk {
    /// A trunk of this architecture.
    pub fn new(spec: &ResidualSpec) -> Self {
        let stem = layer(FACE_SIDE, [1, spec.stem], 3, spec.stem_stride, true);
        let mut side = stem.geometry().out_height();
        let mut width = spec.stem;
        let mut blocks = Vec::with_capacity(spec.blocks.len());
        for block in &spec.blocks {
            blocks.push(Block::new(side, width, *block));
            side = side.div_ceil(block.stride);
            width = block.width;
        }
        Self(Mutex::new(State {
            stem,
            blocks,
            step: 0,
        }))
    }

    /// Features `[n, channels]` of faces `x[n, side, side, 1]`, and the batch's statistics at each
    /// layer. `weights` are the kernel, gamma and beta of every layer in one vector: the stem's,
    /// then each block's first, second and projection.
    pub fn forward(
        self: &Arc<Self>,
        x: &Tensor,
        weights: &Tensor,
    ) -> Result<(Tensor, Vec<BatchStatistics>)> {
        let (_, height, width, channels) = x.dims4()?;
        if (height, width, channels) != (FACE_SIDE, FACE_SIDE, 1) {
            bail!(
                "faces must be {FACE_SIDE} × {FACE_SIDE} × 1, not {:?}",
                x.shape()
            );
        }
        let step = self.state().step + 1;
        let op = TrunkStep {
            trunk: Arc::clone(self),
            step,
        };
        let features = x.contiguous()?.apply_op2(&weights.contiguous()?, op)?;
        let state = self.state();
        let statistics = state.layers().map(|l| l.statistics.clone()).collect();
        Ok((features, statistics))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One forward pass and its backward pass.
struct TrunkStep {
    trunk: Arc<Trunk>,
    step: u64,
}

impl CustomOp2 for TrunkStep {
    fn name(&self) -> &'static str {
        "residual-trunk"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut state = self.trunk.state();
        state.step = self.step;
        state.forward(values(x, x_layout)?, values(weights, weights_layout)?);
        let last = state.output();
        let g = last.geometry();
        let batch = x_layout.dims()[0];
        let mut features = vec![0.0; batch * g.channels_out];
        pool::average(last.output(), g.pixels_out(), g.channels_out, &mut features);
        Ok((CpuStorage::F32(features), (batch, g.channels_out).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weights: &Tensor,
        _features: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut state = self.trunk.state();
        if state.step != self.step {
            bail!("the backward pass must come before the next forward pass");
        }
        let mut gradients = vec![0.0; weights.elem_count()];
        with_values(x, |x| {
            with_values(weights, |weights| {
                with_values(&gradient.contiguous()?, |gradient| {
                    state.backward(x, weights, gradient, &mut gradients);
                    Ok(())
                })
            })
        })?;
        let gradients = Tensor::from_vec(gradients, weights.shape(), weights.device())?;
        Ok((None, Some(gradients)))
    }
}

impl State {
    /// Every layer, in the order of the weights.
    fn layers(&self) -> impl Iterator<Item = &ConvNorm> {
        let blocks = self.blocks.iter().flat_map(Block::layers);
        std::iter::once(&self.stem).chain(blocks)
    }

    /// The last layer.
    fn output(&self) -> &ConvNorm {
        self.blocks.last().map_or(&self.stem, |block| &block.second)
    }

    fn forward(&mut self, x: &[f32], weights: &[f32]) {
        let mut weights = weights;
        self.stem.forward(&take(&mut weights, &self.stem), x, None);
        let mut input = self.stem.output();
        for block in &mut self.blocks {
            block.forward(input, &mut weights);
            input = block.second.output();
        }
    }

    /// Writes the gradients of the weights.
    fn backward(&mut self, x: &[f32], weights: &[f32], features: &[f32], gradients: &mut [f32]) {
        let last = match self.blocks.last_mut() {
            Some(block) => &mut block.second,
            None => &mut self.stem,
        };
        let g = *last.geometry();
        let (_, dy) = last.output_and_gradient();
        pool::average_gradient(features, g.pixels_out(), g.channels_out, dy);
        let mut end = weights.len();
        for i in (0..self.blocks.len()).rev() {
            let (before, block) = self.blocks.split_at_mut(i);
            let block = &mut block[0];
            let input = match before.last_mut() {
                Some(previous) => &mut previous.second,
                None => &mut self.stem,
            };
            let start = end - block.layers().map(weights_len).sum::<usize>();
            block.backward(input, &weights[start..end], &mut gradients[start..end]);
            end = start;
        }
        let weights = take(&mut &weights[..end], &self.stem);
        let gradients = take_mut(&mut &mut gradients[..end], &self.stem);
        self.stem
            .backward(&weights, x, InputGradient::Skip, gradients);
    }
}

/// A basic residual block.
#[derive(Debug)]
struct Block {
    first: ConvNorm,
    second: ConvNorm,
    projection: Option<ConvNorm>,
}

impl Block {
    fn new(side: usize, input: usize, BlockSpec { width, stride }: BlockSpec) -> Self {
        let first = layer(side, [input, width], 3, stride, true);
        let second = layer(first.geometry().out_height(), [width, width], 3, 1, true);
        let project = input != width || stride != 1;
        Self {
            first,
            second,
            projection: project.then(|| layer(side, [input, width], 1, stride, false)),
        }
    }

    fn layers(&self) -> impl Iterator<Item = &ConvNorm> {
        [&self.first, &self.second]
            .into_iter()
            .chain(&self.projection)
    }

    fn forward(&mut self, x: &[f32], weights: &mut &[f32]) {
        self.first.forward(&take(weights, &self.first), x, None);
        let second = take(weights, &self.second);
        let shortcut = match &mut self.projection {
            None => x,
            Some(projection) => {
                projection.forward(&take(weights, projection), x, None);
                projection.output()
            }
        };
        self.second
            .forward(&second, self.first.output(), Some(shortcut));
    }

    /// Passes the gradient of the block's output on to that of `input`'s.
    fn backward(&mut self, input: &mut ConvNorm, mut weights: &[f32], mut gradients: &mut [f32]) {
        let (x, dx) = input.output_and_gradient();
        let first = take(&mut weights, &self.first);
        let first_gradients = take_mut(&mut gradients, &self.first);
        let second = take(&mut weights, &self.second);
        let second_gradients = take_mut(&mut gradients, &self.second);
        let (y, dy) = self.first.output_and_gradient();
        self.second
            .backward(&second, y, InputGradient::Write(dy), second_gradients);
        // What is left in the second layer's gradient is the shortcut's.
        let (_, shortcut) = self.second.output_and_gradient();
        if let Some(projection) = &mut self.projection {
            let weights = take(&mut weights, projection);
            let gradients = take_mut(&mut gradients, projection);
            std::mem::swap(projection.output_and_gradient().1, shortcut);
            projection.backward(&weights, x, InputGradient::Write(dx), gradients);
        } else {
            std::mem::swap(dx, shortcut);
        }
        self.first
            .backward(&first, x, InputGradient::Add(dx), first_gradients);
    }
}

fn layer(side: usize, channels: [usize; 2], kernel: usize, stride: usize, relu: bool) -> ConvNorm {
    let geometry = Geometry {
        height: side,
        width: side,
        channels_in: channels[0],
        channels_out: channels[1],
        kernel,
        stride,
        padding: kernel / 2,
    };
    ConvNorm::new(geometry, EPSILON, relu)
}

fn weights_len(layer: &ConvNorm) -> usize {
    layer.geometry().kernel_len() + 2 * layer.geometry().channels_out
}

/// Takes a layer's weights from the front of `values`.
fn take<'a>(values: &mut &'a [f32], layer: &ConvNorm) -> Weights<&'a [f32]> {
    let (kernel, rest) = values.split_at(layer.geometry().kernel_len());
    let (gamma, rest) = rest.split_at(layer.geometry().channels_out);
    let (beta, rest) = rest.split_at(layer.geometry().channels_out);
    *values = rest;
    Weights {
        kernel,
        gamma,
        beta,
    }
}

/// Takes the places of a layer's gradients from the front of `values`.
#[allow(clippy::mut_mut, reason = "the slice itself moves forward")]
fn take_mut<'a>(values: &mut &'a mut [f32], layer: &ConvNorm) -> Weights<&'a mut [f32]> {
    let (kernel, rest) = std::mem::take(values).split_at_mut(layer.geometry().kernel_len());
    let (gamma, rest) = rest.split_at_mut(layer.geometry().channels_out);
    let (beta, rest) = rest.split_at_mut(layer.geometry().channels_out);
    *values = rest;
    Weights {
        kernel,
        gamma,
        beta,
    }
}
