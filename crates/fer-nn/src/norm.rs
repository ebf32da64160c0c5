//! Batch normalisation over the channels of NHWC values (Ioffe and Szegedy 2015), fused with the
//! residual addition and the rectifier that follow it.
//!
//! Each pass works on a part of the rows (pixels). Sums are single precision within a part and double
//! precision across parts.

use super::simd::{Columns, Kernel, Simd, dispatch, each_column};

/// Default number of rows of a part; a constant, so that sums do not depend on the number of threads.
pub const PART_ROWS: usize = 512;

/// Mean and variance of each channel in a batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BatchStatistics {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Biased variance of each channel: the sum of squared deviations divided by `count`.
    pub variance: Vec<f32>,
    /// Number of values of each channel.
    pub count: usize,
}

impl BatchStatistics {
    /// Computes the statistics of `count` values per channel from the parts' sums of values and of
    /// squares ([`sums`]), `[2, channels]` each.
    pub fn from_sums(parts: &[f32], channels: usize, count: usize) -> Self {
        let (sum, square) = total(parts, channels);
        let n = count as f64;
        Self {
            mean: sum.iter().map(|s| (s / n) as f32).collect(),
            variance: square
                .iter()
                .zip(&sum)
                .map(|(q, s)| (q / n - (s / n) * (s / n)).max(0.0) as f32)
                .collect(),
            count,
        }
    }
}

/// Adds the parts' two sums per channel, `[2, channels]` each, in the order of the parts.
fn total(parts: &[f32], channels: usize) -> (Vec<f64>, Vec<f64>) {
    let mut total = vec![0.0; 2 * channels];
    for part in parts.chunks_exact(2 * channels) {
        for (total, sum) in total.iter_mut().zip(part) {
            *total += f64::from(*sum);
        }
    }
    let second = total.split_off(channels);
    (total, second)
}

/// Writes each channel's sum of values and sum of squared values, `[2, channels]`, to `sums`.
///
/// # Panics
/// If the lengths disagree.
pub fn sums(z: &[f32], sums: &mut [f32]) {
    let channels = sums.len() / 2;
    assert!(sums.len() == 2 * channels && z.len().is_multiple_of(channels));
    dispatch(Sums {
        z,
        channels,
        to: sums,
    });
}

struct Sums<'a> {
    z: &'a [f32],
    channels: usize,
    to: &'a mut [f32],
}

impl Kernel for Sums<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let channels = self.channels;
        // SAFETY: the caller guarantees that the processor supports `S`. `sums`, which makes this
        // kernel, asserted that `to` has `2 * channels` values; a row of `z` has `channels`.
        unsafe { each_column::<S>(&mut self, channels) }
    }
}

impl Columns for Sums<'_> {
    #[inline(always)]
    unsafe fn work<S: Simd, const V: usize>(&mut self, column: usize) {
        // SAFETY: the caller guarantees that the processor supports `S` and that `V * S::LANES`
        // columns from `column` on are below `channels`. A row has `channels` values, `to` has
        // twice as many.
        unsafe {
            let mut sum = [S::splat(0.0); V];
            let mut square = [S::splat(0.0); V];
            for row in self.z.chunks_exact(self.channels) {
                for v in 0..V {
                    let z = S::load(row.as_ptr().add(column + v * S::LANES));
                    sum[v] = S::add(sum[v], z);
                    square[v] = S::multiply_add(z, z, square[v]);
                }
            }
            let to = self.to.as_mut_ptr().add(column);
            for v in 0..V {
                S::store(to.add(v * S::LANES), sum[v]);
                S::store(to.add(self.channels + v * S::LANES), square[v]);
            }
        }
    }
}

/// A normalisation: `y = relu(scale · z + shift [+ residual])`; residual and rectifier are optional.
#[derive(Debug, Clone, Default)]
pub struct Normalisation {
    mean: Vec<f32>,
    inverse_std: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
    relu: bool,
}

