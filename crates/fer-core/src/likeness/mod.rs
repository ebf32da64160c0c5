//! Recognises the same picture of the same face in another file: an edit or an export of a photo.
//!
//! A [`FacePicture`] is a small grey picture of a face and its surroundings, aligned by the landmarks,
//! so that scaling, rotating and cropping the photo hardly change it. [`likeness`] compares two of
//! them: it registers one with the other exactly and then compares them part by part. An edit changes
//! tones smoothly, but moves no part against the others.

mod filter;
mod parts;
mod picture;
mod register;

pub use parts::{Likeness, likeness};
pub use picture::FacePicture;

/// The least [`Likeness::parts`] of the same picture of a face. `docs/corrections.md` has the measurements.
const SAME_PICTURE: f32 = 0.7;

/// The most [`Likeness::moved`] of a face in a photo that was at most scaled, in cells.
const UNMOVED: f32 = 0.05;

/// What else is known of two photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// They were taken at the same moment: no other photo can be meant.
    Certain,
    /// They may be two photos of a burst. A face that was held still looks the same in both, so only its place in the
    /// frame tells them apart: a camera, or a head, is hardly ever still to a fraction of a pixel.
    Doubtful,
}

/// The picture among `others` that shows the same face as each of `faces`; each is the answer for one face
/// at most, the best pairs first.
pub fn same_faces(faces: &[FacePicture], others: &[(&FacePicture, Moment)]) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    for (face, picture) in faces.iter().enumerate() {
        for (other, (pictured, moment)) in others.iter().enumerate() {
            if let Some(likeness) = likeness(pictured, picture)
                && likeness.is_same_picture(*moment)
            {
                pairs.push((likeness.parts, face, other));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut same = vec![None; faces.len()];
    for (_, face, other) in pairs {
        if same[face].is_none() && !same.contains(&Some(other)) {
            same[face] = Some(other);
        }
    }
    same
}

impl Likeness {
    /// Whether the faces are the same picture.
    pub fn is_same_picture(&self, moment: Moment) -> bool {
        let is_alike = self.parts >= SAME_PICTURE;
        match moment {
            Moment::Certain => is_alike,
            Moment::Doubtful => is_alike && self.moved <= UNMOVED,
        }
    }
}
