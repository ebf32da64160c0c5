-- A correction carries over to what replaces its photo at its path, also if EXIF does not say when the photo was taken. So each
-- correction keeps a picture of its face (`store::kin`): the photos whose corrections have none are due for an analysis.

UPDATE photos SET kin_due = 1
WHERE skip_reason IS NULL
  AND (EXISTS (SELECT 1 FROM corrections c WHERE c.hash = photos.hash AND c.crop IS NULL)
    OR EXISTS (SELECT 1 FROM corrections c WHERE c.picture = photos.picture AND c.crop IS NULL));
