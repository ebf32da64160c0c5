//! Generates reproducible values and sizes for differential tests, and compares their results.

/// A linear congruential generator with the constants of Numerical Recipes.
pub struct Noise(u32);

impl Noise {
    /// A generator whose numbers depend on `seed` alone.
    pub const fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(2_654_435_761).wrapping_add(12_345))
    }

    /// `n` values from -½ to ½.
    pub fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n)
            .map(|_| self.next() as f32 / (1 << 24) as f32 - 0.5)
            .collect()
    }

    /// A number from `least` to `most`.
    pub const fn number(&mut self, least: usize, most: usize) -> usize {
        least + self.next() as usize % (most - least + 1)
    }

    /// A size from `least` to `most`; under Miri, which interprets each instruction, only from the
    /// lower third.
    pub const fn size(&mut self, least: usize, most: usize) -> usize {
        let most = if cfg!(miri) {
            least + (most - least) / 3
        } else {
            most
        };
        self.number(least, most)
    }

    /// One of `choices`.
    pub const fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.number(0, choices.len() - 1)]
    }

    const fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
}

/// Number of cases of a differential test; fewer under Miri, which interprets each instruction.
pub const CASES: u32 = if cfg!(miri) { 3 } else { 60 };

/// Asserts that values equal those of a reference up to rounding: a difference may be 2e-5 of the
/// largest reference value, or 2e-5 where all are below 1.
#[track_caller]
pub fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_within(2e-5, found, expected, what);
}

/// [`assert_close`] with another tolerance.
#[track_caller]
pub fn assert_within(tolerance: f32, found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0_f32, |most, v| most.max(v.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * scale,
            "{what}: {a} and {b} at {i}"
        );
    }
}
