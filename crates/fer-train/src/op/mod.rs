//! The kernels of `fer-nn` as operations of candle's autograd.

mod batch_norm;
mod bias;
mod conv;
mod pool;
#[cfg(test)]
mod tests;

pub use batch_norm::batch_norm;
pub use bias::add_bias;
pub use conv::conv2d;
pub use pool::{global_average_pool, max_pool2d};

use candle_core::{CpuStorage, Device, Layout, Result, Storage, Tensor, bail};

/// The values of a contiguous `f32` storage.
///
/// # Errors
/// If the storage has another type or is not contiguous.
pub fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("the tensor must be contiguous"),
    }
}

/// Calls `f` with the values of a contiguous `f32` tensor on the CPU.
///
/// # Errors
/// If the tensor is of another kind, or `f` fails.
pub fn with_values<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(values(storage, layout)?),
        _ => bail!("the tensor must be on the CPU"),
    }
}

/// A new tensor with the shape of `like`, whose values `fill` writes.
fn filled(like: &Tensor, fill: impl FnOnce(&mut [f32])) -> Result<Tensor> {
    let mut data = vec![0.0; like.elem_count()];
    fill(&mut data);
    Tensor::from_vec(data, like.shape(), &Device::Cpu)
}
