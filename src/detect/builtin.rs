//! The built-in detector: runs YuNet on an image pyramid, refines doubtful candidates, finds the roll of faces that are
//! not upright, and searches further copies of photos in which it finds no certain face.

use std::f32::consts::FRAC_PI_2;

use image::RgbImage;

use super::closer;
use super::copies::{Copies, Turned};
use super::nms::suppress;
use super::proposals::ProposalNetwork;
use super::refine::{Refinement, roll, rotated};
use super::regions::{Marks, Region};
use super::{DetectorParams, FaceDetector, Yunet};
use crate::affine::Affine;
use crate::error::{Result, Skip};
use crate::face::{BoundingBox, DetectedFace};
use crate::raster::Raster;

/// A candidate replaces one in a finer level only if it scores higher by more than this: the landmarks of the finer one
/// are more precise.
const LEVEL_MARGIN: f32 = 0.03;

/// Pixels of the fine level that are searched around a cell that may show a face. A face of 48 pixels in the photo has
/// 18 in the fine level.
const MARGIN: u32 = 40;

/// Margin around a candidate's box that is marked for the search, as a share of the box's sides.
const CANDIDATE_MARGIN: f32 = 0.25;

/// Faces whose shorter side is below this, in pixels of the fine level, are those that the proposal network detects
/// most reliably.
const MAX_PROPOSED_SIDE: f32 = 48.0;

/// Such a candidate counts only if a marked cell is in its box, enlarged on each side by this share of the box's sides.
const EXPECTED_MARGIN: f32 = 0.75;

/// If the regions would cover more than this share of the fine level, all of it is searched.
const MAX_SEARCHED_SHARE: f32 = 0.8;

/// A face whose roll has a cosine below this counts as turned: from 60° on.
const TURNED_COS: f32 = 0.5;

/// The sizes at which a face is searched in a named region, as shares of the region's sides.
const REGION_SIDES: [f32; 3] = [1.0, 0.75, 0.55];

/// Detects faces with the network that is built into the program.
#[derive(Debug)]
pub struct Builtin {
    params: DetectorParams,
    network: Yunet,
    proposals: ProposalNetwork,
}

impl Builtin {
    /// Name of the detector, stored with its results. The number after the plus sign is the version of the search:
    /// copies, refinement, turns, suppression, and the precision of the network.
    pub const MODEL: &'static str = "yunet-s 2024.9+8";

    /// Builds the detector from the weights in the binary.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the weights do not fit the network.
    pub fn new(params: DetectorParams) -> Result<Self> {
        Ok(Self {
            params,
            network: Yunet::new()?,
            proposals: ProposalNetwork::new()?,
        })
    }

    /// The parameters of the search.
    pub const fn params(&self) -> &DetectorParams {
        &self.params
    }

    /// The faces that score at least `least` in a photo after this many quarter turns clockwise, in the coordinates of
    /// the unturned photo.
    fn search(&self, copies: &Copies, quarters: u8, least: f32) -> Vec<DetectedFace> {
        let params = &self.params;
        let turned = copies.turned(quarters);
        let Some(refinement) = self.refinement(copies, &turned) else {
            return Vec::new();
        };
        let Turned {
            photo,
            pyramid,
            back,
            ..
        } = &turned;
        let to_photo = |level: &Raster| {
            Affine::stretch(
                photo.width() as f32 / level.width() as f32,
                photo.height() as f32 / level.height() as f32,
            )
        };
        let (finest, others) = pyramid
            .split_first()
            .expect("refinement needs the finest level");
        // If the photo has a fine level, only regions of it are searched.
        let in_regions = turned.half.is_some();
        let (mut coarse, mut hints) = (Vec::new(), Vec::new());
        let least_coarse = least.max(params.coarse_threshold);
        for level in others {
            let least = if in_regions {
                params.small_level_threshold
            } else {
                least_coarse
            };
            let found = self.network.candidates(&level.upright(), least);
            let map = to_photo(level);
            for face in found {
                let side = face.bounding_box.short_side();
                if side >= params.min_coarse_face {
                    coarse.push(face.through(&map));
                } else if side < params.large_hint || face.score >= params.large_hint_threshold {
                    hints.push(face.through(&map));
                }
            }
        }
        let found = self.in_finest(&turned, finest, &hints, least);
        let map = to_photo(finest);
        let mut candidates: Vec<DetectedFace> = found.iter().map(|f| f.through(&map)).collect();
        let finer = candidates.len();
        // A large face on its side may be detected only in the coarse level. It counts if it is certain after it is
        // turned.
        let mut doubtful: Vec<BoundingBox> = Vec::new();
        for face in coarse {
            let counts = face.score >= least_coarse;
            let is_same = |finer: &DetectedFace| {
                (finer.score > face.score - LEVEL_MARGIN || !counts)
                    && finer.bounding_box.iou(&face.bounding_box) > params.suppress_iou
            };
            if !counts && face.score < params.min_turned_score
                || candidates[..finer].iter().any(is_same)
            {
                continue;
            }
            if !counts {
                doubtful.push(face.bounding_box);
            }
            candidates.push(face);
        }
        // Nested boxes are kept until after refinement: a box around a small face may score higher than
        // the face before it, and lower after it.
        let candidates = suppress(candidates, self.params.suppress_iou, 1.0);
        let mut faces = refinement.refine(candidates);
        refinement.turn(&mut faces);
        faces.retain(|face| !doubtful.contains(&face.bounding_box));
        // Only better faces suppress a face, so faces below all thresholds can be dropped before suppression.
        faces.retain(|face| face.score >= params.threshold.min(params.margin_below));
        faces.iter().map(|face| face.through(back)).collect()
    }

