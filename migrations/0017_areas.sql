-- In which countries, regions, islands and natural regions a photo was taken. The program decides it once, by the borders
-- that it contains (`borders`), so that a query by place walks an index.

-- What photos of one place have in common: few thousand rows, whatever the number of photos.
CREATE TABLE area_sets (
    id    INTEGER PRIMARY KEY,
    codes TEXT NOT NULL UNIQUE                    -- as `Borders::areas` returns them; '' on the high seas
) STRICT;

ALTER TABLE photos ADD COLUMN area_set INTEGER REFERENCES area_sets (id); -- NULL: no position

CREATE INDEX photos_by_areas ON photos (area_set) WHERE area_set IS NOT NULL;

-- Photos whose `area_set` may be out of date.
CREATE TABLE dirty_places (
    photo_id INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER photo_placed AFTER INSERT ON photos WHEN NEW.latitude IS NOT NULL BEGIN
    INSERT INTO dirty_places VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER photo_replaced AFTER UPDATE OF latitude, longitude ON photos
WHEN NEW.latitude IS NOT OLD.latitude OR NEW.longitude IS NOT OLD.longitude BEGIN
    INSERT INTO dirty_places VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;

INSERT INTO dirty_places SELECT id FROM photos WHERE latitude IS NOT NULL;
