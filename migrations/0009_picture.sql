-- The identity of a picture: a program that writes keywords, a date or an orientation into a file changes
-- its content, but not its picture. What was found in the picture, and what people said of it, still holds.

ALTER TABLE photos ADD COLUMN picture BLOB CHECK (length(picture) = 32); -- BLAKE3 of the picture data;
                                                  -- NULL: skipped, or not read since this migration
ALTER TABLE photos ADD COLUMN orientation INTEGER CHECK (orientation BETWEEN 1 AND 8); -- that of EXIF, in
                                                  -- which boxes and landmarks are upright

CREATE INDEX photos_by_picture ON photos (picture) WHERE picture IS NOT NULL;

-- A correction belongs to a picture, and its box is upright in this orientation of it. Until the picture is
-- known, it belongs to a content.
ALTER TABLE corrections ADD COLUMN picture BLOB CHECK (length(picture) = 32);
ALTER TABLE corrections ADD COLUMN orientation INTEGER CHECK (orientation BETWEEN 1 AND 8);

CREATE INDEX corrections_by_picture ON corrections (picture) WHERE picture IS NOT NULL;
