//! Inference: batch norms are folded into the convolutions, and buffers are reused between faces.

mod human;
mod residual;
mod sequential;

use std::cell::RefCell;
use std::ops::Deref;

use fer_nn::conv::{Add, Convolution, Epilogue, Geometry, Panels};
#[cfg(unix)]
use fer_nn::shared;
use fer_nn::shared::Parts;
use rayon::prelude::*;

use super::weights::WeightError;
use super::{EPSILON, HeadInput, HeadSpec, NetworkSpec, TrunkSpec, Weights};
use crate::classify::FACE_SIDE;
use human::HumanHead;
use residual::FoldedResidual;
use sequential::FoldedSequential;

/// Faces that a thread infers at a time in [`FoldedNetwork::infer_all`].
const BATCH: usize = 16;

/// Number of values of a face.
const FACE_VALUES: usize = FACE_SIDE * FACE_SIDE;

/// A network for inference.
#[derive(Debug)]
pub struct FoldedNetwork {
    trunk: FoldedTrunk,
    heads: Vec<(HeadInput, FoldedDense)>,
    human: Option<HumanHead>,
    /// Number of features.
    features: usize,
}

#[derive(Debug)]
enum FoldedTrunk {
    Residual(Box<FoldedResidual>),
    Sequential(FoldedSequential),
}

/// The buffers of an inference; each thread needs its own.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Input of the current layer or block.
    input: Vec<f32>,
    /// Output of the block's first convolution.
    inner: Vec<f32>,
    /// Output of the current layer or block.
    output: Vec<f32>,
    /// The block's input after its projection.
    shortcut: Vec<f32>,
    /// The mean over the pixels of the output of each block except the last, `[n, channels]`; only for a residual
    /// trunk.
    levels: Vec<Vec<f32>>,
    features: Vec<f32>,
    gate: Vec<f32>,
    logits: Vec<Vec<f32>>,
}

impl Workspace {
    /// The features of the faces that were inferred last, `[n, features]`.
    pub fn features(&self) -> &[f32] {
        &self.features
    }
}

impl FoldedNetwork {
    /// Folds the weights of a network and chooses the fastest algorithms for `batch` faces at a time.
    ///
    /// # Errors
    /// If a weight is missing or of another shape, or the architecture is impossible.
    pub fn new(spec: &NetworkSpec, weights: &Weights, batch: usize) -> Result<Self, WeightError> {
        Self::with_shared(spec, weights, batch, None)
    }

    /// The same with the packed kernels that another process has written, as far as they are equal to its own.
    ///
    /// # Errors
    /// Those of [`FoldedNetwork::new`].
    pub fn with_shared(
        spec: &NetworkSpec,
        weights: &Weights,
        batch: usize,
        shared: Option<Parts>,
    ) -> Result<Self, WeightError> {
        let weights = &Source {
            weights,
            shared: RefCell::new(shared),
        };
        if spec.heads.is_empty() {
            return Err(WeightError::Architecture(
                "its architecture has no head; a network needs at least one".into(),
            ));
        }
        let (trunk, features, all) = match &spec.trunk {
            TrunkSpec::Residual(spec) => {
                let trunk = FoldedResidual::new(spec, weights, batch)?;
                let (features, all) = (trunk.features(), spec.channels());
                (FoldedTrunk::Residual(Box::new(trunk)), features, all)
            }
            TrunkSpec::Sequential(spec) => {
                let (trunk, features) = FoldedSequential::new(spec, weights, batch)?;
                (FoldedTrunk::Sequential(trunk), features, features)
            }
        };
        let head = |head: &HeadSpec| {
            let name = format!("heads.{}", head.name);
            let inputs = match head.input {
                HeadInput::Features => features,
                HeadInput::Blocks => all,
            };
            let dense = FoldedDense::new(weights, &name, inputs, head.emotions.len())?;
            Ok((head.input, dense))
        };
        Ok(Self {
            trunk,
            heads: spec.heads.iter().map(head).collect::<Result<_, _>>()?,
            human: HumanHead::new(weights, all)?,
            features,
        })
    }

    /// Writes the packed kernels, which are most of a network's memory, for other processes with the same network
    /// ([`FoldedNetwork::with_shared`]).
    ///
    /// # Errors
    /// Those of [`shared::write()`].
    #[cfg(unix)]
    pub fn write_shared(&self) -> std::io::Result<std::os::fd::OwnedFd> {
        let kernels: Vec<&[f32]> = match &self.trunk {
            FoldedTrunk::Residual(trunk) => values(trunk.convolutions()),
            FoldedTrunk::Sequential(trunk) => values(trunk.convolutions()),
        };
        shared::write(&kernels)
    }

