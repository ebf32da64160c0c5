//! Cutting images into tiles.

use crate::conv::Geometry;
use crate::simd::Simd;

/// Work on tiles, written once for every size.
pub(super) trait Tiled {
    /// Works on tiles of `OUT` output pixels each way, with the products taken at `IN` points each way.
    ///
    /// # Safety
    /// The processor must have the unit `S`.
    unsafe fn work<S: Simd, const IN: usize, const OUT: usize>(self);
}

/// How large tiles are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// F(2×2, 3×3).
    Two,
    /// F(4×4, 3×3).
    Four,
}

impl Size {
    /// Side of an output tile.
    pub const fn out(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Points at which the products are taken.
    pub const fn points(self) -> usize {
        let side = self.out() + 2;
        side * side
    }

    /// Does the work for this size.
    ///
    /// # Safety
    /// The processor must have the unit `S`.
    #[inline(always)]
    pub(super) unsafe fn work<S: Simd>(self, work: impl Tiled) {
        // SAFETY: the caller has the unit.
        unsafe {
            match self {
                Self::Two => work.work::<S, 4, 2>(),
                Self::Four => work.work::<S, 6, 4>(),
            }
        }
    }
}

/// How images are cut into tiles.
#[derive(Debug, Clone, Copy)]
pub struct Tiling {
    /// The tiles' size.
    pub size: Size,
    height: usize,
    width: usize,
}

impl Tiling {
    /// For a 3×3 convolution of stride 1 that keeps the size; others have none.
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

    /// Tiles of an image.
    pub const fn tiles(&self) -> usize {
        let out = self.size.out();
        self.height.div_ceil(out) * self.width.div_ceil(out)
    }

    pub(super) const fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Where the pixels of a tile are, counted in pixels over all images; the tile has `side` pixels
    /// each way and begins `margin` before its output pixels.
    #[inline(always)]
    pub(super) const fn window(&self, tile: usize, side: usize, margin: usize) -> Window {
        let out = self.size.out();
        let across = self.width.div_ceil(out);
        let (image, tile) = (tile / self.tiles(), tile % self.tiles());
        let (top, left) = (tile / across * out, tile % across * out);
        Window {
            // The margin may lie before the first pixel: taken back when a pixel inside is reached.
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
    /// Rows of the tile inside the image.
    pub rows: Span,
    /// Columns of the tile inside the image.
    pub columns: Span,
}

/// The part of a tile's side that lies inside the image.
#[derive(Clone, Copy)]
pub(super) struct Span {
    from: usize,
    /// The first place past it.
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
    /// The pixel at a place of the tile, which must be inside the image.
    #[inline(always)]
    pub(super) const fn pixel(&self, y: usize, x: usize) -> usize {
        self.start.wrapping_add(y * self.width + x)
    }
}
