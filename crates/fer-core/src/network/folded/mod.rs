//! Inference: batch norm folded into the convolutions, nothing allocated per face.

mod residual;
mod sequential;

use fer_nn::conv::{Add, Convolution, Epilogue, Geometry, Panels};
use rayon::prelude::*;

use super::weights::WeightError;
use super::{EPSILON, HeadSpec, NetworkSpec, TrunkSpec, Weights};
use crate::classify::FACE_SIDE;
use residual::FoldedResidual;
use sequential::FoldedSequential;

/// Faces that a thread infers at a time, where there are many.
const BATCH: usize = 16;

/// Values of a face.
const FACE: usize = FACE_SIDE * FACE_SIDE;

/// A network ready to infer.
#[derive(Debug)]
pub struct FoldedNetwork {
    body: FoldedBody,
    heads: Vec<FoldedDense>,
}

#[derive(Debug)]
enum FoldedBody {
    Residual(Box<FoldedResidual>),
    Sequential(FoldedSequential),
}

/// The buffers of an inference; one per thread.
#[derive(Debug, Default)]
pub struct Workspace {
    /// A layer's or block's input.
    input: Vec<f32>,
    /// What lies between a block's convolutions.
    inner: Vec<f32>,
    /// The output.
    output: Vec<f32>,
    /// Its projected input.
    shortcut: Vec<f32>,
    features: Vec<f32>,
    gate: Vec<f32>,
    logits: Vec<Vec<f32>>,
}

impl FoldedNetwork {
    /// Folds the weights of a network, choosing the algorithms for `batch` faces at a time.
    ///
    /// # Errors
    /// If a weight is missing or of another shape, or the architecture is not possible.
    pub fn new(spec: &NetworkSpec, weights: &Weights, batch: usize) -> Result<Self, WeightError> {
        if spec.heads.is_empty() {
            return Err(WeightError::Architecture("a network needs a head".into()));
        }
        let (body, features) = match &spec.trunk {
            TrunkSpec::Residual(spec) => {
                let body = FoldedResidual::new(spec, weights, batch)?;
                let features = body.features();
                (FoldedBody::Residual(Box::new(body)), features)
            }
            TrunkSpec::Sequential(spec) => {
                let (body, features) = FoldedSequential::new(spec, weights, batch)?;
                (FoldedBody::Sequential(body), features)
            }
        };
        let head = |head: &HeadSpec| {
            let name = format!("heads.{}", head.name);
            FoldedDense::new(weights, &name, features, head.emotions.len())
        };
        Ok(Self {
            body,
            heads: spec.heads.iter().map(head).collect::<Result<_, _>>()?,
        })
    }

    /// The logits of many faces as [`FoldedNetwork::infer`] gives them, on all of rayon's threads.
    ///
    /// # Panics
    /// If `faces` is not a whole number of faces.
    pub fn infer_all(&self, faces: &[f32]) -> Vec<Vec<f32>> {
        let batches: Vec<Vec<Vec<f32>>> = faces
            .par_chunks(BATCH * FACE)
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

    /// Logits of standardised faces, `[n, 48, 48]`: for each head `[n, emotions]`.
    ///
    /// # Panics
    /// If `faces` is not a whole number of faces.
    pub fn infer<'w>(&self, workspace: &'w mut Workspace, faces: &[f32]) -> &'w [Vec<f32>] {
        assert!(faces.len().is_multiple_of(FACE));
        match &self.body {
            FoldedBody::Residual(body) => body.forward(workspace, faces),
            FoldedBody::Sequential(body) => body.forward(workspace, faces),
        }
        let Workspace {
            features, logits, ..
        } = workspace;
        logits.resize_with(self.heads.len(), Vec::new);
        for (head, logits) in self.heads.iter().zip(&mut *logits) {
            head.forward(features, logits);
        }
        logits
    }
}

/// A convolution with a bias, which batch norm may be folded into.
#[derive(Debug)]
struct FoldedConv {
    conv: Convolution,
    panels: Panels,
    bias: Vec<f32>,
}

/// Where a convolution finds its weights, and their shape.
#[derive(Debug, Clone, Copy)]
struct ConvShape {
    /// Side of the input.
    side: usize,
    /// Input channels.
    input: usize,
    /// Output channels.
    output: usize,
    /// Side of the kernel.
    kernel: usize,
    /// Step, both ways.
    stride: usize,
    /// Zeros around the input.
    padding: usize,
}

impl FoldedConv {
    /// Takes `CONV.weight[k, k, in, out]` and the batch normalisation `NORM.{weight, bias,
    /// running_mean, running_var}[out]`, which becomes part of kernel and bias.
    fn with_norm(
        weights: &Weights,
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
        Ok(Self::new(&kernel, bias, shape, batch))
    }

    /// Takes `NAME.weight[k, k, in, out]` and `NAME.bias[out]`.
    fn with_bias(
        weights: &Weights,
        name: &str,
        shape: ConvShape,
        batch: usize,
    ) -> Result<Self, WeightError> {
        let bias = weights.values(&format!("{name}.bias"), &[shape.output])?;
        let kernel = kernel(weights, name, shape)?;
        Ok(Self::new(kernel, bias.to_vec(), shape, batch))
    }

    fn new(kernel: &[f32], bias: Vec<f32>, shape: ConvShape, batch: usize) -> Self {
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
        Self { conv, panels, bias }
    }

    /// Side of the output.
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
    /// Takes `NAME.weight[output, input]` and `NAME.bias[output]`.
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

    fn forward(&self, x: &[f32], y: &mut Vec<f32>) {
        let inputs = self.weight.len() / self.bias.len();
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