    /// The logits of many faces, as of [`FoldedNetwork::infer`], computed on all of rayon's threads.
    ///
    /// # Panics
    /// If the length of `faces` is not a whole number of faces.
    pub fn infer_all(&self, faces: &[f32]) -> Vec<Vec<f32>> {
        let batches: Vec<Vec<Vec<f32>>> = faces
            .par_chunks(BATCH * FACE_VALUES)
            .map_init(Workspace::default, |workspace, faces| {
                self.infer(workspace, faces).to_vec()
            })
            .collect();
        let mut logits = vec![Vec::new(); self.heads.len()];
        for batch in batches {
            for (all, some) in logits.iter_mut().zip(batch) {
                all.extend(some);
            }
        }
        logits
    }

    /// The features of scaled faces, `[n, 48, 48]`, from which the heads compute their logits: `[n, features]`.
    ///
    /// # Panics
    /// If the length of `faces` is not a whole number of faces.
    pub fn features<'w>(&self, workspace: &'w mut Workspace, faces: &[f32]) -> &'w [f32] {
        assert!(faces.len().is_multiple_of(FACE_VALUES));
        match &self.trunk {
            FoldedTrunk::Residual(trunk) => trunk.forward(workspace, faces),
            FoldedTrunk::Sequential(trunk) => trunk.forward(workspace, faces),
        }
        &workspace.features
    }

    /// The logits of scaled faces, `[n, 48, 48]`: for each head `[n, emotions]`.
    ///
    /// # Panics
    /// If the length of `faces` is not a whole number of faces.
    pub fn infer<'w>(&self, workspace: &'w mut Workspace, faces: &[f32]) -> &'w [Vec<f32>] {
        self.features(workspace, faces);
        let reads_blocks = |(input, _): &(HeadInput, FoldedDense)| *input == HeadInput::Blocks;
        let blocks = if self.heads.iter().any(reads_blocks) {
            self.blocks(workspace)
        } else {
            Vec::new()
        };
        let Workspace {
            features, logits, ..
        } = workspace;
        logits.resize_with(self.heads.len(), Vec::new);
        for ((input, head), logits) in self.heads.iter().zip(&mut *logits) {
            let read = match input {
                HeadInput::Features => &*features,
                HeadInput::Blocks => &blocks,
            };
            head.forward(read, logits);
        }
        logits
    }

    /// The human score of each of the faces whose features were computed last, 0 to 1; each was followed by its mirror
    /// image. `None` if the network has no head for that.
    pub fn human(&self, workspace: &Workspace) -> Option<Vec<f32>> {
        let human = self.human.as_ref()?;
        Some(human.scores(&self.levels(workspace)))
    }

    /// The input of the head for the human score, for the same faces: the outputs of all blocks of the trunk, averaged
    /// over a face and its mirror image.
    pub fn levels(&self, workspace: &Workspace) -> Vec<f32> {
        let blocks = self.blocks(workspace);
        let faces = (workspace.features.len() / (2 * self.features)).max(1);
        let mean = |pair: &[f32]| -> Vec<f32> {
            let (one, other) = pair.split_at(pair.len() / 2);
            let both = one.iter().zip(other);
            both.map(|(a, b)| f32::midpoint(*a, *b)).collect()
        };
        let pairs = blocks.chunks_exact((blocks.len() / faces).max(1));
        pairs.flat_map(mean).collect()
    }

    /// The outputs of all blocks of the trunk for each of the images whose features were computed last, averaged over
    /// the pixels, the last block's at the end.
    fn blocks(&self, workspace: &Workspace) -> Vec<f32> {
        let Workspace {
            levels, features, ..
        } = workspace;
        let images = features.len() / self.features;
        let levels = || levels.iter().chain([features]);
        let mut all = Vec::with_capacity(levels().map(Vec::len).sum());
        for image in 0..images {
            for level in levels() {
                let channels = level.len() / images;
                all.extend(&level[image * channels..][..channels]);
            }
        }
        all
    }
}

/// The packed kernels of convolutions.
#[cfg(unix)]
fn values<'a>(convolutions: impl Iterator<Item = &'a FoldedConv>) -> Vec<&'a [f32]> {
    convolutions.map(|conv| conv.panels.values()).collect()
}

/// What a network is made of.
struct Source<'a> {
    weights: &'a Weights,
    /// The packed kernels of another process, in the order in which they are read.
    shared: RefCell<Option<Parts>>,
}

impl Deref for Source<'_> {
    type Target = Weights;

    fn deref(&self) -> &Weights {
        self.weights
    }
}

impl Source<'_> {
    /// Shares a kernel with the other process. After the first that differs, no other is shared.
    fn share(&self, kernel: &mut Panels) {
        let mut shared = self.shared.borrow_mut();
        if let Some(parts) = &mut *shared
            && !kernel.share(parts)
        {
            *shared = None;
        }
    }
}

/// A convolution with a bias. A batch norm that follows it is folded into kernel and bias.
#[derive(Debug)]
struct FoldedConv {
    conv: Convolution,
    panels: Panels,
    bias: Vec<f32>,
}

/// The sizes of a convolution with a square input.
#[derive(Debug, Clone, Copy)]
struct ConvShape {
    /// Side of the input in pixels.
    side: usize,
    /// Input channels.
    input: usize,
    /// Output channels.
    output: usize,
    /// Side of the kernel in pixels.
    kernel: usize,
    /// Stride, the same in both directions.
    stride: usize,
    /// Pixels of zero padding on each side.
    padding: usize,
}

