//! Runs a chain of layers, row by row.

use super::depthwise::{Depthwise, MaxPool};
use super::dot::Dot;
use super::feature_map::FeatureMap;
use super::integers::IntegerRow;
use super::pairs::{PairDot, Widen};
use super::weights::{Pointwise, STEM_INPUTS, Separable, Stem};
use crate::{AlignedVec, Level};

/// The source of a chain's rows.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A picture, padded with zeros to the right and below to even sides, and convolved by a stem.
    Image {
        /// The first convolution.
        stem: &'a Stem,
        /// RGB, three bytes per pixel, row by row.
        rgb: &'a [u8],
        /// Number of pixels in a row of `rgb`.
        width: usize,
        /// Width and height after padding: multiples of two, not below those of the picture.
        padded: (usize, usize),
    },
    /// A map that an earlier run computed.
    Map(&'a FeatureMap),
}

/// A layer of a chain.
#[derive(Debug, Clone, Copy)]
pub enum Layer<'a> {
    /// A depthwise-separable convolution.
    Separable(&'a Separable),
    /// Maximum over 2×2 pixels with stride 2; both sides of its input must be even.
    MaxPool,
}

/// Line buffers, kept between runs: releasing their memory and faulting it in again would take more than half of the
/// time of a detection.
#[derive(Debug, Default)]
pub struct Workspace {
    stages: Vec<Stage>,
    zeros: AlignedVec<f32>,
}

/// Line buffers of the source or of one layer.
#[derive(Debug, Default)]
struct Stage {
    /// Shape of the layer's output.
    width: usize,
    height: usize,
    channels: usize,
    /// Number of output rows computed so far.
    rows_computed: usize,
    /// Number of rows written to `ring` so far.
    rows_filled: usize,
    /// The last three rows that the filter needs, with a pixel of zeros at either end.
    ring: AlignedVec<f32>,
    /// The rows just pulled from the layer before: one, or two for a pooling.
    input_row: AlignedVec<f32>,
    /// The row just pulled, as integers; for a picture, the last three rows, as in `ring`.
    integers: AlignedVec<i16>,
}

impl Stage {
    /// Sets the shape (width, height, channels) and the buffers' lengths for a new run.
    fn prepare(&mut self, shape: (usize, usize, usize), ring_row: usize, input_row: usize) {
        (self.width, self.height, self.channels) = shape;
        (self.rows_computed, self.rows_filled) = (0, 0);
        self.ring.resize(3 * ring_row);
        if ring_row > 0 {
            for line in self.ring.chunks_exact_mut(ring_row) {
                line[..shape.2].fill(0.0);
                line[ring_row - shape.2..].fill(0.0);
            }
        }
        self.input_row.resize(input_row);
    }
}

/// Runs a chain and writes the rows of its last layer to `out`.
///
/// # Panics
/// If a separable layer's inputs are not the channels of the layer before it, if a pooled or padded side is
/// odd, or if the picture is larger than its padded size.
pub fn run(
    level: Level,
    source: Source<'_>,
    layers: &[Layer<'_>],
    workspace: &mut Workspace,
    out: &mut FeatureMap,
) {
    let Workspace { stages, zeros } = workspace;
    if stages.len() <= layers.len() {
        stages.resize_with(layers.len() + 1, Stage::default);
    }
    let stages = &mut stages[..=layers.len()];
    let mut shape = match source {
        Source::Image {
            stem,
            rgb,
            width,
            padded,
        } => {
            assert!(padded.0 % 2 == 0 && padded.1 % 2 == 0 && padded.0 >= width);
            assert!(rgb.len() <= width * padded.1 * 3);
            let shape = (padded.0 / 2, padded.1 / 2, stem.bias.len());
            stages[0].prepare(shape, 0, 0);
            stages[0].integers.resize(3 * (padded.0 + 2) * 3);
            stages[0].integers.fill(0);
            shape
        }
        Source::Map(map) => {
            let shape = (map.width, map.height, map.channels);
            stages[0].prepare(shape, 0, 0);
            shape
        }
    };
    let mut widest = 0;
    for (layer, stage) in layers.iter().zip(&mut stages[1..]) {
        let (width, height, channels) = shape;
        shape = match layer {
            Layer::Separable(layer) => {
                assert_eq!(layer.inputs, channels);
                let row = (width + 2) * layer.outputs();
                widest = widest.max(row);
                stage.prepare((width, height, layer.outputs()), row, width * channels);
                (width, height, layer.outputs())
            }
            Layer::MaxPool => {
                assert!(width % 2 == 0 && height % 2 == 0);
                let half = (width / 2, height / 2, channels);
                stage.prepare(half, 0, 2 * width * channels);
                half
            }
        };
    }
    if zeros.len() < widest {
        zeros.resize(widest);
    }
    let chain = Chain {
        level,
        source,
        layers,
        zeros,
    };
    out.reshape(shape.0, shape.1, shape.2);
    for row in out.data.chunks_exact_mut(shape.0 * shape.2) {
        chain.next_row(stages, row);
    }
}

/// The inputs of a run.
struct Chain<'a> {
    level: Level,
    source: Source<'a>,
    layers: &'a [Layer<'a>],
    zeros: &'a [f32],
}

