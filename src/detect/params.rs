//! What the built-in detector may be told, and the reason for each default.

/// Settings of the built-in detector. `docs/detection.md` measures the defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectorParams {
    /// Least score of a face, 0 to 1. The score is stored, so a query can be stricter.
    pub threshold: f32,
    /// At which sizes a photo is looked at.
    pub resolution: Resolution,
    /// Largest factor by which a small picture is enlarged.
    pub max_enlargement: f32,
    /// Least score of a rolled candidate that is worth a second look: faces that are rolled by 45° score
    /// no less, and few other things in a photo more.
    pub doubt: f32,
    /// The same of a candidate that is small in the finest copy. One in a hundred faces of 18 pixels
    /// there scores below 0.1, and a photo has some ten other things that score from 0.05 on.
    pub doubt_of_small: f32,
    /// Score from which on a candidate needs no second look.
    pub certainty: f32,
    /// Least score at a second look that counts. It is higher than `threshold`: a face shows itself
    /// clearly there, and the texture that made the candidate may look like one again.
    pub second_threshold: f32,
    /// Shorter side, in pixels of the finest copy, below which a doubtful face is looked at again: the
    /// photo has more pixels of it, and in the middle of a patch it lies well on the network's grid.
    pub small_face: f32,
    /// Roll from which on a doubtful face is looked at again, in radians: up to some 25° the network
    /// is as sure as of an upright face.
    pub roll: f32,
    /// A face of at least this score stands as its landmarks say; one that is found with less is looked
    /// at turned as well.
    pub upright: f32,
    /// Most second looks at a photo, and as many again at what they found, turned: a crowd seldom has
    /// more faces that are doubtful, while leaves and pebbles make hundreds of candidates.
    pub max_looks: usize,
    /// Least score of a face in a photo that was turned by a quarter or a half. It is higher than
    /// `threshold`, because three more tries are three more chances of being wrong.
    pub turned_threshold: f32,
    /// Intersection over union above which the weaker of two boxes is the same face.
    pub suppress_iou: f32,
    /// Covered share of the smaller box above which the weaker of two boxes is the same face.
    pub suppress_inside: f32,
}

/// At which sizes a photo is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// As the photo's size demands, see [`DetectorParams::copies`].
    Auto,
    /// In one copy of so many pixels.
    Pixels(u32),
}

/// Pixels of the coarse copy: 640 × 480, at which the network finds faces from some 20 pixels up to
/// those that fill the photo, and costs milliseconds. Area rather than the longer side, so that a
/// panorama keeps its faces.
const COARSE: u32 = 640 * 480;

/// Pixels of the fine copy for each of the photo: by it a face of 48 pixels comes to 18, which the
/// network sees, if not always with certainty; the second look decides. With 0.12 a sixth of them are
/// lost, with 0.2 no more are found.
const FINE_SHARE: f64 = 0.14;

/// Most pixels of the fine copy: that of a photo of 24 megapixels.
const MAX_FINE: u32 = 3_400_000;

/// The fine copy is left out when it has not this many times the pixels of the coarse one.
const WORTH_FINE: f64 = 1.6;

/// Pixels of the small copy, which beside a fine one finds the faces that fill the photo, and in which
/// a photo without faces is tried turned.
const SMALL: u32 = 320 * 240;

impl Default for DetectorParams {
    fn default() -> Self {
        Self {
            threshold: 0.6,
            resolution: Resolution::Auto,
            max_enlargement: 2.0,
            doubt: 0.1,
            doubt_of_small: 0.05,
            certainty: 0.7,
            second_threshold: 0.8,
            small_face: 40.0,
            roll: 25_f32.to_radians(),
            upright: 0.9,
            max_looks: 64,
            turned_threshold: 0.7,
            suppress_iou: 0.4,
            suppress_inside: 0.8,
        }
    }
}

impl DetectorParams {
    /// Sizes of the copies in which the faces of a photo are looked for, the finest first: one of
    /// 640 × 480 pixels or that area; or, for a large photo, a fine one, so that faces from 48 pixels
    /// on are found in photos of up to 24 megapixels, and a small one for those that fill it.
    pub fn copies(&self, width: u32, height: u32) -> Vec<(u32, u32)> {
        let area = f64::from(width) * f64::from(height);
        let fine = (area * FINE_SHARE).min(f64::from(MAX_FINE));
        let sizes = match self.resolution {
            Resolution::Pixels(pixels) => vec![pixels],
            Resolution::Auto if fine < WORTH_FINE * f64::from(COARSE) => vec![COARSE],
            Resolution::Auto => vec![fine as u32, SMALL],
        };
        let sizes = sizes.into_iter();
        sizes.map(|size| self.copy(width, height, size)).collect()
    }

    /// The small copy in which a photo without faces is tried turned: faces that such a photo is
    /// about are large.
    pub fn glance(&self, width: u32, height: u32) -> (u32, u32) {
        self.copy(width, height, SMALL)
    }

    /// A copy's size, at least one pixel either way.
    fn copy(&self, width: u32, height: u32, pixels: u32) -> (u32, u32) {
        let area = f64::from(width) * f64::from(height);
        let factor = (f64::from(pixels) / area).sqrt();
        let factor = factor.min(f64::from(self.max_enlargement));
        let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
        (scaled(width), scaled(height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_keep_the_aspect_ratio_and_never_vanish() {
        let params = DetectorParams::default();
        assert_eq!(params.copies(180, 190), [(360, 380)]);
        assert_eq!(params.copies(1, 1), [(2, 2)]);
        assert_eq!(params.copies(1280, 960), [(640, 480)]);
        let panorama = params.copies(6_000_000, 1);
        assert!(panorama.iter().all(|copy| copy.1 == 1), "{panorama:?}");
        assert_eq!(params.copies(4000, 3000)[1], (320, 240));
        assert_eq!(params.glance(4000, 3000), (320, 240));
    }

    #[test]
    fn a_face_of_48_pixels_keeps_17_up_to_24_megapixels() {
        let params = DetectorParams::default();
        for (width, height) in [(2400, 1600), (4000, 3000), (4000, 6000)] {
            let copies = params.copies(width, height);
            let finest = copies[0];
            let face = 48.0 * f64::from(finest.0) / f64::from(width);
            assert!(face > 17.0, "{face} of {width}×{height}");
        }
        let huge = params.copies(20_000, 10_000)[0];
        assert!(huge.0 * huge.1 <= MAX_FINE + 20_000);
    }

    #[test]
    fn a_given_resolution_is_the_only_one() {
        let params = DetectorParams {
            resolution: Resolution::Pixels(1280 * 960),
            ..DetectorParams::default()
        };
        assert_eq!(params.copies(4000, 3000), [(1280, 960)]);
    }
}
