-- Edits and exports of a photo are new content, but what a person said of a face in it still holds. A correction is
-- recognised on them by the moment and the camera, and by a small picture of the face; it is then carried over.

-- By EXIF alone: the date of a file says nothing about when a photo was taken.
ALTER TABLE corrections ADD COLUMN taken_local INTEGER; -- as in `photos`
ALTER TABLE corrections ADD COLUMN camera TEXT;
ALTER TABLE corrections ADD COLUMN crop BLOB;     -- fer_core::likeness::FacePicture
-- The correction that a person made, if this one was carried over from it; it follows that one.
ALTER TABLE corrections ADD COLUMN carried_from INTEGER REFERENCES corrections (id);

UPDATE corrections SET (taken_local, camera) = (
    SELECT taken_local, camera FROM photos p
    WHERE p.hash = corrections.hash AND p.taken_source = 'exif' AND p.camera IS NOT NULL
);

CREATE INDEX corrections_by_capture ON corrections (camera, taken_local)
WHERE camera IS NOT NULL AND taken_local IS NOT NULL AND crop IS NOT NULL;
CREATE INDEX corrections_carried ON corrections (carried_from) WHERE carried_from IS NOT NULL;

-- Faces of which a person undid a correction: none is carried over to them.
CREATE TABLE undone_corrections (
    hash   BLOB NOT NULL CHECK (length(hash) = 32),
    x      REAL NOT NULL,                         -- the face's box as in `faces`
    y      REAL NOT NULL,
    width  REAL NOT NULL,
    height REAL NOT NULL
) STRICT;

CREATE INDEX undone_by_hash ON undone_corrections (hash);
