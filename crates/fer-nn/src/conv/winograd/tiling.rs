//! Divides images into the tiles of Winograd's algorithm.

use crate::conv::Geometry;
use crate::simd::Simd;

/// A computation on tiles, written once for every size.
pub(super) trait Tiled {
    /// Computes with tiles of `OUT` output pixels and `IN` interpolation points in each direction.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`.
    unsafe fn work<S: Simd, const IN: usize, const OUT: usize>(self);
}

/// The size of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// F(2×2, 3×3).
    Two,
    /// F(4×4, 3×3).
    Four,
}

impl Size {
    /// Side of an output tile in pixels.
    pub const fn out(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Number of interpolation points, which is also the number of pixels of an input tile.
    pub const fn points(self) -> usize {
        let side = self.out() + 2;
        side * side
    }

    /// Runs a computation with tiles of this size.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`.
    #[inline(always)]
    pub(super) unsafe fn work<S: Simd>(self, work: impl Tiled) {
        // SAFETY: the caller guarantees that the processor supports `S`.
        unsafe {
            match self {
                Self::Two => work.work::<S, 4, 2>(),
                Self::Four => work.work::<S, 6, 4>(),
            }
        }
    }
}

/// The division of images into tiles.
#[derive(Debug, Clone, Copy)]
pub struct Tiling {
    /// The size of the tiles.
    pub size: Size,
    height: usize,
    width: usize,
}

impl Tiling {
    /// The tiling for a 3×3 convolution of stride 1 and padding 1; `None` for any other convolution.
    pub const fn new(g: &Geometry, size: Size) -> Option<Self> {
        if g.kernel == 3 && g.stride == 1 && g.padding == 1 {
            Some(Self {
                size,
                height: g.height,
                width: g.width,
            })
        } else {
            None
        }
    }

    /// Number of tiles of an image.
    pub const fn tiles(&self) -> usize {
        let out = self.size.out();
        self.height.div_ceil(out) * self.width.div_ceil(out)
    }

    /// Number of pixels of an image.
    pub(super) const fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// The pixels under a tile, as indices over all images. The window has `side` pixels in each
    /// direction and begins `margin` pixels before the tile's output pixels, above and to the left.
    #[inline(always)]
    pub(super) const fn window(&self, tile: usize, side: usize, margin: usize) -> Window {
        let out = self.size.out();
        let across = self.width.div_ceil(out);
        let (image, tile) = (tile / self.tiles(), tile % self.tiles());
        let (top, left) = (tile / across * out, tile % across * out);
        Window {
            // The margin may begin before pixel 0, where this wraps; `Window::pixel` wraps back,
            // since it is only called for pixels inside the image.
            start: (image * self.pixels() + top * self.width + left)
                .wrapping_sub(margin * self.width + margin),
            width: self.width,
            rows: Span::new(top, self.height, side, margin),
            columns: Span::new(left, self.width, side, margin),
        }
    }
}

/// The pixels under a tile.
#[derive(Clone, Copy)]
pub(super) struct Window {
    start: usize,
    width: usize,
    /// Rows of the window that lie inside the image.
    pub rows: Span,
    /// Columns of the window that lie inside the image.
    pub columns: Span,
}

/// The part of a window's side that lies inside the image, counted from the window's beginning.
#[derive(Clone, Copy)]
pub(super) struct Span {
    from: usize,
    /// One past the last pixel of the part.
    pub to: usize,
}

impl Span {
    #[inline(always)]
    const fn new(start: usize, limit: usize, side: usize, margin: usize) -> Self {
        let left = limit + margin - start;
        Self {
            from: margin.saturating_sub(start),
            to: if left < side { left } else { side },
        }
    }

    #[inline(always)]
    pub(super) const fn contains(self, at: usize) -> bool {
        self.from <= at && at < self.to
    }
}

impl Window {
    /// The index of the pixel in row `y` and column `x` of the window, which must lie inside the
    /// image.
    #[inline(always)]
    pub(super) const fn pixel(&self, y: usize, x: usize) -> usize {
        self.start.wrapping_add(y * self.width + x)
    }
}
