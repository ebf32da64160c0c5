//! Summarises an architecture layer by layer: shapes, parameters, multiplications.

use serde::Serialize;

use fer_core::classify::FACE_SIDE;
use fer_core::network::{
    HeadInput, HeadSpec, LayerSpec, NetworkSpec, ResidualSpec, SequentialSpec, TrunkSpec,
};

/// A layer of a network, with its cost for one face.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// The path of its weights.
    pub name: String,
    /// Its kind, such as "dense".
    pub kind: String,
    /// Shape of its output: height, width and channels, or a number of values.
    pub output: Vec<usize>,
    /// Number of trainable parameters.
    pub trainable: usize,
    /// Number of values without a gradient: running statistics.
    pub fixed: usize,
    /// Multiply-accumulate operations.
    pub macs: u64,
}

/// The layers of an architecture, in the order of computation.
pub fn layers(spec: &NetworkSpec) -> Vec<Layer> {
    let mut layers = Layers::new();
    let features = match &spec.trunk {
        TrunkSpec::Residual(trunk) => layers.residual(trunk),
        TrunkSpec::Sequential(trunk) => layers.sequential(trunk),
    };
    if spec.dropout > 0.0 {
        let kind = format!("dropout {}", spec.dropout);
        layers.add("dropout", &kind, vec![features], [0, 0], 0);
    }
    for head in &spec.heads {
        let inputs = match (head.input, &spec.trunk) {
            (HeadInput::Blocks, TrunkSpec::Residual(trunk)) => trunk.channels(),
            _ => features,
        };
        layers.head(head, inputs);
    }
    layers.done
}

/// A list of layers with the input shape of the next one.
struct Layers {
    done: Vec<Layer>,
    side: usize,
    channels: usize,
}

impl Layers {
    const fn new() -> Self {
        Self {
            done: Vec::new(),
            side: FACE_SIDE,
            channels: 1,
        }
    }

    /// Adds a residual trunk and returns the number of its features.
    fn residual(&mut self, trunk: &ResidualSpec) -> usize {
        self.convolution("stem", 3, trunk.stem_stride, trunk.stem);
        for (index, block) in trunk.blocks.iter().enumerate() {
            let name = |part: &str| format!("blocks.{index}.{part}");
            let (side, channels) = (self.side, self.channels);
            self.convolution(&name("conv1"), 3, block.stride, block.width);
            self.convolution(&name("conv2"), 3, 1, block.width);
            if let Some(reduction) = trunk.squeeze_excitation {
                let inner = (block.width / reduction.max(1)).max(1);
                self.dense(&name("se.squeeze"), block.width, inner);
                self.dense(&name("se.excite"), inner, block.width);
            }
            if channels != block.width || block.stride != 1 {
                (self.side, self.channels) = (side, channels);
                self.convolution(&name("projection"), 1, block.stride, block.width);
            }
        }
        self.add("pool", "global average", vec![self.channels], [0, 0], 0);
        self.channels
    }

    /// Adds a sequential trunk and returns the number of its features.
    fn sequential(&mut self, trunk: &SequentialSpec) -> usize {
        let mut input = vec![self.side, self.side, self.channels];
        // The summary of an impossible trunk ends before the first layer that does not fit.
        for (index, layer) in trunk.layers.iter().enumerate() {
            let name = format!("layers.{index}");
            let Some(output) = layer.shape(&input) else {
                break;
            };
            let depth = input.last().copied().unwrap_or_default();
            match layer {
                LayerSpec::Convolution {
                    channels, kernel, ..
                } => {
                    let weights = kernel * kernel * depth * channels;
                    let pixels: usize = output[..2].iter().product();
                    let kind = format!("convolution {kernel}×{kernel}");
                    let values = [weights + channels, 0];
                    let macs = (weights * pixels) as u64;
                    self.add(&name, &kind, output.clone(), values, macs);
                }
                LayerSpec::Dense { values } => self.dense(&name, depth, *values),
                LayerSpec::Relu => self.add(&name, "ReLU", output.clone(), [0, 0], 0),
                LayerSpec::MaxPool => self.add(&name, "max-pool 2×2", output.clone(), [0, 0], 0),
                LayerSpec::Dropout { rate } => {
                    let kind = format!("dropout {rate}");
                    self.add(&name, &kind, output.clone(), [0, 0], 0);
                }
                LayerSpec::Flatten => self.add(&name, "flatten", output.clone(), [0, 0], 0),
            }
            input = output;
        }
        input.last().copied().unwrap_or_default()
    }

