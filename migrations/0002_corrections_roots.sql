-- What must outlive the models and the disks: what people say of faces, and which folders are
-- followed. A photo that lost its last path is kept for a while, so when that was is noted.

-- A person's word on a face. Tied to content and box, not to the face's row: it holds after the
-- photo is looked at again, and when a photo comes back that was forgotten.
CREATE TABLE corrections (
    id      INTEGER PRIMARY KEY,
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    x       REAL NOT NULL,                        -- the face's box as in `faces`
    y       REAL NOT NULL,
    width   REAL NOT NULL,
    height  REAL NOT NULL,
    emotion INTEGER CHECK (emotion BETWEEN 0 AND 7), -- what it shows; NULL: it is no face
    made_at INTEGER NOT NULL                      -- Unix time, ms
) STRICT;

CREATE INDEX corrections_by_hash ON corrections (hash);

-- The correction that holds for a face. `photo_scores` and `photos.face_count` heed it.
ALTER TABLE faces ADD COLUMN correction INTEGER REFERENCES corrections (id);

CREATE INDEX faces_corrected ON faces (correction) WHERE correction IS NOT NULL;

-- Unix time in ms at which the last path that led to the photo was lost; of no meaning while there
-- is one.
ALTER TABLE photos ADD COLUMN lost_at INTEGER;

UPDATE photos SET lost_at = unixepoch() * 1000
WHERE NOT EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id);

CREATE INDEX photos_lost ON photos (lost_at) WHERE lost_at IS NOT NULL;

-- Folders that were indexed or are followed. One that is gone, or empty by surprise, is offline:
-- what is known of the files below it stays.
CREATE TABLE roots (
    path          BLOB PRIMARY KEY,
    reconciled_at INTEGER,                        -- Unix time, ms: when it was last held against the disk
    offline_since INTEGER                         -- Unix time, ms; NULL: it is there
) STRICT, WITHOUT ROWID;
