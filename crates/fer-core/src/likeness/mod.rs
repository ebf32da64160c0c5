//! Recognises the same picture of the same face in another file: an edit or an export of a photo.
//!
//! A [`FacePicture`] is a small grey picture of a face and its surroundings, aligned by the landmarks,
//! so that scaling, rotating and cropping the photo hardly change it. [`likeness`] compares two of
//! them: it registers one with the other exactly and then compares them part by part. An edit changes
//! tones smoothly, but moves no part against the others. A face that was held still looks the same in two
//! photos of a burst, however, so something else must show that the photos are of the same moment.

mod filter;
mod parts;
mod picture;
mod register;

pub use parts::likeness;
pub use picture::FacePicture;

/// The least [`likeness`] of the same picture of a face. `docs/corrections.md` has the measurements.
pub const SAME_PICTURE: f32 = 0.8;

/// The picture among `others` that shows the same face as each of `faces`; each is the answer for one face
/// at most, the best pairs first.
pub fn same_faces(faces: &[FacePicture], others: &[&FacePicture]) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    for (face, picture) in faces.iter().enumerate() {
        for (other, pictured) in others.iter().enumerate() {
            if let Some(likeness) = likeness(pictured, picture)
                && likeness >= SAME_PICTURE
            {
                pairs.push((likeness, face, other));
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
