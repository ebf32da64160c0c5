//! The kernels as operations of candle's autograd.

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Device, Layout, Result, Shape, Storage, Tensor,
    bail,
};

use rayon::prelude::*;

use super::conv::{Convolution, Epilogue, Geometry, Panels};
use super::norm::{self, BatchStatistics, Normalisation, PART_ROWS};
use super::pool::{self, MaxPool};

/// The values of a contiguous `f32` storage.
///
/// # Errors
/// If it is something else.
pub fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("the tensor must be contiguous"),
    }
}

/// Calls `f` with the values of a contiguous `f32` tensor on the CPU.
///
/// # Errors
/// If the tensor is something else, or `f` fails.
pub fn with_values<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(values(storage, layout)?),
        _ => bail!("the tensor must be on the CPU"),
    }
}

/// A new tensor shaped like `like`, filled by `fill`.
fn filled(like: &Tensor, fill: impl FnOnce(&mut [f32])) -> Result<Tensor> {
    let mut data = vec![0.0; like.elem_count()];
    fill(&mut data);
    Tensor::from_vec(data, like.shape(), &Device::Cpu)
}

/// Convolution of `x[n, h, w, ci]` with `kernel[k, k, ci, co]`, no bias: `[n, oh, ow, co]`.
///
/// # Errors
/// If the shapes do not fit or a tensor is not `f32` on the CPU.
pub fn conv2d(x: &Tensor, kernel: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
    let (batch, height, width, channels_in) = x.dims4()?;
    let (kh, kw, ci, channels_out) = kernel.dims4()?;
    if kh != kw || ci != channels_in || kh > height.min(width) + 2 * padding || stride == 0 {
        bail!(
            "no convolution of {:?} with {:?}",
            x.shape(),
            kernel.shape()
        );
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

/// The parts of a batch whose kernel gradients are added in order.
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

/// Batch normalisation by the batch's own statistics of `z[…, c]`, then the addition of `residual`
/// and a rectifier, if asked for. Returns the statistics too, for the running ones.
///
/// # Errors
/// If the shapes do not fit or a tensor is not `f32` on the CPU.
pub fn batch_norm(
    z: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    residual: Option<&Tensor>,
    relu: bool,
    epsilon: f32,
) -> Result<(Tensor, BatchStatistics)> {
    let channels = gamma.dims1()?;
    if z.dims().last() != Some(&channels) || beta.dims1()? != channels {
        bail!("no batch norm of {:?} over {channels} channels", z.shape());
    }
    if residual.is_some_and(|r| r.shape() != z.shape()) {
        bail!("the residual must be shaped like the values");
    }
    let z = z.contiguous()?;
    let statistics = with_values(&z, |z| {
        let part = PART_ROWS * channels;
        let mut sums = vec![0.0; z.len().div_ceil(part) * 2 * channels];
        z.par_chunks(part)
            .zip(sums.par_chunks_exact_mut(2 * channels))
            .for_each(|(z, sums)| norm::sums(z, sums));
        Ok(BatchStatistics::from_sums(
            &sums,
            channels,
            z.len() / channels,
        ))
    })?;
    let op = with_values(&gamma.contiguous()?, |gamma| {
        with_values(&beta.contiguous()?, |beta| {
            Ok(BatchNorm(Normalisation::new(
                &statistics,
                gamma,
                beta,
                epsilon,
                relu,
            )))
        })
    })?;
    let affine = Tensor::stack(&[gamma, beta], 0)?;
    let y = match residual {
        Some(residual) => z.apply_op3(&affine, &residual.contiguous()?, op)?,
        None => z.apply_op2(&affine, op)?,
    };
    Ok((y, statistics))
}

struct BatchNorm(Normalisation);

impl BatchNorm {
    fn forward(&self, z: &[f32], residual: Option<&[f32]>) -> CpuStorage {
        let mut y = vec![0.0; z.len()];
        let part = PART_ROWS * self.0.channels();
        y.par_chunks_mut(part).enumerate().for_each(|(i, y)| {
            let place = i * part..i * part + y.len();
            let residual = residual.map(|r| &r[place.clone()]);
            self.0.forward(&z[place], residual, y);
        });
        CpuStorage::F32(y)
    }

    /// The gradients of `z`, of gamma and beta stacked, and of the residual.
    fn backward(&self, z: &Tensor, y: &Tensor, dy: &Tensor) -> Result<[Tensor; 3]> {
        let channels = self.0.channels();
        let part = PART_ROWS * channels;
        let mut dy = dy.flatten_all()?.to_vec1::<f32>()?;
        let mut sums = vec![0.0; dy.len().div_ceil(part) * 2 * channels];
        let mut dz = vec![0.0; dy.len()];
        let mut affine = Vec::new();
        with_values(z, |z| {
            with_values(y, |y| {
                dy.par_chunks_mut(part)
                    .zip(sums.par_chunks_exact_mut(2 * channels))
                    .zip(z.par_chunks(part).zip(y.par_chunks(part)))
                    .for_each(|((dy, sums), (z, y))| self.0.gradient_sums(z, y, dy, sums));
                Ok(())
            })?;
            let gradient = self.0.gradient(&sums, z.len() / channels);
            dz.par_chunks_mut(part)
                .zip(z.par_chunks(part).zip(dy.par_chunks(part)))
                .for_each(|(dz, (z, dy))| gradient.input(z, dy, dz));
            affine.extend(gradient.gamma);
            affine.extend(gradient.beta);
            Ok(())
        })?;
        Ok([
            Tensor::from_vec(dz, z.shape(), &Device::Cpu)?,
            Tensor::from_vec(affine, (2, channels), &Device::Cpu)?,
            Tensor::from_vec(dy, z.shape(), &Device::Cpu)?,
        ])
    }
}

impl CustomOp2 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_layout: &Layout,
        _affine: &CpuStorage,
        _affine_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let y = self.forward(values(z, z_layout)?, None);
        Ok((y, z_layout.shape().clone()))
    }

    fn bwd(
        &self,
        z: &Tensor,
        _affine: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [dz, daffine, _] = self.backward(z, y, dy)?;
        Ok((Some(dz), Some(daffine)))
    }
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm-add"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_layout: &Layout,
        _affine: &CpuStorage,
        _affine_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let residual = values(residual, residual_layout)?;
        let y = self.forward(values(z, z_layout)?, Some(residual));
        Ok((y, z_layout.shape().clone()))
    }

    fn bwd(
        &self,
        z: &Tensor,
        _affine: &Tensor,
        _residual: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [dz, daffine, dresidual] = self.backward(z, y, dy)?;
        Ok((Some(dz), Some(daffine), Some(dresidual)))
    }
}