impl Normalisation {
    /// Normalises with a batch's statistics, then scales by `gamma` and adds `beta` (both learned,
    /// `[channels]`). `epsilon` is added to the variance, `relu` selects the rectifier.
    ///
    /// # Panics
    /// If the statistics have means and variances of different numbers of channels.
    pub fn new(
        statistics: &BatchStatistics,
        gamma: &[f32],
        beta: &[f32],
        epsilon: f32,
        relu: bool,
    ) -> Self {
        assert!(statistics.mean.len() == statistics.variance.len());
        let deviation = statistics.variance.iter().map(|v| (v + epsilon).sqrt());
        let inverse_std: Vec<f32> = deviation.map(f32::recip).collect();
        let scale: Vec<f32> = inverse_std.iter().zip(gamma).map(|(i, g)| i * g).collect();
        let means = statistics.mean.iter().zip(&scale);
        Self {
            shift: means.zip(beta).map(|((m, s), b)| b - m * s).collect(),
            mean: statistics.mean.clone(),
            inverse_std,
            scale,
            relu,
        }
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.mean.len()
    }

    /// Writes the normalised values of `z` to `y`.
    ///
    /// # Panics
    /// If the lengths disagree.
    pub fn forward(&self, z: &[f32], residual: Option<&[f32]>, y: &mut [f32]) {
        assert!(z.len() == y.len() && residual.is_none_or(|r| r.len() == y.len()));
        dispatch(Forward {
            norm: self,
            z,
            residual,
            y,
        });
    }

    /// First pass of the gradient: sets `dy`, the gradient of the output, to zero where the
    /// rectifier's output is zero, which also makes `dy` the gradient of the residual. Writes each
    /// channel's sum of `dy` and sum of `dy` times the normalised value, `[2, channels]`, to
    /// `sums`.
    ///
    /// # Panics
    /// If the lengths disagree.
    pub fn gradient_sums(&self, z: &[f32], y: &[f32], dy: &mut [f32], sums: &mut [f32]) {
        assert!(z.len() == y.len() && z.len() == dy.len() && sums.len() == 2 * self.channels());
        dispatch(GradientSums {
            norm: self,
            z,
            y,
            dy,
            sums,
        });
    }

    /// Gradients of gamma and beta, and the coefficients of the second pass, from the sums of the
    /// first pass over all parts; `count` is the number of values of each channel.
    pub fn gradient(&self, parts: &[f32], count: usize) -> Gradient<'_> {
        let (dbeta, dgamma) = total(parts, self.channels());
        let n = count as f64;
        let slope: Vec<f32> = (0..self.channels())
            .map(|i| self.scale[i] * self.inverse_std[i] * (dgamma[i] / n) as f32)
            .collect();
        let offset = (0..self.channels())
            .map(|i| self.scale[i] * (dbeta[i] / n) as f32 - slope[i] * self.mean[i])
            .collect();
        Gradient {
            norm: self,
            gamma: dgamma.into_iter().map(|s| s as f32).collect(),
            beta: dbeta.into_iter().map(|s| s as f32).collect(),
            slope,
            offset,
        }
    }
}

/// The gradients of a normalisation.
#[derive(Debug)]
pub struct Gradient<'a> {
    norm: &'a Normalisation,
    /// The gradient of gamma.
    pub gamma: Vec<f32>,
    /// The gradient of beta.
    pub beta: Vec<f32>,
    slope: Vec<f32>,
    offset: Vec<f32>,
}

impl Gradient<'_> {
    /// Second pass: writes the gradient of `z` to `dz`, from `dy` as the first pass changed it.
    ///
    /// # Panics
    /// If the lengths disagree.
    pub fn input(&self, z: &[f32], dy: &[f32], dz: &mut [f32]) {
        assert!(z.len() == dy.len() && z.len() == dz.len());
        dispatch(InputGradient {
            gradient: self,
            z,
            dy,
            dz,
        });
    }
}

