//! Measures a network on labelled faces.

mod expressions;
mod figures;
mod interval;
mod predict;
mod protocol;

use serde::Serialize;

use super::dataset::{Dataset, Usage};
use crate::network::Network;
use fer_core::error::{Error, Result};

pub use expressions::{
    Estimate, ExpressionFigures, LabelledFace, RECALLED, RankedEmotion, average_precision,
    calibration_error, macro_recall, person_folds,
};
pub use figures::{CalibrationBin, EmotionFigures, Figures, Sample};
pub use interval::Proportion;
pub use predict::{Predictions, predict};
pub use protocol::Protocol;

/// The figures of a network on one part of the data set, or on all of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The name of the part.
    pub usage: &'static str,
    /// Whether logits were averaged over each face and its mirror image.
    pub flip: bool,
    /// Whether the network was trained on these rows, so that the figures do not show how it generalises.
    pub learned: bool,
    /// One entry for each protocol that the network and the data allow.
    pub results: Vec<ProtocolResult>,
}

/// The figures under one protocol.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProtocolResult {
    /// The protocol.
    pub protocol: Protocol,
    /// The figures on all rows.
    pub all: Figures,
    /// The figures on the rows whose pixels differ from those of all training rows; `None` if these are all rows, or if
    /// the measured rows are training rows themselves.
    pub without_duplicates: Option<Figures>,
}

/// Measures a network on the rows of `usage`, or on all rows; `trained_on` are the parts that it was trained on. With
/// `flip`, logits are averaged over each face and its mirror image.
///
/// # Errors
/// If the part is empty or no protocol fits the network's heads.
pub fn evaluate(
    network: &Network,
    dataset: &Dataset,
    trained_on: &[Usage],
    usage: Option<Usage>,
    flip: bool,
) -> Result<Evaluation> {
    let parts = usage.map_or_else(|| Usage::ALL.to_vec(), |usage| vec![usage]);
    let rows: Vec<usize> = parts
        .iter()
        .flat_map(|&part| dataset.indices(part))
        .collect();
    let name = usage.map_or("all rows", Usage::name);
    if rows.is_empty() {
        return Err(Error::Usage(format!(
            "the data set has no {name} rows; name another part"
        )));
    }
    let predictions = predict(network, dataset, &rows, flip)?;
    let mut duplicates = vec![false; dataset.rows().len()];
    for &part in trained_on {
        let here = dataset.duplicated_in(part);
        duplicates.iter_mut().zip(here).for_each(|(a, b)| *a |= b);
    }
    let learned = rows
        .iter()
        .any(|&row| trained_on.contains(&dataset.rows()[row].usage));
    let results: Vec<ProtocolResult> = Protocol::ALL
        .into_iter()
        .filter_map(|protocol| {
            let samples = protocol.samples(&predictions, dataset)?;
            let emotions = protocol.emotions(dataset);
            let unique: Vec<_> = samples
                .iter()
                .filter(|sample| !learned && !duplicates[sample.row])
                .cloned()
                .collect();
            let differs = !unique.is_empty() && unique.len() < samples.len();
            Some(ProtocolResult {
                protocol,
                all: Figures::new(&emotions, &samples),
                without_duplicates: differs.then(|| Figures::new(&emotions, &unique)),
            })
        })
        .collect();
    if results.is_empty() {
        return Err(Error::Usage(
            "no head of the model predicts the labels or votes of the data set; give a data set with the \
             emotions of one of its heads"
                .to_owned(),
        ));
    }
    Ok(Evaluation {
        usage: name,
        flip,
        learned,
        results,
    })
}
