//! Recognises the same picture of the same face in another file: an edit or an export of a photo.
//!
//! A [`FacePicture`] is a small grey picture of a face and its surroundings, aligned by the landmarks, so that scaling,
//! rotating and cropping the photo hardly change it. [`likeness`] compares two of them: it registers one with the other
//! exactly and then compares them part by part. An edit changes tones smoothly, but moves no part against the others.
//! However, a face that did not move looks the same in two photos of a burst, so other evidence must show that the
//! photos are of the same moment.

mod filter;
mod parts;
mod picture;
mod register;

pub use parts::likeness;
pub use picture::FacePicture;

/// The least [`likeness`] of the same picture of a face. `docs/corrections.md` has the measurements.
pub const SAME_PICTURE: f32 = 0.8;

/// For each of `faces`, the index in `others` of the picture of the same face. Pictures in `others` with the same number
/// are of one face. The best pairs are assigned first, and each face of `others` to one of `faces` at most.
pub fn same_faces(faces: &[&FacePicture], others: &[(i64, &FacePicture)]) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    for (face, picture) in faces.iter().enumerate() {
        for (other, (_, pictured)) in others.iter().enumerate() {
            if let Some(likeness) = likeness(pictured, picture)
                && likeness >= SAME_PICTURE
            {
                pairs.push((likeness, face, other));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut same: Vec<Option<usize>> = vec![None; faces.len()];
    for (_, face, other) in pairs {
        let number = others[other].0;
        let is_taken = same
            .iter()
            .flatten()
            .any(|taken| others[*taken].0 == number);
        if same[face].is_none() && !is_taken {
            same[face] = Some(other);
        }
    }
    same
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, imageops};

    use super::*;
    use crate::classify::FRAME_LANDMARKS;
    use crate::face::{BoundingBox, DetectedFace, Landmarks, Point};
    use crate::raster::{Orientation, Raster};

    /// A picture of 240 × 240 pixels of smooth blobs, which `seed` places.
    fn blobs(seed: u32) -> RgbImage {
        let mut state = seed;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32
        };
        let blobs: Vec<[f32; 4]> = (0..150)
            .map(|_| {
                [
                    240.0 * random(),
                    240.0 * random(),
                    4.0 + 8.0 * random(),
                    random() - 0.5,
                ]
            })
            .collect();
        RgbImage::from_fn(240, 240, |x, y| {
            let light: f32 = blobs
                .iter()
                .map(|[cx, cy, size, height]| {
                    let (dx, dy) = (x as f32 - cx, y as f32 - cy);
                    height * (-(dx * dx + dy * dy) / (2.0 * size * size)).exp()
                })
                .sum();
            Rgb([(128.0 + 100.0 * light).clamp(0.0, 255.0) as u8; 3])
        })
    }

    /// A face whose landmarks are three times as large as in the frame of a crop, and off by `error` pixels.
    fn picture(photo: &RgbImage, error: f32) -> FacePicture {
        let mut signs = [1.0, -1.0, 0.5, -0.5, 1.0].into_iter();
        let landmarks: Landmarks = FRAME_LANDMARKS.map(|p| {
            let off = error * signs.next().unwrap_or_default();
            Point {
                x: 3.0 * p.x + 48.0 + error + off,
                y: 3.0 * p.y + 48.0 - off,
            }
        });
        let face = DetectedFace {
            bounding_box: BoundingBox {
                x: 60.0,
                y: 42.0,
                width: 120.0,
                height: 155.0,
            },
            landmarks: Some(landmarks),
            score: 0.9,
        };
        FacePicture::of(&Raster::new(photo.clone(), Orientation::Upright), &face)
    }

    #[test]
    fn tones_and_inexact_landmarks_do_not_matter_and_a_moved_part_does() {
        let photo = blobs(1);
        let original = picture(&photo, 0.0);
        let mut toned = photo.clone();
        for value in toned.iter_mut() {
            *value = (255.0 * (f32::from(*value) / 255.0).powf(0.6)) as u8;
        }
        let alike = likeness(&original, &picture(&toned, 5.0)).unwrap();
        assert!(alike > 0.9, "{alike}");

        // The lower half is shifted against the upper one by twenty pixels.
        let moved = RgbImage::from_fn(240, 240, |x, y| {
            let x = if y > 110 { (x + 20).min(239) } else { x };
            *photo.get_pixel(x, y)
        });
        let alike = likeness(&original, &picture(&moved, 0.0)).unwrap();
        assert!(alike < 0.7, "{alike}");
        let alike = likeness(&original, &picture(&blobs(2), 0.0)).unwrap_or(-1.0);
        assert!(alike < 0.5, "{alike}");
    }

    #[test]
    fn turned_and_mirrored_pictures_are_recognised() {
        let photo = blobs(3);
        let original = picture(&photo, 0.0);
        for turned in [
            imageops::rotate90(&photo),
            imageops::rotate180(&photo),
            imageops::flip_horizontal(&photo),
        ] {
            let alike = likeness(&original, &picture(&turned, 0.0)).unwrap();
            assert!(alike > 0.9, "{alike}");
        }
    }

    #[test]
    fn each_picture_is_the_answer_for_one_face() {
        let [a, b, c] = [4, 5, 6].map(|seed| picture(&blobs(seed), 0.0));
        let faces = [b.clone(), c, a.clone(), a.clone()];
        let faces: Vec<_> = faces.iter().collect();
        let same = same_faces(&faces, &[(1, &a), (2, &b)]);
        assert_eq!(same[..2], [Some(1), None]);
        assert_eq!(same[2..].iter().flatten().count(), 1);
        // Two pictures of one face, as before and after an edit.
        let same = same_faces(&faces, &[(1, &a), (1, &a), (2, &b)]);
        assert_eq!(same.iter().flatten().count(), 2);
    }

    #[test]
    fn a_picture_is_stored_and_read_unchanged_and_nonsense_is_refused() {
        let picture = picture(&blobs(7), 0.0);
        let bytes = picture.to_bytes();
        assert_eq!(FacePicture::from_bytes(&bytes), Some(picture));
        assert_eq!(FacePicture::from_bytes(&bytes[1..]), None);
        assert_eq!(FacePicture::from_bytes(&[]), None);
        assert_eq!(FacePicture::from_bytes(&vec![0; bytes.len()]), None);
        assert_eq!(FacePicture::from_bytes(&vec![255; bytes.len()]), None);
    }

    #[test]
    fn pictures_without_anything_in_common_are_not_alike() {
        let flat = picture(&RgbImage::from_pixel(240, 240, Rgb([90; 3])), 0.0);
        for other in [&flat, &picture(&blobs(8), 0.0)] {
            assert!(likeness(&flat, other).unwrap_or(-1.0) < SAME_PICTURE);
        }
    }
}
