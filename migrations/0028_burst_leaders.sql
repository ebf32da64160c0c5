-- A burst is led by the photo with the least hash of those that were taken first, and a photo that is tagged takes another
-- hash: bursts follow that as well.

DROP TRIGGER photo_changes_burst;

CREATE TRIGGER photo_changes_burst AFTER UPDATE OF hash, skip_reason, taken_local, taken_source, camera ON photos
WHEN NEW.hash IS NOT OLD.hash
  OR NEW.skip_reason IS NOT OLD.skip_reason OR NEW.taken_local IS NOT OLD.taken_local
  OR NEW.taken_source IS NOT OLD.taken_source OR NEW.camera IS NOT OLD.camera BEGIN
    INSERT INTO dirty_bursts SELECT OLD.camera, OLD.taken_local
    WHERE OLD.skip_reason IS NULL AND OLD.taken_source LIKE 'exif%';
    INSERT INTO dirty_bursts SELECT NEW.camera, NEW.taken_local
    WHERE NEW.skip_reason IS NULL AND NEW.taken_source LIKE 'exif%';
    UPDATE photos SET burst = NULL WHERE id = NEW.id AND burst IS NOT NULL;
END;

INSERT INTO dirty_bursts SELECT camera, taken_local FROM photos
WHERE skip_reason IS NULL AND taken_source LIKE 'exif%';
