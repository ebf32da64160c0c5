-- Whether a correction carries over to a photo may be known only after the photo was analysed: when all photos of its run are
-- stored, among which are the others of a burst; or when a program writes into the file when it was taken, and with what
-- camera. Such photos are due for another analysis (`store::kin_due`).

ALTER TABLE photos ADD COLUMN kin_due INTEGER; -- 1, or NULL if it is not due

CREATE INDEX photos_with_kin_due ON photos (id) WHERE kin_due IS NOT NULL;

CREATE TRIGGER photo_comes_to_shot AFTER UPDATE OF exif_local, exif_camera ON photos
WHEN NEW.exif_local IS NOT NULL AND NEW.exif_camera IS NOT NULL
 AND (NEW.exif_local IS NOT OLD.exif_local OR NEW.exif_camera IS NOT OLD.exif_camera) BEGIN
    UPDATE photos SET kin_due = 1
    WHERE id = NEW.id AND EXISTS (
        SELECT 1 FROM corrections
        WHERE camera = NEW.exif_camera AND crop IS NOT NULL AND hash <> NEW.hash AND picture IS NOT NEW.picture
          AND taken_local BETWEEN NEW.exif_local - (NEW.exif_local % 1000 + 1000) % 1000
                              AND NEW.exif_local - (NEW.exif_local % 1000 + 1000) % 1000 + 999
    ) AND NOT EXISTS (
        SELECT 1 FROM photos other
        WHERE other.picture = NEW.picture AND other.id <> NEW.id
          AND other.exif_camera = NEW.exif_camera AND other.exif_local = NEW.exif_local
    );
END;

-- A face of which a person undid a correction is that of a picture, in whatever orientation.
ALTER TABLE undone_corrections ADD COLUMN picture BLOB CHECK (length(picture) = 32);
ALTER TABLE undone_corrections ADD COLUMN orientation INTEGER CHECK (orientation BETWEEN 1 AND 8);
ALTER TABLE undone_corrections ADD COLUMN undone_at INTEGER; -- Unix time, ms; NULL: by an earlier version

UPDATE undone_corrections SET (picture, orientation) = (
    SELECT picture, orientation FROM photos p WHERE p.hash = undone_corrections.hash AND p.picture IS NOT NULL
);

CREATE INDEX undone_by_picture ON undone_corrections (picture) WHERE picture IS NOT NULL;

-- A correction that was carried over is as old as the word that was carried, so that a later word on the edit itself counts.
UPDATE corrections SET made_at = (SELECT made_at FROM corrections leader WHERE leader.id = corrections.carried_from)
WHERE carried_from IN (SELECT id FROM corrections);
