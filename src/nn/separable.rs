//! Depthwise-separable networks, run row by row.
//!
//! A chain of units pulls rows through line buffers: a unit keeps the three rows its depthwise
//! filter sees and asks the unit before it for the next one, so what passes between units stays in
//! the cache and only the maps that are wanted are written out.

use super::lanes::Level;
use super::rows::{DotInput, LANES, depthwise_row, dot_rows, max_pool_row};

/// Values of a picture on a grid: `height` rows of `width` pixels of `channels` values.
#[derive(Debug, Default, Clone)]
pub struct FeatureMap {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Values of a pixel, innermost in `data`.
    pub channels: usize,
    /// `[height][width][channels]`.
    pub data: Vec<f32>,
}

impl FeatureMap {
    /// Gives the map a shape; the values are whatever they were, memory is kept.
    fn reshape(&mut self, width: usize, height: usize, channels: usize) {
        (self.width, self.height, self.channels) = (width, height, channels);
        self.data.resize(width * height * channels, 0.0);
    }

    /// Adds a map of half the size, each of its pixels to four of this one (nearest neighbour).
    ///
    /// # Panics
    /// If the sizes are not two to one.
    pub fn add_upsampled(&mut self, coarse: &Self) {
        let size = (2 * coarse.width, 2 * coarse.height, coarse.channels);
        assert_eq!((self.width, self.height, self.channels), size);
        let c = self.channels;
        let rows = self.data.chunks_exact_mut(self.width * c);
        for (y, row) in rows.enumerate() {
            let source = &coarse.data[y / 2 * coarse.width * c..][..coarse.width * c];
            for (pair, value) in row.chunks_exact_mut(2 * c).zip(source.chunks_exact(c)) {
                let (left, right) = pair.split_at_mut(c);
                for i in 0..c {
                    left[i] += value[i];
                    right[i] += value[i];
                }
            }
        }
    }
}

/// Packs `[out][per_out]` into `[out / 16][per_out][16]`.
fn pack(values: &[f32], outputs: usize) -> Vec<f32> {
    let per_out = values.len() / outputs;
    let mut packed = Vec::with_capacity(values.len());
    for group in 0..outputs / LANES {
        for i in 0..per_out {
            packed.extend((0..LANES).map(|lane| values[(group * LANES + lane) * per_out + i]));
        }
    }
    packed
}

/// 3×3 convolution of an RGB picture with stride 2 and padding 1, followed by a rectifier.
#[derive(Debug, Clone)]
pub struct Stem {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Stem {
    /// Takes weights `[out][ky][kx][rgb]` and a bias for each output.
    ///
    /// # Panics
    /// If the lengths disagree or the outputs are not a multiple of sixteen.
    pub fn new(weights: &[f32], bias: &[f32]) -> Self {
        assert_eq!(bias.len() % LANES, 0);
        assert_eq!(weights.len(), 27 * bias.len());
        Self {
            weights: pack(weights, bias.len()),
            bias: bias.to_vec(),
        }
    }
}

/// Pointwise 1×1 convolution, then depthwise 3×3 with padding 1, then a rectifier where wanted.
#[derive(Debug, Clone)]
pub struct Separable {
    inputs: usize,
    pointwise: Vec<f32>,
    pointwise_bias: Vec<f32>,
    depthwise: Vec<f32>,
    depthwise_bias: Vec<f32>,
    relu: bool,
}

impl Separable {
    /// Takes weights `[out][in]` and `[out][3 × 3]` with their biases.
    ///
    /// # Panics
    /// If the lengths disagree or the outputs are not a multiple of sixteen.
    pub fn new(pointwise: (&[f32], &[f32]), depthwise: (&[f32], &[f32]), relu: bool) -> Self {
        let outputs = pointwise.1.len();
        assert_eq!(outputs % LANES, 0);
        assert_eq!(
            (depthwise.0.len(), depthwise.1.len()),
            (9 * outputs, outputs)
        );
        let inputs = pointwise.0.len() / outputs;
        assert_eq!(pointwise.0.len(), inputs * outputs);
        Self {
            inputs,
            pointwise: pack(pointwise.0, outputs),
            pointwise_bias: pointwise.1.to_vec(),
            depthwise: pack(depthwise.0, outputs),
            depthwise_bias: depthwise.1.to_vec(),
            relu,
        }
    }

