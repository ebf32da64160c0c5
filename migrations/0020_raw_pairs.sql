-- Which raw files lie beside a picture of the same shot, which stands for them in the answers. The program decides it,
-- whenever one of the two files or what its content says changes (`store::raw_pairs`).

CREATE TABLE raw_pairs (
    raw_id     INTEGER PRIMARY KEY REFERENCES photos (id) ON DELETE CASCADE,
    picture_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE
) STRICT;

CREATE INDEX raw_pairs_by_picture ON raw_pairs (picture_id);

-- The raw files that are there already, by the extensions of `names::is_raw`.
INSERT INTO dirty_photos
SELECT photo_id FROM files
WHERE photo_id IS NOT NULL AND lower(substr(CAST(path AS TEXT), -4)) IN (
    '.3fr', '.arw', '.cr2', '.cr3', '.crw', '.dcr', '.dng', '.erf', '.fff', '.iiq', '.kdc', '.mef', '.mos',
    '.mrw', '.nef', '.nrw', '.orf', '.pef', '.raf', '.raw', '.rw2', '.rwl', '.sr2', '.srf', '.srw', '.x3f'
)
ON CONFLICT DO NOTHING;
