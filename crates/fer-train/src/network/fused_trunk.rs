//! Runs the residual trunk in training as one fused operation of candle's autograd.
//!
//! Layer by layer, candle adds every gradient to a tensor of zeros and frees every buffer between two
//! operations. The fused trunk keeps its buffers and trains twice as fast. Its arithmetic is that of the
//! layers (a test compares them).

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use crate::op::{values, with_values};
use fer_core::classify::FACE_SIDE;
use fer_core::network::EPSILON;
use fer_core::network::{BlockSpec, ResidualSpec};
use fer_nn::conv::Geometry;
use fer_nn::conv_norm::{ConvNorm, InputGradient};
use fer_nn::norm::BatchStatistics;
use fer_nn::pool;

/// The trunk with the buffers of a training step.
#[derive(Debug)]
pub struct FusedTrunk(Mutex<State>);

#[derive(Debug)]
struct State {
    stem: Layer,
    blocks: Vec<Block>,
    /// Number of the last forward pass: a backward pass needs the buffers of its own forward pass.
    step: u64,
}

impl FusedTrunk {
    /// Builds a trunk of this architecture.
    pub fn new(spec: &ResidualSpec) -> Self {
        let mut builder = Builder { weights: 0 };
        let stem = builder.layer(FACE_SIDE, [1, spec.stem], 3, spec.stem_stride, true);
        let mut side = stem.conv.geometry().out_height();
        let mut width = spec.stem;
        let mut blocks = Vec::with_capacity(spec.blocks.len());
        for block in &spec.blocks {
            blocks.push(builder.block(side, width, *block));
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
    /// layer. `weights` is the concatenation of kernel, gamma and beta of every layer: the stem, then the
    /// first, second and projection layer of each block.
    pub fn forward(
        self: &Arc<Self>,
        x: &Tensor,
        weights: &Tensor,
    ) -> Result<(Tensor, Vec<BatchStatistics>)> {
        check_faces(x)?;
        let step = self.state().step + 1;
        let op = FusedStep {
            trunk: Arc::clone(self),
            step,
        };
        let features = x.contiguous()?.apply_op2(&weights.contiguous()?, op)?;
        let state = self.state();
        let statistics = state
            .layers()
            .map(|layer| layer.conv.statistics.clone())
            .collect();
        Ok((features, statistics))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number n of faces in `x[n, side, side, 1]`.
///
/// # Errors
/// If `x` has another shape.
pub fn check_faces(x: &Tensor) -> Result<usize> {
    match *x.dims() {
        [n, FACE_SIDE, FACE_SIDE, 1] => Ok(n),
        _ => bail!(
            "faces must be {FACE_SIDE} × {FACE_SIDE} × 1, not {:?}",
            x.shape()
        ),
    }
}

/// A forward pass with its backward pass.
struct FusedStep {
    trunk: Arc<FusedTrunk>,
    step: u64,
}

impl CustomOp2 for FusedStep {
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
        let last = &state.last().conv;
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
    fn layers(&self) -> impl Iterator<Item = &Layer> {
        let blocks = self.blocks.iter().flat_map(Block::layers);
        std::iter::once(&self.stem).chain(blocks)
    }

    fn last(&self) -> &Layer {
        self.blocks.last().map_or(&self.stem, |block| &block.second)
    }

    fn forward(&mut self, x: &[f32], weights: &[f32]) {
        self.stem.forward(weights, x, None);
        let mut input = self.stem.conv.output();
        for block in &mut self.blocks {
            block.forward(weights, input);
            input = block.second.conv.output();
        }
    }

    /// Computes the gradients of the weights.
    fn backward(&mut self, x: &[f32], weights: &[f32], features: &[f32], gradients: &mut [f32]) {
        let last = match self.blocks.last_mut() {
            Some(block) => &mut block.second,
            None => &mut self.stem,
        };
        let g = *last.conv.geometry();
        let (_, dy) = last.conv.output_and_gradient();
        pool::average_gradient(features, g.pixels_out(), g.channels_out, dy);
        for i in (0..self.blocks.len()).rev() {
            let (before, block) = self.blocks.split_at_mut(i);
            let input = match before.last_mut() {
                Some(previous) => &mut previous.second,
                None => &mut self.stem,
            };
            block[0].backward(weights, &mut input.conv, gradients);
        }
        self.stem
            .backward(weights, x, InputGradient::Skip, gradients);
    }
}

/// A convolution with batch norm, and the range of its weights in the concatenation.
#[derive(Debug)]
struct Layer {
    conv: ConvNorm,
    range: Range<usize>,
}

impl Layer {
    fn forward(&mut self, weights: &[f32], x: &[f32], residual: Option<&[f32]>) {
        self.conv.forward(&weights[self.range.clone()], x, residual);
    }

    fn backward(
        &mut self,
        weights: &[f32],
        x: &[f32],
        dx: InputGradient<'_>,
        gradients: &mut [f32],
    ) {
        let weights = &weights[self.range.clone()];
        let gradients = &mut gradients[self.range.clone()];
        self.conv.backward(weights, x, dx, gradients);
    }
}

/// A basic residual block.
#[derive(Debug)]
struct Block {
    first: Layer,
    second: Layer,
    projection: Option<Layer>,
}

impl Block {
    fn layers(&self) -> impl Iterator<Item = &Layer> {
        [&self.first, &self.second]
            .into_iter()
            .chain(&self.projection)
    }

    fn forward(&mut self, weights: &[f32], x: &[f32]) {
        self.first.forward(weights, x, None);
        let shortcut = match &mut self.projection {
            None => x,
            Some(projection) => {
                projection.forward(weights, x, None);
                projection.conv.output()
            }
        };
        self.second
            .forward(weights, self.first.conv.output(), Some(shortcut));
    }

    /// Computes the gradient of `input`'s output from that of the block's output.
    fn backward(&mut self, weights: &[f32], input: &mut ConvNorm, gradients: &mut [f32]) {
        let (x, dx) = input.output_and_gradient();
        let (y, dy) = self.first.conv.output_and_gradient();
        self.second
            .backward(weights, y, InputGradient::Write(dy), gradients);
        // The buffer of the second layer's gradient now holds the gradient of the shortcut.
        let (_, shortcut) = self.second.conv.output_and_gradient();
        if let Some(projection) = &mut self.projection {
            std::mem::swap(projection.conv.output_and_gradient().1, shortcut);
            projection.backward(weights, x, InputGradient::Write(dx), gradients);
        } else {
            std::mem::swap(dx, shortcut);
        }
        self.first
            .backward(weights, x, InputGradient::Add(dx), gradients);
    }
}

/// Builds layers and assigns each its range of the concatenated weights.
struct Builder {
    weights: usize,
}

impl Builder {
    fn layer(
        &mut self,
        side: usize,
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        relu: bool,
    ) -> Layer {
        let geometry = Geometry {
            height: side,
            width: side,
            channels_in: channels[0],
            channels_out: channels[1],
            kernel,
            stride,
            padding: kernel / 2,
        };
        let conv = ConvNorm::new(geometry, EPSILON, relu);
        let start = self.weights;
        self.weights += conv.weights_len();
        Layer {
            conv,
            range: start..self.weights,
        }
    }

    fn block(&mut self, side: usize, input: usize, spec: BlockSpec) -> Block {
        let BlockSpec { width, stride } = spec;
        let first = self.layer(side, [input, width], 3, stride, true);
        let out = first.conv.geometry().out_height();
        let second = self.layer(out, [width, width], 3, 1, true);
        let project = input != width || stride != 1;
        Block {
            first,
            second,
            projection: project.then(|| self.layer(side, [input, width], 1, stride, false)),
        }
    }
}
