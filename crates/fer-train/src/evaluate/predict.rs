//! Runs a network on rows of a data set.

use candle_core::Tensor;

use crate::dataset::Dataset;
use crate::network::Network;
use crate::weights::model_error;
use fer_core::classify::{FACE_SIDE, blend};
use fer_core::error::Result;
use fer_core::network::HeadSpec;

/// Faces per forward pass.
const BATCH: usize = 128;

/// Predicted probabilities for some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// The rows of the data set, in the order of the probabilities.
    pub rows: Vec<usize>,
    /// For each head its description and the probabilities, rows × emotions of the head.
    pub heads: Vec<(HeadSpec, Vec<f32>)>,
}

impl Predictions {
    /// The scores that these faces would have in an album, from both heads: rows × eight emotions.
    pub fn album_scores(&self) -> Vec<f32> {
        let scores = |index| {
            blend(self.heads.iter().map(|(head, all)| {
                let classes = head.emotions.len();
                (head, &all[index * classes..][..classes])
            }))
        };
        (0..self.rows.len()).flat_map(scores).collect()
    }
}

/// Predicts rows of a data set; with `flip`, logits are averaged over each face and its mirror image.
///
/// # Errors
/// If candle cannot run the network.
pub fn predict(
    network: &Network,
    dataset: &Dataset,
    rows: &[usize],
    flip: bool,
) -> Result<Predictions> {
    let heads = network.spec().heads.iter();
    let mut heads: Vec<_> = heads.map(|head| (head.clone(), Vec::new())).collect();
    for rows in rows.chunks(BATCH) {
        let probabilities = probabilities(network, dataset, rows, flip).map_err(model_error)?;
        for ((_, all), batch) in heads.iter_mut().zip(probabilities) {
            all.extend(batch);
        }
    }
    Ok(Predictions {
        rows: rows.to_vec(),
        heads,
    })
}

fn probabilities(
    network: &Network,
    dataset: &Dataset,
    rows: &[usize],
    flip: bool,
) -> candle_core::Result<Vec<Vec<f32>>> {
    let mut images = Vec::new();
    for &row in rows {
        let mut image: Vec<f32> = dataset.pixels(row).iter().map(|&p| p.into()).collect();
        network.spec().pixels.apply(&mut image);
        images.extend(image);
    }
    let shape = (rows.len(), FACE_SIDE, FACE_SIDE, 1);
    let logits = |images: &[f32]| {
        let x = Tensor::from_slice(images, shape, &candle_core::Device::Cpu)?;
        network.forward_eval(&x)
    };
    let mut heads = logits(&images)?;
    if flip {
        images
            .chunks_exact_mut(FACE_SIDE)
            .for_each(<[f32]>::reverse);
        for (head, mirrored) in heads.iter_mut().zip(logits(&images)?) {
            *head = ((&*head + mirrored)? * 0.5)?;
        }
    }
    let specs = network.spec().heads.iter();
    let outputs = heads.iter().zip(specs).map(|(logits, head)| {
        let mut values: Vec<f32> = logits.flatten_all()?.to_vec1()?;
        for face in values.chunks_exact_mut(head.emotions.len()) {
            head.output.probabilities(face);
        }
        Ok(values)
    });
    outputs.collect()
}
