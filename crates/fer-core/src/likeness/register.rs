//! Registers one picture of a face with another: landmarks vary by some cells when a photo is scaled or
//! compressed, which must not count as a difference.

use super::filter::Normalised;
use super::picture::{CELLS, SIDE, centre_of};
use crate::affine::Affine;
use crate::face::Point;

/// Blur in cells of the first pass, which finds large offsets.
pub(super) const COARSE: f32 = 4.0;

/// Blur in cells of the second pass; the last one, without blur, is exact.
const MEDIUM: f32 = 1.5;

/// Most steps in a pass.
const STEPS: usize = 12;

/// A pass ends when no cell moves by more than this, in cells.
const CONVERGED: f32 = 0.003;

/// The similarity (rotation, scale, shift) that maps the cells of `still` to those of `moving` with the least squared
/// difference of the values, near `start`; `None` if the pictures have too little in common.
///
/// Baker and Matthews, "Lucas-Kanade 20 years on", IJCV 2004: the inverse compositional algorithm.
pub(super) fn register(still: &Normalised, moving: &Normalised, start: Affine) -> Option<Affine> {
    let near = pass(&still.blurred(MEDIUM), &moving.blurred(MEDIUM), start)?;
    pass(still, moving, near)
}

/// The same on blurred pictures that are offset by up to several cells.
pub(super) fn pass(still: &Normalised, moving: &Normalised, mut map: Affine) -> Option<Affine> {
    let descent = steepest_descent_images(still);
    let half = SIDE as f32 / 2.0;
    for _ in 0..STEPS {
        let (values, common) = warped(moving, &map);
        let mut hessian = [[0.0_f64; 4]; 4];
        let mut gradient = [0.0_f64; 4];
        for (index, row) in descent.iter().enumerate() {
            if !(common[index] && still.inside[index]) {
                continue;
            }
            let error = f64::from(values[index] - still.values[index]);
            let row = row.map(f64::from);
            for i in 0..4 {
                gradient[i] += row[i] * error;
                for j in 0..=i {
                    hessian[i][j] += row[i] * row[j];
                }
            }
        }
        let [a, b, tx, ty] = solve(hessian, gradient)?.map(|v| v as f32);
        // The increment, about the centre of the picture; its inverse is applied before the map so far.
        let increment = Affine {
            x: [1.0 + a, -b, tx + half - (1.0 + a) * half + b * half],
            y: [b, 1.0 + a, ty + half - b * half - (1.0 + a) * half],
        };
        map = increment.inverse()?.then(&map);
        if a.abs().max(b.abs()) * half + tx.abs().max(ty.abs()) < CONVERGED {
            break;
        }
    }
    Some(map)
}

/// How the value of each cell changes with the four parameters of a similarity: scale, rotation, shift.
fn steepest_descent_images(picture: &Normalised) -> Vec<[f32; 4]> {
    let half = SIDE as f32 / 2.0;
    (0..CELLS)
        .map(|index| {
            let [dx, dy] = slope(picture, index);
            let Point { x, y } = centre_of(index);
            let (x, y) = (x - half, y - half);
            [dx * x + dy * y, dy * x - dx * y, dx, dy]
        })
        .collect()
}

/// The change of the value per cell to the right and downwards; 0 at an edge.
fn slope(picture: &Normalised, index: usize) -> [f32; 2] {
    let (x, y) = (index % SIDE, index / SIDE);
    let across = |low: usize, high: usize| {
        if picture.inside[low] && picture.inside[high] {
            (picture.values[high] - picture.values[low]) / 2.0
        } else {
            0.0
        }
    };
    let inner = |v: usize| (1..SIDE - 1).contains(&v);
    [
        if inner(x) {
            across(index - 1, index + 1)
        } else {
            0.0
        },
        if inner(y) {
            across(index - SIDE, index + SIDE)
        } else {
            0.0
        },
    ]
}

/// The picture sampled at the cells mapped by `map`, and whether it covers each cell.
pub(super) fn warped(picture: &Normalised, map: &Affine) -> (Vec<f32>, Vec<bool>) {
    let (mut values, mut common) = (vec![0.0; CELLS], vec![false; CELLS]);
    for index in 0..CELLS {
        let at = map.apply(centre_of(index));
        let (x, y) = (at.x - 0.5, at.y - 0.5);
        let limit = (SIDE - 1) as f32;
        if !(x >= 0.0 && y >= 0.0 && x < limit && y < limit) {
            continue;
        }
        let corner = y as usize * SIDE + x as usize;
        let corners = [corner, corner + 1, corner + SIDE, corner + SIDE + 1];
        if corners.iter().all(|at| picture.inside[*at]) {
            let (fx, fy) = (x.fract(), y.fract());
            let [a, b, c, d] = corners.map(|at| picture.values[at]);
            let (above, below) = (a + (b - a) * fx, c + (d - c) * fx);
            values[index] = above + (below - above) * fy;
            common[index] = true;
        }
    }
    (values, common)
}

/// Solves a symmetric system of which the lower triangle is given, by Cholesky's decomposition; `None` if it has no
/// unique solution.
fn solve(matrix: [[f64; 4]; 4], vector: [f64; 4]) -> Option<[f64; 4]> {
    let mut lower = [[0.0; 4]; 4];
    for i in 0..4 {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            if i == j {
                let square = matrix[i][i] - sum;
                if square < 1e-9 || square.is_nan() {
                    return None;
                }
                lower[i][i] = square.sqrt();
            } else {
                lower[i][j] = (matrix[i][j] - sum) / lower[j][j];
            }
        }
    }
    let mut solution = vector;
    for i in 0..4 {
        let sum: f64 = (0..i).map(|k| lower[i][k] * solution[k]).sum();
        solution[i] = (solution[i] - sum) / lower[i][i];
    }
    for i in (0..4).rev() {
        let sum: f64 = (i + 1..4).map(|k| lower[k][i] * solution[k]).sum();
        solution[i] = (solution[i] - sum) / lower[i][i];
    }
    Some(solution)
}
