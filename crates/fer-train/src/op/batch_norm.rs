//! Batch normalisation.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::{values, with_values};
use fer_nn::norm::{self, BatchStatistics, Normalisation, PART_ROWS};

/// Normalises `z[…, c]` by the statistics of the batch, adds `residual` if there is one, and applies the
/// rectifier if `relu`. Also returns the statistics, for an update of the running ones.
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
        bail!("cannot normalise {:?} over {channels} channels", z.shape());
    }
    if residual.is_some_and(|r| r.shape() != z.shape()) {
        bail!("the residual must have the shape of the values");
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
            let range = i * part..i * part + y.len();
            let residual = residual.map(|r| &r[range.clone()]);
            self.0.forward(&z[range], residual, y);
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
