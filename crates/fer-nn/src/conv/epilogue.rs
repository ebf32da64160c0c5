//! What a convolution does with a sum before it writes it.

use super::panels::PANEL;
use crate::simd::Simd;

/// What becomes of a sum before it is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Added to every pixel; as many values as a target pixel has channels.
    pub bias: Option<&'a [f32]>,
    /// Images added, shaped like the target.
    pub add: Add<'a>,
    /// Whether negative values become zero.
    pub relu: bool,
}

/// What a convolution's result is added to.
#[derive(Debug, Clone, Copy, Default)]
pub enum Add<'a> {
    /// Nothing: the target is overwritten.
    #[default]
    Nothing,
    /// What the target holds.
    Target,
    /// Other images.
    Images(&'a [f32]),
}

impl Epilogue<'_> {
    /// Makes sure that the slices fit a target of `len` values with so many channels.
    ///
    /// # Panics
    /// If they do not.
    pub fn check(&self, len: usize, channels: usize) {
        assert!(self.bias.is_none_or(|bias| bias.len() == channels));
        if let Add::Images(images) = self.add {
            assert!(images.len() == len);
        }
    }

    /// Completes a register of sums and writes it to the channels from `column` on of the pixel that
    /// begins at `start` of the target `y`.
    ///
    /// # Safety
    /// The processor must have the unit `S`, the slices must have been checked, and the pixel must
    /// lie in the target.
    #[inline(always)]
    pub unsafe fn finish<S: Simd>(
        &self,
        mut sum: S::Vector,
        y: *mut f32,
        start: usize,
        column: usize,
        channels: usize,
    ) {
        // SAFETY: whole registers are only read and written where they fit.
        unsafe {
            let add = match self.add {
                Add::Nothing => None,
                Add::Target => Some(y.cast_const().add(start)),
                Add::Images(images) => Some(images.as_ptr().add(start)),
            };
            if column + S::LANES <= channels {
                if let Some(bias) = self.bias {
                    sum = S::add(sum, S::load(bias.as_ptr().add(column)));
                }
                if let Some(add) = add {
                    sum = S::add(sum, S::load(add.add(column)));
                }
                if self.relu {
                    sum = S::max(sum, S::splat(0.0));
                }
                S::store(y.add(start + column), sum);
            } else {
                let mut part = [0.0; PANEL];
                S::store(part.as_mut_ptr(), sum);
                let floor = if self.relu { 0.0 } else { f32::NEG_INFINITY };
                for i in column..channels {
                    let bias = self.bias.map_or(0.0, |bias| bias[i]);
                    let add = add.map_or(0.0, |add| *add.add(i));
                    *y.add(start + i) = (part[i - column] + bias + add).max(floor);
                }
            }
        }
    }
}