impl Chain<'_> {
    /// Computes the next output row of the last of `stages`.
    fn next_row(&self, stages: &mut [Stage], out: &mut [f32]) {
        let (stage, before) = stages.split_last_mut().expect("a chain has a source");
        let Some(layer) = before.len().checked_sub(1).map(|index| &self.layers[index]) else {
            self.source_row(stage, out);
            return;
        };
        match layer {
            Layer::Separable(layer) => self.separable_row(layer, stage, before, out),
            Layer::MaxPool => {
                let (upper, lower) = stage
                    .input_row
                    .split_at_mut(2 * stage.width * stage.channels);
                self.next_row(before, upper);
                self.next_row(before, lower);
                self.level.run(MaxPool {
                    upper,
                    lower,
                    channels: stage.channels,
                    out,
                });
            }
        }
        stage.rows_computed += 1;
    }

    /// Computes the next row of a separable layer: fills the ring up to the row below, then filters.
    fn separable_row(
        &self,
        layer: &Separable,
        stage: &mut Stage,
        before: &mut [Stage],
        out: &mut [f32],
    ) {
        let channels = stage.channels;
        let row_len = (stage.width + 2) * channels;
        let y = stage.rows_computed;
        while stage.rows_filled < (y + 2).min(stage.height) {
            self.next_row(before, &mut stage.input_row);
            let line = &mut stage.ring[stage.rows_filled % 3 * row_len..][..row_len];
            let out = &mut line[channels..row_len - channels];
            if let Pointwise::Floats(weights) = &layer.pointwise {
                self.level.run(Dot {
                    values: &stage.input_row,
                    inputs: layer.inputs,
                    weights,
                    bias: &layer.pointwise_bias,
                    width: stage.width,
                    out,
                });
            } else {
                let row = IntegerRow {
                    values: &stage.input_row,
                    integers: &mut stage.integers,
                    inputs: layer.inputs,
                    bias: &layer.pointwise_bias,
                    width: stage.width,
                    out,
                };
                row.run(self.level, &layer.pointwise);
            }
            stage.rows_filled += 1;
        }
        let line = |row: Option<usize>| match row {
            Some(row) if row < stage.height => &stage.ring[row % 3 * row_len..][..row_len],
            _ => &self.zeros[..row_len],
        };
        self.level.run(Depthwise {
            rows: [line(y.checked_sub(1)), line(Some(y)), line(Some(y + 1))],
            weights: &layer.depthwise,
            bias: &layer.depthwise_bias,
            relu: layer.relu,
            out,
        });
    }

    /// Copies the next row of a map, or computes the next row of the stem.
    fn source_row(&self, stage: &mut Stage, out: &mut [f32]) {
        match self.source {
            Source::Map(map) => {
                let row = map.width * map.channels;
                out.copy_from_slice(&map.data[stage.rows_computed * row..][..row]);
            }
            Source::Image {
                stem,
                rgb,
                width,
                padded,
            } => {
                let row_len = (padded.0 + 2) * 3;
                let y = stage.rows_computed;
                // The ring starts with zeros, so its line 0 is the row above the picture.
                for row in [2 * y, 2 * y + 1] {
                    let line = &mut stage.integers[(row + 1) % 3 * row_len..][..row_len];
                    match rgb.get(row * width * 3..(row + 1) * width * 3) {
                        Some(bytes) => {
                            let values = &mut line[3..][..bytes.len()];
                            self.level.run(Widen { bytes, values });
                        }
                        None => line.fill(0),
                    }
                }
                let line = |index: usize| &stage.integers[index % 3 * row_len..][..row_len];
                self.level.run_pairs(PairDot {
                    taps: &[line(2 * y), line(2 * y + 1), line(2 * y + 2)],
                    stride: 6,
                    inputs: STEM_INPUTS,
                    scale: 1.0,
                    weights: &stem.weights,
                    bias: &stem.bias,
                    relu: true,
                    width: stage.width,
                    out,
                });
            }
        }
        stage.rows_computed += 1;
    }
}
