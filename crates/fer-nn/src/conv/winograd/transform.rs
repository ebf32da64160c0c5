//! Transforms tiles to the interpolation points, and products back to output tiles.

use super::tiling::{Size, Tiling};
use crate::simd::{Columns, Simd, each_column};

/// Unused values between the matrices of two points, so that the same row of all matrices does not
/// compete for the same cache lines.
const GAP: usize = 16;

/// Number of pixels of the largest tile.
const MAX_TILE_PIXELS: usize = Size::Four.points();

/// A register for each element of a tile of `H × W`.
type Tile<S, const H: usize, const W: usize> = [[<S as Simd>::Vector; W]; H];

/// `Aᵀ m`: one dimension of the transform from `IN` points to `OUT` output pixels, 4 to 2 or 6 to 4.
///
/// # Safety
/// The processor must support the instruction set `S`.
#[inline(always)]
unsafe fn inverse_transform_1d<S: Simd, const IN: usize, const OUT: usize>(
    m: [S::Vector; IN],
) -> [S::Vector; OUT] {
    // SAFETY: the caller guarantees that the processor supports `S`; nothing here touches memory.
    unsafe {
        let (sum1, difference1) = (S::add(m[1], m[2]), S::subtract(m[1], m[2]));
        let mut y = [m[0]; OUT];
        if OUT == 2 {
            y[0] = S::add(m[0], sum1);
            y[1] = S::subtract(difference1, m[3]);
        } else {
            let (sum2, difference2) = (S::add(m[3], m[4]), S::subtract(m[3], m[4]));
            y[0] = S::add(m[0], S::add(sum1, sum2));
            y[1] = S::multiply_add(S::splat(2.0), difference2, difference1);
            y[2] = S::multiply_add(S::splat(4.0), sum2, sum1);
            y[3] = S::multiply_add(S::splat(8.0), difference2, S::add(difference1, m[5]));
        }
        y
    }
}

/// One dimension of the transform to `IN` points: `Bᵀ d` of an input tile, whose `SIDE` is `IN`, or
/// `A y` of the gradient of an output tile, whose `SIDE` is `IN - 2`.
///
/// # Safety
/// The processor must support the instruction set `S`.
#[inline(always)]
unsafe fn forward_transform_1d<S: Simd, const SIDE: usize, const IN: usize>(
    d: [S::Vector; SIDE],
) -> [S::Vector; IN] {
    // SAFETY: the caller guarantees that the processor supports `S`; nothing here touches memory.
    unsafe {
        let mut v = [d[0]; IN];
        match (SIDE, IN) {
            (4, 4) => {
                v[0] = S::subtract(d[0], d[2]);
                v[1] = S::add(d[1], d[2]);
                v[2] = S::subtract(d[2], d[1]);
                v[3] = S::subtract(d[1], d[3]);
            }
            (2, 4) => {
                v[1] = S::add(d[0], d[1]);
                v[2] = S::subtract(d[0], d[1]);
                v[3] = S::subtract(S::splat(0.0), d[1]);
            }
            (6, 6) => {
                let even = S::multiply_add(S::splat(-4.0), d[2], d[4]);
                let odd = S::multiply_add(S::splat(-4.0), d[1], d[3]);
                let even2 = S::subtract(d[4], d[2]);
                let odd2 = S::subtract(d[3], d[1]);
                let last = S::subtract(d[5], d[3]);
                v[0] = S::multiply_add(S::splat(4.0), S::subtract(d[0], d[2]), even2);
                v[1] = S::add(even, odd);
                v[2] = S::subtract(even, odd);
                v[3] = S::multiply_add(S::splat(2.0), odd2, even2);
                v[4] = S::multiply_add(S::splat(-2.0), odd2, even2);
                v[5] = S::multiply_add(S::splat(-4.0), odd2, last);
            }
            _ => {
                let (even, odd) = (S::add(d[0], d[2]), S::add(d[1], d[3]));
                let even2 = S::multiply_add(S::splat(4.0), d[2], d[0]);
                let odd2 = S::multiply_add(S::splat(4.0), d[3], d[1]);
                v[1] = S::add(even, odd);
                v[2] = S::subtract(even, odd);
                v[3] = S::multiply_add(S::splat(2.0), odd2, even2);
                v[4] = S::multiply_add(S::splat(-2.0), odd2, even2);
                v[5] = d[3];
            }
        }
        v
    }
}

/// A matrix `[tiles, columns]` for each point, all in one buffer.
#[derive(Clone, Copy)]
pub(super) struct PointMatrices {
    start: *mut f32,
    columns: usize,
    /// Distance in values between the matrices of two neighbouring points.
    pub stride: usize,
}

impl PointMatrices {
    /// Number of values that the buffer must hold.
    pub const fn len(points: usize, tiles: usize, columns: usize) -> usize {
        points * (tiles * columns + GAP)
    }

    /// Lays the matrices out in a buffer, which must outlive every access through
    /// [`PointMatrices::at`].
    pub fn new(buffer: &mut [f32], points: usize, tiles: usize, columns: usize) -> Self {
        assert!(buffer.len() >= Self::len(points, tiles, columns));
        Self {
            start: buffer.as_mut_ptr(),
            columns,
            stride: tiles * columns + GAP,
        }
    }

