//! Photo heads that are fitted without some of the people, to measure what is built on a photo head.

use std::path::Path;

use super::faces::{PhotoFace, PhotoFaces};
use super::head::{PhotoHeadOptions, prior, shifted};
use super::objective::{Examples, Linear, fit};
use super::training_data::{Extractor, TrainingFeatures, fer2013_rows};
use crate::dataset::Dataset;
use crate::weights;
use fer_core::classify::softmax;
use fer_core::emotion::{Emotion, EmotionScores};
use fer_core::error::Result;
use fer_core::features::Features;
use fer_core::network::{ModelFile, TrunkSpec};
use fer_core::personal::ClassifiedFace;

/// Faces with their features, and the other data to which a photo head is fitted.
pub struct HeldOutHeads<'a> {
    faces: Vec<&'a PhotoFace>,
    training_features: TrainingFeatures,
    rows: Examples,
    prior: Linear,
    /// How many of the head's inputs are those of the last block, which the index stores.
    kept: usize,
    options: &'a PhotoHeadOptions,
}

impl<'a> HeldOutHeads<'a> {
    /// Computes the features of all faces.
    ///
    /// # Errors
    /// If the model cannot be used.
    pub fn new(
        model: &Path,
        faces: &'a [PhotoFaces],
        dataset: &Dataset,
        options: &'a PhotoHeadOptions,
    ) -> Result<Self> {
        let file = ModelFile::parse(&weights::read_bytes(model)?, &model.display().to_string())?;
        let network = Extractor {
            network: file.fold(2)?,
            pixels: file.spec.pixels,
        };
        let faces: Vec<&PhotoFace> = faces.iter().flat_map(|faces| &faces.0).collect();
        let prior = prior(&file)?;
        let all = prior.weight.len() / Emotion::COUNT;
        Ok(Self {
            training_features: TrainingFeatures::new(&network, &faces, options.views),
            rows: fer2013_rows(&network, dataset),
            kept: match &file.spec.trunk {
                TrunkSpec::Residual(trunk) => trunk.blocks.last().map_or(all, |last| last.width),
                TrunkSpec::Sequential(_) => all,
            },
            prior,
            faces,
            options,
        })
    }

    /// The faces, in the order of their numbers.
    pub fn faces(&self) -> &[&'a PhotoFace] {
        &self.faces
    }

    /// The logits of each of the faces with these numbers, and of its changed copies, by a head that is fitted to the
    /// faces for which `is_trained_on` is true.
    pub fn logits(
        &self,
        numbers: &[usize],
        is_trained_on: impl Fn(usize) -> bool,
    ) -> Vec<Vec<[f32; Emotion::COUNT]>> {
        let head = self.head(is_trained_on);
        let logits = |&face: &usize| {
            self.training_features
                .of(face)
                .map(|f| head.logits(f))
                .collect()
        };
        numbers.iter().map(logits).collect()
    }

    /// A head that is fitted to the faces for which `is_trained_on` is true.
    fn head(&self, is_trained_on: impl Fn(usize) -> bool) -> Linear {
        let is_trained_on = |face: usize| {
            let emotion = self.faces[face].emotion;
            let is_labelled = emotion.is_some() || self.faces[face].smile.is_some();
            is_trained_on(face)
                && is_labelled
                && !emotion.is_some_and(|e| self.options.leave_out.contains(&e))
        };
        let examples =
            (self.training_features).examples(&self.faces, &self.rows, self.options, is_trained_on);
        let head = fit(&examples, &self.prior, self.options.strength);
        shifted(head, &self.options.shift)
    }

    /// The results for the faces with these numbers, by a head that is fitted to the faces for which `is_trained_on` is true.
    pub fn read(
        &self,
        numbers: &[usize],
        is_trained_on: impl Fn(usize) -> bool,
    ) -> Vec<ClassifiedFace> {
        let head = self.head(is_trained_on);
        let read = |&face: &usize| {
            let features = self.training_features.of(face).next().unwrap_or_default();
            let mut scores = head.logits(features);
            softmax(&mut scores);
            ClassifiedFace {
                features: Features::of(&features[features.len() - self.kept..]),
                scores: EmotionScores::new(scores),
            }
        };
        numbers.iter().map(read).collect()
    }
}
