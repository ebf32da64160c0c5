//! Running a chain of units.

use super::depthwise::{Depthwise, max_pool_row};
use super::dot::Dot;
use super::feature_map::FeatureMap;
use super::units::{Separable, Stem};
use crate::Level;

/// Where a chain gets its rows.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A picture, extended with zeros to the right and below to even sides, through a stem.
    Image {
        /// The first convolution.
        stem: &'a Stem,
        /// RGB, three bytes a pixel, row by row.
        rgb: &'a [u8],
        /// Pixels in a row of `rgb`.
        width: usize,
        /// Size that the picture is extended to: multiples of two, no smaller than it.
        padded: (usize, usize),
    },
    /// A map computed before.
    Map(&'a FeatureMap),
}

/// A step of a chain.
#[derive(Debug, Clone, Copy)]
pub enum Layer<'a> {
    /// A separable unit.
    Separable(&'a Separable),
    /// Maximum over 2×2 pixels with stride 2.
    MaxPool,
}

/// Line buffers, kept between runs: giving memory back and faulting it in again costs more than
/// half of a detection.
#[derive(Debug, Default)]
pub struct Workspace {
    stages: Vec<Stage>,
    zeros: Vec<f32>,
}

/// Line buffers of one step.
#[derive(Debug, Default)]
struct Stage {
    /// Shape of what the step gives.
    width: usize,
    height: usize,
    channels: usize,
    /// Rows given so far.
    given: usize,
    /// Rows of the three-line ring filled so far.
    filled: usize,
    /// Three rows, with a pixel of zeros at either end for filters.
    ring: Vec<f32>,
    /// The row just pulled from the step before.
    pulled: Vec<f32>,
}

impl Stage {
    fn prepare(&mut self, shape: (usize, usize, usize), ring_row: usize, pulled: usize) {
        (self.width, self.height, self.channels) = shape;
        (self.given, self.filled) = (0, 0);
        self.ring.clear();
        self.ring.resize(3 * ring_row, 0.0);
        self.pulled.resize(pulled, 0.0);
    }
}

/// Runs a chain and writes its last rows to `out`.
///
/// # Panics
/// If a layer's inputs are not the channels it is given, or a pooled side is odd.
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
            stages[0].prepare(shape, (padded.0 + 2) * 3, 0);
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
            Layer::Separable(unit) => {
                assert_eq!(unit.inputs, channels);
                let row = (width + 2) * unit.outputs();
                widest = widest.max(row);
                stage.prepare((width, height, unit.outputs()), row, width * channels);
                (width, height, unit.outputs())
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
        zeros.resize(widest, 0.0);
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

/// What a run needs besides its buffers.
struct Chain<'a> {
    level: Level,
    source: Source<'a>,
    layers: &'a [Layer<'a>],
    zeros: &'a [f32],
}

impl Chain<'_> {
    /// The next row of the last of `stages`.
    fn next_row(&self, stages: &mut [Stage], out: &mut [f32]) {
        let (stage, before) = stages.split_last_mut().expect("a chain has a source");
        let Some(layer) = before.len().checked_sub(1).map(|index| &self.layers[index]) else {
            self.source_row(stage, out);
            return;
        };
        match layer {
            Layer::Separable(unit) => self.separable_row(unit, stage, before, out),
            Layer::MaxPool => {
                let (upper, lower) = stage.pulled.split_at_mut(2 * stage.width * stage.channels);
                self.next_row(before, upper);
                self.next_row(before, lower);
                max_pool_row(upper, lower, stage.channels, out);
            }
        }
        stage.given += 1;
    }

    fn separable_row(
        &self,
        unit: &Separable,
        stage: &mut Stage,
        before: &mut [Stage],
        out: &mut [f32],
    ) {
        let channels = stage.channels;
        let row_len = (stage.width + 2) * channels;
        let y = stage.given;
        while stage.filled < (y + 2).min(stage.height) {
            self.next_row(before, &mut stage.pulled);
            let line = &mut stage.ring[stage.filled % 3 * row_len..][..row_len];
            self.level.run(Dot {
                taps: &[&stage.pulled],
                stride: unit.inputs,
                k: unit.inputs,
                weights: &unit.pointwise,
                bias: &unit.pointwise_bias,
                relu: false,
                width: stage.width,
                out: &mut line[channels..row_len - channels],
            });
            stage.filled += 1;
        }
        let line = |row: Option<usize>| match row {
            Some(row) if row < stage.height => &stage.ring[row % 3 * row_len..][..row_len],
            _ => &self.zeros[..row_len],
        };
        self.level.run(Depthwise {
            rows: [line(y.checked_sub(1)), line(Some(y)), line(Some(y + 1))],
            weights: &unit.depthwise,
            bias: &unit.depthwise_bias,
            relu: unit.relu,
            out,
        });
    }

    fn source_row(&self, stage: &mut Stage, out: &mut [f32]) {
        match self.source {
            Source::Map(map) => {
                let row = map.width * map.channels;
                out.copy_from_slice(&map.data[stage.given * row..][..row]);
            }
            Source::Image {
                stem,
                rgb,
                width,
                padded,
            } => {
                let row_len = (padded.0 + 2) * 3;
                let y = stage.given;
                // Slot 0 is zero at first: the row above the picture.
                for row in [2 * y, 2 * y + 1] {
                    let line = &mut stage.ring[(row + 1) % 3 * row_len..][..row_len];
                    match rgb.get(row * width * 3..(row + 1) * width * 3) {
                        Some(bytes) => {
                            for (value, byte) in line[3..].iter_mut().zip(bytes) {
                                *value = f32::from(*byte);
                            }
                        }
                        None => line.fill(0.0),
                    }
                }
                let line = |slot: usize| &stage.ring[slot % 3 * row_len..][..row_len];
                self.level.run(Dot {
                    taps: &[line(2 * y), line(2 * y + 1), line(2 * y + 2)],
                    stride: 6,
                    k: 9,
                    weights: &stem.weights,
                    bias: &stem.bias,
                    relu: true,
                    width: stage.width,
                    out,
                });
            }
        }
        stage.given += 1;
    }
}