    /// Candidates in the finest level that score at least `least`, in its pixels. In a fine level, only regions are
    /// searched: those in which the proposal network or `hints`, the candidates of a coarser level, indicate a face.
    fn in_finest(
        &self,
        turned: &Turned,
        finest: &Raster,
        hints: &[DetectedFace],
        least: f32,
    ) -> Vec<DetectedFace> {
        let picture = finest.upright();
        let Some(half) = &turned.half else {
            return self.network.candidates(&picture, least);
        };
        let mut marks = Marks::new(picture.width(), picture.height());
        let threshold = self.params.proposal_threshold;
        let mark = |column, row| marks.mark(column, row);
        self.proposals.propose(&half.upright(), threshold, mark);
        let scale = picture.width() as f32 / turned.photo.width() as f32;
        let to_level = Affine::stretch(scale, scale);
        for hint in hints {
            marks.mark_box(&hint.through(&to_level).bounding_box, CANDIDATE_MARGIN);
        }
        let regions = marks.regions(MARGIN, MAX_SEARCHED_SHARE);
        let mut cut = Marks::new(picture.width(), picture.height());
        let mut faces = self.in_regions(&picture, &regions, least, |face| {
            if face.score >= self.params.cut_threshold {
                cut.mark_box(&face.bounding_box, CANDIDATE_MARGIN);
            }
        });
        // Faces that are too large for the regions are searched again in larger ones.
        let regions = cut.regions(MARGIN, MAX_SEARCHED_SHARE);
        faces.extend(self.in_regions(&picture, &regions, least, |_| ()));
        // A small candidate in a region but apart from all marked cells is seldom a face.
        let is_expected = |at: &BoundingBox| {
            at.short_side() >= MAX_PROPOSED_SIDE || marks.has(at, EXPECTED_MARGIN)
        };
        faces.retain(|face| is_expected(&face.bounding_box));
        faces
    }

    /// Candidates in regions of a picture, in its pixels. Those that the border of a region may cut are not returned
    /// but passed to `cut`.
    fn in_regions(
        &self,
        picture: &RgbImage,
        regions: &[Region],
        least: f32,
        mut cut: impl FnMut(&DetectedFace),
    ) -> Vec<DetectedFace> {
        let mut faces = Vec::new();
        for region in regions {
            let Region { left, upper, .. } = *region;
            let (width, height) = (region.right - left, region.lower - upper);
            if (width, height) == picture.dimensions() {
                return self.network.candidates(picture, least);
            }
            let part = region.part_of(picture);
            let to_level = Affine {
                x: [1.0, 0.0, left as f32],
                y: [0.0, 1.0, upper as f32],
            };
            for face in self.network.candidates(&part, least) {
                let face = face.through(&to_level);
                if region.cuts(&face.bounding_box, picture.dimensions()) {
                    cut(&face);
                } else {
                    faces.push(face);
                }
            }
        }
        faces
    }

