//! Parameters of the built-in detector, and the reason for each default.

use serde::{Deserialize, Serialize};

/// Parameters of the built-in detector. `docs/detection.md` has the measurements behind the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DetectorParams {
    /// Least score of a face, 0 to 1. The score is stored, so a query can be stricter.
    pub threshold: f32,
    /// The sizes at which a photo is searched.
    pub resolution: Resolution,
    /// Largest factor by which a small photo is enlarged.
    pub max_enlargement: f32,
    /// Least score at which a rolled candidate is refined: faces with a roll of 45° score at least this, and few other
    /// objects do.
    pub min_rolled_score: f32,
    /// Least score at which a candidate that is small in the finest pyramid level is refined. One in a hundred faces of
    /// 18 pixels scores below 0.1 there, and a photo has some ten other objects that score 0.05 or more.
    pub min_small_score: f32,
    /// Small candidates that score below this are refined.
    pub refine_threshold: f32,
    /// Least score that confirms a candidate in a refinement pass. It is higher than `threshold`, since a face scores
    /// high there, while the texture that caused a false candidate may resemble a face again.
    pub confirm_threshold: f32,
    /// A candidate whose shorter side is below this, in pixels of the finest level, is small. Refinement
    /// helps it: the photo has more pixels of it, and in the middle of a patch it is well aligned with the
    /// network's grid.
    pub small_face: f32,
    /// A candidate with at least this roll, in radians, counts as rolled. Up to some 25° the network scores a face as
    /// high as an upright one.
    pub min_roll: f32,
    /// At or above this score nearly all faces are upright, so candidates inside such a face are not searched for
    /// turned faces. A photo without such a face is also searched in turned copies.
    pub upright_threshold: f32,
    /// Least score at which a large candidate is searched in turned patches: one in twenty faces on its side scores
    /// less.
    pub min_turned_score: f32,
    /// A candidate with at least this score is a likely face.
    pub likely_score: f32,
    /// Least score, after a turn, of a candidate that was not a likely face before.
    pub confirm_turned: f32,
    /// Least shorter side of a face in a coarser level, in pixels of that level: small faces are detected better in the
    /// finest level.
    pub min_coarse_face: f32,
    /// Least score of a face in a coarser level, where large parts of a photo may resemble a face.
    pub coarse_threshold: f32,
    /// Most candidates of a photo that are refined. A crowd seldom has more doubtful faces, while leaves and pebbles
    /// cause hundreds of candidates.
    pub max_refinements: usize,
    /// Most likely faces of a photo that are searched in turned patches; if a photo has more turned faces, all of it is
    /// turned.
    pub max_turns: usize,
    /// The same for candidates that are not likely faces.
    pub max_doubtful_turns: usize,
    /// Least score of a face in a photo that was turned by 90°, 180° or 270°: three more searches are three more
    /// chances of a false face.
    pub turned_threshold: f32,
    /// Least score of a face in a small turned copy, which counts only if an upright patch confirms it.
    pub hint_threshold: f32,
    /// Least score of an upright face in a region with a name. It is lower than `threshold`: nearly all regions that
    /// people mark show faces, but few that the network proposes.
    pub named_threshold: f32,
    /// A photo whose best face scores less is searched with a margin as well.
    pub margin_below: f32,
    /// Least score of a face in a copy with a margin.
    pub margin_threshold: f32,
    /// The fine level is searched where the proposal network's logit is at least this.
    pub proposal_threshold: f32,
    /// It is also searched around candidates in the small level with at least this score, for faces that are too large
    /// for the proposal network.
    pub small_level_threshold: f32,
    /// The same for candidates whose shorter side in the small level is `large_hint` or more: their regions are large,
    /// and faces of this size score higher.
    pub large_hint_threshold: f32,
    /// See `large_hint_threshold`.
    pub large_hint: f32,
    /// A candidate with at least this score that the border of a searched region may cut is searched again in a larger
    /// region.
    pub cut_threshold: f32,
    /// Intersection over union above which the lower-scored of two boxes is suppressed.
    pub suppress_iou: f32,
    /// Intersection over minimum area above which the lower-scored of two boxes is suppressed.
    pub suppress_iom: f32,
}

