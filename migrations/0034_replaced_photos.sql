-- A correction carries over to what replaces its photo at its path, also if EXIF does not say when the photo was taken. So each
-- correction keeps a picture of its face (`store::kin`): the photos whose corrections have none are due for an analysis.

UPDATE photos SET kin_due = 1
WHERE skip_reason IS NULL
  AND (EXISTS (SELECT 1 FROM corrections c WHERE c.hash = photos.hash AND c.crop IS NULL)
    OR EXISTS (SELECT 1 FROM corrections c WHERE c.picture = photos.picture AND c.crop IS NULL));

-- The raw files of Pixel phones have another name than their pictures apart from the extension (`store::stem`): which ones are
-- pairs is determined anew.
INSERT INTO dirty_photos
SELECT photo_id FROM files WHERE instr(path, CAST('.RAW-' AS BLOB)) > 0 AND photo_id IS NOT NULL
ON CONFLICT DO NOTHING;

-- The correction that a person undid on an edit, where it had been carried over from a photo that keeps it: it is not carried
-- over to later versions of the edit.
ALTER TABLE undone_corrections ADD COLUMN declined INTEGER; -- the ID of that correction

CREATE INDEX undone_declined ON undone_corrections (declined) WHERE declined IS NOT NULL;
