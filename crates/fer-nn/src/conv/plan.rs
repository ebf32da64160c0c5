//! Which pixels each pixel is computed from: the indirection buffer of an indirect convolution
//! (Dukhan 2019), which takes the place of padding, im2col and zero-stuffing.

use super::Geometry;

/// Pixels that use the same taps of the kernel.
#[derive(Debug, Clone)]
pub struct Class {
    /// The taps, as places in the kernel.
    pub taps: Vec<usize>,
    /// The target pixels, as places in the image.
    pub targets: Vec<usize>,
    /// The source pixel for each tap and target, `[taps, targets]`; [`PADDING`] where there is none.
    pub sources: Vec<u32>,
}

/// Stands for a source outside the image.
pub const PADDING: u32 = u32::MAX;

/// How to compute every target pixel of an image.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The target pixels, sorted by the taps they use.
    pub classes: Vec<Class>,
    /// Pixels of a source image.
    pub source_pixels: usize,
    /// Pixels of a target image.
    pub target_pixels: usize,
}

impl Plan {
    /// Output pixels from input pixels.
    pub fn forward(g: &Geometry) -> Self {
        let taps: Vec<usize> = (0..g.taps()).collect();
        let targets: Vec<usize> = (0..g.pixels_out()).collect();
        let sources = taps
            .iter()
            .flat_map(|&tap| targets.iter().map(move |&t| g.source(t, tap)))
            .map(|source| source.map_or(PADDING, |s| s as u32))
            .collect();
        Self {
            classes: vec![Class {
                taps,
                targets,
                sources,
            }],
            source_pixels: g.pixels_in(),
            target_pixels: g.pixels_out(),
        }
    }

    /// Gradients of the input pixels from those of the output pixels. With a stride, an input pixel
    /// meets only every other tap: the pixels fall into classes by their place in the stride.
    pub fn backward(g: &Geometry) -> Self {
        let mut sources = vec![PADDING; g.taps() * g.pixels_in()];
        for out in 0..g.pixels_out() {
            for tap in 0..g.taps() {
                if let Some(input) = g.source(out, tap) {
                    sources[tap * g.pixels_in() + input] = out as u32;
                }
            }
        }
        let phase = |at: usize| (at + g.padding) % g.stride;
        let mut classes = Vec::new();
        for (py, px) in (0..g.stride).flat_map(|y| (0..g.stride).map(move |x| (y, x))) {
            let targets: Vec<usize> = (0..g.pixels_in())
                .filter(|t| phase(t / g.width) == py && phase(t % g.width) == px)
                .collect();
            let taps: Vec<usize> = (0..g.taps())
                .filter(|tap| tap / g.kernel % g.stride == py && tap % g.kernel % g.stride == px)
                .collect();
            let sources = taps
                .iter()
                .flat_map(|tap| targets.iter().map(move |t| tap * g.pixels_in() + t))
                .map(|at| sources[at])
                .collect();
            classes.push(Class {
                taps,
                targets,
                sources,
            });
        }
        Self {
            classes,
            source_pixels: g.pixels_out(),
            target_pixels: g.pixels_in(),
        }
    }
}
