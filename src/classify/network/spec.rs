//! The description of an architecture: part of a recipe (TOML) and of a weights file (JSON).

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

/// A linear classifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadSpec {
    /// Its name: that of the labels it learned.
    pub name: String,
    /// What its logits stand for, in order.
    pub emotions: Vec<Emotion>,
}

impl HeadSpec {
    /// FER2013's seven emotions, in that data set's order.
    pub fn fer2013() -> Self {
        Self {
            name: "fer2013".to_owned(),
            emotions: Emotion::ALL[..7].to_vec(),
        }
    }

    /// FER+'s eight emotions, in the order of [`Emotion::ALL`].
    pub fn ferplus() -> Self {
        Self {
            name: "ferplus".to_owned(),
            emotions: Emotion::ALL.to_vec(),
        }
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
        let TrunkSpec::Residual(trunk) = spec.trunk;
        assert_eq!((trunk.stem_stride, trunk.blocks[0].stride), (2, 1));
        assert!(toml::from_str::<NetworkSpec>(&text.replace("stem =", "stam =")).is_err());
    }
}
