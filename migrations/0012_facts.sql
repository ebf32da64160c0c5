-- The facts of a photo from all its sources: its content, the sidecars of its files, the names of these and of their
-- folders, and their times. What the content and each sidecar say is kept as they said it (JSON, facts::Statements),
-- and the columns of the facts follow from all of it (store::effective).

ALTER TABLE photos ADD COLUMN facts TEXT;         -- what the content says
ALTER TABLE photos ADD COLUMN facts_version INTEGER NOT NULL DEFAULT 0; -- of the reader; read anew if it is older
ALTER TABLE photos ADD COLUMN taken_precision TEXT; -- 'day', 'month' or 'year'; NULL: to the second
ALTER TABLE photos ADD COLUMN taken_end INTEGER;  -- the first ms after that day, month or year
ALTER TABLE photos ADD COLUMN title TEXT;
ALTER TABLE photos ADD COLUMN rating INTEGER;     -- -1 to 5
ALTER TABLE photos ADD COLUMN position_source TEXT;
ALTER TABLE photos ADD COLUMN fact_sources TEXT;  -- of all facts but the date (JSON, photo::FactSources)

-- The sources of dates are more than two. A column with a CHECK can only be replaced.
DROP TRIGGER photo_changed;
DROP INDEX photos_by_own_date;
DROP INDEX photos_dated_by_file;
ALTER TABLE photos ADD COLUMN date_source TEXT;
UPDATE photos SET date_source = taken_source;
ALTER TABLE photos DROP COLUMN taken_source;
ALTER TABLE photos RENAME COLUMN date_source TO taken_source; -- photo::DateSource

UPDATE photos SET facts = facts_of(taken_local, taken_offset, taken_source, latitude, longitude, camera, lens,
                                   description, keywords)
WHERE skip_reason IS NULL;
UPDATE photos SET position_source = 'exif' WHERE latitude IS NOT NULL;

-- A photo is found by its whole day, month or year: the photos of which only that is known are few.
CREATE INDEX photos_by_period ON photos (taken_end, taken_local) WHERE taken_end IS NOT NULL;
CREATE INDEX photos_by_own_date ON photos (taken_local, skip_reason, taken_source)
WHERE skip_reason IS NULL AND taken_source <> 'file';
CREATE INDEX photos_dated_by_file ON photos (taken_source) WHERE taken_source = 'file';

CREATE TRIGGER photo_changed
AFTER UPDATE OF skip_reason, facts, taken_local, taken_offset, taken_precision, taken_source, latitude, longitude,
                camera, lens, title, description, keywords, rating, fact_sources, lost_at ON photos
WHEN NEW.skip_reason IS NOT OLD.skip_reason OR NEW.facts IS NOT OLD.facts OR NEW.taken_local IS NOT OLD.taken_local
  OR NEW.taken_offset IS NOT OLD.taken_offset OR NEW.taken_precision IS NOT OLD.taken_precision
  OR NEW.taken_source IS NOT OLD.taken_source OR NEW.latitude IS NOT OLD.latitude
  OR NEW.longitude IS NOT OLD.longitude OR NEW.camera IS NOT OLD.camera OR NEW.lens IS NOT OLD.lens
  OR NEW.title IS NOT OLD.title OR NEW.description IS NOT OLD.description OR NEW.keywords IS NOT OLD.keywords
  OR NEW.rating IS NOT OLD.rating OR NEW.fact_sources IS NOT OLD.fact_sources OR NEW.lost_at IS NOT OLD.lost_at BEGIN
    INSERT INTO dirty_photos VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;

-- A sidecar says more than keywords. All are read anew: with another size they count as changed.
DROP TRIGGER sidecar_changed;
ALTER TABLE sidecars ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
UPDATE sidecars SET facts = facts_of(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, keywords), size = -1;
ALTER TABLE sidecars DROP COLUMN keywords;

CREATE TRIGGER sidecar_changed AFTER UPDATE OF facts ON sidecars WHEN NEW.facts IS NOT OLD.facts BEGIN
    INSERT INTO dirty_photos SELECT photo_id FROM files
    WHERE path = NEW.photo_path AND photo_id IS NOT NULL ON CONFLICT DO NOTHING;
END;

-- The names of their files and folders may date the photos that only the time of a file did, and their sidecars'
-- keywords are now among the facts of photos.
INSERT INTO dirty_photos SELECT id FROM photos WHERE taken_source = 'file' ON CONFLICT DO NOTHING;
INSERT INTO dirty_photos SELECT f.photo_id FROM sidecars s JOIN files f ON f.path = s.photo_path
WHERE f.photo_id IS NOT NULL ON CONFLICT DO NOTHING;
