-- Where somebody names a person and no face was found, the photo is looked at more closely, once. These are the places where
-- people were named when it was analysed; upright pixels.
CREATE TABLE looked_closely (
    photo_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,                    -- 0, 1, …
    x        REAL NOT NULL,
    y        REAL NOT NULL,
    width    REAL NOT NULL,
    height   REAL NOT NULL,
    PRIMARY KEY (photo_id, position)
) STRICT, WITHOUT ROWID;

ALTER TABLE photos ADD COLUMN needs_look INTEGER;  -- 1: has such a place at which nobody has looked; follows from `people`
CREATE INDEX photos_to_look_at ON photos (id) WHERE needs_look IS NOT NULL;
INSERT INTO dirty_photos SELECT DISTINCT photo_id FROM people WHERE x IS NOT NULL AND face_id IS NULL
ON CONFLICT DO NOTHING;
