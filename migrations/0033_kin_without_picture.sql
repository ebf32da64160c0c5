-- Corrections without a picture of their face, of the photos that one camera took in one second: one may get it in the run that
-- analyses an edit (`store::kin`).

CREATE INDEX corrections_without_picture ON corrections (camera, taken_local)
WHERE camera IS NOT NULL AND taken_local IS NOT NULL AND crop IS NULL;
