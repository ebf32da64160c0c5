//! 3×3 convolutions of stride 1 by Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray 2015):
//! a tile of 4×4 output pixels costs 36 multiplications a channel pair instead of 144.
//!
//! With `V = Bᵀ x B` for an input tile and `U = G k Gᵀ` for the kernel, the output tile is
//! `Aᵀ (U ⊙ V) A`. The sums over channels are 36 matrix products. The gradient of the kernel is the
//! adjoint: `Gᵀ (V ⊙ A dy Aᵀ) G`, summed over the tiles.

use super::Geometry;
use super::epilogue::Epilogue;
use super::outer::{CHUNK, Pairs, Products};
use super::panels::{Panels, multiply};
use crate::nn::scratch::Buffer;
use crate::nn::simd::{Columns, Kernel, Rows, Simd, each_column, each_row};

/// Side of an output tile.
const OUT: usize = 4;
/// Side of an input tile.
const IN: usize = 6;
/// Points at which the products are taken.
pub const POINTS: usize = IN * IN;
/// Between the points' matrices, so that their rows do not fall on the same cache lines.
const GAP: usize = 16;

/// How images are cut into tiles.
#[derive(Debug, Clone, Copy)]
pub struct Tiling {
    height: usize,
    width: usize,
}

impl Tiling {
    /// For a 3×3 convolution of stride 1 that keeps the size; others have none.
    pub const fn new(g: &Geometry) -> Option<Self> {
        if g.kernel == 3 && g.stride == 1 && g.padding == 1 {
            Some(Self {
                height: g.height,
                width: g.width,
            })
        } else {
            None
        }
    }

    /// Tiles of an image.
    pub const fn tiles(&self) -> usize {
        self.height.div_ceil(OUT) * self.width.div_ceil(OUT)
    }

