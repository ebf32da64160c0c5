-- What the emotion network saw in each face before its heads decided (`fer_core::features`), by which a person's corrections
-- teach. A table of its own, since queries read `faces` and not this. Faces that were read before this migration have none
-- until their photo is read again.

CREATE TABLE face_features (
    face_id  INTEGER PRIMARY KEY REFERENCES faces (id) ON DELETE CASCADE,
    features BLOB NOT NULL                        -- the least value and the step (little-endian f32), then a byte each
) STRICT;
