-- Rows that are derived from others follow them, whoever writes these. Triggers note what a change makes out
-- of date in the tables `dirty_…`, and every transaction of the program brings it up to date before it
-- commits (`store::derived`), so that the three tables are empty outside of a transaction. Until now each
-- writer had to remember what depends on its rows, and renaming a folder did not: neither `folders` nor
-- the words of its photos followed.
--
-- The triggers say ON CONFLICT DO NOTHING and not OR IGNORE, in whose place SQLite puts the conflict clause of
-- the statement that fires the trigger.

-- Photos whose words, file date or loss may be out of date: what is derived from `files` and `photos`.
CREATE TABLE dirty_photos (
    photo_id INTEGER PRIMARY KEY
) STRICT;

-- Photos whose ranking may be out of date: what is derived from `faces` and `corrections`.
CREATE TABLE dirty_ranks (
    photo_id INTEGER PRIMARY KEY
) STRICT;

-- Paths at which a photo lay: the last photo of their folder may have gone with it.
CREATE TABLE dirty_paths (
    path BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER file_added AFTER INSERT ON files WHEN NEW.photo_id IS NOT NULL BEGIN
    INSERT INTO dirty_photos VALUES (NEW.photo_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER file_removed AFTER DELETE ON files WHEN OLD.photo_id IS NOT NULL BEGIN
    INSERT INTO dirty_photos VALUES (OLD.photo_id) ON CONFLICT DO NOTHING;
    INSERT INTO dirty_paths VALUES (OLD.path) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER file_changed AFTER UPDATE OF path, mtime_ns, photo_id ON files
WHEN NEW.path IS NOT OLD.path OR NEW.mtime_ns IS NOT OLD.mtime_ns OR NEW.photo_id IS NOT OLD.photo_id BEGIN
    INSERT INTO dirty_photos SELECT NEW.photo_id WHERE NEW.photo_id IS NOT NULL ON CONFLICT DO NOTHING;
    INSERT INTO dirty_photos SELECT OLD.photo_id WHERE OLD.photo_id IS NOT NULL ON CONFLICT DO NOTHING;
    INSERT INTO dirty_paths SELECT OLD.path
    WHERE OLD.photo_id IS NOT NULL AND (NEW.path IS NOT OLD.path OR NEW.photo_id IS NULL) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER photo_noted AFTER INSERT ON photos BEGIN
    INSERT INTO dirty_photos VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER photo_forgotten AFTER DELETE ON photos BEGIN
    INSERT INTO dirty_photos VALUES (OLD.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER photo_changed
AFTER UPDATE OF skip_reason, taken_local, taken_offset, taken_source, description, keywords, lost_at ON photos
WHEN NEW.skip_reason IS NOT OLD.skip_reason OR NEW.taken_local IS NOT OLD.taken_local
  OR NEW.taken_offset IS NOT OLD.taken_offset OR NEW.taken_source IS NOT OLD.taken_source
  OR NEW.description IS NOT OLD.description OR NEW.keywords IS NOT OLD.keywords
  OR NEW.lost_at IS NOT OLD.lost_at BEGIN
    INSERT INTO dirty_photos VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;

-- The keywords of a sidecar are words of the photo beside which it lies.
CREATE TRIGGER sidecar_added AFTER INSERT ON sidecars BEGIN
    INSERT INTO dirty_photos SELECT photo_id FROM files
    WHERE path = NEW.photo_path AND photo_id IS NOT NULL ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER sidecar_removed AFTER DELETE ON sidecars BEGIN
    INSERT INTO dirty_photos SELECT photo_id FROM files
    WHERE path = OLD.photo_path AND photo_id IS NOT NULL ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER sidecar_changed AFTER UPDATE OF keywords ON sidecars
WHEN NEW.keywords IS NOT OLD.keywords BEGIN
    INSERT INTO dirty_photos SELECT photo_id FROM files
    WHERE path = NEW.photo_path AND photo_id IS NOT NULL ON CONFLICT DO NOTHING;
END;

-- The ranking holds the date of each photo.
CREATE TRIGGER photo_dated AFTER UPDATE OF taken_local ON photos
WHEN NEW.taken_local IS NOT OLD.taken_local BEGIN
    UPDATE photo_scores SET taken = coalesce(NEW.taken_local, -9223372036854775808)
    WHERE photo_id = NEW.id;
END;

-- A face that is stored without ranks has no correction that would explain it. An index that is empty in the
-- end takes the place of a trigger, which would make each face cost a statement journal.
CREATE INDEX faces_unranked ON faces (photo_id) WHERE side IS NULL AND correction IS NULL;

CREATE TRIGGER face_removed AFTER DELETE ON faces BEGIN
    INSERT INTO dirty_ranks VALUES (OLD.photo_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER face_changed
AFTER UPDATE OF photo_id, position, width, height, detection_score, correction,
                angry, disgust, fear, happy, sad, surprise, neutral, contempt ON faces BEGIN
    INSERT INTO dirty_ranks VALUES (NEW.photo_id) ON CONFLICT DO NOTHING;
    INSERT INTO dirty_ranks VALUES (OLD.photo_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER correction_changed AFTER UPDATE OF emotion ON corrections BEGIN
    INSERT INTO dirty_ranks SELECT photo_id FROM faces WHERE correction = NEW.id ON CONFLICT DO NOTHING;
END;

-- A photo that no file has any more was counted where it was taken, and moved home with it.
DROP TRIGGER photo_added;
DROP TRIGGER photo_moved;

CREATE TRIGGER photo_added AFTER INSERT ON photos WHEN NEW.cell IS NOT NULL AND NEW.lost_at IS NULL BEGIN
    INSERT INTO photo_cells VALUES (NEW.cell, NEW.id);
END;

CREATE TRIGGER photo_moved AFTER UPDATE OF latitude, longitude, lost_at ON photos
WHEN NEW.cell IS NOT OLD.cell OR (NEW.lost_at IS NULL) IS NOT (OLD.lost_at IS NULL) BEGIN
    DELETE FROM photo_cells WHERE cell = OLD.cell AND photo_id = OLD.id;
    INSERT INTO photo_cells SELECT NEW.cell, NEW.id
    WHERE NEW.cell IS NOT NULL AND NEW.lost_at IS NULL ON CONFLICT DO NOTHING;
END;

-- What is out of date already. The words of every photo are written anew: the full-text index keeps no text
-- that could be compared, and names with accents that are characters of their own, as a Mac writes them,
-- were not indexed like others.
UPDATE photos SET lost_at = NULL
WHERE lost_at IS NOT NULL AND EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id);

UPDATE photos SET lost_at = unixepoch() * 1000
WHERE lost_at IS NULL AND NOT EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id);

DELETE FROM photo_cells;
DELETE FROM places;
INSERT INTO photo_cells SELECT cell, id FROM photos WHERE cell IS NOT NULL AND lost_at IS NULL;

DELETE FROM folders;
INSERT INTO photo_words (photo_words) VALUES ('delete-all');
INSERT OR IGNORE INTO dirty_photos SELECT id FROM photos;
INSERT OR IGNORE INTO dirty_ranks SELECT id FROM photos;
