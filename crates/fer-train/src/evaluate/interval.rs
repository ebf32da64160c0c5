//! Proportions with confidence intervals.

use serde::Serialize;

/// The proportion of `correct` in `total`, with its 95 % Wilson interval (1927).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Proportion {
    /// Number of correct cases.
    pub correct: usize,
    /// Number of all cases.
    pub total: usize,
    /// Their ratio; 0 without any case.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Proportion {
    /// The proportion of `correct` in `total`.
    pub fn new(correct: usize, total: usize) -> Self {
        const Z: f64 = 1.959_963_984_540_054; // 97.5 % of the normal distribution lie below
        if total == 0 {
            return Self {
                correct,
                total,
                value: 0.0,
                low: 0.0,
                high: 1.0,
            };
        }
        let n = total as f64;
        let p = correct as f64 / n;
        let denominator = 1.0 + Z * Z / n;
        let centre = (p + Z * Z / (2.0 * n)) / denominator;
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / denominator;
        Self {
            correct,
            total,
            value: p,
            low: (centre - half).max(0.0),
            high: (centre + half).min(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_matches_a_published_example() {
        // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
        let p = Proportion::new(81, 263);
        assert!(
            (p.low - 0.2553).abs() < 5e-5 && (p.high - 0.3662).abs() < 5e-5,
            "{p:?}"
        );
        // and 0 of 20 gives 0 to 0.1611.
        let p = Proportion::new(0, 20);
        assert!(
            p.low.abs() < 1e-12 && (p.high - 0.1611).abs() < 5e-5,
            "{p:?}"
        );
    }
}
