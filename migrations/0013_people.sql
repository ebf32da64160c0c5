-- The people of photos, whom their metadata and sidecars name. The rows follow `photos.facts`, `sidecars.facts` and
-- `faces` (store::people); nothing is guessed from a face.
CREATE TABLE people (
    photo_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,                    -- 0, 1, … in the order of the sources
    key      TEXT NOT NULL,                       -- the name as names are compared
    name     TEXT NOT NULL,                       -- as it is written
    face_id  INTEGER,                             -- the face that shows the person
    x        REAL,                                -- upright pixels; NULL: only the name is stated
    y        REAL,
    width    REAL,
    height   REAL,
    PRIMARY KEY (photo_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX people_by_key ON people (key, photo_id);
CREATE INDEX people_by_face ON people (face_id) WHERE face_id IS NOT NULL;
