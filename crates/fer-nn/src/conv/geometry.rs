//! The sizes of a convolution, and the input pixels under its kernel.

/// The sizes of a convolution with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Input channels.
    pub channels_in: usize,
    /// Output channels.
    pub channels_out: usize,
    /// Side of the kernel in pixels.
    pub kernel: usize,
    /// Stride in pixels, the same in both directions.
    pub stride: usize,
    /// Pixels of zero padding on each side of the image.
    pub padding: usize,
}

impl Geometry {
    /// Output height.
    pub const fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Output width.
    pub const fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Number of pixels of one input image.
    pub const fn pixels_in(&self) -> usize {
        self.height * self.width
    }

    /// Number of pixels of one output image.
    pub const fn pixels_out(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// Number of values of one input image.
    pub const fn image_in(&self) -> usize {
        self.pixels_in() * self.channels_in
    }

    /// Number of values of one output image.
    pub const fn image_out(&self) -> usize {
        self.pixels_out() * self.channels_out
    }

    /// Number of taps: pixels of the kernel.
    pub const fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Number of values of the kernel.
    pub const fn kernel_len(&self) -> usize {
        self.taps() * self.channels_in * self.channels_out
    }

    /// Number of multiply-accumulate operations for one image.
    pub const fn macs(&self) -> usize {
        self.pixels_out() * self.kernel_len()
    }

    /// The index of the input pixel that `tap` multiplies for `out_pixel`; `None` where it is
    /// padding.
    pub fn source(&self, out_pixel: usize, tap: usize) -> Option<usize> {
        let inside = |at: usize, limit: usize| at.checked_sub(self.padding).filter(|&i| i < limit);
        let (oy, ox) = (out_pixel / self.out_width(), out_pixel % self.out_width());
        let y = inside(oy * self.stride + tap / self.kernel, self.height)?;
        let x = inside(ox * self.stride + tap % self.kernel, self.width)?;
        Some(y * self.width + x)
    }
}
