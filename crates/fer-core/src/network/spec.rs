//! The description of an architecture: part of a recipe (TOML) and of a weights file (JSON).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::emotion::Emotion;

/// An architecture: a trunk that turns a face into features, and heads that read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// From pixels to features.
    pub trunk: TrunkSpec,
    /// Share of the features set to zero in training, before the heads.
    #[serde(default)]
    pub dropout: f32,
    /// The linear classifiers on the features.
    pub heads: Vec<HeadSpec>,
}

/// The part of a network below its heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TrunkSpec {
    /// A small residual network.
    Residual(ResidualSpec),
    /// Layers one after another.
    Sequential(SequentialSpec),
}

/// Layers one after another, as Keras's `Sequential` has them; each takes what the one before gives,
/// the first one the face.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequentialSpec {
    /// The layers in order; the last must give a flat vector.
    pub layers: Vec<LayerSpec>,
}

/// One layer of a [`SequentialSpec`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerSpec {
    /// Convolution with a bias.
    Convolution {
        /// Channels of its output.
        channels: usize,
        /// Side of the kernel.
        #[serde(default = "LayerSpec::kernel")]
        kernel: usize,
        /// What happens at the edges.
        #[serde(default)]
        padding: Padding,
    },
    /// max(x, 0).
    Relu,
    /// The largest of each 2×2 window.
    MaxPool,
    /// Sets a share of the values to zero in training.
    Dropout {
        /// The share.
        rate: f32,
    },
    /// Makes a vector of an image.
    Flatten,
    /// Fully connected, with a bias.
    Dense {
        /// Values of its output.
        values: usize,
    },
}

impl LayerSpec {
    const fn kernel() -> usize {
        3
    }

    /// The shape of the output for an input of the given shape (height, width, channels; or the
    /// length of a vector); `None` where the layer does not fit.
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
    /// Names the first layer that does not fit what comes before it.
    pub fn shapes(&self, side: usize) -> Result<Vec<Vec<usize>>, String> {
        let mut input = vec![side, side, 1];
        let mut shapes = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let Some(output) = layer.shape(&input) else {
                return Err(format!("layer {index}, {layer:?}, cannot take {input:?}"));
            };
            shapes.push(output.clone());
            input = output;
        }
        Ok(shapes)
    }
}

/// What a convolution does at the edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// Stays within the image, so that the output is smaller.
    #[default]
    Valid,
    /// Takes zeros beyond it, so that the output is as large.
    Same,
}

impl Padding {
    /// How many zeros a kernel of that side takes beyond each edge.
    pub const fn zeros(self, kernel: usize) -> usize {
        match self {
            Self::Valid => 0,
            Self::Same => kernel / 2,
        }
    }
}

/// A 3×3 stem, basic residual blocks (He et al. 2015) and a global average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidualSpec {
    /// Channels after the stem.
    pub stem: usize,
    /// Stride of the stem.
    #[serde(default = "ResidualSpec::stem_stride")]
    pub stem_stride: usize,
    /// The blocks in order; there must be one at least.
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

/// A basic block: two 3×3 convolutions beside a shortcut, which is a 1×1 projection where the
/// shapes differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockSpec {
    /// Channels of both convolutions.
    pub width: usize,
    /// Stride of the first convolution.
    #[serde(default = "BlockSpec::stride")]
    pub stride: usize,
}

impl BlockSpec {
    const fn stride() -> usize {
        1
    }
}

/// What a head contributes to the scores of an album.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlbumShare {
    /// Its weight beside the other heads'.
    pub weight: f32,
    /// Added to the logits of these emotions first: it makes up for how often they are in the
    /// training data.
    pub shift: BTreeMap<Emotion, f32>,
}

impl Default for AlbumShare {
    fn default() -> Self {
        Self {
            weight: 1.0,
            shift: BTreeMap::new(),
        }
    }
}

impl AlbumShare {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A linear classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadSpec {
    /// Its name: that of the labels it learned.
    pub name: String,
    /// What its logits stand for, in order.
    pub emotions: Vec<Emotion>,
    /// What it contributes to the scores of an album.
    #[serde(default, skip_serializing_if = "AlbumShare::is_default")]
    pub album: AlbumShare,
}

impl HeadSpec {
    /// A head like any other.
    pub fn new(name: &str, emotions: &[Emotion]) -> Self {
        Self {
            name: name.to_owned(),
            emotions: emotions.to_vec(),
            album: AlbumShare::default(),
        }
    }

    /// FER2013's seven emotions, in that data set's order.
    pub fn fer2013() -> Self {
        Self::new("fer2013", &Emotion::ALL[..7])
    }

    /// FER+'s eight emotions, in the order of [`Emotion::ALL`].
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
    fn survives_toml_and_json() {
        let spec = NetworkSpec::residual(32, &[(32, 1), (64, 2)], 0.3);
        let text = toml::to_string(&spec).unwrap();
        assert_eq!(toml::from_str::<NetworkSpec>(&text).unwrap(), spec);
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<NetworkSpec>(&text).unwrap(), spec);
    }

    #[test]
    fn strides_have_defaults_and_unknown_keys_are_refused() {
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
    fn shapes_follow_the_layers_and_a_misfit_is_named() {
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
