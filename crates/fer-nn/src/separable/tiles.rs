//! Covers a row of output pixels with tiles.

use crate::simd::Simd;

/// As a constant of a kernel's type: the value is known only at run time.
pub(super) const DYNAMIC: usize = 0;

/// A kernel that computes a row of output pixels tile by tile: some neighbouring pixels, of some groups of output
/// channels. Its type has the constants of the copy that is compiled for it.
pub(super) trait Tiles: Sized {
    /// Number of output pixels in the row.
    fn width(&self) -> usize;

    /// Number of groups of output channels.
    fn groups(&self) -> usize;

    /// Computes a tile of `P` pixels and `G` groups of `V` registers.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`, `V` registers must be a group, the pixels from `x` to `x +
    /// P` and the groups from `group` to `group + G` must exist, and what the kernel requires of its fields must hold.
    unsafe fn tile<S: Simd, const V: usize, const P: usize, const G: usize>(
        &mut self,
        x: usize,
        group: usize,
    );

    /// Computes all groups, `G` at a time.
    ///
    /// # Safety
    /// As for [`Self::tile`], without what is said of pixels and groups.
    #[inline(always)]
    unsafe fn all<S: Simd, const V: usize, const P: usize, const G: usize>(mut self) {
        let groups = self.groups();
        let mut group = 0;
        while group < groups {
            // SAFETY: the caller guarantees `S` and the fields; the conditions ensure that the groups exist.
            unsafe {
                if group + G <= groups {
                    self.row::<S, V, P, G>(group);
                    group += G;
                } else {
                    self.row::<S, V, P, 1>(group);
                    group += 1;
                }
            }
        }
    }

    /// Computes all pixels of `G` neighbouring groups.
    ///
    /// # Safety
    /// As for [`Self::tile`], without what is said of pixels.
    #[inline(always)]
    unsafe fn row<S: Simd, const V: usize, const P: usize, const G: usize>(
        &mut self,
        group: usize,
    ) {
        let width = self.width();
        // SAFETY: the caller guarantees `S`, the fields and the groups; each tile ends at pixel `width` at most.
        unsafe {
            if width < P {
                for x in 0..width {
                    self.tile::<S, V, 1, G>(x, group);
                }
            } else {
                // The last tile overlaps the one before it, so that all tiles have `P` pixels.
                for x in (0..width).step_by(P) {
                    self.tile::<S, V, P, G>(x.min(width - P), group);
                }
            }
        }
    }
}
