//! Addition of a bias per channel, with an optional rectifier, as one operation of candle's autograd. The
//! bias gradient is a sum over all but the last dimension, which takes longer than the convolution with
//! candle's own operations.

use candle_core::{CpuStorage, CustomOp2, Device, Layout, Result, Shape, Tensor, bail};

use super::{values, with_values};

/// `x[…, c] + bias[c]`, followed by a rectifier if `relu`.
///
/// # Errors
/// If the shapes do not fit or a tensor is not `f32` on the CPU.
pub fn add_bias(x: &Tensor, bias: &Tensor, relu: bool) -> Result<Tensor> {
    if x.dims().last() != Some(&bias.dims1()?) {
        bail!("cannot add a bias {:?} to {:?}", bias.shape(), x.shape());
    }
    x.contiguous()?
        .apply_op2(&bias.contiguous()?, AddBias { relu })
}

struct AddBias {
    relu: bool,
}

impl CustomOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let bias = values(bias, bias_layout)?;
        let mut y = values(x, x_layout)?.to_vec();
        let floor = if self.relu { 0.0 } else { f32::NEG_INFINITY };
        for row in y.chunks_exact_mut(bias.len()) {
            for (y, b) in row.iter_mut().zip(bias) {
                *y = (*y + b).max(floor);
            }
        }
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let channels = bias.elem_count();
        let mut dbias = vec![0.0; channels];
        let mut dx = with_values(&dy.contiguous()?, |dy| Ok(dy.to_vec()))?;
        if self.relu {
            with_values(y, |y| {
                for (dx, y) in dx.iter_mut().zip(y) {
                    *dx = if *y > 0.0 { *dx } else { 0.0 };
                }
                Ok(())
            })?;
        }
        for row in dx.chunks_exact(channels) {
            for (sum, dx) in dbias.iter_mut().zip(row) {
                *sum += dx;
            }
        }
        Ok((
            Some(Tensor::from_vec(dx, x.shape(), &Device::Cpu)?),
            Some(Tensor::from_vec(dbias, channels, &Device::Cpu)?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;

    #[test]
    fn values_and_gradients_equal_those_of_candle() {
        let x = [[1.0f32, -2.0, 0.5], [-0.25, 3.0, -4.0]];
        let x = Var::new(&x, &Device::Cpu).unwrap();
        let bias = Var::new(&[0.5f32, 1.0, -1.0], &Device::Cpu).unwrap();
        for relu in [false, true] {
            let sum = x.broadcast_add(&bias).unwrap();
            let expected = if relu { sum.relu().unwrap() } else { sum };
            let found = add_bias(&x, &bias, relu).unwrap();
            let numbers = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(numbers(&found), numbers(&expected));
            let gradients = |y: &Tensor| {
                let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                [&x, &bias].map(|v| numbers(gradients.get(v).unwrap()))
            };
            assert_eq!(gradients(&found), gradients(&expected));
        }
    }
}