    /// A pointer to a value in the row of `tile` of the matrix of `point`.
    ///
    /// # Safety
    /// The buffer must still be there, and point, tile and column must be below the numbers that it
    /// was laid out for.
    #[inline(always)]
    pub unsafe fn at(self, point: usize, tile: usize, column: usize) -> *mut f32 {
        // SAFETY: the caller guarantees the buffer and the indices. `new` asserted the buffer's
        // length, so the sum is an index in it.
        unsafe {
            self.start
                .add(point * self.stride + tile * self.columns + column)
        }
    }
}

/// The transform of the tiles of images, `SIDE` pixels in each direction, to `IN` points in each
/// direction.
pub(super) struct ForwardTransform<'a, const SIDE: usize, const IN: usize> {
    tiling: Tiling,
    images: &'a [f32],
    channels: usize,
    zeros: &'a [f32],
    /// The current tile.
    tile: usize,
    to: PointMatrices,
    /// Pointers to the first channels of the current tile's pixels.
    pixels: [*const f32; MAX_TILE_PIXELS],
}

impl<'a, const SIDE: usize, const IN: usize> ForwardTransform<'a, SIDE, IN> {
    /// A transform of `images` into `to`; `zeros` is used for pixels outside the image and must have as many values as
    /// `to` has columns.
    pub fn new(tiling: Tiling, images: &'a [f32], zeros: &'a [f32], to: PointMatrices) -> Self {
        Self {
            tiling,
            images,
            channels: to.columns,
            zeros,
            tile: 0,
            to,
            pixels: [std::ptr::null(); MAX_TILE_PIXELS],
        }
    }

    /// Transforms the first `tiles` tiles.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`. `images` and `to` must hold that many
    /// tiles with as many channels as `to` has columns, `zeros` that many values, and the buffer of
    /// `to` must still be there.
    #[inline(always)]
    pub unsafe fn all<S: Simd>(&mut self, tiles: usize) {
        for tile in 0..tiles {
            self.tile = tile;
            // An input tile begins one pixel before its output tile, the gradient of an output tile
            // does not.
            let window = self.tiling.window(tile, SIDE, (SIDE + 2 - IN) / 2);
            for y in 0..SIDE {
                for x in 0..SIDE {
                    let inside = window.rows.contains(y) && window.columns.contains(x);
                    self.pixels[y * SIDE + x] = if inside {
                        self.images[window.pixel(y, x) * self.channels..].as_ptr()
                    } else {
                        self.zeros.as_ptr()
                    };
                }
            }
            // SAFETY: the caller guarantees `S`; each pointer is to `channels` values of `images`
            // or `zeros`.
            unsafe { each_column::<S>(self, self.channels) }
        }
    }
}

impl<const SIDE: usize, const IN: usize> Columns for ForwardTransform<'_, SIDE, IN> {
    #[inline(always)]
    unsafe fn work<S: Simd, const V: usize>(&mut self, column: usize) {
        // SAFETY: the caller guarantees `S` and columns below `channels`. `all` set a pointer to
        // `channels` values for each pixel of the tile, and its caller guarantees that `to` has the
        // tile's row at each of the `IN × IN` points.
        unsafe {
            for column in (0..V).map(|v| column + v * S::LANES) {
                let mut rows: Tile<S, SIDE, IN> = [[S::splat(0.0); IN]; SIDE];
                for (pixels, row) in self.pixels.chunks_exact(SIDE).zip(&mut rows) {
                    let mut values = [S::splat(0.0); SIDE];
                    for (value, pixel) in values.iter_mut().zip(pixels) {
                        *value = S::load(pixel.add(column));
                    }
                    *row = forward_transform_1d::<S, SIDE, IN>(values);
                }
                for x in 0..IN {
                    let mut values = [S::splat(0.0); SIDE];
                    for (value, row) in values.iter_mut().zip(rows) {
                        *value = row[x];
                    }
                    for (y, value) in forward_transform_1d::<S, SIDE, IN>(values)
                        .into_iter()
                        .enumerate()
                    {
                        S::store(self.to.at(y * IN + x, self.tile, column), value);
                    }
                }
            }
        }
    }
}

/// Transforms one register of columns of a tile back from the points to `OUT × OUT` output pixels;
/// `points` is its address at the first point, `stride` that of [`PointMatrices`].
///
/// # Safety
/// The processor must support the instruction set `S`, and a register must be readable at each of
/// the `IN × IN` points.
#[inline(always)]
pub(super) unsafe fn inverse_transform<S: Simd, const IN: usize, const OUT: usize>(
    points: *const f32,
    stride: usize,
) -> Tile<S, OUT, OUT> {
    // SAFETY: the caller guarantees `S` and a readable register at each point.
    unsafe {
        let mut rows: Tile<S, OUT, IN> = [[S::splat(0.0); IN]; OUT];
        for x in 0..IN {
            let mut column = [S::splat(0.0); IN];
            for (y, value) in column.iter_mut().enumerate() {
                *value = S::load(points.add((y * IN + x) * stride));
            }
            let column = inverse_transform_1d::<S, IN, OUT>(column);
            for (row, value) in rows.iter_mut().zip(column) {
                row[x] = value;
            }
        }
        let mut tile = [[S::splat(0.0); OUT]; OUT];
        for (tile, row) in tile.iter_mut().zip(rows) {
            *tile = inverse_transform_1d::<S, IN, OUT>(row);
        }
        tile
    }
}