    /// Adds a convolution with zero padding and batch norm.
    fn convolution(&mut self, name: &str, kernel: usize, stride: usize, channels: usize) {
        let side = self.side.div_ceil(stride);
        let weights = kernel * kernel * self.channels * channels;
        let kind = match stride {
            1 => format!("convolution {kernel}×{kernel}, batch norm"),
            _ => format!("convolution {kernel}×{kernel} stride {stride}, batch norm"),
        };
        let output = vec![side, side, channels];
        let values = [weights + 2 * channels, 2 * channels];
        self.add(name, &kind, output, values, (weights * side * side) as u64);
        (self.side, self.channels) = (side, channels);
    }

    fn dense(&mut self, name: &str, inputs: usize, outputs: usize) {
        let weights = inputs * outputs;
        let values = [weights + outputs, 0];
        self.add(name, "dense", vec![outputs], values, weights as u64);
    }

    fn head(&mut self, head: &HeadSpec, inputs: usize) {
        self.dense(&format!("heads.{}", head.name), inputs, head.emotions.len());
    }

    fn add(&mut self, name: &str, kind: &str, output: Vec<usize>, values: [usize; 2], macs: u64) {
        self.done.push(Layer {
            name: name.to_owned(),
            kind: kind.to_owned(),
            output,
            trainable: values[0],
            fixed: values[1],
            macs,
        });
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Result;

    use super::*;
    use crate::network::is_trainable;
    use crate::{Recipe, weights};

    fn spec(squeeze_excitation: Option<usize>) -> NetworkSpec {
        let blocks = [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (192, 2)];
        let mut spec = NetworkSpec::residual(32, &blocks, 0.3);
        let TrunkSpec::Residual(trunk) = &mut spec.trunk else {
            panic!("a residual network")
        };
        trunk.squeeze_excitation = squeeze_excitation;
        spec
    }

    fn case_study() -> NetworkSpec {
        let text = include_str!("../../../config/recipes/case-study.toml");
        Recipe::parse(text, &[]).unwrap().network
    }

    #[test]
    fn the_case_study_network_has_308_356_parameters() {
        let layers = layers(&case_study());
        let sum: usize = layers.iter().map(|layer| layer.trainable).sum();
        assert_eq!(sum, 308_356);
        let shapes = layers.iter().filter(|layer| layer.kind == "max-pool 2×2");
        let sides: Vec<usize> = shapes.map(|layer| layer.output[0]).collect();
        assert_eq!(sides, [23, 10, 4, 1]);
        let dropouts = layers.iter().map(|layer| layer.kind.as_str());
        let dropouts: Vec<&str> = dropouts
            .filter(|kind| kind.starts_with("dropout"))
            .collect();
        assert_eq!(dropouts, ["dropout 0.25", "dropout 0.25", "dropout 0.4"]);
    }

    #[test]
    fn counts_equal_those_of_the_built_network() -> Result<()> {
        for spec in [spec(None), spec(Some(8)), case_study()] {
            let (map, _) = weights::build_network(&spec)?;
            let count = |trainable: bool| {
                let variables = weights::sorted_variables(&map).into_iter();
                let counted = variables.filter(|(name, _)| is_trainable(name) == trainable);
                counted.map(|(_, v)| v.elem_count()).sum::<usize>()
            };
            let layers = layers(&spec);
            let sum = |part: fn(&Layer) -> usize| layers.iter().map(part).sum::<usize>();
            assert_eq!(sum(|layer| layer.trainable), count(true));
            assert_eq!(sum(|layer| layer.fixed), count(false));
        }
        Ok(())
    }

    #[test]
    fn a_residual_network_has_53_7_million_multiplications() {
        let layers = layers(&spec(None));
        let macs: u64 = layers.iter().map(|layer| layer.macs).sum();
        assert_eq!(macs / 100_000, 537, "{macs}");
        assert_eq!(layers[0].output, [24, 24, 32]);
    }
}
