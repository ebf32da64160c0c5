//! Inference: batch norm folded into the convolutions, nothing allocated per face.

mod residual;
mod sequential;

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::layer::{ConvNorm, Dense};
use super::{Body, Network};
use crate::classify::FACE_SIDE;
use crate::nn::conv::{Add, Convolution, Epilogue, Geometry, Panels};
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
    /// Folds a network, choosing the algorithms for `batch` faces at a time.
    ///
    /// # Errors
    /// If a weight cannot be read, which candle does not do with its own.
    pub fn new(network: &Network, batch: usize) -> Result<Self> {
        let body = match &network.body {
            Body::Residual(body) => {
                FoldedBody::Residual(Box::new(FoldedResidual::new(body, batch)?))
            }
            Body::Sequential(body) => FoldedBody::Sequential(FoldedSequential::new(body, batch)?),
        };
        Ok(Self {
            body,
            heads: network
                .heads
                .iter()
                .map(FoldedDense::new)
                .collect::<Result<_>>()?,
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

impl FoldedConv {
    fn of_norm(layer: &ConvNorm, side: usize, batch: usize) -> Result<Self> {
        let [kernel, bias] = layer.folded()?;
        let padding = kernel.dims4()?.0 / 2;
        Self::new([&kernel, &bias], side, layer.stride(), padding, batch)
    }

    fn new(
        [kernel, bias]: [&Tensor; 2],
        side: usize,
        stride: usize,
        padding: usize,
        batch: usize,
    ) -> Result<Self> {
        let (size, _, channels_in, channels_out) = kernel.dims4()?;
        let geometry = Geometry {
            height: side,
            width: side,
            channels_in,
            channels_out,
            kernel: size,
            stride,
            padding,
        };
        let conv = Convolution::new(geometry, batch.max(1));
        let mut panels = Panels::default();
        conv.pack(&values(kernel)?, &mut panels);
        Ok(Self {
            conv,
            panels,
            bias: values(bias)?,
        })
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
    fn new(layer: &Dense) -> Result<Self> {
        let [weight, bias] = layer.weights();
        Ok(Self {
            weight: values(weight)?,
            bias: values(bias)?,
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

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}
