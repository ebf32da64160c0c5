//! Inverts a symmetric positive definite matrix.

/// The inverse of `matrix[n, n]`, which must be symmetric and positive definite, by its Cholesky factor.
pub(super) fn inverse(matrix: &[f64], n: usize) -> Vec<f64> {
    let lower = factor(matrix, n);
    // Inverts the factor row by row, then multiplies its transpose by it.
    let mut inverted = vec![0.0; n * n];
    for row in 0..n {
        let diagonal = lower[row * n + row];
        inverted[row * n + row] = 1.0 / diagonal;
        for k in 0..row {
            let factor = lower[row * n + k] / diagonal;
            let (above, this) = inverted.split_at_mut(row * n);
            let above = &above[k * n..][..=k];
            for (value, above) in this[..=k].iter_mut().zip(above) {
                *value -= factor * above;
            }
        }
    }
    let mut product = vec![0.0; n * n];
    for row in inverted.chunks_exact(n) {
        for (i, left) in row.iter().enumerate() {
            if *left != 0.0 {
                for (sum, right) in product[i * n..][..n].iter_mut().zip(row) {
                    *sum += left * right;
                }
            }
        }
    }
    product
}

/// The lower triangular L with L Lᵀ = `matrix`.
fn factor(matrix: &[f64], n: usize) -> Vec<f64> {
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let (row, other) = (&lower[i * n..][..j], &lower[j * n..][..j]);
            let known: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
            let rest = matrix[i * n + j] - known;
            lower[i * n + j] = if i == j {
                rest.max(f64::MIN_POSITIVE).sqrt()
            } else {
                rest / lower[j * n + j]
            };
        }
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_of_a_matrix_and_its_inverse_is_the_identity() {
        let n = 9;
        let root: Vec<f64> = (0..n * n).map(|i| ((i * 7 % 13) as f64).sin()).collect();
        let at = |m: &[f64], i: usize, j: usize| m[i * n + j];
        let product = |a: &[f64], b: &[f64], transposed: bool| -> Vec<f64> {
            let cell = |cell: usize| {
                let (i, j) = (cell / n, cell % n);
                let other = |k| if transposed { at(b, j, k) } else { at(b, k, j) };
                (0..n).map(|k| at(a, i, k) * other(k)).sum()
            };
            (0..n * n).map(cell).collect()
        };
        let mut matrix = product(&root, &root, true);
        for i in 0..n {
            matrix[i * n + i] += 1.0;
        }
        let identity = product(&matrix, &inverse(&matrix, n), false);
        for (cell, value) in identity.iter().enumerate() {
            let expected = f64::from(u8::from(cell / n == cell % n));
            assert!((value - expected).abs() < 1e-9, "{identity:?}");
        }
    }
}
