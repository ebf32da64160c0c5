//! Tiles at the points, and back.

use super::tiling::{Size, Tiling};
use crate::simd::{Columns, Simd, each_column};

/// Between the points' matrices, so that their rows do not fall on the same cache lines.
const GAP: usize = 16;

/// The most pixels that a tile has.
const MOST: usize = Size::Four.points();

/// One vector a place of a tile.
type Tile<S, const H: usize, const W: usize> = [[<S as Simd>::Vector; W]; H];

/// `Aᵀ m`, for tiles of 2 or 4.
#[inline(always)]
unsafe fn output_transform<S: Simd, const IN: usize, const OUT: usize>(
    m: [S::Vector; IN],
) -> [S::Vector; OUT] {
    // SAFETY: the caller has the unit.
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

/// One dimension of an input tile (as many values as there are points, `Bᵀ d`) or of the gradient of an
/// output tile (two fewer, `A y`) at the points.
#[inline(always)]
unsafe fn to_points<S: Simd, const SIDE: usize, const IN: usize>(
    d: [S::Vector; SIDE],
) -> [S::Vector; IN] {
    // SAFETY: the caller has the unit.
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

/// The points' matrices `[points, tiles, columns]` in one buffer.
#[derive(Clone, Copy)]
pub(super) struct Matrices {
    start: *mut f32,
    columns: usize,
    /// Values between the same place at neighbouring points.
    pub stride: usize,
}

impl Matrices {
    /// Values that the buffer must hold.
    pub const fn len(points: usize, tiles: usize, columns: usize) -> usize {
        points * (tiles * columns + GAP)
    }

    /// In a buffer, which must stay while they are used.
    pub fn new(buffer: &mut [f32], points: usize, tiles: usize, columns: usize) -> Self {
        assert!(buffer.len() >= Self::len(points, tiles, columns));
        Self {
            start: buffer.as_mut_ptr(),
            columns,
            stride: tiles * columns + GAP,
        }
    }

    /// A place of a tile's row at a point.
    #[inline(always)]
    pub unsafe fn at(self, point: usize, tile: usize, column: usize) -> *mut f32 {
        // SAFETY: the caller vouches for the place.
        unsafe {
            self.start
                .add(point * self.stride + tile * self.columns + column)
        }
    }
}

/// Brings tiles of images, so many pixels wide, to the points, so many in each direction.
pub(super) struct ToPoints<'a, const SIDE: usize, const IN: usize> {
    tiling: Tiling,
    images: &'a [f32],
    channels: usize,
    zeros: &'a [f32],
    tile: usize,
    to: Matrices,
    /// Where the pixels of the tile are.
    pixels: [*const f32; MOST],
}

impl<'a, const SIDE: usize, const IN: usize> ToPoints<'a, SIDE, IN> {
    pub fn new(tiling: Tiling, images: &'a [f32], zeros: &'a [f32], to: Matrices) -> Self {
        Self {
            tiling,
            images,
            channels: to.columns,
            zeros,
            tile: 0,
            to,
            pixels: [std::ptr::null(); MOST],
        }
    }

    /// Brings the first so many tiles.
    #[inline(always)]
    pub unsafe fn all<S: Simd>(&mut self, tiles: usize) {
        for tile in 0..tiles {
            self.tile = tile;
            // An input tile begins a pixel before its output tile.
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
            // SAFETY: the pixels have that many channels.
            unsafe { each_column::<S>(self, self.channels) }
        }
    }
}

impl<const SIDE: usize, const IN: usize> Columns for ToPoints<'_, SIDE, IN> {
    #[inline(always)]
    unsafe fn work<S: Simd, const V: usize>(&mut self, column: usize) {
        // SAFETY: the caller vouches for the columns.
        unsafe {
            for column in (0..V).map(|v| column + v * S::LANES) {
                let mut rows: Tile<S, SIDE, IN> = [[S::splat(0.0); IN]; SIDE];
                for (pixels, row) in self.pixels.chunks_exact(SIDE).zip(&mut rows) {
                    let mut values = [S::splat(0.0); SIDE];
                    for (value, pixel) in values.iter_mut().zip(pixels) {
                        *value = S::load(pixel.add(column));
                    }
                    *row = to_points::<S, SIDE, IN>(values);
                }
                for x in 0..IN {
                    let mut values = [S::splat(0.0); SIDE];
                    for (value, row) in values.iter_mut().zip(rows) {
                        *value = row[x];
                    }
                    for (y, value) in to_points::<S, SIDE, IN>(values).into_iter().enumerate() {
                        S::store(self.to.at(y * IN + x, self.tile, column), value);
                    }
                }
            }
        }
    }
}

/// Brings one register of a tile back from the points.
#[inline(always)]
pub(super) unsafe fn from_points<S: Simd, const IN: usize, const OUT: usize>(
    points: *const f32,
    stride: usize,
) -> Tile<S, OUT, OUT> {
    // SAFETY: the caller vouches for the points.
    unsafe {
        let mut rows: Tile<S, OUT, IN> = [[S::splat(0.0); IN]; OUT];
        for x in 0..IN {
            let mut column = [S::splat(0.0); IN];
            for (y, value) in column.iter_mut().enumerate() {
                *value = S::load(points.add((y * IN + x) * stride));
            }
            let column = output_transform::<S, IN, OUT>(column);
            for (row, value) in rows.iter_mut().zip(column) {
                row[x] = value;
            }
        }
        let mut tile = [[S::splat(0.0); OUT]; OUT];
        for (tile, row) in tile.iter_mut().zip(rows) {
            *tile = output_transform::<S, IN, OUT>(row);
        }
        tile
    }
}