/// The sizes at which a photo is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// Chosen by the photo's size, see [`DetectorParams::pyramid`].
    Auto,
    /// One pyramid level of this many pixels.
    Pixels(u32),
}

/// Pixels of the coarse level, the finest one of a photo that needs no fine level: 640 × 480. At this size the network
/// takes milliseconds and finds faces from some 20 pixels up to those that fill the photo. The area is fixed rather
/// than the longer side, so that the faces of a panorama stay large enough.
const COARSE: u32 = 640 * 480;

/// Pixels of the fine level as a share of the photo's. It scales a face of 48 pixels to 18, which the network detects,
/// though not always with certainty; the refinement pass decides. With 0.12, a sixth of these faces are lost; with 0.2,
/// no more are found. The sides become three eighths, a size to which a JPEG can be decoded.
const FINE_SHARE: f64 = 9.0 / 64.0;

/// Most pixels of the fine level: those of a photo of 24 megapixels.
const MAX_FINE: u32 = 3_400_000;

/// For a larger photo, sides of one or two eighths are used for the fine level if that has at least this share of the
/// most pixels. A JPEG then need not be decoded to the next larger size, which has up to four times the pixels.
const MIN_SHARE_OF_MAX_FINE: f64 = 0.9;

/// A photo gets a fine level only if that has at least this many times the pixels of the coarse one.
const MIN_FINE_RATIO: f64 = 1.6;

/// Pixels of the small level of a large photo, 320 × 240. It finds faces that fill the photo or extend beyond it.
const SMALL: u32 = 320 * 240;

/// Most pixels of a copy that is turned or has a margin, 240 × 180.
const TURNED: u32 = 240 * 180;

/// The small level of a photo without a fine one has the coarse level's pixels divided by this.
const SMALL_SHARE: u32 = 4;

impl Default for DetectorParams {
    fn default() -> Self {
        Self {
            threshold: 0.6,
            resolution: Resolution::Auto,
            max_enlargement: 2.0,
            min_rolled_score: 0.1,
            min_small_score: 0.05,
            refine_threshold: 0.7,
            confirm_threshold: 0.8,
            small_face: 40.0,
            min_roll: 25_f32.to_radians(),
            upright_threshold: 0.9,
            min_turned_score: 0.1,
            likely_score: 0.6,
            confirm_turned: 0.9,
            min_coarse_face: 48.0,
            coarse_threshold: 0.7,
            max_refinements: 64,
            max_turns: 7,
            max_doubtful_turns: 4,
            turned_threshold: 0.7,
            hint_threshold: 0.4,
            named_threshold: 0.5,
            margin_below: 0.7,
            margin_threshold: 0.7,
            proposal_threshold: -0.5,
            small_level_threshold: 0.05,
            large_hint_threshold: 0.1,
            large_hint: 24.0,
            cut_threshold: 0.3,
            suppress_iou: 0.4,
            suppress_iom: 0.8,
        }
    }
}

impl DetectorParams {
    /// Width and height of the pyramid levels of a photo, the finest first: a level with the area of 640 × 480 or, for
    /// a large photo, a finer one, so that faces from 48 pixels on are found in photos of up to 24 megapixels; and a
    /// small level for faces that fill the photo or are cut by its border.
    pub fn pyramid(&self, width: u32, height: u32) -> Vec<(u32, u32)> {
        let area = f64::from(width) * f64::from(height);
        let most = f64::from(MAX_FINE);
        let eighths = [1.0, 2.0].map(|eighths: f64| area * (eighths / 8.0).powi(2));
        let within = |pixels: &f64| (MIN_SHARE_OF_MAX_FINE * most..=most).contains(pixels);
        let most = eighths.into_iter().find(within).unwrap_or(most);
        let fine = (area * FINE_SHARE).min(most);
        let sizes = match self.resolution {
            Resolution::Pixels(pixels) => vec![pixels],
            Resolution::Auto if fine < MIN_FINE_RATIO * f64::from(COARSE) => {
                vec![COARSE, self.quarter(width, height)]
            }
            Resolution::Auto => vec![fine as u32, SMALL],
        };
        let sizes = sizes.into_iter();
        sizes.map(|size| self.scaled(width, height, size)).collect()
    }

