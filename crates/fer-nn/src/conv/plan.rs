//! Lists the source pixels of each target pixel: the indirection buffer of an indirect convolution
//! (Dukhan 2019), which replaces padding, im2col and zero-stuffing.

use super::Geometry;

/// Target pixels that use the same taps of the kernel.
#[derive(Debug, Clone)]
pub struct Class {
    /// The taps, as indices in the kernel.
    pub taps: Vec<usize>,
    /// The target pixels, as indices in the image.
    pub targets: Vec<usize>,
    /// The source pixel of each tap and target, `[taps, targets]`, as an index in the image;
    /// [`PADDING`] where it is outside.
    pub sources: Vec<u32>,
}

/// Marks a source pixel outside the image.
pub const PADDING: u32 = u32::MAX;

/// The source pixels of every target pixel of an image.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The target pixels, grouped by the taps that they use.
    pub classes: Vec<Class>,
    /// Number of pixels of a source image.
    pub source_pixels: usize,
    /// Number of pixels of a target image.
    pub target_pixels: usize,
}

impl Plan {
    /// The plan of the forward pass: output pixels from input pixels, in one class that uses all
    /// taps.
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

    /// The plan of the input's gradient: input pixels from output pixels. With a stride of `s`, an
    /// input pixel meets only every `s`-th tap in each direction, so there is a class for each of
    /// the `s × s` phases.
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
