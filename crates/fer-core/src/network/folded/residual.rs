//! Inference of a residual trunk.

use fer_nn::conv::Add;
use fer_nn::pool;

use super::{ConvShape, FACE_VALUES, FoldedConv, FoldedDense, Source, Workspace};
use crate::classify::FACE_SIDE;
use crate::network::weights::WeightError;
use crate::network::{BlockSpec, ResidualSpec, squeezed};

/// A residual trunk: stem, residual blocks and global average.
#[derive(Debug)]
pub struct FoldedResidual {
    stem: FoldedConv,
    blocks: Vec<FoldedBlock>,
}

impl FoldedResidual {
    /// Reads the weights under `stem` and `blocks`.
    pub fn new(
        spec: &ResidualSpec,
        weights: &Source<'_>,
        batch: usize,
    ) -> Result<Self, WeightError> {
        if spec.blocks.is_empty() {
            let problem = "its architecture has no block; a residual network needs at least one";
            return Err(WeightError::Architecture(problem.into()));
        }
        let shape = ConvShape {
            side: FACE_SIDE,
            input: 1,
            output: spec.stem,
            kernel: 3,
            stride: spec.stem_stride,
            padding: 1,
        };
        let stem = FoldedConv::with_norm(weights, ["stem.conv", "stem.bn"], shape, batch)?;
        let (mut side, mut width) = (stem.side(), spec.stem);
        let mut blocks = Vec::with_capacity(spec.blocks.len());
        for (index, &block) in spec.blocks.iter().enumerate() {
            let source = BlockWeights {
                weights,
                name: format!("blocks.{index}"),
                batch,
            };
            let reduction = spec.squeeze_excitation;
            let block = FoldedBlock::new(&source, [side, width], block, reduction)?;
            side = block.second.side();
            width = block.second.conv.geometry().channels_out;
            blocks.push(block);
        }
        Ok(Self { stem, blocks })
    }

    /// Number of features.
    pub fn features(&self) -> usize {
        let last = self.blocks.last().map_or(&self.stem, |block| &block.second);
        last.conv.geometry().channels_out
    }

    /// Its convolutions, in the order in which they are read.
    pub fn convolutions(&self) -> impl Iterator<Item = &FoldedConv> {
        let blocks = self.blocks.iter().flat_map(|block| {
            let both = [&block.first, &block.second];
            both.into_iter().chain(&block.projection)
        });
        [&self.stem].into_iter().chain(blocks)
    }

    /// Computes the features of faces and writes them to the workspace, with the means of all blocks before the last.
    pub fn forward(&self, workspace: &mut Workspace, faces: &[f32]) {
        let Workspace {
            input,
            inner,
            output,
            shortcut,
            features,
            gate,
            levels,
            ..
        } = workspace;
        self.stem.forward(faces, input, Add::Nothing, true);
        levels.resize_with(self.blocks.len() - 1, Vec::new);
        for (block, level) in self.blocks.iter().zip(levels.iter_mut().chain([features])) {
            block.forward(input, [inner, output, shortcut], gate);
            std::mem::swap(input, output);
            let geometry = block.second.conv.geometry();
            let channels = geometry.channels_out;
            level.resize(faces.len() / FACE_VALUES * channels, 0.0);
            pool::average(input, geometry.pixels_out(), channels, level);
        }
    }
}

/// Reads the weights of a block from those of the network.
struct BlockWeights<'w> {
    weights: &'w Source<'w>,
    /// The prefix of their names.
    name: String,
    /// Number of faces inferred at a time.
    batch: usize,
}

impl BlockWeights<'_> {
    /// A convolution with its batch norm, by their names in the block.
    fn conv(&self, names: [&str; 2], shape: ConvShape) -> Result<FoldedConv, WeightError> {
        let [conv, norm] = names.map(|name| format!("{}.{name}", self.name));
        FoldedConv::with_norm(self.weights, [&conv, &norm], shape, self.batch)
    }

    /// The two layers of a squeeze-and-excitation of `channels` channels.
    fn gate(&self, channels: usize, reduction: usize) -> Result<[FoldedDense; 2], WeightError> {
        let inner = squeezed(channels, reduction);
        let dense = |part: &str, input, output| {
            let name = format!("{}.se.{part}", self.name);
            FoldedDense::new(self.weights, &name, input, output)
        };
        Ok([
            dense("squeeze", channels, inner)?,
            dense("excite", inner, channels)?,
        ])
    }
}

/// A basic residual block, with squeeze-and-excitation if `gate` is set.
#[derive(Debug)]
struct FoldedBlock {
    first: FoldedConv,
    second: FoldedConv,
    projection: Option<FoldedConv>,
    gate: Option<[FoldedDense; 2]>,
}

impl FoldedBlock {
    fn new(
        source: &BlockWeights<'_>,
        [side, input]: [usize; 2],
        BlockSpec { width, stride }: BlockSpec,
        reduction: Option<usize>,
    ) -> Result<Self, WeightError> {
        let shape = ConvShape {
            side,
            input,
            output: width,
            kernel: 3,
            stride,
            padding: 1,
        };
        let first = source.conv(["conv1", "bn1"], shape)?;
        let second = ConvShape {
            side: first.side(),
            input: width,
            stride: 1,
            ..shape
        };
        let projection = ConvShape {
            kernel: 1,
            padding: 0,
            ..shape
        };
        let project = input != width || stride != 1;
        Ok(Self {
            second: source.conv(["conv2", "bn2"], second)?,
            projection: project
                .then(|| source.conv(["projection.conv", "projection.bn"], projection))
                .transpose()?,
            gate: reduction
                .map(|reduction| source.gate(width, reduction))
                .transpose()?,
            first,
        })
    }

    /// Computes the block's output for `x` into the second of the buffers.
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

/// Squeeze-and-excitation: scales each channel of `y[n, pixels, channels]` by its gate, adds the
/// shortcut and rectifies.
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
