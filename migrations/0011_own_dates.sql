-- Filters by date leave out photos that only the time of their file dates. Two indexes answer that alone: the photos
-- with a date of their own, by date, and those without.

-- SQLite reads the column of the last condition as well, so it is in the index.
CREATE INDEX photos_by_own_date ON photos (taken_local, skip_reason, taken_source)
WHERE skip_reason IS NULL AND taken_source <> 'file';

CREATE INDEX photos_dated_by_file ON photos (taken_source) WHERE taken_source = 'file';