impl FoldedConv {
    /// Reads `CONV.weight[k, k, in, out]` and the batch norm
    /// `NORM.{weight, bias, running_mean, running_var}[out]`, and folds the batch norm into kernel
    /// and bias.
    fn with_norm(
        weights: &Source<'_>,
        [conv, norm]: [&str; 2],
        shape: ConvShape,
        batch: usize,
    ) -> Result<Self, WeightError> {
        let vector = |name: &str| weights.values(&format!("{norm}.{name}"), &[shape.output]);
        let (gamma, beta) = (vector("weight")?, vector("bias")?);
        let (mean, variance) = (vector("running_mean")?, vector("running_var")?);
        let scale: Vec<f32> = gamma
            .iter()
            .zip(variance)
            .map(|(gamma, variance)| gamma / (variance + EPSILON).sqrt())
            .collect();
        let bias = beta
            .iter()
            .zip(mean.iter().zip(&scale))
            .map(|(beta, (mean, scale))| beta - mean * scale)
            .collect();
        let kernel: Vec<f32> = kernel(weights, conv, shape)?
            .chunks_exact(shape.output)
            .flat_map(|row| row.iter().zip(&scale).map(|(k, scale)| k * scale))
            .collect();
        Ok(Self::new(weights, &kernel, bias, shape, batch))
    }

    /// Reads `NAME.weight[k, k, in, out]` and `NAME.bias[out]`.
    fn with_bias(
        weights: &Source<'_>,
        name: &str,
        shape: ConvShape,
        batch: usize,
    ) -> Result<Self, WeightError> {
        let bias = weights.values(&format!("{name}.bias"), &[shape.output])?;
        let kernel = kernel(weights, name, shape)?;
        Ok(Self::new(weights, kernel, bias.to_vec(), shape, batch))
    }

    fn new(
        source: &Source<'_>,
        kernel: &[f32],
        bias: Vec<f32>,
        shape: ConvShape,
        batch: usize,
    ) -> Self {
        let geometry = Geometry {
            height: shape.side,
            width: shape.side,
            channels_in: shape.input,
            channels_out: shape.output,
            kernel: shape.kernel,
            stride: shape.stride,
            padding: shape.padding,
        };
        let conv = Convolution::new(geometry, batch.max(1));
        let mut panels = Panels::default();
        conv.pack(kernel, &mut panels);
        source.share(&mut panels);
        Self { conv, panels, bias }
    }

    /// Side of the output in pixels.
    const fn side(&self) -> usize {
        self.conv.geometry().out_height()
    }

    fn forward(&self, x: &[f32], y: &mut Vec<f32>, add: Add<'_>, relu: bool) {
        let (g, group) = (self.conv.geometry(), self.conv.group());
        y.resize(x.len() / g.image_in() * g.image_out(), 0.0);
        let groups = x
            .chunks(group * g.image_in())
            .zip(y.chunks_mut(group * g.image_out()));
        for (i, (x, y)) in groups.enumerate() {
            let add = match add {
                Add::Images(images) => Add::Images(&images[i * group * g.image_out()..][..y.len()]),
                other => other,
            };
            let epilogue = Epilogue {
                bias: Some(&self.bias),
                add,
                relu,
            };
            self.conv.forward(&self.panels, x, y, epilogue);
        }
    }
}

/// A fully connected layer.
#[derive(Debug)]
struct FoldedDense {
    /// `[output, input]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl FoldedDense {
    /// Reads `NAME.weight[output, input]` and `NAME.bias[output]`.
    fn new(
        weights: &Weights,
        name: &str,
        input: usize,
        output: usize,
    ) -> Result<Self, WeightError> {
        let weight = weights.values(&format!("{name}.weight"), &[output, input])?;
        let bias = weights.values(&format!("{name}.bias"), &[output])?;
        Ok(Self {
            weight: weight.to_vec(),
            bias: bias.to_vec(),
        })
    }

    /// Number of its inputs.
    const fn inputs(&self) -> usize {
        self.weight.len() / self.bias.len()
    }

    fn forward(&self, x: &[f32], y: &mut Vec<f32>) {
        let inputs = self.inputs();
        y.clear();
        for x in x.chunks_exact(inputs) {
            let rows = self.weight.chunks_exact(inputs).zip(&self.bias);
            y.extend(rows.map(|(w, bias)| {
                let products = w.iter().zip(x).map(|(w, x)| w * x);
                bias + products.sum::<f32>()
            }));
        }
    }
}

/// Reads the kernel `NAME.weight[k, k, in, out]`.
fn kernel<'w>(
    weights: &'w Weights,
    name: &str,
    shape: ConvShape,
) -> Result<&'w [f32], WeightError> {
    let ConvShape {
        input,
        output,
        kernel,
        ..
    } = shape;
    weights.values(&format!("{name}.weight"), &[kernel, kernel, input, output])
}
