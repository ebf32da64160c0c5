-- Where a photo without a position of its own was taken, estimated from what was taken near in time (store::estimates).
-- An estimate is in the columns of a position, with the source 'estimated', so that every filter by place finds it.

-- The photos with a position and a date of their own, by date: they give others their positions.
CREATE INDEX photos_placed ON photos (taken_local, latitude, longitude)
WHERE latitude IS NOT NULL AND position_source <> 'estimated' AND skip_reason IS NULL AND lost_at IS NULL
  AND taken_precision IS NULL AND taken_source <> 'file';

-- The photos that may get one from them.
CREATE INDEX photos_unplaced ON photos (taken_local)
WHERE (latitude IS NULL OR position_source = 'estimated') AND skip_reason IS NULL
  AND taken_precision IS NULL AND taken_source <> 'file';

-- What a person's settings say of facts: a copy, so that everything that is derived agrees with it.
CREATE TABLE fact_rules (
    kind  TEXT NOT NULL,                          -- 'no estimates', or 'clock' of a camera
    name  TEXT NOT NULL,                          -- the camera in lower case, or ''
    value INTEGER NOT NULL,                       -- seconds to be added to the camera's times, or 0
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- Moments at which a photo that gives others its position came, went or changed.
CREATE TABLE dirty_times (
    taken_local INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER giver_added AFTER INSERT ON photos WHEN NEW.taken_local IS NOT NULL BEGIN
    INSERT INTO dirty_places VALUES (NEW.id) ON CONFLICT DO NOTHING;
    INSERT INTO dirty_times SELECT NEW.taken_local WHERE NEW.latitude IS NOT NULL ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER giver_removed AFTER DELETE ON photos
WHEN OLD.taken_local IS NOT NULL AND OLD.latitude IS NOT NULL AND OLD.position_source <> 'estimated' BEGIN
    INSERT INTO dirty_times VALUES (OLD.taken_local) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER giver_changed
AFTER UPDATE OF latitude, longitude, position_source, taken_local, taken_source, taken_precision, lost_at, skip_reason
ON photos
WHEN NEW.latitude IS NOT OLD.latitude OR NEW.longitude IS NOT OLD.longitude
  OR NEW.position_source IS NOT OLD.position_source OR NEW.taken_local IS NOT OLD.taken_local
  OR NEW.taken_source IS NOT OLD.taken_source OR NEW.taken_precision IS NOT OLD.taken_precision
  OR (NEW.lost_at IS NULL) IS NOT (OLD.lost_at IS NULL) OR NEW.skip_reason IS NOT OLD.skip_reason BEGIN
    INSERT INTO dirty_places VALUES (NEW.id) ON CONFLICT DO NOTHING;
    INSERT INTO dirty_times SELECT NEW.taken_local
    WHERE NEW.taken_local IS NOT NULL AND NEW.latitude IS NOT NULL AND NEW.position_source <> 'estimated'
    ON CONFLICT DO NOTHING;
    INSERT INTO dirty_times SELECT OLD.taken_local
    WHERE OLD.taken_local IS NOT NULL AND OLD.latitude IS NOT NULL AND OLD.position_source <> 'estimated'
    ON CONFLICT DO NOTHING;
END;

INSERT INTO dirty_places SELECT id FROM photos WHERE latitude IS NULL AND taken_local IS NOT NULL ON CONFLICT DO NOTHING;