    /// Width and height of the copy of a photo with half of its fine level's sides; `None` if it has no fine level.
    pub fn half(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        let levels = self.pyramid(width, height);
        let [(width, height), (_, _)] = *levels.as_slice() else {
            return None;
        };
        let is_fine =
            f64::from(width) * f64::from(height) >= MIN_FINE_RATIO * f64::from(COARSE) * 0.99;
        is_fine.then(|| (width.div_ceil(2), height.div_ceil(2)))
    }

    /// Pixels of the small level of a photo without a fine one.
    fn quarter(&self, width: u32, height: u32) -> u32 {
        let (width, height) = self.scaled(width, height, COARSE);
        (width * height / SMALL_SHARE).max(1)
    }

    /// Width and height of the copy of a photo that is turned or gets a margin.
    pub fn small(&self, width: u32, height: u32) -> (u32, u32) {
        let pixels = self.quarter(width, height).min(TURNED);
        self.scaled(width, height, pixels)
    }

    /// Scales a photo's width and height to an area of `pixels`, enlarging by at most `max_enlargement`;
    /// each side is at least 1.
    fn scaled(&self, width: u32, height: u32, pixels: u32) -> (u32, u32) {
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
    fn levels_keep_the_aspect_ratio_and_at_least_one_pixel() {
        let params = DetectorParams::default();
        assert_eq!(params.pyramid(180, 190), [(360, 380), (180, 190)]);
        assert_eq!(params.pyramid(1, 1), [(2, 2), (1, 1)]);
        assert_eq!(params.pyramid(1280, 960), [(640, 480), (320, 240)]);
        assert_eq!(params.half(1280, 960), None);
        assert_eq!(params.half(4000, 3000), Some((750, 563)));
        let panorama = params.pyramid(6_000_000, 1);
        assert!(panorama.iter().all(|level| level.1 == 1), "{panorama:?}");
        assert_eq!(params.pyramid(4000, 3000)[1], (320, 240));
        assert_eq!(params.small(4000, 3000), (240, 180));
        assert_eq!(params.small(180, 190), (180, 190));
    }

    #[test]
    fn a_face_of_48_pixels_has_at_least_17_in_the_finest_level_up_to_24_megapixels() {
        let params = DetectorParams::default();
        for (width, height) in [(2400, 1600), (4000, 3000), (4000, 6000)] {
            let finest = params.pyramid(width, height)[0];
            let face = 48.0 * f64::from(finest.0) / f64::from(width);
            assert!(face > 17.0, "{face} of {width}×{height}");
        }
        let huge = params.pyramid(20_000, 10_000)[0];
        assert!(huge.0 * huge.1 <= MAX_FINE + 20_000);
    }

    #[test]
    fn a_panorama_of_little_more_than_eight_times_the_sides_is_searched_at_an_eighth() {
        let params = DetectorParams::default();
        assert_eq!(params.pyramid(20_000, 10_000)[0], (2500, 1250));
        assert_eq!(params.pyramid(10_000, 5_200)[0], (2500, 1300));
        // Here an eighth has too few pixels, and a quarter too many.
        let (width, height) = params.pyramid(16_000, 8_000)[0];
        assert!((width * height).abs_diff(MAX_FINE) < 5_000);
    }

    #[test]
    fn a_given_resolution_makes_a_single_level() {
        let params = DetectorParams {
            resolution: Resolution::Pixels(1280 * 960),
            ..DetectorParams::default()
        };
        assert_eq!(params.pyramid(4000, 3000), [(1280, 960)]);
    }
}
