//! What a detector may be told, and the reason for each default.

/// Settings of the built-in detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectorParams {
    /// Least score of a face, 0 to 1. The score is stored, so a query can be stricter.
    pub threshold: f32,
    /// Pixels of the working copy that faces are looked for in: 640 × 480, at which the network
    /// finds faces from some 20 pixels on and costs milliseconds. Area rather than the longer side,
    /// so that a panorama keeps its faces.
    pub working_area: u32,
    /// Largest factor by which a small picture is enlarged.
    pub max_enlargement: f32,
    /// Intersection over union above which the weaker of two boxes is the same face.
    pub suppress_iou: f32,
    /// Covered share of the smaller box above which the weaker of two boxes is the same face.
    pub suppress_inside: f32,
}

impl Default for DetectorParams {
    fn default() -> Self {
        Self {
            threshold: 0.6,
            working_area: 640 * 480,
            max_enlargement: 2.0,
            suppress_iou: 0.4,
            suppress_inside: 0.8,
        }
    }
}

impl DetectorParams {
    /// The working copy's size for a photo, at least one pixel either way.
    pub fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        let area = f64::from(width) * f64::from(height);
        let factor = (f64::from(self.working_area) / area).sqrt();
        let factor = factor.min(f64::from(self.max_enlargement));
        let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
        (scaled(width), scaled(height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_the_aspect_ratio_and_never_vanish() {
        let params = DetectorParams::default();
        assert_eq!(params.working_size(4000, 3000), (640, 480));
        assert_eq!(params.working_size(180, 190), (360, 380));
        assert_eq!(params.working_size(1, 1), (2, 2));
        let (width, height) = params.working_size(60_000, 100);
        assert!(
            height >= 1 && width * height <= 2 * params.working_area,
            "{width}×{height}"
        );
    }
}
