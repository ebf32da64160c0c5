//! Describes an architecture, in a recipe (TOML) and in a model file's metadata (JSON).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{HeadOutput, PixelScaling};
use crate::emotion::Emotion;

/// An architecture: a trunk that computes features of a face, and heads that classify the features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// The trunk: from pixels to features.
    pub trunk: TrunkSpec,
    /// Dropout before the heads: the fraction of the features that training sets to zero.
    #[serde(default)]
    pub dropout: f32,
    /// How grey values become the input of the trunk.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pixels: PixelScaling,
    /// The heads: linear classifiers on the features.
    pub heads: Vec<HeadSpec>,
}

/// The trunk of a network: all layers before its heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TrunkSpec {
    /// A small residual network.
    Residual(ResidualSpec),
    /// A chain of layers.
    Sequential(SequentialSpec),
}

/// A chain of layers, like Keras's `Sequential`: the first layer's input is the face, every other
/// one's the output of the layer before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequentialSpec {
    /// The layers in order; the output of the last must be a vector.
    pub layers: Vec<LayerSpec>,
}

/// One layer of a [`SequentialSpec`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerSpec {
    /// Convolution with a bias.
    Convolution {
        /// Number of output channels.
        channels: usize,
        /// Side of the kernel in pixels.
        #[serde(default = "LayerSpec::kernel")]
        kernel: usize,
        /// Padding at the edges.
        #[serde(default)]
        padding: Padding,
    },
    /// Rectifier: max(x, 0).
    Relu,
    /// Maximum over windows of 2×2 pixels, with stride 2.
    MaxPool,
    /// Dropout: sets a fraction of the values to zero in training, and does nothing in inference.
    Dropout {
        /// The fraction, 0 to 1.
        rate: f32,
    },
    /// Makes an image a vector.
    Flatten,
    /// Fully connected layer with a bias.
    Dense {
        /// Number of output values.
        values: usize,
    },
}

impl LayerSpec {
    const fn kernel() -> usize {
        3
    }

    /// The shape of the output for an input shape: `[height, width, channels]`, or `[length]` of a
    /// vector; `None` if the layer cannot take this input.
    pub fn shape(&self, input: &[usize]) -> Option<Vec<usize>> {
        match (self, input) {
            (Self::Relu | Self::Dropout { .. }, _) => Some(input.to_vec()),
            (Self::Flatten, _) => Some(vec![input.iter().product()]),
            (&Self::Dense { values }, &[_]) => Some(vec![values]),
            (Self::MaxPool, &[h, w, channels]) if h.min(w) >= 2 => {
                Some(vec![h / 2, w / 2, channels])
            }
            (
                &Self::Convolution {
                    channels,
                    kernel,
                    padding,
                },
                &[h, w, _],
            ) if kernel % 2 == 1 => {
                let lost = match padding {
                    Padding::Valid => kernel - 1,
                    Padding::Same => 0,
                };
                let side = |side: usize| side.checked_sub(lost).filter(|&side| side > 0);
                Some(vec![side(h)?, side(w)?, channels])
            }
            _ => None,
        }
    }
}

impl SequentialSpec {
    /// The shape of each layer's output for square faces of `side` pixels.
    ///
    /// # Errors
    /// A sentence that names the first layer that cannot take the output of the layer before it.
    pub fn shapes(&self, side: usize) -> Result<Vec<Vec<usize>>, String> {
        let mut input = vec![side, side, 1];
        let mut shapes = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let Some(output) = layer.shape(&input) else {
                return Err(format!(
                    "layer {index}, {layer:?}, cannot take an input of shape {input:?}"
                ));
            };
            shapes.push(output.clone());
            input = output;
        }
        Ok(shapes)
    }
}

/// The padding of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// No padding: the output is smaller than the input.
    #[default]
    Valid,
    /// Zeros around the image: the output is as large as the input.
    Same,
}

impl Padding {
    /// Number of pixels of zeros at each edge, for a kernel of side `kernel`.
    pub const fn zeros(self, kernel: usize) -> usize {
        match self {
            Self::Valid => 0,
            Self::Same => kernel / 2,
        }
    }
}

/// A residual network: a 3×3 stem, basic residual blocks (He et al. 2015) and a global average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidualSpec {
    /// Number of output channels of the stem.
    pub stem: usize,
    /// Stride of the stem.
    #[serde(default = "ResidualSpec::stem_stride")]
    pub stem_stride: usize,
    /// The blocks in order; at least one.
    pub blocks: Vec<BlockSpec>,
    /// Squeeze-and-excitation (Hu et al. 2017) in every block, with this reduction ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub squeeze_excitation: Option<usize>,
}

impl ResidualSpec {
    const fn stem_stride() -> usize {
        2
    }
}

/// A basic block: two 3×3 convolutions, and a shortcut that is a 1×1 projection if input and output differ in shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockSpec {
    /// Number of output channels of both convolutions.
    pub width: usize,
    /// Stride of the first convolution.
    #[serde(default = "BlockSpec::stride")]
    pub stride: usize,
}

