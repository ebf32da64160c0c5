//! Average and maximum pooling of NHWC values, with their gradients.

use rayon::prelude::*;

/// Mean over the pixels: `x[n, pixels, channels]` to `y[n, channels]`.
pub fn average(x: &[f32], pixels: usize, channels: usize, y: &mut [f32]) {
    y.par_chunks_exact_mut(channels)
        .zip(x.par_chunks_exact(pixels * channels))
        .for_each(|(y, x)| {
            y.fill(0.0);
            for row in x.chunks_exact(channels) {
                for (y, x) in y.iter_mut().zip(row) {
                    *y += x;
                }
            }
            for y in y {
                *y /= pixels as f32;
            }
        });
}

/// Gradient of [`average`]'s input: `dy[n, channels]` to `dx[n, pixels, channels]`.
pub fn average_gradient(dy: &[f32], pixels: usize, channels: usize, dx: &mut [f32]) {
    dx.par_chunks_exact_mut(pixels * channels)
        .zip(dy.par_chunks_exact(channels))
        .for_each(|(dx, dy)| {
            for row in dx.chunks_exact_mut(channels) {
                for (dx, dy) in row.iter_mut().zip(dy) {
                    *dx = dy / pixels as f32;
                }
            }
        });
}

/// Maximum pooling over windows of 2 × 2 pixels with stride 2; an odd last row or column is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool {
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Channels.
    pub channels: usize,
}

impl MaxPool {
    const fn image_in(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Number of values of one output image.
    pub const fn image_out(&self) -> usize {
        (self.height / 2) * (self.width / 2) * self.channels
    }

    /// For each output pixel: the index of its first channel in the output image, and the indices of
    /// the first channels of its window's four pixels in the input image.
    fn windows(&self) -> impl Iterator<Item = (usize, [usize; 4])> + '_ {
        let (c, row) = (self.channels, self.width * self.channels);
        let width = self.width / 2;
        (0..self.height / 2).flat_map(move |y| {
            (0..width).map(move |x| {
                let corner = 2 * (y * row + x * c);
                (
                    (y * width + x) * c,
                    [corner, corner + c, corner + row, corner + row + c],
                )
            })
        })
    }

    /// Writes the largest value of each window.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) {
        let c = self.channels;
        y.par_chunks_exact_mut(self.image_out())
            .zip(x.par_chunks_exact(self.image_in()))
            .for_each(|(y, x)| {
                for (out, window) in self.windows() {
                    let [a, b, d, e] = window.map(|start| &x[start..start + c]);
                    for (i, y) in y[out..out + c].iter_mut().enumerate() {
                        *y = a[i].max(b[i]).max(d[i].max(e[i]));
                    }
                }
            });
    }

    /// Writes the gradient of the input: each output's gradient goes to the largest value of its
    /// window, to the first one if several are equal.
    pub fn backward(&self, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        let c = self.channels;
        dx.par_chunks_exact_mut(self.image_in())
            .zip(x.par_chunks_exact(self.image_in()))
            .zip(y.par_chunks_exact(self.image_out()))
            .zip(dy.par_chunks_exact(self.image_out()))
            .for_each(|(((dx, x), y), dy)| {
                dx.fill(0.0);
                for (out, window) in self.windows() {
                    for (i, (y, dy)) in y[out..out + c].iter().zip(&dy[out..]).enumerate() {
                        if let Some(start) = window.into_iter().find(|start| x[start + i] >= *y) {
                            dx[start + i] = *dy;
                        }
                    }
                }
            });
    }
}
