//! Inference: batch norm folded into the convolutions, nothing allocated per face.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::layer::{ConvNorm, Dense, SqueezeExcitation};
use super::{Block, Network};
use crate::classify::FACE_SIDE;
use crate::nn::conv::{Add, Convolution, Epilogue, Geometry, Panels};
use crate::nn::pool;

/// Faces that a thread infers at a time, where there are many.
const BATCH: usize = 16;

/// Values of a face.
const FACE: usize = FACE_SIDE * FACE_SIDE;

/// A network ready to infer.
#[derive(Debug)]
pub struct FoldedNetwork {
    stem: FoldedConv,
    blocks: Vec<FoldedBlock>,
    heads: Vec<FoldedDense>,
}

/// The buffers of an inference; one per thread.
#[derive(Debug, Default)]
pub struct Workspace {
    /// A block's input.
    input: Vec<f32>,
    /// What lies between its convolutions.
    inner: Vec<f32>,
    /// Its output.
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
        let stem = FoldedConv::new(&network.stem, FACE_SIDE, batch)?;
        let mut side = stem.conv.geometry().out_height();
        let mut blocks = Vec::with_capacity(network.blocks.len());
        for block in &network.blocks {
            let block = FoldedBlock::new(block, side, batch)?;
            side = block.second.conv.geometry().out_height();
            blocks.push(block);
        }
        Ok(Self {
            stem,
            blocks,
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
        let Workspace {
            input,
            inner,
            output,
            shortcut,
            features,
            gate,
            logits,
        } = workspace;
        self.stem.forward(faces, input, Add::Nothing, true);
        let mut geometry = self.stem.conv.geometry();
        for block in &self.blocks {
            block.forward(input, [inner, output, shortcut], gate);
            std::mem::swap(input, output);
            geometry = block.second.conv.geometry();
        }
        let channels = geometry.channels_out;
        features.resize(faces.len() / FACE * channels, 0.0);
        pool::average(input, geometry.pixels_out(), channels, features);
        logits.resize_with(self.heads.len(), Vec::new);
        for (head, logits) in self.heads.iter().zip(&mut *logits) {
            head.forward(features, logits);
        }
        logits
    }
}

/// A convolution that batch norm is folded into.
#[derive(Debug)]
struct FoldedConv {
    conv: Convolution,
    panels: Panels,
    bias: Vec<f32>,
}

impl FoldedConv {
    fn new(layer: &ConvNorm, side: usize, batch: usize) -> Result<Self> {
        let [kernel, bias] = layer.folded()?;
        let (size, _, channels_in, channels_out) = kernel.dims4()?;
        let geometry = Geometry {
            height: side,
            width: side,
            channels_in,
            channels_out,
            kernel: size,
            stride: layer.stride(),
            padding: size / 2,
        };
        let conv = Convolution::new(geometry, batch.max(1));
        let mut panels = Panels::default();
        conv.pack(&values(&kernel)?, &mut panels);
        Ok(Self {
            conv,
            panels,
            bias: values(&bias)?,
        })
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

/// A basic residual block.
#[derive(Debug)]
struct FoldedBlock {
    first: FoldedConv,
    second: FoldedConv,
    projection: Option<FoldedConv>,
    gate: Option<[FoldedDense; 2]>,
}

impl FoldedBlock {
    fn new(block: &Block, side: usize, batch: usize) -> Result<Self> {
        let first = FoldedConv::new(&block.first, side, batch)?;
        let inner = first.conv.geometry().out_height();
        let projection = block.projection.as_ref();
        let gate = |se: &SqueezeExcitation| -> Result<_> {
            let [squeeze, excite] = se.layers().map(FoldedDense::new);
            Ok([squeeze?, excite?])
        };
        Ok(Self {
            first,
            second: FoldedConv::new(&block.second, inner, batch)?,
            projection: projection
                .map(|layer| FoldedConv::new(layer, side, batch))
                .transpose()?,
            gate: block.squeeze_excitation.as_ref().map(gate).transpose()?,
        })
    }

    fn forward(&self, x: &[f32], buffers: [&mut Vec<f32>; 3], gates: &mut Vec<f32>) {
        let [inner, output, projected] = buffers;
        self.first.forward(x, inner, Add::Nothing, true);
        let shortcut = match &self.projection {
            None => x,
            Some(projection) => {
                projection.forward(x, projected, Add::Nothing, false);
                projected
            }
        };
        match &self.gate {
            None => self
                .second
                .forward(inner, output, Add::Images(shortcut), true),
            Some(gate) => {
                self.second.forward(inner, output, Add::Nothing, false);
                let g = self.second.conv.geometry();
                excite(
                    gate,
                    [g.pixels_out(), g.channels_out],
                    output,
                    shortcut,
                    gates,
                );
            }
        }
    }
}

/// Scales the channels of `y[n, pixels, channels]` by their gates, adds the shortcut and rectifies.
fn excite(
    [squeeze, excite]: &[FoldedDense; 2],
    [pixels, channels]: [usize; 2],
    y: &mut [f32],
    shortcut: &[f32],
    gates: &mut Vec<f32>,
) {
    let mut means = vec![0.0; channels];
    let mut inner = Vec::new();
    let images = y
        .chunks_exact_mut(pixels * channels)
        .zip(shortcut.chunks_exact(pixels * channels));
    for (y, shortcut) in images {
        pool::average(y, pixels, channels, &mut means);
        squeeze.forward(&means, &mut inner);
        for value in &mut inner {
            *value = value.max(0.0);
        }
        excite.forward(&inner, gates);
        for gate in &mut *gates {
            *gate = 1.0 / (1.0 + (-*gate).exp());
        }
        let rows = y
            .chunks_exact_mut(channels)
            .zip(shortcut.chunks_exact(channels));
        for (y, shortcut) in rows {
            for ((y, shortcut), gate) in y.iter_mut().zip(shortcut).zip(&*gates) {
                *y = (*y * gate + shortcut).max(0.0);
            }
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
