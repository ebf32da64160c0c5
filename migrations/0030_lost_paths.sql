-- An edit that replaces a corrected photo takes its path. The photo may have left that path before: somebody deleted or
-- renamed it first, and the index saw that. So the paths that corrected photos have left are kept (`store::lost_paths`).

CREATE TABLE lost_paths (
    path     BLOB NOT NULL,
    hash     BLOB NOT NULL CHECK (length(hash) = 32), -- the content that was here
    picture  BLOB CHECK (length(picture) = 32),       -- its picture
    lost_at  INTEGER NOT NULL,                        -- when it left the path; Unix time, ms
    compared BLOB CHECK (length(compared) = 32),      -- the last content at this path that was compared with it
    PRIMARY KEY (path, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX lost_paths_by_hash ON lost_paths (hash);

CREATE TRIGGER corrected_photo_deleted AFTER DELETE ON files WHEN OLD.photo_id IS NOT NULL BEGIN
    INSERT INTO lost_paths (path, hash, picture, lost_at)
    SELECT OLD.path, hash, picture, CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM photos p
    WHERE id = OLD.photo_id
      AND (EXISTS (SELECT 1 FROM corrections c WHERE c.hash = p.hash)
        OR EXISTS (SELECT 1 FROM corrections c WHERE c.picture = p.picture)
        OR EXISTS (SELECT 1 FROM undone_corrections u WHERE u.hash = p.hash))
    ON CONFLICT (path, hash) DO UPDATE SET lost_at = excluded.lost_at;
END;

CREATE TRIGGER corrected_photo_replaced AFTER UPDATE OF path, photo_id ON files
WHEN OLD.photo_id IS NOT NULL AND (NEW.path IS NOT OLD.path OR NEW.photo_id IS NOT OLD.photo_id) BEGIN
    INSERT INTO lost_paths (path, hash, picture, lost_at)
    SELECT OLD.path, hash, picture, CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM photos p
    WHERE id = OLD.photo_id
      AND (EXISTS (SELECT 1 FROM corrections c WHERE c.hash = p.hash)
        OR EXISTS (SELECT 1 FROM corrections c WHERE c.picture = p.picture)
        OR EXISTS (SELECT 1 FROM undone_corrections u WHERE u.hash = p.hash))
    ON CONFLICT (path, hash) DO UPDATE SET lost_at = excluded.lost_at;
END;
