//! Batch normalisation over the channels of NHWC values (Ioffe and Szegedy 2015), with the residual
//! addition and the rectifier that follow it fused into its passes.

use rayon::prelude::*;

/// Rows (pixels) per part of a pass; fixed, so that sums do not depend on the number of threads.
const ROWS: usize = 512;

/// What a batch says about each channel.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchStatistics {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Biased variance of each channel (divided by the number of values).
    pub variance: Vec<f32>,
    /// How many values each channel had.
    pub count: usize,
}

/// Adds up `N` per-channel sums over all rows: single precision within a part, double across.
fn channel_sums<const N: usize>(
    rows: usize,
    channels: usize,
    add_part: impl Fn(std::ops::Range<usize>, &mut [Vec<f32>; N]) + Sync,
) -> [Vec<f64>; N] {
    let parts: Vec<[Vec<f32>; N]> = (0..rows.div_ceil(ROWS))
        .into_par_iter()
        .map(|part| {
            let mut sums = std::array::from_fn(|_| vec![0.0; channels]);
            add_part(part * ROWS..((part + 1) * ROWS).min(rows), &mut sums);
            sums
        })
        .collect();
    let mut totals = std::array::from_fn(|_| vec![0.0; channels]);
    for sums in parts {
        for (total, sum) in totals.iter_mut().zip(sums) {
            for (t, s) in total.iter_mut().zip(sum) {
                *t += f64::from(s);
            }
        }
    }
    totals
}

/// Mean and variance of each channel of `z[rows, channels]`.
pub fn statistics(z: &[f32], channels: usize) -> BatchStatistics {
    let count = z.len() / channels;
    let [sum, square] = channel_sums(count, channels, |rows, [sum, square]| {
        for row in z[rows.start * channels..rows.end * channels].chunks_exact(channels) {
            for ((s, q), v) in sum.iter_mut().zip(square.iter_mut()).zip(row) {
                *s += v;
                *q += v * v;
            }
        }
    });
    let n = count as f64;
    let mean: Vec<f64> = sum.iter().map(|s| s / n).collect();
    BatchStatistics {
        variance: square
            .iter()
            .zip(&mean)
            .map(|(q, m)| (q / n - m * m).max(0.0) as f32)
            .collect(),
        mean: mean.iter().map(|&m| m as f32).collect(),
        count,
    }
}

/// What both passes need of a normalisation: `y = act((z − mean) · inverse_std · gamma + beta [+ r])`.
#[derive(Debug, Clone)]
pub struct Normalisation {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// One over the standard deviation of each channel.
    pub inverse_std: Vec<f32>,
    /// Whether a rectifier ends it.
    pub relu: bool,
}

impl Normalisation {
    /// From the batch's statistics.
    pub fn new(statistics: &BatchStatistics, epsilon: f32, relu: bool) -> Self {
        Self {
            mean: statistics.mean.clone(),
            inverse_std: statistics
                .variance
                .iter()
                .map(|v| 1.0 / (v + epsilon).sqrt())
                .collect(),
            relu,
        }
    }

    fn channels(&self) -> usize {
        self.mean.len()
    }

    /// Writes the normalised values of `z[rows, channels]` to `y`.
    pub fn forward(
        &self,
        z: &[f32],
        gamma: &[f32],
        beta: &[f32],
        residual: Option<&[f32]>,
        y: &mut [f32],
    ) {
        let c = self.channels();
        let scale: Vec<f32> = self
            .inverse_std
            .iter()
            .zip(gamma)
            .map(|(i, g)| i * g)
            .collect();
        let shift: Vec<f32> = (0..c).map(|i| beta[i] - self.mean[i] * scale[i]).collect();
        let floor = if self.relu { 0.0 } else { f32::NEG_INFINITY };
        let part = ROWS * c;
        y.par_chunks_mut(part).enumerate().for_each(|(i, y)| {
            let z = &z[i * part..i * part + y.len()];
            if let Some(residual) = residual {
                let residual = &residual[i * part..i * part + y.len()];
                let rows = y.chunks_exact_mut(c).zip(z.chunks_exact(c));
                for ((y, z), r) in rows.zip(residual.chunks_exact(c)) {
                    for i in 0..c {
                        y[i] = (z[i] * scale[i] + shift[i] + r[i]).max(floor);
                    }
                }
            } else {
                for (y, z) in y.chunks_exact_mut(c).zip(z.chunks_exact(c)) {
                    for i in 0..c {
                        y[i] = (z[i] * scale[i] + shift[i]).max(floor);
                    }
                }
            }
        });
    }

    /// The gradients, from the output `y` and its gradient `dy`.
    ///
    /// Writes the gradient of `z` to `dz` and returns those of gamma and beta; the gradient of the
    /// residual, where there is one, is `dy` where the rectifier let it pass, written to
    /// `dresidual`.
    pub fn backward(
        &self,
        z: &[f32],
        gamma: &[f32],
        y: &[f32],
        dy: &[f32],
        dz: &mut [f32],
        dresidual: Option<&mut [f32]>,
    ) -> (Vec<f32>, Vec<f32>) {
        let c = self.channels();
        let count = z.len() / c;
        let passes = |y: f32| if !self.relu || y > 0.0 { 1.0f32 } else { 0.0 };
        let [dbeta, dgamma] = channel_sums(count, c, |rows, [dbeta, dgamma]| {
            for at in rows.map(|row| row * c) {
                let (z, y, dy) = (&z[at..at + c], &y[at..at + c], &dy[at..at + c]);
                for i in 0..c {
                    let g = dy[i] * passes(y[i]);
                    dbeta[i] += g;
                    dgamma[i] += g * (z[i] - self.mean[i]) * self.inverse_std[i];
                }
            }
        });
        // dz = scale · g − (a + b · z), with the means of the gradient folded into a and b.
        let n = count as f64;
        let scale: Vec<f32> = self
            .inverse_std
            .iter()
            .zip(gamma)
            .map(|(i, g)| i * g)
            .collect();
        let b: Vec<f32> = (0..c)
            .map(|i| scale[i] * self.inverse_std[i] * (dgamma[i] / n) as f32)
            .collect();
        let a: Vec<f32> = (0..c)
            .map(|i| scale[i] * (dbeta[i] / n) as f32 - b[i] * self.mean[i])
            .collect();
        let part = ROWS * c;
        dz.par_chunks_mut(part).enumerate().for_each(|(p, dz)| {
            for (row, dz) in dz.chunks_exact_mut(c).enumerate() {
                let at = p * part + row * c;
                let (z, y, dy) = (&z[at..at + c], &y[at..at + c], &dy[at..at + c]);
                for i in 0..c {
                    dz[i] = scale[i] * dy[i] * passes(y[i]) - (a[i] + b[i] * z[i]);
                }
            }
        });
        if let Some(dresidual) = dresidual {
            dresidual
                .par_chunks_mut(part)
                .zip(y.par_chunks(part).zip(dy.par_chunks(part)))
                .for_each(|(d, (y, dy))| {
                    for ((d, y), dy) in d.iter_mut().zip(y).zip(dy) {
                        *d = dy * passes(*y);
                    }
                });
        }
        let narrow = |sums: Vec<f64>| sums.into_iter().map(|s| s as f32).collect();
        (narrow(dgamma), narrow(dbeta))
    }
}
