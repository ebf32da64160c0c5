-- What the filters of a query search: folders, places, cameras, words and face sizes, each with an
-- index of its own; and a ranking that also knows what most and all faces of a photo show.

ALTER TABLE photos ADD COLUMN keywords TEXT;      -- from XMP, one a line

-- A tenth of a degree each way, as in `geo.rs`.
ALTER TABLE photos ADD COLUMN cell INTEGER GENERATED ALWAYS AS (
    min(CAST((latitude + 90.0) * 10.0 AS INTEGER), 1799) * 3600
    + CAST((longitude + 180.0) * 10.0 AS INTEGER) % 3600
) VIRTUAL;

-- The reason goes along so that these answer alone.
CREATE INDEX photos_by_taken ON photos (taken_local, skip_reason) WHERE skip_reason IS NULL;
CREATE INDEX photos_by_faces ON photos (face_count, skip_reason) WHERE skip_reason IS NULL;
CREATE INDEX photos_by_camera ON photos (camera) WHERE camera IS NOT NULL;
CREATE INDEX faces_by_detection ON faces (detection_score, photo_id);
CREATE INDEX faces_by_size ON faces (size, photo_id);

-- The photos of each cell: an index of a computed column does not answer alone. And how many they
-- are: counting them takes too long for a query.
CREATE TABLE photo_cells (
    cell     INTEGER NOT NULL,
    photo_id INTEGER NOT NULL,
    PRIMARY KEY (cell, photo_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE places (
    cell   INTEGER PRIMARY KEY,
    photos INTEGER NOT NULL
) STRICT;

CREATE TRIGGER photo_cell_added AFTER INSERT ON photo_cells BEGIN
    INSERT INTO places VALUES (NEW.cell, 1) ON CONFLICT (cell) DO UPDATE SET photos = photos + 1;
END;

CREATE TRIGGER photo_cell_removed AFTER DELETE ON photo_cells BEGIN
    UPDATE places SET photos = photos - 1 WHERE cell = OLD.cell;
    DELETE FROM places WHERE cell = OLD.cell AND photos = 0;
END;

CREATE TRIGGER photo_added AFTER INSERT ON photos WHEN NEW.cell IS NOT NULL BEGIN
    INSERT INTO photo_cells VALUES (NEW.cell, NEW.id);
END;

CREATE TRIGGER photo_removed AFTER DELETE ON photos WHEN OLD.cell IS NOT NULL BEGIN
    DELETE FROM photo_cells WHERE cell = OLD.cell AND photo_id = OLD.id;
END;

CREATE TRIGGER photo_moved AFTER UPDATE OF latitude, longitude ON photos
WHEN NEW.cell IS NOT OLD.cell BEGIN
    DELETE FROM photo_cells WHERE cell = OLD.cell AND photo_id = OLD.id;
    INSERT INTO photo_cells SELECT NEW.cell, NEW.id WHERE NEW.cell IS NOT NULL;
END;

INSERT INTO photo_cells SELECT cell, id FROM photos WHERE cell IS NOT NULL;

-- Every folder that has held a photo: few, so that looking through their names is cheap.
CREATE TABLE folders (
    path BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO folders SELECT folder_of(path) FROM files;

-- The words by which a photo is found, under its id: path, description, keywords. The text itself
-- is not kept.
CREATE VIRTUAL TABLE photo_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = 'none',
    tokenize = 'porter unicode61 remove_diacritics 2'
);

INSERT INTO photo_words (rowid, words)
SELECT p.id, group_concat(words_of(f.path), ' ') || ' ' || coalesce(p.description, '')
FROM photos p JOIN files f ON f.photo_id = p.id
WHERE p.skip_reason IS NULL
GROUP BY p.id;

-- The ranking anew. A photo of one face has one row for each emotion; one of several faces has
-- three: its best face, what more than half of them reach, and its weakest. `face.rs` explains the
-- score.
DROP TABLE photo_scores;

CREATE TABLE photo_scores (
    emotion  INTEGER NOT NULL,                    -- 0 angry to 7 contempt, in the order of `faces`
    kind     INTEGER NOT NULL,                    -- 0 a lone face; of several 1 any, 2 most, 3 all
    score    REAL NOT NULL,
    taken    INTEGER NOT NULL,                    -- photos.taken_local; -2^63 where unknown
    photo_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    PRIMARY KEY (emotion, kind, score DESC, taken DESC, photo_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX photo_scores_by_photo ON photo_scores (photo_id, emotion, kind);

INSERT INTO photo_scores (emotion, kind, score, taken, photo_id)
WITH emotions (emotion) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7)),
shown AS (
    SELECT photo_id, e.emotion,
           CASE WHEN c.id IS NOT NULL THEN CAST(c.emotion = e.emotion AS REAL)
           ELSE CASE e.emotion
                WHEN 0 THEN angry WHEN 1 THEN disgust WHEN 2 THEN fear WHEN 3 THEN happy
                WHEN 4 THEN sad WHEN 5 THEN surprise WHEN 6 THEN neutral ELSE contempt END
                * min(1.0, detection_score / 0.85) * min(1.0, size / 48.0)
           END AS score
    FROM faces f JOIN emotions e LEFT JOIN corrections c ON c.id = f.correction
    WHERE c.id IS NULL OR c.emotion IS NOT NULL   -- else it is no face
),
placed AS (
    SELECT photo_id, emotion, score,
           row_number() OVER (PARTITION BY photo_id, emotion ORDER BY score DESC) AS place,
           count(*) OVER (PARTITION BY photo_id, emotion) AS faces
    FROM shown
),
kinds (kind) AS (VALUES (0), (1), (2), (3))
SELECT emotion, kind, score, coalesce(p.taken_local, -9223372036854775808), photo_id
FROM placed JOIN kinds JOIN photos p ON p.id = photo_id
WHERE CASE kind WHEN 0 THEN faces = 1
                WHEN 1 THEN faces > 1 AND place = 1
                WHEN 2 THEN faces > 1 AND place = faces / 2 + 1
                ELSE faces > 1 AND place = faces END;
