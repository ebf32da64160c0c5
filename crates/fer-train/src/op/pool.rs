//! Global average pooling and max-pooling.

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor, bail};

use super::{filled, values, with_values};
use fer_nn::pool::{self, MaxPool};

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

/// Max-pooling over 2 × 2 windows: `x[n, h, w, c]` to `[n, h / 2, w / 2, c]`.
///
/// # Errors
/// If `x` is not four-dimensional `f32` on the CPU, or smaller than a window.
pub fn max_pool2d(x: &Tensor) -> Result<Tensor> {
    let (_, height, width, channels) = x.dims4()?;
    if height.min(width) < 2 {
        bail!("cannot max-pool {:?}: a side is less than 2", x.shape());
    }
    x.contiguous()?.apply_op1(MaxPool2d(MaxPool {
        height,
        width,
        channels,
    }))
}

struct MaxPool2d(MaxPool);

impl CustomOp1 for MaxPool2d {
    fn name(&self) -> &'static str {
        "max-pool2d-nhwc"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = (
            layout.dims()[0],
            self.0.height / 2,
            self.0.width / 2,
            self.0.channels,
        );
        let shape = Shape::from(shape);
        let mut y = vec![0.0; shape.elem_count()];
        self.0.forward(values(x, layout)?, &mut y);
        Ok((CpuStorage::F32(y), shape))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        let mut dx = vec![0.0; x.elem_count()];
        with_values(x, |x| {
            with_values(y, |y| {
                with_values(&dy, |dy| {
                    self.0.backward(x, y, dy, &mut dx);
                    Ok(())
                })
            })
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), &Device::Cpu)?))
    }
}
