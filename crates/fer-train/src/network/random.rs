//! Seeded random numbers for weights and dropout; candle's CPU generator cannot be seeded.

use rand_xoshiro::rand_core::{RngCore as _, SeedableRng as _};

/// `SplitMix64` (Steele, Lea and Flood 2014): the same sequence on every machine.
#[derive(Debug, Clone)]
pub struct SplitMix64(rand_xoshiro::SplitMix64);

impl SplitMix64 {
    /// Seeds the generator.
    pub fn new(seed: u64) -> Self {
        Self(rand_xoshiro::SplitMix64::seed_from_u64(seed))
    }

    /// Uniform in 0 (included) to 1 (excluded).
    pub fn uniform(&mut self) -> f32 {
        (self.0.next_u64() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // The first number for seed 1234567, as the reference implementation prints it: 6457827717110365317.
        let first = SplitMix64::new(1_234_567).uniform();
        assert!((f64::from(first) - 6_457_827_717_110_365_317.0 / 2.0_f64.powi(64)).abs() < 1e-7);
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut random = SplitMix64::new(7);
        let n = 20_000;
        let values: Vec<f32> = (0..n).map(|_| random.normal()).collect();
        let mean = values.iter().sum::<f32>() / n as f32;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n as f32;
        assert!(
            mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05,
            "{mean} {variance}"
        );
    }
}
