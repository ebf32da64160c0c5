-- Which photos belong to one burst: those of one camera of which each follows another one within three seconds. The
-- program keeps the column up to date (store::bursts), so that a query with one photo per burst can be counted.

ALTER TABLE photos ADD COLUMN burst INTEGER; -- the number of the burst's first photo; NULL: the photo is in none

CREATE INDEX photos_by_burst ON photos (burst) WHERE burst IS NOT NULL;

-- Where bursts may be out of date: around these moments of these cameras.
CREATE TABLE dirty_bursts (
    camera TEXT,
    taken  INTEGER NOT NULL
) STRICT;

CREATE TRIGGER photo_joins_burst AFTER INSERT ON photos
WHEN NEW.skip_reason IS NULL AND NEW.taken_source LIKE 'exif%' BEGIN
    INSERT INTO dirty_bursts VALUES (NEW.camera, NEW.taken_local);
END;

CREATE TRIGGER photo_changes_burst AFTER UPDATE OF skip_reason, taken_local, taken_source, camera ON photos
WHEN NEW.skip_reason IS NOT OLD.skip_reason OR NEW.taken_local IS NOT OLD.taken_local
  OR NEW.taken_source IS NOT OLD.taken_source OR NEW.camera IS NOT OLD.camera BEGIN
    INSERT INTO dirty_bursts SELECT OLD.camera, OLD.taken_local
    WHERE OLD.skip_reason IS NULL AND OLD.taken_source LIKE 'exif%';
    INSERT INTO dirty_bursts SELECT NEW.camera, NEW.taken_local
    WHERE NEW.skip_reason IS NULL AND NEW.taken_source LIKE 'exif%';
    UPDATE photos SET burst = NULL WHERE id = NEW.id AND burst IS NOT NULL;
END;

CREATE TRIGGER photo_leaves_burst AFTER DELETE ON photos WHEN OLD.burst IS NOT NULL BEGIN
    INSERT INTO dirty_bursts VALUES (OLD.camera, OLD.taken_local);
END;

INSERT INTO dirty_bursts SELECT camera, taken_local FROM photos
WHERE skip_reason IS NULL AND taken_source LIKE 'exif%';
