-- More files are decoded: of a damaged JPEG what is known, the previews of raw files, JPEG XL, and more kinds of TIFF,
-- HEIC and JPEG.

-- Photos of which only a part could be decoded, and what is wrong with the file.
CREATE TABLE incomplete_photos (
    photo_id INTEGER PRIMARY KEY REFERENCES photos (id) ON DELETE CASCADE,
    problem  TEXT NOT NULL
) STRICT;

-- Files that were skipped for their content are read again, once.
DELETE FROM files WHERE photo_id IN (
    SELECT id FROM photos
    WHERE skip_reason IN ('unsupported format', 'damaged', 'decoder crashed', 'not an image')
) OR skip_reason IN ('unsupported format', 'damaged', 'decoder crashed', 'not an image');
DELETE FROM photos
WHERE skip_reason IN ('unsupported format', 'damaged', 'decoder crashed', 'not an image');
