//! Stores the features of faces, see [`fer_core::features`].

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::features::Features;

use super::record::{FaceId, PhotoId};

/// The features of the faces of a photo, as far as they are known.
pub(super) fn of_photo(
    db: &Connection,
    photo: PhotoId,
) -> rusqlite::Result<HashMap<FaceId, Features>> {
    let rows: Vec<(FaceId, Option<Features>)> = db
        .prepare_cached(
            "SELECT face_id, features FROM faces f JOIN face_features ON face_id = f.id WHERE photo_id = ?",
        )?
        .query_map([photo], |row| {
            let features = Features::from_bytes(row.get_ref(1)?.as_blob()?);
            Ok((row.get(0)?, features))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let known = rows.into_iter();
    Ok(known
        .filter_map(|(face, features)| Some((face, features?)))
        .collect())
}

/// Stores the features of a face in place of earlier ones.
pub(super) fn put(db: &Connection, face: FaceId, features: &Features) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO face_features VALUES (?, ?)")?
        .execute(params![face, features.as_bytes()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::testing::{META, face, first_face, photo, put, temp_store};
    use super::super::{PhotoAnalysis, PhotoId, Store};
    use super::*;
    use crate::emotion::Emotion;
    use crate::face::{Correction, ScoredFace};

    fn of(store: &Store, photo: PhotoId) -> Vec<Option<Features>> {
        let record = store.record(photo).unwrap().unwrap();
        let faces = record.content.unwrap().faces.into_iter();
        faces.map(|face| face.features).collect()
    }

    fn seen(value: f32) -> Features {
        Features::of(&[value, 0.0, 1.0])
    }

    /// A photo with two faces that have different features.
    fn two(content: &str) -> super::super::PhotoRecord {
        let mut faces = vec![face(0.0, 80.0, 0.9, 0.75), face(500.0, 80.0, 0.9, 0.25)];
        for (face, value) in faces.iter_mut().zip([0.25, 0.5]) {
            face.features = Some(seen(value));
        }
        photo(content, faces)
    }

    fn change(record: &mut super::super::PhotoRecord, change: impl Fn(&mut ScoredFace)) {
        if let Ok(PhotoAnalysis { faces, .. }) = &mut record.content {
            faces.iter_mut().for_each(change);
        }
    }

    #[test]
    fn a_face_keeps_its_features_through_corrections_moves_and_copies() {
        let (_folder, mut store) = temp_store();
        let id = put(&mut store, "/a.jpg", &two("a"));
        let expected = vec![Some(seen(0.25)), Some(seen(0.5))];
        assert_eq!(of(&store, id), expected);

        let first = first_face(&store, id);
        store
            .correct(first, Correction::Emotion(Emotion::Sad))
            .unwrap();
        assert_eq!(of(&store, id), expected);
        store.undo(first).unwrap();
        assert_eq!(of(&store, id), expected);

        store
            .rename(Path::new("/a.jpg"), Path::new("/b.jpg"))
            .unwrap();
        assert_eq!(of(&store, id), expected);

        // A copy with other metadata takes over the analysis of the picture.
        let picture = two("a").picture.unwrap();
        let copied = store
            .analysis_of_picture(
                Path::new("/c.jpg"),
                &picture,
                &super::super::testing::models(),
            )
            .unwrap()
            .unwrap();
        let mut copy = two("c");
        copy.picture = Some(picture);
        copy.content = Ok(copied);
        let copy = put(&mut store, "/c.jpg", &copy);
        assert_ne!(copy, id);
        assert_eq!(of(&store, copy), expected);

        // The older photo loses its file to the copy, which is merged into the older one.
        store
            .batch(|batch| batch.put_file(Path::new("/b.jpg"), &META, Ok(copy)))
            .unwrap();
        assert_eq!(of(&store, id), expected);
    }

    #[test]
    fn a_vouched_face_that_is_not_found_again_keeps_its_features() {
        let (_folder, mut store) = temp_store();
        let id = put(&mut store, "/a.jpg", &two("a"));
        let first = first_face(&store, id);
        store
            .correct(first, Correction::Emotion(Emotion::Sad))
            .unwrap();
        put(&mut store, "/a.jpg", &photo("a", Vec::new()));
        assert_eq!(of(&store, id), [Some(seen(0.25))]);
    }

    #[test]
    fn a_photo_of_an_older_version_gets_features_when_it_is_read_again_and_nothing_else_is_written()
    {
        let (_folder, mut store) = temp_store();
        let mut old = two("a");
        change(&mut old, |face| face.features = None);
        let id = put(&mut store, "/a.jpg", &old);
        assert_eq!(of(&store, id), [None, None]);
        // An analysis without features is not taken over for a copy.
        let models = super::super::testing::models();
        let known = store.analysis_of_picture(Path::new("/b.jpg"), &old.picture.unwrap(), &models);
        assert_eq!(known.unwrap(), None);

        store
            .connection
            .execute_batch(
                "CREATE TEMP TRIGGER refuse BEFORE DELETE ON faces BEGIN SELECT raise(FAIL, 'faces'); END",
            )
            .unwrap();
        assert_eq!(put(&mut store, "/a.jpg", &two("a")), id);
        assert_eq!(of(&store, id), [Some(seen(0.25)), Some(seen(0.5))]);
        // An analysis without features leaves the stored ones.
        put(&mut store, "/a.jpg", &old);
        assert_eq!(of(&store, id), [Some(seen(0.25)), Some(seen(0.5))]);
    }

    #[test]
    fn features_go_with_their_face() {
        let (_folder, mut store) = temp_store();
        put(&mut store, "/a.jpg", &two("a"));
        store.forget(&["/a.jpg".into()]).unwrap();
        store.prune(std::time::Duration::ZERO).unwrap();
        let left: i64 = store
            .connection
            .query_row("SELECT count(*) FROM face_features", [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 0);
    }
}
