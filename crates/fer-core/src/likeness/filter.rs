//! Makes pictures of faces comparable: the same sharpness, and the same contrast everywhere.

use super::picture::{CELLS, FacePicture, OUTSIDE, SIDE};

/// Standard deviation, in cells, of the Gaussian window over which brightness and contrast are equalised: about a
/// quarter of the distance between the eyes.
const WINDOW: f32 = 5.0;

/// The least contrast of a window, as a share of the mean contrast: less is noise and not amplified.
const MIN_CONTRAST: f32 = 0.5;

/// The least contrast of a window in grey values: less is the rounding of the values.
const ROUNDING: f32 = 0.5;

/// A picture with mean 0 and a standard deviation of about 1 in every window.
#[derive(Debug, Clone)]
pub(super) struct Normalised {
    /// Row by row; 0 outside of the photo.
    pub values: Vec<f32>,
    /// Whether a cell is inside of the photo.
    pub inside: Vec<bool>,
}

/// Blurs a picture with a Gaussian of standard deviation `blur` in cells, and normalises it.
pub(super) fn normalised(picture: &FacePicture, blur: f32) -> Normalised {
    let inside: Vec<bool> = picture.cells.iter().map(|cell| *cell != OUTSIDE).collect();
    let values: Vec<f32> = picture.cells.iter().map(|cell| f32::from(*cell)).collect();
    let weights: Vec<f32> = inside.iter().map(|is| f32::from(u8::from(*is))).collect();
    let smooth = mean(&values, &weights, blur);
    let local = mean(&smooth, &weights, WINDOW);
    let mut detail: Vec<f32> = smooth.iter().zip(&local).map(|(s, l)| s - l).collect();
    let squares: Vec<f32> = detail.iter().map(|d| d * d).collect();
    let contrast: Vec<f32> = mean(&squares, &weights, WINDOW)
        .into_iter()
        .map(f32::sqrt)
        .collect();
    let cells: f32 = weights.iter().sum();
    let total: f32 = contrast.iter().zip(&weights).map(|(c, w)| c * w).sum();
    let floor = (MIN_CONTRAST * total / cells.max(1.0)).max(ROUNDING);
    for ((value, contrast), weight) in detail.iter_mut().zip(&contrast).zip(&weights) {
        *value *= weight / contrast.max(floor);
    }
    Normalised {
        values: detail,
        inside,
    }
}

impl Normalised {
    /// The picture after a quarter turn clockwise.
    pub fn turned(&self) -> Self {
        self.rearranged(|x, y| (SIDE - 1 - x) * SIDE + y)
    }

    /// The mirror image of the picture.
    pub fn mirrored(&self) -> Self {
        self.rearranged(|x, y| y * SIDE + SIDE - 1 - x)
    }

    /// The picture whose cell at (x, y) is the cell `from(x, y)` of this one.
    fn rearranged(&self, from: impl Fn(usize, usize) -> usize) -> Self {
        let cells: Vec<usize> = (0..CELLS).map(|i| from(i % SIDE, i / SIDE)).collect();
        Self {
            values: cells.iter().map(|cell| self.values[*cell]).collect(),
            inside: cells.iter().map(|cell| self.inside[*cell]).collect(),
        }
    }

    /// The picture, blurred further.
    pub fn blurred(&self, blur: f32) -> Self {
        let weights: Vec<f32> = self
            .inside
            .iter()
            .map(|is| f32::from(u8::from(*is)))
            .collect();
        let mut values = mean(&self.values, &weights, blur);
        for (value, weight) in values.iter_mut().zip(&weights) {
            *value *= weight;
        }
        Self {
            values,
            inside: self.inside.clone(),
        }
    }
}

/// The mean around each cell with Gaussian weights of standard deviation `sigma` times `weights`.
fn mean(values: &[f32], weights: &[f32], sigma: f32) -> Vec<f32> {
    let weighted: Vec<f32> = values.iter().zip(weights).map(|(v, w)| v * w).collect();
    let (sums, norms) = (gaussian(&weighted, sigma), gaussian(weights, sigma));
    sums.iter()
        .zip(norms)
        .map(|(sum, norm)| if norm > 1e-6 { sum / norm } else { 0.0 })
        .collect()
}

/// Convolves with a Gaussian in both directions; beyond the edge everything is 0.
fn gaussian(values: &[f32], sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as usize;
    let kernel: Vec<f32> = (0..=radius)
        .map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp())
        .collect();
    let mut across = vec![0.0; CELLS];
    for (source, target) in values.chunks_exact(SIDE).zip(across.chunks_exact_mut(SIDE)) {
        for (i, factor) in kernel.iter().enumerate() {
            for x in i..SIDE {
                target[x - i] += factor * source[x];
            }
            if i > 0 {
                for x in i..SIDE {
                    target[x] += factor * source[x - i];
                }
            }
        }
    }
    let mut both = vec![0.0; CELLS];
    for y in 0..SIDE {
        let target = &mut both[y * SIDE..(y + 1) * SIDE];
        for other in y.saturating_sub(radius)..(y + radius + 1).min(SIDE) {
            let factor = kernel[y.abs_diff(other)];
            for (t, s) in target
                .iter_mut()
                .zip(&across[other * SIDE..(other + 1) * SIDE])
            {
                *t += factor * s;
            }
        }
    }
    both
}
