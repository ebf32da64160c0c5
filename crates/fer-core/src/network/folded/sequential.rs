//! Inference of a sequential trunk.

use fer_nn::conv::Add;
use fer_nn::pool::MaxPool;

use super::{ConvShape, FACE_VALUES, FoldedConv, FoldedDense, Source, Workspace};
use crate::classify::FACE_SIDE;
use crate::network::weights::WeightError;
use crate::network::{LayerSpec, SequentialSpec};

/// A sequential trunk: the layers that have an effect in inference.
#[derive(Debug)]
pub struct FoldedSequential {
    layers: Vec<FoldedLayer>,
}

#[derive(Debug)]
enum FoldedLayer {
    Convolution { conv: Box<FoldedConv>, relu: bool },
    Relu,
    MaxPool(MaxPool),
    Dense(FoldedDense),
}

impl FoldedSequential {
    /// Reads the weights under `layers.N`; returns the trunk and its number of features.
    pub fn new(
        spec: &SequentialSpec,
        weights: &Source<'_>,
        batch: usize,
    ) -> Result<(Self, usize), WeightError> {
        let shapes = spec.shapes(FACE_SIDE).map_err(WeightError::Architecture)?;
        let Some(&[features]) = shapes.last().map(Vec::as_slice) else {
            let problem = "its last layer must give a vector; end with `flatten` or `dense`";
            return Err(WeightError::Architecture(problem.into()));
        };
        let mut input = vec![FACE_SIDE, FACE_SIDE, 1];
        let mut layers = Vec::with_capacity(spec.layers.len());
        for (index, (layer, output)) in spec.layers.iter().zip(shapes).enumerate() {
            let name = format!("layers.{index}");
            let channels = input.last().copied().unwrap_or(1);
            match *layer {
                LayerSpec::Dropout { .. } | LayerSpec::Flatten => {}
                LayerSpec::Relu => match layers.last_mut() {
                    Some(FoldedLayer::Convolution { relu, .. }) => *relu = true,
                    _ => layers.push(FoldedLayer::Relu),
                },
                LayerSpec::Dense { values } => {
                    let dense = FoldedDense::new(weights, &name, channels, values)?;
                    layers.push(FoldedLayer::Dense(dense));
                }
                LayerSpec::MaxPool => layers.push(FoldedLayer::MaxPool(MaxPool {
                    height: input[0],
                    width: input[1],
                    channels,
                })),
                LayerSpec::Convolution {
                    channels: output,
                    kernel,
                    padding,
                } => {
                    let shape = ConvShape {
                        side: input[0],
                        input: channels,
                        output,
                        kernel,
                        stride: 1,
                        padding: padding.zeros(kernel),
                    };
                    layers.push(FoldedLayer::Convolution {
                        conv: Box::new(FoldedConv::with_bias(weights, &name, shape, batch)?),
                        relu: false,
                    });
                }
            }
            input = output;
        }
        Ok((Self { layers }, features))
    }

    /// Its convolutions, in the order in which they are read.
    pub fn convolutions(&self) -> impl Iterator<Item = &FoldedConv> {
        self.layers.iter().filter_map(|layer| match layer {
            FoldedLayer::Convolution { conv, .. } => Some(&**conv),
            _ => None,
        })
    }

    /// Computes the features of faces and writes them to the workspace.
    pub fn forward(&self, workspace: &mut Workspace, faces: &[f32]) {
        let n = faces.len() / FACE_VALUES;
        let Workspace {
            input,
            output,
            features,
            levels,
            ..
        } = workspace;
        levels.clear();
        input.clear();
        input.extend_from_slice(faces);
        for layer in &self.layers {
            match layer {
                FoldedLayer::Convolution { conv, relu } => {
                    conv.forward(input, output, Add::Nothing, *relu);
                }
                FoldedLayer::Relu => {
                    for value in &mut *input {
                        *value = value.max(0.0);
                    }
                    continue;
                }
                FoldedLayer::MaxPool(pool) => {
                    output.resize(n * pool.image_out(), 0.0);
                    pool.forward(input, output);
                }
                FoldedLayer::Dense(dense) => dense.forward(input, output),
            }
            std::mem::swap(input, output);
        }
        std::mem::swap(input, features);
    }
}
