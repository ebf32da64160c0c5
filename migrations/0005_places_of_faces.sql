-- What queries at a million photos still had to look for row by row: photos with so many faces of
-- some size or detection score, and those that could not be read.

-- Each face's place among its photo's by size, and by detection score; 1 for the first. "Four faces
-- of 100 pixels or more" is a fourth of 100 or more. A face that a person vouched for comes before
-- all others, since it counts whatever its size and score; what is no face has no place.
ALTER TABLE faces ADD COLUMN side REAL;           -- shorter side in pixels; 1e9: vouched for
ALTER TABLE faces ADD COLUMN side_place INTEGER;
ALTER TABLE faces ADD COLUMN surety REAL;         -- detection score; 1e9: vouched for
ALTER TABLE faces ADD COLUMN surety_place INTEGER;

UPDATE faces SET (side, side_place, surety, surety_place) = (p.side, p.side_place, p.surety, p.surety_place)
FROM (
    SELECT id, side, row_number() OVER (PARTITION BY photo_id ORDER BY side DESC, position) AS side_place,
           surety, row_number() OVER (PARTITION BY photo_id ORDER BY surety DESC, position) AS surety_place
    FROM (
        SELECT f.id, f.photo_id, f.position, iif(c.id IS NULL, f.size, 1e9) AS side,
               iif(c.id IS NULL, f.detection_score, 1e9) AS surety
        FROM faces f LEFT JOIN corrections c ON c.id = f.correction
        WHERE c.id IS NULL OR c.emotion IS NOT NULL
    )
) AS p
WHERE p.id = faces.id;

-- In the place of two that knew no places, and one of which, on a computed column, did not answer
-- alone.
DROP INDEX faces_by_detection;
DROP INDEX faces_by_size;
CREATE INDEX faces_by_side ON faces (side_place, side, photo_id) WHERE side_place IS NOT NULL;
CREATE INDEX faces_by_surety ON faces (surety_place, surety, photo_id) WHERE surety_place IS NOT NULL;

CREATE INDEX photos_skipped ON photos (skip_reason) WHERE skip_reason IS NOT NULL;
