use super::*;
use crate::Level;
use crate::testing::{CASES, Noise, assert_within};

/// The tolerance of a computation with `f32`.
const ROUNDING: f32 = 2e-5;

/// The tolerance if values and weights are rounded to 16-bit integers.
const INTEGERS: f32 = 1e-3;

/// The tolerance if they are rounded to bytes.
const BYTES: f32 = 2e-2;

/// 3×3 convolution with zero padding, `[h][w][ci]` → `[h'][w'][co]`; weights `[co][3][3][ci]`,
/// depthwise `[co][9]`.
fn naive_3x3(
    map: &FeatureMap,
    weights: &[f32],
    bias: &[f32],
    stride: usize,
    depthwise: bool,
) -> FeatureMap {
    let (width, height) = (map.width / stride, map.height / stride);
    let mut data = Vec::new();
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
        data.push(sum);
    }
    FeatureMap {
        width,
        height,
        channels: bias.len(),
        data: data.into(),
    }
}

fn naive_pointwise(map: &FeatureMap, weights: &[f32], bias: &[f32]) -> FeatureMap {
    let data: Vec<f32> = map
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
        data: data.into(),
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
        data: data.into(),
    }
}

fn rectify(map: &mut FeatureMap) {
    map.data.iter_mut().for_each(|v| *v = v.max(0.0));
}

fn assert_same(tolerance: f32, found: &FeatureMap, expected: &FeatureMap, what: &str) {
    assert_eq!(
        (found.width, found.height, found.channels),
        (expected.width, expected.height, expected.channels)
    );
    assert_within(tolerance, &found.data, &expected.data, what);
}

#[test]
fn a_unit_agrees_with_naive_loops_at_every_level() {
    for seed in 0..CASES {
        let mut noise = Noise::new(seed);
        let (width, height) = (noise.size(1, 40), noise.size(1, 9));
        // For twenty inputs there is no copy with a constant shape.
        let inputs = noise.one_of(&[16, 20, 32, 64]);
        let outputs = noise.one_of(&[16, 32, 48, 64]);
        let (rectified, relu) = (noise.one_of(&[false, true]), noise.one_of(&[false, true]));
        let tolerance = match (inputs >= 32, rectified) {
            (true, true) => BYTES,
            (true, false) => INTEGERS,
            (false, _) => ROUNDING,
        };
        let mut map = FeatureMap {
            width,
            height,
            channels: inputs,
            data: noise.values(width * height * inputs).into(),
        };
        if rectified {
            rectify(&mut map);
        }
        let (pw, pb) = (noise.values(inputs * outputs), noise.values(outputs));
        let (dw, db) = (noise.values(9 * outputs), noise.values(outputs));
        let layer = Separable::new((&pw, &pb), (&dw, &db), rectified, relu);
        let mut expected = naive_3x3(&naive_pointwise(&map, &pw, &pb), &dw, &db, 1, true);
        if relu {
            rectify(&mut expected);
        }
        let mut first: Option<FeatureMap> = None;
        for level in Level::supported() {
            let (mut workspace, mut out) = (Workspace::default(), FeatureMap::default());
            let layers = [Layer::Separable(&layer)];
            // The second run shows that values of the first one in the workspace have no effect.
            for _ in 0..2 {
                run(level, Source::Map(&map), &layers, &mut workspace, &mut out);
                let what = format!("{level:?}, {width}×{height}, {inputs} to {outputs}");
                assert_same(tolerance, &out, &expected, &what);
                // Values are rounded to the same integers, whichever integers a level multiplies.
                let first = first.get_or_insert_with(|| out.clone());
                assert_same(ROUNDING, &out, first, &what);
            }
        }
    }
}

#[test]
fn a_picture_through_stem_unit_and_pool_agrees_with_naive_loops_at_every_level() {
    for seed in 0..CASES {
        let mut noise = Noise::new(seed);
        let (width, height) = (noise.size(1, 70), noise.size(1, 30));
        let padded = (width.next_multiple_of(4), height.next_multiple_of(4) + 4);
        let values = noise.values(width * height * 3);
        let bytes: Vec<u8> = values.iter().map(|v| (v * 254.0 + 127.0) as u8).collect();
        let (sw, sb) = (noise.values(27 * 16), noise.values(16));
        let (pw, pb, dw, db) = (
            noise.values(256),
            noise.values(16),
            noise.values(144),
            noise.values(16),
        );
        let stem = Stem::new(&sw, &sb);
        let layer = Separable::new((&pw, &pb), (&dw, &db), true, true);

        let mut map = FeatureMap {
            width: padded.0,
            height: padded.1,
            channels: 3,
            data: vec![0.0; padded.0 * padded.1 * 3].into(),
        };
        for (y, row) in bytes.chunks_exact(width * 3).enumerate() {
            let line = &mut map.data[y * padded.0 * 3..];
            for (value, byte) in line.iter_mut().zip(row) {
                *value = f32::from(*byte);
            }
        }
        let mut expected = naive_3x3(&map, &sw, &sb, 2, false);
        rectify(&mut expected);
        expected = naive_3x3(&naive_pointwise(&expected, &pw, &pb), &dw, &db, 1, true);
        rectify(&mut expected);
        let expected = naive_pool(&expected);

        for level in Level::supported() {
            let mut out = FeatureMap::default();
            let source = Source::Image {
                stem: &stem,
                rgb: &bytes,
                width,
                padded,
            };
            let layers = [Layer::Separable(&layer), Layer::MaxPool];
            run(level, source, &layers, &mut Workspace::default(), &mut out);
            assert_same(
                INTEGERS,
                &out,
                &expected,
                &format!("{level:?}, {width}×{height}"),
            );
        }
    }
}