    /// The refinement pass for a photo after quarter turns; `None` if the pyramid is empty.
    fn refinement<'a>(
        &'a self,
        copies: &'a Copies<'_>,
        Turned { photo, pyramid, .. }: &'a Turned,
    ) -> Option<Refinement<'a>> {
        let (network, params) = (&self.network, &self.params);
        let finest = pyramid.first()?;
        let levels = copies.levels();
        Some(Refinement::new(network, params, photo, levels, finest))
    }

    /// The quarter turns after which a small copy of the photo shows the best face, `None` without a likely face; and
    /// the candidates in these copies, in the coordinates of the photo.
    fn best_turn(&self, copies: &Copies) -> (Option<u8>, Vec<DetectedFace>) {
        let (copy, to_photo) = copies.small_to_photo();
        let mut best = (self.params.turned_threshold, None);
        let mut hints = Vec::new();
        for quarters in 1..4 {
            let found = self.hints(copy, &to_photo, quarters);
            let scores = found.iter().map(|face| face.score);
            if let Some(score) = scores.max_by(f32::total_cmp)
                && score >= best.0
            {
                best = (score, Some(quarters));
            }
            hints.extend(found);
        }
        (best.1, hints)
    }

    /// The candidates in a copy of the photo after quarter turns, in the coordinates of the photo.
    fn hints(&self, copy: &Raster, to_photo: &Affine, quarters: u8) -> Vec<DetectedFace> {
        let turned = copy.turned(quarters);
        let to_photo = turned.upright_to_stored().then(to_photo);
        let least = self.params.hint_threshold;
        let found = self.network.candidates(&turned.upright(), least);
        found.iter().map(|face| rotated(face, &to_photo)).collect()
    }

    /// The faces in a small copy of the photo that is rotated by 45°, 135°, 225° or 315°, and those of `hints`, if an
    /// upright patch confirms them.
    fn search_oblique(&self, copies: &Copies, hints: Vec<DetectedFace>) -> Vec<DetectedFace> {
        let as_it_is = copies.turned(0);
        let Some(refinement) = self.refinement(copies, &as_it_is) else {
            return Vec::new();
        };
        let (copy, to_photo) = copies.oblique();
        let mut faces = hints;
        for quarters in 0..4 {
            faces.extend(self.hints(&copy, &to_photo, quarters));
        }
        let faces = suppress(faces, self.params.suppress_iou, self.params.suppress_iom);
        let likely = faces.iter().take(self.params.max_turns);
        likely
            .filter_map(|face| refinement.confirm_hint(face))
            .collect()
    }

    /// The face in a region with a name; see [`DetectorParams::named_threshold`]. Searched at the size of the region
    /// and at smaller ones, since people draw boxes around heads; upright, and only if that finds none, turned.
    fn face_at(&self, refinement: &Refinement<'_>, at: &BoundingBox) -> Option<DetectedFace> {
        let params = &self.params;
        let in_rolls = |quarters: &[u8], least| {
            let tries = REGION_SIDES.iter().flat_map(|side| {
                let region = DetectedFace {
                    bounding_box: closer::resized(at, *side),
                    landmarks: None,
                    score: 0.0,
                };
                let turned = quarters
                    .iter()
                    .map(|quarters| f32::from(*quarters) * FRAC_PI_2);
                turned.filter_map(move |roll| refinement.search_at(&region, roll, least))
            });
            closer::best(tries, at)
        };
        in_rolls(&[0], params.named_threshold)
            .or_else(|| in_rolls(&[1, 2, 3], params.confirm_threshold))
    }

    /// The faces in a small copy of the photo with a margin.
    fn search_with_margin(&self, copies: &Copies) -> Vec<DetectedFace> {
        let (copy, to_photo) = copies.with_margin();
        let found = self.network.candidates(&copy, self.params.margin_threshold);
        found.iter().map(|face| face.through(&to_photo)).collect()
    }
}

impl FaceDetector for Builtin {
    fn model(&self) -> &'static str {
        Self::MODEL
    }

    fn copy_of(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        self.params.pyramid(width, height).first().copied()
    }

    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip> {
        let params = &self.params;
        let copies = Copies::new(photo, params);
        let merged = |faces| suppress(faces, params.suppress_iou, params.suppress_iom);
        // The search does not depend on the threshold, so a lower threshold only adds faces.
        let least = params.min_rolled_score.min(params.min_small_score);
        let mut faces = merged(self.search(&copies, 0, least.min(params.threshold)));
        let best = faces.first().map_or(0.0, |face| face.score);
        let (turn, hints) = if best < params.upright_threshold {
            self.best_turn(&copies)
        } else {
            (None, Vec::new())
        };
        if let Some(quarters) = turn {
            let turned = self.search(&copies, quarters, params.turned_threshold);
            let is_certain = |face: &DetectedFace| face.score >= params.confirm_threshold;
            faces.extend(turned.into_iter().filter(is_certain));
            faces = merged(faces);
        }
        let is_doubtful = |faces: &[DetectedFace]| {
            faces
                .first()
                .is_none_or(|face| face.score < params.margin_below)
        };
        if is_doubtful(&faces) {
            faces.extend(self.search_oblique(&copies, hints));
            faces = merged(faces);
        }
        if is_doubtful(&faces) {
            faces.extend(self.search_with_margin(&copies));
            faces = merged(faces);
        }
        if let Some(best) = faces.first().copied() {
            // In a turned photo, upside-down objects may resemble upright faces.
            let is_turned = |face: &DetectedFace| roll(face).cos() < TURNED_COS;
            let is_likely = |face: &DetectedFace| face.score >= params.turned_threshold;
            faces.retain(|face| !is_turned(&best) || is_turned(face) || is_likely(face));
        }
        faces.retain(|face| face.score >= params.threshold);
        Ok(faces)
    }

    fn detect_at(
        &self,
        photo: &Raster,
        regions: &[BoundingBox],
    ) -> Result<Vec<Option<DetectedFace>>, Skip> {
        let copies = Copies::new(photo, &self.params);
        let as_it_is = copies.turned(0);
        let Some(refinement) = self.refinement(&copies, &as_it_is) else {
            return Ok(vec![None; regions.len()]);
        };
        let regions = regions.iter();
        Ok(regions.map(|at| self.face_at(&refinement, at)).collect())
    }
}

#[cfg(test)]
mod tests;
