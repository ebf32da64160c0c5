-- Faces that were found but are too small for an emotion to be read. They are told of a photo and
-- never ranked, so they need no number, no scores and no place in `faces`.
CREATE TABLE unread_faces (
    photo_id        INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,             -- 0, 1, … in the detector's order
    x               REAL NOT NULL,                -- upright full-resolution pixels
    y               REAL NOT NULL,
    width           REAL NOT NULL,
    height          REAL NOT NULL,
    landmarks       BLOB CHECK (length(landmarks) = 40), -- as in `faces`
    detection_score REAL NOT NULL,
    PRIMARY KEY (photo_id, position)
) STRICT, WITHOUT ROWID;
