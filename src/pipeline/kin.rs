//! Carries corrections over to edits and exports of the same picture: when an edit is analysed, and when a face is
//! corrected in a photo whose edits are already in the index.

use std::collections::BTreeMap;
use std::path::Path;

use super::analyse::FoundInPhoto;
use super::decoder::{CutFaces, Decoder};
use crate::error::Result;
use crate::face::DetectedFace;
use crate::facts::of_content;
use crate::file::read_bytes;
use crate::likeness::{FacePicture, same_faces};
use crate::photo::{Capture, ContentHash, TakenAt};
use crate::store::{CorrectionRecord, FaceId, KinCorrection, KinFace, Photo, PhotoId, Store};

/// The pictures of the faces of a photo at `path` that is being analysed, with the corrections of the same
/// faces in other files. Empty, after two look-ups in the database, unless a face was corrected in a photo of the same
/// moment and camera, or in this photo before the index kept pictures.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn of_analysis(
    store: &Store,
    path: &Path,
    hash: &ContentHash,
    found: &mut FoundInPhoto<'_>,
) -> Result<Vec<KinFace>> {
    let corrections = store.kin_corrections(hash, Some(path), &found.capture, found.size)?;
    if corrections.is_empty() && !store.lacks_picture(hash)? {
        return Ok(Vec::new());
    }
    let pictures = found.pictures();
    Ok(kin_faces(found.faces, pictures, &corrections))
}

/// The faces with their pictures, each with that one of `corrections` whose picture shows the same face.
fn kin_faces(
    faces: &[DetectedFace],
    pictures: Vec<FacePicture>,
    corrections: &[KinCorrection],
) -> Vec<KinFace> {
    let corrected: Vec<_> = corrections.iter().map(|one| &one.picture).collect();
    let same = same_faces(&pictures, &corrected);
    let kin = faces.iter().zip(pictures).zip(same);
    kin.map(|((face, picture), same)| KinFace {
        at: face.bounding_box,
        picture,
        correction: same.map(|index| corrections[index].id()),
    })
    .collect()
}

/// Called after a person corrected faces: stores pictures of them, by which they are recognised in edits and exports,
/// and carries the corrections over to edits that are in the index. Returns the number of faces to which a correction
/// was carried over. Files that cannot be read are passed over.
///
/// # Errors
/// If the database cannot be read or written.
pub fn carry_over(store: &mut Store, faces: &[FaceId], decoder: &Decoder) -> Result<u64> {
    let mut photos = BTreeMap::new();
    for face in faces {
        if let Some((photo, _)) = store.face(*face)? {
            photos.entry(photo).or_insert_with(Vec::new).push(*face);
        }
    }
    let mut carried = 0;
    for (photo, corrected) in photos {
        let kept = put(store, photo, decoder, |face| corrected.contains(&face))?;
        if kept.is_none() {
            continue;
        }
        for kin in store.kin_photos(photo)? {
            carried += put(store, kin, decoder, |_| true)?.unwrap_or_default();
        }
    }
    Ok(carried)
}

/// Called after corrections were imported: carries them over to edits that are in the index. Returns the number of faces to
/// which one was carried over. Files that cannot be read are passed over.
///
/// # Errors
/// If the database cannot be read or written.
pub fn carry_imported(
    store: &mut Store,
    records: &[CorrectionRecord],
    decoder: &Decoder,
) -> Result<u64> {
    let mut carried = 0;
    for photo in store.kin_of_corrections(records)? {
        carried += put(store, photo, decoder, |_| true)?.unwrap_or_default();
    }
    Ok(carried)
}

/// Reads a photo of the index, stores pictures of those of its faces that `wanted` admits, and carries corrections over
/// to them. Returns the number of faces to which a correction was carried over; `None` if it has no date and camera,
/// or no file of it can be read.
fn put(
    store: &mut Store,
    photo: PhotoId,
    decoder: &Decoder,
    wanted: impl Fn(FaceId) -> bool,
) -> Result<Option<u64>> {
    let Some(photo) = store.photo(photo)? else {
        return Ok(None);
    };
    let Ok(analysis) = &photo.content else {
        return Ok(None);
    };
    if !can_have_kin(&of_content(&analysis.said)) {
        return Ok(None);
    }
    let faces: Vec<_> = analysis
        .faces
        .iter()
        .filter(|face| wanted(face.id))
        .map(|face| face.face)
        .collect();
    let Some(cut) = cut(&photo, decoder, &faces) else {
        tracing::debug!(photo = %photo.id, "no file of the photo can be read to keep the corrected faces");
        return Ok(None);
    };
    let corrections = store.kin_corrections(&photo.hash, None, &cut.capture, cut.size)?;
    let kin = kin_faces(&faces, cut.pictures, &corrections);
    store.batch(|batch| batch.put_kin(photo.id, &kin)).map(Some)
}

/// Whether the content of a photo says when and with what camera it was taken.
fn can_have_kin(capture: &Capture) -> bool {
    let has_date = |taken: TakenAt| taken.source.is_exif();
    capture.camera.is_some() && capture.taken_at.is_some_and(has_date)
}

/// Cuts faces out of a photo, from the first of its files whose content is unchanged.
fn cut(photo: &Photo, decoder: &Decoder, faces: &[DetectedFace]) -> Option<CutFaces> {
    photo.paths.iter().find_map(|path| {
        let bytes = read_bytes(path, decoder.limits().max_bytes).ok()?;
        if ContentHash::of(&bytes) != photo.hash {
            return None;
        }
        decoder.cut(&bytes, faces).ok()
    })
}
