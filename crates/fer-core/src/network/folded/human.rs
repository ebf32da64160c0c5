//! The head for the human score, which distinguishes human faces from other objects that the detector finds: pets,
//! statues, patterns.
//!
//! It is a perceptron with one hidden layer of rectifiers, on the features of all blocks of the trunk: those of the
//! early blocks show fur, of which the last block, which the emotion heads read, retains little. `models/human_head.py`
//! fits it.

use super::{FoldedDense, WeightError, Weights};

/// The head of a model file that has one.
#[derive(Debug)]
pub(super) struct HumanHead {
    hidden: FoldedDense,
    output: FoldedDense,
}

impl HumanHead {
    /// Reads `human.hidden.{weight[hidden, features], bias}` and `human.output.{weight[1, hidden], bias}`; `None` if
    /// the file has no such head.
    pub fn new(weights: &Weights, features: usize) -> Result<Option<Self>, WeightError> {
        let Some(bias) = weights.find("human.hidden.bias") else {
            return Ok(None);
        };
        let width = bias.values.len();
        if width == 0 {
            let problem = "its head \"human\" has an empty layer";
            return Err(WeightError::Architecture(problem.into()));
        }
        Ok(Some(Self {
            hidden: FoldedDense::new(weights, "human.hidden", features, width)?,
            output: FoldedDense::new(weights, "human.output", width, 1)?,
        }))
    }

    /// The score of each face, 0 to 1, from the features of all blocks, `[n, features]`.
    pub fn scores(&self, features: &[f32]) -> Vec<f32> {
        let (mut hidden, mut logits) = (Vec::new(), Vec::new());
        self.hidden.forward(features, &mut hidden);
        for value in &mut hidden {
            *value = value.max(0.0);
        }
        self.output.forward(&hidden, &mut logits);
        logits
            .iter()
            .map(|logit| 1.0 / (1.0 + (-logit).exp()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Weight;

    fn head(weights: [(&str, &[usize], &[f32]); 4]) -> Option<HumanHead> {
        let mut all = Weights::default();
        for (name, shape, values) in weights {
            let (shape, values) = (shape.to_vec(), values.to_vec());
            all.insert(format!("human.{name}"), Weight { shape, values });
        }
        HumanHead::new(&all, 2).unwrap()
    }

    #[test]
    fn the_score_is_that_of_a_perceptron() {
        let head = head([
            ("hidden.weight", &[2, 2], &[1.0, 0.0, 0.0, -1.0]),
            ("hidden.bias", &[2], &[0.0, 0.5]),
            ("output.weight", &[1, 2], &[2.0, -1.0]),
            ("output.bias", &[1], &[-3.0]),
        ]);
        // Hidden: (2, 0) and (0, 1.5). Logits: 1 and -4.5.
        let found = head.unwrap().scores(&[2.0, 1.0, 0.0, -1.0]);
        let logistic = |logit: f32| 1.0 / (1.0 + (-logit).exp());
        for (found, expected) in found.iter().zip([1.0, -4.5].map(logistic)) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_file_without_the_head_has_none_and_one_with_a_part_of_it_is_refused() {
        assert!(HumanHead::new(&Weights::default(), 2).unwrap().is_none());
        let mut part = Weights::default();
        let bias = Weight {
            shape: vec![3],
            values: vec![0.0; 3],
        };
        part.insert("human.hidden.bias", bias);
        let missing = WeightError::Missing("human.hidden.weight".into());
        assert_eq!(HumanHead::new(&part, 2).unwrap_err(), missing);
    }
}
