//! Cuts the largest face of labelled photos, as the pipeline cuts it for the network, so that training can learn from
//! it.

use std::path::Path;

use rayon::prelude::*;

use super::{AlbumLabels, PhotoLabels, UnreadablePhoto};
use crate::classify::crop_face;
use crate::emotion::Emotion;
use crate::error::{Result, Skip};
use crate::file::read_bytes;
use crate::pipeline::LocalAnalyser;
use fer_train::photos::{PhotoFace, PhotoFaces};

/// The largest face of each labelled photo of a folder that has one with a score of at least `threshold`, in the order
/// of the file names; also the photos that could not be read, and the number of those that have none. Calls `done` after
/// each photo.
///
/// # Errors
/// [`Error::Input`](crate::error::Error::Input) if the labels say nothing.
pub fn cut_faces(
    analyser: &LocalAnalyser,
    folder: &Path,
    labels: &AlbumLabels,
    threshold: f32,
    done: impl Fn() + Sync,
) -> Result<(PhotoFaces, Vec<UnreadablePhoto>, usize)> {
    labels.expect_labels()?;
    let photos: Vec<(&String, &PhotoLabels)> = labels.photos.iter().collect();
    let faces: Vec<Result<Option<PhotoFace>, UnreadablePhoto>> = photos
        .par_iter()
        .map(|(name, labels)| {
            let face = face(analyser, &folder.join(name), labels, threshold);
            done();
            face.map_err(|skip| UnreadablePhoto::new(name, &skip))
        })
        .collect();
    let (mut found, mut unreadable, mut faceless) = (Vec::new(), Vec::new(), 0);
    for face in faces {
        match face {
            Ok(Some(face)) => found.push(face),
            Ok(None) => faceless += 1,
            Err(photo) => unreadable.push(photo),
        }
    }
    Ok((PhotoFaces(found), unreadable, faceless))
}

fn face(
    analyser: &LocalAnalyser,
    path: &Path,
    labels: &PhotoLabels,
    threshold: f32,
) -> Result<Option<PhotoFace>, Skip> {
    let bytes = read_bytes(path, analyser.limits().max_bytes)?;
    let (raster, faces) = analyser.detect(&bytes)?;
    let counted = faces.into_iter().filter(|face| face.score >= threshold);
    let largest = counted.max_by(|a, b| {
        let [a, b] = [a, b].map(|face| face.bounding_box.area());
        a.total_cmp(&b)
    });
    Ok(largest.map(|face| {
        let crop = crop_face(&raster, &face);
        PhotoFace {
            pixels: crop.iter().map(|grey| grey.round() as u8).collect(),
            emotion: labels.emotion,
            smile: labels.shows.get(&Emotion::Happy).copied(),
            person: labels.person.clone(),
        }
    }))
}
