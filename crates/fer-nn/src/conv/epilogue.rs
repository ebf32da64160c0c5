//! The epilogue of a convolution: bias, addition and rectifier, applied to a sum before it is
//! written.

use super::panels::PANEL;
use crate::simd::Simd;

/// Operations on a convolution's sums before they are written, in the order of the fields.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// A bias, added to every pixel; one value per target channel.
    pub bias: Option<&'a [f32]>,
    /// Values added to the sums.
    pub add: Add<'a>,
    /// Whether negative values become zero (the rectifier).
    pub relu: bool,
}

/// The values to which a convolution's result is added.
#[derive(Debug, Clone, Copy, Default)]
pub enum Add<'a> {
    /// Nothing: the target is overwritten.
    #[default]
    Nothing,
    /// The target's present values.
    Target,
    /// Other images, shaped like the target.
    Images(&'a [f32]),
}

impl Epilogue<'_> {
    /// Checks that the slices fit a target of `len` values with `channels` per pixel.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn check(&self, len: usize, channels: usize) {
        assert!(self.bias.is_none_or(|bias| bias.len() == channels));
        if let Add::Images(images) = self.add {
            assert!(images.len() == len);
        }
    }

    /// Applies the epilogue to a register of sums and writes it to the target `y`: to the pixel
    /// whose `channels` values begin at `start`, from channel `column` on. Lanes past the last
    /// channel are dropped.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`, [`Epilogue::check`] must have accepted
    /// the target's length and `channels`, and the values from `start` to `start + channels` must
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
        // SAFETY: the caller guarantees `S` and a pixel inside the target. `check` asserted that
        // `bias` has `channels` values and that added images are as long as the target. The first
        // branch reads and writes whole registers only where they end within the pixel's channels;
        // the second one accesses single channels below `channels`, and `part` holds a register of
        // any `S`.
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
