//! Carries corrections over to edits and exports of the same picture: when an edit is analysed, and when a face is
//! corrected in a photo whose edits are already in the index.

use std::collections::BTreeMap;

use super::analyse::FoundInPhoto;
use super::decoder::{CutFaces, Decoder};
use crate::error::Result;
use crate::face::DetectedFace;
use crate::file::read_bytes;
use crate::likeness::{FacePicture, same_faces};
use crate::photo::ContentHash;
use crate::store::{
    CorrectionRecord, FaceId, KinCorrection, KinCorrections, KinFace, Occasion, Photo, PhotoId,
    SeenCorrections, Store,
};

/// The faces of a photo with their pictures and the corrections that carry over to them.
#[derive(Debug, Default)]
pub(super) struct Kin {
    pub faces: Vec<KinFace>,
    /// Whether other corrections may carry over, which is known only when all photos of the run are stored.
    pub is_undecided: bool,
    /// The corrections that were looked at.
    pub seen: SeenCorrections,
}

/// The pictures of the faces of a photo that is being analysed, with the corrections of the same
/// faces in other files. No faces, after a few look-ups in the database, unless a face was corrected in a photo of the same
/// moment and camera, in what was at this path before, or in this photo before the index kept its picture.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn of_analysis(
    store: &Store,
    occasion: Occasion<'_>,
    hash: &ContentHash,
    found: &mut FoundInPhoto<'_>,
) -> Result<Kin> {
    let KinCorrections {
        corrections,
        is_undecided,
        seen,
    } = store.kin_corrections(hash, occasion, &found.capture, found.size)?;
    let faces = if corrections.is_empty() && !store.lacks_picture(hash)? {
        Vec::new()
    } else {
        let pictures = found.pictures();
        kin_faces(found.faces, pictures, &corrections)
    };
    Ok(Kin {
        faces,
        is_undecided,
        seen,
    })
}

/// The faces with their pictures, each with that one of `corrections` whose picture shows the same face. First come those of
/// the photo that was at the path last, then those of the one before it, and so on: a later correction is the person's last
/// word on the photo of this path, and the first version may resemble this one more.
fn kin_faces(
    faces: &[DetectedFace],
    pictures: Vec<FacePicture>,
    corrections: &[KinCorrection],
) -> Vec<KinFace> {
    let mut same = vec![None; faces.len()];
    let mut taken = Vec::new();
    let mut ranks: Vec<_> = corrections.iter().map(rank).collect();
    ranks.sort_unstable();
    ranks.dedup();
    for of_rank in ranks {
        let (open, of_faces): (Vec<usize>, Vec<&FacePicture>) = (0..faces.len())
            .filter(|face| same[*face].is_none())
            .map(|face| (face, &pictures[face]))
            .unzip();
        let corrected: Vec<_> = corrections
            .iter()
            .filter(|correction| rank(correction) == of_rank && !taken.contains(&correction.face))
            .collect();
        let of_corrected: Vec<_> = corrected
            .iter()
            .map(|correction| (correction.face, &correction.picture))
            .collect();
        let found = same_faces(&of_faces, &of_corrected);
        for (face, index) in open.into_iter().zip(found) {
            let Some(index) = index else { continue };
            taken.push(corrected[index].face);
            same[face] = Some(corrected[index].id());
        }
    }
    let kin = faces.iter().zip(pictures).zip(same);
    kin.map(|((face, picture), correction)| KinFace {
        at: face.bounding_box,
        picture,
        correction,
    })
    .collect()
}

/// Those that are not carried over come last, so that they take no face from another one.
fn rank(correction: &KinCorrection) -> (bool, usize) {
    let replaced = correction.replaced.unwrap_or(usize::MAX);
    (correction.is_declined, replaced)
}

/// Called after a person corrected faces: stores pictures of them, by which they are recognised in edits and exports,
/// and carries the corrections over to edits that are in the index. Returns the number of faces to which a correction
/// was carried over. Photos without a file that can be read are analysed when they have one again.
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
        let kept = put(store, photo, decoder, Some(&corrected))?;
        if kept.is_none() {
            continue;
        }
        for kin in store.kin_photos(photo)? {
            carried += put(store, kin, decoder, None)?.unwrap_or_default();
        }
    }
    Ok(carried)
}

/// Called after corrections were imported: carries them over to edits that are in the index. Returns the number of faces to
/// which one was carried over. Photos without a file that can be read are analysed when they have one again.
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
        carried += put(store, photo, decoder, None)?.unwrap_or_default();
    }
    Ok(carried)
}

/// Reads a photo of the index, stores pictures of its faces, or of these alone, and carries corrections over to them.
/// Returns the number of faces to which a correction was carried over; `None` if no file of it can be read: it is analysed
/// when there is one.
fn put(
    store: &mut Store,
    photo: PhotoId,
    decoder: &Decoder,
    these: Option<&[FaceId]>,
) -> Result<Option<u64>> {
    let Some(photo) = store.photo(photo)? else {
        return Ok(None);
    };
    let Ok(analysis) = &photo.content else {
        return Ok(None);
    };
    let faces: Vec<_> = analysis
        .faces
        .iter()
        .filter(|face| these.is_none_or(|these| these.contains(&face.id)))
        .map(|face| face.face)
        .collect();
    let Some(cut) = cut(&photo, decoder, &faces) else {
        tracing::debug!(photo = %photo.id, "no file of the photo can be read: its faces are compared when there is one");
        store.batch(|batch| batch.note_due(photo.id, true))?;
        return Ok(None);
    };
    let occasion = Occasion::Correction;
    let found = store.kin_corrections(&photo.hash, occasion, &cut.capture, cut.size)?;
    let kin = kin_faces(&faces, cut.pictures, &found.corrections);
    let carried = store.batch(|batch| {
        let carried = batch.put_kin(photo.id, &kin)?;
        if these.is_none() {
            let are_newer = batch.are_newer(&photo.hash, &found.seen)?;
            batch.note_due(photo.id, are_newer)?;
        }
        Ok(carried)
    })?;
    Ok(Some(carried))
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
