//! Two-dimensional convolution.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::{filled, values, with_values};
use fer_nn::conv::{Convolution, Epilogue, Geometry, Panels};

/// Convolves `x[n, h, w, ci]` with `kernel[k, k, ci, co]`, without bias, to `[n, oh, ow, co]`.
///
/// # Errors
/// If the shapes do not fit or a tensor is not `f32` on the CPU.
pub fn conv2d(x: &Tensor, kernel: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
    let (batch, height, width, channels_in) = x.dims4()?;
    let (kh, kw, ci, channels_out) = kernel.dims4()?;
    if kh != kw || ci != channels_in || kh > height.min(width) + 2 * padding || stride == 0 {
        bail!("cannot convolve {:?} with {:?}", x.shape(), kernel.shape());
    }
    let geometry = Geometry {
        height,
        width,
        channels_in,
        channels_out,
        kernel: kh,
        stride,
        padding,
    };
    x.contiguous()?.apply_op2(
        &kernel.contiguous()?,
        Conv2d(Convolution::new(geometry, batch)),
    )
}

struct Conv2d(Convolution);

/// The number of parts of a batch whose kernel gradients are computed in parallel and added in order, so that
/// the sum does not depend on the number of threads.
const PARTS: usize = 8;

impl Conv2d {
    fn input_gradient(&self, kernel: &[f32], dy: &[f32], dx: &mut [f32]) {
        let (g, group) = (self.0.geometry(), self.0.group());
        let mut panels = Panels::default();
        self.0.pack_backward(kernel, &mut panels);
        dx.par_chunks_mut(group * g.image_in())
            .zip(dy.par_chunks(group * g.image_out()))
            .for_each(|(dx, dy)| self.0.input_gradient(&panels, dy, dx, false));
    }

    fn kernel_gradient(&self, x: &[f32], dy: &[f32], dkernel: &mut [f32]) {
        let g = self.0.geometry();
        let part = (x.len() / g.image_in()).div_ceil(PARTS).max(1);
        let group = self.0.group();
        let mut parts: Vec<Vec<f32>> = x
            .par_chunks(part * g.image_in())
            .zip(dy.par_chunks(part * g.image_out()))
            .map(|(x, dy)| {
                let mut sum = vec![0.0; self.0.kernel_sum_len()];
                x.chunks(group * g.image_in())
                    .zip(dy.chunks(group * g.image_out()))
                    .for_each(|(x, dy)| self.0.kernel_gradient(x, dy, &mut sum, true));
                sum
            })
            .collect();
        self.0.finish_kernel_gradient(&mut parts, dkernel);
    }
}

impl CustomOp2 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d-nhwc"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (g, group) = (self.0.geometry(), self.0.group());
        let batch = x_layout.dims()[0];
        let mut panels = Panels::default();
        self.0.pack(values(kernel, kernel_layout)?, &mut panels);
        let mut y = vec![0.0; batch * g.image_out()];
        y.par_chunks_mut(group * g.image_out())
            .zip(values(x, x_layout)?.par_chunks(group * g.image_in()))
            .for_each(|(y, x)| self.0.forward(&panels, x, y, Epilogue::default()));
        let shape = (batch, g.out_height(), g.out_width(), g.channels_out);
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dy = dy.contiguous()?;
        let dkernel = with_values(x, |x| {
            with_values(&dy, |dy| filled(kernel, |d| self.kernel_gradient(x, dy, d)))
        })?;
        let dx = if x.track_op() {
            Some(with_values(kernel, |kernel| {
                with_values(&dy, |dy| filled(x, |d| self.input_gradient(kernel, dy, d)))
            })?)
        } else {
            None
        };
        Ok((dx, Some(dkernel)))
    }
}
