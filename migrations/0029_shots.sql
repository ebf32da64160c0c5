-- Bursts, and the edits of a photo, are recognised by when the photo was taken and with what camera, as the EXIF data in its
-- own content say. A sidecar, a corrected clock or a name may date a photo otherwise, so that is kept beside its facts
-- (`store::shots`).

ALTER TABLE photos ADD COLUMN exif_local INTEGER; -- by the camera's clock, as `taken_local`; NULL: its EXIF data do not say
ALTER TABLE photos ADD COLUMN exif_camera TEXT;

UPDATE photos SET exif_local = exif_local_of(facts), exif_camera = exif_camera_of(facts)
WHERE skip_reason IS NULL AND facts IS NOT NULL;

CREATE INDEX photos_by_shot ON photos (exif_local) WHERE exif_local IS NOT NULL;

UPDATE corrections SET (taken_local, camera) = (
    SELECT exif_local, exif_camera FROM photos p WHERE p.hash = corrections.hash
) WHERE EXISTS (SELECT 1 FROM photos p WHERE p.hash = corrections.hash AND p.exif_camera IS NOT NULL);

DROP TRIGGER photo_joins_burst;
DROP TRIGGER photo_changes_burst;
DROP TRIGGER photo_leaves_burst;

CREATE TRIGGER photo_joins_burst AFTER INSERT ON photos WHEN NEW.exif_local IS NOT NULL BEGIN
    INSERT INTO dirty_bursts VALUES (NEW.exif_camera, NEW.exif_local);
END;

CREATE TRIGGER photo_changes_burst AFTER UPDATE OF hash, exif_local, exif_camera ON photos
WHEN NEW.hash IS NOT OLD.hash OR NEW.exif_local IS NOT OLD.exif_local OR NEW.exif_camera IS NOT OLD.exif_camera BEGIN
    INSERT INTO dirty_bursts SELECT OLD.exif_camera, OLD.exif_local WHERE OLD.exif_local IS NOT NULL;
    INSERT INTO dirty_bursts SELECT NEW.exif_camera, NEW.exif_local WHERE NEW.exif_local IS NOT NULL;
    UPDATE photos SET burst = NULL WHERE id = NEW.id AND burst IS NOT NULL;
END;

CREATE TRIGGER photo_leaves_burst AFTER DELETE ON photos WHEN OLD.burst IS NOT NULL AND OLD.exif_local IS NOT NULL BEGIN
    INSERT INTO dirty_bursts VALUES (OLD.exif_camera, OLD.exif_local);
END;

UPDATE photos SET burst = NULL WHERE burst IS NOT NULL;
INSERT INTO dirty_bursts SELECT exif_camera, exif_local FROM photos WHERE exif_local IS NOT NULL;

-- A date has the fraction of the second that another statement of the same second has.
INSERT INTO dirty_photos SELECT id FROM photos p
WHERE skip_reason IS NULL AND (taken_source <> 'exif' OR taken_local % 1000 = 0)
  AND (facts GLOB '*T??:??:??.[0-9]*'
       OR EXISTS (SELECT 1 FROM files f JOIN sidecars s ON s.photo_path = f.path
                  WHERE f.photo_id = p.id AND s.facts GLOB '*T??:??:??.[0-9]*'))
ON CONFLICT DO NOTHING;
