-- The words of docs/glossary.md for what migration 0005 added: confidence instead of "surety", and rank
-- instead of "place", which here also means where a photo was taken. No value changes.

ALTER TABLE faces RENAME COLUMN side_place TO side_rank;
ALTER TABLE faces RENAME COLUMN surety TO confidence;
ALTER TABLE faces RENAME COLUMN surety_place TO confidence_rank;

-- SQLite cannot rename an index.
DROP INDEX faces_by_surety;
CREATE INDEX faces_by_confidence ON faces (confidence_rank, confidence, photo_id)
    WHERE confidence_rank IS NOT NULL;
