-- What queries at a million photos still had to look for row by row.

-- Shorter side in pixels of the largest face that is one; beyond any size where a person vouched
-- for a face, since that counts whatever its size. An index of the computed `faces.size` does not
-- answer alone; this one does.
ALTER TABLE photos ADD COLUMN largest_face REAL;

UPDATE photos SET largest_face = (
    SELECT max(CASE WHEN c.id IS NULL THEN f.size ELSE 1e9 END)
    FROM faces f LEFT JOIN corrections c ON c.id = f.correction
    WHERE f.photo_id = photos.id AND (c.id IS NULL OR c.emotion IS NOT NULL)
);

CREATE INDEX photos_by_largest_face ON photos (largest_face) WHERE largest_face IS NOT NULL;

-- The few that could not be read.
CREATE INDEX photos_skipped ON photos (skip_reason) WHERE skip_reason IS NOT NULL;