/// Mean over height and width: `x[n, h, w, c]` to `[n, c]`.
///
/// # Errors
/// If `x` is not four-dimensional `f32` on the CPU.
pub fn global_average_pool(x: &Tensor) -> Result<Tensor> {
    let (_, height, width, channels) = x.dims4()?;
    x.contiguous()?.apply_op1(GlobalAveragePool {
        pixels: height * width,
        channels,
    })
}

struct GlobalAveragePool {
    pixels: usize,
    channels: usize,
}

impl CustomOp1 for GlobalAveragePool {
    fn name(&self) -> &'static str {
        "global-average-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let batch = layout.dims()[0];
        let mut y = vec![0.0; batch * self.channels];
        pool::average(values(x, layout)?, self.pixels, self.channels, &mut y);
        Ok((CpuStorage::F32(y), (batch, self.channels).into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dx = with_values(&dy.contiguous()?, |dy| {
            filled(x, |dx| {
                pool::average_gradient(dy, self.pixels, self.channels, dx);
            })
        })?;
        Ok(Some(dx))
    }
}

/// The largest of each 2 × 2 window: `x[n, h, w, c]` to `[n, h / 2, w / 2, c]`.
///
/// # Errors
/// If `x` is not four-dimensional `f32` on the CPU, or smaller than a window.
pub fn max_pool2d(x: &Tensor) -> Result<Tensor> {
    let (_, height, width, channels) = x.dims4()?;
    if height.min(width) < 2 {
        bail!("no max-pooling of {:?}", x.shape());
    }
    x.contiguous()?.apply_op1(MaxPool {
        height,
        width,
        channels,
    })
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool2d-nhwc"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = (
            layout.dims()[0],
            self.height / 2,
            self.width / 2,
            self.channels,
        );
        let shape = Shape::from(shape);
        let mut y = vec![0.0; shape.elem_count()];
        self.forward(values(x, layout)?, &mut y);
        Ok((CpuStorage::F32(y), shape))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        let mut dx = vec![0.0; x.elem_count()];
        with_values(x, |x| {
            with_values(y, |y| {
                with_values(&dy, |dy| {
                    self.backward(x, y, dy, &mut dx);
                    Ok(())
                })
            })
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), &Device::Cpu)?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Var};

    use super::*;

    fn random(shape: &[usize]) -> Var {
        Var::randn(0f32, 1f32, shape, &Device::Cpu).unwrap()
    }

    fn assert_close(what: &str, ours: &Tensor, reference: &Tensor) {
        let difference = (ours - reference).unwrap().abs().unwrap();
        let largest = difference.max_all().unwrap().to_scalar::<f32>().unwrap();
        let scale = reference.abs().unwrap().max_all().unwrap();
        let scale = scale.to_scalar::<f32>().unwrap().max(1.0);
        assert!(
            largest <= 2e-5 * scale,
            "{what} differs by {largest} at a scale of {scale}"
        );
    }

    /// Compares the value and the gradient of every variable under a random weighting of the output.
    fn compare(what: &str, ours: &Tensor, reference: &Tensor, variables: &[(&str, &Var)]) {
        assert_close(what, ours, reference);
        let weighting = Tensor::randn(0f32, 1f32, ours.shape(), &Device::Cpu).unwrap();
        let gradients = |y: &Tensor| (y * &weighting).unwrap().sum_all().unwrap().backward();
        let (ours, reference) = (gradients(ours).unwrap(), gradients(reference).unwrap());
        for (name, variable) in variables {
            let what = format!("{what}: gradient of {name}");
            assert_close(
                &what,
                ours.get(variable).unwrap(),
                reference.get(variable).unwrap(),
            );
        }
    }

    #[test]
    fn convolution_agrees_with_candle() {
        // Batch, height, width, channels in and out, kernel, stride, padding.
        for case in [
            [3, 7, 9, 5, 6, 3, 1, 1],
            [2, 8, 8, 4, 7, 3, 2, 1],
            [2, 9, 7, 3, 4, 3, 2, 1],
            [5, 6, 5, 8, 3, 1, 1, 0],
            [3, 7, 8, 2, 9, 1, 2, 0],
            [2, 11, 10, 1, 16, 5, 1, 2],
            [1, 9, 12, 3, 5, 5, 2, 0],
            [2, 12, 12, 32, 48, 3, 1, 1],
            [2, 6, 6, 33, 65, 3, 1, 1],
            [17, 3, 3, 64, 32, 3, 1, 1],
            [9, 10, 7, 17, 19, 3, 1, 1],
        ] {
            let [n, h, w, ci, co, k, stride, padding] = case;
            let (x, kernel) = (random(&[n, h, w, ci]), random(&[k, k, ci, co]));
            let ours = conv2d(&x, &kernel, stride, padding).unwrap();
            let oihw = kernel.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
            let nchw = x.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
            // candle's own gradient fails on some sizes at stride 2, so take every second pixel.
            let (oh, ow) = (ours.dims()[1], ours.dims()[2]);
            let every = |n| Tensor::arange_step(0, (n * stride) as u32, stride as u32, x.device());
            let reference = nchw
                .conv2d(&oihw, padding, 1, 1, 1)
                .and_then(|y| y.index_select(&every(oh)?, 2)?.index_select(&every(ow)?, 3))
                .and_then(|y| y.permute((0, 2, 3, 1))?.contiguous())
                .unwrap();
            compare(
                &format!("{case:?}"),
                &ours,
                &reference,
                &[("x", &x), ("kernel", &kernel)],
            );
        }
    }

    #[test]
    fn batch_norm_agrees_with_its_definition() {
        for (relu, add) in [(false, false), (true, false), (false, true), (true, true)] {
            let shape = [5, 4, 7, 6];
            let (z, residual) = (random(&shape), random(&shape));
            let (gamma, beta) = (random(&[6]), random(&[6]));
            let (ours, statistics) =
                batch_norm(&z, &gamma, &beta, add.then_some(&residual), relu, 1e-3).unwrap();
            let rows = z.reshape((140, 6)).unwrap();
            let mean = rows.mean_keepdim(0).unwrap();
            let centred = rows.broadcast_sub(&mean).unwrap();
            let variance = centred.sqr().unwrap().mean_keepdim(0).unwrap();
            let reference = centred
                .broadcast_div(&(&variance + 1e-3).unwrap().sqrt().unwrap())
                .and_then(|x| x.broadcast_mul(&gamma)?.broadcast_add(&beta))
                .and_then(|y| y.reshape(&shape))
                .and_then(|y| if add { y + residual.as_tensor() } else { Ok(y) })
                .and_then(|y| if relu { y.relu() } else { Ok(y) })
                .unwrap();
            let mut variables = vec![("z", &z), ("gamma", &gamma), ("beta", &beta)];
            if add {
                variables.push(("residual", &residual));
            }
            let what = format!("relu {relu}, residual {add}");
            compare(&what, &ours, &reference, &variables);
            let ours = Tensor::new(statistics.variance, &Device::Cpu).unwrap();
            assert_close("variance", &ours, &variance.squeeze(0).unwrap());
        }
    }

    #[test]
    fn pooling_agrees_with_candle() {
        let x = random(&[3, 7, 6, 5]);
        let average = global_average_pool(&x).unwrap();
        compare("average", &average, &x.mean((1, 2)).unwrap(), &[("x", &x)]);
        let x = random(&[3, 6, 8, 5]);
        // candle's own max_pool2d quarters its gradient.
        let reference = x
            .reshape((3, 3, 2, 4, 2, 5))
            .and_then(|x| x.max(4)?.max(2))
            .unwrap();
        compare(
            "maximum",
            &max_pool2d(&x).unwrap(),
            &reference,
            &[("x", &x)],
        );
    }

    /// Central differences of a loss that goes through every operation.
    #[test]
    fn gradients_agree_with_finite_differences() {
        let x = random(&[2, 6, 6, 2]);
        let kernel = random(&[3, 3, 2, 4]);
        let (gamma, beta) = (random(&[4]), random(&[4]));
        let weighting = Tensor::randn(0f32, 1f32, (2, 4), &Device::Cpu).unwrap();
        let loss = || {
            let z = conv2d(&x, &kernel, 1, 1)?;
            let (y, _) = batch_norm(&z, &gamma, &beta, None, false, 1e-5)?;
            (global_average_pool(&max_pool2d(&y)?)? * &weighting)?.sum_all()
        };
        let gradients = loss().unwrap().backward().unwrap();
        for variable in [&x, &kernel, &gamma, &beta] {
            let before = variable.as_tensor().copy().unwrap();
            let direction = variable.rand_like(-1.0, 1.0).unwrap();
            let at = |step: f64| {
                variable
                    .set(&(&before + (&direction * step).unwrap()).unwrap())
                    .unwrap();
                let loss = loss().unwrap().to_dtype(DType::F64).unwrap();
                loss.to_scalar::<f64>().unwrap()
            };
            let numeric = (at(1e-3) - at(-1e-3)) / 2e-3;
            variable.set(&before).unwrap();
            let analytic = (gradients.get(variable).unwrap() * &direction)
                .and_then(|d| d.sum_all()?.to_scalar::<f32>())
                .unwrap();
            let difference = (numeric - f64::from(analytic)).abs();
            assert!(
                difference < 2e-2 * (1.0 + numeric.abs()),
                "{numeric} {analytic}"
            );
        }
    }
}
