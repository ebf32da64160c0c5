//! A training layer: convolution, batch normalisation, residual addition and rectifier, forward and
//! backward, with buffers that are kept from step to step.
//!
//! Its arithmetic is that of the separate operations in `fer_train::op`. It is faster because it computes sums and
//! gradients while a group of images is still in the cache, and because a step allocates nothing. With a fast
//! convolution, these two determine the speed of training.

use rayon::prelude::*;

use super::conv::{Convolution, Epilogue, Geometry, Panels};
use super::norm::{self, BatchStatistics, Normalisation};
use super::scratch::Buffer;

/// Number of parts of a batch in the backward pass; each part sums its own kernel gradient.
const PARTS: usize = 8;

/// What [`ConvNorm::backward`] does with the gradient of its input.
pub enum InputGradient<'a> {
    /// Does not compute it.
    Skip,
    /// Overwrites the slice with it.
    Write(&'a mut [f32]),
    /// Adds it to the slice.
    Add(&'a mut [f32]),
}

/// The layer with its buffers.
#[derive(Debug)]
pub struct ConvNorm {
    convolution: Convolution,
    epsilon: f32,
    relu: bool,
    panels: Panels,
    /// Output of the convolution, input of the normalisation.
    z: Vec<f32>,
    /// Output of the layer.
    y: Vec<f32>,
    /// Gradient of the output; after the backward pass, gradient of the residual.
    dy: Vec<f32>,
    sums: Vec<f32>,
    norm: Normalisation,
    /// Statistics of the last forward pass's batch.
    pub statistics: BatchStatistics,
    kernel_gradients: Vec<Vec<f32>>,
}

impl ConvNorm {
    /// Creates a layer; `relu` selects the rectifier at its end.
    pub fn new(geometry: Geometry, epsilon: f32, relu: bool) -> Self {
        Self {
            convolution: Convolution::new(geometry, usize::MAX),
            epsilon,
            relu,
            panels: Panels::default(),
            z: Vec::new(),
            y: Vec::new(),
            dy: Vec::new(),
            sums: Vec::new(),
            norm: Normalisation::default(),
            statistics: BatchStatistics::default(),
            kernel_gradients: Vec::new(),
        }
    }

    /// The sizes of the convolution.
    pub const fn geometry(&self) -> &Geometry {
        self.convolution.geometry()
    }

    /// Number of weights: the kernel `[k, k, ci, co]`, then gamma `[co]` and beta `[co]`.
    pub const fn weights_len(&self) -> usize {
        self.geometry().kernel_len() + 2 * self.geometry().channels_out
    }

    /// The output of the last forward pass, `[n, oh, ow, co]`.
    pub fn output(&self) -> &[f32] {
        &self.y
    }

    /// The output and the buffer of its gradient: the caller writes the gradient of the output there,
    /// and [`ConvNorm::backward`] replaces it by the gradient of the residual.
    pub fn output_and_gradient(&mut self) -> (&[f32], &mut Vec<f32>) {
        (&self.y, &mut self.dy)
    }

    /// Convolves `x[n, h, w, ci]`, normalises with the batch's statistics, adds `residual` and
    /// rectifies.
    ///
    /// # Panics
    /// If a slice's length disagrees with the geometry.
    pub fn forward(&mut self, weights: &[f32], x: &[f32], residual: Option<&[f32]>) {
        let g = *self.geometry();
        let (kernel, affine) = weights.split_at(g.kernel_len());
        let (gamma, beta) = affine.split_at(g.channels_out);
        let channels = g.channels_out;
        let images = x.len() / g.image_in();
        let group = self.convolution.group();
        for buffer in [&mut self.z, &mut self.y, &mut self.dy] {
            buffer.resize(images * g.image_out(), 0.0);
        }
        self.sums.resize(images.div_ceil(group) * 2 * channels, 0.0);
        self.convolution.pack(kernel, &mut self.panels);
        let (convolution, panels) = (&self.convolution, &self.panels);
        x.par_chunks(group * g.image_in())
            .zip(self.z.par_chunks_mut(group * g.image_out()))
            .zip(self.sums.par_chunks_mut(2 * channels))
            .for_each(|((x, z), sums)| {
                convolution.forward(panels, x, z, Epilogue::default());
                norm::sums(z, sums);
            });
        self.statistics = BatchStatistics::from_sums(&self.sums, channels, images * g.pixels_out());
        self.norm = Normalisation::new(&self.statistics, gamma, beta, self.epsilon, self.relu);
        let norm = &self.norm;
        let group = group * g.image_out();
        self.y
            .par_chunks_mut(group)
            .zip(self.z.par_chunks(group))
            .enumerate()
            .for_each(|(i, (y, z))| {
                let residual = residual.map(|r| &r[i * group..][..y.len()]);
                norm.forward(z, residual, y);
            });
    }

    /// Writes the gradients of the weights, from the gradient of the output and the arguments of the
    /// last [`ConvNorm::forward`].
    ///
    /// # Panics
    /// If a slice's length disagrees with the last forward pass.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "an `InputGradient` carries a mutable slice, which is used up"
    )]
    pub fn backward(
        &mut self,
        weights: &[f32],
        x: &[f32],
        dx: InputGradient<'_>,
        gradients: &mut [f32],
    ) {
        let g = *self.geometry();
        let kernel = &weights[..g.kernel_len()];
        let (dkernel, daffine) = gradients.split_at_mut(g.kernel_len());
        let (dgamma, dbeta) = daffine.split_at_mut(g.channels_out);
        let images = x.len() / g.image_in();
        let group = self.convolution.group();
        let norm = &self.norm;
        self.dy
            .par_chunks_mut(group * g.image_out())
            .zip(self.sums.par_chunks_mut(2 * g.channels_out))
            .zip(self.z.par_chunks(group * g.image_out()))
            .zip(self.y.par_chunks(group * g.image_out()))
            .for_each(|(((dy, sums), z), y)| norm.gradient_sums(z, y, dy, sums));
        let gradient = norm.gradient(&self.sums, images * g.pixels_out());
        dgamma.copy_from_slice(&gradient.gamma);
        dbeta.copy_from_slice(&gradient.beta);

        self.kernel_gradients.resize_with(PARTS, Vec::new);
        let (mut dx, add) = match dx {
            InputGradient::Skip => (None, false),
            InputGradient::Write(dx) => (Some(dx), false),
            InputGradient::Add(dx) => (Some(dx), true),
        };
        if dx.is_some() {
            self.convolution.pack_backward(kernel, &mut self.panels);
        }
        let part = images.div_ceil(PARTS);
        let dx_parts: Vec<Option<&mut [f32]>> = match &mut dx {
            None => (0..PARTS).map(|_| None).collect(),
            Some(dx) => dx.chunks_mut(part * g.image_in()).map(Some).collect(),
        };
        let (convolution, panels) = (&self.convolution, &self.panels);
        let (z, dy) = (&self.z, &self.dy);
        self.kernel_gradients
            .par_iter_mut()
            .zip(x.par_chunks(part * g.image_in()))
            .zip(dx_parts)
            .zip(z.par_chunks(part * g.image_out()))
            .zip(dy.par_chunks(part * g.image_out()))
            .for_each(|((((sum, x), mut dx), z), dy)| {
                sum.resize(convolution.kernel_sum_len(), 0.0);
                let mut dz = Buffer::take(group * g.image_out());
                let groups = x
                    .chunks(group * g.image_in())
                    .zip(z.chunks(group * g.image_out()))
                    .zip(dy.chunks(group * g.image_out()));
                for (i, ((x, z), dy)) in groups.enumerate() {
                    let dz = &mut dz[..z.len()];
                    gradient.input(z, dy, dz);
                    convolution.kernel_gradient(x, dz, sum, i > 0);
                    if let Some(dx) = &mut dx {
                        let dx = &mut dx[i * group * g.image_in()..][..x.len()];
                        convolution.input_gradient(panels, dz, dx, add);
                    }
                }
            });
        let parts = images.div_ceil(part);
        self.convolution
            .finish_kernel_gradient(&mut self.kernel_gradients[..parts], dkernel);
    }
}
