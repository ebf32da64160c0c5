-- What indexing finds out: which files there are, which photos they hold, which faces are in those
-- and what was read from each. A photo is its content, and its paths are rows of their own: a move
-- or a copy touches `files` alone and costs no inference.

-- Names of detectors and classifiers, kept once.
CREATE TABLE models (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One row per content, scanned or skipped. People and links quote the id, so none is used twice.
CREATE TABLE photos (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    hash         BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), -- BLAKE3
    bytes        INTEGER NOT NULL,
    indexed_at   INTEGER NOT NULL,                -- Unix time, ms
    skip_reason  TEXT,                            -- skipped: these two and nothing below
    skip_detail  TEXT,
    format       TEXT,
    width        INTEGER,                         -- pixels, upright
    height       INTEGER,
    taken_local  INTEGER,                         -- ms since 1970-01-01T00:00 on the camera's clock
    taken_offset INTEGER,                         -- that clock's offset from UTC in s, where known
    taken_source TEXT CHECK (taken_source IN ('exif', 'file')),
    latitude     REAL,                            -- degrees, WGS 84
    longitude    REAL,
    camera       TEXT,
    lens         TEXT,
    description  TEXT,
    detector     INTEGER REFERENCES models (id),
    classifier   INTEGER REFERENCES models (id),
    face_count   INTEGER NOT NULL DEFAULT 0,
    CHECK ((skip_reason IS NULL) = (detector IS NOT NULL))
) STRICT;

-- One row per path: the exact bytes of it, and by what a changed file is told from an unchanged
-- one. A file leads to its photo, or it could not be read at all and says why.
CREATE TABLE files (
    path        BLOB PRIMARY KEY,
    size        INTEGER NOT NULL,
    mtime_ns    INTEGER NOT NULL,
    inode       INTEGER NOT NULL,
    device      INTEGER NOT NULL,
    photo_id    INTEGER REFERENCES photos (id),
    skip_reason TEXT,
    skip_detail TEXT,
    CHECK ((photo_id IS NULL) = (skip_reason IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX files_by_photo ON files (photo_id);

-- Box and landmarks in upright full-resolution pixels; every emotion's probability.
CREATE TABLE faces (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    photo_id        INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,             -- 0, 1, … in the detector's order
    x               REAL NOT NULL,
    y               REAL NOT NULL,
    width           REAL NOT NULL,
    height          REAL NOT NULL,
    size            REAL GENERATED ALWAYS AS (min(width, height)) VIRTUAL,
    landmarks       BLOB CHECK (length(landmarks) = 40), -- ten little-endian f32: x and y of
                                                  -- eyes, nose, mouth corners, left before right
    detection_score REAL NOT NULL,
    angry           REAL NOT NULL,
    disgust         REAL NOT NULL,
    fear            REAL NOT NULL,
    happy           REAL NOT NULL,
    sad             REAL NOT NULL,
    surprise        REAL NOT NULL,
    neutral         REAL NOT NULL,
    contempt        REAL NOT NULL
) STRICT;

CREATE UNIQUE INDEX faces_by_photo ON faces (photo_id, position);

-- The ranking, derived from `faces`: per photo and emotion the best face. The primary key is the
-- order in which a query answers, so the top 20 are the first 20 rows of it.
CREATE TABLE photo_scores (
    emotion  INTEGER NOT NULL,                    -- 0 angry to 7 contempt, in the order of `faces`
    score    REAL NOT NULL,
    taken    INTEGER NOT NULL,                    -- photos.taken_local; -2^63 where unknown
    photo_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    PRIMARY KEY (emotion, score DESC, taken DESC, photo_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX photo_scores_by_photo ON photo_scores (photo_id, emotion);
