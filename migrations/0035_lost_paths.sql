-- A face of which a correction was undone belongs to its picture, as a correction does: the paths that any file with the
-- picture leaves are kept (`store::lost_paths`).

DROP TRIGGER corrected_photo_deleted;
DROP TRIGGER corrected_photo_replaced;

CREATE TRIGGER corrected_photo_deleted AFTER DELETE ON files WHEN OLD.photo_id IS NOT NULL BEGIN
    INSERT INTO lost_paths (path, hash, picture, lost_at)
    SELECT OLD.path, hash, picture, CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM photos p
    WHERE id = OLD.photo_id
      AND (EXISTS (SELECT 1 FROM corrections c WHERE c.hash = p.hash)
        OR EXISTS (SELECT 1 FROM corrections c WHERE c.picture = p.picture)
        OR EXISTS (SELECT 1 FROM undone_corrections u WHERE u.hash = p.hash)
        OR EXISTS (SELECT 1 FROM undone_corrections u WHERE u.picture = p.picture))
    ON CONFLICT (path, hash) DO UPDATE SET lost_at = excluded.lost_at;
END;

CREATE TRIGGER corrected_photo_replaced AFTER UPDATE OF path, photo_id ON files
WHEN OLD.photo_id IS NOT NULL AND (NEW.path IS NOT OLD.path OR NEW.photo_id IS NOT OLD.photo_id) BEGIN
    INSERT INTO lost_paths (path, hash, picture, lost_at)
    SELECT OLD.path, hash, picture, CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM photos p
    WHERE id = OLD.photo_id
      AND (EXISTS (SELECT 1 FROM corrections c WHERE c.hash = p.hash)
        OR EXISTS (SELECT 1 FROM corrections c WHERE c.picture = p.picture)
        OR EXISTS (SELECT 1 FROM undone_corrections u WHERE u.hash = p.hash)
        OR EXISTS (SELECT 1 FROM undone_corrections u WHERE u.picture = p.picture))
    ON CONFLICT (path, hash) DO UPDATE SET lost_at = excluded.lost_at;
END;

-- The content that came to the path while it was new to the index, as an edit does: it has replaced the one that was here. A
-- photo that had another name before may only have been renamed.
ALTER TABLE lost_paths ADD COLUMN replaced_by BLOB CHECK (length(replaced_by) = 32);