    fn outputs(&self) -> usize {
        self.pointwise_bias.len()
    }
}

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
            let input = DotInput {
                taps: [&stage.pulled, &[], &[]],
                count: 1,
                stride: unit.inputs,
                k: unit.inputs,
            };
            dot_rows(
                self.level,
                input,
                &unit.pointwise,
                &unit.pointwise_bias,
                false,
                stage.width,
                &mut line[channels..row_len - channels],
            );
            stage.filled += 1;
        }
        let line = |row: Option<usize>| match row {
            Some(row) if row < stage.height => &stage.ring[row % 3 * row_len..][..row_len],
            _ => &self.zeros[..row_len],
        };
        let rows = [line(y.checked_sub(1)), line(Some(y)), line(Some(y + 1))];
        let (weights, bias) = (&unit.depthwise, &unit.depthwise_bias);
        depthwise_row(self.level, rows, weights, bias, unit.relu, out);
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
                let input = DotInput {
                    taps: [line(2 * y), line(2 * y + 1), line(2 * y + 2)],
                    count: 3,
                    stride: 6,
                    k: 9,
                };
                dot_rows(
                    self.level,
                    input,
                    &stem.weights,
                    &stem.bias,
                    true,
                    stage.width,
                    out,
                );
            }
        }
        stage.given += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small reproducible numbers around zero.
    fn noise(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        })
        .take(n)
        .collect()
    }

    /// `[h][w][ci]` → `[h'][w'][co]`, weights `[co][3][3][ci]` or depthwise `[co][9]`; zero padding.
    fn naive_3x3(
        map: &FeatureMap,
        weights: &[f32],
        bias: &[f32],
        stride: usize,
        depthwise: bool,
    ) -> FeatureMap {
        let (width, height) = (map.width / stride, map.height / stride);
        let mut out = FeatureMap {
            width,
            height,
            channels: bias.len(),
            data: Vec::new(),
        };
        let inputs = if depthwise { 1 } else { map.channels };
        for (y, x, o) in (0..height)
            .flat_map(|y| (0..width).map(move |x| (y, x)))
            .flat_map(|(y, x)| (0..bias.len()).map(move |o| (y, x, o)))
        {
            let mut sum = bias[o];
            for (ky, kx) in (0..3).flat_map(|ky| (0..3).map(move |kx| (ky, kx))) {
                let (sy, sx) = (
                    (y * stride + ky).wrapping_sub(1),
                    (x * stride + kx).wrapping_sub(1),
                );
                if sy < map.height && sx < map.width {
                    for i in 0..inputs {
                        let channel = if depthwise { o } else { i };
                        sum += map.data[(sy * map.width + sx) * map.channels + channel]
                            * weights[(o * 9 + ky * 3 + kx) * inputs + i];
                    }
                }
            }
            out.data.push(sum);
        }
        out
    }

    fn naive_pointwise(map: &FeatureMap, weights: &[f32], bias: &[f32]) -> FeatureMap {
        let data = map
            .data
            .chunks_exact(map.channels)
            .flat_map(|pixel| {
                weights
                    .chunks_exact(map.channels)
                    .zip(bias)
                    .map(move |(row, b)| b + row.iter().zip(pixel).map(|(w, v)| w * v).sum::<f32>())
            })
            .collect();
        FeatureMap {
            channels: bias.len(),
            data,
            ..map.clone()
        }
    }

    fn naive_pool(map: &FeatureMap) -> FeatureMap {
        let (width, height, c) = (map.width / 2, map.height / 2, map.channels);
        let at = |y: usize, x: usize, i: usize| map.data[(y * map.width + x) * c + i];
        let mut data = Vec::new();
        for y in 0..height {
            for x in 0..width {
                data.extend((0..c).map(|i| {
                    let upper = at(2 * y, 2 * x, i).max(at(2 * y, 2 * x + 1, i));
                    upper
                        .max(at(2 * y + 1, 2 * x, i))
                        .max(at(2 * y + 1, 2 * x + 1, i))
                }));
            }
        }
        FeatureMap {
            width,
            height,
            channels: c,
            data,
        }
    }

    fn relu(map: &mut FeatureMap) {
        map.data.iter_mut().for_each(|v| *v = v.max(0.0));
    }

    fn assert_close(found: &FeatureMap, expected: &FeatureMap, what: &str) {
        assert_eq!(
            (found.width, found.height, found.channels),
            (expected.width, expected.height, expected.channels)
        );
        for (a, b) in found.data.iter().zip(&expected.data) {
            assert!(
                (a - b).abs() <= 1e-4 * b.abs().max(1.0),
                "{what}: {a} and {b}"
            );
        }
    }

    #[test]
    fn every_level_agrees_with_naive_loops_on_odd_sizes() {
        for (width, height, inputs, outputs) in [
            (1, 1, 16, 16),
            (2, 5, 16, 32),
            (13, 3, 32, 48),
            (31, 7, 64, 64),
            (64, 2, 16, 16),
        ] {
            let seed = (width * 31 + height) as u32;
            let map = FeatureMap {
                width,
                height,
                channels: inputs,
                data: noise(width * height * inputs, seed),
            };
            let (pw, pb) = (noise(inputs * outputs, seed + 1), noise(outputs, seed + 2));
            let (dw, db) = (noise(9 * outputs, seed + 3), noise(outputs, seed + 4));
            let unit = Separable::new((&pw, &pb), (&dw, &db), true);
            let mut expected = naive_3x3(&naive_pointwise(&map, &pw, &pb), &dw, &db, 1, true);
            relu(&mut expected);
            for level in Level::supported() {
                let (mut workspace, mut out) = (Workspace::default(), FeatureMap::default());
                let layers = [Layer::Separable(&unit)];
                // Twice: a used workspace must not leak into the next run.
                for _ in 0..2 {
                    run(level, Source::Map(&map), &layers, &mut workspace, &mut out);
                    assert_close(&out, &expected, &format!("{level:?} {width}×{height}"));
                }
            }
        }
    }

    #[test]
    fn a_picture_through_stem_unit_and_pool_agrees_with_naive_loops() {
        let (width, height, padded) = (37, 21, (40, 24));
        let bytes: Vec<u8> = noise(width * height * 3, 5)
            .iter()
            .map(|v| (v * 255.0) as u8)
            .collect();
        let (sw, sb) = (noise(27 * 16, 1), noise(16, 2));
        let (pw, pb, dw, db) = (noise(256, 3), noise(16, 4), noise(144, 6), noise(16, 7));
        let (stem, unit) = (
            Stem::new(&sw, &sb),
            Separable::new((&pw, &pb), (&dw, &db), true),
        );

        let mut map = FeatureMap {
            width: padded.0,
            height: padded.1,
            channels: 3,
            data: vec![],
        };
        for y in 0..padded.1 {
            for x in 0..padded.0 {
                let inside = x < width && y < height;
                map.data.extend((0..3).map(|c| {
                    if inside {
                        f32::from(bytes[(y * width + x) * 3 + c])
                    } else {
                        0.0
                    }
                }));
            }
        }
        let mut expected = naive_3x3(&map, &sw, &sb, 2, false);
        relu(&mut expected);
        expected = naive_3x3(&naive_pointwise(&expected, &pw, &pb), &dw, &db, 1, true);
        relu(&mut expected);
        let expected = naive_pool(&expected);

        for level in Level::supported() {
            let mut out = FeatureMap::default();
            let source = Source::Image {
                stem: &stem,
                rgb: &bytes,
                width,
                padded,
            };
            let layers = [Layer::Separable(&unit), Layer::MaxPool];
            run(level, source, &layers, &mut Workspace::default(), &mut out);
            assert_close(&out, &expected, &format!("{level:?}"));
        }
    }

    #[test]
    fn upsampling_adds_each_pixel_to_four() {
        let coarse = FeatureMap {
            width: 1,
            height: 1,
            channels: 2,
            data: vec![1.0, 2.0],
        };
        let mut fine = FeatureMap {
            width: 2,
            height: 2,
            channels: 2,
            data: vec![10.0; 8],
        };
        fine.add_upsampled(&coarse);
        assert_eq!(fine.data, [11.0, 12.0].repeat(4));
    }
}
