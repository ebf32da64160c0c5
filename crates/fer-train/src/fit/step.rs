//! Converts a batch to tensors, and computes its loss and metrics.

use candle_core::{DType, Device, Result, Tensor};

use crate::batch::Batch;
use crate::loss::LossRecipe;
use crate::metrics::Tally;
use fer_core::classify::FACE_SIDE;

/// The images as `[n, 48, 48, 1]`.
pub fn images(batch: &Batch) -> Result<Tensor> {
    let shape = (batch.len, FACE_SIDE, FACE_SIDE, 1);
    Tensor::from_slice(&batch.images, shape, &Device::Cpu)
}

/// The weighted sum of the heads' losses.
pub fn loss(
    recipe: LossRecipe,
    head_weights: &[f64],
    logits: &[Tensor],
    batch: &Batch,
) -> Result<Tensor> {
    let mut total = Tensor::zeros((), DType::F32, &Device::Cpu)?;
    for ((logits, targets), weight) in logits.iter().zip(&batch.targets).zip(head_weights) {
        let values = Tensor::from_slice(&targets.values, logits.shape(), &Device::Cpu)?;
        let rows = Tensor::from_slice(&targets.weights, batch.len, &Device::Cpu)?;
        total = (total + (recipe.loss(logits, &values, &rows)? * *weight)?)?;
    }
    Ok(total)
}

/// The value of a loss.
pub fn scalar(loss: &Tensor) -> Result<f64> {
    Ok(f64::from(loss.to_scalar::<f32>()?))
}

/// Adds the loss and logits of a batch to a tally.
pub fn tally(tally: &mut Tally, loss: f64, logits: &[Tensor], batch: &Batch) -> Result<()> {
    let heads = logits
        .iter()
        .zip(&batch.targets)
        .map(|(logits, targets)| Ok((logits.flatten_all()?.to_vec1()?, targets.values.as_slice())))
        .collect::<Result<Vec<_>>>()?;
    tally.add(batch.len, loss, &heads);
    Ok(())
}