struct Forward<'a> {
    norm: &'a Normalisation,
    z: &'a [f32],
    residual: Option<&'a [f32]>,
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let c = self.norm.channels();
        let (scale, shift) = (&self.norm.scale[..c], &self.norm.shift[..c]);
        let floor = if self.norm.relu {
            0.0
        } else {
            f32::NEG_INFINITY
        };
        let rows = self.y.chunks_exact_mut(c).zip(self.z.chunks_exact(c));
        if let Some(residual) = self.residual {
            for ((y, z), r) in rows.zip(residual.chunks_exact(c)) {
                for i in 0..c {
                    y[i] = (z[i] * scale[i] + shift[i] + r[i]).max(floor);
                }
            }
        } else {
            for (y, z) in rows {
                for i in 0..c {
                    y[i] = (z[i] * scale[i] + shift[i]).max(floor);
                }
            }
        }
    }
}

struct GradientSums<'a> {
    norm: &'a Normalisation,
    z: &'a [f32],
    y: &'a [f32],
    dy: &'a mut [f32],
    sums: &'a mut [f32],
}

impl Kernel for GradientSums<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let c = self.norm.channels();
        if self.norm.relu {
            for (dy, y) in self.dy.iter_mut().zip(self.y) {
                *dy = if *y > 0.0 { *dy } else { 0.0 };
            }
        }
        // SAFETY: the caller guarantees that the processor supports `S`. `gradient_sums`, which makes
        // this kernel, asserted that `sums` has `2 * c` values; a row of `z` or `dy` has `c`.
        unsafe { each_column::<S>(&mut self, c) }
    }
}

impl Columns for GradientSums<'_> {
    #[inline(always)]
    unsafe fn work<S: Simd, const V: usize>(&mut self, column: usize) {
        let c = self.norm.channels();
        // SAFETY: the caller guarantees that the processor supports `S` and that `V * S::LANES`
        // columns from `column` on are below `c`. A row of `z` or `dy` has `c` values, `sums` has
        // `2 * c`, and `Normalisation::new` asserted that `mean` and `inverse_std` have `c` each.
        unsafe {
            let mut sum = [S::splat(0.0); V];
            let mut product = [S::splat(0.0); V];
            let mean: [S::Vector; V] = std::array::from_fn(|v| {
                S::load(self.norm.mean.as_ptr().add(column + v * S::LANES))
            });
            for (z, dy) in self.z.chunks_exact(c).zip(self.dy.chunks_exact(c)) {
                for v in 0..V {
                    let z = S::load(z.as_ptr().add(column + v * S::LANES));
                    let dy = S::load(dy.as_ptr().add(column + v * S::LANES));
                    sum[v] = S::add(sum[v], dy);
                    product[v] = S::multiply_add(dy, S::subtract(z, mean[v]), product[v]);
                }
            }
            let to = self.sums.as_mut_ptr().add(column);
            for v in 0..V {
                let inverse_std =
                    S::load(self.norm.inverse_std.as_ptr().add(column + v * S::LANES));
                S::store(to.add(v * S::LANES), sum[v]);
                S::store(
                    to.add(c + v * S::LANES),
                    S::multiply(product[v], inverse_std),
                );
            }
        }
    }
}

struct InputGradient<'a> {
    gradient: &'a Gradient<'a>,
    z: &'a [f32],
    dy: &'a [f32],
    dz: &'a mut [f32],
}

impl Kernel for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let c = self.gradient.norm.channels();
        let scale = &self.gradient.norm.scale[..c];
        let (slope, offset) = (&self.gradient.slope[..c], &self.gradient.offset[..c]);
        let rows = self.dz.chunks_exact_mut(c).zip(self.z.chunks_exact(c));
        for ((dz, z), dy) in rows.zip(self.dy.chunks_exact(c)) {
            for i in 0..c {
                dz[i] = scale[i] * dy[i] - (offset[i] + slope[i] * z[i]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With fewer variances than means, the gradient would read past the inverse deviations.
    #[test]
    #[should_panic(expected = "statistics.variance.len()")]
    fn statistics_with_fewer_variances_than_means_panic() {
        let statistics = BatchStatistics {
            mean: vec![0.0; 2],
            variance: vec![1.0],
            count: 1,
        };
        Normalisation::new(&statistics, &[1.0; 2], &[0.0; 2], 1e-5, false);
    }
}
