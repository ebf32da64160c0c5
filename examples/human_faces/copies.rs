//! Changes faces as difficult photos do, so that the head for the human score learns to accept such faces.

use fer_index::affine::{Affine, Point};
use fer_index::classify::{FACE_SIDE, FaceCrop};
use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A change of a face.
type Change = fn(&FaceCrop, &mut ChaCha8Rng) -> FaceCrop;

/// All changes.
const CHANGES: [Change; 6] = [cut, moved, small, hidden, dark, covered];

const SIDE: f32 = FACE_SIDE as f32;

/// This many changed copies of a face; `number` chooses which, and by how much they are changed.
pub fn copies(face: &FaceCrop, number: usize, count: usize) -> Vec<FaceCrop> {
    let mut rng = ChaCha8Rng::seed_from_u64(number as u64);
    let change = |index: usize| CHANGES[(number + index) % CHANGES.len()];
    (0..count)
        .map(|index| change(index)(face, &mut rng))
        .collect()
}

/// The face sampled at the positions that `position` returns.
fn mapped(face: &FaceCrop, position: impl Fn(Point) -> Point) -> FaceCrop {
    std::array::from_fn(|index| {
        let (x, y) = ((index % FACE_SIDE) as f32, (index / FACE_SIDE) as f32);
        sampled(face, position(Point { x, y }))
    })
}

/// The value at a point, interpolated; outside, the pixels at the edge are repeated.
fn sampled(face: &FaceCrop, Point { x, y }: Point) -> f32 {
    let (x, y) = (x.clamp(0.0, SIDE - 1.0), y.clamp(0.0, SIDE - 1.0));
    let (column, row) = (x as usize, y as usize);
    let value = |dx: usize, dy: usize| {
        let last = FACE_SIDE - 1;
        face[(row + dy).min(last) * FACE_SIDE + (column + dx).min(last)]
    };
    let between = |a: f32, b: f32, share: f32| a + (b - a) * share;
    let row = |dy| between(value(0, dy), value(1, dy), x.fract());
    between(row(0), row(1), y.fract())
}

/// A close-up: from half to nine tenths of the face are in the picture, and the pixels at its edge are repeated.
fn cut(face: &FaceCrop, rng: &mut ChaCha8Rng) -> FaceCrop {
    let mut span = || {
        let share = rng.random_range(0.5..0.9) * SIDE;
        let start = rng.random_range(0.0..SIDE - share);
        (start, start + share)
    };
    let (across, down) = (span(), span());
    mapped(face, |p| Point {
        x: p.x.clamp(across.0, across.1),
        y: p.y.clamp(down.0, down.1),
    })
}

/// Wrong landmarks.
fn moved(face: &FaceCrop, rng: &mut ChaCha8Rng) -> FaceCrop {
    let (sin, cos) = rng.random_range(-0.35_f32..0.35).sin_cos();
    let scale = rng.random_range(0.8..1.25);
    let mut shift = || SIDE / 2.0 + rng.random_range(-4.0..4.0);
    let (to_x, to_y) = (shift(), shift());
    let middle = SIDE / 2.0;
    let (a, b) = (scale * cos, scale * sin);
    let map = Affine {
        x: [a, -b, to_x - (a - b) * middle],
        y: [b, a, to_y - (a + b) * middle],
    };
    mapped(face, |p| map.apply(p))
}

/// Fewer pixels, and grain.
fn small(face: &FaceCrop, rng: &mut ChaCha8Rng) -> FaceCrop {
    let side = rng.random_range(9_usize..24);
    let cell = SIDE / side as f32;
    let mut pixels = vec![(0.0, 0.0); side * side];
    for (index, value) in face.iter().enumerate() {
        let at = |i: usize| ((i as f32 + 0.5) / cell) as usize;
        let pixel = &mut pixels[at(index / FACE_SIDE) * side + at(index % FACE_SIDE)];
        *pixel = (pixel.0 + value, pixel.1 + 1.0);
    }
    let grain = rng.random_range(0.0..8.0_f32);
    let mut value = |(sum, count): (f32, f32)| sum / count + rng.random_range(-1.0..1.0) * grain;
    let pixels: Vec<f32> = pixels.into_iter().map(&mut value).collect();
    std::array::from_fn(|index| {
        let at = |i: usize| ((i as f32 + 0.5) / cell - 0.5).clamp(0.0, (side - 1) as f32);
        let (x, y) = (at(index % FACE_SIDE), at(index / FACE_SIDE));
        let near = |x: f32, y: f32| {
            let last = (side - 1) as f32;
            pixels[y.min(last) as usize * side + x.min(last) as usize]
        };
        let row = |y: f32| near(x, y) * (1.0 - x.fract()) + near(x + 1.0, y) * x.fract();
        row(y) * (1.0 - y.fract()) + row(y + 1.0) * y.fract()
    })
}

/// Behind a mask or large sunglasses.
fn hidden(face: &FaceCrop, rng: &mut ChaCha8Rng) -> FaceCrop {
    let is_mask = rng.random_bool(0.6);
    let (from, to) = if is_mask {
        (rng.random_range(24.0..31.0), SIDE)
    } else {
        let from = rng.random_range(11.0..15.0);
        (from, from + rng.random_range(8.0..13.0))
    };
    let slant = rng.random_range(-0.15..0.15);
    let shade = if is_mask {
        rng.random_range(20.0..250.0)
    } else {
        rng.random_range(0.0..70.0)
    };
    let slope = rng.random_range(-1.5..1.5);
    let across = rng.random_range(2.0..8.0)..SIDE - rng.random_range(2.0..8.0);
    std::array::from_fn(|index| {
        let (x, y) = ((index % FACE_SIDE) as f32, (index / FACE_SIDE) as f32);
        let middle = x - SIDE / 2.0;
        if across.contains(&x) && (from..to).contains(&(y + slant * middle)) {
            shade + slope * middle
        } else {
            face[index]
        }
    })
}

/// In the dark, with few values and noise.
fn dark(face: &FaceCrop, rng: &mut ChaCha8Rng) -> FaceCrop {
    let share = 2_f32.powf(rng.random_range(-5.0..-2.0));
    let noise = rng.random_range(0.0..1.2_f32);
    face.map(|value| (value * share + rng.random_range(-1.0..1.0) * noise).round())
}

/// With something in a corner.
fn covered(face: &FaceCrop, rng: &mut ChaCha8Rng) -> FaceCrop {
    let side = rng.random_range(12.0..22.0);
    let (left, lower) = (rng.random_bool(0.5), rng.random_bool(0.7));
    let shrunk = SIDE / side;
    std::array::from_fn(|index| {
        let (x, y) = ((index % FACE_SIDE) as f32, (index / FACE_SIDE) as f32);
        let x_within = if left { x } else { x - (SIDE - side) };
        let y_within = if lower { y - (SIDE - side) } else { y };
        let within = (0.0..side).contains(&x_within) && (0.0..side).contains(&y_within);
        if within {
            // The face itself, smaller and mirrored.
            let (x, y) = (SIDE - x_within * shrunk, y_within * shrunk);
            sampled(face, Point { x, y })
        } else {
            face[index]
        }
    })
}