impl ResidualSpec {
    /// Number of output channels of all blocks.
    pub fn channels(&self) -> usize {
        self.blocks.iter().map(|block| block.width).sum()
    }
}

impl BlockSpec {
    const fn stride() -> usize {
        1
    }
}

/// The ensemble weights of a head: its contribution to the emotion scores of an album.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnsembleWeights {
    /// Its weight relative to the other heads.
    pub weight: f32,
    /// Added to the logits of these emotions before the softmax, to compensate for how frequent
    /// they are in the training data.
    pub shift: BTreeMap<Emotion, f32>,
}

impl Default for EnsembleWeights {
    fn default() -> Self {
        Self {
            weight: 1.0,
            shift: BTreeMap::new(),
        }
    }
}

/// Whether a value is the default, which is not written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The outputs of the trunk that a head reads, averaged over the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadInput {
    /// The features: the output of the last block.
    #[default]
    Features,
    /// The outputs of all blocks, the last one's at the end. Such a head is fitted to a trained trunk; it is not
    /// trained with it.
    Blocks,
}

/// A head: a linear classifier on the features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadSpec {
    /// Its name, which is that of the labels it was trained on.
    pub name: String,
    /// The emotion of each logit, in order.
    pub emotions: Vec<Emotion>,
    /// Its input.
    #[serde(default, skip_serializing_if = "is_default")]
    pub input: HeadInput,
    /// How its logits become probabilities.
    #[serde(default, skip_serializing_if = "is_default")]
    pub output: HeadOutput,
    /// Its contribution to the emotion scores of an album.
    #[serde(default, skip_serializing_if = "is_default")]
    pub album: EnsembleWeights,
}

impl HeadSpec {
    /// A head with the default ensemble weights.
    pub fn new(name: &str, emotions: &[Emotion]) -> Self {
        Self {
            name: name.to_owned(),
            emotions: emotions.to_vec(),
            input: HeadInput::default(),
            output: HeadOutput::default(),
            album: EnsembleWeights::default(),
        }
    }

    /// A head for FER2013's seven emotions, in that data set's order.
    pub fn fer2013() -> Self {
        Self::new("fer2013", &Emotion::ALL[..7])
    }

    /// A head for FER+'s eight emotions, in the order of [`Emotion::ALL`].
    pub fn ferplus() -> Self {
        Self::new("ferplus", &Emotion::ALL)
    }
}

impl NetworkSpec {
    /// A residual network with both heads; `blocks` are (width, stride).
    pub fn residual(stem: usize, blocks: &[(usize, usize)], dropout: f32) -> Self {
        let blocks = blocks
            .iter()
            .map(|&(width, stride)| BlockSpec { width, stride });
        Self {
            trunk: TrunkSpec::Residual(ResidualSpec {
                stem,
                stem_stride: ResidualSpec::stem_stride(),
                blocks: blocks.collect(),
                squeeze_excitation: None,
            }),
            dropout,
            pixels: PixelScaling::default(),
            heads: vec![HeadSpec::fer2013(), HeadSpec::ferplus()],
        }
    }

    /// The position of the head called `name`.
    pub fn head(&self, name: &str) -> Option<usize> {
        self.heads.iter().position(|head| head.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_survives_toml_and_json() {
        let spec = NetworkSpec::residual(32, &[(32, 1), (64, 2)], 0.3);
        let text = toml::to_string(&spec).unwrap();
        assert_eq!(toml::from_str::<NetworkSpec>(&text).unwrap(), spec);
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<NetworkSpec>(&text).unwrap(), spec);
    }

    #[test]
    fn strides_have_defaults_and_unknown_keys_are_errors() {
        let text = r#"
            heads = [{ name = "light", emotions = ["angry", "happy", "sad", "neutral"] }]
            [trunk]
            kind = "residual"
            stem = 8
            blocks = [{ width = 8 }, { width = 16, stride = 2 }]
        "#;
        let spec: NetworkSpec = toml::from_str(text).unwrap();
        assert_eq!(spec.heads[0].emotions[3], Emotion::Neutral);
        let TrunkSpec::Residual(trunk) = spec.trunk else {
            panic!("a residual network")
        };
        assert_eq!((trunk.stem_stride, trunk.blocks[0].stride), (2, 1));
        assert!(toml::from_str::<NetworkSpec>(&text.replace("stem =", "stam =")).is_err());
    }

    #[test]
    fn shapes_follow_the_layers_and_an_error_names_a_layer_that_does_not_fit() {
        let text = r#"
            layers = [
                { kind = "convolution", channels = 8 },
                { kind = "max-pool" },
                { kind = "convolution", channels = 4, kernel = 5, padding = "same" },
                { kind = "flatten" },
                { kind = "dense", values = 7 },
            ]
        "#;
        let spec: SequentialSpec = toml::from_str(text).unwrap();
        assert_eq!(
            spec.shapes(13).unwrap(),
            [
                vec![11, 11, 8],
                vec![5, 5, 8],
                vec![5, 5, 4],
                vec![100],
                vec![7]
            ]
        );
        let message = spec.shapes(3).unwrap_err();
        assert!(message.contains("layer 1"), "{message}");
    }
}