    const fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Where the pixels of a tile are, counted in pixels over all images; the tile has `side` pixels
    /// each way and begins `margin` before its output pixels.
    #[inline(always)]
    const fn window(&self, tile: usize, side: usize, margin: usize) -> Window {
        let across = self.width.div_ceil(OUT);
        let (image, tile) = (tile / self.tiles(), tile % self.tiles());
        let (top, left) = (tile / across * OUT, tile % across * OUT);
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
struct Window {
    start: usize,
    width: usize,
    rows: Span,
    columns: Span,
}

/// The part of a tile's side that lies inside the image.
#[derive(Clone, Copy)]
struct Span {
    from: usize,
    to: usize,
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
    const fn contains(self, at: usize) -> bool {
        self.from <= at && at < self.to
    }
}

impl Window {
    /// The pixel at a place of the tile, which must be inside the image.
    #[inline(always)]
    const fn pixel(&self, y: usize, x: usize) -> usize {
        self.start.wrapping_add(y * self.width + x)
    }
}

/// One vector a place of a tile.
type Tile<S, const H: usize, const W: usize> = [[<S as Simd>::Vector; W]; H];

/// `Aᵀ m`.
#[inline(always)]
unsafe fn output_transform<S: Simd>(m: [S::Vector; IN]) -> [S::Vector; OUT] {
    // SAFETY: the caller has the unit.
    unsafe {
        let (sum1, difference1) = (S::add(m[1], m[2]), S::subtract(m[1], m[2]));
        let (sum2, difference2) = (S::add(m[3], m[4]), S::subtract(m[3], m[4]));
        [
            S::add(m[0], S::add(sum1, sum2)),
            S::multiply_add(S::splat(2.0), difference2, difference1),
            S::multiply_add(S::splat(4.0), sum2, sum1),
            S::multiply_add(S::splat(8.0), difference2, S::add(difference1, m[5])),
        ]
    }
}

/// One dimension of an input tile (six values, `Bᵀ d`) or of the gradient of an output tile (four,
/// `A y`) at the points.
#[inline(always)]
unsafe fn to_points<S: Simd, const SIDE: usize>(d: [S::Vector; SIDE]) -> [S::Vector; IN] {
    // SAFETY: the caller has the unit.
    unsafe {
        if SIDE == IN {
            let even = S::multiply_add(S::splat(-4.0), d[2], d[4]);
            let odd = S::multiply_add(S::splat(-4.0), d[1], d[3]);
            let even2 = S::subtract(d[4], d[2]);
            let odd2 = S::subtract(d[3], d[1]);
            let last = S::subtract(d[5], d[3]);
            [
                S::multiply_add(S::splat(4.0), S::subtract(d[0], d[2]), even2),
                S::add(even, odd),
                S::subtract(even, odd),
                S::multiply_add(S::splat(2.0), odd2, even2),
                S::multiply_add(S::splat(-2.0), odd2, even2),
                S::multiply_add(S::splat(-4.0), odd2, last),
            ]
        } else {
            let (even, odd) = (S::add(d[0], d[2]), S::add(d[1], d[3]));
            let even2 = S::multiply_add(S::splat(4.0), d[2], d[0]);
            let odd2 = S::multiply_add(S::splat(4.0), d[3], d[1]);
            [
                d[0],
                S::add(even, odd),
                S::subtract(even, odd),
                S::multiply_add(S::splat(2.0), odd2, even2),
                S::multiply_add(S::splat(-2.0), odd2, even2),
                d[3],
            ]
        }
    }
}

/// `G`, by which a kernel goes to the points.
const KERNEL_TRANSFORM: [[f32; 3]; IN] = [
    [0.25, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// Calls `f(point, tap, weight)` for every place of `G ⊗ G` that is not zero.
fn kernel_transform(mut f: impl FnMut(usize, usize, f32)) {
    for point in 0..POINTS {
        for tap in 0..9 {
            let weight =
                KERNEL_TRANSFORM[point / IN][tap / 3] * KERNEL_TRANSFORM[point % IN][tap % 3];
            if weight != 0.0 {
                f(point, tap, weight);
            }
        }
    }
}

/// `target += weight · source`.
fn add_scaled(target: &mut [f32], source: &[f32], weight: f32) {
    for (target, source) in target.iter_mut().zip(source) {
        *target += weight * source;
    }
}

/// `U[points, ci, co]` of `kernel[3, 3, ci, co]`, turned by 180° if `flip`.
pub fn transform_kernel(kernel: &[f32], flip: bool, transformed: &mut [f32]) {
    let tap_len = kernel.len() / 9;
    transformed.fill(0.0);
    kernel_transform(|point, tap, weight| {
        let tap = if flip { 8 - tap } else { tap };
        let source = &kernel[tap * tap_len..(tap + 1) * tap_len];
        add_scaled(
            &mut transformed[point * tap_len..(point + 1) * tap_len],
            source,
            weight,
        );
    });
}

/// The gradient of the kernel, `[3, 3, ci, co]`, from that of `U`.
pub fn gradient_of_kernel(transformed: &[f32], gradient: &mut [f32]) {
    gradient.fill(0.0);
    let tap_len = gradient.len() / 9;
    kernel_transform(|point, tap, weight| {
        let source = &transformed[point * tap_len..(point + 1) * tap_len];
        add_scaled(
            &mut gradient[tap * tap_len..(tap + 1) * tap_len],
            source,
            weight,
        );
    });
}

/// The points' matrices `[points, tiles, columns]` in one buffer.
#[derive(Clone, Copy)]
struct Matrices {
    start: *mut f32,
    columns: usize,
    stride: usize,
}

impl Matrices {
    const fn len(tiles: usize, columns: usize) -> usize {
        POINTS * (tiles * columns + GAP)
    }

    fn new(buffer: &mut [f32], tiles: usize, columns: usize) -> Self {
        assert!(buffer.len() >= Self::len(tiles, columns));
        Self {
            start: buffer.as_mut_ptr(),
            columns,
            stride: tiles * columns + GAP,
        }
    }

    /// A place of a tile's row at a point.
    #[inline(always)]
    unsafe fn at(self, point: usize, tile: usize, column: usize) -> *mut f32 {
        // SAFETY: the caller vouches for the place.
        unsafe {
            self.start
                .add(point * self.stride + tile * self.columns + column)
        }
    }
}

/// Brings tiles of images to the points.
struct ToPoints<'a, const SIDE: usize> {
    tiling: Tiling,
    images: &'a [f32],
    channels: usize,
    zeros: &'a [f32],
    tile: usize,
    to: Matrices,
    /// Where the pixels of the tile are.
    pixels: [*const f32; POINTS],
}

impl<'a, const SIDE: usize> ToPoints<'a, SIDE> {
    fn new(tiling: Tiling, images: &'a [f32], zeros: &'a [f32], to: Matrices) -> Self {
        Self {
            tiling,
            images,
            channels: to.columns,
            zeros,
            tile: 0,
            to,
            pixels: [std::ptr::null(); POINTS],
        }
    }

    #[inline(always)]
    unsafe fn all<S: Simd>(&mut self, tiles: usize) {
        for tile in 0..tiles {
            self.tile = tile;
            // An input tile begins a pixel before its output tile.
            let window = self.tiling.window(tile, SIDE, (SIDE - OUT) / 2);
            for y in 0..SIDE {
                for x in 0..SIDE {
                    let inside = window.rows.contains(y) && window.columns.contains(x);
                    self.pixels[y * SIDE + x] = if inside {
                        &raw const self.images[window.pixel(y, x) * self.channels]
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

impl<const SIDE: usize> Columns for ToPoints<'_, SIDE> {
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
                    *row = to_points::<S, SIDE>(values);
                }
                for x in 0..IN {
                    let mut values = [S::splat(0.0); SIDE];
                    for (value, row) in values.iter_mut().zip(rows) {
                        *value = row[x];
                    }
                    for (y, value) in to_points::<S, SIDE>(values).into_iter().enumerate() {
                        S::store(self.to.at(y * IN + x, self.tile, column), value);
                    }
                }
            }
        }
    }
}

/// The convolution of some images.
pub struct Convolve<'a> {
    /// How the images are cut.
    pub tiling: Tiling,
    /// The kernel at the points.
    pub panels: &'a Panels,
    /// Input images.
    pub x: &'a [f32],
    /// Output images.
    pub y: &'a mut [f32],
    /// What becomes of the sums.
    pub epilogue: Epilogue<'a>,
}

impl Kernel for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (sources, targets) = (self.panels.sources(), self.panels.targets());
        let images = self.x.len() / (self.tiling.pixels() * sources);
        let tiles = images * self.tiling.tiles();
        assert!(self.x.len() == images * self.tiling.pixels() * sources);
        assert!(self.y.len() == images * self.tiling.pixels() * targets);
        assert!(self.panels.taps() == POINTS);
        self.epilogue.check(self.y.len(), targets);
        let width = 2 * S::LANES;
        let mut input = Buffer::take(Matrices::len(tiles, sources));
        let mut output = Buffer::take(Matrices::len(tiles, width));
        let input = Matrices::new(&mut input, tiles, sources);
        let output = Matrices::new(&mut output, tiles, width);
        // SAFETY: the slices hold the images, the matrices their tiles.
        unsafe {
            ToPoints::<IN>::new(self.tiling, self.x, self.panels.zeros(), input).all::<S>(tiles);
            for column in (0..targets).step_by(width) {
                for point in 0..POINTS {
                    let mut product = Product {
                        input: input.at(point, 0, 0),
                        channels: sources,
                        panel: self.panels.rows(point, column),
                        output: output.at(point, 0, 0),
                    };
                    each_row::<S, 2>(&mut product, tiles);
                }
                for tile in 0..tiles {
                    let window = self.tiling.window(tile, OUT, 0);
                    for v in (0..width)
                        .step_by(S::LANES)
                        .take_while(|v| column + v < targets)
                    {
                        let rows = from_points::<S>(output.at(0, tile, v), output.stride);
                        for (y, row) in rows.into_iter().enumerate().take(window.rows.to) {
                            for (x, sum) in row.into_iter().enumerate().take(window.columns.to) {
                                let start = window.pixel(y, x) * targets;
                                let y = self.y.as_mut_ptr();
                                self.epilogue
                                    .finish::<S>(sum, y, start, column + v, targets);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The matrix product at one point, two registers of columns wide.
struct Product {
    input: *const f32,
    channels: usize,
    panel: *const f32,
    output: *mut f32,
}

impl Rows for Product {
    #[inline(always)]
    unsafe fn work<S: Simd, const N: usize, const V: usize>(&mut self, row: usize) {
        // SAFETY: the caller vouches for rows and columns.
        unsafe {
            let mut sum = [[S::splat(0.0); 2]; N];
            let rows = std::array::from_fn(|n| self.input.add((row + n) * self.channels));
            multiply::<S, N>(&mut sum, rows, self.panel, self.channels);
            for (n, sum) in sum.into_iter().enumerate() {
                let to = self.output.add((row + n) * 2 * S::LANES);
                S::store(to, sum[0]);
                S::store(to.add(S::LANES), sum[1]);
            }
        }
    }
}

/// Brings one register of a tile back from the points.
#[inline(always)]
unsafe fn from_points<S: Simd>(points: *const f32, stride: usize) -> Tile<S, OUT, OUT> {
    // SAFETY: the caller vouches for the points.
    unsafe {
        let mut rows: Tile<S, OUT, IN> = [[S::splat(0.0); IN]; OUT];
        for x in 0..IN {
            let mut column = [S::splat(0.0); IN];
            for (y, value) in column.iter_mut().enumerate() {
                *value = S::load(points.add((y * IN + x) * stride));
            }
            for (row, value) in rows.iter_mut().zip(output_transform::<S>(column)) {
                row[x] = value;
            }
        }
        let mut tile = [[S::splat(0.0); OUT]; OUT];
        for (tile, row) in tile.iter_mut().zip(rows) {
            *tile = output_transform::<S>(row);
        }
        tile
    }
}

/// The kernel gradient of some images, at the points: `[points, ci, co]`.
pub struct KernelGradient<'a> {
    /// How the images are cut.
    pub tiling: Tiling,
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output.
    pub channels_out: usize,
    /// Input images.
    pub x: &'a [f32],
    /// Gradient of the output images.
    pub dy: &'a [f32],
    /// The sum over the tiles, at the points.
    pub sum: &'a mut [f32],
    /// Whether it is added to what `sum` holds.
    pub add: bool,
}

impl Kernel for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (ci, co) = (self.channels_in, self.channels_out);
        let images = self.x.len() / (self.tiling.pixels() * ci);
        let tiles = images * self.tiling.tiles();
        assert!(self.x.len() == images * self.tiling.pixels() * ci);
        assert!(self.dy.len() == images * self.tiling.pixels() * co);
        assert!(self.sum.len() == POINTS * ci * co);
        let mut x = Buffer::take(Matrices::len(tiles, ci));
        let mut dy = Buffer::take(Matrices::len(tiles, co));
        let mut zeros = Buffer::take(ci.max(co));
        zeros.fill(0.0);
        let x = Matrices::new(&mut x, tiles, ci);
        let dy = Matrices::new(&mut dy, tiles, co);
        let mut pairs = Pairs::new();
        // SAFETY: the slices hold the images, the matrices their tiles.
        unsafe {
            ToPoints::<IN>::new(self.tiling, self.x, &zeros, x).all::<S>(tiles);
            ToPoints::<OUT>::new(self.tiling, self.dy, &zeros, dy).all::<S>(tiles);
            for (point, sum) in self.sum.chunks_exact_mut(ci * co).enumerate() {
                for start in (0..tiles).step_by(CHUNK) {
                    pairs.clear();
                    for tile in start..tiles.min(start + CHUNK) {
                        pairs.push(x.at(point, tile, 0), dy.at(point, tile, 0));
                    }
                    let mut products = Products {
                        pairs: &pairs,
                        dkernel: sum,
                        rows: ci,
                        columns: co,
                        add: self.add || start > 0,
                    };
                    each_column::<S>(&mut products, co);
                }
            }
        }
    }
}
